//! Errors that say whose fault they are.
//!
//! A bench that fails must never look like a device that fails, and a scenario file with a wrong key must not look like a
//! full disk. So an error of the bench carries [`Blame`] beside its sentence, set by whoever knew; the exit code follows
//! from it. Where a caller acts on the kind of an error and not only on whose fault it is, the error is an enum of its
//! own crate, and becomes an [`Error`] where it leaves that crate.
//!
//! This crate does not know what can go wrong, nor which exit code that has.

pub mod panics;

use std::fmt;
use std::path::Path;

/// The result of what may fail with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever typed the command line.
    Usage,
    /// Whoever wrote the file that was read: a scenario, a dialect, a board's file, a capture.
    Author,
    /// The device under test: it said or did what no device may.
    Device,
    /// The broker: the scripted one or the program in its place.
    Broker,
    /// The bench, or the machine that it runs on. Never the device.
    Bench,
}

/// What went wrong, in a sentence for people, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Whose fault it is.
    pub blame: Blame,
    /// What went wrong, where, and the remedy if there is one. May have several lines.
    pub message: String,
}

impl Error {
    /// An error of somebody.
    pub fn of(blame: Blame, message: impl ToString) -> Self {
        Self { blame, message: message.to_string() }
    }

    /// The command line is wrong.
    pub fn usage(message: impl ToString) -> Self {
        Self::of(Blame::Usage, message)
    }

    /// A file that a person wrote is wrong.
    pub fn author(message: impl ToString) -> Self {
        Self::of(Blame::Author, message)
    }

    /// The device did what no device may.
    pub fn device(message: impl ToString) -> Self {
        Self::of(Blame::Device, message)
    }

    /// The broker did what no broker may.
    pub fn broker(message: impl ToString) -> Self {
        Self::of(Blame::Broker, message)
    }

    /// The bench could not do its part.
    pub fn bench(message: impl ToString) -> Self {
        Self::of(Blame::Bench, message)
    }

    /// The bench could not do something with a file.
    pub fn file(file: &Path, error: impl fmt::Display) -> Self {
        Self::bench(format!("{}: {error}", file.display()))
    }

    /// A file that a person wrote is wrong, or not there.
    pub fn authors_file(file: &Path, error: impl fmt::Display) -> Self {
        Self::author(format!("{}: {error}", file.display()))
    }

    /// The same error, with what it happened to before its sentence: `validity/expired_leaf: …`.
    #[must_use]
    pub fn about(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_whose_fault_it_is_when_it_says_what_it_happened_to() {
        let error = Error::authors_file(Path::new("a.toml"), "no `title`").about("validity/a");
        assert_eq!((error.blame, error.to_string().as_str()), (Blame::Author, "validity/a: a.toml: no `title`"));
    }
}
