//! The names and reset values of a chip's registers, and storage for them.
//!
//! A table is text that a chip brings along, one peripheral after another ([`Table::parse`]). A device of the model acts
//! on the registers that it understands and leaves the others to this storage.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;
use std::fmt;

/// One register: where, what it is called, and what it holds after a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Register {
    pub name: String,
    pub reset_value: u32,
}

/// The registers of one peripheral, by offset from its base.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peripheral {
    pub registers: BTreeMap<u32, Register>,
}

impl Peripheral {
    /// What the data sheet calls the register at `offset`.
    pub fn name_of(&self, offset: u32) -> Option<&str> {
        self.registers.get(&(offset & !3)).map(|register| register.name.as_str())
    }
}

/// The registers of a chip, by peripheral.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    peripherals: BTreeMap<String, Peripheral>,
}

/// A peripheral without registers.
fn nothing() -> &'static Peripheral {
    static NOTHING: Peripheral = Peripheral { registers: BTreeMap::new() };
    &NOTHING
}

impl Table {
    /// Reads a table.
    ///
    /// `@NAME BASE` begins a peripheral, `@NAME BASE = OTHER` one with the registers of another before it; each line
    /// after it is a register: offset and reset value in hexadecimal, and its name. `NAME{0..3}` is a run of words. A line that
    /// makes no sense is skipped: tables are the chip's own, and a test reads each whole.
    pub fn parse(text: &str) -> Self {
        let mut peripherals: BTreeMap<String, Peripheral> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(header) = line.strip_prefix('@') {
                let words: Vec<&str> = header.split(' ').collect();
                current = words[0].to_string();
                let registers = match words.as_slice() {
                    [_, _, "=", other] => peripherals.get(*other).cloned().unwrap_or_default(),
                    _ => Peripheral::default(),
                };
                peripherals.insert(current.clone(), registers);
            } else if let Some((offset, reset_value, name)) = parse_register(line) {
                let registers = &mut peripherals.entry(current.clone()).or_default().registers;
                for (offset, name) in unrolled(offset, name) {
                    registers.insert(offset, Register { name, reset_value });
                }
            }
        }
        Self { peripherals }
    }

    /// The lines of `text` that say nothing, comments apart.
    #[cfg(test)]
    pub fn nonsense(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with(['@', '#']) && parse_register(line).is_none()).collect()
    }

    /// The peripheral called `name`; one without registers if the table has none of that name.
    pub fn peripheral(&self, name: &str) -> &Peripheral {
        self.peripherals.get(name).unwrap_or_else(|| nothing())
    }
}

fn parse_register(line: &str) -> Option<(u32, u32, &str)> {
    let mut words = line.split(' ');
    let offset = u32::from_str_radix(words.next()?, 16).ok()?;
    let reset_value = u32::from_str_radix(words.next()?, 16).ok()?;
    Some((offset, reset_value, words.next()?))
}

/// `STORE{0..3}` is four words in a row.
fn unrolled(offset: u32, name: &str) -> Vec<(u32, String)> {
    let run = name.split_once('{').and_then(|(before, rest)| {
        let (range, after) = rest.split_once('}')?;
        let (first, last) = range.split_once("..")?;
        Some((before, first.parse::<u32>().ok()?, last.parse::<u32>().ok()?, after))
    });
    match run {
        None => vec![(offset, name.to_string())],
        Some((before, first, last, after)) => {
            (first..=last).map(|n| (offset + 4 * (n - first), format!("{before}{n}{after}"))).collect()
        }
    }
}

/// A snapshot has so many words of a peripheral's registers, and the chip has another number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherLength {
    kept: usize,
    words: usize,
}

impl fmt::Display for OtherLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} words of registers, and there are {}", self.kept, self.words)
    }
}

/// Storage for the registers of one peripheral.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegisterFile {
    /// In a snapshot it goes without saying: [`Self::attach`].
    #[serde(skip, default = "nothing")]
    peripheral: &'static Peripheral,
    words: Vec<u32>,
}

impl RegisterFile {
    /// Storage for a peripheral, at its reset values: as far as its last register, or for `size` bytes if the data sheet
    /// names none.
    pub fn new(peripheral: &'static Peripheral, size: u32) -> Self {
        let end = peripheral.registers.last_key_value().map_or(size, |(offset, _)| offset + 4).min(size);
        let mut file = Self { peripheral, words: vec![0; end as usize / 4] };
        file.reset();
        file
    }

    /// Storage that comes from a snapshot becomes that of the peripheral of `fresh`, which has just been made.
    ///
    /// # Errors
    ///
    /// If it is not as long.
    pub fn attach(&mut self, fresh: &Self) -> Result<(), OtherLength> {
        let words = fresh.words.len();
        if self.words.len() != words {
            return Err(OtherLength { kept: self.words.len(), words });
        }
        self.peripheral = fresh.peripheral;
        Ok(())
    }

    /// Storage for all of a peripheral's `size` bytes, whatever the data sheet names of them.
    pub fn whole(peripheral: &'static Peripheral, size: u32) -> Self {
        let mut file = Self { peripheral, words: vec![0; size as usize / 4] };
        file.reset();
        file
    }

    /// Every register to its reset value.
    pub fn reset(&mut self) {
        self.words.fill(0);
        for (offset, register) in &self.peripheral.registers {
            if let Some(word) = self.words.get_mut(*offset as usize / 4) {
                *word = register.reset_value;
            }
        }
    }

    /// Bytes that it takes.
    pub fn footprint_bytes(&self) -> usize {
        4 * self.words.len()
    }

    /// Every word to `value`.
    pub fn fill(&mut self, value: u32) {
        self.words.fill(value);
    }

    /// What the register at `offset` holds.
    pub fn get(&self, offset: u32) -> u32 {
        self.words.get(offset as usize / 4).copied().unwrap_or(0)
    }

    /// The `N` bytes that begin at `offset`, as they would lie in memory; `N` is a multiple of four.
    pub fn bytes<const N: usize>(&self, offset: u32) -> [u8; N] {
        let mut bytes = [0; N];
        for (word, at) in bytes.chunks_exact_mut(4).zip((offset..).step_by(4)) {
            word.copy_from_slice(&self.get(at).to_le_bytes());
        }
        bytes
    }

    /// Sets the registers from `offset` on to whole words of bytes, as they would lie in memory.
    pub fn set_bytes(&mut self, offset: u32, bytes: &[u8]) {
        for (word, at) in bytes.chunks_exact(4).zip((offset..).step_by(4)) {
            self.set(at, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        }
    }

    /// Changes what the register at `offset` holds.
    pub fn set(&mut self, offset: u32, value: u32) {
        if let Some(word) = self.words.get_mut(offset as usize / 4) {
            *word = value;
        }
    }
}
