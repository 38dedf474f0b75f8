//! What a client says once it is logged in, and its answers (MQTT 3.1.1 §3.3 to §3.14).

use super::{FILTERS_MAX, IDENTIFIERS_MAX, Session, Stage};
use crate::event::Happening;
use scenario::broker::{OnPing, OnPublish, OnSubscribe, When};
use wire::mqtt::{Delivery, Packet, PacketId, Publish, QoS, SubAck, Subscribe};

impl Session {
    pub(super) fn answer(&mut self, packet: &Packet<'_>) {
        match packet {
            Packet::Publish(message) => self.published(message),
            Packet::PubAck(id) => {
                if !self.unacknowledged.remove(&id.get()) {
                    self.violation("MQTT-2.3.1-6", "it acknowledges a message that it was not sent");
                }
            }
            Packet::PubRec(_) | Packet::PubComp(_) => {
                self.violation("MQTT-2.3.1-6", "it answers a message of quality of service 2, and there was none");
            }
            Packet::PubRel(id) => {
                if !self.unreleased.remove(&id.get()) {
                    self.violation("MQTT-2.3.1-6", "it releases a message that it has not sent");
                }
                // [MQTT-4.3.3-2]: answered all the same, for the first answer may have been lost.
                self.send(&Packet::PubComp(*id));
            }
            Packet::Subscribe(subscribe) => self.subscribed(subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                self.filters.retain(|(filter, _)| !unsubscribe.filters.contains(&filter.as_str()));
                self.send(&Packet::UnsubAck(unsubscribe.packet_id));
            }
            Packet::PingReq => match self.script.mqtt.on_ping {
                OnPing::Answer => self.send(&Packet::PingResp),
                OnPing::Silence => self.tell(Happening::Misbehaves("PINGREQ is not answered")),
                OnPing::Close => {
                    self.tell(Happening::Misbehaves("PINGREQ is answered by closing the connection"));
                    self.close("the scenario says so");
                }
            },
            Packet::Disconnect => {
                // [MQTT-3.14.4-3]: the will is forgotten.
                self.will_topic = None;
                if !self.unacknowledged.is_empty() {
                    self.violation("MQTT-4.3.2-2", "it leaves without having acknowledged every message");
                }
                self.close("the client said goodbye");
            }
            Packet::Connect(_) => {
                self.violation("MQTT-3.1.0-2", "it sends CONNECT a second time");
                self.close("the client broke a rule");
            }
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                self.violation("§2.2.1", "it sends a packet that only servers send");
                self.close("the client broke a rule");
            }
        }
    }

    fn published(&mut self, message: &Publish<'_>) {
        match message.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { packet_id, duplicate } => {
                if self.withheld.contains(&packet_id.get()) && !duplicate {
                    self.violation("MQTT-3.3.1-1", "it sends a message again without saying so");
                }
                if !self.acknowledge(packet_id) {
                    return;
                }
            }
            Delivery::ExactlyOnce { packet_id, .. } => {
                if !self.unreleased.contains(&packet_id.get()) && self.unreleased.len() >= IDENTIFIERS_MAX {
                    self.close("the client has too many messages under way");
                    return;
                }
                let is_new = self.unreleased.insert(packet_id.get());
                self.send(&Packet::PubRec(packet_id));
                // [MQTT-4.3.3-2]: not passed on a second time.
                if !is_new {
                    return;
                }
            }
        }
        self.echo(message);
    }

    /// Answers a message of quality of service 1. Tells whether the connection and the message live on.
    fn acknowledge(&mut self, id: PacketId) -> bool {
        let number = id.get();
        match self.script.mqtt.on_publish {
            OnPublish::Acknowledge => self.send(&Packet::PubAck(id)),
            OnPublish::Silence => self.withhold(number),
            OnPublish::LoseOne if self.withheld.is_empty() => self.withhold(number),
            OnPublish::LoseOne => self.send(&Packet::PubAck(id)),
            OnPublish::Twice => {
                self.tell(Happening::Misbehaves("PUBACK is sent twice"));
                self.send(&Packet::PubAck(id));
                self.send(&Packet::PubAck(id));
            }
            OnPublish::WrongPacketId => {
                self.tell(Happening::Misbehaves("PUBACK has another packet identifier"));
                self.send(&Packet::PubAck(another(id)));
            }
            OnPublish::Close => {
                self.tell(Happening::Misbehaves("PUBLISH is answered by closing the connection"));
                self.close("the scenario says so");
            }
        }
        self.stage != Stage::Over
    }

    fn withhold(&mut self, number: u16) {
        self.tell(Happening::Misbehaves("PUBLISH is not acknowledged"));
        if self.withheld.len() < IDENTIFIERS_MAX {
            self.withheld.insert(number);
        }
    }

    fn subscribed(&mut self, subscribe: &Subscribe<'_>) {
        let id = subscribe.packet_id;
        match self.script.mqtt.on_subscribe {
            OnSubscribe::Grant => {
                let granted = subscribe.filters.iter().map(|(filter, qos)| self.grant_filter(filter, *qos)).collect();
                self.send(&Packet::SubAck(SubAck { packet_id: id, granted }));
                if !std::mem::replace(&mut self.subscribed_before, true) {
                    self.publish_scripted(When::Subscribed);
                }
            }
            OnSubscribe::Refuse => {
                self.tell(Happening::Misbehaves("SUBSCRIBE is refused"));
                self.send(&Packet::SubAck(SubAck { packet_id: id, granted: vec![None; subscribe.filters.len()] }));
            }
            OnSubscribe::Silence => self.tell(Happening::Misbehaves("SUBSCRIBE is not answered")),
            OnSubscribe::WrongPacketId => {
                self.tell(Happening::Misbehaves("SUBACK has another packet identifier"));
                let granted = subscribe.filters.iter().map(|(_, qos)| Some(*qos)).collect();
                self.send(&Packet::SubAck(SubAck { packet_id: another(id), granted }));
            }
            OnSubscribe::Close => {
                self.tell(Happening::Misbehaves("SUBSCRIBE is answered by closing the connection"));
                self.close("the scenario says so");
            }
        }
    }

    /// Grants a filter, at most at quality of service 1; `None` if there is no more room.
    fn grant_filter(&mut self, filter: &str, wanted: QoS) -> Option<QoS> {
        let granted = wanted.min(QoS::AtLeastOnce);
        // [MQTT-3.8.4-3]: the same filter replaces the earlier subscription.
        self.filters.retain(|(known, _)| known != filter);
        if self.filters.len() >= FILTERS_MAX {
            return None;
        }
        self.filters.push((filter.to_owned(), granted));
        Some(granted)
    }
}

/// A packet identifier that is not `id`.
fn another(id: PacketId) -> PacketId {
    PacketId::new(id.get() ^ 0x4000).unwrap_or(PacketId::MAX)
}
