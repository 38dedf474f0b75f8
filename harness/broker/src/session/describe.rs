//! Packets in words.

use wire::mqtt::{Packet, Publish};

/// The longest telling of a packet: topics and filters can be as long as a device likes.
const CHARACTERS_MAX: usize = 200;

/// The packet in a few words, for events.
pub(super) fn packet(packet: &Packet<'_>) -> String {
    let mut described = whole(packet);
    if let Some((end, _)) = described.char_indices().nth(CHARACTERS_MAX) {
        described.truncate(end);
        described.push('…');
    }
    described
}

fn whole(packet: &Packet<'_>) -> String {
    let name = packet.kind().name();
    match packet {
        Packet::Connect(connect) => {
            let session = if connect.clean_session { "clean session" } else { "kept session" };
            format!("{name} as `{}`, {session}, keep-alive {} s", connect.client_id, connect.keep_alive_s)
        }
        Packet::ConnAck(answer) if answer.session_present => format!("{name} {}, session present", answer.code),
        Packet::ConnAck(answer) => format!("{name} {}", answer.code),
        Packet::Publish(message) => format!("{name} {}", publish(message)),
        Packet::PubAck(id) | Packet::PubRec(id) | Packet::PubRel(id) | Packet::PubComp(id) | Packet::UnsubAck(id) => {
            format!("{name} {id}")
        }
        Packet::Subscribe(subscribe) => {
            let filters: Vec<String> =
                subscribe.filters.iter().map(|(filter, qos)| format!("{filter} (QoS {})", *qos as u8)).collect();
            format!("{name} {}: {}", subscribe.packet_id, filters.join(", "))
        }
        Packet::SubAck(answer) => {
            let granted: Vec<String> = answer
                .granted
                .iter()
                .map(|granted| granted.map_or("refused".to_owned(), |qos| format!("QoS {}", qos as u8)))
                .collect();
            format!("{name} {}: {}", answer.packet_id, granted.join(", "))
        }
        Packet::Unsubscribe(unsubscribe) => {
            format!("{name} {}: {}", unsubscribe.packet_id, unsubscribe.filters.join(", "))
        }
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => name.to_owned(),
    }
}

fn publish(message: &Publish<'_>) -> String {
    let mut text = format!("{}, {} bytes, QoS {}", message.topic, message.payload.len(), message.delivery.qos() as u8);
    if let Some(id) = message.delivery.packet_id() {
        text.push_str(&format!(", id {id}"));
    }
    if message.delivery.is_duplicate() {
        text.push_str(", again");
    }
    if message.retain {
        text.push_str(", retained");
    }
    text
}
