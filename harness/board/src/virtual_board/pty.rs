//! A pseudo-terminal, seen from the side of the board, with a name for the bench.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

use super::names::Symlink;

/// What a host that does not read makes the board keep, in bytes; what is older is lost.
const UNHEARD_BYTES_MAX: usize = 256 * 1024;

/// Both ends of it: as long as ours of the bench's end is open, the bench may come and go.
pub(super) struct Pty {
    board: OwnedFd,
    bench: OwnedFd,
    _link: Symlink,
    unheard: VecDeque<u8>,
}

impl Pty {
    /// A new one, with the symbolic link `link` leading to the bench's end of it.
    pub(super) fn open(link: &Path) -> io::Result<Self> {
        let board = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::pty::grantpt(&board)?;
        rustix::pty::unlockpt(&board)?;
        let name = rustix::pty::ptsname(&board, Vec::new())?;
        let name = Path::new(OsStr::from_bytes(name.as_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let bench = rustix::fs::open(name, flags, Mode::empty())?;
        let mut settings = rustix::termios::tcgetattr(&bench)?;
        settings.make_raw();
        rustix::termios::tcsetattr(&bench, OptionalActions::Now, &settings)?;
        rustix::fs::fcntl_setfl(&board, OFlags::NONBLOCK)?;
        let link = Symlink::new(link, name)?;
        Ok(Self { board, bench, _link: link, unheard: VecDeque::new() })
    }

    /// Says `bytes`, now or when there is room.
    pub(super) fn say(&mut self, bytes: &[u8]) {
        self.unheard.extend(bytes);
        let surplus = self.unheard.len().saturating_sub(UNHEARD_BYTES_MAX);
        self.unheard.drain(..surplus);
        self.go_on();
    }

    /// Says what there is room for.
    pub(super) fn go_on(&mut self) {
        while !self.unheard.is_empty() {
            match rustix::io::write(&self.board, self.unheard.as_slices().0) {
                Ok(count) => drop(self.unheard.drain(..count)),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }

    /// What the bench has said.
    pub(super) fn hear(&mut self) -> Vec<u8> {
        let mut piece = [0; 4096];
        match rustix::io::read(&self.board, &mut piece) {
            Ok(count) => piece.iter().take(count).copied().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Takes back that somebody has reserved it (TIOCEXCL).
    pub(super) fn release(&self) {
        let _ = rustix::termios::ioctl_tiocnxcl(&self.bench);
    }

    /// For `poll`: when the bench says something.
    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.board, PollFlags::IN)
    }
}
