//! A chip's address map, as data: the dispatch and the printed map both come from its rows.

use serde::{Deserialize, Serialize};

use core::fmt;

use super::registers::Peripheral;

/// A stretch of the address space; `D` names the devices of the chip's model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<D> {
    /// Where it begins.
    pub base: u32,
    /// How long it is, in bytes.
    pub size: u32,
    /// What the data sheet calls it.
    pub name: &'static str,
    /// How far the model goes.
    pub modelled: Modelled,
    /// What is there and what is not.
    pub note: &'static str,
    /// Which device serves it.
    pub device: D,
}

impl<D> Row<D> {
    /// What the register at `address`, which lies in this row, is called, as far as it has a name.
    pub fn register_name(&self, address: u32, peripheral: &Peripheral) -> String {
        let offset = (address - self.base) & !3;
        match peripheral.name_of(offset) {
            Some(register) => format!("{}.{register}", self.name),
            None => format!("{}+{offset:#x}", self.name),
        }
    }
}

/// What the registers are called that no row has.
pub(crate) const NO_PERIPHERAL: &str = "no peripheral";

/// A row, in the order in which a map is best read.
pub(crate) const fn row<D>(
    base: u32,
    size: u32,
    name: &'static str,
    modelled: Modelled,
    device: D,
    note: &'static str,
) -> Row<D> {
    Row { base, size, name, modelled, note, device }
}

/// The map as it is printed: a line a row.
pub(crate) fn printed<D>(rows: &[Row<D>]) -> String {
    let line = |row: &Row<D>| {
        let Row { base, size, name, modelled, note, .. } = row;
        format!("{base:08x}-{:08x}  {name:<15}  {modelled:<10}  {note}\n", base + (size - 1))
    };
    rows.iter().map(line).collect()
}

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
