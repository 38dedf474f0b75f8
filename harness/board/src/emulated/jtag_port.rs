//! The JTAG port of an emulated chip on a Unix socket, served by a thread that owns the chip meanwhile.
//!
//! Time passes for the chip with each clock, as if TCK ran at [`TCK_PERIOD_US`]: slowly, so that a debugger which waits for
//! the chip need not ask often.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use clock::Duration;
use emulator::{EmulatedChip, Pause};

use super::remote_bitbang::{RemoteBitbang, Stay};

/// The chip's time for each clock of TCK: 20 kHz.
pub const TCK_PERIOD_US: u64 = 50;

/// The port, open until [`Self::close`].
#[derive(Debug)]
pub struct JtagPort {
    path: PathBuf,
    closing: Arc<AtomicBool>,
    /// The debugger that is being served.
    debugger: Arc<Mutex<Option<UnixStream>>>,
    thread: Option<JoinHandle<Box<dyn EmulatedChip>>>,
}

impl JtagPort {
    /// Opens the port of `chip` at `path`, where nothing may lie. One debugger at a time is served.
    ///
    /// # Errors
    ///
    /// If the socket cannot be bound.
    pub fn open(chip: Box<dyn EmulatedChip>, path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let closing = Arc::new(AtomicBool::new(false));
        let debugger = Arc::new(Mutex::new(None));
        let (told, present) = (Arc::clone(&closing), Arc::clone(&debugger));
        let thread = thread::spawn(move || serve(chip, &listener, &told, &present));
        Ok(Self { path: path.to_owned(), closing, debugger, thread: Some(thread) })
    }

    /// Waits for the debugger to go, closes the port, and gives the chip back.
    ///
    /// # Errors
    ///
    /// If the thread has panicked.
    pub fn close(mut self) -> io::Result<Box<dyn EmulatedChip>> {
        self.stop().ok_or_else(|| io::Error::other("the thread of the emulated chip has panicked"))
    }

    fn stop(&mut self) -> Option<Box<dyn EmulatedChip>> {
        let thread = self.thread.take()?;
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the thread if it waits for a debugger.
        let _ = UnixStream::connect(&self.path);
        let chip = thread.join().ok();
        let _ = fs::remove_file(&self.path);
        chip
    }
}

impl Drop for JtagPort {
    fn drop(&mut self) {
        // Nobody waits for a debugger here.
        if let Some(debugger) = &*present(&self.debugger) {
            let _ = debugger.shutdown(Shutdown::Both);
        }
        self.stop();
    }
}

fn present(debugger: &Mutex<Option<UnixStream>>) -> MutexGuard<'_, Option<UnixStream>> {
    debugger.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut chip: Box<dyn EmulatedChip>,
    listener: &UnixListener,
    closing: &AtomicBool,
    debugger: &Mutex<Option<UnixStream>>,
) -> Box<dyn EmulatedChip> {
    loop {
        match listener.accept() {
            Ok(_) if closing.load(Ordering::SeqCst) => return chip,
            // A debugger that breaks off, or says what is no command, is gone; the next may come.
            Ok((stream, _)) => {
                *present(debugger) = stream.try_clone().ok();
                let _ = converse(&mut *chip, stream);
                *present(debugger) = None;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return chip,
        }
    }
}

fn converse(chip: &mut dyn EmulatedChip, mut stream: UnixStream) -> io::Result<()> {
    let mut pins = RemoteBitbang::default();
    let mut commands = vec![0; 1 << 16];
    let mut answers = Vec::new();
    loop {
        let length = stream.read(&mut commands)?;
        let said = commands.get(..length).unwrap_or_default();
        let stay = if length == 0 { Ok(Stay::Quits) } else { pins.feed(chip, said, &mut answers) };
        pass_time(chip, pins.take_clocks());
        stream.write_all(&answers)?;
        answers.clear();
        if stay.map_err(io::Error::other)? == Stay::Quits {
            return Ok(());
        }
    }
}

/// As much time as these clocks take. What the chip says meanwhile, nobody hears.
fn pass_time(chip: &mut dyn EmulatedChip, clocks: u64) {
    let deadline = chip.now() + Duration::from_micros(TCK_PERIOD_US.saturating_mul(clocks));
    loop {
        match chip.run_until(deadline) {
            Pause::SerialOutput => {
                for port in chip.chip().serial_ports {
                    chip.take_serial_output(port.id);
                }
            }
            Pause::RadioFrame => {
                chip.take_radio_output();
            }
            Pause::Event => {
                chip.take_events();
            }
            Pause::Deadline | Pause::Halted | Pause::Asleep | Pause::Breakpoint | Pause::Watchpoint { .. } => return,
        }
    }
}
