//! What RISC-V's instructions do, in operations of the fast path. Registers have their own numbers.

use std::sync::LazyLock;

use crate::cores::fast::{Draft, FrontEnd, HandedOn, ReadAs, SharedTraces, Tables, ZERO, kind::*, page_of};
use crate::machine::access::Width;
use crate::machine::memory::{Memory, PAGE_BYTES, PAGE_SHIFT};
use crate::machine::stops::Stops;

use super::decode::decode;
use super::instruction::{AluOperation, BranchCondition, Instruction, LoadKind};
use super::pmp::{Pmp, Wish};
use super::trap::Privilege;

/// Direct memory, as the hart may execute it now.
pub(super) struct Code<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) tables: &'a mut Tables,
    pub(super) pmp: &'a Pmp,
    pub(super) privilege: Privilege,
    pub(super) stops: &'a Stops,
    /// A page of which all may be executed: its number, and where the backing bytes hold it.
    pub(super) open: Option<(u32, u32)>,
}

impl FrontEnd for Code<'_> {
    type Circumstances = (Privilege, Pmp, Stops);

    fn shared() -> &'static SharedTraces {
        static SHARED: LazyLock<SharedTraces> = LazyLock::new(SharedTraces::default);
        &SHARED
    }

    fn handed_on() -> &'static HandedOn<Self::Circumstances> {
        static HANDED_ON: LazyLock<HandedOn<(Privilege, Pmp, Stops)>> = LazyLock::new(HandedOn::default);
        &HANDED_ON
    }

    fn circumstances(&self) -> Self::Circumstances {
        (self.privilege, self.pmp.clone(), self.stops.clone())
    }

    fn memory(&mut self) -> (&mut Memory, &mut Tables) {
        (self.memory, self.tables)
    }

    fn setting(&self) -> u8 {
        // What protection allows is asked for each byte.
        0
    }

    fn add(&mut self, pc: u32, draft: &mut Draft) -> Option<u32> {
        let Some(decoded) = self.fetch(pc, draft).and_then(decode) else {
            draft.interpret();
            return None;
        };
        let next = pc.wrapping_add(u32::from(decoded.length));
        add(pc, next, decoded.instruction, draft)
    }

    fn stops_at(&self, address: u32) -> bool {
        self.stops.contains(address)
    }

    fn shows(&mut self, address: u32, bytes: &[u8], _: ReadAs) -> bool {
        let Some(backing) = self.locate(address) else { return false };
        // A page that is not open as a whole is asked for parcel by parcel.
        let mut others = (2..bytes.len() as u32).step_by(2);
        let is_open = self.open.is_some_and(|(open, _)| open == page_of(address));
        (is_open || others.all(|n| self.locate(address + n).is_some())) && self.memory.holds(backing, bytes)
    }

    fn remember_as_code(&mut self, address: u32, bytes: u32) {
        if let Some((backing, _)) = self.memory.locate(address) {
            self.tables.close_for_code(self.memory, backing, bytes);
        }
    }
}

impl Code<'_> {
    /// The instruction's bits, if they may be executed by the fast path.
    fn fetch(&mut self, pc: u32, draft: &mut Draft) -> Option<u32> {
        let low = self.parcel(pc, draft)?;
        if low & 3 != 3 {
            return Some(u32::from(low));
        }
        let high = self.parcel(pc.wrapping_add(2), draft)?;
        Some(u32::from(high) << 16 | u32::from(low))
    }

    fn parcel(&mut self, address: u32, draft: &mut Draft) -> Option<u16> {
        let Some(backing) = self.locate(address) else {
            draft.could_not_read();
            return None;
        };
        let parcel = self.memory.parcel(backing);
        self.tables.close_for_code(self.memory, backing, 2);
        draft.has_read(address, &parcel.to_le_bytes(), ReadAs::Instruction);
        Some(parcel)
    }

    /// Where the backing bytes hold a parcel that may be executed.
    fn locate(&mut self, address: u32) -> Option<u32> {
        let page = page_of(address);
        if let Some((open, backing)) = self.open
            && open == page
        {
            return Some(backing + address % PAGE_BYTES);
        }
        let (backing, access) = self.memory.locate(address)?;
        if !access.execute {
            return None;
        }
        let first = page << PAGE_SHIFT;
        if self.pmp.uniform(self.privilege, Wish::Execute, first, first | (PAGE_BYTES - 1)) == Some(true) {
            self.open = Some((page, backing - address % PAGE_BYTES));
        } else if !self.pmp.allows(self.privilege, Wish::Execute, address, 2) {
            return None;
        }
        Some(backing)
    }
}

/// Adds one instruction; the address of the next, unless the trace ends here.
fn add(pc: u32, next: u32, instruction: Instruction, draft: &mut Draft) -> Option<u32> {
    match instruction {
        Instruction::LoadUpper { rd, immediate } => draft.constant(rd, immediate),
        Instruction::AddUpperToPc { rd, immediate } => draft.constant(rd, pc.wrapping_add(immediate)),
        Instruction::Jump { rd, offset } => {
            draft.constant(rd, next);
            return Some(pc.wrapping_add_signed(offset));
        }
        Instruction::JumpRegister { rd, rs1, offset } => {
            if let Some(base) = draft.known_before(rs1) {
                draft.constant(rd, next);
                return Some(base.wrapping_add_signed(offset) & !1);
            }
            let kind = if rd == 0 { JUMP_REGISTER } else { JUMP_REGISTER_LINKING };
            draft.computed_jump(kind, offset as u32, rd, rs1, next);
            return None;
        }
        Instruction::Branch { condition, rs1, rs2, offset } => {
            draft.branch(branch_kind(condition), rs1, rs2, pc.wrapping_add_signed(offset));
        }
        Instruction::Load { kind, rd, rs1, offset } => {
            draft.last_operation(load_kind(kind), offset as u32, rd, rs1, ZERO);
        }
        Instruction::Store { width, rs1, rs2, offset } => {
            draft.last_operation(store_kind(width), offset as u32, ZERO, rs1, rs2);
        }
        Instruction::AluImmediate { operation, rd, rs1, immediate } => {
            let immediate = immediate as u32;
            match draft.known(rs1) {
                Some(value) => draft.constant(rd, operation.apply(value, immediate)),
                None if rd == 0 => draft.nothing(),
                None if operation == AluOperation::Add && immediate == 0 => {
                    draft.last_operation(MOVE, 0, rd, rs1, ZERO);
                }
                None => draft.last_operation(immediate_kind(operation), immediate, rd, rs1, ZERO),
            }
        }
        Instruction::Alu { rd: 0, .. } => draft.nothing(),
        Instruction::Alu { operation: AluOperation::Add, rd, rs1: 0, rs2 } => {
            draft.last_operation(MOVE, 0, rd, rs2, ZERO);
        }
        Instruction::Alu { operation, rd, rs1, rs2 } => {
            draft.last_operation(register_kind(operation), 0, rd, rs1, rs2);
        }
        Instruction::Fence | Instruction::FenceInstruction => draft.nothing(),
        Instruction::Csr { .. }
        | Instruction::CsrImmediate { .. }
        | Instruction::EnvironmentCall
        | Instruction::EnvironmentBreak
        | Instruction::MachineReturn
        | Instruction::WaitForInterrupt => {
            draft.interpret();
            return None;
        }
    }
    Some(next)
}

const fn branch_kind(condition: BranchCondition) -> u8 {
    match condition {
        BranchCondition::Equal => BRANCH_EQUAL,
        BranchCondition::NotEqual => BRANCH_NOT_EQUAL,
        BranchCondition::Less => BRANCH_LESS,
        BranchCondition::GreaterOrEqual => BRANCH_GREATER_OR_EQUAL,
        BranchCondition::LessUnsigned => BRANCH_LESS_UNSIGNED,
        BranchCondition::GreaterOrEqualUnsigned => BRANCH_GREATER_OR_EQUAL_UNSIGNED,
    }
}

const fn load_kind(kind: LoadKind) -> u8 {
    match kind {
        LoadKind::Byte => LOAD_BYTE,
        LoadKind::Half => LOAD_HALF,
        LoadKind::Word => LOAD_WORD,
        LoadKind::ByteUnsigned => LOAD_BYTE_UNSIGNED,
        LoadKind::HalfUnsigned => LOAD_HALF_UNSIGNED,
    }
}

const fn store_kind(width: Width) -> u8 {
    match width {
        Width::Byte => STORE_BYTE,
        Width::Half => STORE_HALF,
        Width::Word => STORE_WORD,
    }
}

const fn register_kind(operation: AluOperation) -> u8 {
    match operation {
        AluOperation::Add => ADD,
        AluOperation::Subtract => SUBTRACT,
        AluOperation::ShiftLeft => SHIFT_LEFT,
        AluOperation::SetLess => SET_LESS,
        AluOperation::SetLessUnsigned => SET_LESS_UNSIGNED,
        AluOperation::Xor => XOR,
        AluOperation::ShiftRight => SHIFT_RIGHT,
        AluOperation::ShiftRightArithmetic => SHIFT_RIGHT_ARITHMETIC,
        AluOperation::Or => OR,
        AluOperation::And => AND,
        AluOperation::Multiply => MULTIPLY,
        AluOperation::MultiplyHigh => MULTIPLY_HIGH,
        AluOperation::MultiplyHighSignedUnsigned => MULTIPLY_HIGH_SIGNED_UNSIGNED,
        AluOperation::MultiplyHighUnsigned => MULTIPLY_HIGH_UNSIGNED,
        AluOperation::Divide => DIVIDE,
        AluOperation::DivideUnsigned => DIVIDE_UNSIGNED,
        AluOperation::Remainder => REMAINDER,
        AluOperation::RemainderUnsigned => REMAINDER_UNSIGNED,
    }
}

/// The decoder gives immediates only to operations that have them.
const fn immediate_kind(operation: AluOperation) -> u8 {
    match operation {
        AluOperation::ShiftLeft => SHIFT_LEFT_IMMEDIATE,
        AluOperation::SetLess => SET_LESS_IMMEDIATE,
        AluOperation::SetLessUnsigned => SET_LESS_UNSIGNED_IMMEDIATE,
        AluOperation::Xor => XOR_IMMEDIATE,
        AluOperation::ShiftRight => SHIFT_RIGHT_IMMEDIATE,
        AluOperation::ShiftRightArithmetic => SHIFT_RIGHT_ARITHMETIC_IMMEDIATE,
        AluOperation::Or => OR_IMMEDIATE,
        AluOperation::And => AND_IMMEDIATE,
        _ => ADD_IMMEDIATE,
    }
}
