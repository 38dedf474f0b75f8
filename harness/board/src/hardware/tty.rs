//! One serial port: raw bytes, and never a wait.
//!
//! A port is opened without blocking and asked by `poll`, so that a device that does not read holds up nobody: what it
//! has not taken stays here and is evidence. This is why the port is not `serialport`'s: its writes block until the
//! kernel has room, and a firmware that hangs would hang the bench.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions};

/// What is read at once, in bytes.
const READ_BYTES: usize = 4096;
/// What one call of [`Tty::hear`] takes at most, in bytes: a board that babbles must not keep the bench from speaking.
const HEAR_BYTES_MAX: usize = 256 * 1024;
/// What waits for a device that does not read, in bytes. The world's windows are smaller by far.
const UNSAID_BYTES_MAX: usize = 4 << 20;

/// A serial port, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The device file; better a stable name such as those in `/dev/serial/by-id`.
    pub path: PathBuf,
    /// Bits a second. A USB device that is no UART ignores it.
    pub baud: u32,
}

/// Why a port is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortFault {
    /// There is no such file.
    Absent(PathBuf),
    /// This user may not open it.
    PermissionDenied(PathBuf),
    /// Somebody else has it.
    Busy(PathBuf),
    /// It was there, and went away.
    Vanished(PathBuf, String),
    /// None of these.
    Other(PathBuf, String),
}

impl fmt::Display for PortFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(path) => write!(
                f,
                "there is no serial port {}: plug the board in, or compare `serial` in its file with `cargo xtask \
                 boards --scan`",
                path.display()
            ),
            Self::PermissionDenied(path) => write!(
                f,
                "this user may not open the serial port {}: `cargo xtask doctor` says which group or udev rule is \
                 missing",
                path.display()
            ),
            Self::Busy(path) => write!(
                f,
                "another program has the serial port {}: close it (ModemManager and terminal programs take ports)",
                path.display()
            ),
            Self::Vanished(path, why) => write!(f, "the serial port {} went away ({why})", path.display()),
            Self::Other(path, why) => write!(f, "the serial port {}: {why}", path.display()),
        }
    }
}

/// An open serial port.
#[derive(Debug)]
pub(crate) struct Tty {
    path: PathBuf,
    fd: OwnedFd,
    /// What the device has not taken yet.
    unsaid: VecDeque<u8>,
}

impl Tty {
    /// Opens a port for nobody else: 8 data bits, no parity, one stop bit, no flow control.
    pub(crate) fn open(port: &Port) -> Result<Self, PortFault> {
        let path = port.path.clone();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT | Errno::NODEV | Errno::NXIO => PortFault::Absent(path.clone()),
            Errno::ACCESS | Errno::PERM => PortFault::PermissionDenied(path.clone()),
            Errno::BUSY => PortFault::Busy(path.clone()),
            error => PortFault::Other(path.clone(), error.to_string()),
        })?;
        let tty = Self { path, fd, unsaid: VecDeque::new() };
        tty.dress(port.baud).map_err(|error| match error {
            Errno::NOTTY => PortFault::Other(tty.path.clone(), "that is no serial port".into()),
            error => PortFault::Other(tty.path.clone(), error.to_string()),
        })?;
        Ok(tty)
    }

    fn dress(&self, baud: u32) -> Result<(), Errno> {
        let mut settings = rustix::termios::tcgetattr(&self.fd)?;
        settings.make_raw();
        settings.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
        // HUPCL would drop DTR and RTS on closing, which resets boards that are wired so.
        settings.control_modes -= ControlModes::HUPCL | ControlModes::CSTOPB | ControlModes::CRTSCTS;
        settings.set_speed(baud)?;
        rustix::termios::tcsetattr(&self.fd, OptionalActions::Now, &settings)?;
        rustix::termios::ioctl_tiocexcl(&self.fd)
    }

    /// Throws away what has arrived and what has not been said.
    pub(crate) fn forget(&mut self) -> Result<(), PortFault> {
        self.unsaid.clear();
        // What the kernel still holds for a device that does not read is of the past as well.
        rustix::termios::tcflush(&self.fd, rustix::termios::QueueSelector::IOFlush)
            .map_err(|error| self.vanished(error))?;
        self.hear().map(drop)
    }

    /// What has arrived; never waits.
    pub(crate) fn hear(&mut self) -> Result<Vec<u8>, PortFault> {
        let mut heard = Vec::new();
        let mut piece = [0; READ_BYTES];
        while heard.len() < HEAR_BYTES_MAX {
            match rustix::io::read(&self.fd, &mut piece) {
                Ok(0) => return if heard.is_empty() { Err(self.vanished("end of file")) } else { Ok(heard) },
                Ok(count) => heard.extend(piece.iter().take(count)),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                // What came before the end is still evidence.
                Err(_) if !heard.is_empty() => break,
                Err(error) => return Err(self.vanished(error)),
            }
        }
        Ok(heard)
    }

    /// Says `bytes`, as many as the port takes now; the others are said by [`Self::go_on`].
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Result<(), PortFault> {
        if self.unsaid.len().saturating_add(bytes.len()) > UNSAID_BYTES_MAX {
            return Err(PortFault::Other(
                self.path.clone(),
                format!("the board has not read {} bytes, and the bench has more to say", self.unsaid.len()),
            ));
        }
        self.unsaid.extend(bytes);
        self.go_on()
    }

    /// Says as much of what is unsaid as the port takes now.
    pub(crate) fn go_on(&mut self) -> Result<(), PortFault> {
        while !self.unsaid.is_empty() {
            match rustix::io::write(&self.fd, self.unsaid.as_slices().0) {
                Ok(count) => drop(self.unsaid.drain(..count)),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(self.vanished(error)),
            }
        }
        Ok(())
    }

    /// How many bytes the device has not taken.
    pub(crate) fn unsaid_bytes(&self) -> usize {
        self.unsaid.len()
    }

    /// What to ask `poll` for.
    pub(crate) fn wants(&self) -> PollFlags {
        if self.unsaid.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
    }

    /// Whether the name still leads to a port: one that was unplugged is gone from the folder before it is from `poll`.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let here = rustix::fs::fstat(&self.fd).map(|stat| (stat.st_rdev, stat.st_ino));
        let there = rustix::fs::stat(path).map(|stat| (stat.st_rdev, stat.st_ino));
        matches!((here, there), (Ok(here), Ok(there)) if here == there)
    }

    fn vanished(&self, why: impl fmt::Display) -> PortFault {
        PortFault::Vanished(self.path.clone(), why.to_string())
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
