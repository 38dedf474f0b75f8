//! Records under encryption that no stack sends in a good connection.

mod support;

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use capture::transcript::{Conversation, Said};
use capture::{Side, read};
use hmac::{Hmac, Mac};
use outcome::Stage;
use sha2::Sha256;
use support::{Cable, Plan, conversation, lines, message, record, unhex};

static TLS_1_3: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// A connection of TLS 1.3 with AES-128-GCM, of which the client's records are known.
fn recorded() -> (Cable, Vec<Vec<u8>>) {
    let mut cable = Cable::new();
    let dialogue = vec![(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a".to_vec(), vec![])];
    let plan = Plan::new(TLS_1_3);
    Plan { suite: "TLS13_AES_128_GCM_SHA256", dialogue, ..plan }.record(&mut cable);
    let records = records(&cable, Side::Client);
    (cable, records)
}

/// What one side sent on a cable that lost nothing, record by record.
fn records(cable: &Cable, side: Side) -> Vec<Vec<u8>> {
    let segments = cable.tap.packets().iter().map(|packet| &packet.bytes[..]);
    let of_side = |packet: &&[u8]| (packet[22..24] == [0x22, 0xb3]) == (side == Side::Client);
    let mut stream: &[u8] = &segments.filter(of_side).flat_map(|packet| &packet[40..]).copied().collect::<Vec<_>>();
    let mut records = vec![];
    while let [_, _, _, high, low, ..] = *stream {
        let (record, rest) = stream.split_at(5 + usize::from(u16::from_be_bytes([high, low])));
        records.push(record.to_vec());
        stream = rest;
    }
    records
}

fn told(cable: &Cable) -> Conversation {
    read(&cable.tap.to_pcapng(), "").expect("our own file").conversations.remove(0)
}

/// RFC 9846 §5.3: each record has its own sequence number.
#[test]
fn a_record_that_is_sent_again_is_a_bad_one() {
    let (mut cable, records) = recorded();
    // ClientHello, ChangeCipherSpec, Finished; then the first under the keys of application data.
    cable.send(Side::Client, &records[3]);
    let told = told(&cable);
    let connects = told.lines.iter().filter(|line| line.said.to_string() == "CONNECT").count();
    assert_eq!((connects, told.lines.last().map(|line| line.said)), (1, Some(Said::BadRecord)));
}

/// Some stacks change to the keys of application data before they refuse.
#[test]
fn an_alert_under_keys_that_are_not_due_yet_is_read() {
    let (whole, from_client) = recorded();
    let key_log = whole.tap.key_log();
    let from_server = records(&whole, Side::Server).concat();
    let mut cable = Cable::new();
    key_log.lines().for_each(|line| cable.tap.key_log_line(line));
    cable.open();
    cable.send(Side::Client, &from_client[0]);
    cable.send(Side::Server, &from_server);
    cable.send(Side::Client, &sealed_alert(&secret(key_log, "CLIENT_TRAFFIC_SECRET_0"), [2, 42]));
    assert_eq!(lines(&told(&cable)).last().map(String::as_str), Some("alert fatal bad_certificate (42)"));
}

/// The secret of that label in an NSS key log.
fn secret(key_log: &str, label: &str) -> Vec<u8> {
    let line = key_log.lines().find(|line| line.split(' ').next() == Some(label)).expect("its line");
    unhex(line.rsplit(' ').next().expect("words"))
}

/// The first record under a traffic secret (RFC 9846 §5.2, §7.3).
fn sealed_alert(secret: &[u8], alert: [u8; 2]) -> Vec<u8> {
    let expanded = |label: &str, bytes: u8| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        hmac.update(&[&[0, bytes, 6 + label.len() as u8][..], b"tls13 ", label.as_bytes(), &[0, 1]].concat());
        hmac.finalize().into_bytes()[..usize::from(bytes)].to_vec()
    };
    let cipher = Aes128Gcm::new_from_slice(&expanded("key", 16)).expect("16 bytes");
    let nonce: [u8; 12] = expanded("iv", 12).try_into().expect("12 bytes");
    let header = [23, 3, 3, 0, 19];
    let payload = Payload { msg: &[alert[0], alert[1], 21], aad: &header };
    [&header[..], &cipher.encrypt(&nonce.into(), payload).expect("seals")].concat()
}

/// In TLS 1.2 only a handshake record after the change can be the Finished.
#[test]
fn an_alert_after_the_change_of_ciphers_is_no_finished() {
    let (_, from_client) = recorded();
    let server_hello = message(2, &[&[3, 3][..], &[5; 32], &[0, 0xc0, 0x2b, 0]].concat());
    let change = record(20, &[1]);
    let told = |sealed: &[Vec<u8>]| {
        let opening =
            [(Side::Client, &from_client[0][..]), (Side::Server, &record(22, &server_hello)), (Side::Client, &change)];
        let sealed = sealed.iter().map(|record| (Side::Client, &record[..]));
        let conversation = conversation(&opening.into_iter().chain(sealed).collect::<Vec<_>>());
        (lines(&conversation).split_off(2), conversation.facts.stage)
    };
    let (alert, data, finished) = (record(21, &[9; 26]), record(23, &[9; 30]), record(22, &[9; 40]));
    // An alert is told by a line of its own.
    let (lines, stage) = told(&[alert.clone(), data.clone()]);
    assert_eq!(
        (lines, stage),
        (vec!["(encrypted) alert".into(), "(encrypted) 30 bytes".into()], Some(Stage::Certificate))
    );
    let (lines, stage) = told(&[finished, data, alert]);
    let expected = ["Finished encrypted", "(encrypted) 30 bytes", "(encrypted) alert"];
    assert_eq!((lines, stage), (expected.map(str::to_owned).to_vec(), Some(Stage::Finished)));
}
