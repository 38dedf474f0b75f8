//! MQTT packets.

use wire::mqtt::{ConnAck, Connect, Packet, Publish, QoS, Violation, Will};

use crate::text::{bytes, clean, dotted, listed};

/// What a packet says.
pub fn packet(packet: &Packet<'_>) -> String {
    match packet {
        Packet::Connect(repr) => connect(repr),
        Packet::ConnAck(ConnAck { session_present, code }) => {
            dotted([code.to_string(), flag(*session_present, "session present")])
        }
        Packet::Publish(repr) => publish(repr),
        Packet::PubAck(id) | Packet::PubRec(id) | Packet::PubRel(id) | Packet::PubComp(id) | Packet::UnsubAck(id) => {
            format!("id {id}")
        }
        Packet::Subscribe(repr) => {
            let filters = repr.filters.iter().map(|(filter, level)| format!("{} {}", clean(filter, 60), qos(*level)));
            dotted([format!("id {}", repr.packet_id)].into_iter().chain(filters.take(4)))
        }
        Packet::SubAck(repr) => {
            let granted = repr.granted.iter().map(|granted| granted.map_or_else(|| "refused".into(), qos));
            dotted([format!("id {}", repr.packet_id), listed(granted, 4)])
        }
        Packet::Unsubscribe(repr) => {
            let filters = repr.filters.iter().map(|filter| clean(filter, 60));
            dotted([format!("id {}", repr.packet_id)].into_iter().chain(filters.take(4)))
        }
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => String::new(),
    }
}

/// The rule that a packet breaks.
pub fn breach(violation: Violation) -> String {
    format!("breaks MQTT 3.1.1: {violation}")
}

fn connect(connect: &Connect<'_>) -> String {
    let (name, level) = connect.protocol.on_the_wire();
    dotted([
        if (name, level) == ("MQTT", 4) { String::new() } else { format!("{name} level {level}") },
        format!("client \"{}\"", clean(connect.client_id, 60)),
        flag(connect.clean_session, "clean session"),
        match connect.keep_alive_s {
            0 => "no keep-alive".into(),
            seconds => format!("keep-alive {seconds} s"),
        },
        connect.user_name.map(|name| format!("user \"{}\"", clean(name, 60))).unwrap_or_default(),
        flag(connect.password.is_some(), "password"),
        connect.will.as_ref().map(will).unwrap_or_default(),
    ])
}

fn will(will: &Will<'_>) -> String {
    let retain = if will.retain { " retained" } else { "" };
    format!("will {} {} {}{retain}", clean(will.topic, 60), bytes(will.payload, 30), qos(will.qos))
}

fn publish(publish: &Publish<'_>) -> String {
    dotted([
        clean(publish.topic, 60),
        bytes(publish.payload, 40),
        qos(publish.delivery.qos()),
        publish.delivery.packet_id().map(|id| format!("id {id}")).unwrap_or_default(),
        flag(publish.delivery.is_duplicate(), "again"),
        flag(publish.retain, "retain"),
    ])
}

fn qos(level: QoS) -> String {
    format!("qos {}", level as u8)
}

fn flag(is_set: bool, name: &str) -> String {
    if is_set { name.into() } else { String::new() }
}
