//! A board for tests of the hardware arm: an emulated chip in wall time, with a pseudo-terminal as its serial port.
//!
//! It is run as a process of its own. To the bench it is a board like any other: its port has a name in the file system,
//! and comes and goes; its debug probe is a socket; its power is switched by a command. What can go wrong with a board
//! can be made to go wrong here, by words on the control socket ([`control`]).
//!
//! Its time keeps step with the wall's. Where the machine is too slow for that, the board's clock slips, as if the wall
//! had stood still: timers fire late, but never early.

mod control;
mod fault;
pub mod probe;
mod pty;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emulator::esp32c3::{Config, Esp32c3, ResetCause, SerialPort};
use rustix::event::{PollFd, Timespec, poll};

use control::{Control, Request};
pub use control::{ask, ask_within};
use fault::{Cure, Faults};
use pty::Pty;

/// How far the chip runs before the world is looked at again, in its own time.
const SLICE: Duration = Duration::from_millis(2);
/// How long the process sleeps if nothing arrives. Bounds how late the chip's own timers fire.
const TICK: Duration = Duration::from_millis(2);
/// A chip that is later than this has lost the time for good.
const SLIP: Duration = Duration::from_millis(20);
/// For so long a port stays away that was pulled out.
const AWAY: Duration = Duration::from_millis(300);

/// What sets one board apart from another.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the chip's random numbers start.
    pub seed: u64,
    /// The name under which the serial port appears: a symbolic link.
    pub serial: PathBuf,
    /// The name under which the second serial port appears, at which a modem would be.
    pub modem: Option<PathBuf>,
    /// Where the debug probe and the power switch listen.
    pub control: PathBuf,
}

/// The board.
pub struct VirtualBoard {
    settings: Settings,
    /// `None`: without power.
    chip: Option<Esp32c3>,
    /// What the flash holds: it outlasts the power.
    flash: Option<Vec<u8>>,
    /// When, on the wall, the chip's time was what.
    anchor: (Instant, clock::Instant),
    /// Held by the debugger after flashing.
    is_held: bool,
    serial: Option<Pty>,
    modem: Option<Pty>,
    /// When a port that was pulled out comes back.
    back_at: Option<Instant>,
    control: Control,
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
        Ok(Self {
            chip: Some(power_on(settings.seed)),
            flash: None,
            anchor: (Instant::now(), clock::Instant::ZERO),
            is_held: false,
            serial,
            modem,
            back_at: None,
            control,
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
            self.let_time_pass();
            self.exchange();
            if self.obey()? {
                break;
            }
            self.come_back()?;
            self.wait()?;
        }
        Ok(())
    }

    /// Runs the chip up to now.
    fn let_time_pass(&mut self) {
        if self.is_held {
            return;
        }
        let Some(chip) = &mut self.chip else { return };
        let (wall, board) = self.anchor;
        let due = board + wall.elapsed();
        let began = Instant::now();
        while chip.now() < due && began.elapsed() < SLIP {
            chip.run_until(due.min(chip.now() + SLICE));
            let said = chip.take_serial_output(SerialPort::UsbSerialJtag);
            let said_second = chip.take_serial_output(SerialPort::Uart1);
            chip.take_events();
            if self.faults.counts_output(said.len()) {
                self.back_at = Some(Instant::now() + AWAY);
            }
            // Nobody at the other end of a cable that is not there.
            if let Some(pty) = &mut self.serial {
                pty.say(&said);
            }
            if let Some(pty) = &mut self.modem {
                pty.say(&said_second);
            }
            if self.back_at.is_some() {
                break;
            }
        }
        if due.since(chip.now()) >= SLIP {
            self.anchor = (Instant::now(), chip.now());
        }
    }

    /// Takes what the bench says, and gives it what is waiting for it.
    fn exchange(&mut self) {
        if self.back_at.is_some() {
            self.serial = None;
        }
        let ports = [(&mut self.serial, SerialPort::UsbSerialJtag), (&mut self.modem, SerialPort::Uart1)];
        for (pty, port) in ports {
            let Some(pty) = pty else { continue };
            pty.go_on();
            if !self.faults.is_deaf {
                let heard = pty.hear();
                if let Some(chip) = self.chip.as_mut().filter(|_| !heard.is_empty()) {
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

    fn enact(&mut self, request: Request) -> Result<String, String> {
        match request {
            Request::Attach => self.faults.cure(Cure::Attach),
            Request::Load(file) => {
                let elf = fs::read(&file).map_err(|error| format!("other {}: {error}", file.display()))?;
                let mut chip = power_on(self.settings.seed);
                chip.load_elf(&elf).map_err(|error| format!("corrupt_image {error}"))?;
                self.flash = Some(elf);
                self.chip = Some(chip);
                self.is_held = true;
            }
            Request::Reset => {
                self.faults.cure(Cure::Reset);
                self.start();
            }
            Request::Erase => {
                self.faults.cure(Cure::Erase);
                self.flash = None;
                self.chip = Some(power_on(self.settings.seed));
            }
            Request::UsbReset => {
                self.faults.cure(Cure::UsbReset);
                self.serial = None;
                self.back_at = Some(Instant::now() + AWAY);
            }
            Request::PowerOff => {
                self.chip = None;
                self.serial = None;
                self.back_at = None;
            }
            Request::PowerOn => {
                self.faults.cure(Cure::Power);
                if self.chip.is_none() {
                    let mut chip = power_on(self.settings.seed);
                    if let Some(elf) = &self.flash {
                        chip.load_elf(elf).map_err(|error| format!("corrupt_image {error}"))?;
                    }
                    self.chip = Some(chip);
                    self.serial = Some(Pty::open(&self.settings.serial).map_err(|error| error.to_string())?);
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
        if let Some(pty) = &mut self.serial {
            pty.say(&self.faults.garbage());
        }
        if let Some(chip) = &mut self.chip {
            chip.reset(ResetCause::PowerOn);
            self.anchor = (Instant::now(), chip.now());
        }
    }

    fn state(&self) -> String {
        format!(
            "power={} flashed={} held={} plugged={}",
            self.chip.is_some(),
            self.flash.is_some(),
            self.is_held,
            self.serial.is_some()
        )
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds: Vec<PollFd<'_>> = vec![self.control.poll_fd()];
        let heard = self.serial.iter().chain(&self.modem).filter(|_| !self.faults.is_deaf);
        fds.extend(heard.map(Pty::poll_fd));
        let limit = Timespec::try_from(TICK).map_err(io::Error::other)?;
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.settings.control);
    }
}

fn power_on(seed: u64) -> Esp32c3 {
    Esp32c3::new(Config { seed, ..Config::default() })
}

/// Makes `link` lead to `target`, whatever stood there before, unless that is a real file.
fn link(link: &Path, target: &Path) -> io::Result<()> {
    if let Ok(there) = fs::symlink_metadata(link) {
        if !there.file_type().is_symlink() {
            let words = format!("{} is there already, and no link", link.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(target, link)
}
