//! What happened in a chip that its owner should know.

use serde::{Deserialize, Serialize};

use core::fmt;
use std::borrow::Cow;

use clock::Instant;

use super::backtrace::Backtrace;

/// Something that happened, with where the program stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    #[serde(with = "nanos")]
    pub at: Instant,
    /// Where the program stood: the instruction for exceptions, the one after it for register accesses.
    pub pc: u32,
    /// What.
    pub kind: EventKind,
    /// Who called whom.
    pub backtrace: Backtrace,
}

/// An exception of a core, in its architecture's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreException {
    /// The architecture's number for it: `mcause` without the interrupt bit.
    pub code: u32,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// The register that says more: `mtval`.
    pub register: Cow<'static, str>,
    /// What that register holds: an address, an instruction.
    pub value: u32,
}

impl fmt::Display for CoreException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventKind {
    /// A register was accessed that the model does not know. Reported once for each register and direction.
    UnmodelledRegister {
        /// Its address.
        address: u32,
        /// What the data sheet calls it: `PERIPHERAL.REGISTER`, as far as it has a name.
        name: String,
        /// The value written; `None` for a read.
        written: Option<u32>,
    },
    /// A function of the mask ROM was called that the model does not have. The chip has stopped.
    UnmodelledRomFunction {
        /// Its address.
        address: u32,
        /// What the linker scripts call it.
        name: Cow<'static, str>,
    },
    /// The CPU raised an exception. The firmware's own handler runs next.
    Exception(CoreException),
    /// The stack reached the guard that firmware has set below it.
    StackOverflow {
        /// The address accessed.
        address: u32,
    },
    /// The trap handler itself raised an exception at its first instruction. The chip has stopped.
    DoubleFault(CoreException),
    /// The firmware's panic handler was entered.
    Panic {
        /// Where the program panicked, if it could be read: `file:line:column`.
        location: Option<String>,
    },
    /// The chip was reset.
    Reset {
        /// Why.
        cause: Cow<'static, str>,
        /// A watchdog did it, or firmware that had panicked and said so.
        is_failure: bool,
    },
    /// There is nothing in the flash that the chip can boot. It has stopped.
    NothingToBoot {
        /// Why.
        reason: String,
    },
    /// A fuse is burnt that switches on what the model does not do.
    NotEnforced {
        /// A sentence.
        what: Cow<'static, str>,
    },
    /// A register has given the same value for a second, and firmware goes on reading it. Told once for each register.
    EndlessPoll {
        /// Its address.
        address: u32,
        /// What the data sheet calls it.
        name: String,
        /// How far the model has it: `modelled`, `storage`, `UNMODELLED`.
        modelled: Cow<'static, str>,
        /// How often it was read in that second.
        reads: u32,
        /// In that second no register was written and none gave another value (no interrupt handler, no output), and nothing
        /// from outside can change this one. The chip has stopped.
        ends: bool,
    },
    /// Bytes arrived at a UART whose FIFO was full, and were lost.
    UartOverflow {
        /// 0 or 1.
        uart: u8,
        /// How many since the last report.
        bytes: u64,
    },
}

impl EventKind {
    /// Whether the firmware itself failed, and not the model, or the choice of the image.
    pub fn is_failure_of_firmware(&self) -> bool {
        self.is_fault() && !matches!(self, Self::UnmodelledRomFunction { .. } | Self::NothingToBoot { .. })
    }

    /// Whether this says that the firmware (or the model) failed, rather than that something happened.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::UnmodelledRegister { .. }
            | Self::UartOverflow { .. }
            | Self::NotEnforced { .. }
            | Self::EndlessPoll { .. } => false,
            Self::Reset { is_failure, .. } => *is_failure,
            _ => true,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmodelledRegister { address, name, written: None } => {
                write!(f, "unmodelled register read: {name} ({address:#010x})")
            }
            Self::UnmodelledRegister { address, name, written: Some(value) } => {
                write!(f, "unmodelled register written: {name} ({address:#010x}) = {value:#010x}")
            }
            Self::UnmodelledRomFunction { address, name } => {
                write!(f, "unmodelled ROM function called: {name} ({address:#010x})")
            }
            Self::Exception(exception) => {
                write!(f, "{exception}, {} {:#010x}", exception.register, exception.value)
            }
            Self::StackOverflow { address } => write!(f, "stack overflow: the guard at {address:#010x} was reached"),
            Self::DoubleFault(exception) => {
                write!(f, "{exception} in the trap handler, {} {:#010x}", exception.register, exception.value)
            }
            Self::Panic { location: Some(location) } => write!(f, "panic at {location}"),
            Self::Panic { location: None } => write!(f, "panic"),
            Self::Reset { cause, .. } => write!(f, "reset: {cause}"),
            Self::NothingToBoot { reason } => write!(f, "nothing to boot in the flash: {reason}"),
            Self::NotEnforced { what } => f.write_str(what),
            Self::EndlessPoll { address, name, modelled, reads, ends } => {
                write!(
                    f,
                    "still reading {name} ({address:#010x}, {modelled}), {reads} times in a second, always the same"
                )?;
                f.write_str(if *ends { "; nothing else happened: the chip has stopped" } else { "" })
            }
            Self::UartOverflow { uart, bytes } => write!(f, "UART{uart} lost {bytes} bytes: its FIFO was full"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#010x}: {}", self.at, self.pc, self.kind)
    }
}

/// An instant in a snapshot: nanoseconds.
pub(super) mod nanos {
    use clock::Instant;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(at.as_nanos())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        u64::deserialize(deserializer).map(Instant::from_nanos)
    }
}
