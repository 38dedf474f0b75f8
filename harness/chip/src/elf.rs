//! The first bytes of an ELF file, by which it can be told for what architecture it is (System V ABI, chapter 4,
//! "ELF Header").

use std::fmt;

use crate::Architecture;

const MAGIC: &[u8] = b"\x7fELF";
const CLASS_AT: usize = 4;
const CLASS_32: u8 = 1;
const DATA_AT: usize = 5;
const LITTLE_ENDIAN: u8 = 1;
const MACHINE_AT: usize = 18;

/// Machines that are likely to be mistaken for a microcontroller's (`e_machine`).
const MACHINES: [(u16, &str); 6] =
    [(3, "x86"), (40, "32-bit Arm"), (62, "x86-64"), (94, "Xtensa"), (183, "64-bit Arm"), (243, "RISC-V")];

/// Why bytes are no ELF file for a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongElf {
    /// They do not begin as an ELF file does, or end within its header.
    NotElf,
    /// They are for another architecture.
    OtherArchitecture {
        /// `e_machine` of the header.
        machine: u16,
        /// Whether it has words of 32 bits, the lowest byte first.
        is_32_bit_little_endian: bool,
        /// What it should be.
        wanted: Architecture,
    },
}

impl fmt::Display for WrongElf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("not an ELF file: its first four bytes are not 7F 45 4C 46"),
            Self::OtherArchitecture { machine, is_32_bit_little_endian, wanted } => {
                let name = MACHINES.iter().find(|(number, _)| number == machine).map(|(_, name)| *name);
                let width = if *is_32_bit_little_endian { "" } else { ", not of 32 bits with the lowest byte first" };
                match name {
                    Some(name) => write!(f, "an ELF file for {name}{width}, and not for {wanted}"),
                    None => write!(f, "an ELF file for machine {machine}{width}, and not for {wanted}"),
                }
            }
        }
    }
}

impl std::error::Error for WrongElf {}

/// Whether `bytes` begin an ELF file for `wanted`.
pub(crate) fn check(wanted: Architecture, bytes: &[u8]) -> Result<(), WrongElf> {
    let machine = bytes.get(MACHINE_AT..MACHINE_AT + 2).ok_or(WrongElf::NotElf)?;
    if !bytes.starts_with(MAGIC) {
        return Err(WrongElf::NotElf);
    }
    let is_little_endian = bytes.get(DATA_AT) == Some(&LITTLE_ENDIAN);
    let is_32_bit_little_endian = is_little_endian && bytes.get(CLASS_AT) == Some(&CLASS_32);
    let order = if is_little_endian { u16::from_le_bytes } else { u16::from_be_bytes };
    let machine = machine.try_into().map(order).map_err(|_| WrongElf::NotElf)?;
    if is_32_bit_little_endian && machine == wanted.elf_machine() {
        Ok(())
    } else {
        Err(WrongElf::OtherArchitecture { machine, is_32_bit_little_endian, wanted })
    }
}
