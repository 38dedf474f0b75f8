//! Hellos in what people cut out of logs and captures.

use super::*;
use wire::tls::CipherSuite;

/// The first ClientHello of document 000, from a NodeMCU 1.4 (source-documents.md §0).
const HELLO: &[u8] =
    b"\x16\x03\x02\x00\x33\x01\x00\x00\x2f\x03\x02\x00\x00\x00\x00\xd0\xb1\xa1\x3a\x07\x1c\x1b\x3e\xf2\
    \xfc\x03\x91\xd6\x18\xb5\xae\x5d\x77\x65\x37\xf5\x07\x10\x45\xd1\x7e\x1a\xea\x00\x00\x08\x00\x2f\x00\x35\x00\x05\
    \x00\x04\x01\x00";

#[test]
fn the_hello_of_document_000_is_read_to_the_last_field() {
    let offer = Offer::find(HELLO).expect("it is whole");
    assert_eq!(offer.record_version, Some(ProtocolVersion::TLS_1_1));
    assert_eq!(offer.hello.versions(), [ProtocolVersion::TLS_1_1]);
    assert_eq!(offer.gmt_unix_time, 0);
    assert_eq!(offer.compression_methods, [0]);
    assert_eq!(offer.message_bytes, 51);
    assert_eq!(offer.hello.server_name(), None);
    assert_eq!(offer.hello.extension_types, None);
    let names: Vec<String> = offer.hello.cipher_suites.iter().map(CipherSuite::to_string).collect();
    assert_eq!(
        names,
        [
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_WITH_RC4_128_MD5"
        ]
    );
}

#[test]
fn headers_before_it_and_records_within_it_do_not_matter() {
    let offer = Offer::find(HELLO).expect("it is whole");
    let frame = [&[0x45; 54][..], HELLO].concat();
    assert_eq!(Offer::find(&frame), Ok(offer.clone()));
    let message = Offer::find(&HELLO[5..]).expect("a message without its record");
    assert_eq!(message, Offer { record_version: None, ..offer.clone() });
    let in_two = [b"\x16\x03\x02\x00\x10", &HELLO[5..21], b"\x16\x03\x02\x00\x23", &HELLO[21..]].concat();
    assert_eq!(Offer::find(&in_two), Ok(offer));
}

#[test]
fn what_is_no_hello_is_called_by_its_name() {
    let is = |bytes: &[u8]| Offer::find(bytes).expect_err("no hello");
    assert_eq!(is(&HELLO[..30]), NoHello::Cut { has_bytes: 25, wants_bytes: Some(51) });
    assert_eq!(is(&HELLO[..7]), NoHello::Cut { has_bytes: 7, wants_bytes: None });
    assert_eq!(is(b"\x15\x03\x02\x00\x02\x02\x46"), NoHello::Alert(AlertDescription(70)));
    assert_eq!(is(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"), NoHello::OfAServer(HandshakeType::SERVER_HELLO));
    assert_eq!(is(b"\x17\x03\x03\x00\x01\x00"), NoHello::Encrypted);
    // RFC 5246 §E.2: length 46, ClientHello, TLS 1.0.
    assert_eq!(is(b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"), NoHello::Ssl2);
    assert_eq!(is(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"), NoHello::Mqtt);
    assert_eq!(is(b"GET / HTTP/1.1"), NoHello::Http);
    assert_eq!(is(b""), NoHello::Unknown);
    let mut odd = HELLO.to_vec();
    odd[45] = 7;
    assert!(matches!(is(&odd), NoHello::Malformed(_)), "{:?}", is(&odd));
}
