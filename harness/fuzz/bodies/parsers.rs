//! What is asked of the parsers, whatever bytes come: no panic, an end, bounded memory, and words that obey no terminal.
//!
//! Run by libFuzzer (`fuzz_targets/`, a target for each, of the same name) and, over the seeds in the folder of that name and
//! what a few hundred changes make of each, by `cargo test -p runner --test fuzz_seeds`.

use capture::similarity::Similarity;
use capture::{CutOffer, Offer, Style, Tap, hexadecimal, render, show};
use clock::{Instant, UnixTime};
use network::{Direction, SerialFault, SerialLine};
use scenario::Scenario;
use wire::mqtt::{Packet, View};
use wire::tls::{
    CertificateChain, CertificateRequest, CertificateVerify, CipherSuite, ClientHello, ClientHelloView,
    EncryptedExtensions, HandshakeDecoder, Ja3, Ja4, NewSessionTicket, ProtocolVersion, RecordDecoder, ServerHello,
    ServerHelloView, ServerKeyExchange,
};
use wire::{mqtt, slipmux};

/// A kind of input: the name of its target and of its folder of seeds, and what is asked of each.
pub type Body = (&'static str, fn(&[u8]));

/// Every kind of input.
pub const ALL: [Body; 8] = [
    ("wire_mqtt", wire_mqtt),
    ("wire_slipmux", wire_slipmux),
    ("wire_tls", wire_tls),
    ("scenario_parse", scenario_parse),
    ("capture_read", capture_read),
    ("capture_hexadecimal", capture_hexadecimal),
    ("capture_streams", capture_streams),
    ("network_serial", network_serial),
];

/// What may stand on a terminal in more than one line.
fn shown(text: &str) {
    assert!(text.chars().all(|one| one == '\n' || !one.is_control()), "{text:?}");
}

/// MQTT packets, in whatever pieces they arrive: the same packets come out, and what is understood is understood for good.
pub fn wire_mqtt(stream: &[u8]) {
    let mut whole = mqtt::Decoder::new(1_000);
    whole.extend(stream);
    let mut packets = vec![];
    while let Some(Ok(view)) = whole.next_packet() {
        if let Ok(packet) = Packet::parse(&view) {
            let mut again = vec![];
            packet.encode(&mut again).expect("it came from the wire");
            let again = View::new(again).expect("whole");
            assert_eq!(Packet::parse(&again), Ok(packet));
        }
        packets.push(view);
    }
    let mut piecewise = mqtt::Decoder::new(1_000);
    let mut pieces = vec![];
    for byte in stream {
        piecewise.extend(&[*byte]);
        while let Some(Ok(view)) = piecewise.next_packet() {
            pieces.push(view);
        }
        assert!(piecewise.pending().len() <= 1_000);
    }
    assert_eq!(packets, pieces);
}

/// Whatever comes down a serial line: bounded memory, and every frame that is understood can be sent again.
pub fn wire_slipmux(line: &[u8]) {
    const FRAME_BYTES_MAX: usize = 128;
    let mut decoder = slipmux::Decoder::new(FRAME_BYTES_MAX);
    for &byte in line {
        if let Some(Ok(frame)) = decoder.push(byte) {
            let mut again = vec![];
            slipmux::encode(&frame, &mut again);
            let mut fresh = slipmux::Decoder::new(FRAME_BYTES_MAX);
            let read: Vec<_> = again.iter().filter_map(|&byte| fresh.push(byte)).collect();
            assert_eq!(read, [Ok(frame)]);
        }
        assert!(decoder.pending().len() <= FRAME_BYTES_MAX);
    }
    decoder.flush();
}

/// TLS records and the handshake messages in them.
pub fn wire_tls(stream: &[u8]) {
    let mut records = RecordDecoder::new();
    let mut messages = HandshakeDecoder::new(10_000);
    records.extend(stream);
    while let Some(Ok(record)) = records.next_record() {
        messages.extend(&record.fragment);
    }
    while let Some(Ok(message)) = messages.next_message() {
        let body = &message.body[..];
        if let Ok(Ok(hello)) = ClientHelloView::parse(body).map(|view| ClientHello::parse(&view)) {
            assert_eq!(Ja3::of(&hello).hash().len(), 32);
            let ja4 = Ja4::of(&hello).to_string();
            assert_eq!(ja4.len(), 36, "{ja4}");
        }
        if let Ok(view) = ServerHelloView::parse(body) {
            let _ = (ServerHello::parse(&view).group(), view.downgraded_from());
        }
        let _ = EncryptedExtensions::parse(body);
        for version in [0x0301, 0x0303, 0x0304].map(ProtocolVersion) {
            let _ = CertificateChain::parse(body, version);
            let _ = CertificateRequest::parse(body, version);
            let _ = CertificateVerify::parse(body, version);
            let _ = NewSessionTicket::parse(body, version);
            let _ = ServerKeyExchange::parse(body, version, CipherSuite(0xc02b));
            let _ = ServerKeyExchange::parse(body, version, CipherSuite(0x009e));
        }
    }
}

/// A scenario of somebody who means harm, or who cannot type: its name on the first line, and the file behind it. It is read, or
/// refused in words that can be shown.
pub fn scenario_parse(bytes: &[u8]) {
    let input = String::from_utf8_lossy(bytes);
    let (name, text) = input.split_once('\n').unwrap_or(("", &input));
    match Scenario::parse(name, "x.toml", text) {
        // What can be read can be minted, or refused in words too. Large keys are slow to make, not to read.
        Ok(scenario) if !text.contains("rsa") => drop(pki::mint(&scenario.pki, 0, scenario.date())),
        Ok(_) => {}
        Err(problem) => {
            let words = problem.to_string();
            assert!(!words.is_empty());
            shown(&words);
        }
    }
}

/// A capture file from anybody: whatever it holds, what is told about it obeys no terminal and has an end.
pub fn capture_read(file: &[u8]) {
    if let Ok(transcript) = capture::read(file, "") {
        shown(&show(&transcript));
    }
}

/// Bytes that somebody pasted, in whatever form: reading them ends, and what is found in them holds.
pub fn capture_hexadecimal(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let blocks = match hexadecimal::blocks(&text) {
        Ok(blocks) => blocks,
        Err(why) => return shown(&why.to_string()),
    };
    for block in blocks {
        assert!(!block.bytes.is_empty() && block.bytes.len() <= hexadecimal::BYTES_MAX);
        if let Some(missing) = block.missing {
            shown(&missing.to_string());
        }
        if let Ok(offer) = Offer::find(&block.bytes) {
            assert_eq!(Similarity::between(&offer.hello, &offer.hello).distance, 0);
            assert!(offer.message_bytes <= block.bytes.len());
        }
        if let Some(cut) = CutOffer::find(&block.bytes) {
            assert!(cut.has_bytes < cut.wants_bytes && !cut.missing.is_empty());
        }
    }
}

/// Devices and brokers that mean harm, below a capture that is whole. Each turn: who and which flags, a length, and as many bytes.
pub fn capture_streams(script: &[u8]) {
    // No power-on time: then checksums are not looked at, and need not be made.
    let mut tap = Tap::new(UnixTime::from_seconds(0));
    let mut sequence = [0_u32; 2];
    let mut rest = script;
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
    let transcript = capture::read(&tap.to_pcapng(), "").expect("our own file");
    shown(&render(&transcript, &Style::BENCH));
}

/// Whatever a board says on a line that damages it: no panic, and nothing held back beyond a frame.
pub fn network_serial(bytes: &[u8]) {
    let fault = SerialFault::FlipRate { direction: Direction::FromDevice, per_million: 10_000 };
    let mut whole = SerialLine::new(vec![fault.clone()], 1);
    let mut cut = SerialLine::new(vec![fault], 1);
    let mut heard = whole.hear(bytes);
    heard.extend(whole.fall_silent());
    let mut piecewise: Vec<_> = bytes.iter().flat_map(|&byte| cut.hear(&[byte])).collect();
    piecewise.extend(cut.fall_silent());
    assert_eq!(heard, piecewise);
}
