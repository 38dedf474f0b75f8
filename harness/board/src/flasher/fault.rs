//! Why a board could not be flashed: what is to blame, and what helps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Fault;

/// Why the flashing process could not do as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeFault {
    /// What is to blame.
    pub kind: FaultKind,
    /// What happened, as far as it is known.
    pub words: String,
}

/// What is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The file is no image for this chip.
    CorruptImage,
    /// The image needs more flash than the chip has.
    ImageTooLarge,
    /// The chip refuses debuggers.
    ChipLocked,
    /// The probe is there, and no chip answers behind it, or another one.
    ChipAbsent,
    /// There is no such probe.
    ProbeAbsent,
    /// The probe was there and went away in the middle; or the process that held it ended.
    ProbeVanished,
    /// This user may not open the probe.
    PermissionDenied,
    /// What was written does not read back.
    VerifyFailed,
    /// Nothing came back within the limit. The flashing process was killed.
    Hung,
    /// The flashing process wrote something that is not the protocol.
    Garbled,
    /// None of the above; a kind that this version does not know.
    #[serde(other)]
    Other,
}

impl ProbeFault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }
}

impl FaultKind {
    /// As the flashing protocol and the control sockets of virtual boards write it: `probe_absent`.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The kind that is written so; [`Self::Other`] if this version does not know it.
    pub fn of_name(name: &str) -> Self {
        serde_json::from_value(name.into()).unwrap_or(Self::Other)
    }

    /// In the words of a finding.
    pub const fn finding(self) -> &'static str {
        match self {
            Self::CorruptImage => "the image is not one for this chip",
            Self::ImageTooLarge => "the image is larger than the chip's flash",
            Self::ChipLocked => "the chip refuses debuggers",
            Self::ChipAbsent => "no such chip answers behind the probe",
            Self::ProbeAbsent => "there is no such debug probe",
            Self::ProbeVanished => "the debug probe went away",
            Self::PermissionDenied => "this user may not open the debug probe",
            Self::VerifyFailed => "the flash does not hold what was written to it",
            Self::Hung => "the debug probe did not answer in time",
            Self::Garbled => "the flashing process does not speak the bench's protocol",
            Self::Other => "the board could not be flashed",
        }
    }

    /// What a person can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::CorruptImage => "build the image anew, for this chip",
            Self::ImageTooLarge => "build a smaller image, or name a board with more flash",
            Self::ChipLocked => "JTAG is switched off in this chip's eFuses for good: use another board",
            Self::ChipAbsent => "look at the wiring and the power, and at `chip` in the board's file",
            Self::ProbeAbsent => "plug it in, and compare `probe` in the board's file with `cargo xtask boards --scan`",
            Self::ProbeVanished => "look at the cable and the hub's power",
            Self::PermissionDenied => "`cargo xtask doctor` says which udev rule is missing",
            Self::VerifyFailed => "flash it again; a second time, the flash chip is worn out",
            Self::Hung => "reset the probe's USB port, or cut its power",
            Self::Garbled => "build `probe` and the bench from the same revision",
            Self::Other => "see above",
        }
    }

    /// Whether the image is to blame, and not the bench.
    pub const fn is_the_images(self) -> bool {
        matches!(self, Self::CorruptImage | Self::ImageTooLarge)
    }
}

impl fmt::Display for ProbeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.kind.finding(), self.words, self.kind.remedy())
    }
}

impl std::error::Error for ProbeFault {}

impl From<ProbeFault> for Fault {
    fn from(fault: ProbeFault) -> Self {
        if fault.kind.is_the_images() { Self::Image(fault.to_string()) } else { Self::Bench(fault.to_string()) }
    }
}
