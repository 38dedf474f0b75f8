//! Reviewed outcomes on disk, in the format of `insta`, so that `cargo insta review` works on them.
//!
//! A snapshot is `captures/<scenario>.<stack>.snap`; what a run wanted to say instead lies beside it as `.snap.new`.
//! `cargo test` compares through `insta` itself; a test there holds this module against it. What of a transcript is
//! reviewed, and when a number agrees with the reviewed one, is told in [`digits`].

pub mod digits;
pub mod not_applicable;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use host::whole_file;

/// How what a run says compares with what was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The same was said, and at about the same times.
    Same,
    /// Nothing was reviewed yet.
    None,
    /// Otherwise: a unified diff from the reviewed text to the run's.
    Differs(String),
}

/// The packets of a run, where they are kept.
#[derive(Clone, Copy)]
pub struct Packets<'a> {
    /// A pcapng file.
    pub pcapng: &'a [u8],
    /// Whether packets that were kept before go with a snapshot.
    pub go_with: &'a dyn Fn(&[u8], &str) -> bool,
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
        match host::text(&self.snapshot(), &host::limit::SNAPSHOT) {
            Ok(file) => Ok(Some(contents(&file).to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is reviewed of `transcript`: its numbers are the reviewed ones, as far as they agree with them.
    ///
    /// # Errors
    ///
    /// If the reviewed text is there but cannot be read.
    pub fn settled(&self, transcript: &str) -> io::Result<String> {
        let reviewed = self.reviewed()?;
        Ok(reviewed.map_or_else(|| digits::reviewable(transcript), |reviewed| digits::settled(&reviewed, transcript)))
    }

    /// Compares `transcript` with what was reviewed.
    ///
    /// # Errors
    ///
    /// If the reviewed text is there but cannot be read.
    pub fn compare(&self, transcript: &str) -> io::Result<Agreement> {
        let Some(reviewed) = self.reviewed()? else { return Ok(Agreement::None) };
        let (reviewed, text) = (digits::reviewable(&reviewed), digits::settled(&reviewed, transcript));
        Ok(match difference(&reviewed, &text, "reviewed", "this run") {
            none if none.is_empty() => Agreement::Same,
            difference => Agreement::Differs(difference),
        })
    }

    /// Compares how a run ended with how the reviewed one did, and nothing else.
    ///
    /// # Errors
    ///
    /// If the reviewed text is there but cannot be read.
    pub fn compare_ending(&self, transcript: &str) -> io::Result<Agreement> {
        let Some(reviewed) = self.reviewed()? else { return Ok(Agreement::None) };
        Ok(match difference(ending(&reviewed), ending(transcript), "reviewed", "this run") {
            none if none.is_empty() => Agreement::Same,
            difference => Agreement::Differs(difference),
        })
    }

    /// Makes `transcript` the reviewed snapshot. A file that agrees with it is left alone.
    ///
    /// `packets` are the run's where they are kept : they are written if the snapshot is, or if those
    /// that are there do not go with it. Where they are not kept there are none afterwards.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn accept(&self, transcript: &str, packets: Option<Packets<'_>>) -> io::Result<()> {
        let text = self.settled(transcript)?;
        let is_new = self.reviewed()?.is_none_or(|reviewed| reviewed != text);
        // The packets first: whoever is stopped between the two finds a snapshot that still differs.
        match packets {
            Some(Packets { pcapng, go_with }) => {
                if is_new || !host::read(&self.capture(), &host::limit::CAPTURE).is_ok_and(|kept| go_with(&kept, &text))
                {
                    whole_file::write(&self.capture(), pcapng)?;
                }
            }
            None => remove(&self.capture())?,
        }
        if is_new {
            whole_file::write(&self.snapshot(), self.file(&text))?;
        }
        self.settle()
    }

    /// Leaves `transcript` for review.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn propose(&self, transcript: &str) -> io::Result<()> {
        whole_file::write(&self.pending(), self.file(&self.settled(transcript)?))
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
pub fn difference(from: &str, to: &str, from_name: &str, to_name: &str) -> String {
    similar::TextDiff::from_lines(from, to).unified_diff().context_radius(2).header(from_name, to_name).to_string()
}

/// A snapshot's file, with the header that `insta` writes.
pub fn file(description: &str, text: &str) -> String {
    let text = text.trim_end();
    format!("---\nsource: harness/runner/tests/scenarios.rs\ndescription: {description}\n---\n{text}\n")
}

/// Removes a file, if it is there.
pub fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What follows the header, which stands between two lines of `---`.
pub fn contents(file: &str) -> &str {
    let body = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(file, |(_, body)| body);
    body.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str =
        "scenario   identity/x   seed 5eed\nfirmware   y 0.1.0 (00)   target emulated\n\n  114  device   FIN";

    #[test]
    fn the_header_is_not_part_of_the_text() {
        let place = Place::new(Path::new("captures"), "identity/x", "esp32c3_mbedtls");
        assert_eq!(contents(&place.file("one\n---\ntwo\n")), "one\n---\ntwo");
        assert_eq!(place.snapshot(), Path::new("captures/identity/x.esp32c3_mbedtls.snap"));
    }

    #[test]
    fn only_what_changes_in_meaning_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path(), "identity/x", "y");
        let packets = || fs::read(place.capture()).unwrap();
        fn kept(pcapng: &[u8]) -> Option<Packets<'_>> {
            Some(Packets { pcapng, go_with: &|kept, _| kept != b"of another" })
        }
        place.accept(RUN, kept(b"one")).unwrap();
        assert_eq!(place.reviewed().unwrap().unwrap(), digits::reviewable(RUN));
        let other_build = RUN.replace("(00)", "(11)").replace("114", "116");
        assert_eq!(place.compare(&other_build).unwrap(), Agreement::Same);
        place.accept(&other_build, kept(b"two")).unwrap();
        assert_eq!(place.reviewed().unwrap().unwrap(), digits::reviewable(RUN));
        assert_eq!(packets(), b"one");
        let otherwise = RUN.replace("FIN", "RST");
        assert!(matches!(place.compare(&otherwise).unwrap(), Agreement::Differs(_)));
        place.propose(&otherwise).unwrap();
        place.accept(&otherwise, kept(b"three")).unwrap();
        assert_eq!((packets(), place.pending().exists()), (b"three".to_vec(), false));
        // Packets that were never written, that are of something else, and that are not kept any more.
        fs::remove_file(place.capture()).unwrap();
        place.accept(&otherwise, kept(b"of another")).unwrap();
        assert_eq!(packets(), b"of another");
        place.accept(&otherwise, kept(b"four")).unwrap();
        assert_eq!(packets(), b"four");
        place.accept(&otherwise, None).unwrap();
        assert!(!place.capture().exists() && place.snapshot().exists());
    }

    /// The kernel kills whoever writes more than it may: half of a file is what it gets, as from a kill at that moment.
    #[cfg(unix)]
    #[test]
    fn whoever_is_killed_at_the_write_leaves_what_was_there() {
        use rustix::process::{Resource, Rlimit, setrlimit};
        use std::os::unix::process::ExitStatusExt as _;
        const FOLDER: &str = "SHAKEDOWN_TEST_FOLDER";
        const PACKETS_BYTES: &str = "SHAKEDOWN_TEST_PACKETS_BYTES";
        const FILE_MAX_BYTES: u64 = 1_024;
        let long = format!("{RUN}\n{}", "  115  device   FIN\n".repeat(200));
        if let (Some(folder), Ok(bytes)) = (std::env::var_os(FOLDER), std::env::var(PACKETS_BYTES)) {
            let limit = Rlimit { current: Some(FILE_MAX_BYTES), maximum: Some(FILE_MAX_BYTES) };
            setrlimit(Resource::Fsize, limit).unwrap();
            let pcapng = vec![0; bytes.parse().unwrap()];
            let packets = Packets { pcapng: &pcapng, go_with: &|_, _| true };
            let outcome = Place::new(Path::new(&folder), "identity/x", "y").accept(&long, Some(packets));
            unreachable!("it was not killed: {outcome:?}");
        }
        for (packets_bytes, packets_left) in [("4096", 3), ("5", 5)] {
            let folder = tempfile::tempdir().unwrap();
            let place = Place::new(folder.path(), "identity/x", "y");
            place.accept(RUN, Some(Packets { pcapng: b"one", go_with: &|_, _| true })).unwrap();
            let name = "tests::whoever_is_killed_at_the_write_leaves_what_was_there";
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            again.args([name, "--exact"]).env(FOLDER, folder.path()).env(PACKETS_BYTES, packets_bytes);
            let output = again.output().unwrap();
            let sigxfsz = rustix::process::Signal::XFSZ.as_raw();
            assert_eq!(output.status.signal(), Some(sigxfsz), "{}", String::from_utf8_lossy(&output.stdout));
            // Nothing is cut, and the next run does not take it for what was accepted.
            assert_eq!(place.reviewed().unwrap().unwrap(), digits::reviewable(RUN));
            assert_eq!(fs::read(place.capture()).unwrap().len(), packets_left);
            assert!(matches!(place.compare(&long).unwrap(), Agreement::Differs(_)));
        }
    }
}
