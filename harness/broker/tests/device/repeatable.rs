//! The same inputs give the same bytes.

use crate::bench::{self, DATE};
use broker::{Action, Broker};
use clock::Instant;

/// A ClientHello of rustls 0.23 for `broker.test`, recorded once: TLS 1.3 and 1.2, x25519.
fn recorded_hello() -> Vec<u8> {
    use std::sync::OnceLock;
    static HELLO: OnceLock<Vec<u8>> = OnceLock::new();
    HELLO
        .get_or_init(|| {
            let config = bench::Tls::default().config(&bench::mint(""));
            let name = rustls::pki_types::ServerName::try_from("broker.test").unwrap();
            let mut client = rustls::ClientConnection::new(config.into(), name).unwrap();
            let mut hello = Vec::new();
            client.write_tls(&mut hello).unwrap();
            hello
        })
        .clone()
}

/// All that the broker sends in answer to a hello, on its `connections`th connection.
fn flight(pki: &str, script: &str, seed: u64, connections: u32) -> Vec<u8> {
    let minted = pki::mint(&toml::from_str(pki).unwrap(), 1, DATE).unwrap();
    let script: scenario::broker::Broker = toml::from_str(script).unwrap();
    let mut broker = Broker::new(&script, &minted, seed, DATE).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..connections {
        bytes.clear();
        let mut connection = broker.accept(Instant::ZERO, "192.0.2.2:49152".parse().unwrap());
        connection.received(Instant::from_millis(1), &recorded_hello());
        while let Some(Action::Send(sent)) = connection.poll(Instant::from_millis(1)) {
            bytes.extend(sent);
        }
    }
    bytes.extend(broker.key_log().into_bytes());
    bytes
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    for pki in ["", "leaf.key = 'rsa2048'", "leaf.key = 'p384'", "leaf.key = 'ed25519'"] {
        for script in [
            "versions = ['1.2']",
            "versions = ['1.3']",
            "versions = ['1.2']\ngroups = ['secp384r1']",
            "versions = ['1.2']\ngroups = ['secp256r1']",
        ] {
            let first = flight(pki, script, 1, 1);
            assert!(first.len() > 80, "{pki} {script}");
            assert_eq!(first, flight(pki, script, 1, 1), "{pki} {script}");
            assert_ne!(first, flight(pki, script, 2, 1), "{pki} {script}");
            assert_ne!(first, flight(pki, script, 1, 2), "connections differ");
        }
    }
    let noise = flight("", "on_client_hello = 'garbage'", 1, 1);
    assert_eq!(noise, flight("", "on_client_hello = 'garbage'", 1, 1));
}

#[test]
fn connections_do_not_disturb_each_other() {
    let minted = bench::mint("");
    let script = scenario::broker::Broker::default();
    let mut broker = Broker::new(&script, &minted, 1, DATE).unwrap();
    let peer = "192.0.2.2:49152".parse().unwrap();
    let mut answers = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let mut connections = [broker.accept(Instant::ZERO, peer), broker.accept(Instant::ZERO, peer)];
        let mut sent = [Vec::new(), Vec::new()];
        for index in order {
            connections[index].received(Instant::ZERO, &recorded_hello());
            while let Some(Action::Send(bytes)) = connections[index].poll(Instant::ZERO) {
                sent[index].extend(bytes);
            }
        }
        answers.push(sent);
        broker = Broker::new(&script, &minted, 1, DATE).unwrap();
    }
    assert_eq!(answers[0], answers[1]);
}
