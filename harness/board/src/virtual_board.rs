//! A board for tests of the hardware arm: an emulated chip in wall time, with a pseudo-terminal as its serial port.
//!
//! It is run as a process of its own. To the bench it is a board like any other: its port has a name in the file system,
//! and comes and goes; its debug probe is a socket; its power is switched by a command. What can go wrong with a board
//! can be made to go wrong here, by words on the control socket (`control.rs`).
//!
//! Its time keeps step with the wall's. Where the machine is too slow for that, the board's clock slips, as if the wall
//! had stood still: timers fire late, but never early. A board whose process was stopped has pulled its port out: a real one
//! is never stopped, and the bench must not blame the device for it.

mod control;
mod fault;
mod jtag;
mod names;
pub mod probe;
mod pty;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chip::PortRole;
use emulator::{EmulatedChip, Model, Reset};
use rustix::event::{PollFd, Timespec, poll};

use crate::emulated::jtag_port::TCK_PERIOD_US;
use crate::flasher::{FaultKind, ProbeFault};
use control::{Control, Request};
pub use control::{ask, ask_within, is_request};
use fault::{Cure, Faults};
use jtag::{Jtag, Served};
use pty::Pty;

/// How far the chip runs before the world is looked at again, in its own time.
const SLICE: Duration = Duration::from_millis(2);
/// How long the process sleeps if nothing arrives. Bounds how late the chip's own timers fire.
const TICK: Duration = Duration::from_millis(2);
/// A chip that is later than this has lost the time for good.
const SLIP: Duration = Duration::from_millis(20);
/// A process that comes to its turn later than this was stopped, or starved: what the bench heard of it says nothing.
const STOPPED: Duration = Duration::from_secs(2);
/// What one turn of a debugger may take, by the wall.
const DEBUG_MAX: Duration = Duration::from_millis(500);
/// For so long a port stays away that was pulled out.
const AWAY: Duration = Duration::from_millis(300);
/// No image of a microcontroller is longer, in bytes: debug information included.
const IMAGE_BYTES_MAX: u64 = 256 << 20;

/// What sets one board apart from another.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The chip.
    pub model: &'static Model,
    /// Where the chip's random numbers start.
    pub seed: u64,
    /// The name under which the serial port appears: a symbolic link.
    pub serial: PathBuf,
    /// The name under which the second serial port appears, at which a modem would be.
    pub modem: Option<PathBuf>,
    /// Where the debug probe and the power switch listen.
    pub control: PathBuf,
    /// Where the chip's JTAG port is: a socket that speaks OpenOCD's `remote_bitbang`.
    pub jtag: Option<PathBuf>,
}

/// The board.
pub struct VirtualBoard {
    settings: Settings,
    /// `None`: without power.
    chip: Option<Box<dyn EmulatedChip>>,
    /// What the flash held when the power was taken away.
    flash: Vec<u8>,
    /// An image that was loaded whole, past the flash.
    elf: Option<Vec<u8>>,
    /// When, on the wall, the chip's time was what.
    anchor: (Instant, clock::Instant),
    /// When the last turn began.
    last_turn: Instant,
    /// What it has said to the bench since it was started, in bytes.
    said_bytes: u64,
    /// Held by the debugger after flashing.
    is_held: bool,
    serial: Option<Pty>,
    modem: Option<Pty>,
    /// When a port that was pulled out comes back.
    back_at: Option<Instant>,
    control: Control,
    jtag: Option<Jtag>,
    faults: Faults,
}

impl VirtualBoard {
    /// A board with power and an empty flash.
    ///
    /// # Errors
    ///
    /// If a name is taken or a pseudo-terminal cannot be had.
    pub fn new(settings: Settings) -> io::Result<Self> {
        let serial = Some(Pty::open(&settings.serial)?);
        let modem = settings.modem.as_deref().map(Pty::open).transpose()?;
        let control = Control::listen(&settings.control)?;
        let jtag = settings.jtag.as_deref().map(Jtag::listen).transpose()?;
        Ok(Self {
            chip: Some(power_on(&settings)),
            flash: Vec::new(),
            elf: None,
            anchor: (Instant::now(), clock::Instant::ZERO),
            last_turn: Instant::now(),
            said_bytes: 0,
            is_held: false,
            serial,
            modem,
            back_at: None,
            control,
            jtag,
            faults: Faults::default(),
            settings,
        })
    }

    /// Lives until `stop` is set, or somebody says `quit`.
    ///
    /// # Errors
    ///
    /// If the machine refuses something that it has not refused before.
    pub fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        while !stop.load(Ordering::Relaxed) {
            self.notice_stop();
            self.let_time_pass();
            self.debug();
            self.exchange();
            if self.obey()? {
                break;
            }
            self.come_back()?;
            self.wait()?;
        }
        Ok(())
    }

    /// Pulls the port out if this process did not run for long, so that the bench hears of it.
    fn notice_stop(&mut self) {
        let took = self.last_turn.elapsed();
        self.last_turn = Instant::now();
        if took > STOPPED && self.serial.is_some() && !self.is_held {
            self.back_at = Some(Instant::now() + AWAY);
        }
    }

    /// Runs the chip up to now.
    fn let_time_pass(&mut self) {
        if self.is_held {
            return;
        }
        let Some(now) = self.chip.as_ref().map(|chip| chip.now()) else { return };
        let (wall, board) = self.anchor;
        let due = board + wall.elapsed();
        let reached = self.run_until(due, SLIP).unwrap_or(now);
        // Late for good, or ahead for good: a debugger's clock takes the chip along.
        if due.since(reached) >= SLIP || reached.since(due) >= SLIP {
            self.anchor = (Instant::now(), reached);
        }
    }

    /// Runs the chip to `due`, but for no longer than `patience` by the wall, and hands on what it says.
    fn run_until(&mut self, due: clock::Instant, patience: Duration) -> Option<clock::Instant> {
        let chip = self.chip.as_mut()?;
        let began = Instant::now();
        while chip.now() < due && began.elapsed() < patience && self.back_at.is_none() {
            let before = chip.now();
            chip.run_until(due.min(before + SLICE));
            let (mut said, mut said_second) = (Vec::new(), Vec::new());
            for port in chip.chip().serial_ports {
                let output = chip.take_serial_output(port.id);
                match port.role {
                    PortRole::Bench => said = output,
                    PortRole::Modem => said_second = output,
                    PortRole::Console | PortRole::Log => {}
                }
            }
            chip.take_events();
            self.said_bytes += said.len() as u64;
            if self.faults.counts_output(said.len()) {
                self.back_at = Some(Instant::now() + AWAY);
            }
            // Nobody is at the other end of a cable that is not there.
            if let Some(pty) = &mut self.serial {
                pty.say(&said);
            }
            if let Some(pty) = &mut self.modem {
                pty.say(&said_second);
            }
            if chip.now() == before && said.is_empty() && said_second.is_empty() {
                // Halted, or stopped by a debugger: its time stands still.
                break;
            }
        }
        Some(chip.now())
    }

    /// Lets a debugger work the chip's pins, and the time pass that its clock takes.
    fn debug(&mut self) {
        let (Some(jtag), Some(chip)) = (&mut self.jtag, &mut self.chip) else { return };
        let Served { is_new, clocks } = jtag.serve(&mut **chip);
        let due = chip.now() + Duration::from_micros(TCK_PERIOD_US.saturating_mul(clocks));
        if is_new {
            self.release_ports();
        }
        if clocks > 0 {
            self.run_until(due, DEBUG_MAX);
        }
    }

    /// Takes what the bench says, and gives it what is waiting for it.
    fn exchange(&mut self) {
        if self.back_at.is_some() {
            self.serial = None;
        }
        let ports = [(&mut self.serial, PortRole::Bench), (&mut self.modem, PortRole::Modem)];
        for (pty, role) in ports {
            let Some(pty) = pty else { continue };
            pty.go_on();
            if !self.faults.is_deaf {
                let heard = pty.hear();
                if let Some(chip) = self.chip.as_mut().filter(|_| !heard.is_empty())
                    && let Some(port) = chip.chip().port_for(role)
                {
                    chip.serial_input(port, &heard);
                }
            }
        }
    }

    /// Plugs in again what was pulled out.
    fn come_back(&mut self) -> io::Result<()> {
        if self.back_at.is_some_and(|at| Instant::now() >= at) {
            self.back_at = None;
            self.serial = Some(Pty::open(&self.settings.serial)?);
        }
        Ok(())
    }

    /// Does what was asked on the control socket; `true`: that was to end.
    fn obey(&mut self) -> io::Result<bool> {
        let (faults, control) = (&self.faults, &mut self.control);
        let Some((request, reply)) = control.take(|request| faults.answers(request))? else { return Ok(false) };
        let is_quit = request == Request::Quit;
        reply.say(&self.enact(request));
        Ok(is_quit)
    }

    fn enact(&mut self, request: Request) -> Result<String, ProbeFault> {
        let other = |why: String| ProbeFault::new(FaultKind::Other, why);
        let corrupt = |why: String| ProbeFault::new(FaultKind::CorruptImage, why);
        match request {
            Request::Attach => {
                self.faults.cure(Cure::Attach);
                self.release_ports();
            }
            Request::Load(file) => {
                let elf = image(&file).map_err(|error| other(format!("{}: {error}", file.display())))?;
                let mut chip = power_on(&self.settings);
                chip.load_elf(&elf).map_err(|error| corrupt(error.to_string()))?;
                self.elf = Some(elf);
                self.chip = Some(chip);
                self.is_held = true;
            }
            Request::Reset => {
                self.faults.cure(Cure::Reset);
                self.start();
            }
            Request::Erase => {
                self.faults.cure(Cure::Erase);
                self.elf = None;
                self.chip = Some(power_on(&self.settings));
            }
            Request::UsbReset => {
                self.faults.cure(Cure::UsbReset);
                self.serial = None;
                self.back_at = Some(Instant::now() + AWAY);
            }
            Request::PowerOff => {
                self.flash = self.chip.take().map(|chip| chip.flash_content()).unwrap_or_default();
                self.serial = None;
                self.back_at = None;
            }
            Request::PowerOn => {
                self.faults.cure(Cure::Power);
                if self.chip.is_none() {
                    let mut chip = power_on(&self.settings);
                    match &self.elf {
                        Some(elf) => chip.load_elf(elf),
                        None => chip.set_flash_content(&self.flash),
                    }
                    .map_err(|error| corrupt(error.to_string()))?;
                    self.chip = Some(chip);
                    self.serial = Some(Pty::open(&self.settings.serial).map_err(|error| other(error.to_string()))?);
                    self.start();
                }
            }
            Request::Fault(words) => self.faults.arm(&words)?,
            Request::State => return Ok(self.state()),
            Request::Quit => {}
        }
        Ok(String::new())
    }

    /// From the reset vector, with the garbage that lines carry while chips start.
    fn start(&mut self) {
        self.is_held = false;
        self.said_bytes = 0;
        self.faults.note_start();
        if let Some(pty) = &mut self.serial {
            pty.say(&self.faults.garbage());
        }
        if let Some(chip) = &mut self.chip {
            chip.reset(Reset::PowerOn);
            self.anchor = (Instant::now(), chip.now());
        }
    }

    /// A bench that was killed has left the ports reserved; those of a real board would have forgotten that.
    fn release_ports(&self) {
        self.serial.iter().chain(&self.modem).for_each(Pty::release);
    }

    fn state(&self) -> String {
        format!(
            "power={} loaded={} held={} plugged={} said={}",
            self.chip.is_some(),
            self.elf.is_some(),
            self.is_held,
            self.serial.is_some(),
            self.said_bytes
        )
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds: Vec<PollFd<'_>> = vec![self.control.poll_fd()];
        let heard = self.serial.iter().chain(&self.modem).filter(|_| !self.faults.is_deaf);
        fds.extend(heard.map(Pty::poll_fd));
        fds.extend(self.jtag.as_ref().filter(|_| self.chip.is_some()).map(Jtag::poll_fd));
        let limit = Timespec::try_from(TICK).map_err(io::Error::other)?;
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The bytes of an image: of a regular file, as a pipe or a device may never end.
fn image(file: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("this is no regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(IMAGE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > IMAGE_BYTES_MAX {
        return Err(io::Error::other("too long for an image"));
    }
    Ok(bytes)
}

fn power_on(settings: &Settings) -> Box<dyn EmulatedChip> {
    let chip = emulator::Settings { seed: settings.seed, ..emulator::Settings::default() };
    let mut chip = (settings.model.power_on)(&chip);
    chip.boot_from_flash();
    chip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_no_image() {
        assert!(image(Path::new("/dev/zero")).expect_err("a device").to_string().contains("no regular file"));
        assert!(image(Path::new("no/such/file")).is_err());
    }
}
