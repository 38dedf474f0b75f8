use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

/// Header of a question with ID 0x1234 and RD, one question for the A record of `broker.test`.
const QUESTION: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06broker\x04test\x00\x00\x01\x00\x01";

fn server(what: Resolution) -> Server {
    let mut dns = Dns::new(vec![Ipv4Addr::LOCALHOST.into()]);
    dns.names.push(Name { name: "broker.test".into(), answers: vec![Answer::new(what)] });
    Server::new(dns)
}

fn message(what: Resolution) -> Option<Vec<u8>> {
    server(what).answer(QUESTION).unwrap().message
}

#[test]
fn an_address_on_the_wire() {
    let addresses = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::new(192, 0, 2, 10).into()];
    // QR, RD and RA; the question again; one answer whose name points back (RFC 1035 §4.1.4), TTL 60.
    let mut expected =
        b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x06broker\x04test\x00\x00\x01\x00\x01".to_vec();
    expected.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x0a");
    assert_eq!(message(Resolution::Addresses(addresses)), Some(expected));
}

#[test]
fn failures_on_the_wire() {
    for (what, flags) in [
        (Resolution::Addresses(Vec::new()), [0x81, 0x80]),
        (Resolution::ServFail, [0x81, 0x82]),
        (Resolution::NxDomain, [0x81, 0x83]),
        (Resolution::Refused, [0x81, 0x85]),
        (Resolution::Truncated, [0x83, 0x80]),
    ] {
        let message = message(what.clone()).unwrap();
        assert_eq!(message[2..4], flags, "{what:?}");
        assert_eq!(message[6..8], [0, 0], "{what:?}");
    }
    assert_eq!(message(Resolution::Silence), None);
    assert_ne!(message(Resolution::WrongId(Vec::new())).unwrap()[..2], [0x12, 0x34]);
}

#[test]
fn more_addresses_than_fit_are_cut_off_and_tc_says_so() {
    let addresses = (0..100).map(|last| Ipv4Addr::new(192, 0, 2, last).into()).collect();
    let message = message(Resolution::Addresses(addresses)).unwrap();
    // 29 bytes of header and question, 16 for each record.
    let records = (512 - 29) / 16;
    assert_eq!(message.len(), 29 + records * 16);
    assert_eq!(message[2] & 0x02, 0x02);
    assert_eq!(usize::from(message[7]), records);
}

#[test]
fn what_is_no_question_for_an_address_is_ignored() {
    let mut mx = QUESTION.to_vec();
    mx[26] = 15;
    let mut chaos = QUESTION.to_vec();
    chaos[28] = 3;
    let mut response = QUESTION.to_vec();
    response[2] |= 0x80;
    for message in [&mx[..], &chaos, &response, b"", &QUESTION[..20]] {
        assert!(server(Resolution::ServFail).answer(message).is_none(), "{message:02x?}");
    }
}

proptest! {
    #[test]
    fn odd_questions_are_survived_and_answers_stay_short(
        flips in prop::collection::vec((0..QUESTION.len(), any::<u8>()), 0..6),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut question = QUESTION.to_vec();
        for (index, byte) in flips {
            question[index] = byte;
        }
        question.extend(tail);
        let mut dns = Dns::new(Vec::new());
        dns.otherwise = Answer::new(Resolution::Addresses(vec![Ipv4Addr::LOCALHOST.into(); 40]));
        if let Some(answered) = Server::new(dns).answer(&question) {
            let message = answered.message.unwrap();
            prop_assert!(message.len() <= 512);
            prop_assert_eq!(&message[..2], &question[..2]);
        }
    }

    #[test]
    fn noise_is_survived(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(answered) = server(Resolution::NxDomain).answer(&noise) {
            prop_assert!(answered.message.is_some_and(|message| message.len() <= 512));
        }
    }
}
