//! Which firmware: a released image with its manifest, or the user's own ELF. And `cargo xtask firmware`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base16ct::lower::encode_string;
use chip::{Chip, WrongElf};
use sha2::{Digest, Sha256};

use crate::cli;
use crate::exit::{self, Exit};
use firmware::Manifest;

/// A firmware image on disk.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// Its version, or `own build`.
    pub version: String,
    /// The chip that it is for.
    pub chip: &'static Chip,
    /// The ELF file.
    pub elf: PathBuf,
    /// The ELF file's contents.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the ELF file, in hexadecimal.
    pub sha256: String,
}

impl Firmware {
    /// The user's own image.
    ///
    /// # Errors
    ///
    /// A sentence that names the file; if it cannot be meant for `chip`, the chip as well.
    pub fn own(elf: &Path, chip: &'static Chip) -> Result<Self, String> {
        let firmware = Self::read(elf, "own build".into(), chip)?;
        match chip.check_elf(&firmware.bytes) {
            Err(wrong @ WrongElf::OtherArchitecture { .. }) => {
                Err(format!("{} is no image for the chip {chip}: {wrong}", elf.display()))
            }
            // What is no ELF file at all, the board has a word for.
            Ok(()) | Err(WrongElf::NotElf) => Ok(firmware),
        }
    }

    /// The image as a board takes it.
    pub fn image(&self) -> board::Image {
        board::Image { name: self.name.clone(), chip: self.chip, elf: Arc::clone(&self.bytes) }
    }

    /// A released image.
    ///
    /// # Errors
    ///
    /// A sentence that names the file and the remedy.
    pub fn released(image: &firmware::Image) -> Result<Self, String> {
        let manifest = Manifest::read(&image.manifest()).map_err(|error| error.message)?;
        let firmware = Self::read(&image.elf(), manifest.version, manifest.chip)?;
        if firmware.sha256 == manifest.sha256 {
            Ok(firmware)
        } else {
            Err(format!(
                "{} is not the image that its manifest describes: restore both with git, or rebuild with \
                 `cargo xtask firmware build`",
                firmware.elf.display()
            ))
        }
    }

    fn read(elf: &Path, version: String, chip: &'static Chip) -> Result<Self, String> {
        let bytes = fs::read(elf).map_err(|error| format!("{}: {error}", elf.display()))?;
        let name = elf.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // The name becomes part of file names: only what is harmless there.
        let name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let sha256 = encode_string(&Sha256::digest(&bytes));
        Ok(Self { name, version, chip, elf: elf.to_owned(), bytes: bytes.into(), sha256 })
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, &self.sha256[..8])
    }
}

/// Runs `cargo xtask firmware`.
///
/// # Errors
///
/// With sentences that name what differs or is missing, and the remedy.
pub fn run(root: &Path, command: &cli::Firmware) -> Result<u8, (Exit, String)> {
    let failed = |error: blame::Error| (exit::BENCH_FAILED, error.message);
    match command {
        cli::Firmware::Check => {
            let mut complaints = Vec::new();
            for image in firmware::Image::all(root).map_err(failed)? {
                match firmware::check(&image) {
                    Ok(manifest) => {
                        anstream::println!("{} {} is what its sources say", image.name, manifest.version);
                    }
                    Err(error) => complaints.push(error.message),
                }
            }
            if !complaints.is_empty() {
                return Err((exit::OTHERWISE, complaints.join("\n")));
            }
        }
        cli::Firmware::Build { image: wanted } => {
            let images = firmware::Image::sources(root).map_err(failed)?;
            let names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
            let wanted: Vec<&str> = wanted.as_deref().map_or_else(|| names.clone(), |one| vec![one]);
            for name in wanted {
                if !names.contains(&name) {
                    let why = format!("there is no image `{name}`; there is {}", names.join(", "));
                    return Err((exit::USAGE, why));
                }
                let manifest = firmware::build(&firmware::Image::new(root, name)).map_err(failed)?;
                anstream::println!("{name} {} is built: sha256 {}", manifest.version, manifest.sha256);
            }
        }
    }
    Ok(exit::AS_EXPECTED.code)
}
