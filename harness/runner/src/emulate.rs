//! `cargo xtask emulate`: any ESP32-C3 ELF, with its serial ports on the terminal.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use clock::{Duration, Instant};
use emulator::esp32c3::{Config, Esp32c3, Pause, SerialPort};
use emulator::riscv::disassemble;

use crate::cli::Emulate;
use crate::exit;

/// How far the chip runs before the terminal is looked at again, in the chip's own time.
const SLICE: Duration = Duration::from_millis(10);

/// Runs the command.
///
/// # Errors
///
/// A sentence about the image or the port.
pub fn run(arguments: &Emulate) -> Result<u8, String> {
    if arguments.map {
        println!("{}", Esp32c3::map());
        return Ok(exit::AS_EXPECTED.code);
    }
    let elf: &Path = arguments.elf.as_deref().ok_or("name an ELF file")?;
    let bytes = fs::read(elf).map_err(|error| format!("{}: {error}", elf.display()))?;
    let mut chip = Esp32c3::new(Config { seed: arguments.seed, ..Config::default() });
    chip.load_elf(&bytes).map_err(|error| format!("{}: {error}", elf.display()))?;
    if let Some(port) = arguments.gdb {
        return debug(&mut chip, port);
    }
    let until = arguments.until_ms.map_or(Instant::FAR_FUTURE, Instant::from_millis);
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(|error| error.to_string())?;
    let keys = keys();
    let mut outcome = exit::AS_EXPECTED.code;
    while chip.now() < until && !interrupted.load(Ordering::SeqCst) {
        let pause = if arguments.trace { trace(&mut chip) } else { chip.run_until(until.min(chip.now() + SLICE)) };
        for bytes in keys.try_iter() {
            chip.serial_input(SerialPort::UsbSerialJtag, &bytes);
            chip.serial_input(SerialPort::Uart0, &bytes);
        }
        show(&mut chip).map_err(|error| format!("the terminal is gone: {error}"))?;
        if pause == Pause::Halted {
            outcome = exit::OTHERWISE.code;
            break;
        }
    }
    eprintln!("\n{} after {} instructions", chip.now(), chip.instructions_retired());
    Ok(outcome)
}

/// What both consoles of the chip say goes to standard output, what happens to the chip to standard error.
fn show(chip: &mut Esp32c3) -> io::Result<()> {
    let mut terminal = io::stdout().lock();
    for port in [SerialPort::UsbSerialJtag, SerialPort::Uart0] {
        terminal.write_all(&chip.take_serial_output(port))?;
    }
    terminal.flush()?;
    for event in chip.take_events() {
        eprintln!("{event}\n{}", event.backtrace);
    }
    Ok(())
}

/// Runs one instruction and prints it.
fn trace(chip: &mut Esp32c3) -> Pause {
    let pc = chip.hart().pc();
    let function = chip.function_at(pc).map_or_else(String::new, |(name, offset)| format!("{name}+{offset:#x}"));
    eprintln!("{:>12}  {pc:#010x}  {:40} {function}", chip.instructions_retired(), instruction(chip, pc));
    chip.step()
}

fn instruction(chip: &Esp32c3, pc: u32) -> String {
    let mut bytes = [0; 4];
    // The last instruction of a region may be a compressed one, with nothing behind it.
    if chip.read_memory(pc, &mut bytes).is_err() && chip.read_memory(pc, &mut bytes[..2]).is_err() {
        return "(not memory)".into();
    }
    disassemble(pc, u32::from_le_bytes(bytes))
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
fn debug(chip: &mut Esp32c3, port: u16) -> Result<u8, String> {
    let refused = |error: io::Error| format!("port {port} of localhost: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    eprintln!("waiting for gdb: target remote localhost:{}", listener.local_addr().map_err(refused)?.port());
    let (stream, _) = listener.accept().map_err(refused)?;
    // What the chip says must not stop the session when the terminal is gone.
    let ended = emulator::gdb::serve(chip, stream, &mut |chip| _ = show(chip)).map_err(|error| error.to_string())?;
    eprintln!("gdb: {ended:?}");
    Ok(exit::AS_EXPECTED.code)
}
