//! The chip's real mask ROM, where the package `espflash` has it.
//!
//! Espressif publishes the ROM's ELF files under Apache-2.0, and `espflash` carries them. The workspace depends on that
//! package, so cargo has its source on this machine, or fetches it; nothing of it is copied into this repository.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use blame::Error;
use serde::Deserialize;

/// The ROM of an ESP32-C3 of version 0.3 to 1.0, for all that its file's name says *rev300*.
const ESP32C3: &str = "resources/roms/esp32c3_rev300_rom.elf";
const PACKAGE: &str = "espflash";

/// The ROM's ELF file: the one that is given, else the package's.
///
/// # Errors
///
/// A sentence with the remedy, if it cannot be read, or cargo does not find the package.
pub fn read(root: &Path, given: Option<&Path>) -> blame::Result<Arc<[u8]>> {
    match given {
        Some(path) => read_file(path).map_err(|error| Error::author(error.message)),
        None => read_packaged(root),
    }
}

/// The package's, for which cargo is asked once: every stack that needs the ROM has the same bytes.
fn read_packaged(root: &Path) -> blame::Result<Arc<[u8]>> {
    static READ: Mutex<BTreeMap<PathBuf, Arc<[u8]>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rom) = read.get(root) {
        return Ok(Arc::clone(rom));
    }
    let rom = read_file(&package(root)?.join(ESP32C3))?;
    read.insert(root.to_owned(), Arc::clone(&rom));
    Ok(rom)
}

fn read_file(path: &Path) -> blame::Result<Arc<[u8]>> {
    let bytes = host::read(path, &host::limit::IMAGE)
        .map_err(|error| Error::bench(format!("the mask ROM {}: {error}", path.display())))?;
    Ok(Arc::from(bytes))
}

/// Where cargo has the source of the package.
fn package(root: &Path) -> blame::Result<PathBuf> {
    unpacked(root).map_or_else(|| ask_cargo(root), Ok)
}

/// Where cargo unpacks packages of a registry, if it has unpacked the version that `Cargo.lock` names. Cargo takes longer to say so
/// than everything else that `cargo xtask explain` does.
fn unpacked(root: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: String,
    }
    let lock = host::text(&root.join("Cargo.lock"), &host::limit::MANIFEST).ok()?;
    let lock: Lock = toml::from_str(&lock).ok()?;
    let mut versions = lock.package.into_iter().filter(|locked| locked.name == PACKAGE);
    let folder = format!("{PACKAGE}-{}", versions.next()?.version);
    // Of two versions cargo knows which is ours.
    if versions.next().is_some() {
        return None;
    }
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let registries = fs::read_dir(cargo_home.join("registry/src")).ok()?;
    let mut folders = registries.flatten().map(|registry| registry.path().join(&folder));
    folders.find(|folder| folder.join(ESP32C3).is_file())
}

/// Where cargo says that it is; it fetches the package if need be.
fn ask_cargo(root: &Path) -> blame::Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
    }
    let remedy = "name the ROM's ELF file with --rom (Espressif publishes it: github.com/espressif/esp-rom-elfs)";
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--format-version", "1", "--locked", "--manifest-path"]).arg(root.join("Cargo.toml"));
    if let Some(host) = host() {
        // Else cargo would fetch what the workspace needs on all systems.
        metadata.args(["--filter-platform", &host]);
    }
    let output = metadata.output().map_err(|error| {
        Error::bench(format!("cargo does not start, and it knows where the mask ROM is: {error}; {remedy}"))
    })?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Error::bench(format!("cargo does not say where the mask ROM is: {}; {remedy}", why.trim())));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::bench(format!("what cargo says of its packages cannot be read: {error}; {remedy}")))?;
    let package = metadata.packages.into_iter().find(|package| package.name == PACKAGE);
    let folder = package.and_then(|package| package.manifest_path.parent().map(Path::to_owned));
    folder.ok_or_else(|| {
        Error::bench(format!("the workspace does not know the package `{PACKAGE}`, which has the mask ROM; {remedy}"))
    })
}

/// The triple of this machine, as rustc calls it.
fn host() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_names_and_that_is_no_rom_is_their_fault() {
        let why = read(Path::new("."), Some(Path::new("no/such/rom.elf"))).expect_err("it is not there");
        assert_eq!(why.blame, blame::Blame::Author);
        assert!(why.message.contains("no/such/rom.elf"), "{why}");
    }
}
