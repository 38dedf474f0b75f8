//! `cargo xtask capture show`: any TLS capture, typeset as our own transcripts are.

use std::path::Path;

use blame::{Error, Result};

use crate::capture_file;

/// Prints the transcript of a capture file.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn run(file: &Path, keys: Option<&Path>) -> Result<()> {
    let (bytes, keys) = capture_file::read(file, keys)?;
    let options = capture::ShowOptions { key_log: &keys };
    let text = capture::show(&bytes, options).map_err(|error| Error::authors_file(file, error))?;
    terminal::outln!("{}", text.trim_end());
    Ok(())
}
