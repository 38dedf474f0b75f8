//! The stack, unwound.
//!
//! Best by the image's call frame information (`.debug_frame`, `.eh_frame`); where it has none, by frame pointers; and
//! else by looking for return addresses on the stack, which may name functions that have returned already. A
//! [`Method`] says which it was.

use std::sync::Arc;

use gimli::{
    BaseAddresses, CfaRule, DebugFrame, EhFrame, EndianArcSlice, LittleEndian, Register, RegisterRule, UnwindContext,
    UnwindSection,
};

use crate::machine::backtrace::{Method, Stands};
use crate::machine::memory::Memory;
use crate::machine::symbols::Symbols;

const RETURN_ADDRESS: usize = 1;
const STACK_POINTER: usize = 2;
const FRAME_POINTER: usize = 8;
const DEPTH_MAX: usize = 48;
const SCAN_BYTES_MAX: u32 = 0x2000;

/// A stack in memory, and what the image says of its functions.
pub(crate) struct Stack<'a> {
    pub memory: &'a Memory,
    pub symbols: Option<&'a Symbols>,
}

impl Stack<'_> {
    /// The program counter and the return addresses below it, innermost first. `registers` are `x0` to `x31`.
    pub fn unwind(&self, pc: u32, stands: Stands, registers: [u32; 32]) -> (Vec<u32>, Method) {
        let unwound = self.by_frame_information(pc, stands, registers);
        if unwound.len() > 1 {
            return (unwound, Method::FrameInformation);
        }
        let chained = self.by_frame_pointers(pc, registers);
        if chained.len() > 2 {
            return (chained, Method::FramePointers);
        }
        (self.by_scanning(pc, registers), Method::StackScan)
    }

    fn by_frame_information(&self, pc: u32, stands: Stands, registers: [u32; 32]) -> Vec<u32> {
        let mut found = vec![pc];
        let Some(symbols) = self.symbols else { return found };
        let reader = |name| {
            let bytes = symbols.section(name).unwrap_or_else(|| Arc::from(&[][..]));
            EndianArcSlice::new(bytes, LittleEndian)
        };
        let mut debug_frame = DebugFrame::from(reader(".debug_frame"));
        debug_frame.set_address_size(4);
        let mut eh_frame = EhFrame::from(reader(".eh_frame"));
        eh_frame.set_address_size(4);
        let (mut pc, mut registers) = (pc, registers);
        while found.len() < DEPTH_MAX {
            let looked_up = if found.len() == 1 { stands } else { Stands::Behind }.looked_up(pc);
            let stepped = self
                .step(&debug_frame, looked_up, &registers)
                .or_else(|| self.step(&eh_frame, looked_up, &registers))
                // A function without information that has not called anybody yet (assembly): its caller is in `ra`.
                .or_else(|| (found.len() == 1).then(|| (registers[RETURN_ADDRESS], registers)));
            let Some((caller, caller_registers)) = stepped else { break };
            if caller == 0 || (caller == pc && caller_registers[STACK_POINTER] == registers[STACK_POINTER]) {
                break;
            }
            if symbols.function_at(caller.wrapping_sub(1)).is_none() {
                break;
            }
            (pc, registers) = (caller, caller_registers);
            found.push(pc);
        }
        found
    }

    /// One frame up: the caller's program counter and registers.
    fn step<S>(&self, section: &S, pc: u32, registers: &[u32; 32]) -> Option<(u32, [u32; 32])>
    where
        S: UnwindSection<EndianArcSlice<LittleEndian>>,
        S::Offset: gimli::UnwindOffset<usize>,
    {
        let bases = BaseAddresses::default();
        let mut context = UnwindContext::new();
        let row = section.unwind_info_for_address(&bases, &mut context, u64::from(pc), S::cie_from_offset).ok()?;
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                registers.get(usize::from(register.0))?.wrapping_add(*offset as u32)
            }
            CfaRule::Expression(_) => return None,
        };
        let mut caller = *registers;
        caller[STACK_POINTER] = cfa;
        for (Register(number), rule) in row.registers() {
            let value = match rule {
                RegisterRule::Offset(offset) => self.memory.read_word(cfa.wrapping_add(*offset as u32)).ok()?,
                RegisterRule::ValOffset(offset) => cfa.wrapping_add(*offset as u32),
                RegisterRule::Register(other) => *registers.get(usize::from(other.0))?,
                RegisterRule::SameValue => continue,
                RegisterRule::Undefined if usize::from(*number) == RETURN_ADDRESS => return None,
                _ => continue,
            };
            if let Some(register) = caller.get_mut(usize::from(*number)) {
                *register = value;
            }
        }
        Some((caller[RETURN_ADDRESS], caller))
    }

    /// With frame pointers, the return address lies below what `s0` points at, and the caller's `s0` below that.
    fn by_frame_pointers(&self, pc: u32, registers: [u32; 32]) -> Vec<u32> {
        let mut found = vec![pc];
        let mut frame = registers[FRAME_POINTER];
        while found.len() < DEPTH_MAX && frame.is_multiple_of(4) && frame >= registers[STACK_POINTER] {
            let Ok(caller) = self.memory.read_word(frame.wrapping_sub(4)) else { break };
            let Ok(next) = self.memory.read_word(frame.wrapping_sub(8)) else { break };
            if !self.is_return_address(caller) {
                break;
            }
            found.push(caller);
            if next <= frame {
                break;
            }
            frame = next;
        }
        found
    }

    fn by_scanning(&self, pc: u32, registers: [u32; 32]) -> Vec<u32> {
        let mut found = vec![pc];
        if self.is_return_address(registers[RETURN_ADDRESS]) {
            found.push(registers[RETURN_ADDRESS]);
        }
        let mut at = registers[STACK_POINTER] & !3;
        let end = at.saturating_add(SCAN_BYTES_MAX);
        while at < end && found.len() < DEPTH_MAX {
            let Ok(word) = self.memory.read_word(at) else { break };
            if self.is_return_address(word) && found.last() != Some(&word) {
                found.push(word);
            }
            at += 4;
        }
        found
    }

    /// Whether the instruction before `address` is a call.
    fn is_return_address(&self, address: u32) -> bool {
        let half = |address: u32| {
            let mut bytes = [0; 2];
            self.memory.read_slice(address, &mut bytes).ok().map(|()| u16::from_le_bytes(bytes))
        };
        let is_code = self.memory.locate(address).is_some_and(|(_, access)| access.execute);
        if address & 1 != 0 || !is_code {
            return false;
        }
        // c.jal; c.jalr; jal ra; jalr ra.
        let short = half(address.wrapping_sub(2));
        let long = half(address.wrapping_sub(4));
        short.is_some_and(|code| code & 0xe003 == 0x2001 || (code & 0xf07f == 0x9002 && code & 0xf80 != 0))
            || long.is_some_and(|code| matches!(code & 0xfff, 0x0ef | 0x0e7))
    }
}
