//! What is told of hellos, made by hand.

mod support;

use capture::Side;
use outcome::Stage;
use support::{conversation, message, record};
use wire::tls::ProtocolVersion;

const ECDHE_ECDSA_AES128_GCM: [u8; 2] = [0xc0, 0x2b];

fn extensions(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut all = vec![];
    for (kind, body) in extensions {
        all.extend(kind.to_be_bytes());
        all.extend((body.len() as u16).to_be_bytes());
        all.extend(*body);
    }
    [&(all.len() as u16).to_be_bytes()[..], &all].concat()
}

fn client_hello(offered: &[(u16, &[u8])]) -> Vec<u8> {
    let fixed = [&[3, 3][..], &[5; 32], &[0], &[0, 2], &ECDHE_ECDSA_AES128_GCM, &[1, 0]].concat();
    message(1, &[fixed, extensions(offered)].concat())
}

fn server_hello(random: [u8; 32], chosen: &[(u16, &[u8])]) -> Vec<u8> {
    let fixed = [&[3, 3][..], &random, &[0], &ECDHE_ECDSA_AES128_GCM, &[0]].concat();
    message(2, &[fixed, extensions(chosen)].concat())
}

/// What is said of a hello with these extensions, besides the usual.
fn extras(offered: &[(u16, &[u8])]) -> Vec<String> {
    let told = conversation(&[(Side::Client, &record(22, &client_hello(offered)))]);
    let details = told.lines[0].details.clone();
    let (before, _) = details.split_once(" · ja3 ").expect("fingerprints");
    let extras = before.strip_prefix("no sni · up to 1.2 · 1 suite").expect(&details);
    extras.split(" · ").skip(1).map(str::to_owned).collect()
}

const COOKIE: (u16, &[u8]) = (44, &[0, 2, 9, 9]);
/// One identity of one byte, and a binder of 32.
const PRE_SHARED_KEY: (u16, &[u8]) = {
    const BODY: [u8; 44] = {
        let mut body = [7; 44];
        (body[0], body[1], body[2], body[3]) = (0, 7, 0, 1);
        (body[9], body[10], body[11]) = (0, 33, 32);
        body
    };
    (41, &BODY)
};

/// RFC 8449 §4, RFC 9846 §4.3.2 and §4.3.11, RFC 5746 §3.2.
#[test]
fn extensions_that_change_what_a_peer_may_do_are_told() {
    assert_eq!(extras(&[(28, &[2, 0])]), ["record limit 512"]);
    assert_eq!(extras(&[COOKIE]), ["cookie"]);
    assert_eq!(extras(&[(0xff01, &[2, 1, 1])]), ["renegotiates"]);
    assert_eq!(extras(&[(0xff01, &[0])]), Vec::<String>::new());
    assert_eq!(extras(&[(45, &[1, 1]), PRE_SHARED_KEY]), ["resumes by PSK"]);
    assert_eq!(extras(&[PRE_SHARED_KEY]), Vec::<String>::new());
}

#[test]
fn extensions_that_cannot_be_read_are_named() {
    assert_eq!(extras(&[(28, &[2])]), ["malformed record_size_limit"]);
}

/// RFC 9846 §4.2.3: the last eight bytes of the random say that a better version was possible.
#[test]
fn a_server_that_could_speak_more_is_told_and_one_that_speaks_its_best_is_not() {
    let told = |last: u8| {
        let mut random = [5; 32];
        random[24..].copy_from_slice(b"DOWNGRD\0");
        random[31] = last;
        conversation(&[(Side::Server, &record(22, &server_hello(random, &[])))]).lines[0].details.clone()
    };
    assert_eq!(told(1), "1.2 · TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 · could speak 1.3");
    // "1.2 or less" in a hello of TLS 1.2.
    assert_eq!(told(0), "1.2 · TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

/// An offer has the version in the header of the client's first handshake record, whatever else came before.
#[test]
fn the_version_of_the_first_record_is_that_of_the_clients_hello() {
    let with_version = |minor: u8, mut record: Vec<u8>| {
        record[2] = minor;
        record
    };
    let told = conversation(&[
        (Side::Server, &with_version(0, record(22, &message(0, &[])))),
        (Side::Client, &with_version(2, record(21, &[1, 90]))),
        (Side::Client, &with_version(1, record(22, &client_hello(&[])))),
        (Side::Client, &with_version(3, record(22, &client_hello(&[])))),
    ]);
    let offer = told.facts.offer.expect("a hello");
    assert_eq!(offer.record_version, Some(ProtocolVersion::TLS_1_0));
}

/// How far a client came is told by its own messages; a handshake is complete when both say so.
#[test]
fn a_client_came_as_far_as_its_last_message() {
    let client = |kind: u8, body: &[u8]| (Side::Client, record(22, &message(kind, body)));
    let hello = (Side::Client, record(22, &client_hello(&[])));
    let answer = (Side::Server, record(22, &server_hello([5; 32], &[])));
    let server_finished = (Side::Server, record(22, &message(20, &[0; 12])));
    let stage = |said: &[(Side, Vec<u8>)]| {
        let said: Vec<(Side, &[u8])> = said.iter().map(|(side, bytes)| (*side, &bytes[..])).collect();
        let facts = conversation(&said).facts;
        (facts.stage, facts.is_handshake_complete)
    };
    let mut said = vec![hello];
    assert_eq!(stage(&said), (Some(Stage::Hello), false));
    said.push(answer);
    assert_eq!(stage(&said), (Some(Stage::Certificate), false));
    said.push((Side::Server, record(22, &message(16, &[0; 4]))));
    assert_eq!(stage(&said), (Some(Stage::Certificate), false), "a client's message from the server");
    said.push(client(16, &[0; 4]));
    assert_eq!(stage(&said), (Some(Stage::KeyExchange), false));
    said.push(server_finished);
    assert_eq!(stage(&said), (Some(Stage::KeyExchange), false));
    said.push(client(20, &[0; 12]));
    assert_eq!(stage(&said), (Some(Stage::Finished), true));
}

/// The chain that is judged is the server's first; a client may show one too (RFC 5246 §7.4.6).
#[test]
fn the_certificates_that_are_kept_are_the_servers_first() {
    // A list of one certificate of these bytes, with the lengths of both (RFC 5246 §7.4.2).
    let chain = |byte: u8| record(22, &message(11, &[0, 0, 5, 0, 0, 2, byte, byte]));
    let facts = conversation(&[(Side::Client, &chain(1)), (Side::Server, &chain(2)), (Side::Server, &chain(3))]).facts;
    assert_eq!(facts.certificates, [vec![2, 2]]);
}
