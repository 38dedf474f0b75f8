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

/// The C compiler that images are built with, unless their sources or the environment name another.
const C_COMPILER: &str = "clang";
/// The packages in which C compilers are found: Debian's, and whoever else has one.
const C_PACKAGES: &[(&str, &str)] =
    &[("clang", "apt install clang, brew install llvm"), ("xtensa-lx106-elf-gcc", "apt install gcc-xtensa-lx106")];

/// Builds an image and releases it: ELF, notices and manifest. Progress goes to standard error.
///
/// # Errors
/// What is missing, each with the way to get it; or that the build failed, whose reasons are on standard error then.
pub fn build(image: &Image) -> blame::Result<Manifest> {
    let folder = image.folder();
    let target = target(&folder)?;
    let toolchain = toolchain(&folder, &target)?;
    let metadata = notices::Metadata::of(&folder, Some(&target.argument))?;
    let command = run(image, &folder, &target.name, &metadata)?;
    let out = folder.join("target").join(&target.name).join("release");
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

/// What an image is built for.
struct Target {
    /// Its name: `riscv32imc-unknown-none-elf`.
    name: String,
    /// What cargo is told: the name, or the file that describes a target of which Rust knows nothing, in the image's folder.
    argument: String,
}

/// What the image's own cargo configuration builds for.
fn target(folder: &Path) -> blame::Result<Target> {
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
    let argument = config.build.target;
    let described = Path::new(&argument).file_name().and_then(|name| name.to_str()?.strip_suffix(".json"));
    Ok(Target { name: described.unwrap_or(&argument).to_owned(), argument })
}

/// Looks for everything that the build needs, and complains of all that is missing at once.
fn toolchain(folder: &Path, target: &Target) -> blame::Result<Toolchain> {
    let mut missing = Vec::new();
    let cargo = Cargo::of(folder);
    let rustc = say(folder, cargo.rustc().arg("--version"));
    let sysroot = say(folder, cargo.rustc().args(["--print", "sysroot"]));
    match (&cargo.toolchain, &rustc, &sysroot) {
        (None, Some(_), Some(sysroot)) if Path::new(sysroot).join("lib/rustlib").join(&target.name).is_dir() => {}
        (None, Some(_), Some(_)) => {
            missing.push(format!("Rust's library for {0}: rustup target add {0}", target.name));
        }
        (None, ..) => missing.push("Rust: https://rustup.rs".to_owned()),
        (Some(_), Some(_), Some(sysroot)) if Path::new(sysroot).join(LIBRARY).is_dir() => {}
        (Some(name), Some(_), Some(_)) => {
            missing.push(format!("the sources of Rust's library: rustup component add rust-src --toolchain {name}"));
        }
        (Some(name), ..) => {
            missing.push(format!("Rust's toolchain `{name}`: rustup toolchain install {name} --component rust-src"));
        }
    }
    let named =
        crate::setting(&folder.join("Cargo.toml"), "c_compiler").and_then(|value| Some(value.as_str()?.to_owned()));
    let usual = named.unwrap_or_else(|| C_COMPILER.to_owned());
    let compiler = env::var(format!("CC_{}", target.name.replace('-', "_"))).unwrap_or_else(|_| usual.clone());
    let c_compiler = say(folder, Command::new(&compiler).arg("--version"));
    if c_compiler.is_none() {
        let package = C_PACKAGES.iter().find(|(name, _)| *name == usual).map_or("", |(_, package)| package);
        missing.push(format!("the C compiler `{compiler}`, to compile the TLS library: {package}"));
    }
    if missing.is_empty() {
        let first_line = |text: Option<String>| text.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        Ok(Toolchain {
            rustc: first_line(rustc),
            c_compiler: first_line(c_compiler),
            target: target.name.clone(),
            command: String::new(),
        })
    } else {
        Err(Error::bench(format!("to build firmware, this machine lacks\n  {}", missing.join("\n  "))))
    }
}

/// Where the sources of Rust's own library lie below a sysroot.
const LIBRARY: &str = "lib/rustlib/src/rust";

/// Cargo and rustc of the toolchain that builds an image.
pub(super) struct Cargo {
    /// Its name with rustup, of an image that is not built by the one that runs.
    toolchain: Option<String>,
}

impl Cargo {
    /// What the image in `folder` says (`[package.metadata.shakedown]`, `toolchain`).
    pub(super) fn of(folder: &Path) -> Self {
        let said = crate::setting(&folder.join("Cargo.toml"), "toolchain");
        Self { toolchain: said.and_then(|value| Some(value.as_str()?.to_owned())) }
    }

    /// Cargo.
    pub(super) fn cargo(&self) -> Command {
        self.program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), "cargo")
    }

    fn rustc(&self) -> Command {
        self.program("rustc".into(), "rustc")
    }

    fn program(&self, own: OsString, name: &str) -> Command {
        let Some(toolchain) = &self.toolchain else { return Command::new(own) };
        let mut command = Command::new("rustup");
        command.args(["run", toolchain, name]);
        command
    }
}

/// A program's answer, if there is such a program.
fn say(folder: &Path, command: &mut Command) -> Option<String> {
    let output = command.current_dir(folder).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs cargo. Returns the command as a person would type it.
fn run(image: &Image, folder: &Path, target: &str, metadata: &notices::Metadata) -> blame::Result<String> {
    let typed = ["build", "--release", "--locked"];
    let cargo = Cargo::of(folder);
    // No path of this machine in the image: the workspace's, the one below which cargo keeps packages, and that of Rust's
    // library, if it is compiled too.
    let mut flags = vec![remap(&image.root, "/shakedown")];
    flags.extend(metadata.registry().map(|registry| remap(&registry, "/registry")));
    if cargo.toolchain.is_some() {
        let sysroot = say(folder, cargo.rustc().args(["--print", "sysroot"])).unwrap_or_default();
        flags.push(remap(&Path::new(&sysroot).join(LIBRARY), "/rust"));
    }
    let status = cargo
        .cargo()
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

/// The folder above `part` in a path.
pub(super) fn above(path: &Path, part: &str) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == part)).map(Path::to_path_buf)
}
