//! What was seen and heard while a scenario ran.

use board::Incident;
use clock::Instant;
use control::Report;
use network::{Fault, SerialFault};
use outcome::Stage;

/// Everything that was seen and heard while a scenario ran.
#[derive(Debug)]
pub struct Evidence {
    /// Every packet on the serial line, and the secrets: a pcapng file.
    pub pcapng: Vec<u8>,
    /// What the device reported, in order.
    pub reports: Vec<Report>,
    /// What the device said besides: log lines, and text outside of any frame.
    pub console: Vec<ConsoleText>,
    /// What happened to the board itself.
    pub incidents: Vec<Incident>,
    /// What the broker found wrong with the device's MQTT.
    pub broker_findings: Vec<(Instant, String)>,
    /// What happened on the air and before the device had an address; nothing of a device without a radio.
    pub air: Vec<OnTheAir>,
    /// What of the scenario's acts took place.
    pub enacted: Enacted,
    /// How long the device was told to wait for others; `None` of a firmware that takes no orders.
    pub timeouts: Option<Timeouts>,
    /// When the device reported last: that it came further, or what came of it.
    pub progressed_at: Instant,
    /// When the run ended.
    pub ended_at: Instant,
}

#[cfg(test)]
impl Evidence {
    /// A run in which nobody sent a packet, for tests: what was reported, and when it ended.
    pub(crate) fn without_packets(reports: Vec<Report>, ended_ms: u64) -> Self {
        Self {
            pcapng: capture::Tap::new(clock::UnixTime::from_seconds(0)).to_pcapng(),
            reports,
            console: Vec::new(),
            incidents: Vec::new(),
            broker_findings: Vec::new(),
            air: Vec::new(),
            enacted: Enacted::default(),
            timeouts: None,
            progressed_at: Instant::ZERO,
            ended_at: Instant::from_millis(ended_ms),
        }
    }
}

/// Something that happened to the device below IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnTheAir {
    /// When.
    pub at: Instant,
    /// What, as `[fault]` of a scenario names it: one of [`scenario::wifi::HAPPENINGS`].
    pub what: &'static str,
    /// Whether the network refuses the device by it.
    pub is_refusal: bool,
    /// What, in a phrase.
    pub words: String,
}

/// Text of the device for people, as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleText {
    /// When.
    pub at: Instant,
    /// Where: `console` is the port that firmware speaks to the bench on, any other has its name.
    pub from: &'static str,
    /// One line, or several.
    pub text: String,
}

impl ConsoleText {
    /// What the port that firmware speaks to the bench on is called here.
    pub const CONSOLE: &'static str = "console";

    /// Its lines, but for empty ones.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim().is_empty())
    }
}

/// How long a device waits for others before it gives up, in milliseconds; [`Timeouts::ENDLESS_MS`] is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a network, and again for an address in it.
    pub network_ms: u32,
    /// For the TCP connection, and for an answer to a DNS or SNTP question.
    pub connect_ms: u32,
    /// For the next byte of a handshake.
    pub handshake_ms: u32,
    /// For an answer to an MQTT packet.
    pub reply_ms: u32,
}

impl Timeouts {
    /// No time-out at all.
    pub const ENDLESS_MS: u32 = u32::MAX;

    /// How long it waits at a stage; `None`: for ever.
    pub(crate) fn at(self, stage: Stage) -> Option<u64> {
        let ms = match stage {
            Stage::Join | Stage::Lease => self.network_ms,
            Stage::Boot | Stage::Clock | Stage::Resolve | Stage::Connect => self.connect_ms,
            Stage::Hello | Stage::Certificate | Stage::KeyExchange | Stage::Finished => self.handshake_ms,
            Stage::Login | Stage::Subscribe | Stage::Exchange | Stage::KeepAlive | Stage::Goodbye => self.reply_ms,
        };
        (ms != Self::ENDLESS_MS).then_some(ms.into())
    }
}

/// What the world came to do to the device. A scenario is about that, and may end before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enacted {
    /// Whether the network cut a connection.
    pub line_was_cut: bool,
    /// Whether the scripted broker misbehaved.
    pub broker_misbehaved: bool,
    /// Of the faults of packets and streams that wait for their place, those that have acted.
    pub faults: Vec<Fault>,
    /// Of the faults of the serial line that wait for their byte, those that have come to it.
    pub serial_faults: Vec<SerialFault>,
}
