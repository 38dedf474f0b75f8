//! Why devices end as they do, as data: `scenarios/explanations/`.
//!
//! Keyed by image, by what the device said, and by the stage or scenario where that makes a difference. The first entry
//! that matches is taken, those of an image's own file before those for everybody.

use std::sync::LazyLock;

use blame::Error;
use serde::Deserialize;

use super::evidence::Evidence;
use super::reviewed::{Failure, Reviewed};
use outcome::Conformity;

/// The files, the particular before the general.
const FILES: [(&str, &str); 10] = [
    ("micropython.why", include_str!("../../../scenarios/explanations/micropython.why")),
    ("micropython_axtls.why", include_str!("../../../scenarios/explanations/micropython_axtls.why")),
    ("nodemcu.why", include_str!("../../../scenarios/explanations/nodemcu.why")),
    ("mbedtls_3_6.why", include_str!("../../../scenarios/explanations/mbedtls_3_6.why")),
    ("mbedtls_2_28.why", include_str!("../../../scenarios/explanations/mbedtls_2_28.why")),
    ("bearssl_0_6.why", include_str!("../../../scenarios/explanations/bearssl_0_6.why")),
    ("libmosquitto.why", include_str!("../../../scenarios/explanations/libmosquitto.why")),
    ("wifi.why", include_str!("../../../scenarios/explanations/wifi.why")),
    ("client.why", include_str!("../../../scenarios/explanations/client.why")),
    ("remedies.why", include_str!("../../../scenarios/explanations/remedies.why")),
];

/// What a key says if the device connected although it must not.
const ACCEPTS: &str = "ACCEPTS";
/// What a key says if an allocation had failed: whatever else the device says is doubtful.
const NO_MEMORY: &str = "NO_MEMORY";
/// What a key says of many runs told as one.
const SWEEP: &str = "SWEEP";
/// What a key says if the device had no words of its own.
const SILENT: &str = "SILENT";
/// Of a device that waits for ever.
const WAITS: &str = "WAITS";
/// Of a run that the bench stopped.
const LIMIT: &str = "LIMIT";

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The images that it is about; empty: all.
    #[serde(default)]
    images: Vec<String>,
    /// What its sources are files of.
    #[serde(default)]
    library: String,
    #[serde(default)]
    explanations: Vec<Entry>,
    #[serde(default)]
    remedies: Vec<Remedy>,
}

/// Why something ends so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Names of failures or flags, or one of the words above. A `*` at the end stands for anything.
    keys: Vec<String>,
    /// Better than nothing for whoever meets something new, and not enough for what is on record: of that, a particular
    /// entry has to tell.
    #[serde(default)]
    general: bool,
    /// The alerts that came with it; empty: any, or none.
    #[serde(default)]
    alerts: Vec<String>,
    /// The code, as transcripts print it; empty: any.
    #[serde(default)]
    codes: Vec<String>,
    /// The stages at which it ended; empty: any.
    #[serde(default)]
    stages: Vec<String>,
    /// Scenarios or folders of them (`identity/`); empty: any.
    #[serde(default)]
    scenarios: Vec<String>,
    /// What has to be seen.
    #[serde(default)]
    needs: Vec<Evidence>,
    /// What must not be seen, where the wire was.
    #[serde(default)]
    lacks: Vec<Evidence>,
    cause: String,
    /// File and function.
    source: String,
    remedy: String,
}

/// What helps against the fault of a scenario, whatever the stack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remedy {
    /// Scenarios or folders of them.
    scenarios: Vec<String>,
    remedy: String,
}

/// Why, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it explains: the failure or flag.
    pub key: String,
    /// Why the device ended so.
    pub cause: String,
    /// Library, file and function.
    pub source: String,
    /// What to do.
    pub remedy: String,
}

static READ: LazyLock<blame::Result<Vec<File>>> = LazyLock::new(|| {
    let read =
        |(name, text): &(&str, &str)| toml::from_str(text).map_err(|error| Error::author(format!("{name}: {error}")));
    FILES.iter().map(read).collect()
});

fn files() -> &'static [File] {
    READ.as_deref().unwrap_or_default()
}

/// What is wrong with the files, if anything is.
///
/// # Errors
///
/// The file and the line.
pub fn check() -> blame::Result<()> {
    READ.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// Explains what became of a run: one explanation for each thing that the device said, or `None` in the place of one
/// that is missing. Empty if all went well.
pub fn explain(reviewed: &Reviewed) -> Vec<(String, Option<Explanation>)> {
    if reviewed.is_well() {
        return Vec::new();
    }
    let keys = keys(reviewed);
    keys.into_iter()
        .map(|key| {
            let found = find(reviewed, &key);
            (key, found)
        })
        .collect()
}

fn keys(reviewed: &Reviewed) -> Vec<String> {
    let is_finding =
        matches!(reviewed.conformity, Conformity::AcceptsWhatItMustRefuse | Conformity::SucceedsWhereItMustFail);
    if is_finding {
        return vec![ACCEPTS.into()];
    }
    if reviewed.phrase.ends_with("runs connect") {
        return vec![SWEEP.into()];
    }
    match &reviewed.failure {
        Some(failure) if failure.failed_allocation_bytes.is_some() => vec![NO_MEMORY.into()],
        Some(failure) if !failure.flags.is_empty() => failure.flags.clone(),
        Some(failure) => vec![failure.name.clone()],
        None if reviewed.phrase.starts_with("device waits") => vec![WAITS.into()],
        None if reviewed.phrase.starts_with("stopped at the bench's limit") => vec![LIMIT.into()],
        None => vec![SILENT.into()],
    }
}

fn find(reviewed: &Reviewed, key: &str) -> Option<Explanation> {
    let remedy = files()
        .iter()
        .flat_map(|file| &file.remedies)
        .find(|remedy| is_among(&remedy.scenarios, &reviewed.scenario))
        .map(|remedy| remedy.remedy.as_str());
    let (file, entry) = entry(reviewed, key)?;
    let library = if file.library.is_empty() { String::new() } else { format!("{}: ", file.library) };
    Some(Explanation {
        key: key.to_owned(),
        cause: filled(&entry.cause, reviewed),
        source: if entry.source.is_empty() { String::new() } else { format!("{library}{}", entry.source) },
        remedy: filled(remedy.unwrap_or(&entry.remedy), reviewed),
    })
}

/// The first entry that matches, and its file; a general one only if no particular one does.
fn entry(reviewed: &Reviewed, key: &str) -> Option<(&'static File, &'static Entry)> {
    let of_image = files().iter().filter(|file| file.images.is_empty() || file.images.contains(&reviewed.image));
    let entries = of_image.flat_map(|file| file.explanations.iter().map(move |entry| (file, entry)));
    let mut matching = entries.filter(|(_, entry)| entry.matches(reviewed, key));
    let mut general = None;
    let particular = matching.find(|(file, entry)| {
        if entry.general {
            general.get_or_insert((*file, *entry));
        }
        !entry.general
    });
    particular.or(general)
}

impl Entry {
    fn matches(&self, reviewed: &Reviewed, key: &str) -> bool {
        let failure = reviewed.failure.as_ref();
        let is_key = |known: &String| match known.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == known,
        };
        let allows = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|known| known == value))
        };
        self.keys.iter().any(is_key)
            && allows(&self.alerts, failure.and_then(|failure| failure.alert.as_deref()))
            && allows(&self.codes, failure.and_then(|failure| failure.code.as_deref()))
            && allows(&self.stages, Some(reviewed.stage()))
            && (self.scenarios.is_empty() || is_among(&self.scenarios, &reviewed.scenario))
            && self.needs.iter().all(|evidence| reviewed.seen.contains(evidence))
            && self.lacks.iter().all(|evidence| !reviewed.seen.contains(evidence))
            && (self.lacks.is_empty() || reviewed.seen.contains(&Evidence::ClientHello))
    }
}

/// Whether a scenario is named in the list, or lies in a folder that is.
fn is_among(list: &[String], scenario: &str) -> bool {
    list.iter().any(|known| known == scenario || known.ends_with('/') && scenario.starts_with(known.as_str()))
}

/// Puts what was said into the places that the text leaves for it.
fn filled(text: &str, reviewed: &Reviewed) -> String {
    let none = Failure::default();
    let failure = reviewed.failure.as_ref().unwrap_or(&none);
    let bytes = failure.failed_allocation_bytes.map_or_else(|| "some".into(), |bytes| bytes.to_string());
    let text: Vec<&str> = text.split_whitespace().collect();
    text.join(" ")
        .replace("{stage}", reviewed.stage())
        .replace("{name}", &failure.name)
        .replace("{code}", failure.code.as_deref().unwrap_or("no code"))
        .replace("{alert}", failure.alert.as_deref().unwrap_or("no alert"))
        .replace("{bytes}", &bytes)
        .replace("{flags}", &reviewed.let_pass.join(" "))
}

#[cfg(test)]
mod tests;
