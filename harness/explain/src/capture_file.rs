//! A capture file that somebody names, and the key log beside it: read block by block, whatever its length.

use std::path::Path;

use blame::{Error, Result};
use capture::Transcript;
use capture::pcapng::ReadError;
use host::limit::{CAPTURE, KEY_LOG};

/// What a capture tells, and the text of the key log beside it: empty without one.
///
/// # Errors
///
/// A sentence that names the file and what is wrong with it.
pub fn read(file: &Path, keys: Option<&Path>) -> Result<(Transcript, String)> {
    let read_keys = |path| host::text(path, &KEY_LOG).map_err(|error| Error::authors_file(path, error));
    let keys = keys.map(read_keys).transpose()?.unwrap_or_default();
    let packets = host::open(file).map_err(|error| Error::authors_file(file, error))?;
    let packet_bytes_max = usize::try_from(CAPTURE.bytes_max).unwrap_or(usize::MAX);
    let transcript = capture::read_from(packets, packet_bytes_max, &keys);
    Ok((transcript.map_err(|error| Error::authors_file(file, no_capture(&error)))?, keys))
}

/// What to give instead of a file that is no capture.
pub fn no_capture(error: &ReadError) -> String {
    format!("{error}. Record with `tcpdump -w FILE` or Wireshark; a pasted hello goes to `--hex`")
}
