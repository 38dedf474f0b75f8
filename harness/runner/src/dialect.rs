//! `dialect.toml`: how the platforms that an image stands for speak, what they differ in, and what they cannot do.
//!
//! An image is a TLS library on a chip. A *profile* of it is a product with that library inside: NodeMCU, MicroPython,
//! ESP-IDF. Both are *stacks* to the bench ([`crate::stack`]). What they do differently is data: a patch onto the plan
//! that the device is told ([`patch`]), and rules that turn the library's error into the platform's words ([`words`]).
//!
//! The format is described in `firmware-under-test/README.md`, whose tables are rendered from these types.

pub mod by_itself;
pub mod log;
pub mod patch;
pub mod words;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use scenario::device::Version;
use scenario::{Problem, renamed};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use by_itself::ByItself;
use log::LogRule;
use patch::Patch;
pub use words::Rule;

const SEE: &str = "see `firmware-under-test/README.md` for the keys of each table";

/// The file `dialect.toml` of an image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// What it is called in sentences: the TLS library and its version, `Mbed TLS 3.6.5`, or a product's name. Rows and snapshots
    /// are named after the image's file.
    pub stack: String,
    /// Whether the image's network is the chip's radio. Else its packets travel on the serial line.
    #[serde(default)]
    pub radio: bool,
    /// The product that this describes, by its name in `cargo xtask products install --list`.
    #[serde(default)]
    pub product: Option<String>,
    /// How the device is told what to do, if it takes no orders: `micropython` or `nodemcu_lua`, at its prompt; `none`, by
    /// nobody.
    #[serde(default, deserialize_with = "driver")]
    pub driver: Option<driver::Kind>,
    /// The image with the same library whose profiles this one has too, by its name: on another chip.
    #[serde(default)]
    pub profiles_of: Option<String>,
    /// What it does by itself, if nobody tells it what to do.
    #[serde(default)]
    pub by_itself: Option<ByItself>,
    /// The TLS versions that it offers, where nobody can ask it for others: `["1.2"]`.
    #[serde(default)]
    pub versions: Vec<Version>,
    /// The ClientHello of a product, record header included, in hexadecimal digits: a scenario that asks for it, whatever its
    /// random bytes, gets the product's own.
    #[serde(default)]
    pub client_hello: Option<String>,
    /// Whether a product has no means to verify a chain, so that it goes on whatever comes.
    #[serde(default)]
    pub cannot_verify: bool,
    /// How long a product takes from its reset until it has a network, in seconds, where that is long: the first boot formats a
    /// filesystem. The limit of a scenario is so much later.
    #[serde(default)]
    pub boot_s: u32,
    /// What the image is asked of this bench's folders, as `scenarios` of a profile.
    #[serde(default)]
    pub scenarios: Option<Vec<String>>,
    /// What the image cannot run, with the reason: a scenario's name, or a folder with `/` at its end. Counts for its
    /// profiles too.
    #[serde(default)]
    pub not_applicable: BTreeMap<String, String>,
    /// Of a product: where it ends otherwise than a profile that stands for the same, scenario by scenario, and why. By the
    /// profile's name.
    #[serde(default)]
    pub differs: BTreeMap<String, BTreeMap<String, String>>,
    /// The scenarios of which this stack's packets are kept in `captures/`: those about a source document whose id begins
    /// so (`s2`), or `*`, all of which no other stack says more. Profiles have their own.
    #[serde(default)]
    pub packets_of: Vec<String>,
    /// How the image's platform speaks: the first rule that fits. Profiles have rules of their own.
    #[serde(default)]
    pub words: Vec<Rule>,
    /// What its log lines mean, if it is no firmware of this bench: the first rule that fits. With such rules nobody waits
    /// for a hello, and its packets are heard from the beginning.
    #[serde(default)]
    pub log: Vec<LogRule>,
    /// The products that the image can stand for, by the name that `--stack` and snapshots know them by.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// A table `[profiles.NAME]` of a dialect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is called: `NodeMCU 3.0`.
    pub title: String,
    /// What it models, how faithfully, and where that can be read: a document, a file and function of its source.
    pub models: String,
    /// What it is asked of this bench's folders: names of scenarios, or folders with `/` at their ends. Absent:
    /// everything. In folders of other names it is asked everything, unless it has a `limit`.
    #[serde(default)]
    pub scenarios: Option<Vec<String>>,
    /// What it stands for and nothing else, as the end of a sentence: what `scenarios` does not name is *outside what this
    /// profile models*, in folders of other names too.
    #[serde(default)]
    pub limit: Option<String>,
    /// The scenarios of which its packets are kept in `captures/`, as those of its image.
    #[serde(default)]
    pub packets_of: Vec<String>,
    /// Keys of the plan that are left out before `plan` is applied, so that their defaults count: `"tls.alpn"`.
    #[serde(default)]
    pub plan_without: Vec<String>,
    /// What is different in the plan that the device is told (`harness/control/src/order.rs`): a JSON merge patch
    /// (RFC 7396). Its part `tls` counts only if the device speaks TLS at all.
    #[serde(default)]
    pub plan: toml::Table,
    /// What it cannot run, with the reason, beside what its image cannot.
    #[serde(default)]
    pub not_applicable: BTreeMap<String, String>,
    /// How it speaks: the first rule that fits. The image's own rules are not asked.
    #[serde(default)]
    pub words: Vec<Rule>,
    /// `plan_without` and `plan` as they are applied.
    #[serde(skip)]
    patch: Patch,
}

impl Dialect {
    /// Takes the profiles of another image with the same library: each is asked what this image is asked, and its packets
    /// are the other's.
    pub fn take_profiles(&mut self, other: Self) {
        for (name, mut profile) in other.profiles {
            profile.scenarios = profile.scenarios.or_else(|| self.scenarios.clone());
            profile.packets_of.clear();
            self.profiles.entry(name).or_insert(profile);
        }
    }
}

impl Profile {
    /// What is different in the plan.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// Whether it is asked this scenario.
    pub fn is_asked(&self, scenario: &str) -> bool {
        is_among(self.scenarios.as_deref(), scenario)
    }
}

/// Whether these entries cover a scenario; without any, everything is covered.
pub fn is_among(entries: Option<&[String]>, scenario: &str) -> bool {
    entries.is_none_or(|asked| asked.iter().any(|entry| covers(entry, scenario)))
}

fn driver<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<driver::Kind>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = || driver::Kind::ALL.map(driver::Kind::name).join(", ");
    let unknown = || D::Error::custom(format!("there is no driver `{name}`; there is {}", known()));
    driver::Kind::by_name(&name).map(Some).ok_or_else(unknown)
}

/// Whether an entry, a scenario's name or a folder with `/` at its end, means this scenario.
pub fn covers(entry: &str, scenario: &str) -> bool {
    entry == scenario || entry.ends_with('/') && scenario.starts_with(entry)
}

/// The reason that `table` gives for not running `scenario`: the most particular entry counts.
pub fn excuse<'t>(table: &'t BTreeMap<String, String>, scenario: &str) -> Option<&'t str> {
    let fitting = table.iter().filter(|(entry, _)| covers(entry, scenario));
    fitting.max_by_key(|(entry, _)| entry.len()).map(|(_, reason)| reason.as_str())
}

/// Why there is no dialect.
#[derive(Debug)]
pub enum Unusable {
    /// The file cannot be read.
    Unreadable(String, io::Error),
    /// The file is wrong.
    Wrong(Box<Problem>),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(file, error) => write!(f, "{file}: {error}"),
            Self::Wrong(problem) => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for Unusable {}

impl Dialect {
    /// What the image does by itself, where a driver cannot ask it for anything else.
    pub fn abilities(&self) -> driver::Abilities {
        let numbers = || self.versions.iter().map(|version| version.number());
        driver::Abilities {
            versions: numbers().min().zip(numbers().max()),
            cannot_verify: self.cannot_verify,
            client_hello: self.client_hello.clone(),
            speaks_tls: self.by_itself.as_ref().is_some_and(|by_itself| by_itself.tls),
            asks_time: self.by_itself.as_ref().is_some_and(|by_itself| by_itself.asks_time),
        }
    }

    /// Reads the file at `path`, if there is one.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read, or is wrong: file, line and remedy.
    pub fn read(path: &Path) -> Result<Option<Self>, Unusable> {
        let file = path.display().to_string();
        let unreadable = |error| Unusable::Unreadable(file.clone(), error);
        let text = match host::text(path, &host::limit::DIALECT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(unreadable)?,
        };
        Self::parse(&file, &text).map(Some).map_err(|problem| Unusable::Wrong(Box::new(problem)))
    }

    /// Reads the text of the file `file`.
    ///
    /// # Errors
    ///
    /// If it is no TOML, has a key that nobody knows, or says something that makes no sense.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problem> {
        let of_toml = |error: toml::de::Error| {
            let message = error.message().trim().replace('\n', "; ");
            Problem::new(file, text, error.span().unwrap_or(0..0), message, SEE)
        };
        let mut written = toml::de::DeTable::parse(text).map_err(of_toml)?;
        let notices = renamed::in_toml(written.get_mut(), renamed::IN_DIALECTS, file, text);
        notices.iter().for_each(|notice| terminal::errln!("{notice}"));
        let mut dialect = Self::deserialize(toml::Deserializer::from(written)).map_err(of_toml)?;
        let wrong = |path: &[&str], message: String, remedy: &str| Problem::at_key(file, text, path, message, remedy);
        if dialect.stack.trim().is_empty() {
            let remedy = "name the TLS library and its version: `Mbed TLS 3.6.5`";
            return Err(wrong(&["stack"], "this says nothing".into(), remedy));
        }
        check_reasons(&dialect.not_applicable, &["not_applicable"], &wrong)?;
        words::check(&dialect.words, file, text)?;
        log::check(&dialect.log, file, text)?;
        by_itself::check(&dialect, file, text)?;
        for (name, profile) in &mut dialect.profiles {
            let path = ["profiles", name.as_str()];
            if !is_name(name) {
                let remedy = "a profile's name becomes part of file names: a to z, 0 to 9 and `_`, a letter first";
                return Err(wrong(&path, format!("`{name}` is no name for a profile"), remedy));
            }
            for (key, words) in [("title", &profile.title), ("models", &profile.models)] {
                if words.trim().is_empty() {
                    let remedy = "say what is modelled, and where that can be read";
                    return Err(wrong(&["profiles", name, key], "this says nothing".into(), remedy));
                }
            }
            if profile.limit.as_ref().is_some_and(|limit| limit.trim().is_empty()) {
                let remedy = "say what it stands for: `its ClientHello alone`";
                return Err(wrong(&["profiles", name, "limit"], "this says nothing".into(), remedy));
            }
            check_reasons(&profile.not_applicable, &["profiles", name, "not_applicable"], &wrong)?;
            words::check(&profile.words, file, text)?;
            profile.patch = Patch::new(&profile.plan, &profile.plan_without).map_err(|why| {
                let remedy = "the keys are those of `Plan` in harness/control/src/order.rs";
                wrong(&["profiles", name, why.key], why.message, remedy)
            })?;
        }
        Ok(dialect)
    }
}

fn check_reasons(
    table: &BTreeMap<String, String>,
    path: &[&str],
    wrong: &dyn Fn(&[&str], String, &str) -> Problem,
) -> Result<(), Problem> {
    for (entry, reason) in table {
        if reason.trim().is_empty() {
            let at: Vec<&str> = path.iter().copied().chain([entry.as_str()]).collect();
            return Err(wrong(&at, "an excuse without a reason".into(), "say why it cannot be run"));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests;
