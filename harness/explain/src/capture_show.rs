//! `cargo xtask capture show`: any TLS capture, typeset as our own transcripts are.

use std::path::Path;

use blame::Result;

use crate::capture_file;

/// Prints the transcript of a capture file.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn run(file: &Path, keys: Option<&Path>) -> Result<()> {
    let (transcript, _) = capture_file::read(file, keys)?;
    terminal::outln!("{}", capture::show(&transcript).trim_end());
    Ok(())
}
