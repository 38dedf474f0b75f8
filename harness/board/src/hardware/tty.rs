//! One serial port: raw bytes, and never a wait.
//!
//! `serialport` opens it, for nobody else, and sets it up. From then on it is read and written without blocking and asked
//! by `poll`, so that a device that does not read holds up nobody: what it has not taken stays here and is evidence.
//! (`serialport`'s own writes block until the kernel has room, and a firmware that hangs would hang the bench.)

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions};
use serialport::ErrorKind;

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
        let name = path.to_str().ok_or_else(|| PortFault::Other(path.clone(), "its name is not UTF-8".into()))?;
        let opened = serialport::new(name, port.baud).open_native().map_err(|error| refused(&path, &error))?;
        // SAFETY: `into_raw_fd` gives the descriptor away; it is open, and nobody else's from here on.
        let fd = unsafe { OwnedFd::from_raw_fd(opened.into_raw_fd()) };
        let tty = Self { path, fd, unsaid: VecDeque::new() };
        tty.undress().map_err(|error| PortFault::Other(tty.path.clone(), error.to_string()))?;
        Ok(tty)
    }

    /// Takes away what `serialport` leaves on: blocking, and hanging up.
    fn undress(&self) -> Result<(), Errno> {
        rustix::io::ioctl_fionbio(&self.fd, true)?;
        let mut settings = rustix::termios::tcgetattr(&self.fd)?;
        // HUPCL would drop DTR and RTS on closing, which resets boards that are wired so.
        settings.control_modes -= ControlModes::HUPCL;
        rustix::termios::tcsetattr(&self.fd, OptionalActions::Now, &settings)
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

/// Why `serialport` could not open the port at `path`.
fn refused(path: &Path, error: &serialport::Error) -> PortFault {
    let path_owned = path.to_owned();
    match error.kind() {
        ErrorKind::Io(io::ErrorKind::NotFound) => PortFault::Absent(path_owned),
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => PortFault::PermissionDenied(path_owned),
        // Exclusive for another program (TIOCEXCL), or locked by it (flock).
        ErrorKind::NoDevice => PortFault::Busy(path_owned),
        // The rest has no kind of its own: a name that outlives its device, and a file that is none.
        _ => match rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty()) {
            Err(Errno::NODEV | Errno::NXIO) => PortFault::Absent(path_owned),
            Ok(file) if !rustix::termios::isatty(&file) => {
                PortFault::Other(path_owned, "that is no serial port".into())
            }
            _ => PortFault::Other(path_owned, error.to_string()),
        },
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests;
