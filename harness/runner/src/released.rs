//! Which firmware: a released image with its manifest, or the user's own ELF. And `cargo xtask firmware`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base16ct::lower::encode_string;
use blame::Error;
use chip::Chip;
use firmware_image::Boots;
use firmware_image::espressif::Description;
use sha2::{Digest, Sha256};

use crate::cli;
use crate::exit::{self, Exit};
use crate::image_source::{self, ImageSource};
use crate::mask_rom;
use crate::products::Product;
use firmware::Manifest;

/// The version of an image that says nothing of itself.
const NO_VERSION: &str = "of no version";

/// A firmware image on disk.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// Its version: of somebody's own image what it says of itself, if it says anything.
    pub version: String,
    /// The chip that it is for.
    pub chip: &'static Chip,
    /// The ELF file.
    pub elf: PathBuf,
    /// The ELF file's contents, or what the flash holds.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of those, in hexadecimal.
    pub sha256: String,
    /// How a flash is booted; an ELF file is loaded directly.
    flash: Option<Flash>,
    /// The real mask ROM, if the image needs it.
    rom: Option<Arc<[u8]>>,
    /// The command that gets it here, of an image that is never released.
    build_command: Option<String>,
    /// What was done to it, if it is a copy that was changed.
    note: Option<String>,
}

/// A flash that the chip boots by itself.
#[derive(Clone, Debug)]
struct Flash {
    size_bytes: u32,
    symbols: Option<Vec<u8>>,
}

/// What an application says of itself (`esp_app_desc_t`): project, version, and the ESP-IDF that it was built with.
fn version(boots: &Boots) -> String {
    match boots {
        Boots::Partition { description: Some(description), .. } => said_by(description),
        _ => NO_VERSION.into(),
    }
}

fn said_by(Description { version, project, idf }: &Description) -> String {
    let own = [project.to_string(), version.to_string()].join(" ");
    let idf = if idf.to_string().is_empty() { String::new() } else { format!("ESP-IDF {idf}") };
    let told: Vec<&str> = [own.trim(), idf.as_str()].into_iter().filter(|words| !words.is_empty()).collect();
    if told.is_empty() { NO_VERSION.into() } else { told.join(", ") }
}

impl Firmware {
    /// The user's own image: an ELF file, a flash image, or a build folder (see [`crate::image_source`]).
    ///
    /// # Errors
    ///
    /// A sentence that names the file, what it is, and what would be accepted.
    pub fn own(root: &Path, image: &Path, chip: &'static Chip) -> blame::Result<Self> {
        let words = [image.to_string_lossy().into_owned()];
        match image_source::read(&words, chip)? {
            ImageSource::Elf(bytes) => {
                let refused = |error: &dyn fmt::Display| {
                    Error::author(format!("{} is no image for the chip {chip}: {error}", image.display()))
                };
                chip.check_elf(&bytes).map_err(|error| refused(&error))?;
                let version = Description::within(&bytes).map_or_else(|| NO_VERSION.into(), |found| said_by(&found));
                let firmware = Self::of(image, version, chip, bytes);
                let rom = firmware.missing_rom(root)?;
                Ok(Self { rom, ..firmware })
            }
            ImageSource::Flash { image: flash, symbols } => {
                let takes_rom = emulator::model_of(chip).is_none_or(|model| model.takes_rom);
                let rom = takes_rom.then(|| mask_rom::read(root, None)).transpose()?;
                let size_bytes = flash.flash_bytes;
                let firmware = Self::of(image, version(&flash.boots), chip, flash.content);
                Ok(Self { rom, flash: Some(Flash { size_bytes, symbols }), ..firmware })
            }
        }
    }

    /// A copy with other bytes, as many. The hash that it is known by stays that of what was shipped.
    #[must_use]
    pub(crate) fn changed(self, bytes: Vec<u8>, what: &str) -> Self {
        let sha256 = encode_string(&Sha256::digest(&bytes));
        let note = format!("{what} (the copy: {})", &sha256[..8]);
        Self { bytes: bytes.into(), note: Some(note), ..self }
    }

    /// What a flash is held against; `None` of an ELF file, which is loaded directly.
    pub(crate) fn flash_target(&self) -> Option<&'static firmware_image::espressif::Target> {
        self.flash.as_ref().and_then(|_| image_source::target(self.chip))
    }

    /// The image as a board takes it.
    pub fn image(&self) -> board::Image {
        let plain = board::Image::of_elf(self.name.clone(), self.chip, Arc::clone(&self.bytes));
        let Some(flash) = &self.flash else { return board::Image { rom: self.rom.clone(), ..plain } };
        board::Image {
            elf: Arc::from(flash.symbols.as_deref().unwrap_or_default()),
            flash: Some(board::FlashContent { bytes: Arc::clone(&self.bytes), size_bytes: flash.size_bytes }),
            rom: self.rom.clone(),
            ..plain
        }
    }

    /// An image of this repository, released or built here.
    ///
    /// # Errors
    ///
    /// A sentence that names the file and the remedy.
    pub fn released(image: &firmware::Image) -> blame::Result<Self> {
        let manifest = Manifest::read(&image.manifest())?;
        let firmware = Self::read(&image.elf(), manifest.version, manifest.chip)?;
        if firmware.sha256 == manifest.sha256 {
            let rom = firmware.missing_rom(&image.root)?;
            Ok(Self { rom, ..firmware })
        } else {
            Err(Error::author(format!(
                "{} is not the image that its manifest describes: restore both with git, or rebuild with \
                 `cargo xtask firmware build`",
                firmware.elf.display()
            )))
        }
    }

    /// An image that is built where it is needed; what is not there is empty ([`Firmware::is_missing`]).
    ///
    /// # Errors
    ///
    /// A sentence that names the file and the remedy, if it is there and is not what its manifest describes.
    pub fn local(image: &firmware::Image) -> blame::Result<Self> {
        let build_command = Some(image.build_command());
        if image.is_built() {
            return Ok(Self { build_command, ..Self::released(image)? });
        }
        let nothing = Self::of(&image.elf(), "not built".into(), image.chip(), Vec::new());
        Ok(Self { build_command, ..nothing })
    }

    /// A product of others, which is named as the file that describes it; what is not there is empty
    /// ([`Firmware::is_missing`]).
    ///
    /// # Errors
    ///
    /// If it is no image for its chip, or the mask ROM cannot be read.
    pub fn product(root: &Path, description: &Path, product: &'static Product) -> blame::Result<Self> {
        if product.read().is_err() {
            let nothing = Self::of(description, product.version.to_owned(), product.chip, Vec::new());
            return Ok(Self { build_command: Some(product.remedy()), ..nothing });
        }
        Self::given(root, description, product, &product.path()?)
    }

    /// A product of others, which is this file.
    ///
    /// # Errors
    ///
    /// As [`Self::product`].
    pub fn given(root: &Path, description: &Path, product: &'static Product, file: &Path) -> blame::Result<Self> {
        let Self { name, version, elf, .. } =
            Self::of(description, product.version.to_owned(), product.chip, Vec::new());
        let image = Self::own(root, file, product.chip)?;
        // What is pinned is the file, not the whole flash.
        Ok(Self {
            name,
            version,
            elf,
            sha256: product.sha256.to_owned(),
            build_command: Some(product.remedy()),
            ..image
        })
    }

    /// Whether it is built where it is needed and never released.
    pub fn is_local(&self) -> bool {
        self.build_command.is_some()
    }

    /// The command that builds it, if it is not there.
    pub fn is_missing(&self) -> Option<String> {
        self.build_command.clone().filter(|_| self.bytes.is_empty())
    }

    /// The real mask ROM, if the ELF file calls a function there that is not modelled.
    fn missing_rom(&self, root: &Path) -> blame::Result<Option<Arc<[u8]>>> {
        let Some(model) = emulator::model_of(self.chip) else { return Ok(None) };
        let refused =
            |error| Error::author(format!("{} is no image for the chip {}: {error}", self.elf.display(), self.chip));
        let is_needed = (model.unmodelled_rom_call)(&self.bytes).map_err(refused)?.is_some();
        is_needed.then(|| mask_rom::read(root, None)).transpose()
    }

    fn read(elf: &Path, version: String, chip: &'static Chip) -> blame::Result<Self> {
        let bytes = host::read(elf, &host::limit::IMAGE).map_err(|error| Error::authors_file(elf, error))?;
        Ok(Self::of(elf, version, chip, bytes))
    }

    /// An image of which these are the bytes.
    pub(crate) fn of(elf: &Path, version: String, chip: &'static Chip, bytes: Vec<u8>) -> Self {
        let name = name_of(elf);
        // The name becomes part of file names: only what is harmless there.
        let name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let sha256 = encode_string(&Sha256::digest(&bytes));
        Self {
            name,
            version,
            chip,
            elf: elf.to_owned(),
            bytes: bytes.into(),
            sha256,
            flash: None,
            rom: None,
            build_command: None,
            note: None,
        }
    }
}

/// What an image is called: as its file without the ending, or as the folder of its build.
fn name_of(image: &Path) -> String {
    let is_list = |name: &std::ffi::OsStr| name == "flasher_args.json" || name == "manifest.json";
    let whole = image.canonicalize().unwrap_or_else(|_| image.to_owned());
    // ESP-IDF's is called `build`, as everybody's.
    let of_folder = |folder: &Path| {
        let named = if folder.ends_with("build") { folder.parent().unwrap_or(folder) } else { folder };
        named.file_name().map(std::ffi::OsStr::to_owned)
    };
    let named = match whole.file_name() {
        Some(_) if whole.is_dir() => of_folder(&whole),
        Some(name) if is_list(name) => whole.parent().and_then(of_folder),
        _ => image.file_stem().map(std::ffi::OsStr::to_owned),
    };
    named.unwrap_or("image".into()).to_string_lossy().into_owned()
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, &self.sha256[..8])?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, ", {note}"))
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
            let mut images = firmware::Image::all(root).map_err(failed)?;
            images.extend(firmware::Image::local(root).map_err(failed)?);
            for image in images {
                if image.is_local && !image.is_built() {
                    terminal::outln!("{} is not built: {}", image.name, image.build_command());
                    continue;
                }
                match firmware::check(&image) {
                    Ok(manifest) => {
                        terminal::outln!("{} {} is what its sources say", image.name, manifest.version);
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
                terminal::outln!("{name} {} is built: sha256 {}", manifest.version, manifest.sha256);
            }
        }
    }
    Ok(exit::AS_EXPECTED.code)
}
