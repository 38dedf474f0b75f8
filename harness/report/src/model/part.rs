//! What was started: where, when, with which images and on which boards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One invocation of the bench.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Part {
    /// The bench's version.
    pub bench_version: String,
    /// The command line, word by word.
    pub command: Vec<String>,
    /// Where it ran and what on, in a sentence.
    pub headline: String,
    /// The seed of all randomness, in hexadecimal.
    pub seed: String,
    /// When it began, UTC (RFC 3339).
    pub started: String,
    /// How long it took by the wall, in milliseconds.
    pub took_ms: u64,
    /// How many scenarios ran side by side.
    pub jobs: usize,
    /// The machine.
    pub host: Host,
    /// What else decides outcomes, by name, with its version: OpenSSL, mosquitto, probe-rs.
    pub tools: BTreeMap<String, String>,
    /// The boards that took part, or should have.
    pub boards: Vec<Board>,
    /// The stacks that scenarios were run on.
    pub stacks: Vec<Stack>,
    /// The images that the stacks are made of.
    pub images: Vec<Image>,
    /// Which share of the work this was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Why it ended before everything was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Host {
    /// Its name, if it has one that it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `linux`, `macos`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
}

/// A board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Board {
    /// What the hardware map calls it; `emulated` without one.
    pub name: String,
    /// The kind: `esp32c3`.
    pub kind: String,
    /// What transcripts call it: `emulated`, `hardware`.
    pub target: String,
    /// By what it was recognised: probe and serial port, say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Why it did not take part, or not to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_order: Option<String>,
    /// What was done to it besides scenarios, in order: rungs of the recovery ladder, with their outcomes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// A stack: an image as it is, or as one of the products that it can stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Stack {
    /// Its name, as rows have it.
    pub name: String,
    /// What it is: `Mbed TLS 3.6.5`, `NodeMCU 3.0`.
    pub title: String,
    /// The image's name.
    pub image: String,
    /// How it comes to trust the bench's broker, in a sentence; absent of firmware of this bench, which is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
}

impl Part {
    /// What each product is and how it comes to trust the bench's broker: name, version, hash, sentence.
    pub fn products(&self) -> impl Iterator<Item = (&Stack, String)> {
        self.stacks.iter().filter_map(|stack| {
            let trust = stack.trust.as_ref()?;
            let image = self.images.iter().find(|image| image.name == stack.image);
            let image = image.map(|image| format!(" {}, sha256 {}", image.version, image.sha256)).unwrap_or_default();
            Some((stack, format!("{} ({}{image}): {trust}", stack.name, stack.title)))
        })
    }
}

/// A firmware image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its version, or `of no version`.
    pub version: String,
    /// SHA-256 of the ELF file, in hexadecimal.
    pub sha256: String,
    /// The size of the ELF file, in bytes.
    pub elf_bytes: u64,
    /// What of it is loaded onto the chip.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// What it is made of, by name, with versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub made_of: BTreeMap<String, String>,
}

/// A section of an ELF file that takes room on the chip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Whether its bytes are in the image, and so in flash; otherwise it takes memory alone.
    pub is_loaded: bool,
}

/// A share of the work: `--shard 2/3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shard {
    /// Which share, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// Why an invocation ended before everything was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// Ctrl-C.
    Signal,
    /// The time that it was given was over.
    OutOfTime,
}
