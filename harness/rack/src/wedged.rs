//! That a board was given up, for whoever looks at the rack in the morning: a note beside its lock, which a passed health
//! check takes away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::lock;

/// A board that was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WedgedNote {
    /// Since when, in seconds since 1970-01-01T00:00:00Z.
    pub since_unix_s: u64,
    /// What it suffered from last.
    pub why: String,
}

impl WedgedNote {
    /// In a sentence, with nothing in it that a terminal would obey.
    pub fn told(&self) -> String {
        let why: String = self.why.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let hours = unix_s().saturating_sub(self.since_unix_s) / 3_600;
        format!("wedged {hours} h ago: {why}")
    }
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn file(folder: &Path, identity: &str) -> PathBuf {
    folder.join(lock::file_name(identity)).with_extension("wedged")
}

/// Notes that the board `identity` was given up. That it cannot be noted is no reason to stop.
pub fn note(folder: &Path, identity: &str, why: &str) {
    let wedged = WedgedNote { since_unix_s: unix_s(), why: why.to_owned() };
    let written = serde_json::to_vec(&wedged).map_err(std::io::Error::other);
    let _ = written.and_then(|text| host::whole_file::write(&file(folder, identity), text));
}

/// The board is well.
pub fn forget(folder: &Path, identity: &str) {
    let _ = fs::remove_file(file(folder, identity));
}

/// What is noted of the board.
pub fn read(folder: &Path, identity: &str) -> Option<WedgedNote> {
    let file = file(folder, identity);
    let text = host::read(&file, &host::limit::NOTE).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_stays_until_the_board_is_well() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path(), "door"), None);
        note(folder.path(), "door", "no chip\u{1b}[2J answers");
        let told = read(folder.path(), "door").expect("a note").told();
        assert!(told.contains("no chip") && !told.contains('\u{1b}'), "{told}");
        assert_eq!(read(folder.path(), "window"), None);
        forget(folder.path(), "door");
        assert_eq!(read(folder.path(), "door"), None);
    }
}
