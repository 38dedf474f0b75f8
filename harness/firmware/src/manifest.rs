//! What an image is and what it was made of, as TOML beside it.

use std::collections::BTreeMap;
use std::path::Path;

use blame::Error;
use chip::Chip;
use serde::{Deserialize, Serialize};

use crate::{read, write};

const HEAD: &str = "\
# What the image of this name is, and what it was made of. Written by `cargo xtask firmware build`; read by
# `cargo xtask firmware check`, which compares it with the image and with every source file named here.

";

/// The manifest of a released image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The image's version.
    pub version: String,
    /// The chip that it is for. Manifests of before there was a second one do not say.
    #[serde(default = "chip::by_name::first", with = "chip::by_name")]
    pub chip: &'static Chip,
    /// SHA-256 of the ELF file, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the notices, in hexadecimal.
    pub notices_sha256: String,
    /// SHA-256 over `sources`, for people to compare.
    pub sources_sha256: String,
    /// What it was built with.
    pub toolchain: Toolchain,
    /// The packages that make it what it is, by name, with their versions.
    pub stack: BTreeMap<String, String>,
    /// Every file that went into it, below the workspace's root, with the SHA-256 of what of it reaches the image: no
    /// comments, no documentation, no tests.
    pub sources: BTreeMap<String, String>,
}

/// What an image was built with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// `rustc --version`.
    pub rustc: String,
    /// The C compiler's first line.
    pub c_compiler: String,
    /// The target.
    pub target: String,
    /// The command, in the image's folder; paths of the machine that built it are replaced in the image.
    pub command: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(file: &Path) -> blame::Result<Self> {
        let text = String::from_utf8(read(file)?).map_err(|error| Error::file(file, error))?;
        toml::from_str(&text).map_err(|error| Error::file(file, error))
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn write(&self, file: &Path) -> blame::Result<()> {
        let text = toml::to_string(self).map_err(|error| Error::file(file, error))?;
        write(file, format!("{HEAD}{text}").as_bytes())
    }
}
