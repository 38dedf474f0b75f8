//! Runs an ELF file on the emulated chip: `cargo run -p emulator --example run -- FILE.elf [--until-ms N] [--seed N]`.
//!
//! Prints what it sends over USB-Serial-JTAG and UART0, the events as they happen, and what the run came to.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "whoever runs this reads it")]

use std::collections::VecDeque;
use std::io::Write;

use clock::{Duration, Instant};
use emulator::EmulatedChip;
use emulator::esp32c3::{Config, Esp32c3, Pause, Rom, SerialPort};

/// Prints what has happened since the last call.
fn show(chip: &mut dyn EmulatedChip) {
    for port in chip.chip().serial_ports {
        // Nobody reads on: the events still go to the other stream.
        let _ = std::io::stdout().write_all(&chip.take_serial_output(port.id));
    }
    let _ = std::io::stdout().flush();
    for event in chip.take_events() {
        eprintln!("[{event}]\n{}", event.backtrace);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut file = None;
    let (mut until_ms, mut config, mut trace, mut trace_from_ms) = (10_000, Config::default(), 0u64, 0);
    let (mut gdb_address, mut say) = (None, VecDeque::new());
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--until-ms" => until_ms = value()?.parse()?,
            "--seed" => config.seed = value()?.parse()?,
            "--trace" => trace = value()?.parse()?,
            "--trace-from-ms" => trace_from_ms = value()?.parse()?,
            "--rom" => config.rom = Rom::Elf(std::fs::read(value()?)?.into()),
            "--gdb" => gdb_address = Some(value()?),
            "--say" => say.push_back(value()?),
            "--map" => print!("{}", Esp32c3::map()),
            _ => file = Some(argument),
        }
    }
    let file =
        file.ok_or("usage: run FILE.elf [--until-ms N] [--seed N] [--trace INSTRUCTIONS [--trace-from-ms N]] [--map] [--rom ROM.elf] [--gdb ADDRESS] [--say LINE]...")?;
    let mut chip = Esp32c3::new(config);
    chip.load_elf(&std::fs::read(file)?)?;
    let started = std::time::Instant::now();
    let deadline = Instant::from_millis(until_ms);
    while trace > 0 && chip.run_until(Instant::from_millis(trace_from_ms)) != Pause::Deadline {}
    for _ in 0..trace {
        eprintln!("{}", chip.next_instruction());
        chip.step();
    }
    if let Some(address) = gdb_address {
        let (connection, _) = std::net::TcpListener::bind(address)?.accept()?;
        eprintln!("[gdb: {:?}]", emulator::gdb::serve(&mut chip, connection, &mut |chip| show(chip))?);
    }
    let mut silent_since = chip.now();
    loop {
        let pause = chip.run_until(deadline.min(silent_since + Duration::from_millis(10)));
        show(&mut chip);
        match pause {
            Pause::SerialOutput => silent_since = chip.now(),
            // What is to be said is said on UART0, a line at a time, when the chip has been silent for 10 ms.
            Pause::Deadline if chip.now() < deadline => {
                silent_since = chip.now();
                if let Some(line) = say.pop_front() {
                    chip.serial_input(SerialPort::Uart0, line.as_bytes());
                }
                continue;
            }
            _ => {}
        }
        if !matches!(pause, Pause::SerialOutput | Pause::Event) {
            eprintln!("[{pause:?} at {}]", chip.now());
            break;
        }
    }
    let (instructions, took) = (chip.instructions_retired(), started.elapsed());
    eprintln!(
        "[{instructions} instructions in {:.3} s: {:.1} million a second; {} KiB of memory]",
        took.as_secs_f64(),
        instructions as f64 / took.as_secs_f64() / 1e6,
        chip.memory_bytes() / 1024
    );
    eprintln!("{}", chip.backtrace());
    Ok(())
}
