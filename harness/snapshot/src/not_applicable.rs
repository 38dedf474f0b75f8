//! What a stack says that it cannot do, on record: `captures/not_applicable.<stack>.snap`.
//!
//! A device that answers a plan with `PLAN_UNSUPPORTED` is not asked any further. So that none can dodge a question
//! that it used to answer, its excuses are committed and compared like every snapshot. What a dialect or a scenario
//! excuses is not in here: that is on record where it stands.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use host::whole_file;

/// The excuses of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    file: PathBuf,
    stack: String,
    excuses: BTreeMap<String, String>,
}

impl Record {
    /// Reads what is on record below the folder `captures`: nothing, if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file is there but cannot be read.
    pub fn read(captures: &Path, stack: &str) -> io::Result<Self> {
        let file = captures.join(format!("not_applicable.{stack}.snap"));
        let excuses = match host::text(&file, &host::limit::SNAPSHOT) {
            Ok(text) => crate::contents(&text)
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(scenario, reason)| (scenario.to_owned(), reason.to_owned()))
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { file, stack: stack.to_owned(), excuses })
    }

    /// The reason that is on record for this scenario.
    pub fn reason(&self, scenario: &str) -> Option<&str> {
        self.excuses.get(scenario).map(String::as_str)
    }

    /// Every scenario on record, with its reason.
    pub fn excuses(&self) -> impl Iterator<Item = (&str, &str)> {
        self.excuses.iter().map(|(scenario, reason)| (scenario.as_str(), reason.as_str()))
    }

    /// Puts a reason on record, or takes what is there off it; returns whether that changed anything.
    pub fn set(&mut self, scenario: &str, reason: Option<&str>) -> bool {
        // One line each, whatever the device says.
        let reason = reason.map(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "));
        let before = match &reason {
            Some(reason) => self.excuses.insert(scenario.to_owned(), reason.clone()),
            None => self.excuses.remove(scenario),
        };
        before != reason
    }

    /// Writes the file; removes it if nothing is on record.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn write(&self) -> io::Result<()> {
        if self.excuses.is_empty() {
            return crate::remove(&self.file);
        }
        let mut text = String::new();
        for (scenario, reason) in &self.excuses {
            let _ = writeln!(text, "{scenario}: {reason}");
        }
        whole_file::write(&self.file, crate::file(&format!("what {} says that it cannot do", self.stack), &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_written_is_read_and_nothing_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::read(folder.path(), "bearssl").unwrap();
        assert!(record.set("versions/tls13_only", Some("TLS 1.3:\n none")));
        assert!(record.set("sni/x", Some("why")));
        record.write().unwrap();
        let mut again = Record::read(folder.path(), "bearssl").unwrap();
        assert_eq!(again, record);
        assert_eq!(again.reason("versions/tls13_only"), Some("TLS 1.3: none"));
        assert_eq!(again.excuses().count(), 2);
        assert!(!again.set("sni/x", Some("why")));
        assert!(again.set("sni/x", None) && again.set("versions/tls13_only", None));
        again.write().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
