//! `cargo xtask labgrid`: boards of other hosts, through labgrid (<https://labgrid.readthedocs.io>).
//!
//! A coordinator knows places, exporters have the boards, a client holds a place and reaches what belongs to it: that is
//! labgrid's, its protocols included. What the bench adds is a name in the file system: the serial port of a place that is
//! held is a pseudo-terminal here, so that a board's file names it like any other port.
//!
//! labgrid is LGPL and never linked: it runs as processes, in a virtual environment of its own.

mod hold;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::controls::install;
use crate::exit::Exit;

pub use hold::Hold;

/// The environment, below the workspace's root.
pub const ENVIRONMENT: &str = "target/labgrid";
/// What is in it, by hash.
const REQUIREMENTS: &str = include_str!("labgrid/requirements.txt");

/// Boards of other hosts, through labgrid.
#[derive(Debug, Subcommand)]
pub enum Labgrid {
    /// Install labgrid, pinned, in a virtual environment of its own below target/
    Install,
    /// Hold a place, with its serial port at a name of this machine, as long as a command runs
    Hold(Hold),
}

/// Runs the command.
///
/// # Errors
///
/// What labgrid says, or what is missing, and the remedy.
pub fn run(root: &Path, command: &Labgrid) -> Result<u8, (Exit, String)> {
    let environment = root.join(ENVIRONMENT);
    let refused = |error: blame::Error| (Exit::of(error.blame), error.message);
    match command {
        Labgrid::Install => {
            install::environment(&environment, REQUIREMENTS).map(|()| crate::exit::AS_EXPECTED.code).map_err(refused)
        }
        Labgrid::Hold(arguments) => hold::run(&environment, arguments).map_err(refused),
    }
}

/// A program of the environment.
pub fn program(environment: &Path, name: &str) -> PathBuf {
    environment.join("bin").join(name)
}
