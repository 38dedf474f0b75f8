//! The JTAG port of a virtual board: OpenOCD's `remote_bitbang` on a socket, beside everything else that the board does.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use emulator::EmulatedChip;
use rustix::event::{PollFd, PollFlags};

use super::names::Socket;
use crate::emulated::remote_bitbang::{RemoteBitbang, Stay};

/// A debugger that does not read its answers for so long is gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is read at once, in bytes.
const READ_BYTES: usize = 1 << 16;

/// The port, and the debugger at it.
pub(super) struct Jtag {
    socket: Socket,
    debugger: Option<(UnixStream, RemoteBitbang)>,
}

/// What a debugger has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Served {
    /// Whether it has just come.
    pub(super) is_new: bool,
    /// How often it has clocked the chip.
    pub(super) clocks: u64,
}

impl Jtag {
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        Ok(Self { socket: Socket::listen(path)?, debugger: None })
    }

    /// Does what the debugger has said by now.
    pub(super) fn serve(&mut self, chip: &mut dyn EmulatedChip) -> Served {
        let was_alone = self.debugger.is_none();
        if was_alone {
            // One debugger at a time; the others wait in the kernel.
            self.debugger = self.socket.listener.accept().ok().and_then(|(stream, _)| {
                stream.set_nonblocking(true).ok()?;
                Some((stream, RemoteBitbang::default()))
            });
        }
        let Some((stream, pins)) = &mut self.debugger else { return Served::default() };
        let result = converse(stream, pins, chip);
        let clocks = pins.take_clocks();
        if !matches!(result, Ok(Stay::Connected)) {
            self.debugger = None;
        }
        Served { is_new: was_alone, clocks }
    }

    /// For `poll`: when a debugger comes, or says something.
    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        match &self.debugger {
            Some((stream, _)) => PollFd::new(stream, PollFlags::IN),
            None => PollFd::new(&self.socket.listener, PollFlags::IN),
        }
    }
}

fn converse(stream: &mut UnixStream, pins: &mut RemoteBitbang, chip: &mut dyn EmulatedChip) -> io::Result<Stay> {
    let mut commands = vec![0; READ_BYTES];
    let length = match stream.read(&mut commands) {
        Ok(0) => return Ok(Stay::Quits),
        Ok(length) => length,
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            return Ok(Stay::Connected);
        }
        Err(error) => return Err(error),
    };
    let mut answers = Vec::new();
    let stay = pins.feed(chip, commands.get(..length).unwrap_or_default(), &mut answers);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&answers)?;
    stream.set_nonblocking(true)?;
    stay.map_err(io::Error::other)
}
