//! The emulated arm: a chip in this process, in virtual time.

#[cfg(unix)]
pub mod jtag_port;
pub mod remote_bitbang;
#[cfg(unix)]
pub mod through_probe;

use std::sync::Arc;

use chip::{Chip, PortId, PortRole};
use clock::Instant;
use emulator::event::EventKind;
use emulator::{EmulatedChip, Model, Pause, Reset, Settings, model_of};

use crate::{Board, Fault, Gravity, Heard, Image, Incident, Target};

/// An emulated chip with its cables plugged in.
pub struct Emulated {
    model: &'static Model,
    seed: u64,
    chip: Box<dyn EmulatedChip>,
    fast: bool,
    /// What a probe has written to the flash; the image is loaded directly if there is none.
    flash_content: Option<Arc<[u8]>>,
    /// The chip cannot go on, and time passes without it.
    halted_at: Option<Instant>,
}

impl Emulated {
    /// A chip of this model, whose random number generator starts from `seed`.
    pub fn new(model: &'static Model, seed: u64) -> Self {
        Self { model, seed, chip: power_on(model, seed), fast: true, flash_content: None, halted_at: None }
    }

    /// As [`Self::new`], by the chip.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if nobody emulates that chip.
    pub fn of(chip: &'static Chip, seed: u64) -> Result<Self, Fault> {
        model(chip).map(|model| Self::new(model, seed))
    }

    /// The same chip, run by the plain interpreter alone: some thirty times slower, and the oracle of the fast path.
    #[must_use]
    pub fn interpreted(self) -> Self {
        Self { fast: false, ..self }
    }

    /// The same chip, with this in its flash: images are not loaded then, but booted from there.
    #[must_use]
    pub fn flashed(self, content: Arc<[u8]>) -> Self {
        Self { flash_content: Some(content), ..self }
    }

    /// Instructions retired since power-on.
    pub fn instructions_retired(&self) -> u64 {
        self.chip.instructions_retired()
    }

    /// Bytes of the host's memory that the chip takes.
    pub fn memory_bytes(&self) -> usize {
        self.chip.memory_bytes()
    }

    /// The port at whose other end the bench, or its modem, is.
    fn port(&self, role: PortRole) -> Result<PortId, Fault> {
        let chip = self.model.chip;
        chip.port_for(role).ok_or_else(|| Fault::Bench(format!("the chip {chip} has no serial port for that")))
    }

    /// What the chip has sent over a port; nothing if it has none for that.
    fn take(&mut self, role: PortRole) -> Vec<u8> {
        self.model.chip.port_for(role).map_or_else(Vec::new, |port| self.chip.take_serial_output(port))
    }

    fn incidents(&mut self) -> Vec<Incident> {
        let events = self.chip.take_events();
        events
            .into_iter()
            .map(|event| Incident {
                at: event.at,
                gravity: match &event.kind {
                    kind if kind.is_fault() => Gravity::Crash,
                    EventKind::UnmodelledRegister { .. } => Gravity::Unmodelled,
                    _ => Gravity::Notice,
                },
                what: event.kind.to_string(),
                backtrace: event.backtrace.to_string().lines().map(str::to_owned).collect(),
            })
            .collect()
    }
}

/// How `chip` is emulated.
fn model(chip: &'static Chip) -> Result<&'static Model, Fault> {
    model_of(chip).ok_or_else(|| Fault::Bench(format!("the chip {chip} is not emulated: it needs a board")))
}

fn power_on(model: &Model, seed: u64) -> Box<dyn EmulatedChip> {
    (model.power_on)(&Settings { seed, ..Settings::default() })
}

impl Board for Emulated {
    fn target(&self) -> Target {
        Target { chip: self.model.chip, emulated: true }
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        image.fits(self.model.chip)?;
        self.chip = power_on(self.model, self.seed);
        self.halted_at = None;
        let Some(content) = &self.flash_content else {
            return self.chip.load_elf(&image.elf).map_err(|error| Fault::Image(error.to_string()));
        };
        self.chip.set_flash_content(content).map_err(|error| Fault::Image(error.to_string()))?;
        self.chip.know_symbols(&image.elf);
        self.chip.boot_from_flash();
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.chip.reset(Reset::PowerOn);
        self.chip.use_fast_path(self.fast);
        self.halted_at = None;
        Ok(())
    }

    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault> {
        if self.halted_at.is_none() {
            match self.chip.run_until(deadline) {
                Pause::Halted => self.halted_at = Some(self.chip.now()),
                // Nobody sets breakpoints here, and the deadline is never the far future: but were it so, time would
                // have to pass all the same.
                Pause::Deadline
                | Pause::SerialOutput
                | Pause::Event
                | Pause::Asleep
                | Pause::Breakpoint
                | Pause::Watchpoint { .. } => {}
            }
        }
        let bytes = self.take(PortRole::Bench);
        let second_bytes = self.take(PortRole::Modem);
        let incidents = self.incidents();
        let nothing = bytes.is_empty() && second_bytes.is_empty() && incidents.is_empty();
        let at = match self.halted_at {
            Some(at) if nothing => deadline.max(at),
            Some(at) => at,
            None => self.chip.now(),
        };
        Ok(Heard { at, bytes, second_bytes, incidents })
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let port = self.port(PortRole::Bench)?;
        self.chip.serial_input(port, bytes);
        Ok(())
    }

    fn say_second(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let port = self.port(PortRole::Modem)?;
        self.chip.serial_input(port, bytes);
        Ok(())
    }
}
