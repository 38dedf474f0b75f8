//! The AT conversation, for whoever records it.

use clock::Instant;

/// The most of a conversation that is kept until it is taken, in entries.
pub(super) const SPOKEN_MAX: usize = 65_536;

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The device.
    Device,
    /// The modem.
    Modem,
}

/// One line of the conversation, or the data that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// When it began.
    pub at: Instant,
    /// By whom.
    pub by: Speaker,
    /// The line without its CR and LF, or the data.
    pub bytes: Vec<u8>,
    /// Whether this is data of the connection.
    pub is_data: bool,
}
