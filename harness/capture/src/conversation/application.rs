//! What passes inside TLS, or without it: MQTT if it looks like that.

use wire::mqtt::{Decoder, Kind, Packet, View};

use super::transcript_builder::TranscriptBuilder;
use crate::details;
use crate::stream::Side;
use crate::text::{bytes, count};
use crate::transcript::Said;
use outcome::Stage;

/// The longest packet that is looked into. Longer ones are rare, and then payload.
const PACKET_BYTES_MAX: usize = 1 << 20;

/// One connection's application data.
pub struct Application {
    is_mqtt: Option<bool>,
    decoders: [Decoder; 2],
    failed: [bool; 2],
}

impl Default for Application {
    fn default() -> Self {
        let decoder = Decoder::new(PACKET_BYTES_MAX);
        Self { is_mqtt: None, decoders: [decoder.clone(), decoder], failed: [false; 2] }
    }
}

impl Application {
    /// Reads more of what `side` says.
    pub fn data(&mut self, side: Side, data: &[u8], builder: &mut TranscriptBuilder) {
        if data.is_empty() {
            return;
        }
        let is_mqtt = *self.is_mqtt.get_or_insert_with(|| looks_like_mqtt(side, data));
        if !is_mqtt {
            let preview = if builder.lines.last().is_some_and(|line| line.said == Said::Data) {
                String::new()
            } else {
                Some(bytes(data, 40)).filter(|preview| preview.starts_with('"')).unwrap_or_default()
            };
            builder.bytes(side, Said::Data, data.len(), &preview);
            return;
        }
        if self.failed[side as usize] {
            builder.bytes(side, Said::NotMqtt, data.len(), "");
            return;
        }
        let decoder = &mut self.decoders[side as usize];
        decoder.extend(data);
        while let Some(packet) = decoder.next_packet() {
            match packet {
                Ok(view) => tell(side, &view, builder),
                Err(error) => {
                    builder.line(side, Said::NotMqtt, error.to_string());
                    self.failed[side as usize] = true;
                    break;
                }
            }
        }
    }

    /// Nothing more comes from `side`.
    pub fn broke_off(&mut self, side: Side, builder: &mut TranscriptBuilder) {
        let pending = self.decoders[side as usize].pending();
        if let Some(first) = pending.first() {
            let kind = Kind::from_number(first >> 4).map_or("packet", Kind::name);
            builder.line(side, Said::Fragment, format!("{kind} breaks off after {}", count(pending.len(), "byte")));
            self.decoders[side as usize] = Decoder::new(PACKET_BYTES_MAX);
        }
    }
}

/// A client of MQTT begins with CONNECT. A server speaks first only where something is wrong, and then nothing is sure.
const fn looks_like_mqtt(side: Side, data: &[u8]) -> bool {
    match (side, data) {
        (Side::Client, [0x10, ..]) => true,
        (Side::Server, [first, ..]) => matches!(*first, 0x20 | 0xd0),
        _ => false,
    }
}

fn tell(side: Side, view: &View<Vec<u8>>, builder: &mut TranscriptBuilder) {
    let Some(kind) = view.kind() else {
        builder.line(side, Said::NotMqtt, format!("packet type {} is reserved", view.bytes()[0] >> 4));
        return;
    };
    let packet = Packet::parse(view);
    let details = match &packet {
        Ok(packet) => details::packet(packet),
        Err(violation) => details::breach(*violation),
    };
    builder.line(side, Said::Mqtt(kind), details);
    if let Ok(Packet::ConnAck(answer)) = packet {
        builder.facts.connect_code.get_or_insert(answer.code);
    }
    let stage = match kind {
        Kind::Connect => Stage::Login,
        Kind::Subscribe => Stage::Subscribe,
        Kind::Publish => Stage::Exchange,
        Kind::PingReq => Stage::KeepAlive,
        Kind::Disconnect => Stage::Goodbye,
        _ => return,
    };
    builder.reached(stage);
}
