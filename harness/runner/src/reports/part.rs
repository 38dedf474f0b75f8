//! One invocation of the bench, for the head of its report.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use report::model::{Board, Host, Image, Interruption, Part, Shard, Stack};

use super::sections;
use crate::{shard, stack};
use firmware::Manifest;

/// What an invocation knows of itself.
#[derive(Clone, Debug)]
pub struct Invocation<'a> {
    /// Where it runs and what on.
    pub headline: &'a str,
    /// The seed.
    pub seed: u64,
    /// When it began.
    pub started: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// How many scenarios ran side by side.
    pub jobs: usize,
    /// The stacks.
    pub stacks: &'a [stack::Stack],
    /// The boards.
    pub boards: Vec<Board>,
    /// Which share of the work it was.
    pub shard: Option<shard::Shard>,
    /// Whether it was interrupted by Ctrl-C.
    pub interrupted: bool,
    /// Whether the time that it was given was over before the work.
    pub is_out_of_time: bool,
}

/// A word of the command line, without the passphrase of a network (`--wifi ssid=NAME,psk=PASSPHRASE`).
fn without_passphrase(word: String) -> String {
    match (word.contains("ssid="), word.split_once("psk=")) {
        (true, Some((before, _))) => format!("{before}psk=…"),
        _ => word,
    }
}

/// The invocation as the report has it.
pub fn part(invocation: &Invocation<'_>) -> Part {
    let started: DateTime<Utc> = invocation.started.into();
    Part {
        bench_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().skip(1).map(without_passphrase).collect(),
        headline: invocation.headline.to_owned(),
        seed: format!("{:x}", invocation.seed),
        started: started.to_rfc3339_opts(SecondsFormat::Secs, true),
        took_ms: u64::try_from(invocation.took.as_millis()).unwrap_or(u64::MAX),
        jobs: invocation.jobs,
        host: host(),
        tools: BTreeMap::from([("OpenSSL".to_owned(), broker::openssl_version().to_owned())]),
        boards: invocation.boards.clone(),
        stacks: invocation.stacks.iter().map(stack).collect(),
        images: images(invocation.stacks),
        shard: invocation.shard.map(|shard| Shard { index: shard.index, of: shard.of }),
        interruption: match (invocation.interrupted, invocation.is_out_of_time) {
            (true, _) => Some(Interruption::Signal),
            (false, true) => Some(Interruption::OutOfTime),
            (false, false) => None,
        },
    }
}

fn stack(stack: &stack::Stack) -> Stack {
    Stack {
        name: stack.name.clone(),
        title: stack.title.clone(),
        image: stack.firmware.name.clone(),
        trust: stack.trust(),
    }
}

/// Each image once, with its sections, and what its manifest says if it is a released one.
fn images(stacks: &[stack::Stack]) -> Vec<Image> {
    let mut seen = BTreeSet::new();
    stacks
        .iter()
        .map(|stack| &stack.firmware)
        .filter(|firmware| seen.insert(&firmware.sha256))
        .map(|firmware| {
            let manifest = Manifest::read(&firmware.elf.with_extension("toml")).ok();
            let manifest = manifest.filter(|manifest| manifest.sha256 == firmware.sha256);
            Image {
                name: firmware.name.clone(),
                version: firmware.version.clone(),
                sha256: firmware.sha256.clone(),
                elf_bytes: firmware.bytes.len() as u64,
                sections: sections::of(&firmware.bytes),
                made_of: manifest.map(|manifest| manifest.stack).unwrap_or_default(),
            }
        })
        .collect()
}

fn host() -> Host {
    #[cfg(unix)]
    let name = Some(rustix::system::uname().nodename().to_string_lossy().into_owned());
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    Host {
        name: name.filter(|name| !name.is_empty()),
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_are_no_part_of_a_report() {
        let told = |word: &str| without_passphrase(word.to_owned());
        assert_eq!(told("ssid=home-5,psk=correct horse,channel=6"), "ssid=home-5,psk=…");
        assert_eq!(told("--wifi=psk=correct horse,ssid=home-5"), "--wifi=psk=…");
        assert_eq!(told("identity/san_ip"), "identity/san_ip");
    }
}
