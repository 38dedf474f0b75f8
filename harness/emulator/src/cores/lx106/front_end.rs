//! What the LX106's instructions do, in operations of the fast path.
//!
//! `a0` to `a15` are the registers from [`a`]`(0)` on; behind them lies SAR, and two registers for what an instruction computes
//! on its way. Special registers but SAR, exceptions, and instructions that change PS are the plain interpreter's.

mod shifts;

use std::sync::LazyLock;

use crate::cores::fast::{Draft, FrontEnd, HandedOn, ReadAs, SharedTraces, Tables, ZERO, kind::*};
use crate::machine::memory::{Access, Memory};
use crate::machine::stops::Stops;

use super::decode::{Decoder, length_of};
use super::instruction::{BRANCH_CONSTANTS, BRANCH_CONSTANTS_UNSIGNED, Instruction, Opcode};
use super::special::number;
use shifts::{exchange_sar, set_sar, shift_by_sar};

/// Where the fast path keeps `a0` to `a15`: behind the register that is always zero.
pub(super) const fn a(number: u8) -> u8 {
    1 + (number & 15)
}

/// Where the fast path keeps SAR.
pub(super) const SAR: u8 = 17;

/// What an instruction computes on its way.
const TEMPORARY: u8 = 18;
const SECOND_TEMPORARY: u8 = 19;

/// Direct memory, as the core may execute it now.
pub(super) struct Code<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) tables: &'a mut Tables,
    pub(super) decoder: &'a mut Decoder,
    pub(super) stops: &'a Stops,
    /// LITBASE is not used: literals are found from the program counter.
    pub(super) literals_are_relative: bool,
    /// Nobody watches loads: a literal that lies among code is known.
    pub(super) literals_are_known: bool,
}

impl FrontEnd for Code<'_> {
    type Circumstances = (u8, Stops);

    fn shared() -> &'static SharedTraces {
        static SHARED: LazyLock<SharedTraces> = LazyLock::new(SharedTraces::default);
        &SHARED
    }

    fn handed_on() -> &'static HandedOn<Self::Circumstances> {
        static HANDED_ON: LazyLock<HandedOn<(u8, Stops)>> = LazyLock::new(HandedOn::default);
        &HANDED_ON
    }

    fn circumstances(&self) -> Self::Circumstances {
        (self.setting(), self.stops.clone())
    }

    fn memory(&mut self) -> (&mut Memory, &mut Tables) {
        (self.memory, self.tables)
    }

    fn setting(&self) -> u8 {
        u8::from(self.literals_are_relative) | u8::from(self.literals_are_known) << 1
    }

    fn add(&mut self, pc: u32, draft: &mut Draft) -> Option<u32> {
        let instruction = self.fetch(pc, draft).and_then(|bits| self.decoder.decode(bits));
        let Some(instruction) = instruction.filter(|instruction| self.is_for_the_fast_path(instruction)) else {
            draft.interpret();
            return None;
        };
        self.add_instruction(pc, instruction, draft)
    }

    fn stops_at(&self, address: u32) -> bool {
        self.stops.contains(address)
    }

    fn shows(&mut self, address: u32, bytes: &[u8], read_as: ReadAs) -> bool {
        let Some((backing, access)) = self.memory.locate(address) else { return false };
        may_read(access, read_as) && self.memory.holds(backing, bytes)
    }

    fn remember_as_code(&mut self, address: u32, bytes: u32) {
        if let Some((backing, _)) = self.memory.locate(address) {
            self.tables.close_for_code(self.memory, backing, bytes);
        }
    }
}

const fn may_read(access: Access, read_as: ReadAs) -> bool {
    match read_as {
        ReadAs::Instruction => access.execute,
        // A word that lies where code lies: as much a part of it as an immediate.
        ReadAs::Literal => access.execute && access.read,
    }
}

impl Code<'_> {
    /// The encoding at `pc`, if all of it may be executed.
    fn fetch(&mut self, pc: u32, draft: &mut Draft) -> Option<u32> {
        let mut bits = self.byte(pc, draft)?;
        for n in 1..length_of(bits as u8) {
            bits |= self.byte(pc.wrapping_add(n.into()), draft)? << (8 * n);
        }
        Some(bits)
    }

    /// A byte that may be executed.
    fn byte(&mut self, address: u32, draft: &mut Draft) -> Option<u32> {
        self.read(address, 1, ReadAs::Instruction, draft)
    }

    /// A word that is known as long as nobody writes there.
    fn literal(&mut self, address: u32, draft: &mut Draft) -> Option<u32> {
        if !self.literals_are_known {
            return None;
        }
        self.read(address, 4, ReadAs::Literal, draft)
    }

    /// Some bytes of one page.
    fn read(&mut self, address: u32, bytes: u32, read_as: ReadAs, draft: &mut Draft) -> Option<u32> {
        let located = self.memory.locate(address).filter(|&(_, access)| may_read(access, read_as));
        let Some((backing, _)) = located else {
            draft.could_not_read();
            return None;
        };
        let word = self.memory.load_at(backing, bytes);
        self.tables.close_for_code(self.memory, backing, bytes);
        draft.has_read(address, &word.to_le_bytes()[..bytes as usize], read_as);
        Some(word)
    }

    fn is_for_the_fast_path(&self, instruction: &Instruction) -> bool {
        match instruction.opcode {
            Opcode::Ill | Opcode::Syscall | Opcode::Break | Opcode::BreakN => false,
            Opcode::Rfe | Opcode::Rfde | Opcode::Rfi | Opcode::Rsil | Opcode::Waiti => false,
            Opcode::Rsr | Opcode::Wsr | Opcode::Xsr => instruction.immediate == i32::from(number::SAR),
            Opcode::L32r => self.literals_are_relative,
            _ => true,
        }
    }

    /// Where the trace goes on.
    fn add_instruction(&mut self, pc: u32, instruction: Instruction, draft: &mut Draft) -> Option<u32> {
        let Instruction { opcode, r, s, t, immediate, length, .. } = instruction;
        let next = pc.wrapping_add(u32::from(length));
        match opcode {
            Opcode::Ret => return jump(a(0), false, next, draft),
            Opcode::Jx => return jump(a(s), false, next, draft),
            Opcode::Callx0 => return jump(a(s), true, next, draft),
            Opcode::Call0 => {
                draft.constant(a(0), next);
                return Some((pc & !3).wrapping_add_signed(immediate));
            }
            Opcode::J => {
                draft.nothing();
                return Some(pc.wrapping_add_signed(immediate));
            }
            Opcode::Nop | Opcode::Simcall => draft.nothing(),
            Opcode::ReadTlb => draft.constant(a(t), 0),
            Opcode::MovN => draft.last_operation(MOVE, 0, a(t), a(s), ZERO),
            Opcode::Movi => draft.constant(a(t), immediate as u32),
            Opcode::MoviN => draft.constant(a(s), immediate as u32),
            Opcode::Addi | Opcode::Addmi => add_constant(a(t), a(s), immediate as u32, draft),
            Opcode::AddiN => add_constant(a(r), a(s), immediate as u32, draft),
            Opcode::L32r => {
                let address = (pc.wrapping_add(3) & !3).wrapping_add_signed(immediate);
                match self.literal(address, draft) {
                    Some(word) => draft.constant(a(t), word),
                    None => draft.last_operation(LOAD_WORD, address, a(t), ZERO, ZERO),
                }
            }
            Opcode::L8ui | Opcode::L16ui | Opcode::L16si | Opcode::L32i => {
                draft.last_operation(access_kind(opcode), immediate as u32, a(t), a(s), ZERO);
            }
            Opcode::S8i | Opcode::S16i | Opcode::S32i => {
                draft.last_operation(access_kind(opcode), immediate as u32, ZERO, a(s), a(t));
            }
            Opcode::Rsr | Opcode::Wsr | Opcode::Xsr => exchange_sar(opcode, a(t), draft),
            Opcode::Ssr | Opcode::Ssl | Opcode::Ssa8l | Opcode::Ssa8b => set_sar(opcode, a(s), draft),
            Opcode::Ssai => draft.constant(SAR, immediate as u32),
            Opcode::Src | Opcode::Srl | Opcode::Sll | Opcode::Sra => shift_by_sar(opcode, a(r), a(s), a(t), draft),
            _ if branches(pc, instruction, draft) => {}
            _ => compute(instruction, draft),
        }
        Some(next)
    }
}

/// A jump to where a register says, which ends the trace unless the trace itself has set the register.
fn jump(to: u8, links: bool, next: u32, draft: &mut Draft) -> Option<u32> {
    let target = draft.known_before(to);
    match (target, links) {
        (Some(_), false) => draft.nothing(),
        (Some(_), true) => draft.constant(a(0), next),
        (None, true) => draft.computed_jump(JUMP_ANYWHERE_LINKING, 0, a(0), to, next),
        (None, false) => draft.computed_jump(JUMP_ANYWHERE, 0, ZERO, to, next),
    }
    target
}

fn add_constant(to: u8, from: u8, constant: u32, draft: &mut Draft) {
    match draft.known(from) {
        Some(value) => draft.constant(to, value.wrapping_add(constant)),
        None => draft.last_operation(ADD_IMMEDIATE, constant, to, from, ZERO),
    }
}

const fn access_kind(opcode: Opcode) -> u8 {
    match opcode {
        Opcode::L8ui => LOAD_BYTE_OF_DATA,
        Opcode::L16ui => LOAD_HALF_OF_DATA,
        Opcode::L16si => LOAD_HALF_SIGNED_OF_DATA,
        Opcode::L32i => LOAD_WORD,
        Opcode::S8i => STORE_BYTE_OF_DATA,
        Opcode::S16i => STORE_HALF_OF_DATA,
        _ => STORE_WORD,
    }
}

/// Adds a branch; `false` if it is none.
fn branches(pc: u32, instruction: Instruction, draft: &mut Draft) -> bool {
    let Instruction { opcode, r, s, t, immediate, .. } = instruction;
    let target = pc.wrapping_add_signed(immediate);
    let (left, right) = (a(s), a(t));
    let constant = |constant: u32, draft: &mut Draft| {
        draft.operation(LOAD_CONSTANT, constant, TEMPORARY, ZERO, ZERO);
        TEMPORARY
    };
    let signed = BRANCH_CONSTANTS[usize::from(r & 15)] as u32;
    let unsigned = BRANCH_CONSTANTS_UNSIGNED[usize::from(r & 15)];
    let (kind, left, right) = match opcode {
        Opcode::Beqz => (BRANCH_EQUAL, left, ZERO),
        Opcode::Bnez => (BRANCH_NOT_EQUAL, left, ZERO),
        Opcode::Bltz => (BRANCH_LESS, left, ZERO),
        Opcode::Bgez => (BRANCH_GREATER_OR_EQUAL, left, ZERO),
        Opcode::Beqi => (BRANCH_EQUAL, left, constant(signed, draft)),
        Opcode::Bnei => (BRANCH_NOT_EQUAL, left, constant(signed, draft)),
        Opcode::Blti => (BRANCH_LESS, left, constant(signed, draft)),
        Opcode::Bgei => (BRANCH_GREATER_OR_EQUAL, left, constant(signed, draft)),
        Opcode::Bltui => (BRANCH_LESS_UNSIGNED, left, constant(unsigned, draft)),
        Opcode::Bgeui => (BRANCH_GREATER_OR_EQUAL_UNSIGNED, left, constant(unsigned, draft)),
        Opcode::Beq => (BRANCH_EQUAL, left, right),
        Opcode::Bne => (BRANCH_NOT_EQUAL, left, right),
        Opcode::Blt => (BRANCH_LESS, left, right),
        Opcode::Bge => (BRANCH_GREATER_OR_EQUAL, left, right),
        Opcode::Bltu => (BRANCH_LESS_UNSIGNED, left, right),
        Opcode::Bgeu => (BRANCH_GREATER_OR_EQUAL_UNSIGNED, left, right),
        Opcode::Bnone | Opcode::Bany | Opcode::Ball | Opcode::Bnall => {
            draft.operation(AND, 0, TEMPORARY, left, right);
            let kind = if matches!(opcode, Opcode::Bnone | Opcode::Ball) { BRANCH_EQUAL } else { BRANCH_NOT_EQUAL };
            // All bits of the mask are set if the mask is what remains.
            (kind, TEMPORARY, if matches!(opcode, Opcode::Ball | Opcode::Bnall) { right } else { ZERO })
        }
        Opcode::Bbc | Opcode::Bbs => {
            draft.operation(SHIFT_RIGHT, 0, TEMPORARY, left, right);
            draft.operation(AND_IMMEDIATE, 1, TEMPORARY, TEMPORARY, ZERO);
            (if opcode == Opcode::Bbc { BRANCH_EQUAL } else { BRANCH_NOT_EQUAL }, TEMPORARY, ZERO)
        }
        Opcode::Bbci | Opcode::Bbsi => {
            draft.operation(AND_IMMEDIATE, 1 << (r & 31), TEMPORARY, left, ZERO);
            (if opcode == Opcode::Bbci { BRANCH_EQUAL } else { BRANCH_NOT_EQUAL }, TEMPORARY, ZERO)
        }
        _ => return false,
    };
    draft.branch(kind, left, right, target);
    true
}

/// Instructions that compute something of `s` and `t`.
fn compute(instruction: Instruction, draft: &mut Draft) {
    let Instruction { opcode, r, s, t, immediate, .. } = instruction;
    let (to, left, right, amount) = (a(r), a(s), a(t), immediate as u32);
    match opcode {
        Opcode::Or if s == t => draft.last_operation(MOVE, 0, to, left, ZERO),
        Opcode::And => draft.last_operation(AND, 0, to, left, right),
        Opcode::Or => draft.last_operation(OR, 0, to, left, right),
        Opcode::Xor => draft.last_operation(XOR, 0, to, left, right),
        Opcode::Add | Opcode::AddN => draft.last_operation(ADD, 0, to, left, right),
        Opcode::Sub => draft.last_operation(SUBTRACT, 0, to, left, right),
        Opcode::Addx2 | Opcode::Addx4 | Opcode::Addx8 | Opcode::Subx2 | Opcode::Subx4 | Opcode::Subx8 => {
            let (kind, shift) = scaled(opcode);
            draft.operation(SHIFT_LEFT_IMMEDIATE, shift, TEMPORARY, left, ZERO);
            draft.last_operation(kind, 0, to, TEMPORARY, right);
        }
        Opcode::Neg => draft.last_operation(SUBTRACT_FROM_IMMEDIATE, 0, to, right, ZERO),
        Opcode::Abs => {
            // Of a negative number, all bits are inverted, and one is added.
            draft.operation(SHIFT_RIGHT_ARITHMETIC_IMMEDIATE, 31, TEMPORARY, right, ZERO);
            draft.operation(XOR, 0, SECOND_TEMPORARY, TEMPORARY, right);
            draft.last_operation(SUBTRACT, 0, to, SECOND_TEMPORARY, TEMPORARY);
        }
        Opcode::Nsau => draft.last_operation(COUNT_LEADING_ZEROS, 0, right, left, ZERO),
        Opcode::Nsa => {
            draft.operation(SHIFT_RIGHT_ARITHMETIC_IMMEDIATE, 31, TEMPORARY, left, ZERO);
            draft.operation(XOR, 0, TEMPORARY, TEMPORARY, left);
            draft.operation(COUNT_LEADING_ZEROS, 0, TEMPORARY, TEMPORARY, ZERO);
            draft.last_operation(ADD_IMMEDIATE, u32::MAX, right, TEMPORARY, ZERO);
        }
        Opcode::Slli => draft.last_operation(SHIFT_LEFT_IMMEDIATE, amount & 31, to, left, ZERO),
        Opcode::Srai => draft.last_operation(SHIFT_RIGHT_ARITHMETIC_IMMEDIATE, amount, to, right, ZERO),
        Opcode::Srli => draft.last_operation(SHIFT_RIGHT_IMMEDIATE, amount, to, right, ZERO),
        Opcode::Extui => extract(to, right, amount, u32::from(s), draft),
        Opcode::Mul16u => draft.last_operation(MULTIPLY_HALVES, 0, to, left, right),
        Opcode::Mul16s => draft.last_operation(MULTIPLY_HALVES_SIGNED, 0, to, left, right),
        Opcode::Mull => draft.last_operation(MULTIPLY, 0, to, left, right),
        Opcode::Moveqz => draft.last_operation(MOVE_IF_ZERO, 0, to, left, right),
        Opcode::Movnez => draft.last_operation(MOVE_IF_NOT_ZERO, 0, to, left, right),
        Opcode::Movltz => draft.last_operation(MOVE_IF_NEGATIVE, 0, to, left, right),
        Opcode::Movgez => draft.last_operation(MOVE_IF_NOT_NEGATIVE, 0, to, left, right),
        _ => unreachable!("{opcode:?} computes nothing"),
    }
}

const fn scaled(opcode: Opcode) -> (u8, u32) {
    match opcode {
        Opcode::Addx2 => (ADD, 1),
        Opcode::Addx4 => (ADD, 2),
        Opcode::Addx8 => (ADD, 3),
        Opcode::Subx2 => (SUBTRACT, 1),
        Opcode::Subx4 => (SUBTRACT, 2),
        _ => (SUBTRACT, 3),
    }
}

/// So many bits, from one on.
fn extract(to: u8, from: u8, shift: u32, bits: u32, draft: &mut Draft) {
    let mask = u32::MAX >> (32 - bits);
    match shift {
        0 => draft.last_operation(AND_IMMEDIATE, mask, to, from, ZERO),
        // Nothing is above them.
        _ if shift + bits >= 32 => draft.last_operation(SHIFT_RIGHT_IMMEDIATE, shift, to, from, ZERO),
        _ => {
            draft.operation(SHIFT_RIGHT_IMMEDIATE, shift, TEMPORARY, from, ZERO);
            draft.last_operation(AND_IMMEDIATE, mask, to, TEMPORARY, ZERO);
        }
    }
}
