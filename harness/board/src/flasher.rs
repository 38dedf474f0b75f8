//! Flashing, seen from the bench: a child process that may be killed.
//!
//! A call into a USB stack cannot be cancelled once it hangs, so nothing that touches a debug probe happens in this
//! process. [`Flasher`] starts the program that does (`probe serve`, crate `probe`; over `ssh` if the board is another
//! host's), speaks one line of JSON for each request ([`protocol`]), and gives each a limit. A child that does not
//! answer in time is killed with its whole process group, and that is the answer: [`FaultKind::Hung`].
//!
//! What the child writes is held against the protocol and bounded; a child that writes anything else is the bench's
//! fault, never the board's.

mod child;
mod fault;
pub mod protocol;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

pub use fault::{FaultKind, ProbeFault};
pub use protocol::{Operation, ProbeEntry, Progress};

use chip::Chip;

use child::Child;
use protocol::{Answer, Request};

/// A debug probe with a chip behind it, in the hands of a child process.
#[derive(Debug)]
pub struct Flasher {
    command: Vec<String>,
    /// The chip as probe-rs calls it.
    target: String,
    selector: String,
    /// `None` once it had to be killed, or has ended.
    child: Option<Child>,
}

impl Flasher {
    /// Starts `command` (a program and its arguments; no shell) and has it attach to `chip` by the probe `selector`,
    /// all within `limit`.
    ///
    /// # Errors
    ///
    /// If the program does not start, or the chip cannot be attached to.
    pub fn start(command: &[String], chip: &Chip, selector: &str, limit: Duration) -> Result<Self, ProbeFault> {
        let target = chip.probe_target.ok_or_else(|| {
            let words = format!("probe-rs does not know the chip {chip}: no probe can flash it");
            ProbeFault::new(FaultKind::Other, words)
        })?;
        let (command, target, selector) = (command.to_vec(), target.to_owned(), selector.to_owned());
        let mut flasher = Self { command, target, selector, child: None };
        flasher.reattach(limit)?;
        Ok(flasher)
    }

    /// Puts an ELF file into the chip's flash, verifies it, and leaves the chip halted in reset. `progress` is called
    /// for each step; `limit` is for the whole.
    ///
    /// # Errors
    ///
    /// Says whether the image, the chip, the probe or the program is to blame.
    pub fn flash(&mut self, elf: &Path, limit: Duration, progress: &mut dyn FnMut(Progress)) -> Result<(), ProbeFault> {
        // The child may have another working directory, and JSON has no other strings than Unicode's.
        let path = std::path::absolute(elf)
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok())
            .ok_or_else(|| ProbeFault::new(FaultKind::Other, format!("{}: not a usable path", elf.display())))?;
        self.ask(&Request::Flash { elf: path, verify: true }, limit, progress)
    }

    /// Lets the chip start from its reset vector.
    ///
    /// # Errors
    ///
    /// If the chip or the probe does not answer.
    pub fn reset(&mut self, limit: Duration) -> Result<(), ProbeFault> {
        self.ask(&Request::Reset, limit, &mut |_| {})
    }

    /// Erases the whole flash: a rung of the recovery ladder.
    ///
    /// # Errors
    ///
    /// If the chip or the probe does not answer.
    pub fn erase(&mut self, limit: Duration) -> Result<(), ProbeFault> {
        self.ask(&Request::Erase, limit, &mut |_| {})
    }

    /// Attaches anew: with a new child if there is none any more.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn reattach(&mut self, limit: Duration) -> Result<(), ProbeFault> {
        if self.child.is_none() {
            self.child = Some(Child::spawn(&self.command)?);
        }
        let request = Request::Attach { selector: self.selector.clone(), chip: self.target.clone() };
        self.ask(&request, limit, &mut |_| {})
    }

    /// Whether the child lives: after [`FaultKind::Hung`], [`FaultKind::ProbeVanished`] by its end, or
    /// [`FaultKind::Garbled`] it does not, and only [`Self::reattach`] helps.
    pub fn is_alive(&self) -> bool {
        self.child.is_some()
    }

    fn ask(
        &mut self,
        request: &Request,
        limit: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ProbeFault> {
        let Some(child) = &mut self.child else {
            return Err(ProbeFault::new(FaultKind::ProbeVanished, "the flashing process is gone: attach anew"));
        };
        let answer = child.ask(request, Instant::now() + limit, progress);
        if answer.as_ref().is_err_and(|_| !child.is_usable()) {
            // Dropped, it is killed with its group.
            self.child = None;
        }
        match answer? {
            Answer::Done => Ok(()),
            Answer::Failed(fault) => Err(fault),
            Answer::Probes { .. } | Answer::Progress(_) => {
                self.child = None;
                Err(ProbeFault::new(FaultKind::Garbled, "the flashing process answered another question"))
            }
        }
    }
}

/// Which probes are plugged in, as the program `command` sees them.
///
/// # Errors
///
/// If the program does not start, or does not answer within `limit`.
pub fn list(command: &[String], limit: Duration) -> Result<Vec<ProbeEntry>, ProbeFault> {
    let mut child = Child::spawn(command)?;
    match child.ask(&Request::List, Instant::now() + limit, &mut |_| {})? {
        Answer::Probes { probes } => Ok(probes),
        Answer::Failed(fault) => Err(fault),
        Answer::Done | Answer::Progress(_) => {
            Err(ProbeFault::new(FaultKind::Garbled, "the flashing process answered another question"))
        }
    }
}
