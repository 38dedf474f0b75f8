//! What the bench and its flashing process say to each other: one JSON object a line, requests on standard input,
//! answers on standard output.
//!
//! One request is under way at a time. Its answers are any number of [`Answer::Progress`], then one that is not. The
//! end of standard input ends the process at once, whatever it does: it must not hold the probe of a bench that died.
//! Standard error is for people.

use serde::{Deserialize, Serialize};

use super::fault::ProbeFault;

/// What the bench wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Which probes are there? Answered by [`Answer::Probes`]; needs no [`Request::Attach`].
    List,
    /// Attach to a chip, and let go of the one before.
    Attach {
        /// Which probe: `VID:PID[-INTERFACE][:SERIAL]`, or `socket:PATH` for an emulated board's.
        selector: String,
        /// The chip as probe-rs calls it: `esp32c3`.
        chip: String,
    },
    /// Write an ELF file to the flash and leave the chip halted in reset.
    Flash {
        /// The file's path.
        elf: String,
        /// Read everything back and compare.
        verify: bool,
    },
    /// Let the chip start from its reset vector.
    Reset,
    /// Erase the whole flash.
    Erase,
    /// Let go of the chip and end.
    Quit,
}

/// What the flashing process says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is going on.
    Progress(Progress),
    /// The request has been fulfilled.
    Done,
    /// The request has failed.
    Failed(ProbeFault),
    /// The probes that are plugged in.
    Probes {
        /// One for each.
        probes: Vec<ProbeEntry>,
    },
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub operation: Operation,
    /// How much of it is done.
    pub done_bytes: u64,
    /// How much there is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}

/// The steps of flashing, named as probe-rs names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// What a sector holds beside the image is read, to be kept.
    Fill,
    /// Sectors are erased.
    Erase,
    /// Pages are written.
    Program,
    /// Pages are read back and compared.
    Verify,
}

impl Operation {
    /// As a word of a sentence: "erasing".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Fill => "reading",
            Self::Erase => "erasing",
            Self::Program => "writing",
            Self::Verify => "verifying",
        }
    }
}

/// A probe that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeEntry {
    /// What probe-rs calls it.
    pub name: String,
    /// What selects it and no other: `VID:PID[-INTERFACE][:SERIAL]`.
    pub selector: String,
    /// The serial number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Whether this user may open it.
    pub accessible: bool,
}
