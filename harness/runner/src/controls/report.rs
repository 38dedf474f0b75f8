//! What a control tells of its own run.

/// What a control says of its own run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlReport {
    /// How it ended, in its own opinion.
    pub ended: Ended,
    /// Its own words: its error, or what it printed.
    pub words: String,
    /// The TLS secrets that it knows, as NSS key log text.
    pub key_log: String,
}

/// How a control ended, in its own opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It logged in and published.
    Published,
    /// It failed.
    Failed,
    /// It was still at it when its time was up.
    OutOfTime,
}
