//! Who called whom, by what lies on the stack: return addresses behind a `call0` or a `callx0`.

use crate::machine::memory::Memory;

use super::decode::decode;
use super::instruction::Opcode;

const DEPTH_MAX: usize = 48;
const SCAN_BYTES_MAX: u32 = 0x1000;

/// The program counter, the return address in `a0`, and those on the stack from `a1` on, innermost first. What lies on the
/// stack may be of functions that have returned.
pub(crate) fn callers(memory: &Memory, pc: u32, a0: u32, a1: u32) -> Vec<u32> {
    let mut found = vec![pc];
    if is_return_address(memory, a0) {
        found.push(a0);
    }
    for address in (a1 & !3..(a1 & !3).saturating_add(SCAN_BYTES_MAX)).step_by(4) {
        let Ok(word) = memory.read_word(address) else { break };
        if found.len() < DEPTH_MAX && found.last() != Some(&word) && is_return_address(memory, word) {
            found.push(word);
        }
    }
    found
}

/// Whether the instruction before `address` is a call.
fn is_return_address(memory: &Memory, address: u32) -> bool {
    let mut bytes = [0; 4];
    // Both calls are long encodings.
    if memory.read_slice(address.wrapping_sub(3), &mut bytes[..3]).is_err() {
        return false;
    }
    let is_code = memory.locate(address).is_some_and(|(_, access)| access.execute);
    let call = decode(u32::from_le_bytes(bytes)).map(|instruction| instruction.opcode);
    is_code && matches!(call, Some(Opcode::Call0 | Opcode::Callx0))
}
