//! `cargo xtask capture show`: any TLS capture, typeset as our own transcripts are.

use std::fs;
use std::path::Path;

/// The largest capture that is read, in bytes.
const CAPTURE_MAX_BYTES: u64 = 512 << 20;

/// Prints the transcript of a capture file.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn run(file: &Path, keys: Option<&Path>) -> Result<(), String> {
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let length = fs::metadata(file).map_err(|error| named(file, &error))?.len();
    if length > CAPTURE_MAX_BYTES {
        return Err(named(file, &"larger than 512 MiB: cut out the interesting part with `editcap`"));
    }
    let bytes = fs::read(file).map_err(|error| named(file, &error))?;
    let keys = keys.map(|path| fs::read_to_string(path).map_err(|error| named(path, &error))).transpose()?;
    let options = capture::ShowOptions { key_log: keys.as_deref().unwrap_or_default() };
    let text = capture::show(&bytes, options).map_err(|error| named(file, &error))?;
    anstream::println!("{}", text.trim_end());
    Ok(())
}
