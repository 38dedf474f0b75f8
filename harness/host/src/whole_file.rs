//! Files that are written whole or not at all, whatever ends the bench meanwhile; and files for nobody else.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// What a file is called until it is whole. `.gitignore` has it.
const UNFINISHED: &str = "unfinished";

/// Writes a file whole or not at all: under another name first, in the same folder, which is made if it is not there.
///
/// # Errors
///
/// If the disk refuses.
pub fn write(file: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let contents = contents.as_ref();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // A device file, `/dev/stdout` say, is written to and not replaced.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(file, contents);
    }
    let name = file.file_name().ok_or_else(|| io::Error::other("this names no file"))?.to_string_lossy();
    let unfinished = folder.join(format!(".{name}.{}.{UNFINISHED}", std::process::id()));
    // What a process of this number has left. Nothing is written through a link that somebody put there.
    let _ = fs::remove_file(&unfinished);
    let written = fs::File::create_new(&unfinished).and_then(|mut handle| {
        handle.write_all(contents)?;
        handle.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&unfinished, file));
    if placed.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    placed
}

/// Writes a file that only its owner can read, from its first byte on: a key, or packets with their secrets. What is there
/// already goes first, as whoever has it open would read on.
///
/// # Errors
///
/// If the disk refuses.
pub fn write_private(file: &Path, contents: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(file);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_what_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("deep/er/out.json");
        write(&file, "one").expect("folders are made");
        write(&file, "two").expect("it is replaced");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "two");
        let beside = fs::read_dir(file.parent().expect("a folder")).expect("a folder").count();
        assert_eq!(beside, 1, "nothing unfinished is left");
        // A link stands where the unfinished file should.
        #[cfg(unix)]
        {
            let (beside, mine) = (folder.path().join("deep/er"), folder.path().join("mine"));
            fs::write(&mine, "mine").expect("a file");
            let unfinished = beside.join(format!(".out.json.{}.{UNFINISHED}", std::process::id()));
            std::os::unix::fs::symlink(&mine, unfinished).expect("a link");
            write(&file, "three").expect("it is replaced");
            assert_eq!(fs::read_to_string(&file).expect("it is there"), "three");
            assert_eq!(fs::read_to_string(&mine).expect("it is there"), "mine");
        }
        // A folder stands where the file should.
        let why = write(&folder.path().join("deep/er"), "three").expect_err("no file");
        assert!(!why.to_string().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners_though_it_was_everybodys() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("ca.key");
        fs::write(&file, "for everybody").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
        write_private(&file, b"secret").expect("it is written");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "secret");
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
}
