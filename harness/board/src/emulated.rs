//! The emulated arm: a chip in this process, in virtual time.

mod boots;
mod continued;
#[cfg(unix)]
pub mod jtag_port;
mod past;
pub mod remote_bitbang;
#[cfg(unix)]
pub mod through_probe;

use std::sync::Arc;

use chip::{Chip, PortId};
use clock::Instant;
use emulator::event::EventKind;
use emulator::image::ImageError;
use emulator::{EmulatedChip, Model, Pause, Reset, Rom, Settings, Tier, model_of};

use crate::{Board, Fault, FlashContent, Gravity, Heard, Image, Incident, RadioFrame, Target};
pub use boots::Boots;
pub use past::Past;
use past::{Done, Recorder, Replay, Step};

/// An emulated chip with its cables plugged in.
pub struct Emulated {
    model: &'static Model,
    seed: u64,
    chip: Box<dyn EmulatedChip>,
    tier: Tier,
    /// What a probe has written to the flash; the image is loaded directly if there is none.
    flash_content: Option<Arc<[u8]>>,
    /// The chip cannot go on, and time passes without it.
    halted_at: Option<Instant>,
    /// The image that was put on the board.
    image: Option<Arc<[u8]>>,
    /// Whether the chip has it.
    is_loaded: bool,
    /// Boots that need not be run again.
    boots: Option<Arc<Boots>>,
    /// The run that is continued.
    past: Option<Arc<Past>>,
    /// Whether everything is noted, so that the run can be kept.
    is_noting: bool,
    phase: Phase,
    /// Instructions that the chip has not executed here: it went on from a snapshot.
    skipped: u64,
    /// What the image brings for the flash, from which the chip then boots by itself.
    own_flash: Option<FlashContent>,
    /// The real mask ROM, if the image needs it.
    rom: Option<Arc<[u8]>>,
}

/// Whether what is heard is what the chip does now.
enum Phase {
    /// It is.
    Live,
    /// It is, and it is noted.
    Noted(Recorder),
    /// It is what another chip did that booted in the same way; this one is still at power-on.
    Replayed(Replay),
}

impl Emulated {
    /// A chip of this model, whose random number generator starts from `seed`.
    pub fn new(model: &'static Model, seed: u64) -> Self {
        Self {
            model,
            seed,
            chip: (model.power_on)(&Settings { seed, ..Settings::default() }),
            tier: Tier::default(),
            flash_content: None,
            halted_at: None,
            image: None,
            is_loaded: false,
            boots: None,
            past: None,
            is_noting: false,
            phase: Phase::Live,
            skipped: 0,
            own_flash: None,
            rom: None,
        }
    }

    /// As [`Self::new`], by the chip.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if nobody emulates that chip.
    pub fn of(chip: &'static Chip, seed: u64) -> Result<Self, Fault> {
        model(chip).map(|model| Self::new(model, seed))
    }

    /// The same chip, whose instructions are executed by `tier` at most. What it does is the same.
    #[must_use]
    pub fn executed_by(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// The same chip, with this in its flash: images are not loaded then, but booted from there.
    #[must_use]
    pub fn flashed(self, content: Arc<[u8]>) -> Self {
        Self { flash_content: Some(content), ..self }
    }

    /// The same chip, which boots as one of `boots` did, if there is one like it, without running that again. What it
    /// says and does is the same, to the byte and to the nanosecond.
    #[must_use]
    pub fn booting_from(self, boots: Arc<Boots>) -> Self {
        Self { boots: Some(boots), ..self }
    }

    /// Instructions retired since power-on.
    pub fn instructions_retired(&self) -> u64 {
        self.chip.instructions_retired()
    }

    /// Those of them that were executed here, and not before a snapshot was taken that the chip goes on from.
    pub fn instructions_executed(&self) -> u64 {
        self.chip.instructions_retired().saturating_sub(self.skipped)
    }

    /// Bytes of the host's memory that the chip takes.
    pub fn memory_bytes(&self) -> usize {
        self.chip.memory_bytes()
    }

    /// A chip as the image needs it.
    fn power_on(&self) -> Box<dyn EmulatedChip> {
        (self.model.power_on)(&Settings {
            seed: self.seed,
            flash_bytes: self.own_flash.as_ref().map(|flash| flash.size_bytes),
            rom: self.rom.clone().map_or(Rom::Modelled, Rom::Elf),
            ..Settings::default()
        })
    }

    /// Puts the image into the chip.
    fn load(&mut self) -> Result<(), Fault> {
        self.is_loaded = true;
        let Some(image) = self.image.clone() else { return Ok(()) };
        let refused = |error: ImageError| Fault::Image(error.to_string());
        if let Some(flash) = &self.own_flash {
            self.chip.set_flash_content(&flash.bytes).map_err(refused)?;
            if !image.is_empty() {
                self.chip.know_symbols(&image);
            }
            self.chip.boot_from_flash();
            return Ok(());
        }
        let Some(content) = &self.flash_content else {
            return self.chip.load_elf(&image).map_err(refused);
        };
        self.chip.set_flash_content(content).map_err(refused)?;
        self.chip.know_symbols(&image);
        self.chip.boot_from_flash();
        Ok(())
    }

    /// Lets the image start, and run.
    fn start(&mut self) {
        self.chip.reset(Reset::PowerOn);
        self.chip.execute_by(self.tier);
    }

    fn tell(&mut self, port: PortId, bytes: &[u8]) {
        match self.model.chip.has_nic(port) {
            true => self.chip.frame_input(port, bytes),
            false => self.chip.serial_input(port, bytes),
        }
    }

    /// Does to the chip what the bench does, now.
    fn act_now(&mut self, act: &Done) {
        match act {
            Done::Looked(deadline) => drop(self.hear_now(*deadline)),
            Done::Sent(port, bytes) => {
                self.note(|| Step::Sent { port: *port, bytes: bytes.clone() });
                self.tell(*port, bytes);
            }
            Done::SentAir(frame) => {
                self.note(|| Step::SentAir(frame.clone()));
                self.chip.radio_input(frame.clone());
            }
        }
    }

    fn hear_now(&mut self, deadline: Instant) -> Heard {
        let heard = self.hear(deadline);
        self.note(|| Step::Looked { deadline, heard: heard.clone() });
        heard
    }

    /// Lets the chip run until it has said something, but not beyond `deadline`.
    fn hear(&mut self, deadline: Instant) -> Heard {
        if self.halted_at.is_none() {
            match self.chip.run_until(deadline) {
                Pause::Halted => self.halted_at = Some(self.chip.now()),
                // Nobody sets breakpoints here, and the deadline is never the far future: but were it so, time would
                // have to pass all the same.
                Pause::Deadline
                | Pause::SerialOutput
                | Pause::RadioFrame
                | Pause::Event
                | Pause::Asleep
                | Pause::Breakpoint
                | Pause::Watchpoint { .. } => {}
            }
        }
        let ports = self.take_output();
        let air = self.chip.take_radio_output();
        let incidents = self.incidents();
        let nothing = ports.is_empty() && air.is_empty() && incidents.is_empty();
        let at = match self.halted_at {
            Some(at) if nothing => deadline.max(at),
            Some(at) => at,
            None => self.chip.now(),
        };
        Heard { at, ports, air, incidents }
    }

    /// What has come out of each port.
    fn take_output(&mut self) -> Vec<(PortId, Vec<u8>)> {
        let mut output = Vec::new();
        for port in self.model.chip.serial_ports {
            let bytes = self.chip.take_serial_output(port.id);
            output.extend((!bytes.is_empty()).then_some((port.id, bytes)));
        }
        let left = self.chip.take_serial_output(chip::RTT);
        output.extend((!left.is_empty()).then_some((chip::RTT, left)));
        for nic in self.model.chip.nics {
            output.extend(self.chip.take_frames(nic.id).into_iter().map(|frame| (nic.id, frame)));
        }
        output
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

impl Board for Emulated {
    fn target(&self) -> Target {
        Target { chip: self.model.chip, emulated: true }
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        image.fits(self.model.chip)?;
        self.own_flash.clone_from(&image.flash);
        self.rom.clone_from(&image.rom);
        self.chip = self.power_on();
        self.halted_at = None;
        self.image = Some(Arc::clone(&image.elf));
        self.phase = Phase::Live;
        self.is_loaded = false;
        // What has booted once is an image for this chip.
        match self.kept(&[], None) {
            Some(_) => Ok(()),
            None => self.load(),
        }
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.halted_at = None;
        self.skipped = 0;
        // A run begins at power-on; that of a chip that has run since is none.
        let is_new = self.chip.now() == Instant::ZERO;
        if let Some(replay) = self.kept(&[], None) {
            if !is_new {
                self.chip = self.power_on();
                self.is_loaded = false;
            }
            self.phase = Phase::Replayed(replay);
            return Ok(());
        }
        if !self.is_loaded {
            self.load()?;
        }
        self.phase = if is_new { self.noted(None) } else { Phase::Live };
        self.start();
        Ok(())
    }

    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault> {
        self.settle(&Done::Looked(deadline))?;
        if let Phase::Replayed(replay) = &mut self.phase
            && let Some(heard) = replay.listen(deadline)
        {
            return Ok(heard);
        }
        Ok(self.hear_now(deadline))
    }

    fn send(&mut self, port: PortId, bytes: &[u8]) -> Result<(), Fault> {
        let chip = self.model.chip;
        if !chip.has_serial_port(port) && !chip.has_nic(port) {
            return Err(Fault::Bench(format!("the chip {chip} has no port `{port}`")));
        }
        let act = Done::Sent(port, bytes.to_vec());
        self.settle(&act)?;
        if let Phase::Replayed(replay) = &mut self.phase
            && replay.act(&act)
        {
            return Ok(());
        }
        if matches!(&self.phase, Phase::Noted(recorder) if !recorder.has_spoken) {
            self.keep_boot();
        }
        self.act_now(&act);
        Ok(())
    }

    fn send_air(&mut self, frame: RadioFrame) -> Result<(), Fault> {
        let act = Done::SentAir(frame);
        self.settle(&act)?;
        if let Phase::Replayed(replay) = &mut self.phase
            && replay.act(&act)
        {
            return Ok(());
        }
        self.act_now(&act);
        Ok(())
    }

    fn milestone(&mut self) {
        self.keep_boot();
    }
}
