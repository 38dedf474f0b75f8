//! The LX106's registers as gdb has them.
//!
//! A gdb for Xtensa is built for one core, takes no description from the target, and numbers registers as that core's
//! configuration lists them: for the LX106 (Xtensa configuration overlay `lx106`, which `xtensa-lx106-elf-gdb` and QEMU are
//! built with) `a0` to `a15`, `pc`, five registers that programs may see, then the privileged ones. Some builds of gdb want the
//! first 22 in a `g` packet, as the stubs of the ESP8266's SDKs send them, and others all; those ask for each that is not in it.

use core::num::NonZeroUsize;

use gdbstub::arch::{Arch, RegId, Registers};

use super::super::chip::Debuggee;
use super::Registered;

/// `a0` to `a15`.
const GENERAL: usize = 16;
const PC: usize = GENERAL;
/// Special registers behind the program counter, in gdb's order, by gdb's names. Those that programs may see come first.
const SPECIAL: [(&str, u16); 33] = [
    ("sar", 3),
    ("litbase", 5),
    ("sr176", 176),
    ("sr208", 208),
    ("ps", 230),
    ("mmid", 89),
    ("ibreakenable", 96),
    ("ddr", 104),
    ("ibreaka0", 128),
    ("dbreaka0", 144),
    ("dbreakc0", 160),
    ("epc1", 177),
    ("epc2", 178),
    ("epc3", 179),
    ("depc", 192),
    ("eps2", 194),
    ("eps3", 195),
    ("excsave1", 209),
    ("excsave2", 210),
    ("excsave3", 211),
    ("interrupt", 226),
    ("intset", 226),
    ("intclear", 227),
    ("intenable", 228),
    ("vecbase", 231),
    ("exccause", 232),
    ("debugcause", 233),
    ("ccount", 234),
    ("prid", 235),
    ("icount", 236),
    ("icountlevel", 237),
    ("excvaddr", 238),
    ("ccompare0", 240),
];
const SPECIAL_IN_PACKET: usize = 5;
const IN_PACKET: usize = PC + 1 + SPECIAL_IN_PACKET;
const WORD_BYTES: usize = 4;

/// The one core with this instruction set here.
#[derive(Debug)]
pub(super) enum Lx106 {}

/// The `g` packet, in gdb's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PacketRegisters([u32; IN_PACKET]);

/// One register by gdb's number, below `PC + 1 + SPECIAL.len()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbered(usize);

impl Arch for Lx106 {
    type Usize = u32;
    type Registers = PacketRegisters;
    type BreakpointKind = usize;
    type RegId = Numbered;
}

impl RegId for Numbered {
    fn from_raw_id(id: usize) -> Option<(Self, Option<NonZeroUsize>)> {
        (id <= PC + SPECIAL.len()).then_some((Self(id), NonZeroUsize::new(WORD_BYTES)))
    }
}

impl Registers for PacketRegisters {
    type ProgramCounter = u32;

    fn pc(&self) -> u32 {
        self.0[PC]
    }

    fn gdb_serialize(&self, write_byte: impl FnMut(Option<u8>)) {
        self.0.iter().flat_map(|register| register.to_le_bytes()).map(Some).for_each(write_byte);
    }

    /// Those of a gdb that has all of them in one packet begin with the same.
    fn gdb_deserialize(&mut self, bytes: &[u8]) -> Result<(), ()> {
        let words = bytes.as_chunks::<WORD_BYTES>().0;
        for (n, register) in self.0.iter_mut().enumerate() {
            *register = u32::from_le_bytes(*words.get(n).ok_or(())?);
        }
        Ok(())
    }
}

impl Registered for Lx106 {
    fn description() -> Option<String> {
        None
    }

    fn read_all(chip: &dyn Debuggee, registers: &mut PacketRegisters) {
        for (n, register) in registers.0.iter_mut().enumerate() {
            *register = Self::read_one(chip, Numbered(n)).unwrap_or(0);
        }
    }

    fn write_all(chip: &mut dyn Debuggee, registers: &PacketRegisters) {
        for (n, value) in registers.0.iter().enumerate() {
            // To write a special register has effects, and what only identifies the core cannot be written.
            if Self::read_one(chip, Numbered(n)) != Some(*value) {
                Self::write_one(chip, Numbered(n), *value);
            }
        }
    }

    fn read_one(chip: &dyn Debuggee, Numbered(n): Numbered) -> Option<u32> {
        match n {
            0..GENERAL => Some(chip.register(n as u8)),
            PC => Some(chip.pc()),
            _ => chip.system_register(SPECIAL.get(n - PC - 1)?.1),
        }
    }

    fn write_one(chip: &mut dyn Debuggee, Numbered(n): Numbered, value: u32) -> bool {
        match n {
            0..GENERAL => chip.set_register(n as u8, value),
            PC => chip.set_pc(value),
            _ => {
                return SPECIAL.get(n - PC - 1).is_some_and(|(_, number)| chip.set_system_register(*number, value));
            }
        }
        true
    }
}
