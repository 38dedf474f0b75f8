//! This machine, as far as more than one crate of the bench touches it: files that are written whole or not at all, folders for
//! a run's secrets that go with their process, and programs that can outlive neither their limit nor the bench.
//!
//! This crate does not know what the files hold or what the programs are.

pub mod folder;
pub mod process;
pub mod whole_file;
