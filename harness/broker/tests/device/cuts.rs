//! A connection that the network cuts at a message: the broker holds still there, whatever the TLS version.

use crate::bench::{BOTH, Device, TLS12, Tls, broker};
use broker::Happening;
use clock::Instant;
use network::Direction::{FromDevice, ToDevice};
use network::{Direction, Message, Trigger};
use wire::mqtt::{Connect, Packet};

fn before(direction: Direction, name: &str) -> Trigger {
    Trigger::Before(Message::named(direction, name).expect(name))
}

fn after(direction: Direction, name: &str) -> Trigger {
    Trigger::After(Message::named(direction, name).expect(name))
}

/// A device that dials a broker which holds still at `moment`.
fn dial(versions: crate::bench::Versions, moment: Trigger) -> Device {
    let (mut broker, minted) = broker("", "");
    let tls = Tls { versions, ..Tls::default() };
    let name = rustls::pki_types::ServerName::try_from("broker.test").unwrap();
    let client = rustls::ClientConnection::new(std::sync::Arc::new(tls.config(&minted)), name).unwrap();
    let mut device = Device::dial(&mut broker, Instant::from_millis(1), Some(client));
    device.connection.watch(&[moment]);
    device.settle();
    device
}

fn is_secured(device: &Device) -> bool {
    device.happened(|happening| matches!(happening, Happening::Secured(_)))
}

/// The kinds of the handshake messages that came in the clear.
fn kinds(device: &Device) -> Vec<u8> {
    let mut records = wire::tls::RecordDecoder::new();
    let mut messages = wire::tls::HandshakeDecoder::new(1 << 16);
    records.extend(&device.wire);
    let mut kinds = Vec::new();
    while let Some(Ok(record)) = records.next_record() {
        if record.content_type != wire::tls::ContentType::HANDSHAKE {
            break;
        }
        messages.extend(&record.fragment);
        while let Some(Ok(message)) = messages.next_message() {
            kinds.push(message.kind.0);
        }
    }
    kinds
}

/// How many records came: unlike their bytes, the same from one connection to the next, since a DER-encoded signature
/// of ECDSA has 70 to 72 bytes.
fn records(device: &Device) -> usize {
    let mut records = wire::tls::RecordDecoder::new();
    records.extend(&device.wire);
    std::iter::from_fn(|| records.next_record()?.ok()).count()
}

#[test]
fn before_the_devices_finished_nothing_is_agreed() {
    for versions in BOTH {
        let moment = before(FromDevice, "Finished");
        let device = dial(versions, moment);
        assert_eq!(device.reached, Some(moment));
        assert!(!is_secured(&device), "the broker has seen the Finished");
        assert_eq!(device.ended, None, "how the connection ends is the network's business");
    }
}

#[test]
fn after_the_devices_finished_the_broker_is_ready_and_the_device_hears_nothing_more() {
    for versions in BOTH {
        let moment = after(FromDevice, "Finished");
        let (with, without) = (dial(versions, moment), dial(versions, after(FromDevice, "PINGREQ")));
        assert_eq!(with.reached, Some(moment));
        assert!(is_secured(&with), "the broker has not seen the Finished");
        assert!(records(&with) <= records(&without));
        assert_eq!(without.reached, None);
    }
    let device = dial(TLS12, after(FromDevice, "Finished"));
    assert!(device.tls.as_ref().is_some_and(|tls| tls.is_handshaking()), "the broker's Finished came");
}

#[test]
fn the_brokers_own_flight_is_cut_at_its_messages() {
    // ServerHello, Certificate, ServerKeyExchange, ServerHelloDone (RFC 5246 §7.3, figure 1).
    for (moment, came) in [
        (before(ToDevice, "ServerHello"), &[][..]),
        (after(ToDevice, "ServerHello"), &[2]),
        (before(ToDevice, "ServerKeyExchange"), &[2, 11]),
        (after(ToDevice, "ServerHelloDone"), &[2, 11, 12, 14]),
    ] {
        let device = dial(TLS12, moment);
        assert_eq!(device.reached, Some(moment));
        // Messages that share a record with the one in question share its fate.
        let seen = kinds(&device);
        assert!(seen.starts_with(came) || came.starts_with(&seen), "{moment:?}: {seen:?}");
        match moment {
            Trigger::Before(_) => assert!(seen.len() <= came.len(), "{moment:?}: {seen:?}"),
            _ => assert!(seen.len() >= came.len(), "{moment:?}: {seen:?}"),
        }
    }
}

#[test]
fn packets_of_mqtt_are_seen_under_every_version() {
    let connect = Packet::Connect(Connect { client_id: "a", clean_session: true, ..Connect::default() });
    let connack = [0x20, 2, 0, 0];
    for versions in BOTH {
        for (moment, heard, is_logged_in) in [
            (before(FromDevice, "CONNECT"), &[][..], false),
            (after(FromDevice, "CONNECT"), &[], true),
            (before(ToDevice, "CONNACK"), &[], true),
            (after(ToDevice, "CONNACK"), &connack, true),
        ] {
            let mut device = dial(versions, moment);
            assert!(is_secured(&device));
            assert_eq!(device.reached, None);
            device.say(&connect);
            assert_eq!(device.reached, Some(moment));
            assert_eq!(device.heard, heard, "{moment:?}");
            assert_eq!(device.happened(|one| matches!(one, Happening::LoggedIn { .. })), is_logged_in, "{moment:?}");
            // Whatever the device goes on to say reaches nobody.
            device.say(&Packet::PingReq);
            assert_eq!(device.heard, heard, "{moment:?}");
        }
    }
}

#[test]
fn a_packet_that_comes_later_is_waited_for() {
    let moment = before(FromDevice, "SUBSCRIBE");
    let mut device = dial(TLS12, moment);
    device.say(&Packet::Connect(Connect { client_id: "a", clean_session: true, ..Connect::default() }));
    assert_eq!((device.reached, device.take_heard()), (None, vec![0x20, 2, 0, 0]));
    device.say_bytes(&[0x82, 6, 0, 1, 0, 1, b'a', 0]);
    assert_eq!((device.reached, device.take_heard()), (Some(moment), Vec::new()));
}
