//! What the reviewed snapshots were recorded with: `captures/BUILDS.toml`.
//!
//! Which image, which OpenSSL and which seed a run had is the same for a thousand snapshots, and changes with every
//! rebuild. So it stands in one file, and not in each of them. `--accept` writes it; a run that has anything else says
//! so, because then numbers of its own making may differ: times, sizes, and whatever hangs on random numbers.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use blame::Error;
use serde::{Deserialize, Serialize};

use crate::stack::Stack;
use host::whole_file;

/// The file's name in the folder of captures.
pub const FILE: &str = "BUILDS.toml";
const HEAD: &str = "\
# What the reviewed snapshots in this folder were recorded with. Written by `cargo xtask hil --accept`.

";

/// Seed, images and library of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builds {
    /// The seed of all randomness, in hexadecimal.
    pub seed: String,
    /// The scripted broker's OpenSSL, as it calls itself.
    pub openssl: String,
    /// SHA-256 of each image, in hexadecimal, by the image's name.
    pub images: BTreeMap<String, String>,
}

impl Builds {
    /// Those of a run of these stacks with this bench.
    pub fn of<'s>(stacks: impl IntoIterator<Item = &'s Stack>, seed: u64) -> Self {
        // What is built here is nobody else's.
        let stacks = stacks.into_iter().filter(|stack| !stack.firmware.is_local());
        let image = |stack: &Stack| (stack.firmware.name.clone(), stack.firmware.sha256.clone());
        Self {
            seed: format!("{seed:x}"),
            openssl: broker::openssl_version().to_owned(),
            images: stacks.map(image).collect(),
        }
    }

    /// Those on record below the folder `captures`: none, if nothing was accepted there yet.
    ///
    /// # Errors
    ///
    /// A sentence that names the file, if it is there and cannot be read.
    pub fn read(captures: &Path) -> blame::Result<Option<Self>> {
        let file = captures.join(FILE);
        let named = |why: &dyn std::fmt::Display| Error::bench(format!("{}: {why}", file.display()));
        match host::text(&file, &host::limit::MANIFEST) {
            Ok(text) => toml::from_str(&text).map(Some).map_err(|error| named(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&error)),
        }
    }

    /// Puts them on record; images that were not run keep what is on record of them.
    ///
    /// # Errors
    ///
    /// A sentence that names the file.
    pub fn accept(&self, captures: &Path) -> blame::Result<()> {
        let before = Self::read(captures)?;
        let mut now = self.clone();
        for (image, sha256) in before.iter().flat_map(|before| &before.images) {
            now.images.entry(image.clone()).or_insert_with(|| sha256.clone());
        }
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        let file = captures.join(FILE);
        let named = |why: &dyn std::fmt::Display| Error::bench(format!("{}: {why}", file.display()));
        let text = toml::to_string(&now).map_err(|error| named(&error))?;
        whole_file::write(&file, format!("{HEAD}{text}")).map_err(|error| named(&error))
    }

    /// What of this run is not as it is on record, a phrase each.
    pub fn differences(&self, on_record: &Self) -> Vec<String> {
        let seed = ("seed", &on_record.seed, &self.seed);
        let openssl = ("OpenSSL", &on_record.openssl, &self.openssl);
        let images =
            self.images.iter().filter_map(|(image, is)| Some((image.as_str(), on_record.images.get(image)?, is)));
        [seed, openssl]
            .into_iter()
            .chain(images)
            .filter(|(_, was, is)| was != is)
            .map(|(what, was, is)| {
                let short = |text: &str| text.get(..8).filter(|_| text.len() == 64).unwrap_or(text).to_owned();
                format!("{what}: {}, this is {}", short(was), short(is))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(seed: &str, images: &[(&str, &str)]) -> Builds {
        let images = images.iter().map(|(name, digit)| ((*name).to_owned(), digit.repeat(64))).collect();
        Builds { seed: seed.into(), openssl: "OpenSSL 3.6.3".into(), images }
    }

    #[test]
    fn what_is_accepted_is_on_record_and_what_differs_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Builds::read(folder.path()), Ok(None));
        builds("5eed", &[("a", "0"), ("b", "1")]).accept(folder.path()).unwrap();
        let rebuilt = builds("5eed", &[("b", "2")]);
        let on_record = Builds::read(folder.path()).unwrap().unwrap();
        assert_eq!(rebuilt.differences(&on_record), ["b: 11111111, this is 22222222"]);
        assert_eq!(builds("1", &[]).differences(&on_record), ["seed: 5eed, this is 1"]);
        rebuilt.accept(folder.path()).unwrap();
        let on_record = Builds::read(folder.path()).unwrap().unwrap();
        assert_eq!(on_record, builds("5eed", &[("a", "0"), ("b", "2")]));
        // An image that nobody has accepted anything of is no difference.
        assert!(builds("5eed", &[("c", "3")]).differences(&on_record).is_empty());
        std::fs::write(folder.path().join(FILE), "seed = 1").unwrap();
        assert!(Builds::read(folder.path()).unwrap_err().message.contains(FILE));
    }
}
