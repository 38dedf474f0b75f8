//! In which scenarios a code comes up here: what devices said in reviewed snapshots.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scenario::library;

/// So many snapshots are searched by one thread.
const THREADS: usize = 4;

/// One snapshot in which a device said something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The scenario.
    pub scenario: String,
    /// The stack.
    pub stack: String,
    /// What the device said.
    device: String,
    /// How it ended: `device refused at certificate`.
    pub ending: String,
}

/// What all devices said.
#[derive(Clone, Debug, Default)]
pub struct Occurrences(Vec<Occurrence>);

impl Occurrences {
    /// Reads the folder of captures. What cannot be read is left out: this is a help, and no judgement.
    pub fn read(captures: &Path) -> Self {
        let Ok(files) = library::find(captures, "snap") else { return Self::default() };
        let parts: Vec<&[PathBuf]> = files.chunks(files.len().div_ceil(THREADS).max(1)).collect();
        let mut all: Vec<Occurrence> = std::thread::scope(|scope| {
            let threads: Vec<_> = parts
                .into_iter()
                .map(|part| {
                    scope.spawn(move || part.iter().filter_map(|file| occurrence(captures, file)).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        });
        all.sort();
        Self(all)
    }

    /// Where a device said one of these: by scenario, the stacks with their endings.
    pub fn of(&self, names: &[String]) -> BTreeMap<&str, Vec<&Occurrence>> {
        let mut met: BTreeMap<&str, Vec<&Occurrence>> = BTreeMap::new();
        for occurrence in &self.0 {
            if names.iter().any(|name| says(&occurrence.device, name)) {
                met.entry(&occurrence.scenario).or_default().push(occurrence);
            }
        }
        met
    }
}

/// Whether the device said this, and not something longer that begins or ends so.
fn says(device: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    device.match_indices(name).any(|(start, _)| {
        let before = device.get(..start).and_then(|text| text.chars().next_back());
        let after = device.get(start + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn occurrence(captures: &Path, file: &Path) -> Option<Occurrence> {
    let below = file.strip_prefix(captures).ok()?;
    let name = below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    let (scenario, stack) = name.strip_suffix(".snap")?.rsplit_once('.')?;
    let text = host::text(file, &host::limit::SNAPSHOT).ok()?;
    let field = |label: &str| text.lines().rev().find_map(|line| line.strip_prefix(label)).map(str::trim);
    let ending = field("ending ")?.split(" — ").next().unwrap_or_default();
    Some(Occurrence {
        scenario: scenario.into(),
        stack: stack.into(),
        device: field("device ").unwrap_or_default().into(),
        ending: ending.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_part_of_a_longer_one() {
        assert!(says("BR_ERR_X509_EXPIRED (54)", "BR_ERR_X509_EXPIRED"));
        assert!(!says("MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE (-0x7a00)", "MBEDTLS_ERR_SSL_BAD_HS"));
        assert!(says("A: bad_certificate (42) (298)", "bad_certificate (42)"));
        assert!(!says("unsupported_certificate (43)", "certificate (43)"));
    }
}
