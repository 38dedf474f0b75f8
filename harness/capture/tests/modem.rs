//! What device and modem say to each other beside the packets, and what the device never fetched.

mod support;

use capture::transcript::{Said, Who};
use capture::{Side, Transcript, read};
use clock::Instant;
use support::Cable;
use wire::at::{Speaker, Spoken};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const PUBLISH: &[u8] = &[0x30, 4, 0, 1, b't', b'x'];

fn line(by: Speaker, text: &str) -> Spoken {
    Spoken { by, is_data: false, bytes: text.as_bytes().to_vec() }
}

fn data(bytes: &[u8]) -> Spoken {
    Spoken { by: Speaker::Modem, is_data: true, bytes: bytes.to_vec() }
}

fn transcript(cable: &Cable) -> Transcript {
    read(&cable.tap.to_pcapng(), "").expect("our own file")
}

fn unread(transcript: &Transcript) -> Vec<(u64, &str)> {
    let lines = transcript.modem.iter().filter(|line| line.said == Said::Unread);
    lines.map(|line| (line.at.as_millis(), line.details.as_str())).collect()
}

/// A device that fetches the answer to its login and nothing that comes after it, comes back, and fetches all.
#[test]
fn what_was_fetched_before_and_after_a_connection_is_not_counted_for_it() {
    let mut cable = Cable::new();
    cable.tap.spoken(Instant::ZERO, line(Speaker::Device, "AT+CIPOPEN=0,\"TCP\",\"b\",8883"));
    cable.open();
    cable.send(Side::Client, CONNECT);
    cable.send(Side::Server, &[CONNACK, PUBLISH].concat());
    cable.tap.spoken(Instant::from_millis(5), data(CONNACK));
    cable.tap.spoken(Instant::from_millis(7), line(Speaker::Modem, "+IPCLOSE: 0,1"));
    cable.come_back_at(9);
    // At the very instant of the second SYN: not the first connection's any more.
    cable.tap.spoken(Instant::from_millis(9), data(&CONNACK[..2]));
    cable.open();
    cable.send(Side::Client, CONNECT);
    cable.send(Side::Server, CONNACK);
    cable.tap.spoken(Instant::from_millis(20), data(&CONNACK[2..]));
    let transcript = transcript(&cable);
    assert_eq!(transcript.conversations.len(), 2);
    let told = unread(&transcript);
    assert_eq!(told, [(7, "6 bytes of the broker, never read · PUBLISH t · \"x\" · qos 0")]);
}

#[test]
fn a_device_that_fetches_all_leaves_nothing() {
    let mut cable = Cable::new();
    cable.open();
    cable.send(Side::Client, CONNECT);
    cable.send(Side::Server, CONNACK);
    cable.tap.spoken(Instant::from_millis(5), data(CONNACK));
    assert_eq!(unread(&transcript(&cable)), []);
}

#[test]
fn what_a_modem_says_at_once_is_one_line_and_of_endless_talk_so_much_is_told() {
    let mut cable = Cable::new();
    cable.tap.spoken(Instant::ZERO, line(Speaker::Device, "AT+CSQ"));
    cable.tap.spoken(Instant::ZERO, line(Speaker::Modem, "+CSQ: 21,99"));
    cable.tap.spoken(Instant::ZERO, line(Speaker::Modem, "OK"));
    cable.tap.spoken(Instant::ZERO, line(Speaker::Modem, "BOOT OK"));
    for ms in 1..6_000 {
        cable.tap.spoken(Instant::from_millis(ms), line(Speaker::Device, "AT+UNKNOWN"));
    }
    let lines = transcript(&cable).modem;
    assert_eq!((lines[0].who, lines[0].said, lines[0].details.as_str()), (Who::Client, Said::At("AT+CSQ"), ""));
    let answer = (lines[1].who, lines[1].said, lines[1].details.as_str());
    assert_eq!(answer, (Who::Modem, Said::At("+CSQ"), "21,99 · OK · BOOT OK"));
    assert_eq!((lines[2].said, lines[2].details.as_str()), (Said::OtherAt, "AT+UNKNOWN"));
    assert_eq!(lines.len(), 5_000);
}
