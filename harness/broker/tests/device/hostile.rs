//! Whatever the device says, the broker neither panics nor grows without bound.

use crate::bench::{self, BOTH, Device, Tls};
use broker::{Action, Close, Happening};
use clock::Instant;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use std::io::Write as _;
use wire::mqtt::{Connect, Packet};

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

#[test]
fn noise_ends_the_connection() {
    for script in ["", "tls = false", "versions = []"] {
        let (mut broker, _) = bench::broker("", script);
        for seed in 0..60 {
            let mut device = Device::dial(&mut broker, Instant::ZERO, None);
            let mut bytes = noise(seed, 4_096);
            // Half of the time it looks like TLS at first.
            if seed % 2 == 0 {
                bytes.splice(..5, [22, 3, 1, 2, 0]);
            }
            for piece in bytes.chunks(97) {
                device.connection.received(device.now, piece);
            }
            device.hang_up(Close::Fin);
            assert!(device.ended.is_some(), "{script} {seed}");
        }
    }
}

#[test]
fn a_hello_without_end_is_given_up() {
    let (mut broker, _) = bench::broker("", "");
    let mut device = Device::dial(&mut broker, Instant::ZERO, None);
    // A ClientHello of 16 MB, in records of 16 kB.
    let mut start = vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    start.resize(5 + 0x4000, 0);
    device.connection.received(device.now, &start);
    device.settle();
    assert!(device.ended.is_some());

    // A hello that comes in crumbs: many records, none of which completes it.
    let mut device = Device::dial(&mut broker, Instant::ZERO, None);
    device.connection.received(device.now, &[22, 3, 1, 0, 4, 1, 0, 0xff, 0xff]);
    for _ in 0..100_000 {
        device.connection.received(device.now, &[22, 3, 1, 0, 0]);
    }
    device.settle();
    assert!(device.ended.is_some());
}

#[test]
fn flipped_bits_anywhere_in_a_conversation_are_survived() {
    let (mut broker, minted) = bench::broker("", "client_certificates.request = 'optional'");
    for seed in 0..100u64 {
        let config = Tls::default().config(&minted);
        let name = rustls::pki_types::ServerName::try_from("broker.test").unwrap();
        let mut client = rustls::ClientConnection::new(config.into(), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let position = (noise(seed, 8)[0] as usize * 256 + noise(seed, 8)[1] as usize) % hello.len();
        hello[position] ^= 1 << (seed % 8);
        let mut connection = broker.accept(Instant::ZERO, "192.0.2.2:49152".parse().unwrap());
        connection.received(Instant::ZERO, &hello);
        let mut sent = 0;
        while let Some(action) = connection.poll(Instant::ZERO) {
            if let Action::Send(bytes) = action {
                sent += bytes.len();
            }
        }
        assert!(sent < 10_000);
    }
}

#[test]
fn a_device_that_never_reads_is_reset_before_it_costs_much() {
    let (mut broker, _) = bench::broker("", "tls = false");
    let mut connection = broker.accept(Instant::ZERO, "192.0.2.2:49152".parse().unwrap());
    let mut bytes = Vec::new();
    Packet::Connect(Connect { client_id: "device", clean_session: true, ..Connect::default() })
        .encode(&mut bytes)
        .unwrap();
    connection.received(Instant::ZERO, &bytes);
    // It hears all that it says, and says much.
    connection.received(Instant::ZERO, &[0x82, 6, 0, 1, 0, 1, b't', 0]);
    let mut echoed = Vec::new();
    let message = wire::mqtt::Publish { topic: "t", payload: &[b'.'; 100_000], ..wire::mqtt::Publish::default() };
    Packet::Publish(message).encode(&mut echoed).unwrap();
    for _ in 0..60 {
        connection.received(Instant::ZERO, &echoed);
    }
    let mut queued = 0;
    let mut is_reset = false;
    while let Some(action) = connection.poll(Instant::ZERO) {
        match action {
            Action::Send(bytes) => queued += bytes.len(),
            Action::Close | Action::Vanish | Action::Reached(_) => unreachable!("nobody has asked for that"),
            Action::Reset => is_reset = true,
            Action::Fin => {}
        }
    }
    assert!(is_reset && queued <= 4 << 20, "{queued}");
}

#[test]
fn events_are_bounded() {
    let (mut broker, _) = bench::broker("", "tls = false");
    let mut device = Device::dial(&mut broker, Instant::ZERO, None);
    let mut bytes = Vec::new();
    Packet::Connect(Connect { client_id: "device", clean_session: true, ..Connect::default() })
        .encode(&mut bytes)
        .unwrap();
    device.connection.received(Instant::ZERO, &bytes);
    device.connection.received(Instant::ZERO, &[0xc0, 0].repeat(100_000));
    let events = device.connection.take_events();
    // The longest topic that there is, told in a few words.
    let topic = "t".repeat(65_535);
    let message = Packet::Publish(wire::mqtt::Publish { topic: &topic, ..wire::mqtt::Publish::default() });
    let mut bytes = Vec::new();
    message.encode(&mut bytes).unwrap();
    device.connection.received(Instant::ZERO, &bytes);
    let told = device.connection.take_events();
    assert!(matches!(&told[..], [event] if format!("{event:?}").len() < 500), "{told:?}");
    assert!(events.len() <= 4_097);
    assert_eq!(events.last().map(|event| &event.happening), Some(&Happening::EventsLost));
}

#[test]
fn a_record_that_was_changed_on_its_way_ends_the_connection_with_the_right_alert() {
    for versions in BOTH {
        let (mut broker, minted) = bench::broker("", "");
        for bit in 0..64 {
            let mut device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
            let packet = Packet::Connect(Connect { client_id: "device", clean_session: true, ..Connect::default() });
            let mut bytes = Vec::new();
            packet.encode(&mut bytes).unwrap();
            device.tls.as_mut().unwrap().writer().write_all(&bytes).unwrap();
            let mut record = device.outgoing();
            // Past the header, whose length would only make the broker wait.
            let at = 5 + bit * (record.len() - 5) / 64;
            record[at] ^= 1 << (bit % 8);
            device.connection.received(device.now, &record);
            device.settle();
            assert_eq!(device.tls_error, Some(rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac)));
            assert!(device.ended.is_some() && device.heard.is_empty());
            assert!(!device.happened(|h| matches!(h, Happening::LoggedIn { .. })));
        }
    }
}
