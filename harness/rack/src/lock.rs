//! One holder a board: a lock of the kernel's, which dies with its process, and a record of who holds it.
//!
//! The locks of a machine lie in one folder, whatever checkout a bench was started from. The file stays when the lock
//! goes: removing it would let two processes lock two files of one name. Somebody may remove it all the same: on Linux
//! whoever holds a lock has a socket in the abstract namespace too (unix(7)), a name without a file.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// How often to look whether a board has been let go: the kernel tells nobody who waits with a limit.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who holds a board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holder {
    /// Who: a user and a host.
    pub who: String,
    /// The process.
    pub process: u32,
    /// Since when, in seconds since 1970-01-01T00:00:00Z.
    pub since_unix_s: u64,
    /// What for: a command line.
    pub why: String,
}

impl Holder {
    /// This process, which wants a board for `why`.
    pub fn this(why: &str) -> Self {
        let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "?".into());
        let host = fs::read_to_string("/etc/hostname").unwrap_or_default();
        Self {
            who: format!("{user}@{}", host.trim()),
            process: std::process::id(),
            since_unix_s: unix_s(),
            why: why.to_owned(),
        }
    }

    /// In a sentence, with nothing in it that a terminal would obey.
    pub fn told(&self) -> String {
        let clean = terminal::clean::line;
        let seconds = unix_s().saturating_sub(self.since_unix_s);
        let mut words = format!("{} (process {})", clean(&self.who), self.process);
        let _ = match seconds {
            0..120 => write!(words, ", for {seconds} s"),
            120..7_200 => write!(words, ", for {} min", seconds / 60),
            _ => write!(words, ", for {} h", seconds / 3_600),
        };
        let _ = write!(words, ": {}", clean(&self.why));
        words
    }
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Why a board cannot be had.
#[derive(Debug)]
pub enum Unavailable {
    /// Somebody holds it.
    Held(Holder),
    /// The lock's file cannot be used.
    Unusable(String),
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Held(holder) => write!(f, "held by {}", holder.told()),
            Self::Unusable(why) => f.write_str(why),
        }
    }
}

/// A lock that is held; it is let go when this is dropped, or when the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// What nobody can remove.
    _name: Name,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The record must not outlive the lock; should it, only its holder's name is wrong, never the lock.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// The folder of this machine's locks: `SHAKEDOWN_LOCKS`, else one that every user of the machine shares.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("SHAKEDOWN_LOCKS") {
        return folder.into();
    }
    let shared = Path::new("/run/lock");
    let base = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    base.join("shakedown")
}

/// The name of a lock's file: what makes a board this one and no other, in characters of file names.
pub fn file_name(identity: &str) -> String {
    let mut name: String =
        identity.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(120).collect();
    name.push_str(".lock");
    name
}

/// Takes the lock of the board `identity` in `folder`, waiting up to `patience` for whoever has it.
///
/// # Errors
///
/// Who has it, or why the file is of no use.
pub fn take(folder: &Path, identity: &str, holder: &Holder, patience: Duration) -> Result<Lock, Unavailable> {
    let path = folder.join(file_name(identity));
    let unusable = |error: io::Error| {
        Unavailable::Unusable(format!("{}: {error}: name another folder in SHAKEDOWN_LOCKS", path.display()))
    };
    let until = Instant::now() + patience;
    let (mut file, name) = loop {
        // Opened each time: the file that the holder has locked may not be the one of this name any more.
        let mut file = open(folder, &path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) if !is_still(&file, &path) => continue,
            Ok(()) => match Name::take(folder, identity) {
                Ok(name) => break (file, name),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(unusable(error)),
            },
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        if Instant::now() >= until {
            return Err(Unavailable::Held(record(&mut file)));
        }
        drop(file);
        std::thread::sleep(LOOK_EVERY);
    };
    let written = serde_json::to_vec(holder).map_err(io::Error::other).and_then(|text| {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    });
    written.map_err(|error| Unavailable::Unusable(format!("{}: {error}", path.display())))?;
    Ok(Lock { file, _name: name })
}

/// Who holds the board `identity`, if anybody does. Takes nothing away from anybody.
pub fn holder(folder: &Path, identity: &str) -> Option<Holder> {
    let file = existing(&folder.join(file_name(identity)), false);
    match file {
        Ok(mut file) if file.try_lock_shared().is_err() => Some(record(&mut file)),
        // Free, or removed under its holder.
        _ => Name::is_taken(folder, identity).then(unknown),
    }
}

/// Whether `path` still leads to the file that is open.
fn is_still(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(open), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// A name of the kernel's for one board and one folder of locks, which goes with its process.
#[derive(Debug)]
struct Name {
    #[cfg(target_os = "linux")]
    _socket: std::os::unix::net::UnixDatagram,
}

#[cfg(target_os = "linux")]
impl Name {
    fn address(folder: &Path, identity: &str) -> io::Result<std::os::unix::net::SocketAddr> {
        use sha2::{Digest as _, Sha256};
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::ffi::OsStrExt as _;
        let folder = folder.canonicalize()?;
        let digest = Sha256::new().chain_update(folder.as_os_str().as_bytes()).chain_update([0]).chain_update(identity);
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        std::os::unix::net::SocketAddr::from_abstract_name(format!("shakedown/board/{digest}"))
    }

    fn take(folder: &Path, identity: &str) -> io::Result<Self> {
        let address = Self::address(folder, identity)?;
        Ok(Self { _socket: std::os::unix::net::UnixDatagram::bind_addr(&address)? })
    }

    fn is_taken(folder: &Path, identity: &str) -> bool {
        let connected = || std::os::unix::net::UnixDatagram::unbound()?.connect_addr(&Self::address(folder, identity)?);
        connected().is_ok()
    }
}

/// Elsewhere the file alone has to do.
#[cfg(not(target_os = "linux"))]
impl Name {
    fn take(_: &Path, _: &str) -> io::Result<Self> {
        Ok(Self {})
    }

    fn is_taken(_: &Path, _: &str) -> bool {
        false
    }
}

fn record(file: &mut File) -> Holder {
    let mut text = Vec::new();
    let read = file.rewind().and_then(|()| file.take(host::limit::RECORD.bytes_max).read_to_end(&mut text));
    read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_else(unknown)
}

fn unknown() -> Holder {
    Holder { who: "somebody who has not said so yet".into(), since_unix_s: unix_s(), ..Holder::default() }
}

/// Opens a lock's file, and makes it if it is not there, so that every user of the machine may lock it.
fn open(folder: &Path, path: &Path) -> io::Result<File> {
    match existing(path, true) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // Without O_CREAT: Linux refuses that in shared folders for files of others (fs.protected_regular).
        result => return result,
    }
    let fresh = !folder.exists();
    fs::create_dir_all(folder)?;
    is_nobodys_link(folder)?;
    if fresh {
        for_everybody(folder, 0o1777)?;
    }
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => {
            for_everybody(path, 0o666)?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => existing(path, true),
        Err(error) => Err(error),
    }
}

/// Where everybody may write, somebody may have put a link for root to write through.
fn is_nobodys_link(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let there = fs::symlink_metadata(folder)?;
        let owner = there.uid();
        if there.is_symlink() && owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("a link of the user {owner}, who is neither root nor you")));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Opens a lock's file that is there. It is emptied later: so a link, which may lead to anything, is none.
fn existing(path: &Path, writes: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(writes);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    #[cfg(unix)]
    let is_linked = std::os::unix::fs::MetadataExt::nlink(&metadata) > 1;
    #[cfg(not(unix))]
    let is_linked = false;
    if !metadata.is_file() || is_linked {
        return Err(io::Error::other("this is no lock's file"));
    }
    Ok(file)
}

#[cfg(unix)]
fn for_everybody(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn for_everybody(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is_and_has_its_turn_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Holder { who: "ann\u{1b}[2J\u{202e}".into(), ..Holder::this("the nightly") };
        let lock = take(folder.path(), "303a:1001", &first, Duration::ZERO).expect("nobody has it");
        assert_eq!(holder(folder.path(), "303a:1001"), Some(first.clone()));
        let refused = take(folder.path(), "303a:1001", &Holder::this("lunch"), Duration::ZERO).expect_err("it is held");
        let words = refused.to_string();
        assert!(
            words.contains("ann") && words.contains("the nightly") && !words.contains(['\u{1b}', '\u{202e}']),
            "{words}"
        );
        take(folder.path(), "303a:1002", &first, Duration::ZERO).expect("another board");
        drop(lock);
        assert_eq!(holder(folder.path(), "303a:1001"), None);
        take(folder.path(), "303a:1001", &Holder::this("lunch"), Duration::ZERO).expect("it was let go");
    }

    #[test]
    fn a_record_that_nobody_understands_still_is_a_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(file_name("x"));
        fs::write(&path, [0xff; 10_000]).expect("a file");
        let file = File::open(&path).expect("the file");
        file.try_lock().expect("nobody has it");
        let refused = take(folder.path(), "x", &Holder::this("me"), Duration::ZERO).expect_err("it is held");
        assert!(refused.to_string().contains("somebody"), "{refused}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_lock_whose_file_is_removed_or_replaced_has_one_holder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(file_name("x"));
        let again = || take(folder.path(), "x", &Holder::this("me"), Duration::ZERO);
        let lock = again().expect("nobody has it");
        fs::remove_file(&path).expect("it is there");
        assert!(matches!(again(), Err(Unavailable::Held(_))), "removed");
        assert!(holder(folder.path(), "x").is_some());
        fs::remove_file(&path).expect("the second try made it anew");
        fs::write(&path, "").expect("a file");
        assert!(matches!(again(), Err(Unavailable::Held(_))), "replaced");
        drop(lock);
        assert_eq!(holder(folder.path(), "x"), None);
        again().expect("it was let go");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_that_a_lock_is_linked_to_is_emptied() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, mine) = (folder.path().join(file_name("x")), folder.path().join("mine"));
        fs::write(&mine, "mine").expect("a file");
        for link in [std::os::unix::fs::symlink, |from: &PathBuf, to: &PathBuf| fs::hard_link(from, to)] {
            link(&mine, &path).expect("a link");
            let refused = take(folder.path(), "x", &Holder::this("me"), Duration::ZERO);
            assert!(matches!(refused, Err(Unavailable::Unusable(_))), "{refused:?}");
            assert_eq!(fs::read_to_string(&mine).expect("it is there"), "mine");
            fs::remove_file(&path).expect("the link");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_lock_is_made_through_somebody_elses_link() {
        let place = tempfile::tempdir().expect("a folder");
        let (elsewhere, folder) = (place.path().join("elsewhere"), place.path().join("locks"));
        fs::create_dir(&elsewhere).expect("a folder");
        std::os::unix::fs::symlink(&elsewhere, &folder).expect("a link");
        let take = || take(&folder, "x", &Holder::this("me"), Duration::ZERO).map(drop);
        take().expect("our own link leads where we want");
        fs::remove_file(elsewhere.join(file_name("x"))).expect("the lock's file");
        // Root alone can give a link away.
        if std::os::unix::fs::lchown(&folder, Some(65_534), None).is_ok() {
            assert!(matches!(take(), Err(Unavailable::Unusable(_))));
            assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0);
        }
    }

    #[test]
    fn identities_become_file_names_of_the_folder() {
        assert_eq!(file_name("/dev/../x:1"), "_dev____x_1.lock");
        assert!(file_name(&"x".repeat(1_000)).len() < 200);
    }
}
