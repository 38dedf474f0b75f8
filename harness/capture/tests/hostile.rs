//! Captures that mean harm, or were merely damaged: reading them ends, with a value, in bounded memory.

mod support;

use capture::similarity::Similarity;
use capture::{Offer, Side, Style, Tap, hexadecimal, read, render, show};
use proptest::prelude::*;
use support::{Cable, POWER_ON};

fn fixture() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("tls1_3_client_certificate"),
        Just("tls1_2_client_certificate"),
        Just("tls1_2_dhe_aes256_cbc_sha256_etm"),
        Just("tls1_0_aes256_cbc_sha"),
    ]
}

/// Sets a capture both ways and holds the result against what every transcript promises.
fn is_fit_to_print(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(transcript) = read(file, "") else { return Ok(()) };
    for text in [render(&transcript, &Style::BENCH), show(&transcript)] {
        let is_fit = |character: char| character == '\n' || !character.is_control();
        prop_assert!(text.chars().all(is_fit), "{:?}", text);
        prop_assert!(text.len() <= 2_000_000);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_files_are_read_as_far_as_they_go(
        fixture in fixture(),
        damage in proptest::collection::vec((any::<u32>(), any::<u8>()), 0..8),
        cut in proptest::option::of(any::<u32>()),
    ) {
        let mut file = support::fixture(fixture).tap.to_pcapng();
        for (at, value) in damage {
            let at = at as usize % file.len();
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut as usize % file.len());
        }
        is_fit_to_print(&file)?;
    }

    /// The same below the checksums: what the device or the broker itself may send.
    #[test]
    fn damaged_streams_are_told(
        fixture in fixture(),
        damage in proptest::collection::vec((any::<u16>(), any::<u16>(), any::<u8>()), 1..8),
    ) {
        let cable = support::fixture(fixture);
        let mut foreign = Tap::new(clock::UnixTime::from_seconds(0));
        cable.tap.key_log().lines().for_each(|line| foreign.key_log_line(line));
        let mut packets = cable.tap.packets().to_vec();
        for (packet, at, value) in damage {
            let packet = usize::from(packet) % packets.len();
            // Beyond IP and TCP header; a capture with offset zero is one whose checksums are not looked at.
            let payload = packets[packet].bytes.len() - 40;
            if payload > 0 {
                packets[packet].bytes[40 + usize::from(at) % payload] = value;
            }
        }
        packets.iter().for_each(|packet| foreign.packet(packet.at, &packet.bytes));
        is_fit_to_print(&foreign.to_pcapng())?;
    }

    #[test]
    fn anything_at_all_in_a_packet_is_told(
        packets in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..12),
    ) {
        let mut cable = Cable::new();
        cable.open();
        for (from_client, mut bytes) in packets {
            // Half of it looks like TLS or MQTT at first sight.
            if let [first, rest @ ..] = &mut bytes[..] {
                match *first & 7 {
                    0 => *first = 0x10,
                    1 => *first = 0x20,
                    kind @ 2..=5 => {
                        *first = 18 + kind;
                        rest.iter_mut().zip([3, 3, 0, 20]).for_each(|(byte, value)| *byte = value);
                    }
                    _ => {}
                }
            }
            cable.send(if from_client { Side::Client } else { Side::Server }, &bytes);
        }
        is_fit_to_print(&cable.tap.to_pcapng())?;
    }

    #[test]
    fn bytes_that_are_no_packets_are_left_out(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20),
    ) {
        let mut tap = Tap::new(POWER_ON);
        for mut packet in packets {
            if let Some(first) = packet.first_mut() {
                *first = if *first & 1 == 0 { 0x45 } else { 0x60 };
            }
            tap.packet(clock::Instant::ZERO, &packet);
        }
        is_fit_to_print(&tap.to_pcapng())?;
    }
}

/// A connection that never stops talking is told up to a limit.
#[test]
fn endless_talk_is_cut() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a");
    for _ in 0..6_000 {
        cable.send(Side::Client, &[0xc0, 0]);
    }
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    let conversation = &transcript.conversations[0];
    assert_eq!(conversation.lines.len(), 5_000);
    assert_eq!(conversation.remarks, ["1001 further lines are not shown"]);
}

/// What somebody might paste: hexadecimal with everything that dumps put between, and worse.
fn pasted() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f ]{0,200}",
        "[0-9a-fx:|{},;#/ \\\\\n\t-]{0,400}",
        "\\PC{0,100}",
        "(0{0,3}[0-9a-f]0:?  ([0-9a-f]{2} ){0,20}\n){0,9}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
        ..ProptestConfig::default()
    })]

    #[test]
    fn pasted_text_is_read_or_refused_in_words(text in pasted()) {
        match hexadecimal::read(&text) {
            Ok(bytes) => prop_assert!(!bytes.is_empty() && bytes.len() <= text.len()),
            Err(why) => prop_assert!(why.to_string().chars().all(|character| !character.is_control())),
        }
    }

    /// A damaged hello is read, or called by its name; what is read is like itself.
    #[test]
    fn damaged_hellos_are_read_or_named(
        damage in proptest::collection::vec((0_usize..56, any::<u8>()), 0..6),
        cut in 0_usize..57,
        before in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let text = "160302003301\n00002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea\n\
                    000008002f0035000500040100";
        let mut hello = hexadecimal::read(text).expect("the hello of document 000");
        for (at, value) in damage {
            hello[at] = value;
        }
        hello.truncate(cut);
        let bytes = [before, hello].concat();
        match Offer::find(&bytes) {
            Ok(offer) => {
                prop_assert_eq!(Similarity::between(&offer.hello, &offer.hello).distance, 0);
                prop_assert!(offer.message_bytes <= bytes.len());
            }
            Err(why) => prop_assert!(why.to_string().chars().all(|character| !character.is_control())),
        }
    }
}
