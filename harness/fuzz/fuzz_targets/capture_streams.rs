//! Devices and brokers that mean harm, below a capture that is whole: the fuzzer says who speaks and what.
#![no_main]

use capture::{Style, Tap, read, render};
use clock::{Instant, UnixTime};

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    // No power-on time: then checksums are not looked at, and need not be made.
    let mut tap = Tap::new(UnixTime::from_seconds(0));
    let mut sequence = [0_u32; 2];
    let mut rest = script;
    // Each turn: who, flags and length in two bytes, then what is said.
    while let [who, length, after @ ..] = rest {
        let side = usize::from(who & 1);
        let (payload, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0];
        packet[2..4].copy_from_slice(&(40 + payload.len() as u16).to_be_bytes());
        let (from, to) = if side == 0 { (2, 1) } else { (1, 2) };
        packet.extend([10, 0, 0, from, 10, 0, 0, to]);
        let ports: [u16; 2] = if side == 0 { [49_152, 8_883] } else { [8_883, 49_152] };
        ports.iter().for_each(|port| packet.extend(port.to_be_bytes()));
        packet.extend(sequence[side].to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, who >> 1 & 0x17 | 0x10, 16, 0, 0, 0, 0, 0]);
        packet.extend(payload);
        if who & 0x80 == 0 {
            sequence[side] = sequence[side].wrapping_add(payload.len() as u32);
        }
        tap.packet(Instant::ZERO, &packet);
    }
    let transcript = read(&tap.to_pcapng(), "").expect("our own file");
    let text = render(&transcript, &Style::BENCH);
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
});
