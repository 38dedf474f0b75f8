//! The firmware that somebody names on the command line, read from disk: a file, a folder, or parts with offsets.
//!
//! What it is, is said by its content ([`firmware_image`]). Files are read up to what they can be long at most, and a list
//! of parts reaches no file outside of its own folder.

use std::fs;
use std::path::{Path, PathBuf};

use blame::Error;
use chip::{Chip, ImageFormat};
use firmware_image::build::{self, Files, Folder};
use firmware_image::espressif::{self, Target};
use firmware_image::{FLASH_BYTES_MAX, FlashImage, Kind, Part, PrintableName, Refused, recognise};

/// Firmware, ready to be put into a chip.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// An ELF file, to be loaded as a bootloader leaves the chip.
    Elf(Vec<u8>),
    /// A flash with all that a chip boots.
    Flash {
        /// It.
        image: FlashImage,
        /// The ELF file that lies beside it, for the names of functions.
        symbols: Option<Vec<u8>>,
    },
}

/// What flash images for the chip are held against; none for a chip that has no such images.
pub(crate) fn target(chip: &Chip) -> Option<&'static Target> {
    let id = chip.image_formats.iter().find_map(|format| match format {
        ImageFormat::Espressif { chip_id } => Some(*chip_id),
        ImageFormat::Elf | ImageFormat::EspressifV1 => None,
    })?;
    Some(&espressif::ESP32C3).filter(|target| target.chip.0 == id)
}

/// Reads what `words` name for `chip`: one file or folder, or parts as `0x0=bootloader.bin`, with commas or spaces between
/// them, or as `0x0 bootloader.bin`; for a chip that has no flash images, one ELF file.
///
/// # Errors
///
/// A sentence that names the file, what it is, and what would be accepted.
pub fn read(words: &[String], chip: &Chip) -> blame::Result<ImageSource> {
    match (target(chip), words) {
        (Some(target), _) => read_any(words, target),
        (None, words) if chip.image_formats.contains(&ImageFormat::EspressifV1) => read_any_v1(words),
        (None, [one]) => read_image(Path::new(one)).map(ImageSource::Elf),
        (None, _) => Err(Error::author("name one ELF file")),
    }
}

/// The chip that an image is for, if it says so itself and is no folder of a build: an ELF file by its processor and its entry
/// point, an image of Espressif's first format, or its part at 0, by its header.
pub fn chip_of(words: &[String]) -> Option<&'static Chip> {
    let first = match named(words).ok()? {
        Named::One(path) => path,
        Named::Parts(parts) => parts.into_iter().find(|(at, _)| *at == 0)?.1,
    };
    let bytes = read_image(Path::new(first)).ok()?;
    let is_its = espressif::is_esp8266(&bytes) || is_elf_for_esp8266(&bytes);
    is_its.then_some(&chip::ESP8266)
}

/// An ELF file for the ESP32 has the same processor in its header; what begins there has other addresses.
fn is_elf_for_esp8266(bytes: &[u8]) -> bool {
    /// `e_entry` of a file of 32 bits (System V ABI, chapter 4, "ELF Header").
    const ENTRY_AT: usize = 24;
    /// IRAM, and the window that shows the flash.
    const CODE: core::ops::Range<u32> = 0x4010_0000..0x4030_0000;
    let entry = bytes.get(ENTRY_AT..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_le_bytes(*word));
    chip::ESP8266.check_elf(bytes).is_ok() && entry.is_some_and(|entry| CODE.contains(&entry))
}

/// What words name.
enum Named<'a> {
    /// A file or a folder.
    One(&'a str),
    /// Files, and where in the flash they go.
    Parts(Vec<(u32, &'a str)>),
}

fn named(words: &[String]) -> blame::Result<Named<'_>> {
    if let Some(parts) = in_pairs(words).filter(|parts| !parts.is_empty()) {
        return Ok(Named::Parts(parts));
    }
    let words: Vec<&str> = match words {
        // A file may have a comma or an equals sign in its name.
        [one] if Path::new(one).exists() => vec![one],
        words => words.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty()).collect(),
    };
    match words.as_slice() {
        [] => Err(Error::author(format!("name an image; {}", firmware_image::ACCEPTED))),
        [one] if !one.contains('=') || Path::new(one).exists() => Ok(Named::One(one)),
        several => with_equals_signs(several).map(Named::Parts),
    }
}

/// An image of Espressif's first format, whole or in parts, or an ELF file.
fn read_any_v1(words: &[String]) -> blame::Result<ImageSource> {
    match named(words)? {
        Named::One(path) => read_v1(Path::new(path)),
        Named::Parts(parts) => {
            let (parts, symbols) = read_parts(&parts)?;
            let image = FlashImage::esp8266_parts(parts).map_err(Error::author)?;
            Ok(ImageSource::Flash { image, symbols })
        }
    }
}

fn read_v1(path: &Path) -> blame::Result<ImageSource> {
    let bytes = read_image(path)?;
    if matches!(recognise(&bytes), Kind::Elf { .. }) {
        return Ok(ImageSource::Elf(bytes));
    }
    let image = FlashImage::esp8266(bytes).map_err(|refused| Error::authors_file(path, refused))?;
    Ok(ImageSource::Flash { image, symbols: elf_beside(path) })
}

/// What boots from a flash with this content, or why nothing does; `None` for a chip that has no such images.
pub fn flash_of_content(content: Vec<u8>, chip: &Chip) -> Option<Result<FlashImage, Refused>> {
    let part = Part { at: 0, bytes: content, name: PrintableName::new("the flash") };
    target(chip).map(|target| FlashImage::new(vec![part], target))
}

fn read_any(words: &[String], target: &Target) -> blame::Result<ImageSource> {
    match named(words)? {
        Named::One(path) => read_one(Path::new(path), target),
        Named::Parts(parts) => {
            let (parts, symbols) = read_parts(&parts)?;
            let image = FlashImage::new(parts, target).map_err(Error::author)?;
            Ok(ImageSource::Flash { image, symbols })
        }
    }
}

fn read_one(path: &Path, target: &Target) -> blame::Result<ImageSource> {
    if path.is_dir() {
        return read_folder(path, target);
    }
    let bytes = read_image(path)?;
    let refused = |refused: Refused| Error::authors_file(path, refused);
    let folder = path.parent().unwrap_or(Path::new("."));
    match recognise(&bytes) {
        elf @ Kind::Elf { .. } if !elf.is_elf_for_riscv32() => {
            Err(refused(Refused::OtherProcessor { elf, here: target.chip }))
        }
        Kind::Elf { .. } => match built_with(path, folder, target) {
            // An application of ESP-IDF reads its own flash as it starts: what was built beside it goes with it.
            Some(image) => Ok(ImageSource::Flash { image, symbols: Some(bytes) }),
            None => Ok(ImageSource::Elf(bytes)),
        },
        Kind::FlasherArgs => laid_out(folder, &build::flasher_args(&bytes, target).map_err(refused)?, target),
        Kind::WebManifest => laid_out(folder, &build::web_manifest(&bytes, target).map_err(refused)?, target),
        _ => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let image = FlashImage::merged(&name, bytes, target).map_err(refused)?;
            Ok(ImageSource::Flash { image, symbols: elf_beside(path) })
        }
    }
}

fn read_folder(folder: &Path, target: &Target) -> blame::Result<ImageSource> {
    let refused = |refused: Refused| Error::authors_file(folder, refused);
    let entries = fs::read_dir(folder).map_err(|error| Error::authors_file(folder, error))?;
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    match build::folder(&names, target).map_err(refused)? {
        Folder::Files(files) => laid_out(folder, &files, target),
        Folder::List(list) => {
            let path = folder.join(list);
            let bytes = read_file(&path, &host::limit::PARTS)?;
            let files = match list {
                "flasher_args.json" => build::flasher_args(&bytes, target),
                "manifest.json" => build::web_manifest(&bytes, target),
                _ => build::flash_args(&String::from_utf8_lossy(&bytes)),
            };
            laid_out(folder, &files.map_err(|refused| Error::authors_file(&path, refused))?, target)
        }
    }
}

/// Reads the files of a list below `folder`, lays them out, and looks for the names of functions beside them.
fn laid_out(folder: &Path, files: &Files, target: &Target) -> blame::Result<ImageSource> {
    let image = flash_of(folder, files, target)?;
    let application = files.parts.iter().max_by_key(|(at, _)| (*at == 0x1_0000, *at));
    let symbols = application.and_then(|(_, path)| elf_beside(&folder.join(path)));
    Ok(ImageSource::Flash { image, symbols })
}

/// Reads the files of a list below `folder`, and lays them out.
fn flash_of(folder: &Path, files: &Files, target: &Target) -> blame::Result<FlashImage> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let home = folder.canonicalize().map_err(|error| Error::authors_file(folder, error))?;
    let mut parts = Vec::new();
    for (at, path) in &files.parts {
        let file = folder.join(path);
        let real = file.canonicalize().map_err(|error| {
            Error::author(format!("{}: {error}; {} names it: is the build whole?", file.display(), files.list))
        })?;
        if !real.starts_with(&home) {
            let refused = Refused::OutsideFolder { list: files.list, path: PrintableName::new(path) };
            return Err(Error::authors_file(folder, refused));
        }
        parts.push(Part { at: *at, bytes: read_file(&real, &host::limit::PART)?, name: PrintableName::new(path) });
    }
    FlashImage::new(parts, target).map_err(|refused| Error::authors_file(folder, refused))
}

/// `0x0 bootloader.bin`, and more of them, as esptool's `write-flash` takes them.
fn in_pairs(words: &[String]) -> Option<Vec<(u32, &str)>> {
    let pairs = words.chunks(2).map(|pair| match pair {
        [at, path] if !Path::new(at).exists() => Some((build::parse_offset(at)?, path.as_str())),
        _ => None,
    });
    pairs.collect()
}

/// `0x0=bootloader.bin`, and more of them.
fn with_equals_signs<'a>(words: &[&'a str]) -> blame::Result<Vec<(u32, &'a str)>> {
    let part = |word: &&'a str| {
        let (at, path) = word.split_once('=')?;
        Some((build::parse_offset(at)?, path))
    };
    let usage = |word: &str| {
        Error::usage(format!(
            "`{word}`: parts are given as OFFSET=FILE, as in 0x8000=partitions.bin, or as OFFSET FILE"
        ))
    };
    words.iter().map(|word| part(word).ok_or_else(|| usage(word))).collect()
}

/// Reads parts, and the ELF file beside the first that has one.
fn read_parts(named: &[(u32, &str)]) -> blame::Result<(Vec<Part>, Option<Vec<u8>>)> {
    let (mut parts, mut symbols) = (Vec::new(), None);
    for (at, path) in named {
        let bytes = read_file(Path::new(path), &host::limit::PART)?;
        symbols = symbols.or_else(|| elf_beside(Path::new(path)));
        parts.push(Part { at: *at, bytes, name: PrintableName::new(path) });
    }
    Ok((parts, symbols))
}

/// The flash that an ELF file was built into, if it lies in the build folder of ESP-IDF as its application.
fn built_with(elf: &Path, folder: &Path, target: &Target) -> Option<FlashImage> {
    let list = folder.join("flasher_args.json");
    let files = build::flasher_args(&read_file(&list, &host::limit::PARTS).ok()?, target).ok()?;
    let is_ours = files.parts.iter().any(|(_, path)| Path::new(path).file_stem() == elf.file_stem());
    is_ours.then(|| flash_of(folder, &files, target).ok()).flatten()
}

/// The ELF file of the same name, as builds leave it beside their images: `x.bin` and `x.elf`.
fn elf_beside(image: &Path) -> Option<Vec<u8>> {
    let elf: PathBuf = image.with_extension("elf");
    let bytes = elf.is_file().then(|| read_file(&elf, &host::limit::IMAGE).ok()).flatten()?;
    matches!(recognise(&bytes), Kind::Elf { .. }).then_some(bytes)
}

/// Reads an image: as much as a flash holds, and more of an ELF file alone.
fn read_image(path: &Path) -> blame::Result<Vec<u8>> {
    let bytes = read_file(path, &host::limit::IMAGE)?;
    if !bytes.starts_with(b"\x7fELF") && bytes.len() as u64 > u64::from(FLASH_BYTES_MAX) {
        let longer = format!("longer than {} MiB, which no such file is", FLASH_BYTES_MAX >> 20);
        return Err(Error::authors_file(path, longer));
    }
    Ok(bytes)
}

fn read_file(path: &Path, limit: &host::Limit) -> blame::Result<Vec<u8>> {
    host::read(path, limit).map_err(|error| Error::authors_file(path, error))
}
