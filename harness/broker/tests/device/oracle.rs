//! An MQTT client that is not ours, `mqtt-protocol-core`, finds no fault with the good broker.

use crate::bench::{self, Device, Tls};
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::Event;
use mqtt_protocol_core::mqtt::connection::role::Client;
use mqtt_protocol_core::mqtt::packet::v3_1_1 as packet;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait as _, Packet, Qos, SubEntry};

type Oracle = mqtt::Connection<Client>;

/// Sends what the oracle wants sent.
fn send(device: &mut Device, events: Vec<Event>) {
    for event in events {
        match event {
            Event::RequestSendPacket { packet, .. } => device.say_bytes(&packet.to_continuous_buffer()),
            Event::NotifyError(error) => panic!("{error:?}"),
            _ => {}
        }
    }
}

/// Shows the oracle what was heard; it answers by itself where the standard demands it. Gives the packets.
fn listen(device: &mut Device, oracle: &mut Oracle) -> Vec<Packet> {
    let heard = device.take_heard();
    let mut cursor = mqtt::common::Cursor::new(&heard[..]);
    let mut packets = Vec::new();
    while cursor.position() < heard.len() as u64 {
        for event in oracle.recv(&mut cursor) {
            match event {
                Event::NotifyPacketReceived(packet) => packets.push(packet),
                Event::NotifyError(error) => panic!("{error:?}"),
                other => send(device, vec![other]),
            }
        }
    }
    packets
}

#[test]
fn a_conversation_with_another_client() {
    let script = "mqtt.publish = [{ topic = 'commands', payload = 'on', qos = 1, times = 2 }]";
    let (mut broker, minted) = bench::broker("", script);
    let mut device = Device::dial_tls(&mut broker, &minted, &Tls::default());
    let mut oracle = Oracle::new(mqtt::Version::V3_1_1);
    oracle.set_auto_pub_response(true);

    let connect = packet::Connect::builder().client_id("oracle").unwrap().clean_session(true).keep_alive(30);
    let events = oracle.checked_send(connect.build().unwrap());
    send(&mut device, events);
    assert!(matches!(&listen(&mut device, &mut oracle)[..], [Packet::V3_1_1Connack(_)]));

    let id = oracle.acquire_packet_id().unwrap();
    let entry = SubEntry::new("commands", mqtt::packet::SubOpts::new().set_qos(Qos::AtLeastOnce)).unwrap();
    let subscribe = packet::Subscribe::builder().packet_id(id).entries(vec![entry]).build().unwrap();
    let events = oracle.checked_send(subscribe);
    send(&mut device, events);
    let heard = listen(&mut device, &mut oracle);
    assert!(
        matches!(&heard[..], [Packet::V3_1_1Suback(_), Packet::V3_1_1Publish(first), Packet::V3_1_1Publish(_)]
            if first.topic_name() == "commands"),
        "{heard:?}"
    );

    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let mut publish = packet::Publish::builder().topic_name("readings").unwrap().payload("21.5").qos(qos);
        if qos != Qos::AtMostOnce {
            publish = publish.packet_id(oracle.acquire_packet_id().unwrap());
        }
        let events = oracle.checked_send(publish.build().unwrap());
        send(&mut device, events);
        let mut answers = Vec::new();
        while !device.heard.is_empty() {
            answers.extend(listen(&mut device, &mut oracle));
        }
        let answered = match qos {
            Qos::AtMostOnce => answers.is_empty(),
            Qos::AtLeastOnce => matches!(&answers[..], [Packet::V3_1_1Puback(_)]),
            Qos::ExactlyOnce => matches!(&answers[..], [Packet::V3_1_1Pubrec(_), Packet::V3_1_1Pubcomp(_)]),
        };
        assert!(answered, "{qos:?} {answers:?}");
    }

    let events = oracle.checked_send(packet::Pingreq::new());
    send(&mut device, events);
    assert!(matches!(&listen(&mut device, &mut oracle)[..], [Packet::V3_1_1Pingresp(_)]));
    let events = oracle.checked_send(packet::Disconnect::new());
    send(&mut device, events);
    assert!(device.goodbye);
    assert_eq!(device.violations(), Vec::<&str>::new());
}
