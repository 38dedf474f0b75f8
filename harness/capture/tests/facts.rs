//! What follows from a conversation, of records and packets made by hand.

mod support;

use capture::transcript::Said;
use capture::{Side, read};
use outcome::Stage;
use support::{Cable, conversation, lines, message, record};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const SUBSCRIBE: &[u8] = &[0x82, 6, 0, 1, 0, 1, b't', 0];
const PUBLISH: &[u8] = &[0x30, 4, 0, 1, b't', b'x'];

#[test]
fn a_client_came_as_far_as_what_it_said_last() {
    let packets: [(&[u8], Stage); 5] = [
        (CONNECT, Stage::Login),
        (SUBSCRIBE, Stage::Subscribe),
        (PUBLISH, Stage::Exchange),
        (&[0xc0, 0], Stage::KeepAlive),
        (&[0xe0, 0], Stage::Goodbye),
    ];
    for count in 1..=packets.len() {
        let said: Vec<(Side, &[u8])> = packets[..count].iter().map(|(packet, _)| (Side::Client, *packet)).collect();
        assert_eq!(conversation(&said).facts.stage, Some(packets[count - 1].1));
    }
}

#[test]
fn a_server_that_speaks_first_is_told_by_what_it_says() {
    assert_eq!(conversation(&[(Side::Server, &[0x20, 2, 0, 5])]).lines[0].said.to_string(), "CONNACK");
    let greeting = conversation(&[(Side::Server, b"220 mail.test"), (Side::Client, b"QUIT"), (Side::Client, b"now")]);
    // What they say is quoted once.
    assert_eq!(lines(&greeting), ["(data) 13 bytes · \"220 mail.test\"", "(data) 7 bytes"]);
}

#[test]
fn a_packet_that_breaks_off_is_told_by_its_name() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, CONNECT);
    cable.send(Side::Client, &PUBLISH[..3]);
    cable.fin(Side::Client);
    let transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    assert_eq!(lines(&transcript.conversations[0])[1..], ["(fragment) PUBLISH breaks off after 3 bytes", "FIN"]);
}

/// RFC 9846 §5.1: 2^14 bytes and no more.
#[test]
fn a_record_in_clear_may_be_so_long() {
    let message = |bytes: usize| message(2, &vec![0; bytes - 4]);
    let longest = conversation(&[(Side::Server, &record(22, &message(1 << 14)))]);
    assert_eq!(longest.lines[0].said.to_string(), "ServerHello");
    for bytes in [(1 << 14) + 1, (1 << 14) + 2] {
        let too_long = conversation(&[(Side::Server, &record(22, &message(bytes)))]);
        assert_eq!(lines(&too_long)[0], format!("(bad record) handshake of {bytes} bytes is more than TLS allows"));
    }
}

/// Whoever judges needs the lengths of what could not be read, of so many records.
#[test]
fn records_without_a_key_are_kept_by_their_length_and_told_in_one_line() {
    let sealed = record(23, &[7; 30]);
    let few = conversation(&[(Side::Client, &sealed), (Side::Client, &sealed), (Side::Server, &sealed)]);
    assert_eq!(few.facts.sealed, [(Side::Client, 30), (Side::Client, 30), (Side::Server, 30)]);
    assert!(few.facts.has_gaps);
    let told = ["(encrypted) 60 bytes in 2 records · before any key", "(encrypted) 30 bytes · before any key"];
    assert_eq!(lines(&few), told);
    let many: Vec<(Side, &[u8])> = vec![(Side::Client, &sealed); 300];
    assert_eq!(conversation(&many).facts.sealed.len(), 256);
    assert_eq!(lines(&conversation(&many)), ["(encrypted) 9000 bytes in 300 records · before any key"]);
}

#[test]
fn lines_grow_only_with_what_is_of_the_same_kind_and_side() {
    let sealed = record(23, &[7; 30]);
    let alert = record(21, &[1, 0]);
    let told = conversation(&[(Side::Client, &sealed), (Side::Client, &alert), (Side::Client, &sealed)]);
    let said: Vec<Said> = told.lines.iter().map(|line| line.said).collect();
    assert_eq!((said.len(), said[0], said[2]), (3, Said::Encrypted, Said::Encrypted));
}
