//! What the broker says in MQTT 3.1.1, and what it says wrongly: the `[broker.mqtt]` table.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::problem::Complaint;

/// The `[broker.mqtt]` table. The default broker lets everybody in and answers everything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// Whether who gives no user name is let in.
    pub allow_anonymous: bool,
    /// Who is let in with a name: passwords by user names. Empty: who gives any name.
    pub users: BTreeMap<String, String>,
    /// Whether a keep-alive of 0 is refused with CONNACK 2, as mosquitto 2.0.12 to 2.0.15 do.
    pub refuse_keep_alive_0: bool,
    /// How it answers CONNECT.
    pub on_connect: OnConnect,
    /// What it does right after CONNACK.
    pub then: Then,
    /// How it answers SUBSCRIBE.
    pub on_subscribe: OnSubscribe,
    /// How it answers PUBLISH of quality of service 1.
    pub on_publish: OnPublish,
    /// How it answers PINGREQ.
    pub on_ping: OnPing,
    /// What it publishes to the device, in this order.
    pub publish: Vec<Message>,
    /// How its packets lie in TLS records.
    pub packing: Packing,
    /// When somebody else takes over the client identifier, so that the connection is closed, in milliseconds after
    /// CONNACK (MQTT 3.1.1 [MQTT-3.1.4-2]).
    pub taken_over_after_ms: Option<u32>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            allow_anonymous: true,
            users: BTreeMap::new(),
            refuse_keep_alive_0: false,
            on_connect: OnConnect::Answer,
            then: Then::GoOn,
            on_subscribe: OnSubscribe::Grant,
            on_publish: OnPublish::Acknowledge,
            on_ping: OnPing::Answer,
            publish: Vec::new(),
            packing: Packing::OnePacketPerRecord,
            taken_over_after_ms: None,
        }
    }
}

impl Mqtt {
    /// The most that all messages of a broker may add up to, in bytes.
    const PUBLISHED_BYTES_MAX: u64 = 2 << 20;

    pub(super) fn check(&self) -> Result<(), Complaint> {
        let published_bytes: u64 = self
            .publish
            .iter()
            .map(|message| {
                let payload = message.payload_bytes.map_or(message.payload.len() as u64, u64::from);
                (payload + message.topic.len() as u64 + 9) * u64::from(message.times)
            })
            .fold(0, u64::saturating_add);
        if published_bytes > Self::PUBLISHED_BYTES_MAX {
            return Err(Complaint::at(
                &["broker", "mqtt", "publish"],
                format!("all messages together are {published_bytes} bytes"),
                "let them be fewer or shorter: at most 2 megabytes in all",
            ));
        }
        for message in &self.publish {
            if message.qos > 1 {
                return Err(Complaint::at(
                    &["broker", "mqtt", "publish"],
                    "the broker publishes with quality of service 0 or 1",
                    "set `qos` to 0 or 1",
                ));
            }
            if message.topic.is_empty() || message.topic.len() > 65_535 {
                return Err(Complaint::at(
                    &["broker", "mqtt", "publish"],
                    "a topic has 1 to 65535 bytes (MQTT 3.1.1 [MQTT-4.7.3-1])",
                    "give one",
                ));
            }
            if message.payload_bytes.is_some_and(|bytes| bytes > 1 << 20) {
                return Err(Complaint::at(
                    &["broker", "mqtt", "publish"],
                    "a message of more than a megabyte says nothing that a smaller one does not",
                    "set `payload_bytes` to at most 1048576",
                ));
            }
        }
        Ok(())
    }
}

/// How the broker answers CONNECT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnConnect {
    /// By protocol and credentials, as MQTT 3.1.1 §3.1.4 demands.
    #[default]
    Answer,
    /// With this return code, whatever the client said; the connection is closed if it is not 0 ([MQTT-3.2.2-5]).
    Code(u8),
    /// Not at all.
    Silence,
    /// By closing the connection.
    Close,
    /// Properly, but so many milliseconds late.
    DelayMs(u32),
    /// With return code 0 and the session-present flag set, although the session is new ([MQTT-3.2.2-1]).
    SessionPresent,
    /// With a CONNACK whose remaining length is 3.
    ThreeBytes,
    /// With a CONNACK whose remaining length is 5.
    FiveBytes,
    /// With a CONNACK whose remaining length takes four bytes where one would do.
    OverlongLength,
    /// With a CONNACK whose remaining length takes five bytes ([MQTT-2.2.3]: at most four).
    EndlessLength,
    /// With a CONNACK whose reserved flags are set ([MQTT-3.2.2] reserves them).
    ReservedFlags,
    /// With a SUBACK.
    WrongType,
    /// With return code 0, twice.
    Twice,
    /// As a broker of MQTT 5 does: CONNACK with reason code 0x84, in the format of MQTT 5.
    UnsupportedVersion5,
}

/// What the broker does right after CONNACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It goes on.
    #[default]
    GoOn,
    /// It closes the connection in the same breath, as `goodbye` says.
    Close,
    /// It never says a word again.
    Silence,
}

/// How the broker answers SUBSCRIBE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSubscribe {
    /// It grants what was asked for, at most quality of service 1.
    #[default]
    Grant,
    /// It refuses: return code 0x80.
    Refuse,
    /// Not at all.
    Silence,
    /// With a packet identifier that is not the client's.
    WrongPacketId,
    /// By closing the connection.
    Close,
}

/// How the broker answers PUBLISH of quality of service 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPublish {
    /// With PUBACK.
    #[default]
    Acknowledge,
    /// Not at all.
    Silence,
    /// Not the first time; when the client sends it again, with PUBACK.
    LoseOne,
    /// With PUBACK, twice.
    Twice,
    /// With a packet identifier that is not the client's.
    WrongPacketId,
    /// By closing the connection.
    Close,
}

/// How the broker answers PINGREQ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPing {
    /// With PINGRESP.
    #[default]
    Answer,
    /// Not at all.
    Silence,
    /// By closing the connection.
    Close,
}

/// A message that the broker publishes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// When.
    #[serde(default)]
    pub when: When,
    /// The topic.
    pub topic: String,
    /// The payload.
    #[serde(default)]
    pub payload: String,
    /// The length of the payload, filled up with dots or cut, in bytes.
    #[serde(default)]
    pub payload_bytes: Option<u32>,
    /// The quality of service, 0 or 1.
    #[serde(default)]
    pub qos: u8,
    /// Whether it is marked as retained ([MQTT-3.3.1-8]).
    #[serde(default)]
    pub retain: bool,
    /// How many times.
    #[serde(default = "once")]
    pub times: u16,
}

const fn once() -> u16 {
    1
}

/// When the broker publishes a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Right after the first SUBACK.
    #[default]
    Subscribed,
    /// Right after CONNACK, unasked: a session's backlog.
    Connected,
    /// Before CONNACK, which [MQTT-3.2.0-1] forbids.
    BeforeConnack,
}

/// How the broker's MQTT packets lie in TLS records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// Each packet in its own record.
    #[default]
    OnePacketPerRecord,
    /// Each byte in its own record.
    OneBytePerRecord,
    /// Packets that are sent at the same time share a record.
    Together,
}
