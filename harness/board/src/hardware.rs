//! The hardware arm: a real board behind a debug probe and serial ports, in wall time.
//!
//! The probe is in the hands of a child process ([`Flasher`]); the serial ports are open before the chip is let go, so
//! that boot logs are whole. An image is flashed when it is another than the one that the board has; between scenarios
//! of one image the chip is only reset.
//!
//! Time starts at each reset. What the device did not read of what it was told waits and is no fault: a firmware that
//! hangs does not read.

mod tty;

use std::fs;
use std::path::PathBuf;
use std::time::{self, Duration};

use clock::Instant;
use rustix::event::{PollFd, Timespec, poll};

pub use tty::{Port, PortFault};

use chip::{Chip, PortId};

use crate::flasher::{FaultKind, Flasher, ProbeFault, Progress};
use crate::lateness::{self, Late, Lateness};
use crate::{Board, Fault, Heard, Image, Target};
use tty::Tty;

/// For so long a board may go on talking after the bench has stopped listening to a run.
const QUIET_MAX: Duration = Duration::from_millis(200);
/// A line on which nothing has arrived for so long is quiet.
const QUIET: Duration = Duration::from_millis(10);

/// What a board is reached by.
#[derive(Clone, Debug)]
pub struct Wiring {
    /// The chip.
    pub chip: &'static Chip,
    /// The program that holds the debug probe, with its arguments.
    pub flasher: Vec<String>,
    /// Which probe.
    pub probe: String,
    /// This machine's ends of the chip's serial ports, as far as they are connected.
    pub ports: Vec<(PortId, Port)>,
    /// A folder for the images on their way to the board.
    pub folder: PathBuf,
    /// How long each thing may take.
    pub limits: Limits,
}

/// How long each thing may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attaching to the chip.
    pub attach: Duration,
    /// Flashing an image, verification included.
    pub flash: Duration,
    /// Letting the chip go.
    pub reset: Duration,
    /// Erasing the whole flash.
    pub erase: Duration,
    /// For a serial port to come back after it went away.
    pub port: Duration,
    /// This machine may come later than it is due to what a device says, before the attempt is the bench's failure.
    pub late: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attach: Duration::from_secs(20),
            flash: Duration::from_secs(120),
            reset: Duration::from_secs(10),
            erase: Duration::from_secs(120),
            port: Duration::from_secs(5),
            late: lateness::LIMIT,
        }
    }
}

/// What of a board did not do its part, for whoever wants to make it well again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The debug probe, or the chip behind it.
    Probe(ProbeFault),
    /// A serial port.
    Port(PortFault),
    /// This machine: a file that cannot be written.
    Host(String),
    /// This machine did not come to its turn for so long: a device may have given up on it.
    Late(Late),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Probe(fault) => fault.fmt(f),
            Self::Port(fault) => fault.fmt(f),
            Self::Host(why) => f.write_str(why),
            Self::Late(late) => late.fmt(f),
        }
    }
}

impl From<PortFault> for Trouble {
    fn from(fault: PortFault) -> Self {
        Self::Port(fault)
    }
}

impl From<ProbeFault> for Trouble {
    fn from(fault: ProbeFault) -> Self {
        Self::Probe(fault)
    }
}

/// A real board.
pub struct Hardware {
    wiring: Wiring,
    flasher: Option<Flasher>,
    /// In the order of the wiring's ports; `None` while it is not open.
    ttys: Vec<Option<Tty>>,
    /// What the board's flash holds, as far as this process knows.
    on_board: Option<Image>,
    began: time::Instant,
    /// What this machine may be late in a run, which is less where a device waits for less.
    late_max: Duration,
    /// Since the run began.
    lateness: Lateness,
    /// What the last fault was about.
    trouble: Option<Trouble>,
    progress: Option<Box<dyn FnMut(Progress) + Send>>,
}

impl Hardware {
    /// A board, which is not touched yet.
    pub fn new(wiring: Wiring) -> Self {
        Self {
            ttys: wiring.ports.iter().map(|_| None).collect(),
            late_max: wiring.limits.late,
            lateness: Lateness::new(wiring.limits.late, lateness::now()),
            wiring,
            flasher: None,
            on_board: None,
            began: time::Instant::now(),
            trouble: None,
            progress: None,
        }
    }

    /// Has `progress` told how flashing goes.
    pub fn tell_progress(&mut self, progress: Box<dyn FnMut(Progress) + Send>) {
        self.progress = Some(progress);
    }

    /// What the last fault was about; forgets it.
    pub fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// Whether the board has this image in its flash, as far as this process knows.
    pub fn has(&self, image: &Image) -> bool {
        self.on_board.as_ref().is_some_and(|held| held.name == image.name && held.elf == image.elf)
    }

    /// How many bytes of its serial lines the board has left unread: a firmware that hangs does not read.
    pub fn unread_bytes(&self) -> usize {
        self.ttys.iter().flatten().map(Tty::unsaid_bytes).sum()
    }

    /// Attaches to the chip anew.
    ///
    /// # Errors
    ///
    /// If the probe or the chip does not answer.
    pub fn reattach(&mut self) -> Result<(), Trouble> {
        match &mut self.flasher {
            Some(flasher) => flasher.reattach(self.wiring.limits.attach)?,
            None => drop(self.flasher()?),
        }
        Ok(())
    }

    /// Lets go of the probe and of the ports, as before a power cycle. What the flash holds is not believed any more.
    pub fn let_go(&mut self) {
        self.flasher = None;
        self.close_ports();
        self.on_board = None;
    }

    /// Erases the whole flash.
    ///
    /// # Errors
    ///
    /// If the probe or the chip does not answer.
    pub fn erase(&mut self) -> Result<(), Trouble> {
        self.on_board = None;
        let limit = self.wiring.limits.erase;
        Ok(self.flasher()?.erase(limit)?)
    }

    fn flasher(&mut self) -> Result<&mut Flasher, ProbeFault> {
        let wiring = &self.wiring;
        if self.flasher.as_ref().is_none_or(|flasher| !flasher.is_alive()) {
            self.flasher = None;
        }
        match &mut self.flasher {
            Some(flasher) => Ok(flasher),
            none => {
                let limit = wiring.limits.attach;
                Ok(none.insert(Flasher::start(&wiring.flasher, wiring.chip, &wiring.probe, limit)?))
            }
        }
    }

    fn try_flash(&mut self, image: &Image) -> Result<(), Trouble> {
        if self.has(image) {
            return Ok(());
        }
        self.on_board = None;
        let host = |error: std::io::Error| Trouble::Host(format!("the image cannot be laid out: {error}"));
        fs::create_dir_all(&self.wiring.folder).map_err(host)?;
        let file = self.wiring.folder.join(format!("{}.elf", image.name));
        fs::write(&file, &image.elf).map_err(host)?;
        let limit = self.wiring.limits.flash;
        let mut progress = self.progress.take();
        let result = self.flasher().and_then(|flasher| {
            flasher.flash(&file, limit, &mut |step| {
                if let Some(tell) = &mut progress {
                    tell(step);
                }
            })
        });
        self.progress = progress;
        result?;
        self.on_board = Some(image.clone());
        Ok(())
    }

    fn try_reset(&mut self) -> Result<(), Trouble> {
        self.open_ports()?;
        self.hush()?;
        // From here on, whatever arrives belongs to the run: nothing is thrown away once the chip has been let go.
        self.began = time::Instant::now();
        let limit = self.wiring.limits.reset;
        self.flasher()?.reset(limit)?;
        self.lateness = Lateness::new(self.late_max, lateness::now());
        Ok(())
    }

    /// Opens what is not open, and what has been plugged in anew under its name.
    fn open_ports(&mut self) -> Result<(), PortFault> {
        let limit = self.wiring.limits.port;
        self.ttys.iter_mut().zip(&self.wiring.ports).try_for_each(|(tty, (_, port))| open(tty, port, limit))
    }

    fn close_ports(&mut self) {
        self.ttys.iter_mut().for_each(|tty| *tty = None);
    }

    /// Waits until the firmware of the run before has stopped talking, or has been given enough time for it.
    fn hush(&mut self) -> Result<(), PortFault> {
        let limit = time::Instant::now() + QUIET_MAX;
        loop {
            for tty in self.ttys.iter_mut().flatten() {
                tty.forget()?;
            }
            if !self.wait(QUIET)? || time::Instant::now() >= limit {
                return Ok(());
            }
        }
    }

    /// Waits until a port has something to say or takes what is unsaid; `false`: nothing happened for `at_most`.
    fn wait(&mut self, at_most: Duration) -> Result<bool, PortFault> {
        let ttys = self.ttys.iter().flatten();
        let mut fds: Vec<PollFd<'_>> = ttys.map(|tty| PollFd::new(tty, tty.wants())).collect();
        let Some((_, first)) = self.wiring.ports.first().filter(|_| !fds.is_empty()) else { return Ok(false) };
        let limit = Timespec::try_from(at_most).ok();
        match poll(&mut fds, limit.as_ref()) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(PortFault::Other(first.path.clone(), error.to_string())),
        }
    }

    fn try_listen(&mut self, deadline: Instant) -> Result<Heard, Trouble> {
        loop {
            self.lateness.turn(lateness::now()).map_or(Ok(()), |late| Err(Trouble::Late(late)))?;
            let left = deadline.since(self.now());
            let turn = self.lateness.turn_max();
            if self.wait(left.min(turn))? || left <= turn {
                break;
            }
        }
        self.lateness.turn(lateness::now()).map_or(Ok(()), |late| Err(Trouble::Late(late)))?;
        let at = self.now();
        let mut ports = Vec::new();
        for (tty, (port, _)) in self.ttys.iter_mut().zip(&self.wiring.ports) {
            let Some(tty) = tty else { continue };
            tty.go_on()?;
            let bytes = tty.hear()?;
            ports.extend((!bytes.is_empty()).then_some((*port, bytes)));
        }
        Ok(Heard { at, ports, air: Vec::new(), incidents: Vec::new() })
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    /// Notes the trouble, and puts it in the words of a fault.
    fn troubled(&mut self, trouble: Trouble) -> Fault {
        // Whatever it was: the next reset opens and attaches anew, and does not believe in the flash.
        match &trouble {
            Trouble::Port(_) => self.close_ports(),
            Trouble::Probe(fault) if fault.kind != FaultKind::PermissionDenied => self.on_board = None,
            Trouble::Probe(_) | Trouble::Host(_) | Trouble::Late(_) => {}
        }
        let fault = match &trouble {
            Trouble::Probe(fault) => fault.clone().into(),
            Trouble::Port(fault) => Fault::Bench(fault.to_string()),
            Trouble::Host(why) => Fault::Bench(why.clone()),
            Trouble::Late(_) => Fault::Bench(trouble.to_string()),
        };
        self.trouble = Some(trouble);
        fault
    }
}

/// Opens `port`, unless `tty` is just that; a port that is not there is waited for.
fn open(tty: &mut Option<Tty>, port: &Port, limit: Duration) -> Result<(), PortFault> {
    /// How often to look whether a port has come back: udev does not say so to those who do not ask it.
    const LOOK_EVERY: Duration = Duration::from_millis(20);
    if tty.as_ref().is_some_and(|tty| tty.is_at(&port.path)) {
        return Ok(());
    }
    *tty = None;
    let until = time::Instant::now() + limit;
    loop {
        match Tty::open(port) {
            Ok(opened) => {
                *tty = Some(opened);
                return Ok(());
            }
            // Just plugged in, a port belongs to root until udev has seen to it.
            Err(PortFault::Absent(_) | PortFault::PermissionDenied(_)) if time::Instant::now() < until => {
                std::thread::sleep(LOOK_EVERY);
            }
            Err(fault) => return Err(fault),
        }
    }
}

impl Board for Hardware {
    fn target(&self) -> Target {
        Target { chip: self.wiring.chip, emulated: false }
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        image.fits(self.wiring.chip)?;
        if image.flash.is_some() {
            return Err(Fault::Image(
                "a flash image boots on emulated chips alone; a board is flashed with an ELF file".into(),
            ));
        }
        self.try_flash(image).map_err(|trouble| self.troubled(trouble))
    }

    fn may_be_late(&mut self, by_max: Duration) {
        self.late_max = by_max.min(self.wiring.limits.late);
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.try_reset().map_err(|trouble| self.troubled(trouble))
    }

    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault> {
        self.try_listen(deadline).map_err(|trouble| self.troubled(trouble))
    }

    fn send(&mut self, port: PortId, bytes: &[u8]) -> Result<(), Fault> {
        let Some(at) = self.wiring.ports.iter().position(|(one, _)| *one == port) else {
            let chip = self.wiring.chip;
            let why =
                format!("this machine is not connected to the board's port `{port}`: name it in the board's file");
            let none = format!("the chip {chip} has no port `{port}`");
            return Err(Fault::Bench(if chip.has_serial_port(port) { why } else { none }));
        };
        // What is not open is opened by the next reset.
        let Some(tty) = self.ttys.get_mut(at).and_then(Option::as_mut) else { return Ok(()) };
        tty.say(bytes).map_err(|fault| self.troubled(fault.into()))
    }
}
