//! This machine, as far as more than one crate of the bench touches it.
//!
//! - [`read`], [`text`]: what a stranger may have written, up to a [`Limit`] that counts the bytes that were read and
//!   believes no length that is stated; [`piped`]: what comes on standard input; [`open`]: what is read piece by piece. Pipes and devices are refused: they may never end.
//! - [`find`]: the files below a folder, without following links in circles.
//! - [`whole_file`]: files that are written whole or not at all, and files for their owner alone.
//! - [`folder`]: a folder for a run's secrets, for nobody else, which is gone when its process is.
//! - [`own_network`]: a network of its own for a server that a stranger configures.
//! - [`process`]: programs that cannot outlive their limit, nor the bench.
//!
//! This crate does not know what the files hold or what the programs are.

mod find;
pub mod folder;
pub mod limit;
pub mod own_network;
pub mod process;
mod read;
pub mod whole_file;

pub use find::{DEPTH_MAX, FILES_MAX, find};
pub use limit::Limit;
pub use read::{open, piped, read, text};
