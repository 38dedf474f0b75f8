//! Flashes boards through probe-rs, in a process of its own that may be killed.
//!
//! `probe serve` is asked by the bench over standard input ([`board::flasher::protocol`]); nobody else of the bench
//! links probe-rs, which takes longer to build than all the rest. Boards on the bench's own emulator are flashed by the
//! same code: probe-rs is given one more kind of debug probe ([`emulated`]), which works the pins of an emulated chip,
//! and cannot tell the difference.
//!
//! It knows neither scenarios nor the serial line.

mod attach;
mod blame;
#[cfg(unix)]
mod emulated;
mod flash;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Flashes boards through probe-rs.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests: one JSON object a line on standard input, answers on standard output
    #[command(after_help = "\
Example:
  (echo '{\"request\":\"list\"}'; sleep 1) | probe serve

The end of standard input ends the process at once, whatever it does.")]
    Serve,
    /// Name the debug probes that are plugged in
    List,
}

fn main() -> ExitCode {
    probe_rs_espressif::register_plugin();
    #[cfg(unix)]
    emulated::register();
    match Cli::parse().command {
        Command::Serve => serve::serve(),
        Command::List => {
            for probe in attach::list() {
                let barred = if probe.accessible { "" } else { "  (this user may not open it)" };
                terminal::outln!("{}  {}{barred}", probe.selector, probe.name);
            }
            ExitCode::SUCCESS
        }
    }
}
