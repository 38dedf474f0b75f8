//! The emulated arm: an ESP32-C3 in this process, in virtual time.

#[cfg(unix)]
pub mod jtag_port;
pub mod remote_bitbang;
#[cfg(unix)]
pub mod through_probe;

use std::sync::Arc;

use clock::Instant;
use emulator::esp32c3::{Config, Esp32c3, EventKind, Pause, ResetCause, SerialPort};

use crate::{Board, Fault, Gravity, Heard, Image, Incident, Target};

/// The serial port on which firmware speaks slipmux.
const PORT: SerialPort = SerialPort::UsbSerialJtag;

/// The serial port at which a modem would be.
const SECOND_PORT: SerialPort = SerialPort::Uart1;

/// An emulated ESP32-C3 with its USB cable plugged in.
pub struct Emulated {
    seed: u64,
    chip: Esp32c3,
    fast: bool,
    /// What a probe has written to the flash; the image is loaded directly if there is none.
    flash_content: Option<Arc<[u8]>>,
    /// The chip cannot go on, and time passes without it.
    halted_at: Option<Instant>,
}

impl Emulated {
    /// A chip whose random number generator starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, chip: power_on(seed), fast: true, flash_content: None, halted_at: None }
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

fn power_on(seed: u64) -> Esp32c3 {
    Esp32c3::new(Config { seed, ..Config::default() })
}

impl Board for Emulated {
    fn target(&self) -> Target {
        Target { chip: "esp32c3", emulated: true }
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        self.chip = power_on(self.seed);
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
        self.chip.reset(ResetCause::PowerOn);
        self.chip.hart_mut().use_fast_path(self.fast);
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
        let bytes = self.chip.take_serial_output(PORT);
        let second_bytes = self.chip.take_serial_output(SECOND_PORT);
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
        self.chip.serial_input(PORT, bytes);
        Ok(())
    }

    fn say_second(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.chip.serial_input(SECOND_PORT, bytes);
        Ok(())
    }
}
