//! `cargo xtask controls install`: Paho for Python, pinned, in a virtual environment of its own below `target/`.

use blame::Error;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::controls::paho;

/// Installs what controls need and the bench can bring itself.
///
/// # Errors
///
/// With the remedy, if Python is not there or has no `venv`, or the package index cannot be reached.
pub fn run(root: &Path) -> blame::Result<()> {
    environment(&root.join(paho::ENVIRONMENT), paho::REQUIREMENTS)
}

/// Makes a virtual environment, if it is not there, and installs what is pinned by hash: wheels alone.
///
/// # Errors
///
/// With the remedy, as above.
pub fn environment(environment: &Path, requirements: &str) -> blame::Result<()> {
    let python = paho::python(environment);
    if !python.exists() {
        step(
            Command::new(paho::system_python()).args(["-m", "venv"]).arg(environment),
            "Python 3 with its module `venv` is needed (`apt-get install python3-venv`)",
        )?;
    }
    let file = environment.join("requirements.txt");
    fs::write(&file, requirements).map_err(|error| Error::bench(format!("{}: {error}", file.display())))?;
    step(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement"])
            .arg(&file),
        "the package index cannot be reached, or it has another file under that name",
    )
}

fn step(command: &mut Command, remedy: &str) -> blame::Result<()> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::bench(format!("{shown}: {status}: {remedy}"))),
        Err(error) => Err(Error::bench(format!("{shown}: {error}: {remedy}"))),
    }
}
