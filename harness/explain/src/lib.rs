//! `cargo xtask explain`: why a handshake ended as it did, and what to do about it.
//!
//! Of a scenario: cause, evidence and remedy, from its reviewed snapshots. Of an error code or a log: what it is in which
//! library, and why it comes up. Of a capture or a pasted hello: who the client is likely to be, what a broker must be told to
//! accept it, and where the handshake broke. Of all scenarios and stacks, a table ([`matrix`]). Nothing is run, and nothing in
//! here is believed of its input.
//!
//! This crate does not know how anything is run, nor what a stack is: whoever knows the stacks says which scenarios are not
//! run on them ([`snapshots::Excluded`]).

mod alerts;
mod breaking;
pub mod capture_file;
pub mod capture_show;
pub mod chain;
mod client;
mod codes;
pub mod evidence;
pub mod explanations;
pub mod matrix;
pub mod paragraph;
mod pasted;
mod recorded;
pub mod reviewed;
mod scenario;
mod sealed;
mod settings;
pub mod snapshots;
pub mod stacks;
mod subject;
mod suites;

use std::path::{Path, PathBuf};

use blame::{Error, Result};
use clap::Args;

use snapshots::Excluded;
use subject::Subject;

pub use pasted::explain as explain_hexadecimal;
pub use recorded::explain as explain_capture;
pub use settings::Settings;
pub use suites::openssl_name;

const EXAMPLES: &str = "\
Examples:
  cargo xtask explain identity/san_ip_dialled_by_address      cause, evidence and remedy, stack by stack
  cargo xtask explain expired_leaf --stack esp32c3_bearssl    of one stack
  cargo xtask explain -0x3000                                 an error code: of which library, why, and what to do
  cargo xtask explain 'rc=-2'                                 or +CMQTTCONNECT: 0,32, E:M 544, a line of OpenSSL's …
  cargo xtask explain - < device.log                          a whole log: its cause first, what followed from it last
  cargo xtask explain --capture tcpdump.pcap                  who is this client, and where did it break?
  cargo xtask explain --hex \"16 03 02 00 33 01 00 00 2f …\"    the same of a pasted ClientHello
  xxd hello.bin | cargo xtask explain --hex -                 or of a dump: C arrays, Wireshark's, openssl s_client's
  cargo xtask explain --hex - < device.log                    and Mbed TLS's in a log, even if it breaks off";

/// Say why a scenario ends as it does; what an error code or a log means; or who a client is, what would accept it, and
/// where it broke.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// A scenario, or a part of its name that fits no other; an error code or a line of a log, as it was printed; or `-` for a
    /// log on standard input. Small letters, digits, `_` and `/` alone are a scenario, unless they name an alert
    #[arg(
        value_name = "WHAT",
        allow_hyphen_values = true,
        required_unless_present_any = ["capture", "hex"],
        conflicts_with_all = ["capture", "hex"]
    )]
    pub scenario: Option<String>,
    /// More of the line, if it was given without quotes
    #[arg(value_name = "WORDS", hide = true, allow_negative_numbers = true, requires = "scenario")]
    pub more: Vec<String>,
    /// Only this stack; may be given several times [default: all of them]
    #[arg(long, value_name = "NAME", requires = "scenario")]
    pub stack: Vec<String>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR", requires = "scenario")]
    pub scenarios: Option<PathBuf>,
    /// The folder of snapshots and captures [default: captures/]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// Explain the TLS connections of a capture, pcapng or pcap, from any tool
    #[arg(long, value_name = "FILE", conflicts_with = "hex")]
    pub capture: Option<PathBuf>,
    /// Secrets in NSS key log format, if the capture does not carry them
    #[arg(long, value_name = "FILE", requires = "capture")]
    pub keys: Option<PathBuf>,
    /// Explain a pasted ClientHello; `-` reads it from standard input
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub hex: Option<String>,
    /// List every suite of a hello
    #[arg(long)]
    pub verbose: bool,
}

/// Runs the command.
///
/// # Errors
///
/// A sentence that names what cannot be read, and the remedy.
pub fn run(root: &Path, arguments: &Explain, excluded: &Excluded<'_>) -> Result<()> {
    let captures = arguments.captures.clone().unwrap_or_else(|| root.join("captures"));
    let known = stacks::Stacks::known;
    let text = match (&arguments.scenario, &arguments.hex, &arguments.capture) {
        (Some(first), ..) => match subject::of(first, &arguments.more)? {
            Subject::Scenario(name) => {
                let scenarios = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
                scenario::explain(&scenarios, &captures, &name, &arguments.stack, excluded)?
            }
            Subject::Code(text) => codes::explain(&text, &captures)?,
        },
        (None, Some(text), _) => explain_hexadecimal(&pasted::text(text)?, &known()?, arguments.verbose)
            .map_err(|error| error.about("--hex"))?,
        (None, None, Some(file)) => recorded::read(file, arguments.keys.as_deref(), &known()?, arguments.verbose)?,
        (None, None, None) => {
            return Err(Error::usage("nothing to explain: name a scenario, give an error code, --capture or --hex"));
        }
    };
    terminal::outln!("{}", text.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests;
