//! `cargo xtask authority export`: the bench's own authority, for a firmware that would rather trust that.

use std::fmt::Write as _;
use std::path::PathBuf;

use blame::Error;
use clap::Args;
use scenario::Date;

use crate::hil;
use host::whole_file;

const EXAMPLES: &str = "\
Examples:
  cargo xtask authority export                         on standard output, in PEM
  cargo xtask authority export --pem ca.pem --der ca.der
  cargo xtask authority export --c-array ca.h          for a firmware that has it in its source

Everybody knows the key that belongs to it: never let a device trust it outside of a test.";

/// Write the certificate of the bench's own authority.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// As text between BEGIN and END lines (RFC 7468)
    #[arg(long, value_name = "FILE")]
    pub pem: Option<PathBuf>,
    /// As the bare bytes of ASN.1 (X.690)
    #[arg(long, value_name = "FILE")]
    pub der: Option<PathBuf>,
    /// As an array of C, in DER
    #[arg(long, value_name = "FILE")]
    pub c_array: Option<PathBuf>,
    /// The seed of the runs whose brokers are to be trusted, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
}

/// Runs the command.
///
/// # Errors
///
/// The file that cannot be written.
pub fn run(arguments: &Export) -> blame::Result<()> {
    let minted =
        pki::mint(&pki::spec::Certificates::default(), arguments.seed, Date::default().0).map_err(Error::bench)?;
    let root = minted.certificates.get("root").ok_or_else(|| Error::bench("no certificate `root` was minted"))?;
    let write = |file: &PathBuf, bytes: &[u8]| {
        whole_file::write(file, bytes).map_err(|error| Error::bench(format!("{}: {error}", file.display())))
    };
    if let Some(file) = &arguments.pem {
        write(file, root.pem().as_bytes())?;
    }
    if let Some(file) = &arguments.der {
        write(file, &root.der)?;
    }
    if let Some(file) = &arguments.c_array {
        write(file, c_array(&root.subject, &root.der).as_bytes())?;
    }
    if arguments.pem.is_none() && arguments.der.is_none() && arguments.c_array.is_none() {
        hil::say(&root.pem());
    }
    Ok(())
}

/// A certificate in DER as C has it.
fn c_array(subject: &str, der: &[u8]) -> String {
    let mut text = format!("/* {subject}: the authority of a test bench, whose key everybody knows. */\n");
    text.push_str("static const unsigned char shakedown_root_der[] = {\n");
    for line in der.chunks(12) {
        let bytes: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let _ = writeln!(text, "    {},", bytes.join(", "));
    }
    let _ = writeln!(text, "}};\nstatic const unsigned int shakedown_root_der_len = {};", der.len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_holds_every_byte() {
        let der: Vec<u8> = (0..=255).collect();
        let text = c_array("CN=x", &der);
        let bytes: Vec<u8> = text
            .split(['{', '}'])
            .nth(1)
            .expect("an array")
            .split(',')
            .filter_map(|byte| u8::from_str_radix(byte.trim().strip_prefix("0x")?, 16).ok())
            .collect();
        assert_eq!(bytes, der);
        assert!(text.ends_with("_len = 256;\n"), "{text}");
    }
}
