//! `cargo xtask emulate`: firmware on an emulated chip, with its serial ports on the terminal.

mod air;
mod console;
mod events;
mod heartbeat;
mod loaded;

use std::io::{self, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant as Wall;

use blame::Error;
use chip::{PortId, PortRole};
use clock::{Duration, Instant};
use emulator::gdb::Ended;
use emulator::{EmulatedChip, Model, Pause};

use crate::cli::Emulate;
use crate::exit;
use air::Surroundings;
use console::Console;
use events::EventPrinter;
use heartbeat::Heartbeat;
pub(crate) use heartbeat::duration;

/// How far the chip runs before the terminal is looked at again, in the chip's own time.
const SLICE: Duration = Duration::from_millis(10);

/// Runs the command.
///
/// # Errors
///
/// A sentence about the chip, the image or the port.
pub fn run(root: &Path, arguments: &Emulate) -> blame::Result<u8> {
    let chip = arguments.board.chip_of(&arguments.image);
    let model = emulator::model_of(chip).ok_or_else(|| Error::bench(format!("the chip {chip} is not emulated")))?;
    if arguments.map {
        terminal::outln!("{}", (model.map)());
        return Ok(exit::AS_EXPECTED.code);
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    if arguments.gdb.is_none() {
        let flag = Arc::clone(&interrupted);
        ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(Error::bench)?;
    }
    on(root, model, arguments, &keys(), &interrupted, &mut terminal::Console::stdout(arguments.raw))
}

/// As [`run`], on a chip of `model`; what is typed comes from `keys`, and what its consoles say goes to `terminal`.
///
/// # Errors
///
/// A sentence about the image or the port.
pub fn on(
    root: &Path,
    model: &Model,
    arguments: &Emulate,
    keys: &Receiver<Vec<u8>>,
    interrupted: &AtomicBool,
    terminal: &mut dyn Write,
) -> blame::Result<u8> {
    let mut chip = loaded::power_on(root, model, arguments)?;
    let mut seen = Seen { console: Console::new(consoles(&*chip)), events: EventPrinter::default(), terminal };
    let result = match arguments.gdb {
        Some(port) => debug(&mut *chip, port, &mut seen).map(|()| false),
        None => run_chip(&mut *chip, arguments, keys, interrupted, &mut seen),
    };
    match seen.console.finish(seen.terminal) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        finished => finished.map_err(gone)?,
    }
    let has_halted = result?;
    terminal::errln!("\n{} after {} instructions", chip.now(), chip.instructions_retired());
    if let Some(file) = &arguments.flash_state {
        loaded::keep_state(&*chip, file)?;
    }
    Ok(match (seen.events.has_failed(), has_halted) {
        (true, _) => exit::FIRMWARE_FAILED.code,
        (false, true) => exit::OTHERWISE.code,
        (false, false) => exit::AS_EXPECTED.code,
    })
}

/// Until the limit, Ctrl-C, or the chip's end; whether it was that.
fn run_chip(
    chip: &mut dyn EmulatedChip,
    arguments: &Emulate,
    keys: &Receiver<Vec<u8>>,
    interrupted: &AtomicBool,
    seen: &mut Seen<'_>,
) -> blame::Result<bool> {
    let until = heartbeat::limit(arguments).unwrap_or(Instant::FAR_FUTURE);
    let mut air = Surroundings::of(arguments)?;
    let (mut has_halted, mut heartbeat) = (false, Heartbeat::new(Wall::now()));
    let sign = heartbeat::sign(arguments);
    while !has_halted && chip.now() < until && !interrupted.load(Ordering::SeqCst) {
        let deadline = air.deadline(chip.now(), until.min(chip.now() + SLICE));
        let pause = if arguments.trace { trace(chip) } else { chip.run_until(deadline) };
        for bytes in keys.try_iter() {
            if let Some(port) = seen.console.listens() {
                chip.serial_input(port, &bytes);
            }
        }
        let has_shown = match seen.show(chip) {
            // Nobody listens any more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            shown => shown.map_err(gone)?,
        };
        if has_shown {
            heartbeat.rest(Wall::now());
        } else if heartbeat.is_due(Wall::now()) {
            terminal::errln!("… {}, {} instructions; {sign}", chip.now(), chip.instructions_retired());
        }
        if let Err(why) = air.exchange(chip) {
            // What was on the air before is kept all the same.
            air.finish()?;
            return Err(why);
        }
        has_halted = pause == Pause::Halted;
    }
    air.finish()?;
    if interrupted.load(Ordering::SeqCst) {
        terminal::errln!("\ninterrupted: what was seen and kept so far is written");
    }
    Ok(has_halted)
}

/// The ports that are the terminal's: a modem's are not, and RTT is.
fn consoles(chip: &dyn EmulatedChip) -> Vec<PortId> {
    let ports = chip.chip().serial_ports.iter();
    ports.filter(|port| port.role != PortRole::Modem).map(|port| port.id).chain([chip::RTT]).collect()
}

/// What the user sees of the chip.
struct Seen<'a> {
    console: Console,
    events: EventPrinter,
    terminal: &'a mut dyn Write,
}

impl Seen<'_> {
    /// What the chip's consoles say goes to the terminal, what happens to the chip to standard error. Whether that was
    /// anything.
    fn show(&mut self, chip: &mut dyn EmulatedChip) -> io::Result<bool> {
        let mut has_shown = false;
        for port in consoles(chip) {
            let bytes = chip.take_serial_output(port);
            has_shown |= !bytes.is_empty();
            self.console.hear(port, &bytes, chip.now());
        }
        let events = chip.take_events();
        has_shown |= !events.is_empty();
        if !events.is_empty() {
            // What it said before stands before what happened then.
            self.console.finish(self.terminal)?;
        }
        self.console.write(self.terminal, chip.now())?;
        for event in events {
            terminal::errln!("{}", self.events.tell(&event));
        }
        Ok(has_shown)
    }
}

fn gone(error: io::Error) -> Error {
    Error::bench(format!("the terminal is gone: {error}"))
}

/// Runs one instruction and prints it.
fn trace(chip: &mut dyn EmulatedChip) -> Pause {
    let next = chip.next_instruction();
    let function = next.function.map_or_else(String::new, |(name, offset)| format!("{name}+{offset:#x}"));
    terminal::errln!("{:>12}  {:#010x}  {:40} {function}", chip.instructions_retired(), next.address, next.text);
    chip.step()
}

/// What is typed, as it comes. The thread ends with the process: a blocking read cannot be called off.
fn keys() -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(length @ 1..) = io::stdin().read(&mut buffer) {
            if send.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receive
}

/// Waits for gdb and serves it until it kills the program; when it detaches or goes away, another may come.
fn debug(chip: &mut dyn EmulatedChip, port: u16, seen: &mut Seen<'_>) -> blame::Result<()> {
    let known = chip.chip();
    if !emulator::gdb::serves(known.architecture) {
        let words = format!("--gdb: gdb's registers of {} are not known here: leave it out", known.architecture);
        return Err(Error::usage(format!("{words} for the {}, or take --trace", known.title)));
    }
    let refused = |error: io::Error| Error::bench(format!("port {port} of localhost: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    let port = listener.local_addr().map_err(refused)?.port();
    loop {
        terminal::errln!("waiting for gdb: target remote localhost:{port}");
        let (stream, _) = listener.accept().map_err(refused)?;
        // What the chip says must not stop the session when the terminal is gone.
        match emulator::gdb::serve(chip, stream, &mut |chip| _ = seen.show(chip)) {
            Ok(Ended::Detached) => terminal::errln!("gdb has detached: the chip stands until another comes"),
            Ok(ended) => {
                terminal::errln!("gdb: {ended:?}");
                return Ok(());
            }
            Err(error) => terminal::errln!("{error}"),
        }
    }
}
