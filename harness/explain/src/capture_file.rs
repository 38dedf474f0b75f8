//! A capture file that somebody names, and the key log beside it: read whole, within reason.

use std::path::Path;

use blame::{Error, Result};

/// The bytes of a capture, and the text of its key log: empty without one.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn read(file: &Path, keys: Option<&Path>) -> Result<(Vec<u8>, String)> {
    let bytes = host::read(file, &host::limit::CAPTURE).map_err(|error| Error::authors_file(file, error))?;
    let read_keys = |path| host::text(path, &host::limit::KEY_LOG).map_err(|error| Error::authors_file(path, error));
    let keys = keys.map(read_keys).transpose()?;
    Ok((bytes, keys.unwrap_or_default()))
}
