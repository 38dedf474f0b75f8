//! Which files a build consists of, and where in the flash each goes.
//!
//! Toolchains write that down: ESP-IDF in `flasher_args.json`, Arduino in `flash_args`, ESPHome and others in a
//! manifest of esp-web-tools. PlatformIO does not; its files have names that are always the same.

use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{PrintableName, Refused};
use crate::espressif::{Chip, Target};

/// More parts than any build has.
pub const PARTS_MAX: usize = 64;

/// The files of a build, by their offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// What named them: *flasher_args.json*.
    pub list: &'static str,
    /// Offset in the flash, and path relative to the list's folder; without `..`.
    pub parts: Vec<(u32, String)>,
}

/// Reads `flasher_args.json` of an ESP-IDF build.
///
/// # Errors
/// If it is not one, or is for another chip.
pub fn flasher_args(json: &[u8], target: &Target) -> Result<Files, Refused> {
    const LIST: &str = "flasher_args.json";
    #[derive(Deserialize)]
    struct FlasherArgs {
        flash_files: Map<String, Value>,
        #[serde(default)]
        extra_esptool_args: ExtraArgs,
    }
    #[derive(Default, Deserialize)]
    struct ExtraArgs {
        chip: Option<String>,
    }
    let list: FlasherArgs = serde_json::from_slice(json).map_err(|error| bad(LIST, &error))?;
    if let Some(name) = list.extra_esptool_args.chip.filter(|name| Chip::by_name(name) != Some(target.chip)) {
        return Err(Refused::NotForThisChip { list: LIST, chips: vec![PrintableName::new(&name)], here: target.chip });
    }
    let parts = list.flash_files.iter().map(|(at, path)| {
        let path = path.as_str().ok_or_else(|| bad(LIST, &"a path in `flash_files` is not text"))?;
        Ok((offset(LIST, at)?, path.to_owned()))
    });
    files(LIST, parts.collect::<Result<_, Refused>>()?)
}

/// Reads `flash_args`, which Arduino's cores leave in their build folder: lines of an offset and a file.
///
/// # Errors
/// If it is not one.
pub fn flash_args(text: &str) -> Result<Files, Refused> {
    const LIST: &str = "flash_args";
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('-'));
    let parts = lines.map(|line| {
        let (at, path) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| bad(LIST, &format_args!("`{}` is no offset and file", PrintableName::new(line))))?;
        Ok((offset(LIST, at)?, path.trim().to_owned()))
    });
    files(LIST, parts.collect::<Result<_, Refused>>()?)
}

/// Reads a manifest of esp-web-tools (`manifest.json`), and takes the build for this chip.
///
/// # Errors
/// If it is not one, or has no build for this chip.
pub fn web_manifest(json: &[u8], target: &Target) -> Result<Files, Refused> {
    const LIST: &str = "manifest.json";
    #[derive(Deserialize)]
    struct Manifest {
        builds: Vec<Build>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Build {
        chip_family: String,
        #[serde(default)]
        parts: Vec<ListedPart>,
    }
    #[derive(Deserialize)]
    struct ListedPart {
        path: String,
        #[serde(default)]
        offset: u32,
    }
    let manifest: Manifest = serde_json::from_slice(json).map_err(|error| bad(LIST, &error))?;
    let ours = manifest.builds.iter().find(|build| Chip::by_name(&build.chip_family) == Some(target.chip));
    let Some(ours) = ours else {
        let chips =
            manifest.builds.iter().take(PARTS_MAX).map(|build| PrintableName::new(&build.chip_family)).collect();
        return Err(Refused::NotForThisChip { list: LIST, chips, here: target.chip });
    };
    files(LIST, ours.parts.iter().map(|part| (part.offset, part.path.clone())).collect())
}

/// What of a folder is read, by the names of the files in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Read this list, which says what the build consists of.
    List(&'static str),
    /// These are the files.
    Files(Files),
}

/// Says whose build folder it is. `names` are the names of the files in it.
///
/// # Errors
/// If it is none, or lacks a file.
pub fn folder(names: &[String], target: &Target) -> Result<Folder, Refused> {
    let has = |name: &str| names.iter().any(|other| other == name);
    for list in ["flasher_args.json", "flash_args"] {
        if has(list) {
            return Ok(Folder::List(list));
        }
    }
    if has("firmware.bin") || has(MERGED) {
        return platformio(&has, target).map(Folder::Files);
    }
    if let Some(sketch) = names.iter().find_map(|name| name.strip_suffix(".ino.bin")) {
        return arduino(sketch, &has, target).map(Folder::Files);
    }
    if has("manifest.json") {
        return Ok(Folder::List("manifest.json"));
    }
    Err(Refused::NothingInFolder)
}

const APPLICATION: u32 = 0x1_0000;
const PARTITIONS: u32 = 0x8000;
const OTA_DATA: u32 = 0xe000;
/// What ESPHome calls all of them in one file.
const MERGED: &str = "firmware.factory.bin";

/// `.pio/build/ENVIRONMENT`; ESPHome builds so too, adds `ota_data_initial.bin` or leaves otadata erased, and what is
/// downloaded from it is the merged image with or without the application.
fn platformio(has: &dyn Fn(&str) -> bool, target: &Target) -> Result<Files, Refused> {
    let wanted =
        [(target.bootloader_at, "bootloader.bin"), (PARTITIONS, "partitions.bin"), (APPLICATION, "firmware.bin")];
    let missing: Vec<&str> = wanted.iter().map(|(_, name)| *name).filter(|name| !has(name)).collect();
    if !missing.is_empty() && has(MERGED) {
        return files("the build folder", vec![(0, MERGED.to_owned())]);
    }
    if !missing.is_empty() {
        return Err(Refused::FilesMissing { toolchain: "PlatformIO", missing });
    }
    files("the build folder", wanted.into_iter().map(|(at, name)| (at, name.to_owned())).collect())
}

/// The folder that `arduino-cli compile --build-path` fills.
fn arduino(sketch: &str, has: &dyn Fn(&str) -> bool, target: &Target) -> Result<Files, Refused> {
    let kinds =
        [(target.bootloader_at, ".ino.bootloader.bin"), (PARTITIONS, ".ino.partitions.bin"), (APPLICATION, ".ino.bin")];
    let missing: Vec<&str> =
        kinds.iter().map(|(_, ending)| *ending).filter(|ending| !has(&format!("{sketch}{ending}"))).collect();
    if !missing.is_empty() {
        return Err(Refused::FilesMissing { toolchain: "Arduino", missing });
    }
    let mut parts: Vec<(u32, String)> =
        kinds.into_iter().map(|(at, ending)| (at, format!("{sketch}{ending}"))).collect();
    if has("boot_app0.bin") {
        parts.push((OTA_DATA, "boot_app0.bin".to_owned()));
    }
    files("the build folder", parts)
}

/// An offset as lists and command lines write it: decimal, or hexadecimal with `0x`.
pub fn parse_offset(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn offset(list: &'static str, text: &str) -> Result<u32, Refused> {
    parse_offset(text).ok_or_else(|| bad(list, &format_args!("`{}` is no offset", PrintableName::new(text))))
}

fn bad(list: &'static str, why: &dyn core::fmt::Display) -> Refused {
    Refused::BadList { list, why: PrintableName::new(&why.to_string()).to_string() }
}

/// The list, if it names something, not too much, and nothing outside of its folder.
fn files(list: &'static str, mut parts: Vec<(u32, String)>) -> Result<Files, Refused> {
    if parts.is_empty() {
        return Err(bad(list, &"it names no file"));
    }
    if parts.len() > PARTS_MAX {
        return Err(bad(list, &format_args!("it names {} files; a build has at most {PARTS_MAX}", parts.len())));
    }
    if let Some((_, path)) = parts.iter().find(|(_, path)| !is_inside(path)) {
        return Err(Refused::OutsideFolder { list, path: PrintableName::new(path) });
    }
    parts.sort();
    Ok(Files { list, parts })
}

/// Whether a path stays inside the folder that it is relative to, on any system: no `..`, no root, no drive, no URL.
fn is_inside(path: &str) -> bool {
    let plain = !path.is_empty() && !path.contains(['\\', '\0', ':']);
    plain && Path::new(path).components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
}
