//! The Ethernet in front of the LAN, with a device that means harm: ARP, DHCP, neighbour discovery, and what is none of them.
//! Seeds: `seeds/ethernet`.
//!
//! An input is a frame as it stands, as each seed is, or several with [`NEXT`] between them, and behind that an octet with the
//! time until the next, in units of 100 µs.
#![no_main]

#[path = "../../network/tests/ethernet_hostile/segment.rs"]
mod segment;

/// No address and no field of these protocols has this value; the dictionary has it.
const NEXT: [u8; 4] = *b"next";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut frames = Vec::new();
    let (mut pause, mut rest) = (0, bytes);
    while let Some(at) = rest.windows(NEXT.len()).position(|four| four == NEXT) {
        frames.push((pause, rest[..at].to_vec()));
        rest = &rest[at + NEXT.len()..];
        pause = rest.split_off_first().map_or(0, |hundreds| 100 * u16::from(*hundreds));
    }
    frames.push((pause, rest.to_vec()));
    segment::play(&frames);
});
