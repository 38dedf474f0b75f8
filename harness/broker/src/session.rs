//! The broker's side of one MQTT 3.1.1 session: what it answers, and what it notices.

mod answers;
mod describe;
mod login;

use crate::Shared;
use crate::event::Happening;
use crate::watch::Moments;
use clock::{Duration, Instant};
use network::{Direction, Trigger};
use scenario::broker::{Broker, When};
use std::collections::BTreeSet;
use std::sync::Arc;
use wire::mqtt::{
    DecodeError, Decoder, Delivery, Kind, Packet, PacketId, Publish, QoS, View, Violation, filter_matches,
};

/// The longest packet that a client may send, in bytes.
const PACKET_BYTES_MAX: usize = 256 * 1024;
/// The most packet identifiers that wait for something, of each kind.
const IDENTIFIERS_MAX: usize = 64;
/// The most topic filters of a session.
const FILTERS_MAX: usize = 128;

/// What a session wants done, in this order.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Send this packet.
    Packet(Vec<u8>),
    /// Wait before the next packet.
    Pause(Duration),
    /// End the connection, for this reason.
    Close(&'static str),
    /// Never say a word again.
    Silence,
    /// The network cuts the connection here; nothing that follows is said.
    Reached(Trigger),
    /// This happened.
    Tell(Happening),
}

/// Who the client is according to TLS, and what the broker makes of the name that it asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientIdentity {
    /// The common name in the client's certificate.
    pub(crate) common_name: Option<String>,
    /// The login is to be refused, whatever the client says.
    pub(crate) refused: bool,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    script: Arc<Broker>,
    connection: u32,
    identity: ClientIdentity,
    decoder: Decoder,
    stage: Stage,
    /// The longest silence of the client that is borne, if it promised anything.
    patience: Option<Duration>,
    last_heard: Instant,
    taken_over_at: Option<Instant>,
    will_topic: Option<String>,
    filters: Vec<(String, QoS)>,
    subscribed_before: bool,
    next_identifier: PacketId,
    /// Messages to the client that it has not acknowledged.
    unacknowledged: BTreeSet<u16>,
    /// Messages of the client that the script does not acknowledge.
    withheld: BTreeSet<u16>,
    /// Messages of the client at quality of service 2 that it has not released.
    unreleased: BTreeSet<u16>,
    replies: Vec<Reply>,
    /// The packets at which the network is going to cut the connection.
    moments: Moments,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    AwaitsConnect,
    LoggedIn { client_id: String },
    Over,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, script: Arc<Broker>, connection: u32, identity: ClientIdentity) -> Self {
        Self {
            shared,
            script,
            connection,
            identity,
            decoder: Decoder::new(PACKET_BYTES_MAX),
            stage: Stage::AwaitsConnect,
            patience: None,
            last_heard: Instant::ZERO,
            taken_over_at: None,
            will_topic: None,
            filters: Vec::new(),
            subscribed_before: false,
            next_identifier: PacketId::MIN,
            unacknowledged: BTreeSet::new(),
            withheld: BTreeSet::new(),
            unreleased: BTreeSet::new(),
            replies: Vec::new(),
            moments: Moments::default(),
        }
    }

    /// The network will cut the connection at these moments.
    pub(crate) fn watch(&mut self, moments: Moments) {
        self.moments = moments;
    }

    /// Takes bytes of the client.
    pub(crate) fn received(&mut self, now: Instant, data: &[u8]) -> Vec<Reply> {
        if self.stage == Stage::Over {
            if !data.is_empty() {
                self.violation("MQTT-3.14.4-2", "it sends packets after DISCONNECT");
            }
            return std::mem::take(&mut self.replies);
        }
        self.decoder.extend(data);
        while self.stage != Stage::Over
            && let Some(packet) = self.decoder.next_packet()
        {
            self.last_heard = now;
            match packet {
                Ok(view) => {
                    if self.watched_packet(now, &view) {
                        break;
                    }
                }
                Err(DecodeError::Violation(violation)) => self.breach(violation),
                Err(DecodeError::TooLong { packet_bytes }) => {
                    let what = format!("a packet of {packet_bytes} bytes is more than this broker takes");
                    self.tell(Happening::Violation { rule: "§2.2.3", what });
                    self.close("the client's packet is too long");
                }
            }
        }
        std::mem::take(&mut self.replies)
    }

    /// Does what is due.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Reply> {
        let Stage::LoggedIn { client_id } = &self.stage else { return Vec::new() };
        if self.shared.registry().is_taken_over(client_id, self.connection) {
            self.close("another connection has taken over the client identifier");
        } else if self.taken_over_at.is_some_and(|at| at <= now) {
            self.tell(Happening::Misbehaves("somebody else logs in under the client identifier"));
            self.close("somebody else has taken over the client identifier");
        } else if self.silence_ends_at().is_some_and(|at| at <= now) {
            self.violation("MQTT-3.1.2-23", "it was silent for one and a half times its keep-alive");
            self.close("the client is silent");
        }
        std::mem::take(&mut self.replies)
    }

    /// When something is due.
    pub(crate) fn poll_at(&self) -> Option<Instant> {
        match self.stage {
            Stage::LoggedIn { .. } => Instant::earliest(self.taken_over_at, self.silence_ends_at()),
            Stage::AwaitsConnect | Stage::Over => None,
        }
    }

    /// The client is gone.
    pub(crate) fn lost(&mut self) -> Vec<Reply> {
        if self.stage != Stage::Over {
            self.end_without_goodbye();
        }
        std::mem::take(&mut self.replies)
    }

    fn silence_ends_at(&self) -> Option<Instant> {
        self.patience.map(|patience| self.last_heard + patience)
    }

    /// A packet, unless the network cuts the connection before or after it. Then nothing more is heard or said.
    fn watched_packet(&mut self, now: Instant, view: &View<Vec<u8>>) -> bool {
        let name = view.kind().map_or("", Kind::name);
        if let Some(moment) = self.moments.before(Direction::FromDevice, name) {
            self.replies.push(Reply::Reached(moment));
            self.stage = Stage::Over;
            return true;
        }
        let replies_before = self.replies.len();
        self.packet(now, view);
        let Some(moment) = self.moments.after(Direction::FromDevice, name) else { return false };
        let answers = self.replies.split_off(replies_before);
        self.replies.extend(answers.into_iter().filter(|reply| matches!(reply, Reply::Tell(_))));
        self.replies.push(Reply::Reached(moment));
        self.stage = Stage::Over;
        true
    }

    fn packet(&mut self, now: Instant, view: &View<Vec<u8>>) {
        let parsed = Packet::parse(view);
        if self.stage == Stage::AwaitsConnect {
            return self.first_packet(now, view, parsed);
        }
        match parsed {
            Ok(packet) => {
                self.tell(Happening::Received(describe::packet(&packet)));
                self.answer(&packet);
            }
            Err(violation) => self.breach(violation),
        }
    }

    /// The client broke a rule for which the connection is closed ([MQTT-4.8.0-1]).
    fn breach(&mut self, violation: Violation) {
        self.tell(Happening::Violation { rule: violation.rule(), what: violation.to_string() });
        self.close("the client broke a rule");
    }

    fn violation(&mut self, rule: &'static str, what: &str) {
        self.tell(Happening::Violation { rule, what: what.to_owned() });
    }

    fn tell(&mut self, happening: Happening) {
        self.replies.push(Reply::Tell(happening));
    }

    fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        // A field that is too long is refused when the script is read, or came from the client and fitted there.
        if packet.encode(&mut bytes).is_ok() {
            self.push_packet(describe::packet(packet), bytes);
        }
    }

    /// Sends what is no packet that could be parsed.
    fn send_crooked(&mut self, described: &str, bytes: &[u8]) {
        self.push_packet(described.to_owned(), bytes.to_vec());
    }

    fn push_packet(&mut self, described: String, bytes: Vec<u8>) {
        let kind = bytes.first().and_then(|first| Kind::from_number(first >> 4)).map_or("", Kind::name);
        if let Some(moment) = self.moments.before(Direction::ToDevice, kind) {
            return self.replies.push(Reply::Reached(moment));
        }
        self.tell(Happening::Sent(described));
        self.replies.push(Reply::Packet(bytes));
        if let Some(moment) = self.moments.after(Direction::ToDevice, kind) {
            self.replies.push(Reply::Reached(moment));
        }
    }

    fn close(&mut self, why: &'static str) {
        self.end_without_goodbye();
        self.replies.push(Reply::Close(why));
    }

    fn end_without_goodbye(&mut self) {
        self.stage = Stage::Over;
        if let Some(topic) = self.will_topic.take() {
            self.tell(Happening::WillPublished { topic });
        }
    }

    /// Publishes what the script has for this moment.
    fn publish_scripted(&mut self, when: When) {
        let script = Arc::clone(&self.script);
        for message in script.mqtt.publish.iter().filter(|message| message.when == when) {
            let mut payload = message.payload.clone().into_bytes();
            if let Some(length) = message.payload_bytes {
                payload.resize(length as usize, b'.');
            }
            for _ in 0..message.times {
                let qos = if message.qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
                self.publish(&message.topic, &payload, qos, message.retain);
            }
        }
    }

    fn publish(&mut self, topic: &str, payload: &[u8], qos: QoS, retain: bool) {
        let delivery = if qos == QoS::AtMostOnce {
            Delivery::AtMostOnce
        } else {
            let packet_id = self.next_identifier;
            self.next_identifier = packet_id.checked_add(1).unwrap_or(PacketId::MIN);
            self.unacknowledged.insert(packet_id.get());
            Delivery::AtLeastOnce { packet_id, duplicate: false }
        };
        self.send(&Packet::Publish(Publish { topic, payload, delivery, retain }));
    }

    /// Gives a message back to the client if it has subscribed to it.
    fn echo(&mut self, message: &Publish<'_>) {
        let granted = self.filters.iter().filter(|(filter, _)| filter_matches(filter, message.topic));
        let Some(granted) = granted.map(|(_, qos)| *qos).max() else { return };
        if self.unacknowledged.len() < IDENTIFIERS_MAX {
            let qos = granted.min(message.delivery.qos()).min(QoS::AtLeastOnce);
            self.publish(message.topic, message.payload, qos, false);
        }
    }
}
