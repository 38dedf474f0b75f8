//! Two images held against each other: what a release changes.
//!
//! Both have met the same brokers. What is told: outcomes, hellos, what was agreed on, alerts, the time of the
//! handshake, the heap, the image's size; and whether a security outcome got worse.

mod compare;
mod hello;
mod outline;
mod security;
mod text;

use serde::{Deserialize, Serialize};

use crate::model::{Image, Run, Section};

pub use compare::{align, compare};
pub use outline::{Entry, Outline, outline};
pub use text::{markdown, products, rows, text, verdict};

/// What a release changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Release {
    /// The version of the schema: 1.
    pub schema: u32,
    /// How the older image fared.
    pub old: Run,
    /// How the newer image fared.
    pub new: Run,
    /// Each scenario on each pair of stacks in which something changed.
    pub changes: Vec<Change>,
    /// What changed in the images.
    pub image: ImageChange,
    /// How many rows were compared.
    pub compared: usize,
}

/// What changed in one scenario on one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Change {
    /// The scenario.
    pub scenario: String,
    /// The stack; `old → new` if they have different names.
    pub stack: String,
    /// In what security got worse, one sentence each.
    pub security_worse: Vec<String>,
    /// In what it got better.
    pub security_better: Vec<String>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Was>,
    /// What the device offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hello: Vec<HelloChange>,
    /// What was agreed on: version, suite, group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Was>,
    /// Alerts, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Was>,
    /// From the ClientHello to the last Finished, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_ms: Option<Moved>,
    /// The most that the heap held, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heap_peak_bytes: Option<Moved>,
}

/// Words that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Was {
    /// Before.
    pub was: String,
    /// Now.
    pub is: String,
}

/// A number that changed by more than chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Moved {
    /// Before.
    pub was: u64,
    /// Now.
    pub is: u64,
}

/// One respect in which a hello changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HelloChange {
    /// What: `JA4`, `cipher suites`, `extensions`.
    pub what: String,
    /// What it was and is, where that is one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Was>,
    /// What is offered now and was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// What was offered and is not now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Whether what is in both stands in another order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reordered: bool,
}

/// What changed in the images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ImageChange {
    /// The older image.
    pub old: Image,
    /// The newer one.
    pub new: Image,
    /// The bytes in flash.
    pub flash_bytes: Moved,
    /// The bytes of memory that are reserved and not loaded.
    pub reserved_bytes: Moved,
    /// Sections whose sizes changed, by name.
    pub sections: Vec<SectionChange>,
    /// What it is made of, where that changed: `name version`.
    pub made_of: Vec<Was>,
}

/// A section whose size changed; 0 where an image has none of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SectionChange {
    /// Its name.
    pub name: String,
    /// Its sizes.
    pub bytes: Moved,
}

impl Release {
    /// Whether a security outcome got worse.
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| !change.security_worse.is_empty())
    }

    /// Whether any outcome changed.
    pub fn has_changed_outcomes(&self) -> bool {
        self.changes.iter().any(|change| change.outcome.is_some())
    }
}

impl Moved {
    /// By how much, with its sign.
    pub fn by(self) -> i128 {
        i128::from(self.is) - i128::from(self.was)
    }

    /// The same in parts of a hundred; of nothing there are none.
    pub fn percent(self) -> Option<i128> {
        (self.was > 0).then(|| self.by() * 100 / i128::from(self.was))
    }
}

impl ImageChange {
    /// What changed from one image to the other.
    pub fn between(old: &Image, new: &Image) -> Self {
        let sum = |image: &Image, is_loaded: bool| {
            let sizes = image.sections.iter().filter(|section| section.is_loaded == is_loaded);
            sizes.fold(0_u64, |sum, section| sum.saturating_add(section.bytes))
        };
        let size = |image: &Image, name: &str| {
            let of_name = image.sections.iter().filter(|section| section.name == name);
            of_name.fold(0_u64, |sum, section: &Section| sum.saturating_add(section.bytes))
        };
        let mut names: Vec<&str> = Vec::new();
        for section in old.sections.iter().chain(&new.sections) {
            if !names.contains(&section.name.as_str()) {
                names.push(&section.name);
            }
        }
        let sections = names
            .into_iter()
            .map(|name| SectionChange {
                name: name.to_owned(),
                bytes: Moved { was: size(old, name), is: size(new, name) },
            })
            .filter(|section| section.bytes.was != section.bytes.is)
            .collect();
        Self {
            flash_bytes: Moved { was: sum(old, true), is: sum(new, true) },
            reserved_bytes: Moved { was: sum(old, false), is: sum(new, false) },
            sections,
            made_of: made_of(old, new),
            old: old.clone(),
            new: new.clone(),
        }
    }
}

fn made_of(old: &Image, new: &Image) -> Vec<Was> {
    let words = |image: &Image, name: &str| {
        image.made_of.get(name).map_or_else(String::new, |version| format!("{name} {version}"))
    };
    let mut names: Vec<&String> = old.made_of.keys().chain(new.made_of.keys()).collect();
    names.sort();
    names.dedup();
    let changes = names.into_iter().map(|name| Was { was: words(old, name), is: words(new, name) });
    changes.filter(|change| change.was != change.is).collect()
}

#[cfg(test)]
mod tests;
