//! Reviewed outcomes on disk, in the format of `insta`, so that `cargo insta review` works on them.
//!
//! A snapshot is `captures/<scenario>.<stack>.snap`; what a run wanted to say instead lies beside it as `.snap.new`.
//! `cargo test` compares through `insta` itself; a test there holds this module against it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How what a run says compares with what was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// To the letter.
    Same,
    /// Nothing was reviewed yet.
    None,
    /// Another seed or another image was used than for the reviewed run: who said what is the same, when is not.
    SameButForTimes,
    /// Otherwise: a unified diff from the reviewed text to the run's.
    Differs(String),
}

/// How a scenario ended, as its transcript says; empty, if it does not.
pub fn ending(transcript: &str) -> &str {
    transcript.lines().rev().find_map(|line| line.strip_prefix("ending ")).map_or("", str::trim)
}

/// Where the evidence of one scenario on one stack lies.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    stem: String,
    scenario: String,
}

impl Place {
    /// The place below the folder `captures` of the scenario `name` (`identity/san_ip`) on `stack`. Scenario names are
    /// checked by the `scenario` crate: they cannot leave the folder.
    pub fn new(captures: &Path, name: &str, stack: &str) -> Self {
        let (folder, stem) = name.rsplit_once('/').unwrap_or(("", name));
        Self { folder: captures.join(folder), stem: format!("{stem}.{stack}"), scenario: name.to_owned() }
    }

    /// The folder in which all of it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The snapshot's name as `insta` wants it: without the folder and without `.snap`.
    pub fn snapshot_name(&self) -> &str {
        &self.stem
    }

    /// The reviewed snapshot.
    pub fn snapshot(&self) -> PathBuf {
        self.folder.join(format!("{}.snap", self.stem))
    }

    /// What a run wanted to say instead.
    pub fn pending(&self) -> PathBuf {
        self.folder.join(format!("{}.snap.new", self.stem))
    }

    /// The packets.
    pub fn capture(&self) -> PathBuf {
        self.folder.join(format!("{}.pcapng", self.stem))
    }

    /// The reviewed text, if there is one.
    ///
    /// # Errors
    ///
    /// If the file is there but cannot be read.
    pub fn reviewed(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.snapshot()) {
            Ok(file) => Ok(Some(contents(&file).to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Compares `text` with the reviewed one.
    ///
    /// # Errors
    ///
    /// If the reviewed one is there but cannot be read.
    pub fn compare(&self, text: &str) -> io::Result<Agreement> {
        let Some(reviewed) = self.reviewed()? else { return Ok(Agreement::None) };
        let text = text.trim_end();
        if reviewed == text {
            return Ok(Agreement::Same);
        }
        let same_run = head(&reviewed) == head(text);
        if !same_run && essence(&reviewed) == essence(text) {
            return Ok(Agreement::SameButForTimes);
        }
        Ok(Agreement::Differs(difference(&reviewed, text, "reviewed", "this run")))
    }

    /// Makes `text` the reviewed snapshot and `pcapng` its capture.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn accept(&self, text: &str, pcapng: &[u8]) -> io::Result<()> {
        self.accept_without_capture(text)?;
        fs::write(self.capture(), pcapng)
    }

    /// Makes `text` the reviewed snapshot of a run whose packets are never the same twice.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn accept_without_capture(&self, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.snapshot(), self.file(text))?;
        self.settle()
    }

    /// Leaves `text` for review.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn propose(&self, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.pending(), self.file(text))
    }

    /// Removes what an earlier run had left for review: this one agrees with the snapshot.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn settle(&self) -> io::Result<()> {
        remove(&self.pending())
    }

    /// Removes everything that was reviewed or waits for review: the scenario is not run here any more.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn clear(&self) -> io::Result<()> {
        for file in [self.snapshot(), self.pending(), self.capture()] {
            remove(&file)?;
        }
        Ok(())
    }

    fn file(&self, text: &str) -> String {
        file(&self.scenario, text)
    }
}

/// A unified diff from one transcript to another; empty if they are the same.
pub(crate) fn difference(from: &str, to: &str, from_name: &str, to_name: &str) -> String {
    similar::TextDiff::from_lines(from, to).unified_diff().context_radius(2).header(from_name, to_name).to_string()
}

/// A snapshot's file, with the header that `insta` writes.
pub(crate) fn file(description: &str, text: &str) -> String {
    let text = text.trim_end();
    format!("---\nsource: harness/runner/tests/scenarios.rs\ndescription: {description}\n---\n{text}\n")
}

/// Removes a file, if it is there.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What follows the header, which stands between two lines of `---`.
pub(crate) fn contents(file: &str) -> &str {
    let body = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(file, |(_, body)| body);
    body.trim_end()
}

/// The lines that name scenario, seed, firmware and target: all before the first empty line.
fn head(text: &str) -> &str {
    text.split_once("\n\n").map_or("", |(head, _)| head)
}

/// The lines below them, without what another seed or another build of the same firmware may well change: numbers of
/// milliseconds and of bytes.
fn essence(text: &str) -> Vec<String> {
    let body = text.split_once("\n\n").map_or(text, |(_, body)| body);
    body.lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut kept = Vec::new();
            for (index, word) in words.iter().enumerate() {
                let number = word.trim_end_matches([',', '·']).chars().all(|c| c.is_ascii_digit());
                let unit = words.get(index + 1).is_some_and(|next| matches!(*next, "ms" | "KiB" | "bytes"));
                if !(number && (index == 0 || unit)) {
                    kept.push(*word);
                }
            }
            kept.join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_not_part_of_the_text() {
        let place = Place::new(Path::new("captures"), "identity/x", "esp32c3_mbedtls");
        assert_eq!(contents(&place.file("one\n---\ntwo\n")), "one\n---\ntwo");
        assert_eq!(place.snapshot(), Path::new("captures/identity/x.esp32c3_mbedtls.snap"));
    }
    #[test]
    fn another_seed_may_change_times_but_not_who_said_what() {
        let reviewed = "seed 1\n\n  12  device  ClientHello  sni x\nheap peak 41 KiB";
        assert_eq!(essence(reviewed), essence("seed 2\n\n  13  device  ClientHello  sni x\nheap peak 40 KiB"));
        assert_ne!(essence(reviewed), essence("seed 2\n\n  13  device  ClientHello  sni y\nheap peak 40 KiB"));
        assert_ne!(head(reviewed), head("seed 2\n\nx"));
    }
}
