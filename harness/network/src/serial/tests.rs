use super::*;

/// The shortest IPv4 packet that the framing believes in: a header that claims 20 bytes.
fn packet(fill: u8) -> Vec<u8> {
    let mut packet = vec![fill; 20];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&20_u16.to_be_bytes());
    packet
}

#[test]
fn a_sound_line_carries_all_three_kinds_and_the_words_between() {
    let mut line = Vec::new();
    let mut ours = SerialLine::new(Vec::new(), 0);
    ours.say_ip(&packet(0xc0), &mut line);
    ours.say_configuration(b"order", &mut line);
    let mut bytes = b"ESP-ROM:esp32c3-api1-20210207\n".to_vec();
    bytes.extend(&line);
    slipmux::encode_diagnostic(b"hello", &mut bytes);
    let mut theirs = SerialLine::new(Vec::new(), 0);
    let heard = theirs.hear(&bytes);
    assert_eq!(
        heard,
        [
            Heard::Noise(b"ESP-ROM:esp32c3-api1-20210207\n".to_vec()),
            Heard::Ip(packet(0xc0)),
            Heard::Configuration(b"order".to_vec()),
            Heard::Diagnostic(b"hello".to_vec()),
        ]
    );
}

#[test]
fn how_the_bytes_are_cut_does_not_matter() {
    let mut line = b"noise\n".to_vec();
    slipmux::encode_ip(&packet(0xdb), &mut line);
    slipmux::encode_configuration(b"report", &mut line);
    let faults = vec![SerialFault::FlipRate { direction: Direction::FromDevice, per_million: 200_000 }];
    let whole = SerialLine::new(faults.clone(), 3).hear(&line);
    let mut cut = SerialLine::new(faults, 3);
    let piecewise: Vec<Heard> = line.iter().flat_map(|&byte| cut.hear(&[byte])).collect();
    assert_eq!(whole, piecewise);
}

#[test]
fn a_flip_hits_its_byte_of_the_ip_frames_and_nothing_else() {
    let fault = SerialFault::Flip { direction: Direction::ToDevice, at_byte: 20 + 1 + 5, flip: 0xff };
    let mut line = SerialLine::new(vec![fault], 0);
    let (mut first, mut order, mut second) = (Vec::new(), Vec::new(), Vec::new());
    line.say_ip(&packet(7), &mut first);
    line.say_configuration(b"a long order that must arrive unharmed", &mut order);
    line.say_ip(&packet(7), &mut second);
    let mut expected = Vec::new();
    slipmux::encode_ip(&packet(7), &mut expected);
    assert_eq!(first, expected);
    // The opening END is not counted, the first frame has 20 bytes and an END.
    expected[1 + 5] = 7 ^ 0xff;
    assert_eq!(second, expected);
    let mut expected = Vec::new();
    slipmux::encode_configuration(b"a long order that must arrive unharmed", &mut expected);
    assert_eq!(order, expected);
}

#[test]
fn dropped_bytes_damage_one_packet_and_the_next_one_arrives() {
    let fault = SerialFault::Drop { direction: Direction::FromDevice, at_byte: 10, count: 3 };
    let mut line = SerialLine::new(vec![fault], 0);
    let mut bytes = vec![slip::END];
    slipmux::encode_ip(&packet(1), &mut bytes);
    slipmux::encode_ip(&packet(2), &mut bytes);
    let heard = line.hear(&bytes);
    assert!(matches!(heard[0], Heard::Damaged(FrameError::BadIpLength(_))), "{heard:?}");
    assert_eq!(heard[1], Heard::Ip(packet(2)));
}

#[test]
fn a_lost_end_costs_no_second_packet() {
    let fault = SerialFault::Drop { direction: Direction::FromDevice, at_byte: 20, count: 1 };
    let mut line = SerialLine::new(vec![fault], 0);
    let mut bytes = vec![slip::END];
    slipmux::encode_ip(&packet(1), &mut bytes);
    slipmux::encode_ip(&packet(2), &mut bytes);
    // The opening END of the second frame closes the first.
    assert_eq!(line.hear(&bytes), [Heard::Ip(packet(1)), Heard::Ip(packet(2))]);
}

/// A console that nobody frames: whatever its lines begin with, they come as they end.
#[test]
fn before_the_first_end_everything_is_text() {
    let noise = |text: &str| Heard::Noise(text.into());
    for text in ["\n", "load\n", "E (3) wifi: k\u{e4}se\n", "\u{a9} 2026\n", "\ngreetings\n", "I\0\0\x05 (7)\n"] {
        let mut line = SerialLine::new(Vec::new(), 0);
        let lines: Vec<Heard> = text.split_inclusive('\n').map(noise).collect();
        for _ in 0..2 {
            assert_eq!(line.hear(text.as_bytes()), lines, "{text:?}");
            assert_eq!(line.hear(b"a prompt> "), []);
            // After a reset, nothing has been framed either.
            assert_eq!(line.fall_silent(), Some(noise("a prompt> ")));
        }
        let mut bytes = b"boot".to_vec();
        slipmux::encode_ip(&packet(1), &mut bytes);
        assert_eq!(line.hear(&bytes), [noise("boot"), Heard::Ip(packet(1))]);
        assert_eq!(line.hear(&[b'x'; 600]).len(), 2, "long noise comes in pieces");
    }
}
