//! This machine, as far as more than one crate of the bench touches it: files that are written whole or not at all, and
//! programs that cannot outlive their limit.
//!
//! This crate does not know what the files hold or what the programs are.

pub mod process;
pub mod whole_file;
