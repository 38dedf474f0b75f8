//! Every reviewed snapshot below `captures/`, read back.

use std::collections::BTreeMap;
use std::path::Path;

use blame::{Error, Result};
use scenario::{Scenario, library};
use snapshot::not_applicable::Record;

use super::reviewed::Reviewed;

/// One snapshot.
#[derive(Clone, Debug)]
pub struct Filed {
    /// The stack: what stands between the last dot and `.snap`.
    pub stack: String,
    /// What it says.
    pub reviewed: Reviewed,
    /// Its file, below the folder of captures.
    pub file: String,
    /// How many lines stand before the transcript in the file.
    pub header_lines: usize,
}

impl Filed {
    fn read(path: &Path, scenario: &str, stack: &str, file: &str) -> Result<Self> {
        let text = host::text(path, &host::limit::SNAPSHOT).map_err(|error| Error::file(path, error))?;
        // Into tables and pages: whoever wrote it.
        let text = terminal::clean::text(&text);
        let transcript = snapshot::contents(&text);
        let mut reviewed = Reviewed::parse(transcript).ok_or_else(|| {
            Error::authors_file(path, "no transcript that ends with `ending`: accept it anew with --accept")
        })?;
        reviewed.scenario = scenario.to_owned();
        let before = text.find(transcript).unwrap_or(0);
        let header_lines = text.get(..before).unwrap_or_default().matches('\n').count();
        Ok(Self { stack: stack.to_owned(), reviewed, file: file.to_owned(), header_lines })
    }
}

/// A scenario that is not run on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplicable {
    /// The scenario's name.
    pub scenario: String,
    /// The stack's name.
    pub stack: String,
    /// Why, as the scenario or the dialect says it.
    pub reason: String,
}

/// Which of these scenarios are not run on which stack: asked of whoever knows the stacks.
pub type Excluded<'a> = dyn Fn(&[Scenario]) -> Result<Vec<NotApplicable>> + 'a;

/// All that is on record.
#[derive(Clone, Debug, Default)]
pub struct Snapshots {
    /// What was run, by scenario and stack.
    pub filed: BTreeMap<(String, String), Filed>,
    /// Why stacks are not asked what they cannot do, by scenario and stack.
    pub excuses: BTreeMap<(String, String), String>,
}

impl Snapshots {
    /// Reads the folder `captures`.
    ///
    /// # Errors
    ///
    /// The file that cannot be read, or that is no transcript.
    pub fn read(captures: &Path) -> Result<Self> {
        Self::read_where(captures, |_, _, _| true)
    }

    /// As [`Self::read`], for whoever asks of one scenario: all that is known of that, and of each stack as much as shows
    /// what it is: dozens of files instead of thousands.
    ///
    /// # Errors
    ///
    /// As for [`Self::read`], of the files that are read.
    pub fn read_for(captures: &Path, asked: &str) -> Result<Self> {
        Self::read_where(captures, |so_far, scenario, stack| {
            let shows_what_it_is =
                |filed: &Filed| filed.stack == stack && (filed.reviewed.is_control || !filed.reviewed.image.is_empty());
            scenario == asked || !so_far.filed.values().any(shows_what_it_is)
        })
    }

    /// Reads what is wanted of what has been read so far, a scenario, and a stack.
    fn read_where(captures: &Path, is_wanted: impl Fn(&Self, &str, &str) -> bool) -> Result<Self> {
        let files = library::find(captures, "snap").map_err(Error::bench)?;
        let mut snapshots = Self::default();
        for path in files {
            let below = path.strip_prefix(captures).unwrap_or(&path);
            let file = below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            if let Some(stack) = file.strip_prefix("not_applicable.").and_then(|rest| rest.strip_suffix(".snap")) {
                let record = Record::read(captures, stack).map_err(|error| Error::file(&path, error))?;
                for (scenario, reason) in record.excuses() {
                    snapshots.excuses.insert((scenario.to_owned(), stack.to_owned()), reason.to_owned());
                }
                continue;
            }
            let Some((scenario, stack)) = file.strip_suffix(".snap").and_then(|stem| stem.rsplit_once('.')) else {
                continue;
            };
            if is_wanted(&snapshots, scenario, stack) {
                let filed = Filed::read(&path, scenario, stack, &file)?;
                snapshots.filed.insert((scenario.to_owned(), stack.to_owned()), filed);
            }
        }
        snapshots.name_images();
        Ok(snapshots)
    }

    /// Adds what scenarios and dialects exclude: nobody runs that, so there is no snapshot that could tell.
    pub fn add(&mut self, excluded: Vec<NotApplicable>) {
        for NotApplicable { scenario, stack, reason } in excluded {
            let key = (scenario, stack);
            if !self.filed.contains_key(&key) {
                self.excuses.entry(key).or_insert(reason);
            }
        }
    }

    /// The stacks, images and their profiles before controls, each in the order of their names.
    pub fn stacks(&self) -> Vec<String> {
        let mut stacks: Vec<(bool, &str)> =
            self.filed.values().map(|filed| (filed.reviewed.is_control, filed.stack.as_str())).collect();
        stacks.extend(self.excuses.keys().map(|(_, stack)| (false, stack.as_str())));
        stacks.sort_unstable();
        stacks.dedup_by_key(|(_, stack)| *stack);
        stacks.into_iter().map(|(_, stack)| stack.to_owned()).collect()
    }

    /// What is kept of a run with a real broker does not say which image was run; the stack's other snapshots do.
    pub(crate) fn name_images(&mut self) {
        let known: BTreeMap<String, String> = self
            .filed
            .values()
            .filter(|filed| !filed.reviewed.image.is_empty())
            .map(|filed| (filed.stack.clone(), filed.reviewed.image.clone()))
            .collect();
        for filed in self.filed.values_mut().filter(|filed| filed.reviewed.image.is_empty()) {
            filed.reviewed.image = known.get(&filed.stack).cloned().unwrap_or_else(|| filed.stack.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every twentieth scenario of this repository.
    #[test]
    fn what_is_read_for_one_scenario_is_what_is_read_of_all() {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
        let all = Snapshots::read(&captures).expect("the captures are well");
        let of = |snapshots: &Snapshots, asked: &str| -> Vec<(String, String, Reviewed)> {
            let of_scenario = snapshots.filed.iter().filter(|((scenario, _), _)| scenario == asked);
            of_scenario.map(|((_, stack), filed)| (stack.clone(), filed.file.clone(), filed.reviewed.clone())).collect()
        };
        let mut scenarios: Vec<&String> = all.filed.keys().map(|(scenario, _)| scenario).collect();
        scenarios.dedup();
        for asked in scenarios.into_iter().step_by(20) {
            let some = Snapshots::read_for(&captures, asked).expect("the captures are well");
            assert!(some.filed.len() * 10 < all.filed.len(), "{asked}: {} files", some.filed.len());
            assert_eq!(of(&some, asked), of(&all, asked));
            assert_eq!(some.stacks(), all.stacks(), "{asked}");
            assert_eq!(some.excuses, all.excuses);
        }
    }
}
