use network::Direction::{FromDevice, ToDevice};

use super::*;

/// A record of this content type.
fn record(content_type: u8, fragment: &[u8]) -> Vec<u8> {
    [&[content_type, 3, 3][..], &(fragment.len() as u16).to_be_bytes(), fragment].concat()
}

/// A handshake message of this kind, with a body of so many bytes.
fn message(kind: u8, body: usize) -> Vec<u8> {
    [&[kind], &(body as u32).to_be_bytes()[1..], &vec![0; body]].concat()
}

fn before(direction: Direction, name: &str) -> Trigger {
    Trigger::Before(Message::named(direction, name).expect(name))
}

fn after(direction: Direction, name: &str) -> Trigger {
    Trigger::After(Message::named(direction, name).expect(name))
}

/// A client's second flight in TLS 1.2: ClientKeyExchange, ChangeCipherSpec, Finished, and something sealed.
fn second_flight() -> [Vec<u8>; 4] {
    [record(22, &message(16, 66)), record(20, &[1]), record(22, &[7; 40]), record(23, &[7; 53])]
}

/// The same moment, however the bytes are cut up on their way.
#[test]
fn a_moment_does_not_hang_on_segments() {
    let flight = second_flight();
    for (moment, passes, last) in [
        (before(FromDevice, "ClientKeyExchange"), 0, Vec::new()),
        (after(FromDevice, "ClientKeyExchange"), 0, flight[0].clone()),
        (before(FromDevice, "Finished"), 2, Vec::new()),
        (after(FromDevice, "Finished"), 2, flight[2].clone()),
    ] {
        for segment in [1, 5, 7, 64, 1_000] {
            let mut watch = Watch::new(&[moment]);
            let mut passed = Vec::new();
            let reached = flight.concat().chunks(segment).find_map(|bytes| {
                let mut passage = watch.pass(FromDevice, bytes);
                passed.append(&mut passage.passed);
                passage.reached
            });
            assert_eq!(passed, flight[..passes].concat(), "{moment:?} in segments of {segment}");
            assert_eq!(reached, Some((moment, last.clone())), "{moment:?} in segments of {segment}");
        }
    }
}

#[test]
fn messages_that_share_a_record_and_one_that_fills_two() {
    let flight = [message(2, 70), message(11, 600), message(14, 0)].concat();
    let (first, second) = flight.split_at(300);
    let records = [record(22, first), record(22, second)];
    for (moment, passes, last) in [
        (before(ToDevice, "Certificate"), 0, Vec::new()),
        (after(ToDevice, "ServerHello"), 0, records[0].clone()),
        (after(ToDevice, "Certificate"), 1, records[1].clone()),
        (before(ToDevice, "ServerHelloDone"), 1, Vec::new()),
    ] {
        let passage = Watch::new(&[moment]).pass(ToDevice, &records.concat());
        let passed = records[..passes].concat();
        assert_eq!(passage, Passage { passed, reached: Some((moment, last)) }, "{moment:?}");
    }
}

/// TLS 1.3: the second ClientHello follows a ChangeCipherSpec that means nothing, an alert is no Finished, and a
/// certificate is none either.
#[test]
fn a_finished_of_tls13_is_told_by_its_length() {
    let beginning = [record(22, &message(1, 200)), record(20, &[1]), record(22, &message(1, 200))].concat();
    // What the record layer makes of 36 or 52 bytes (RFC 9846 §5.2): rustls and OpenSSL as they are, Mbed TLS padded to
    // a multiple of 16; the last one with the short tag of CCM_8.
    for length in [53, 69, 64, 80, 45] {
        let others = [beginning.clone(), record(23, &[0; 19]), record(23, &[0; 32]), record(23, &[0; 500])].concat();
        let mut watch = Watch::new(&[before(FromDevice, "Finished")]);
        assert_eq!(watch.pass(FromDevice, &others), Passage { passed: others, reached: None });
        let finished = record(23, &vec![0; length]);
        let reached = watch.pass(FromDevice, &finished).reached;
        assert_eq!(reached.map(|(moment, _)| moment), Some(before(FromDevice, "Finished")));
    }
}

#[test]
fn what_is_no_tls_passes() {
    let mut watch = Watch::new(&[before(FromDevice, "Finished")]);
    let bytes = b"GET / HTTP/1.1\r\n\r\n";
    assert_eq!(watch.pass(FromDevice, bytes), Passage { passed: bytes.to_vec(), reached: None });
    assert_eq!(watch.pass(FromDevice, b"more").passed, b"more");
}

#[test]
fn who_waits_for_nothing_this_way_holds_nothing_back() {
    let mut watch = Watch::new(&[before(ToDevice, "ServerHello"), after(FromDevice, "CONNECT")]);
    assert_eq!(watch.pass(FromDevice, &[22, 3]).passed, [22, 3]);
}
