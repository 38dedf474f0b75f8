//! Builds an image from its sources, the same from the same.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use blame::Error;
use serde::Deserialize;

use super::{Image, Manifest, notices, read, sha256, sources, write};
use crate::manifest::Toolchain;

/// The C compiler that images are built with, unless the environment names another.
const C_COMPILER: &str = "clang";

/// Builds an image and releases it: ELF, notices and manifest. Progress goes to standard error.
///
/// # Errors
/// What is missing, each with the way to get it; or that the build failed, whose reasons are on standard error then.
pub fn build(image: &Image) -> blame::Result<Manifest> {
    let folder = image.folder();
    let target = target(&folder)?;
    let toolchain = toolchain(&folder, &target)?;
    let metadata = notices::Metadata::of(&folder, Some(&target))?;
    let command = run(image, &folder, &target, &metadata)?;
    let out = folder.join("target").join(&target).join("release");
    let elf = read(&out.join(&image.name))?;
    let dep_info_file = out.join(format!("{}.d", image.name));
    let dep_info = String::from_utf8(read(&dep_info_file)?).map_err(Error::bench)?;
    let sources = sources::collect(&image.root, &folder, &dep_info)?;
    // Notices go with what is handed on.
    let notices = match image.is_local {
        true => String::new(),
        false => notices::write(&image.root, &image.name, &folder, &metadata)?,
    };
    let package = metadata.root()?;
    let manifest = Manifest {
        version: package.version.clone(),
        chip: package.settings().chip,
        sha256: sha256(&elf),
        notices_sha256: sha256(notices.as_bytes()),
        sources_sha256: sources::digest(&sources),
        toolchain: Toolchain { command, ..toolchain },
        stack: notices::Metadata::of(&folder, None)?.versions(&package.settings().stack),
        sources,
    };
    if let Some(folder) = image.elf().parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
    }
    write(&image.elf(), &elf)?;
    write(&image.notices(), notices.as_bytes())?;
    manifest.write(&image.manifest())?;
    Ok(manifest)
}

/// What the image's own cargo configuration builds for.
fn target(folder: &Path) -> blame::Result<String> {
    #[derive(Deserialize)]
    struct Config {
        build: Build,
    }
    #[derive(Deserialize)]
    struct Build {
        target: String,
    }
    let file = folder.join(".cargo/config.toml");
    let text = String::from_utf8(read(&file)?).map_err(|error| Error::file(&file, error))?;
    let config: Config = toml::from_str(&text).map_err(|error| Error::file(&file, error))?;
    Ok(config.build.target)
}

/// Looks for everything that the build needs, and complains of all that is missing at once.
fn toolchain(folder: &Path, target: &str) -> blame::Result<Toolchain> {
    let mut missing = Vec::new();
    let rustc = say(folder, "rustc", &["--version"]);
    let sysroot = say(folder, "rustc", &["--print", "sysroot"]);
    match (&rustc, &sysroot) {
        (Some(_), Some(sysroot)) if Path::new(sysroot).join("lib/rustlib").join(target).is_dir() => {}
        (Some(_), Some(_)) => missing.push(format!("Rust's library for {target}: rustup target add {target}")),
        _ => missing.push("Rust: https://rustup.rs".to_owned()),
    }
    let compiler = env::var(format!("CC_{}", target.replace('-', "_"))).unwrap_or_else(|_| C_COMPILER.to_owned());
    let c_compiler = say(folder, &compiler, &["--version"]);
    if c_compiler.is_none() {
        missing.push(format!(
            "the C compiler `{compiler}`, to compile the TLS library: apt install clang, brew install llvm"
        ));
    }
    if missing.is_empty() {
        let first_line = |text: Option<String>| text.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        Ok(Toolchain {
            rustc: first_line(rustc),
            c_compiler: first_line(c_compiler),
            target: target.to_owned(),
            command: String::new(),
        })
    } else {
        Err(Error::bench(format!("to build firmware, this machine lacks\n  {}", missing.join("\n  "))))
    }
}

/// A program's answer, if there is such a program.
fn say(folder: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs cargo. Returns the command as a person would type it.
fn run(image: &Image, folder: &Path, target: &str, metadata: &notices::Metadata) -> blame::Result<String> {
    let typed = ["build", "--release", "--locked"];
    // No path of this machine in the image: the workspace's, and the one below which cargo keeps packages.
    let mut flags = vec![remap(&image.root, "/shakedown")];
    flags.extend(metadata.registry().map(|registry| remap(&registry, "/registry")));
    let status = Command::new(cargo())
        .args(typed)
        .arg("--config")
        .arg(format!("target.{target}.rustflags=[{}]", flags.join(",")))
        .current_dir(folder)
        // They would take the place of the flags in the image's own configuration, or change the image in other ways.
        .envs(BTreeMap::from([("SOURCE_DATE_EPOCH", "0")]))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .map_err(|error| Error::bench(format!("cargo does not start: {error}")))?;
    if status.success() {
        Ok(format!("cargo {}", typed.join(" ")))
    } else {
        Err(Error::bench(format!("the image {} does not build (see above)", image.name)))
    }
}

fn remap(from: &Path, to: &str) -> String {
    // A literal string of TOML: Windows has backslashes in paths.
    format!("'--remap-path-prefix={}={to}'", from.display())
}

pub(super) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder above `part` in a path.
pub(super) fn above(path: &Path, part: &str) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == part)).map(Path::to_path_buf)
}
