//! As whom a program of this machine runs: as whoever runs the bench, but never as root.

use std::io;
use std::path::Path;
use std::process::Command;

/// Those who may run it in root's place, the first there is: its own user, and nobody (both of Debian's base-passwd).
const ORDINARY: [&str; 2] = ["mosquitto", "nobody"];

/// A user that is not root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    uid: u32,
    gid: u32,
}

impl User {
    /// The one in root's place for what lies in `folder`; `None` if the bench is not root's, if this machine has none, or if only
    /// root gets through to that folder (a `TMPDIR` below `/root`).
    pub fn in_roots_place(folder: &Path) -> Option<Self> {
        if !is_root() || !is_open_to_all(folder.parent()?) {
            return None;
        }
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        ORDINARY.iter().find_map(|name| Self::of(&accounts, name))
    }

    /// The account of this name in the text of passwd(5).
    fn of(accounts: &str, name: &str) -> Option<Self> {
        let fields =
            accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        (uid != 0 && gid != 0).then(|| Self { name: name.to_owned(), uid, gid })
    }

    /// Starts `command` as this user, in none of root's groups.
    pub fn runs(&self, command: &mut Command) {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::uid(std::os::unix::process::CommandExt::gid(command, self.gid), self.uid);
    }

    /// Gives this user `folder` and everything in it.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn owns(&self, folder: &Path) -> io::Result<()> {
        self.owns_one(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { self.owns(&entry.path())? } else { self.owns_one(&entry.path())? }
        }
        Ok(())
    }

    #[cfg(unix)]
    fn owns_one(&self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
    }

    #[cfg(not(unix))]
    fn owns_one(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Whether anybody gets through to what lies in `folder`.
fn is_open_to_all(folder: &Path) -> bool {
    #[cfg(unix)]
    return folder.ancestors().all(|folder| {
        use std::os::unix::fs::PermissionsExt as _;
        folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
    });
    #[cfg(not(unix))]
    return folder.exists();
}

/// Whether the bench is root's.
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    return false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_behind_a_closed_one_is_roots_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().expect("a folder");
        let inner = place.path().join("inner");
        std::fs::create_dir(&inner).expect("a folder");
        for (mode, is_open) in [(0o700, false), (0o711, true)] {
            std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(mode)).expect("it is ours");
            assert_eq!(is_open_to_all(&inner), is_open && is_open_to_all(place.path()), "{mode:o}");
        }
    }

    #[test]
    fn an_account_that_is_roots_under_another_name_is_no_ordinary_user() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nnobody:x:0:65534::/:/bin/false\nmosquitto:x:101:102::/:\nx\n";
        assert_eq!(User::of(accounts, "mosquitto"), Some(User { name: "mosquitto".into(), uid: 101, gid: 102 }));
        assert_eq!(User::of(accounts, "nobody"), None);
        assert_eq!(User::of(accounts, "x"), None);
        assert_eq!(User::of("", "nobody"), None);
    }
}
