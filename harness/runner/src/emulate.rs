//! `cargo xtask emulate`: any ELF on an emulated chip, with its serial ports on the terminal.

use std::fs;
use std::io::{self, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use chip::{PortId, PortRole};
use clock::{Duration, Instant};
use emulator::{EmulatedChip, Model, Pause, Settings};

use crate::cli::Emulate;
use crate::exit;

/// How far the chip runs before the terminal is looked at again, in the chip's own time.
const SLICE: Duration = Duration::from_millis(10);

/// Runs the command.
///
/// # Errors
///
/// A sentence about the chip, the image or the port.
pub fn run(arguments: &Emulate) -> Result<u8, String> {
    let chip = arguments.board.chip()?;
    let model = emulator::model_of(chip).ok_or_else(|| format!("the chip {chip} is not emulated"))?;
    if arguments.map {
        // A reader who went away (`| head`) is no fault.
        let _ = writeln!(io::stdout(), "{}", (model.map)());
        return Ok(exit::AS_EXPECTED.code);
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    if arguments.gdb.is_none() {
        let flag = Arc::clone(&interrupted);
        ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(|error| error.to_string())?;
    }
    on(model, arguments, &keys(), &interrupted, &mut io::stdout())
}

/// As [`run`], on a chip of `model`; what is typed comes from `keys`, and what its consoles say goes to `terminal`.
///
/// # Errors
///
/// A sentence about the image or the port.
pub fn on(
    model: &Model,
    arguments: &Emulate,
    keys: &Receiver<Vec<u8>>,
    interrupted: &AtomicBool,
    terminal: &mut dyn Write,
) -> Result<u8, String> {
    let elf: &Path = arguments.elf.as_deref().ok_or("name an ELF file")?;
    let bytes = fs::read(elf).map_err(|error| format!("{}: {error}", elf.display()))?;
    let mut chip = (model.power_on)(&Settings { seed: arguments.seed, ..Settings::default() });
    chip.load_elf(&bytes)
        .map_err(|error| format!("{} is no image for the chip {}: {error}", elf.display(), model.chip))?;
    if let Some(port) = arguments.gdb {
        return debug(&mut *chip, port, terminal);
    }
    let until = arguments.until_ms.map_or(Instant::FAR_FUTURE, Instant::from_millis);
    let mut outcome = exit::AS_EXPECTED.code;
    while chip.now() < until && !interrupted.load(Ordering::SeqCst) {
        let pause = if arguments.trace { trace(&mut *chip) } else { chip.run_until(until.min(chip.now() + SLICE)) };
        for bytes in keys.try_iter() {
            for port in consoles(&*chip) {
                chip.serial_input(port, &bytes);
            }
        }
        show(&mut *chip, terminal).map_err(|error| format!("the terminal is gone: {error}"))?;
        if pause == Pause::Halted {
            outcome = exit::OTHERWISE.code;
            break;
        }
    }
    eprintln!("\n{} after {} instructions", chip.now(), chip.instructions_retired());
    Ok(outcome)
}

/// The ports that are the terminal's: a modem's are not.
fn consoles(chip: &dyn EmulatedChip) -> Vec<PortId> {
    let ports = chip.chip().serial_ports.iter();
    ports.filter(|port| port.role != PortRole::Modem).map(|port| port.id).collect()
}

/// What all consoles of the chip say goes to the terminal, what happens to the chip to standard error.
fn show(chip: &mut dyn EmulatedChip, terminal: &mut dyn Write) -> io::Result<()> {
    for port in consoles(chip) {
        terminal.write_all(&chip.take_serial_output(port))?;
    }
    terminal.flush()?;
    for event in chip.take_events() {
        eprintln!("{event}\n{}", event.backtrace);
    }
    Ok(())
}

/// Runs one instruction and prints it.
fn trace(chip: &mut dyn EmulatedChip) -> Pause {
    let next = chip.next_instruction();
    let function = next.function.map_or_else(String::new, |(name, offset)| format!("{name}+{offset:#x}"));
    eprintln!("{:>12}  {:#010x}  {:40} {function}", chip.instructions_retired(), next.address, next.text);
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

/// Waits for gdb and serves it until it detaches or kills the program.
fn debug(chip: &mut dyn EmulatedChip, port: u16, terminal: &mut dyn Write) -> Result<u8, String> {
    let refused = |error: io::Error| format!("port {port} of localhost: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    eprintln!("waiting for gdb: target remote localhost:{}", listener.local_addr().map_err(refused)?.port());
    let (stream, _) = listener.accept().map_err(refused)?;
    // What the chip says must not stop the session when the terminal is gone.
    let ended = emulator::gdb::serve(chip, stream, &mut |chip| _ = show(chip, terminal));
    eprintln!("gdb: {:?}", ended.map_err(|error| error.to_string())?);
    Ok(exit::AS_EXPECTED.code)
}
