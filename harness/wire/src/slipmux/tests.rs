use super::*;
use alloc::vec;

fn decode(line: &[u8], frame_bytes_max: usize) -> Vec<Result<Frame, FrameError>> {
    let mut decoder = Decoder::new(frame_bytes_max);
    let mut frames: Vec<_> = line.iter().filter_map(|&byte| decoder.push(byte)).collect();
    frames.extend(decoder.flush().map(Err));
    frames
}

fn ipv4(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, (20 + payload.len()) as u8];
    packet.resize(20, 0);
    packet.extend_from_slice(payload);
    packet
}

/// From the documentation of the crate `slipmux` 0.4.1: an empty CoAP message and its check sequence.
#[test]
fn the_check_sequence_agrees_with_the_published_example() {
    let mut line = Vec::new();
    encode_configuration(&[0x40, 0x01, 0x00, 0x00], &mut line);
    assert_eq!(line, [0xc0, 0xa9, 0x40, 0x01, 0x00, 0x00, 0xbc, 0x38, 0xc0]);
    assert_eq!(decode(&line, 64), [Ok(Frame::Configuration(vec![0x40, 0x01, 0x00, 0x00]))]);
}

#[test]
fn the_crate_slipmux_reads_what_we_write_and_writes_what_we_read() {
    let awkward: Vec<u8> = (0..=255).collect();
    let ours = [
        Frame::Diagnostic(b"Hello \xc2\xb5World".to_vec()),
        Frame::Configuration(awkward.clone()),
        Frame::Ip(ipv4(&[0xc0, 0xdb, 0xdc, 0xdd, 0xc0])),
    ];
    let mut line = Vec::new();
    ours.iter().for_each(|frame| encode(frame, &mut line));

    let mut handler = slipmux::BufferedFrameHandler::new();
    let mut theirs = slipmux::Decoder::new();
    for &byte in &line {
        let _ = theirs.decode(byte, &mut handler);
    }
    let read: Vec<Vec<u8>> = handler
        .results
        .into_iter()
        .map(|result| match result.expect("the oracle reads it") {
            slipmux::Slipmux::Diagnostic(text) => text.into_bytes(),
            slipmux::Slipmux::Configuration(payload) | slipmux::Slipmux::Packet(payload) => payload,
        })
        .collect();
    assert_eq!(read, [b"Hello \xc2\xb5World".to_vec(), awkward.clone(), ipv4(&[0xc0, 0xdb, 0xdc, 0xdd, 0xc0])]);

    let mut line = slipmux::encode_buffered(slipmux::Slipmux::Diagnostic("Hello \u{b5}World".into()));
    line.extend(slipmux::encode_buffered(slipmux::Slipmux::Configuration(awkward)));
    line.extend(slipmux::encode_buffered(slipmux::Slipmux::Packet(ipv4(&[0xc0, 0xdb, 0xdc, 0xdd, 0xc0]))));
    assert_eq!(decode(&line, 300), ours.map(Ok));
}

#[test]
fn text_outside_of_frames_is_kept_line_by_line() {
    let mut line = b"ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON)\r\n".to_vec();
    encode_diagnostic(b"hello", &mut line);
    line.extend_from_slice(b"\r\npanicked at main.rs:7");
    let heard = decode(&line, 2048);
    assert_eq!(
        heard,
        [
            Err(FrameError::Noise(b"ESP-ROM:esp32c3-api1-20210207\r\n".to_vec())),
            Err(FrameError::Noise(b"rst:0x1 (POWERON)\r\n".to_vec())),
            Ok(Frame::Diagnostic(b"hello".to_vec())),
            Err(FrameError::Noise(b"\r\n".to_vec())),
            Err(FrameError::Noise(b"panicked at main.rs:7".to_vec())),
        ]
    );
}

#[test]
fn short_text_that_begins_like_a_packet_is_noise() {
    assert_eq!(decode(b"\xc0ok\xc0", 64), [Err(FrameError::Noise(b"ok".to_vec()))]);
    assert_eq!(decode(b"Guru Meditation Error", 2048), [Err(FrameError::Noise(b"Guru Meditation Error".to_vec()))]);
    assert_eq!(decode(b"load:0x3fcd5820\n", 2048), [Err(FrameError::Noise(b"load:0x3fcd5820\n".to_vec()))]);
}

#[test]
fn both_ip_versions_pass_and_the_ends_of_their_ranges_too() {
    let mut longest_header = ipv4(&[0; 40]);
    longest_header[0] = 0x4f;
    let mut ipv6 = vec![0x6f, 0, 0, 0, 0, 3, 17, 64];
    ipv6.resize(43, 1);
    let mut line = Vec::new();
    encode_ip(&longest_header, &mut line);
    encode_ip(&ipv6, &mut line);
    assert_eq!(decode(&line, 64), [Ok(Frame::Ip(longest_header)), Ok(Frame::Ip(ipv6))]);
}

#[test]
fn damage_costs_one_frame_and_no_more() {
    let good = Frame::Configuration(b"good".to_vec());
    let mut line = Vec::new();
    encode(&good, &mut line);
    let intact = line.clone();
    line[3] ^= 0x20;
    line.extend_from_slice(&intact);
    assert_eq!(decode(&line, 64), [Err(FrameError::BadChecksum(b"gOod".to_vec())), Ok(good.clone())]);

    // The END between the two is lost: one damaged frame, and the one after it is whole.
    let mut line = intact.clone();
    line.pop();
    line.extend_from_slice(&intact[1..]);
    line.extend_from_slice(&intact);
    let heard = decode(&line, 64);
    assert!(matches!(heard[0], Err(FrameError::BadChecksum(_))), "{heard:?}");
    assert_eq!(heard[1..], [Ok(good)]);
}

#[test]
fn a_cut_packet_says_that_its_length_is_wrong() {
    let mut line = Vec::new();
    encode_ip(&ipv4(b"abc")[..22], &mut line);
    assert_eq!(decode(&line, 64), [Err(FrameError::BadIpLength(ipv4(b"abc")[..22].to_vec()))]);
}

#[test]
fn an_endless_frame_is_dropped_once_and_held_in_bounded_memory() {
    let mut decoder = Decoder::new(16);
    let mut heard = vec![];
    heard.extend(decoder.push(slip::END));
    heard.extend(decoder.push(CONFIGURATION));
    for _ in 0..10_000 {
        heard.extend(decoder.push(7));
        assert!(decoder.pending().len() <= 16);
    }
    heard.extend(decoder.push(slip::END));
    assert_eq!(heard.len(), 1);
    assert!(matches!(&heard[0], Err(FrameError::TooLong(start)) if start.len() == 16));
}

#[test]
fn bad_escapes_and_aborts_are_told_apart() {
    assert_eq!(
        decode(b"\xc0\x0aab\xdbcd\xc0\x0aab\xdb\xc0\x0aok\xc0", 64),
        [
            Err(FrameError::BadEscape(b"\x0aab".to_vec())),
            Err(FrameError::Aborted(b"\x0aab".to_vec())),
            Ok(Frame::Diagnostic(b"ok".to_vec())),
        ]
    );
}

#[test]
fn frames_too_short_for_a_check_sequence_are_refused() {
    assert_eq!(decode(b"\xc0\xa9\xc0\xa9\x01\xc0\xa9\x01\x02\xc0", 64), vec![Err(FrameError::BadChecksum(vec![])); 3]);
}
