//! `cargo xtask explain`: why a handshake ended as it did, and what to do about it.
//!
//! Of a capture or a pasted hello: who the client is likely to be, what a broker must be told to accept it, and where
//! the handshake broke. Nothing is run, and nothing in here is believed of its input.

mod alerts;
mod breaking;
mod client;
mod paragraph;
mod pasted;
mod recorded;
mod settings;
mod stacks;
mod suites;

use std::path::PathBuf;

use clap::Args;

pub use pasted::explain as explain_hexadecimal;
pub use recorded::explain as explain_capture;
pub use settings::Settings;
pub use suites::openssl_name;

const EXAMPLES: &str = "\
Examples:
  cargo xtask explain --capture tcpdump.pcap                  who is this client, and where did it break?
  cargo xtask explain --hex \"16 03 02 00 33 01 00 00 2f …\"    the same of a pasted ClientHello
  xxd hello.bin | cargo xtask explain --hex -                 or of a dump; C arrays and Wireshark's are understood";

/// Say who a client is, what would accept it, and where it broke.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// Explain the TLS connections of a capture, pcapng or pcap, from any tool
    #[arg(long, value_name = "FILE", required_unless_present = "hex", conflicts_with = "hex")]
    pub capture: Option<PathBuf>,
    /// Secrets in NSS key log format, if the capture does not carry them
    #[arg(long, value_name = "FILE", requires = "capture")]
    pub keys: Option<PathBuf>,
    /// Explain a pasted ClientHello; `-` reads it from standard input
    #[arg(long, value_name = "BYTES")]
    pub hex: Option<String>,
}

/// Runs the command.
///
/// # Errors
///
/// A sentence that names what cannot be read, and the remedy.
pub fn run(arguments: &Explain) -> Result<(), String> {
    let text = match (&arguments.hex, &arguments.capture) {
        (Some(text), _) => explain_hexadecimal(&pasted::text(text)?).map_err(|why| format!("--hex: {why}"))?,
        (None, Some(file)) => recorded::read(file, arguments.keys.as_deref())?,
        (None, None) => return Err("nothing to explain: give --capture FILE or --hex BYTES".into()),
    };
    anstream::println!("{}", text.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests;
