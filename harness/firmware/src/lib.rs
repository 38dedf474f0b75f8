//! Released firmware images: how one is built, and whether it still is what its sources say.
//!
//! Three files lie in `firmware-under-test/images/` for each image: the ELF, its manifest, and the notices of what is
//! linked in; of one that nobody may hand on, in `target/images/`. [`check`] compares the three with each other and with the sources, and needs no toolchain for that;
//! [`build`] makes them anew, and says what it needs.
//!
//! [`bisect`] looks for the commit at which something changed, and [`release`] holds two runs against each other: what is
//! run at a commit or with an image is whoever asks to run.
//!
//! This crate does not know boards, scenarios or what an image does.

pub mod bisect;
mod build;
mod manifest;
mod notices;
pub mod release;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string;
use blame::Error;
use chip::Chip;
use sha2::{Digest, Sha256};

pub use build::build;
pub use manifest::Manifest;

use host::whole_file;

/// Where firmware lives, below the workspace's root.
const FIRMWARE: &str = "firmware-under-test";
/// Where released images lie, below the workspace's root.
const IMAGES: &str = "firmware-under-test/images";
/// Where images lie that nobody may hand on, below the workspace's root.
const LOCAL_IMAGES: &str = "target/images";

/// The files of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name: that of its folder in `firmware-under-test/`.
    pub name: String,
    /// The workspace's root.
    pub root: PathBuf,
    /// Whether it is built where it is needed and never released: what is linked in is nobody's to hand on.
    pub is_local: bool,
}

impl Image {
    /// The image of that name.
    pub fn new(root: &Path, name: &str) -> Self {
        let manifest = root.join(FIRMWARE).join(name).join("Cargo.toml");
        let is_local = setting(&manifest, "local").and_then(|value| value.as_bool()).unwrap_or(false);
        Self { name: name.to_owned(), root: root.to_owned(), is_local }
    }

    /// The chip that its sources say it is for.
    pub fn chip(&self) -> &'static Chip {
        let said = setting(&self.folder().join("Cargo.toml"), "chip");
        let named = said.as_ref().and_then(toml::Value::as_str).and_then(|name| chip::find(name).ok());
        named.unwrap_or_else(chip::by_name::first)
    }

    /// The command that builds it.
    pub fn build_command(&self) -> String {
        format!("cargo xtask firmware build {}", self.name)
    }

    /// Whether there is something to be run.
    pub fn is_built(&self) -> bool {
        self.elf().is_file() && self.manifest().is_file()
    }

    /// Every image that is built where it is needed, by name, whether it has been or not.
    ///
    /// # Errors
    /// If the folder of firmware cannot be read.
    pub fn local(root: &Path) -> blame::Result<Vec<Self>> {
        Ok(Self::sources(root)?.into_iter().filter(|image| image.is_local).collect())
    }

    /// Every image that has been released, by name.
    ///
    /// # Errors
    /// If the folder of images cannot be read.
    pub fn all(root: &Path) -> blame::Result<Vec<Self>> {
        let folder = root.join(IMAGES);
        let entries = fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        let mut images: Vec<Self> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".toml").map(str::to_owned))
            .map(|name| Self::new(root, &name))
            .collect();
        images.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(images)
    }

    /// Every image that can be built, by name, whether it has been released or not: a folder with a dialect.
    ///
    /// # Errors
    /// If the folder of firmware cannot be read.
    pub fn sources(root: &Path) -> blame::Result<Vec<Self>> {
        let folder = root.join(FIRMWARE);
        let entries = fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        let mut images: Vec<Self> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .map(|name| Self::new(root, &name))
            .filter(|image| image.dialect().is_file())
            .collect();
        images.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(images)
    }

    /// The image's own folder and workspace.
    pub fn folder(&self) -> PathBuf {
        self.root.join(FIRMWARE).join(&self.name)
    }

    /// The ELF file.
    pub fn elf(&self) -> PathBuf {
        self.file("elf")
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.root.join(if self.is_local { LOCAL_IMAGES } else { IMAGES }).join(format!("{}.{ending}", self.name))
    }

    /// How the platforms speak that the image stands for.
    pub fn dialect(&self) -> PathBuf {
        self.folder().join("dialect.toml")
    }

    /// What the ELF is and what it was made of.
    pub fn manifest(&self) -> PathBuf {
        self.file("toml")
    }

    /// The licence notices of what is linked in.
    pub fn notices(&self) -> PathBuf {
        self.file("NOTICES.txt")
    }
}

/// A key of `[package.metadata.shakedown]`. What cannot be read says nothing.
fn setting(manifest: &Path, key: &str) -> Option<toml::Value> {
    let table: toml::Table = toml::from_str(&host::text(manifest, &host::limit::MANIFEST).ok()?).ok()?;
    table.get("package")?.get("metadata")?.get("shakedown")?.get(key).cloned()
}

/// Whether the released image is still what its sources say; otherwise, what has changed.
///
/// # Errors
/// Sentences, one a line, that name what differs and the remedy; or why that cannot be said.
pub fn check(image: &Image) -> blame::Result<Manifest> {
    let manifest = Manifest::read(&image.manifest())?;
    let mut complaints = Vec::new();
    for (file, wanted) in [(image.elf(), &manifest.sha256), (image.notices(), &manifest.notices_sha256)] {
        let found = read(&file).map(|bytes| sha256(&bytes))?;
        if &found != wanted {
            complaints.push(format!("{} is not the file that the manifest describes", file.display()));
        }
    }
    complaints.extend(sources::compare(&image.root, &manifest.sources)?);
    if complaints.is_empty() {
        return Ok(manifest);
    }
    complaints.push(format!(
        "The image {} and its sources have drifted apart: run `cargo xtask firmware build {}`, or take the change back.",
        image.name, image.name
    ));
    Err(Error::author(complaints.join("\n")))
}

fn read(file: &Path) -> blame::Result<Vec<u8>> {
    host::read(file, &host::limit::IMAGE).map_err(|error| Error::file(file, error))
}

fn write(file: &Path, bytes: &[u8]) -> blame::Result<()> {
    whole_file::write(file, bytes).map_err(|error| Error::file(file, error))
}

fn sha256(bytes: &[u8]) -> String {
    encode_string(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
