//! What was seen and heard while a scenario ran.

use board::Incident;
use clock::Instant;
use control::Report;

/// Everything that was seen and heard while a scenario ran.
#[derive(Debug)]
pub struct Evidence {
    /// Every packet on the serial line, and the secrets: a pcapng file.
    pub pcapng: Vec<u8>,
    /// What the device reported, in order.
    pub reports: Vec<Report>,
    /// What the device said besides: log lines, and words outside of any frame.
    pub words: Vec<(Instant, String)>,
    /// What happened to the board itself.
    pub incidents: Vec<Incident>,
    /// What the broker found wrong with the device's MQTT.
    pub broker_findings: Vec<(Instant, String)>,
    /// What of the scenario's acts took place.
    pub enacted: Enacted,
    /// When the device reported last: that it came further, or what came of it.
    pub progressed_at: Instant,
    /// When the run ended.
    pub ended_at: Instant,
}

/// What the world came to do to the device. A scenario is about that, and may end before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enacted {
    /// Whether the network cut a connection.
    pub line_was_cut: bool,
    /// Whether the scripted broker misbehaved.
    pub broker_misbehaved: bool,
}
