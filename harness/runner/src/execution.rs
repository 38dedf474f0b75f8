//! Who executes the instructions of emulated chips.

use blame::Error;
use board::Tier;
use clap::ValueEnum;

/// Who executes the instructions of emulated chips. Transcripts and packets are the same, whoever does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Execution {
    /// Code of this machine, compiled of what is executed most, and threaded code for the rest: worth it for a run of minutes.
    /// `cargo xtask` builds the compiler first, once
    Compiled,
    /// Threaded code
    #[default]
    Threaded,
    /// The plain interpreter, which the others are held against: some thirty times slower
    Interpreted,
}

impl Execution {
    /// The tier of the chips, whose back end is put to use if there is one.
    ///
    /// # Errors
    ///
    /// If this build has no back end, or none for this machine.
    pub fn tier(self) -> blame::Result<Tier> {
        match self {
            Self::Compiled => back_end().map(|()| Tier::HostCode),
            Self::Threaded => Ok(Tier::ThreadedCode),
            Self::Interpreted => Ok(Tier::Interpreter),
        }
    }
}

#[cfg(feature = "compiled")]
fn back_end() -> blame::Result<()> {
    if host_code::install() {
        return Ok(());
    }
    Err(Error::usage(
        "--execution compiled: there is no compiler for this machine; --execution threaded gives the same bytes",
    ))
}

#[cfg(not(feature = "compiled"))]
fn back_end() -> blame::Result<()> {
    Err(Error::usage(
        "--execution compiled: this program was built without the compiler; `cargo xtask hil --execution compiled` builds it \
         with that, and `cargo build --package runner --features compiled` does",
    ))
}
