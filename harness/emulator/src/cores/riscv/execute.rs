//! The plain interpreter: one instruction, with everything that may happen to it.
//!
//! It says what instructions mean. The fast path leaves to it all that is rare, and is tested against it.

use crate::machine::access::{AccessKind, Width};
use crate::machine::memory::Memory;

use super::bus::Bus;
use super::csr::STATUS_TW;
use super::decode::decode;
use super::hart::{Hart, Stop};
use super::instruction::{CsrOperation, Instruction};
use super::pmp::Wish;
use super::trap::{Cause, Exception, Privilege};
use super::trigger::{Action, Occasion};

impl Hart {
    /// Fetches and executes the instruction at `pc`. An `Err` has changed nothing.
    pub(super) fn execute_one(
        &mut self,
        memory: &mut Memory,
        bus: &mut dyn Bus,
        stop_at_environment_break: bool,
    ) -> Result<Option<Stop>, Exception> {
        let pc = self.pc;
        self.pull_triggers(Occasion::Execute, pc, 2)?;
        let bits = self.fetch(memory, pc)?;
        self.execute_bits(memory, bus, bits, stop_at_environment_break)
    }

    /// Executes the instruction `bits` as if it lay at `pc`. An `Err` has changed nothing.
    #[inline]
    pub(super) fn execute_bits(
        &mut self,
        memory: &mut Memory,
        bus: &mut dyn Bus,
        bits: u32,
        stop_at_environment_break: bool,
    ) -> Result<Option<Stop>, Exception> {
        let pc = self.pc;
        let Some(decoded) = decode(bits) else {
            let encoding = if bits & 3 == 3 { bits } else { bits & 0xffff };
            return Err(Exception::illegal(encoding));
        };
        let next_pc = pc.wrapping_add(u32::from(decoded.length));
        let mut new_pc = next_pc;
        match decoded.instruction {
            Instruction::LoadUpper { rd, immediate } => self.set_register(rd, immediate),
            Instruction::AddUpperToPc { rd, immediate } => self.set_register(rd, pc.wrapping_add(immediate)),
            Instruction::Jump { rd, offset } => {
                self.set_register(rd, next_pc);
                new_pc = pc.wrapping_add_signed(offset);
            }
            Instruction::JumpRegister { rd, rs1, offset } => {
                new_pc = self.register(rs1).wrapping_add_signed(offset) & !1;
                self.set_register(rd, next_pc);
            }
            Instruction::Branch { condition, rs1, rs2, offset } => {
                if condition.holds(self.register(rs1), self.register(rs2)) {
                    new_pc = pc.wrapping_add_signed(offset);
                }
            }
            Instruction::Load { kind, rd, rs1, offset } => {
                let address = self.register(rs1).wrapping_add_signed(offset);
                let value = self.load(memory, bus, address, kind.width())?;
                self.set_register(rd, kind.extend(value));
            }
            Instruction::Store { width, rs1, rs2, offset } => {
                let address = self.register(rs1).wrapping_add_signed(offset);
                self.store(memory, bus, address, width, self.register(rs2))?;
            }
            Instruction::AluImmediate { operation, rd, rs1, immediate } => {
                self.set_register(rd, operation.apply(self.register(rs1), immediate as u32));
            }
            Instruction::Alu { operation, rd, rs1, rs2 } => {
                self.set_register(rd, operation.apply(self.register(rs1), self.register(rs2)));
            }
            Instruction::Csr { operation, rd, rs1, csr } => {
                let operand = self.register(rs1);
                let writes = operation == CsrOperation::Write || rs1 != 0;
                self.access_csr(bus, operation, rd, csr, writes.then_some(operand)).ok_or(Exception::illegal(bits))?;
            }
            Instruction::CsrImmediate { operation, rd, immediate, csr } => {
                let writes = operation == CsrOperation::Write || immediate != 0;
                let operand = writes.then_some(u32::from(immediate));
                self.access_csr(bus, operation, rd, csr, operand).ok_or(Exception::illegal(bits))?;
            }
            // Memory is coherent with what was decoded from it, and one hart sees its own stores in order.
            Instruction::Fence | Instruction::FenceInstruction => {}
            Instruction::EnvironmentCall => {
                let cause = match self.privilege {
                    Privilege::User => Cause::EnvironmentCallFromUser,
                    Privilege::Machine => Cause::EnvironmentCallFromMachine,
                };
                return Err(Exception::new(cause, 0));
            }
            Instruction::EnvironmentBreak if stop_at_environment_break => return Ok(Some(Stop::EnvironmentBreak)),
            Instruction::EnvironmentBreak => return Err(Exception::new(Cause::Breakpoint, pc)),
            Instruction::MachineReturn => {
                if self.privilege != Privilege::Machine {
                    return Err(Exception::illegal(bits));
                }
                new_pc = self.exception_pc;
                self.return_from_trap();
            }
            Instruction::WaitForInterrupt => {
                if self.privilege == Privilege::User && self.status & STATUS_TW != 0 {
                    return Err(Exception::illegal(bits));
                }
                self.waiting = true;
            }
        }
        self.pc = new_pc;
        Ok(None)
    }

    /// Fires the trigger that waits for this, if there is one: the instruction does not execute.
    fn pull_triggers(&mut self, occasion: Occasion, address: u32, bytes: u32) -> Result<(), Exception> {
        match self.triggers.fire(self.privilege, occasion, address, bytes) {
            None => Ok(()),
            Some(action) => {
                self.debug_trigger_fired = action == Action::Debug;
                Err(Exception::new(Cause::Breakpoint, address))
            }
        }
    }

    /// The instruction's bits; the upper half is zero for compressed encodings.
    fn fetch(&self, memory: &Memory, pc: u32) -> Result<u32, Exception> {
        if self.pmp.allows(self.privilege, Wish::Execute, pc, 4)
            && let Some(bits) = memory.fetch_word(pc)
        {
            return Ok(if bits & 3 == 3 { bits } else { bits & 0xffff });
        }
        let low = self.fetch_parcel(memory, pc)?;
        if low & 3 != 3 {
            return Ok(u32::from(low));
        }
        let high = self.fetch_parcel(memory, pc.wrapping_add(2))?;
        Ok(u32::from(high) << 16 | u32::from(low))
    }

    fn fetch_parcel(&self, memory: &Memory, address: u32) -> Result<u16, Exception> {
        if !self.pmp.allows(self.privilege, Wish::Execute, address, 2) {
            return Err(Exception::new(Cause::InstructionAccessFault, address));
        }
        memory.fetch(address).ok_or(Exception::new(Cause::InstructionAccessFault, address))
    }

    fn load(&mut self, memory: &mut Memory, bus: &mut dyn Bus, address: u32, width: Width) -> Result<u32, Exception> {
        let bytes = width.bytes();
        self.pull_triggers(Occasion::Load, address, bytes)?;
        let fault = Exception::new(Cause::LoadAccessFault, address);
        if !self.pmp.allows(self.privilege, Wish::Read, address, bytes) {
            return Err(fault);
        }
        let value = match memory.load(address, bytes) {
            Some(value) => {
                self.open_page(memory, address, AccessKind::Load);
                value
            }
            None if address.is_multiple_of(bytes) => {
                self.bus_was_used = true;
                bus.load(memory, address, width, self.cycle).map_err(|_| fault)?
            }
            None => {
                load_by_bytes(memory, address, bytes).ok_or(Exception::new(Cause::LoadAddressMisaligned, address))?
            }
        };
        self.note_access(address, bytes, AccessKind::Load);
        Ok(value)
    }

    fn store(
        &mut self,
        memory: &mut Memory,
        bus: &mut dyn Bus,
        address: u32,
        width: Width,
        value: u32,
    ) -> Result<(), Exception> {
        let bytes = width.bytes();
        self.pull_triggers(Occasion::Store, address, bytes)?;
        let fault = Exception::new(Cause::StoreAccessFault, address);
        if !self.pmp.allows(self.privilege, Wish::Write, address, bytes) {
            return Err(fault);
        }
        if memory.store(address, bytes, value) {
            self.open_page(memory, address, AccessKind::Store);
        } else {
            if address.is_multiple_of(bytes) {
                self.bus_was_used = true;
                let value = value & (u32::MAX >> (32 - 8 * bytes));
                bus.store(memory, address, width, value, self.cycle).map_err(|_| fault)?;
            } else if !store_by_bytes(memory, address, bytes, value) {
                return Err(Exception::new(Cause::StoreAddressMisaligned, address));
            }
        }
        self.note_access(address, bytes, AccessKind::Store);
        Ok(())
    }

    /// The one read-modify-write of a CSR instruction; `operand` is absent if it only reads. `None` if it is illegal.
    fn access_csr(
        &mut self,
        bus: &mut dyn Bus,
        operation: CsrOperation,
        rd: u8,
        csr: u16,
        operand: Option<u32>,
    ) -> Option<()> {
        // `csrrw` with `x0` as destination must not read, so that a read's side effects do not happen.
        let reads = operation != CsrOperation::Write || rd != 0;
        let old = if reads { self.read_csr(bus, csr)? } else { 0 };
        if let Some(operand) = operand {
            let new = match operation {
                CsrOperation::Write => operand,
                CsrOperation::Set => old | operand,
                CsrOperation::Clear => old & !operand,
            };
            if !self.write_csr(bus, csr, new) {
                return None;
            }
        }
        self.set_register(rd, old);
        Some(())
    }

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

// Misaligned accesses are carried out, as the hardware does (ESP-IDF's migration guide, "RISC-V Chips and Misaligned
// Memory Access in LibC Functions", measures them on the ESP32-C3). Across the edge of a window they go byte by byte.

fn load_by_bytes(memory: &Memory, address: u32, bytes: u32) -> Option<u32> {
    let mut value = 0;
    for i in 0..bytes {
        value |= memory.load(address.wrapping_add(i), 1)? << (8 * i);
    }
    Some(value)
}

fn store_by_bytes(memory: &mut Memory, address: u32, bytes: u32, value: u32) -> bool {
    let writable = |i| memory.window_at(address.wrapping_add(i)).is_some_and(|window| window.access.write);
    if !(0..bytes).all(writable) {
        return false;
    }
    (0..bytes).all(|i| memory.store(address.wrapping_add(i), 1, value >> (8 * i)))
}
