//! From instructions to traces.

use std::collections::HashMap;

use crate::cores::riscv::decode::decode;
use crate::cores::riscv::instruction::{AluOperation, BranchCondition, Instruction, LoadKind};
use crate::machine::access::Width;

use super::TRACE_INSTRUCTIONS_MAX;
use super::fuse::fused;
use super::handlers::handler;
use super::host_code::Unit;
use super::op::{JUMP_COUNT, Jump, Op, SINK, kind::*};

/// When there are this many operations, all are dropped and made anew: code that is still in use comes back at once.
const OPERATIONS_MAX: usize = 1 << 18;

/// How many branches a trace goes past. Behind so many, more often than not the rest is never reached.
const BRANCHES_MAX: usize = 4;

/// Every trace made so far.
pub(in crate::cores::riscv) struct Translations {
    pub(super) ops: Vec<Op>,
    /// The address of the instruction of each operation; of a stub or a trace's first operation, where it leads.
    addresses: Vec<u32>,
    /// What each operation does.
    pub(super) kinds: Vec<u8>,
    /// Where each computed jump led the last time; zero for what has not jumped.
    pub(super) targets: Vec<u32>,
    pub(super) traces: HashMap<u32, Trace>,
    /// The first operation of each trace, ascending, with the trace's address.
    beginnings: Vec<(u32, u32)>,
    /// Branches and links that lead to traces, with the traces' addresses.
    links: Vec<(u32, u32)>,
    pub(super) units: Vec<Unit>,
    jumps: Vec<Jump>,
    /// The slots of `jumps` in use, so that few are cleared when few traces were made.
    jumps_used: Vec<u32>,
    draft: Draft,
}

/// A trace that has been made.
pub(super) struct Trace {
    /// Its first operation.
    pub(super) first: u32,
    /// How many operations it has, without the stubs behind them.
    pub(super) length: u32,
    /// Its branches and its link: the operation, counted from the first, and the address to which it leads.
    pub(super) exits: Vec<(u32, u32)>,
    /// The operation that stands for it: the first, or one that runs host code.
    pub(super) entry: u32,
    /// How much was executed where it used the last of the time: how hot it is.
    pub(super) sampled_instructions: u32,
    /// Whether it was looked for among what the process has compiled.
    pub(super) was_sought: bool,
}

/// What the translator asks of its surroundings.
pub(in crate::cores::riscv) trait Source {
    /// The two bytes at an even address, if they may be executed by the fast path. The source remembers that they
    /// were.
    fn parcel(&mut self, address: u32) -> Option<u16>;
    /// Whether the hart must stop at this address.
    fn stops_at(&self, address: u32) -> bool;
}

impl Translations {
    pub(in crate::cores::riscv) fn new() -> Self {
        Self {
            ops: Vec::new(),
            addresses: Vec::new(),
            kinds: Vec::new(),
            targets: Vec::new(),
            traces: HashMap::new(),
            beginnings: Vec::new(),
            links: Vec::new(),
            units: Vec::new(),
            jumps: vec![Jump::EMPTY; JUMP_COUNT],
            jumps_used: Vec::new(),
            draft: Draft::default(),
        }
    }

    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub(super) fn addresses(&self) -> &[u32] {
        &self.addresses
    }

    pub(super) fn jumps(&self) -> &[Jump] {
        &self.jumps
    }

    /// Drops every trace.
    pub(in crate::cores::riscv) fn clear(&mut self) {
        self.ops.clear();
        self.addresses.clear();
        self.kinds.clear();
        self.targets.clear();
        self.traces.clear();
        self.beginnings.clear();
        self.links.clear();
        self.units.clear();
        for slot in self.jumps_used.drain(..) {
            self.jumps[slot as usize] = Jump::EMPTY;
        }
    }

    /// The operation that stands for the trace that begins at `pc`, if there is nothing more to do for it.
    pub(in crate::cores::riscv) fn find(&self, pc: u32) -> Option<u32> {
        let jump = self.jumps[Jump::slot(pc)];
        (jump.pc == pc).then_some(jump.op)
    }

    /// The operation that stands for the trace that begins at `pc`, which is made if need be; where `with_host_code`, host
    /// code that the process has of it takes its place. `None` if its first instruction is not for the fast path.
    ///
    /// Numbers of operations from before the call may be void after it, if [`Self::is_full`] was true.
    pub(in crate::cores::riscv) fn translate(
        &mut self,
        pc: u32,
        source: &mut impl Source,
        with_host_code: bool,
    ) -> Option<u32> {
        if !self.make(pc, source) {
            return None;
        }
        if with_host_code {
            self.take_from_cache(pc, source);
        }
        let entry = self.traces[&pc].entry;
        self.remember(pc, entry);
        Some(entry)
    }

    /// Makes the trace that begins at `pc`, if there is none. `false` if its first instruction is not for the fast path.
    pub(super) fn make(&mut self, pc: u32, source: &mut impl Source) -> bool {
        if self.traces.contains_key(&pc) {
            return true;
        }
        self.draft.clear();
        self.draft.fill(pc, source);
        if self.draft.kinds.first() == Some(&INTERPRET) {
            return false;
        }
        let first = self.ops.len() as u32;
        let trace = Trace {
            first,
            length: self.draft.ops.len() as u32,
            exits: self.draft.exits.iter().map(|&(op, target)| (op as u32, target)).collect(),
            entry: first,
            sampled_instructions: 0,
            was_sought: false,
        };
        self.draft.finish(&mut self.ops, &mut self.addresses, &mut self.kinds);
        self.targets.resize(self.ops.len(), 0);
        self.beginnings.push((first, pc));
        self.traces.insert(pc, trace);
        true
    }

    /// The address of the trace of which an operation is part.
    pub(super) fn trace_of(&self, op: u32) -> Option<u32> {
        let after = self.beginnings.partition_point(|&(first, _)| first <= op);
        Some(self.beginnings[after.checked_sub(1)?].1)
    }

    /// Puts an operation at the end, which from now on stands for the trace that begins at `pc`.
    pub(super) fn replace_entry(&mut self, pc: u32, kind: u8, immediate: u32) {
        let entry = self.ops.len() as u32;
        self.ops.push(Op { handler: handler(kind), immediate, rd: SINK, rs1: SINK, rs2: SINK, before: 0 });
        self.addresses.push(pc);
        self.kinds.push(kind);
        self.targets.push(0);
        if let Some(trace) = self.traces.get_mut(&pc) {
            trace.entry = entry;
        }
        for &(branch, _) in self.links.iter().filter(|(_, target)| *target == pc) {
            self.ops[branch as usize].immediate = entry.wrapping_sub(branch);
        }
        self.remember(pc, entry);
    }

    fn remember(&mut self, pc: u32, op: u32) {
        let slot = Jump::slot(pc);
        if self.jumps[slot].pc == Jump::EMPTY.pc {
            self.jumps_used.push(slot as u32);
        }
        self.jumps[slot] = Jump { pc, op };
    }

    /// Whether the owner should [`clear`](Self::clear) before translating more.
    pub(in crate::cores::riscv) fn is_full(&self) -> bool {
        self.ops.len() > OPERATIONS_MAX
    }

    /// Makes the branch of an unlinked exit go on to a trace.
    pub(in crate::cores::riscv) fn link(&mut self, branch: u32, trace: u32) {
        self.ops[branch as usize].immediate = trace.wrapping_sub(branch);
        self.links.push((branch, self.addresses[trace as usize]));
    }

    pub(super) fn targets_mut(&mut self) -> &mut [u32] {
        &mut self.targets
    }

    pub(super) fn units(&self) -> &[Unit] {
        &self.units
    }
}

/// A trace in the making.
#[derive(Default)]
struct Draft {
    ops: Vec<Op>,
    kinds: Vec<u8>,
    addresses: Vec<u32>,
    /// Branches and links, and the addresses to which they lead.
    exits: Vec<(usize, u32)>,
    /// Where instructions of this trace began.
    seen: Vec<u32>,
    instructions: u32,
}

impl Draft {
    fn clear(&mut self) {
        self.ops.clear();
        self.kinds.clear();
        self.addresses.clear();
        self.exits.clear();
        self.seen.clear();
        self.instructions = 0;
    }

    fn fill(&mut self, start: u32, source: &mut impl Source) {
        let mut pc = start;
        loop {
            let full = self.instructions + 1 >= TRACE_INSTRUCTIONS_MAX || self.exits.len() >= BRANCHES_MAX;
            let again = self.seen.contains(&pc);
            if full || again || (pc != start && source.stops_at(pc)) {
                return self.link_to(pc);
            }
            let Some(bits) = fetch(pc, source) else {
                return self.push(INTERPRET, pc, 0, SINK, SINK, SINK);
            };
            let Some(decoded) = decode(bits) else {
                return self.push(INTERPRET, pc, 0, SINK, SINK, SINK);
            };
            self.seen.push(pc);
            let next = pc.wrapping_add(u32::from(decoded.length));
            match self.add(pc, next, decoded.instruction) {
                Some(on) => pc = on,
                None => return,
            }
        }
    }

    /// Adds one instruction; the address of the next, unless the trace ends here.
    fn add(&mut self, pc: u32, next: u32, instruction: Instruction) -> Option<u32> {
        match instruction {
            Instruction::LoadUpper { rd, immediate } => self.constant(pc, rd, immediate),
            Instruction::AddUpperToPc { rd, immediate } => self.constant(pc, rd, pc.wrapping_add(immediate)),
            Instruction::Jump { rd, offset } => {
                self.constant(pc, rd, next);
                return Some(pc.wrapping_add_signed(offset));
            }
            Instruction::JumpRegister { rd, rs1, offset } => {
                if let Some(base) = self.known_before(rs1) {
                    self.constant(pc, rd, next);
                    return Some(base.wrapping_add_signed(offset) & !1);
                }
                let kind = if rd == 0 { JUMP_REGISTER } else { JUMP_REGISTER_LINKING };
                self.push(kind, pc, offset as u32, rd, rs1, 0);
                // Holds the return address.
                self.push(INTERPRET, next, next, SINK, SINK, SINK);
                return None;
            }
            Instruction::Branch { condition, rs1, rs2, offset } => {
                let target = pc.wrapping_add_signed(offset);
                self.exits.push((self.ops.len(), target));
                self.push(branch_kind(condition), pc, 0, SINK, rs1, rs2);
                self.instructions += 1;
            }
            Instruction::Load { kind, rd, rs1, offset } => {
                self.straight(load_kind(kind), pc, offset as u32, rd, rs1, 0);
            }
            Instruction::Store { width, rs1, rs2, offset } => {
                self.straight(store_kind(width), pc, offset as u32, SINK, rs1, rs2);
            }
            Instruction::AluImmediate { operation, rd, rs1, immediate } => {
                let immediate = immediate as u32;
                match self.known(rs1) {
                    Some(value) => self.constant(pc, rd, operation.apply(value, immediate)),
                    None if rd == 0 => self.nothing(pc),
                    None if operation == AluOperation::Add && immediate == 0 => {
                        self.straight(MOVE, pc, 0, rd, rs1, 0);
                    }
                    None => self.straight(immediate_kind(operation), pc, immediate, rd, rs1, 0),
                }
            }
            Instruction::Alu { rd: 0, .. } => self.nothing(pc),
            Instruction::Alu { operation: AluOperation::Add, rd, rs1: 0, rs2 } => {
                self.straight(MOVE, pc, 0, rd, rs2, 0);
            }
            Instruction::Alu { operation, rd, rs1, rs2 } => {
                self.straight(register_kind(operation), pc, 0, rd, rs1, rs2);
            }
            Instruction::Fence | Instruction::FenceInstruction => self.nothing(pc),
            Instruction::Csr { .. }
            | Instruction::CsrImmediate { .. }
            | Instruction::EnvironmentCall
            | Instruction::EnvironmentBreak
            | Instruction::MachineReturn
            | Instruction::WaitForInterrupt => {
                self.push(INTERPRET, pc, 0, SINK, SINK, SINK);
                return None;
            }
        }
        Some(next)
    }

    /// The value of a register, where the operation just before set it.
    fn known(&self, register: u8) -> Option<u32> {
        if register == 0 {
            return Some(0);
        }
        let last = self.ops.last()?;
        (self.kinds.last() == Some(&LOAD_CONSTANT) && last.rd == register).then_some(last.immediate)
    }

    /// The value of a register, where it was set to a constant anywhere in the trace: a function that calls no other returns
    /// to where the trace called it.
    fn known_before(&self, register: u8) -> Option<u32> {
        if register == 0 {
            return Some(0);
        }
        let last = self.ops.iter().rposition(|op| op.rd == register)?;
        (self.kinds[last] == LOAD_CONSTANT).then_some(self.ops[last].immediate)
    }

    fn constant(&mut self, pc: u32, rd: u8, value: u32) {
        if rd == 0 {
            return self.nothing(pc);
        }
        if let (Some(last), Some(&LOAD_CONSTANT)) = (self.ops.last_mut(), self.kinds.last())
            && last.rd == rd
        {
            // Nobody sees the value before: `lui` and `addi` become one.
            last.immediate = value;
            self.instructions += 1;
            return;
        }
        self.straight(LOAD_CONSTANT, pc, value, rd, SINK, SINK);
    }

    /// An instruction without effect takes a cycle and no operation, but the first operation of a trace must be its
    /// first instruction.
    fn nothing(&mut self, pc: u32) {
        if self.ops.is_empty() {
            self.push(MOVE, pc, 0, SINK, SINK, SINK);
        }
        self.instructions += 1;
    }

    fn straight(&mut self, kind: u8, pc: u32, immediate: u32, rd: u8, rs1: u8, rs2: u8) {
        self.push(kind, pc, immediate, if rd == 0 { SINK } else { rd }, rs1, rs2);
        self.instructions += 1;
    }

    fn link_to(&mut self, target: u32) {
        self.exits.push((self.ops.len(), target));
        self.push(LINK, target, 0, SINK, SINK, SINK);
    }

    fn push(&mut self, kind: u8, pc: u32, immediate: u32, rd: u8, rs1: u8, rs2: u8) {
        let before = self.instructions as u8;
        self.ops.push(Op { handler: handler(kind), immediate, rd, rs1, rs2, before });
        self.kinds.push(kind);
        self.addresses.push(pc);
    }

    /// Gives each branch a stub, fuses neighbours and appends all to what there is.
    fn finish(&mut self, ops: &mut Vec<Op>, addresses: &mut Vec<u32>, kinds: &mut Vec<u8>) {
        // A stub takes the distance to its branch in eight bits: a trace is far shorter.
        const { assert!(TRACE_INSTRUCTIONS_MAX as usize + 2 * BRANCHES_MAX < 256) };
        for (branch, target) in std::mem::take(&mut self.exits) {
            let distance = self.ops.len() - branch;
            self.ops[branch].immediate = distance as u32;
            self.push(STUB, target, 0, distance as u8, SINK, SINK);
        }
        for at in 0..self.ops.len() {
            if let Some(handler) = fused(&self.ops, &self.kinds, at) {
                self.ops[at].handler = handler;
            }
        }
        ops.extend_from_slice(&self.ops);
        addresses.extend_from_slice(&self.addresses);
        kinds.extend_from_slice(&self.kinds);
    }
}

fn fetch(pc: u32, source: &mut impl Source) -> Option<u32> {
    let low = source.parcel(pc)?;
    if low & 3 != 3 {
        return Some(u32::from(low));
    }
    let high = source.parcel(pc.wrapping_add(2))?;
    Some(u32::from(high) << 16 | u32::from(low))
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
