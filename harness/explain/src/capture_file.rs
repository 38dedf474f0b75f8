//! A capture file that somebody names, and the key log beside it: read whole, within reason.

use std::fs;
use std::path::Path;

use blame::{Error, Result};

/// The largest capture that is read, in bytes.
const CAPTURE_MAX_BYTES: u64 = 512 << 20;

/// The bytes of a capture, and the text of its key log: empty without one.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn read(file: &Path, keys: Option<&Path>) -> Result<(Vec<u8>, String)> {
    let length = fs::metadata(file).map_err(|error| Error::authors_file(file, error))?.len();
    if length > CAPTURE_MAX_BYTES {
        return Err(Error::authors_file(file, "larger than 512 MiB: cut out the interesting part with `editcap`"));
    }
    let bytes = fs::read(file).map_err(|error| Error::authors_file(file, error))?;
    let keys =
        keys.map(|path| fs::read_to_string(path).map_err(|error| Error::authors_file(path, error))).transpose()?;
    Ok((bytes, keys.unwrap_or_default()))
}
