//! The plain interpreter: one instruction, with everything that may happen to it.
//!
//! It says what instructions mean. The fast path leaves to it all that is rare, and is tested against it.

use core::ops::Range;

use crate::machine::access::{AccessKind, Width};
use crate::machine::memory::{Memory, PAGE_BYTES};

use super::bus::Bus;
use super::core::{Lx106, Stop};
use super::decode::length_of;
use super::exception::{Cause, DEBUGCAUSE_BREAK, DEBUGCAUSE_BREAK_NARROW, Exception, Vector};
use super::instruction::{BRANCH_CONSTANTS, BRANCH_CONSTANTS_UNSIGNED, Instruction, Opcode};
use super::special::{PS_EXCM, PS_INTLEVEL};

/// Instruction memories: loads and stores reach them by words alone (the ISA manual, "Instruction RAM Option").
const INSTRUCTION_BUS: Range<u32> = 0x4000_0000..0x6000_0000;

/// The level of debug exceptions.
const DEBUG_LEVEL: u32 = 2;

impl Lx106 {
    /// Fetches and executes the instruction at `pc`. An `Err` has changed nothing; with a stop it has not run.
    #[inline]
    pub(super) fn execute_one(&mut self, memory: &mut Memory, bus: &mut dyn Bus) -> Result<Option<Stop>, Exception> {
        let bits = self.fetch(memory)?;
        let undecoded = Exception::new(Cause::IllegalInstruction, self.pc);
        let instruction = self.decoder.decode(bits).ok_or(undecoded)?;
        self.perform(instruction, memory, bus)
    }

    /// The encoding at `pc`.
    #[inline]
    fn fetch(&mut self, memory: &Memory) -> Result<u32, Exception> {
        let pc = self.pc;
        let (at, access) = self.pages.find(memory, pc);
        if access.execute && pc % PAGE_BYTES <= PAGE_BYTES - 4 {
            let bits = memory.load_at(at, 4);
            return Ok(if length_of(bits as u8) == 2 { bits & 0xffff } else { bits & 0xff_ffff });
        }
        let mut bits = 0;
        let mut length = 1;
        let mut n = 0;
        while n < length {
            let address = pc.wrapping_add(n);
            let (at, access) = self.pages.find(memory, address);
            if !access.execute {
                return Err(Exception::new(Cause::FetchProhibited, pc));
            }
            bits |= memory.load_at(at, 1) << (8 * n);
            length = u32::from(length_of(bits as u8));
            n += 1;
        }
        Ok(bits)
    }

    fn perform(
        &mut self,
        instruction: Instruction,
        memory: &mut Memory,
        bus: &mut dyn Bus,
    ) -> Result<Option<Stop>, Exception> {
        let Instruction { opcode, r, s, t, immediate, length, .. } = instruction;
        let pc = self.pc;
        let next_pc = pc.wrapping_add(u32::from(length));
        let mut new_pc = next_pc;
        let (left, right) = (self.register(s), self.register(t));
        let address = left.wrapping_add_signed(immediate);
        let branch = |holds: bool| if holds { pc.wrapping_add_signed(immediate) } else { next_pc };
        match opcode {
            Opcode::Ill => return Err(Exception::new(Cause::IllegalInstruction, pc)),
            Opcode::Nop | Opcode::Simcall => {}
            Opcode::Syscall => return Err(Exception::new(Cause::Syscall, pc)),
            Opcode::Break | Opcode::BreakN => {
                if self.stop_at_break {
                    return Ok(Some(Stop::Break));
                }
                if self.ps & PS_INTLEVEL < DEBUG_LEVEL {
                    let narrow = opcode == Opcode::BreakN;
                    self.debugcause = if narrow { DEBUGCAUSE_BREAK_NARROW } else { DEBUGCAUSE_BREAK };
                    self.enter_high_priority(DEBUG_LEVEL, Vector::Debug);
                    return Ok(None);
                }
            }
            Opcode::Ret => new_pc = self.register(0),
            Opcode::Jx => new_pc = left,
            Opcode::Callx0 => {
                self.set_register(0, next_pc);
                new_pc = left;
            }
            Opcode::Call0 => {
                self.set_register(0, next_pc);
                new_pc = (pc & !3).wrapping_add_signed(immediate);
            }
            Opcode::J => new_pc = branch(true),
            Opcode::Rfe | Opcode::Rfde | Opcode::Rfi | Opcode::Rsil | Opcode::Waiti => {
                new_pc = self.change_state(instruction, next_pc)?;
            }
            Opcode::Rsr | Opcode::Wsr | Opcode::Xsr => self.access_special(instruction, pc)?,
            Opcode::ReadTlb => self.set_register(t, 0),
            Opcode::Ssr | Opcode::Ssl | Opcode::Ssa8l | Opcode::Ssa8b | Opcode::Ssai => {
                self.set_sar(match opcode {
                    Opcode::Ssr => left & 31,
                    Opcode::Ssl => 32 - (left & 31),
                    Opcode::Ssa8l => 8 * (left & 3),
                    Opcode::Ssa8b => 32 - 8 * (left & 3),
                    _ => immediate as u32,
                });
            }
            Opcode::Nsa => self.set_register(t, (left ^ (left as i32 >> 31) as u32).leading_zeros() - 1),
            Opcode::Nsau => self.set_register(t, left.leading_zeros()),
            Opcode::MovN => self.set_register(t, left),
            Opcode::Movi => self.set_register(t, immediate as u32),
            Opcode::MoviN => self.set_register(s, immediate as u32),
            Opcode::Addi | Opcode::Addmi => self.set_register(t, address),
            Opcode::AddiN => self.set_register(r, address),
            Opcode::Moveqz | Opcode::Movnez | Opcode::Movltz | Opcode::Movgez => {
                let moves = match opcode {
                    Opcode::Moveqz => right == 0,
                    Opcode::Movnez => right != 0,
                    Opcode::Movltz => (right as i32) < 0,
                    _ => right as i32 >= 0,
                };
                if moves {
                    self.set_register(r, left);
                }
            }
            Opcode::L32r => {
                let base = if self.litbase & 1 != 0 { self.litbase & !0xfff } else { pc.wrapping_add(3) & !3 };
                let value = self.load(memory, bus, base.wrapping_add_signed(immediate), Width::Word)?;
                self.set_register(t, value);
            }
            Opcode::L8ui => {
                let value = self.load(memory, bus, address, Width::Byte)?;
                self.set_register(t, value);
            }
            Opcode::L16ui => {
                let value = self.load(memory, bus, address, Width::Half)?;
                self.set_register(t, value);
            }
            Opcode::L16si => {
                let value = self.load(memory, bus, address, Width::Half)?;
                self.set_register(t, value as i16 as u32);
            }
            Opcode::L32i => {
                let value = self.load(memory, bus, address, Width::Word)?;
                self.set_register(t, value);
            }
            Opcode::S8i => self.store(memory, bus, address, Width::Byte, right)?,
            Opcode::S16i => self.store(memory, bus, address, Width::Half, right)?,
            Opcode::S32i => self.store(memory, bus, address, Width::Word, right)?,
            Opcode::Beqz => new_pc = branch(left == 0),
            Opcode::Bnez => new_pc = branch(left != 0),
            Opcode::Bltz => new_pc = branch((left as i32) < 0),
            Opcode::Bgez => new_pc = branch(left as i32 >= 0),
            Opcode::Beqi => new_pc = branch(left as i32 == BRANCH_CONSTANTS[usize::from(r & 15)]),
            Opcode::Bnei => new_pc = branch(left as i32 != BRANCH_CONSTANTS[usize::from(r & 15)]),
            Opcode::Blti => new_pc = branch((left as i32) < BRANCH_CONSTANTS[usize::from(r & 15)]),
            Opcode::Bgei => new_pc = branch(left as i32 >= BRANCH_CONSTANTS[usize::from(r & 15)]),
            Opcode::Bltui => new_pc = branch(left < BRANCH_CONSTANTS_UNSIGNED[usize::from(r & 15)]),
            Opcode::Bgeui => new_pc = branch(left >= BRANCH_CONSTANTS_UNSIGNED[usize::from(r & 15)]),
            Opcode::Bnone => new_pc = branch(left & right == 0),
            Opcode::Bany => new_pc = branch(left & right != 0),
            Opcode::Ball => new_pc = branch(!left & right == 0),
            Opcode::Bnall => new_pc = branch(!left & right != 0),
            Opcode::Beq => new_pc = branch(left == right),
            Opcode::Bne => new_pc = branch(left != right),
            Opcode::Blt => new_pc = branch((left as i32) < right as i32),
            Opcode::Bge => new_pc = branch(left as i32 >= right as i32),
            Opcode::Bltu => new_pc = branch(left < right),
            Opcode::Bgeu => new_pc = branch(left >= right),
            Opcode::Bbc => new_pc = branch(left >> (right & 31) & 1 == 0),
            Opcode::Bbs => new_pc = branch(left >> (right & 31) & 1 != 0),
            Opcode::Bbci => new_pc = branch(left >> (r & 31) & 1 == 0),
            Opcode::Bbsi => new_pc = branch(left >> (r & 31) & 1 != 0),
            _ => {
                let value = self.computed(instruction, left, right);
                self.set_register(r, value);
            }
        }
        self.pc = new_pc;
        Ok(None)
    }

    /// What goes to `r` of the instructions that compute something of `s` and `t`.
    #[inline]
    fn computed(&self, instruction: Instruction, left: u32, right: u32) -> u32 {
        let Instruction { opcode, s, immediate, .. } = instruction;
        let amount = immediate as u32;
        match opcode {
            Opcode::And => left & right,
            Opcode::Or => left | right,
            Opcode::Xor => left ^ right,
            Opcode::Neg => right.wrapping_neg(),
            Opcode::Abs => (right as i32).unsigned_abs(),
            Opcode::Add | Opcode::AddN => left.wrapping_add(right),
            Opcode::Addx2 => (left << 1).wrapping_add(right),
            Opcode::Addx4 => (left << 2).wrapping_add(right),
            Opcode::Addx8 => (left << 3).wrapping_add(right),
            Opcode::Sub => left.wrapping_sub(right),
            Opcode::Subx2 => (left << 1).wrapping_sub(right),
            Opcode::Subx4 => (left << 2).wrapping_sub(right),
            Opcode::Subx8 => (left << 3).wrapping_sub(right),
            // By 32 is undefined; QEMU leaves the value as it is.
            Opcode::Slli => left << (amount & 31),
            Opcode::Srai => (right as i32 >> amount) as u32,
            Opcode::Srli => right >> amount,
            Opcode::Extui => right >> amount & (u32::MAX >> (32 - u32::from(s))),
            Opcode::Src => ((u64::from(left) << 32 | u64::from(right)) >> self.sar()) as u32,
            Opcode::Srl => (u64::from(right) >> self.sar()) as u32,
            // SAR is 32 less the amount; above 32 is undefined.
            Opcode::Sll => (u64::from(left) << (32_u32.wrapping_sub(self.sar()) & 63)) as u32,
            Opcode::Sra => (i64::from(right as i32) >> self.sar()) as u32,
            Opcode::Mul16u => (left & 0xffff).wrapping_mul(right & 0xffff),
            Opcode::Mul16s => (i32::from(left as i16) * i32::from(right as i16)) as u32,
            Opcode::Mull => left.wrapping_mul(right),
            _ => unreachable!("{opcode:?} computes nothing"),
        }
    }

    /// The instructions that change PS; where the core goes on.
    fn change_state(&mut self, instruction: Instruction, next_pc: u32) -> Result<u32, Exception> {
        let level = instruction.immediate as u32 & PS_INTLEVEL;
        self.attention = true;
        match instruction.opcode {
            Opcode::Rfe => {
                self.ps &= !PS_EXCM;
                return Ok(self.epc[0]);
            }
            Opcode::Rfde => return Ok(self.depc),
            Opcode::Rfi => {
                if !(2..=3).contains(&level) {
                    return Err(Exception::new(Cause::IllegalInstruction, self.pc));
                }
                self.ps = self.eps[level as usize - 2];
                return Ok(self.epc[level as usize - 1]);
            }
            Opcode::Rsil => {
                self.set_register(instruction.t, self.ps);
                self.ps = self.ps & !PS_INTLEVEL | level;
            }
            _ => {
                self.ps = self.ps & !PS_INTLEVEL | level;
                self.waiting = true;
            }
        }
        Ok(next_pc)
    }

    fn access_special(&mut self, instruction: Instruction, pc: u32) -> Result<(), Exception> {
        let number = instruction.immediate as u8;
        let illegal = Exception::new(Cause::IllegalInstruction, pc);
        let old = match instruction.opcode {
            Opcode::Wsr => None,
            _ => Some(self.special(number).ok_or(illegal)?),
        };
        if instruction.opcode != Opcode::Rsr {
            let value = self.register(instruction.t);
            // Its two sides are different registers.
            let exchanges = old.is_some() && number == super::special::number::INTERRUPT;
            if exchanges || !self.set_special(number, value) {
                return Err(illegal);
            }
        }
        if let Some(old) = old {
            self.set_register(instruction.t, old);
        }
        Ok(())
    }

    #[inline]
    fn load(&mut self, memory: &mut Memory, bus: &mut dyn Bus, address: u32, width: Width) -> Result<u32, Exception> {
        let bytes = width.bytes();
        check(address, width)?;
        let (at, access) = self.pages.find(memory, address);
        let value = if access.read {
            self.open_page(memory, address, AccessKind::Load);
            memory.load_at(at, bytes)
        } else {
            self.bus_was_used = true;
            let fault = Exception::new(Cause::LoadProhibited, address);
            bus.load(memory, address, width, self.cycle).map_err(|_| fault)?
        };
        self.note_access(address, bytes, AccessKind::Load);
        Ok(value)
    }

    #[inline]
    fn store(
        &mut self,
        memory: &mut Memory,
        bus: &mut dyn Bus,
        address: u32,
        width: Width,
        value: u32,
    ) -> Result<(), Exception> {
        let bytes = width.bytes();
        check(address, width)?;
        let (at, access) = self.pages.find(memory, address);
        if access.write {
            memory.store_at(at, bytes, value);
            self.open_page(memory, address, AccessKind::Store);
        } else {
            self.bus_was_used = true;
            let fault = Exception::new(Cause::StoreProhibited, address);
            let value = value & (u32::MAX >> (32 - 8 * bytes));
            bus.store(memory, address, width, value, self.cycle).map_err(|_| fault)?;
        }
        self.note_access(address, bytes, AccessKind::Store);
        Ok(())
    }

    #[inline]
    fn note_access(&mut self, address: u32, bytes: u32, kind: AccessKind) {
        if self.watches.is_empty() {
            return;
        }
        let last = address.wrapping_add(bytes - 1);
        if self.watches.iter().any(|watch| watch.kind == kind && watch.first <= last && address <= watch.last) {
            self.watch_hit = Some((address, kind));
        }
    }
}

/// What an access must be, wherever it goes.
#[inline]
fn check(address: u32, width: Width) -> Result<(), Exception> {
    if address & (width.bytes() - 1) != 0 {
        return Err(Exception::new(Cause::LoadStoreAlignment, address));
    }
    if width != Width::Word && INSTRUCTION_BUS.contains(&address) {
        return Err(Exception::new(Cause::LoadStoreError, address));
    }
    Ok(())
}
