//! Files of strangers, read within a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::Limit;

/// The bytes of a file: of a regular one, or of a link to one.
///
/// # Errors
///
/// If the disk refuses, if it is no regular file, or if there is more in it than `limit` says. The sentence names no file.
pub fn read(path: &Path, limit: &Limit) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    // A hint, as far as it is credible: a file may grow while it is read, and those of /proc say that they are empty.
    let stated = usize::try_from(file.metadata()?.len().min(limit.bytes_max)).unwrap_or(0);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(stated).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    to_end(file, bytes, limit)
}

/// What is piped in, to its end.
///
/// # Errors
///
/// If it breaks off, or if there is more than `limit` says.
pub fn piped(input: impl Read, limit: &Limit) -> io::Result<Vec<u8>> {
    to_end(input, Vec::new(), limit)
}

fn to_end(input: impl Read, mut bytes: Vec<u8>, limit: &Limit) -> io::Result<Vec<u8>> {
    input.take(limit.bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit.bytes_max {
        let why = format!("larger than {}, which is the most for a {}: {}", limit.size(), limit.what, limit.remedy);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// A file that is read piece by piece: a regular one, or a link to one. Whoever reads it says how much is held of it.
///
/// # Errors
///
/// If the disk refuses, or if it is no regular file. The sentence names no file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = open_at_once(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return Ok(file);
    }
    let why = if metadata.is_dir() {
        "this is a folder"
    } else {
        "this is a pipe or a device, which may never end: copy what it says to a file first"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// The text of a file in UTF-8.
///
/// # Errors
///
/// Those of [`read`], and if it is no UTF-8.
pub fn text(path: &Path, limit: &Limit) -> io::Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("no UTF-8: {}", error.utf8_error())))
}

/// Opens without waiting: the open of a pipe would last until somebody writes to it.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits();
    File::options().read(true).custom_flags(flags.cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limit = Limit { what: "note", bytes_max: 1_024, remedy: "write less" };

    #[test]
    fn what_is_read_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("note");
        std::fs::write(&file, [b'x'; 1_024]).expect("a file");
        assert_eq!(read(&file, &SMALL).expect("it fits").len(), 1_024);
        std::fs::write(&file, [b'x'; 1_025]).expect("a file");
        let why = read(&file, &SMALL).expect_err("one byte more").to_string();
        assert_eq!(why, "larger than 1 KiB, which is the most for a note: write less");
        assert_eq!(piped(&[b'x'; 1_024][..], &SMALL).expect("it fits").len(), 1_024);
        assert!(
            piped(io::repeat(b'x'), &SMALL).expect_err("it never ends").to_string().starts_with("larger than 1 KiB")
        );
        std::fs::write(&file, [0xff]).expect("a file");
        assert!(text(&file, &SMALL).expect_err("no text").to_string().contains("UTF-8"));
        assert!(read(folder.path(), &SMALL).expect_err("a folder").to_string().contains("folder"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_never_ends_or_lies_about_its_length_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
        for endless in [pipe.as_path(), link.as_path(), Path::new("/dev/zero")] {
            let why = read(endless, &SMALL).expect_err("it never ends").to_string();
            assert!(why.contains("a pipe or a device"), "{why}");
        }
        // Its stated length is 0.
        let status = text(Path::new("/proc/self/status"), &Limit { bytes_max: 1 << 20, ..SMALL });
        assert!(status.expect("text").contains("VmRSS"));
        assert!(read(Path::new("/proc/self/maps"), &SMALL).is_err(), "it is longer than it says");
    }
}
