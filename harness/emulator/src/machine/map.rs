//! What a chip's address map says of a stretch of addresses, and how it is printed.

use serde::{Deserialize, Serialize};

use core::fmt;

/// How far the model goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Modelled {
    /// Memory: loads, stores and fetches reach it directly.
    Memory,
    /// It behaves, as far as the note says.
    Behaviour,
    /// Its registers hold what is written to them, and nothing comes of it.
    Storage,
    /// Not at all: each register that is touched is reported, once.
    Unmodelled,
}

impl Modelled {
    /// As the map prints it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Behaviour => "modelled",
            Self::Storage => "storage",
            Self::Unmodelled => "UNMODELLED",
        }
    }
}

impl fmt::Display for Modelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A line of the printed map.
pub(crate) fn line(base: u32, size: u32, name: &str, modelled: Modelled, note: &str) -> String {
    let last = base + (size - 1);
    format!("{base:08x}-{last:08x}  {name:<15}  {modelled:<10}  {note}")
}
