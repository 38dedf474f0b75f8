//! A board in its slot of the rack: locked, wired, and recovered when it no longer answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blame::{Error, Result};
use board::hardware::{Limits, Port, Trouble, Wiring};
use board::{Board as _, Hardware, Image, PortRole};

use crate::emulated::{self, Process};
use crate::lock::{self, Holder, Lock};
use crate::map::{self, Entry, Lan};
use crate::recovery::{Next, Recovery, Step};
use crate::switch::Switch;
use crate::wedged;

/// What boards need to know of the run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The folder of this machine's locks.
    pub locks: PathBuf,
    /// What this process wants boards for.
    pub why: String,
    /// How long to wait for a board that somebody else holds.
    pub patience: Duration,
    /// A folder for images on their way to boards.
    pub folder: PathBuf,
    /// This program, of which boards of its own making are processes.
    pub program: PathBuf,
    /// The program that holds debug probes, with arguments; `None` where nobody has built it.
    pub flasher: Option<Vec<String>>,
    /// The seed of emulated boards.
    pub seed: u64,
    /// How long each thing may take.
    pub limits: Limits,
}

/// Why a scenario has no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The bench failed, and the board is not to blame: another one would fare no better.
    Bench(String),
    /// The bench failed, and another try may not: the board failed and has recovered, or a line was lost.
    Passing(String),
    /// The board is wedged, for this reason.
    Wedged(String),
}

/// A board in the rack.
pub struct Slot {
    entry: Entry,
    hardware: Hardware,
    switch: Switch,
    recovery: Recovery,
    log: Vec<String>,
    /// The folder of locks, and of notes beside them.
    locks: PathBuf,
    /// A folder of its own.
    folder: PathBuf,
    /// The process of a board of our own making.
    _process: Option<Process>,
    /// Last: let go when nothing touches the board any more.
    _lock: Lock,
}

/// What makes a board this one and no other, on this machine.
pub fn identity(entry: &Entry) -> String {
    match &entry.facts.serial {
        _ if entry.facts.is_emulated() => format!("emulated-{}", entry.name),
        Some(serial) => format!("{}-{}", entry.facts.probe, serial.display()),
        None => entry.facts.probe.clone(),
    }
}

/// What a board is locked by: its serial port, whatever links and device files lead to it, so that two files of the map that
/// name one port share one lock.
pub fn lock_identity(entry: &Entry) -> String {
    let port = entry.facts.serial.as_ref().filter(|_| !entry.facts.is_emulated());
    // Nothing is plugged in there: what the file calls it.
    port.and_then(|port| port_identity(port)).unwrap_or_else(|| identity(entry))
}

/// The kernel's number of a port, as a port may have several device files; without one, the path that all links lead to.
fn port_identity(port: &Path) -> Option<String> {
    let path = port.canonicalize().ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
        let metadata = path.metadata().ok()?;
        if metadata.file_type().is_char_device() {
            let number = metadata.rdev();
            return Some(format!("port {}:{}", rustix::fs::major(number), rustix::fs::minor(number)));
        }
    }
    Some(path.display().to_string())
}

impl Slot {
    /// Takes the board of `entry`, and touches nothing of it yet.
    ///
    /// # Errors
    ///
    /// If somebody else has it, or it cannot be wired up.
    pub fn take(entry: &Entry, setting: &Setting) -> Result<Self> {
        let holder = Holder::this(&setting.why);
        let lock = lock::take(&setting.locks, &lock_identity(entry), &holder, setting.patience)
            .map_err(|unavailable| Error::bench(format!("{unavailable} (`--wait SECONDS` waits for it)")))?;
        let folder = setting.folder.join(&entry.name);
        let process = match entry.facts.is_emulated() {
            true => Some(Process::start(&setting.program, &entry.name, entry.facts.chip, setting.seed)?),
            false => None,
        };
        let wiring = wiring(entry, process.as_ref(), folder.clone(), setting)?;
        let switch = process.as_ref().map_or_else(|| Switch::of(entry), |process| Switch::Emulated(process.control()));
        let recovery = Recovery::new(|step| match step {
            Step::UsbReset => switch.resets_usb(),
            Step::PowerCycle => switch.switches_power(),
            Step::Reattach | Step::Reset | Step::EraseAndReflash => true,
        });
        let entry = entry.clone();
        Ok(Self {
            entry,
            hardware: Hardware::new(wiring),
            switch,
            recovery,
            log: Vec::new(),
            locks: setting.locks.clone(),
            folder,
            _process: process,
            _lock: lock,
        })
    }

    /// The board's name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// What was done to it besides scenarios.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// The board has passed its check: it is not wedged any more, whatever is noted.
    pub fn is_healthy(&self) {
        wedged::forget(&self.locks, &identity(&self.entry));
    }

    /// Puts something down in the board's log.
    pub fn note(&mut self, words: &str) {
        // Words of probes and programs, on their way to a terminal.
        self.log.push(words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
    }

    /// Erases the board and gives it its image anew: what a board that works and does not do right may be helped by.
    ///
    /// # Errors
    ///
    /// If it cannot be done.
    pub fn refresh(&mut self, image: &Image) -> Result<()> {
        let result = self.hardware.erase().map_err(Error::bench).and_then(|()| self.takes(image));
        let words = result.as_ref().map_or_else(Error::to_string, |()| "done".to_owned());
        self.note(&format!("erase and reflash: {words}"));
        result
    }

    /// The board's entry in the map.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// A folder of the board's own, for what is made on the way to it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the board's power away and gives it back.
    ///
    /// # Errors
    ///
    /// If nothing switches it.
    pub fn cycle_power(&mut self, limit: Duration) -> Result<()> {
        self.take_step(Step::PowerCycle, limit)
    }

    /// Where the board finds its broker, if it has a network of its own.
    pub fn lan(&self) -> Option<&Lan> {
        self.entry.facts.lan.as_ref()
    }

    /// Does something with the board, and recovers the board if it no longer answers afterwards.
    ///
    /// # Errors
    ///
    /// If it has no outcome; recovery has been tried by then.
    pub fn with<T>(&mut self, image: &Image, one: impl FnOnce(&mut Hardware) -> Result<T>) -> Result<T, Failure> {
        self.hardware.take_trouble();
        let result = one(&mut self.hardware);
        self.judge(image, result)
    }

    fn judge<T>(&mut self, image: &Image, result: Result<T>) -> Result<T, Failure> {
        let unread = self.hardware.unread_bytes();
        if unread > 0 {
            self.note(&format!("left {unread} bytes of its serial lines unread"));
        }
        let why = match result {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error.message,
        };
        match self.hardware.take_trouble() {
            None => Err(Failure::Passing(why)),
            Some(Trouble::Host(_)) => Err(Failure::Bench(why)),
            // The board is as well as it was; the scenario is tried again.
            Some(Trouble::Late(_)) => Err(Failure::Passing(why)),
            // Another board would not take it either.
            Some(Trouble::Probe(fault)) if fault.kind.is_the_images() => Err(Failure::Bench(why)),
            Some(trouble) => match self.recover(&trouble, image) {
                Ok(()) => Err(Failure::Passing(why)),
                Err(last) => Err(Failure::Wedged(last.message)),
            },
        }
    }

    /// Tries step after step until the board takes its image and starts again; else says what was wrong with it last.
    fn recover(&mut self, trouble: &Trouble, image: &Image) -> Result<()> {
        self.note(&format!("trouble: {trouble}"));
        let mut last = Error::bench(trouble);
        self.recovery.begin(match trouble {
            Trouble::Probe(fault) => Some(fault.kind),
            Trouble::Port(_) | Trouble::Host(_) | Trouble::Late(_) => None,
        });
        while let Next::Try(step, limit) = self.recovery.next_step() {
            let began = Instant::now();
            let result = self.take_step(step, limit).and_then(|()| self.takes(image));
            let took_ms = began.elapsed().as_millis();
            match result {
                Ok(()) => {
                    self.note(&format!("{step}: answers again after {took_ms} ms"));
                    return Ok(());
                }
                Err(why) => {
                    self.note(&format!("{step}: {why} ({took_ms} ms)"));
                    last = why;
                }
            }
        }
        self.note("wedged: it leaves the run");
        wedged::note(&self.locks, &identity(&self.entry), &last.message);
        self.hardware.let_go();
        Err(last)
    }

    fn take_step(&mut self, step: Step, limit: Duration) -> Result<()> {
        match step {
            Step::Reattach => self.hardware.reattach().map_err(Error::bench),
            Step::Reset => self.hardware.reset().map_err(Error::bench),
            Step::UsbReset => {
                self.hardware.let_go();
                self.switch.reset_usb(limit)
            }
            Step::EraseAndReflash => self.hardware.erase().map_err(Error::bench),
            Step::PowerCycle => {
                self.hardware.let_go();
                self.switch.cycle_power(limit)
            }
        }
    }

    /// Whether the board takes the image, has its port, and can be started.
    fn takes(&mut self, image: &Image) -> Result<()> {
        let result = self.hardware.flash(image).and_then(|()| self.hardware.reset());
        self.hardware.take_trouble();
        result.map_err(Error::bench)
    }
}

fn wiring(entry: &Entry, process: Option<&Process>, folder: PathBuf, setting: &Setting) -> Result<Wiring> {
    let facts = &entry.facts;
    let port = |path: &Path| Port { path: path.to_owned(), baud: facts.baud };
    let (flasher, probe, serial, modem) = match process {
        Some(process) => {
            // Through probe-rs as any other, where it is built; else its images are loaded whole.
            let (flasher, probe) = match &setting.flasher {
                Some(flasher) => (flasher.clone(), format!("socket:{}", process.jtag().display())),
                None => emulated::direct_flasher(&setting.program, &process.control())?,
            };
            (flasher, probe, port(&process.serial()), Some(port(&process.modem())))
        }
        None => {
            let flasher = if facts.flasher.is_empty() { setting.flasher.clone() } else { Some(facts.flasher.clone()) };
            let flasher = flasher.ok_or_else(|| {
                Error::bench(
                    "the program that holds debug probes is not built: `cargo xtask hil --on hardware` builds it",
                )
            })?;
            let serial = facts.serial.as_deref().ok_or_else(|| Error::author("its file names no serial port"))?;
            (flasher, facts.probe.clone(), port(serial), facts.modem.as_deref().map(port))
        }
    };
    let chip = facts.chip;
    let at = |role: PortRole| {
        let why = || Error::author(format!("{}: the chip {chip} has no serial port for that", entry.file.display()));
        chip.port_for(role).ok_or_else(why)
    };
    let mut ports = vec![(at(PortRole::Bench)?, serial)];
    if let Some(modem) = modem {
        ports.push((at(PortRole::Modem)?, modem));
    }
    Ok(Wiring { chip, flasher, probe, ports, folder, limits: limits(facts, setting.limits) })
}

/// The bench's limits, but for what the board's file says.
fn limits(facts: &map::Facts, usual: Limits) -> Limits {
    let or = |own: Option<u16>, usual| own.map_or(usual, |seconds| Duration::from_secs(seconds.into()));
    Limits {
        attach: or(facts.limits.attach_s, usual.attach),
        flash: or(facts.limits.flash_s, usual.flash),
        reset: or(facts.limits.reset_s, usual.reset),
        erase: or(facts.limits.erase_s, usual.erase),
        port: or(facts.limits.port_s, usual.port),
        late: usual.late,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_one_whatever_it_is_called() {
        use rustix::fs::{CWD, FileType, makedev, mknodat};
        let folder = tempfile::tempdir().expect("a folder");
        let (link, node) = (folder.path().join("link"), folder.path().join("node"));
        std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
        let port = port_identity(Path::new("/dev/null"));
        assert_eq!(port.as_deref(), Some("port 1:3"));
        assert_eq!(port_identity(&link), port);
        // A second device file, which root alone may make.
        if mknodat(CWD, &node, FileType::CharacterDevice, 0o600.into(), makedev(1, 3)).is_ok() {
            assert_eq!(port_identity(&node), port);
        }
        assert_ne!(port_identity(Path::new("/dev/zero")), port);
        assert_eq!(port_identity(&folder.path().join("unplugged")), None);
    }
}
