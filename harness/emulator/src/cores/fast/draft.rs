//! From instructions to a trace: what a front end reads, and what it says of it.
//!
//! An instruction may become several operations. All but the last compute what only the instruction itself reads, so that
//! whoever leaves at one of them has done nothing of the instruction yet.

use crate::machine::memory::Memory;

use super::TRACE_INSTRUCTIONS_MAX;
use super::fuse::fused;
use super::grounds::{Grounds, ReadAs};
use super::handed_on::HandedOn;
use super::handlers::handler;
use super::op::{Op, REGISTERS, SINK, ZERO, kind::*};
use super::shared::{Drafted, SharedTraces};
use super::tables::Tables;

/// How many branches a trace goes past. Behind so many, more often than not the rest is never reached.
const BRANCHES_MAX: usize = 4;

/// A trace that has so many operations takes no more instructions.
const OPERATIONS_MAX: usize = 192;

/// No instruction becomes more operations than this.
const INSTRUCTION_OPERATIONS_MAX: usize = 8;

/// An instruction set, as the code of one core has it.
pub(in crate::cores) trait FrontEnd {
    /// All of the core's state that [`Self::add`] goes by, with what decides which bytes it may read and where traces end: whatever
    /// [`Draft`] goes by besides memory.
    type Circumstances: PartialEq + 'static;

    /// What the process has drafted of this instruction set.
    fn shared() -> &'static SharedTraces;

    /// What cores of this instruction set have handed on.
    fn handed_on() -> &'static HandedOn<Self::Circumstances>;

    /// Those of now.
    fn circumstances(&self) -> Self::Circumstances;

    /// Where the code lies, and the tables through which it is accessed.
    fn memory(&mut self) -> (&mut Memory, &mut Tables);

    /// Of the core's state, what [`Self::add`] goes by.
    fn setting(&self) -> u8;

    /// Adds the instruction at `pc` to a trace: where that goes on, or `None` if it ends with this instruction, by
    /// [`Draft::computed_jump`] or [`Draft::interpret`]. It goes by nothing but [`Self::setting`] and what it reads of memory.
    /// That it remembers as code, and says so by [`Draft::has_read`]; or by [`Draft::could_not_read`].
    fn add(&mut self, pc: u32, draft: &mut Draft) -> Option<u32>;

    /// Whether the core must stop at this address.
    fn stops_at(&self, address: u32) -> bool;

    /// Whether [`Self::add`] would read these bytes at `address`, all of them in one page.
    fn shows(&mut self, address: u32, bytes: &[u8], read_as: ReadAs) -> bool;

    /// Remembers what it [shows](Self::shows) as code.
    fn remember_as_code(&mut self, address: u32, bytes: u32);
}

/// A trace in the making.
#[derive(Default)]
pub(in crate::cores) struct Draft {
    ops: Vec<Op>,
    kinds: Vec<u8>,
    addresses: Vec<u32>,
    /// Branches and links, and the addresses to which they lead.
    exits: Vec<(usize, u32)>,
    /// What it is made of, where instructions began too.
    grounds: Grounds,
    /// Something could not be read: who can read it drafts something else.
    is_ones_own: bool,
    /// Instructions that are complete.
    instructions: u32,
    /// The instruction that is being added.
    pc: u32,
}

impl Draft {
    /// The trace that begins at `start`.
    pub(super) fn fill(&mut self, start: u32, front_end: &mut impl FrontEnd) {
        self.clear();
        self.grounds.begin(front_end.setting());
        let mut pc = start;
        loop {
            let full = self.instructions + 1 >= TRACE_INSTRUCTIONS_MAX
                || self.ops.len() >= OPERATIONS_MAX
                || self.exits.len() >= BRANCHES_MAX;
            if full || self.grounds.has_instruction(pc) {
                return self.link_to(pc);
            }
            if pc != start && front_end.stops_at(pc) {
                self.grounds.end_at_stop(pc);
                return self.link_to(pc);
            }
            self.grounds.add_instruction(pc);
            self.pc = pc;
            match front_end.add(pc, self) {
                Some(on) => pc = on,
                None if self.kinds.last() == Some(&INTERPRET) => return,
                None => return self.interpret(),
            }
        }
    }

    fn clear(&mut self) {
        self.ops.clear();
        self.kinds.clear();
        self.addresses.clear();
        self.exits.clear();
        self.instructions = 0;
        self.is_ones_own = false;
    }

    /// The front end has read these bytes of memory.
    pub(in crate::cores) fn has_read(&mut self, address: u32, bytes: &[u8], read_as: ReadAs) {
        self.grounds.add_read(address, bytes, read_as);
    }

    /// The front end has found that something may not be read.
    pub(in crate::cores) fn could_not_read(&mut self) {
        self.is_ones_own = true;
    }

    /// An operation of an instruction that is not yet complete.
    pub(in crate::cores) fn operation(&mut self, kind: u8, immediate: u32, rd: u8, rs1: u8, rs2: u8) {
        let third = if kind == FUNNEL_SHIFT { immediate as usize } else { 0 };
        // Handlers rely on it.
        assert!(usize::from(rd.max(rs1).max(rs2)).max(third) < REGISTERS);
        self.push(kind, self.pc, immediate, rd, rs1, rs2);
    }

    /// The last operation of an instruction, or the only one. Results for [`ZERO`] are dropped.
    pub(in crate::cores) fn last_operation(&mut self, kind: u8, immediate: u32, rd: u8, rs1: u8, rs2: u8) {
        self.operation(kind, immediate, if rd == ZERO { SINK } else { rd }, rs1, rs2);
        self.instructions += 1;
    }

    /// An instruction that sets a register to what is known here.
    pub(in crate::cores) fn constant(&mut self, rd: u8, value: u32) {
        if rd == ZERO {
            return self.nothing();
        }
        if let (Some(last), Some(&LOAD_CONSTANT)) = (self.ops.last_mut(), self.kinds.last())
            && last.rd == rd
        {
            // Nobody sees the value before: `lui` and `addi` become one.
            last.immediate = value;
            self.instructions += 1;
            return;
        }
        self.last_operation(LOAD_CONSTANT, value, rd, SINK, SINK);
    }

    /// An instruction without effect takes a cycle and no operation, but the first operation of a trace must be its
    /// first instruction.
    pub(in crate::cores) fn nothing(&mut self) {
        if self.ops.is_empty() {
            self.operation(MOVE, 0, SINK, SINK, SINK);
        }
        self.instructions += 1;
    }

    /// An instruction that goes to `target` if a comparison of two registers holds.
    pub(in crate::cores) fn branch(&mut self, kind: u8, rs1: u8, rs2: u8, target: u32) {
        self.exits.push((self.ops.len(), target));
        self.last_operation(kind, 0, SINK, rs1, rs2);
    }

    /// Ends the trace with a jump to where a register says; `next` is the address behind the instruction, which goes to `rd`
    /// if `kind` has a return address.
    pub(in crate::cores) fn computed_jump(&mut self, kind: u8, immediate: u32, rd: u8, rs1: u8, next: u32) {
        self.last_operation(kind, immediate, rd, rs1, ZERO);
        // Holds the return address.
        self.push(INTERPRET, next, next, SINK, SINK, SINK);
    }

    /// Ends the trace with an instruction for the plain interpreter.
    pub(in crate::cores) fn interpret(&mut self) {
        self.operation(INTERPRET, 0, SINK, SINK, SINK);
    }

    /// The value of a register, where the operation just before set it.
    pub(in crate::cores) fn known(&self, register: u8) -> Option<u32> {
        if register == ZERO {
            return Some(0);
        }
        let last = self.ops.last()?;
        (self.kinds.last() == Some(&LOAD_CONSTANT) && last.rd == register).then_some(last.immediate)
    }

    /// The value of a register, where it was set to a constant anywhere in the trace: a function that calls no other returns
    /// to where the trace called it.
    pub(in crate::cores) fn known_before(&self, register: u8) -> Option<u32> {
        if register == ZERO {
            return Some(0);
        }
        let last = self.set_by(register)?;
        (self.kinds[last] == LOAD_CONSTANT).then_some(self.ops[last].immediate)
    }

    /// An operation's kind, immediate and first register.
    pub(in crate::cores) fn said(&self, n: usize) -> (u8, u32, u8) {
        (self.kinds[n], self.ops[n].immediate, self.ops[n].rs1)
    }

    /// The operation that set a register last in this trace, counted from the first.
    pub(in crate::cores) fn set_by(&self, register: u8) -> Option<usize> {
        self.ops.iter().rposition(|op| op.rd == register)
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

    /// Gives each branch a stub and fuses neighbours; all of it, of which nothing can change any more.
    pub(super) fn finish(&mut self) -> Drafted {
        // A stub takes the distance to its branch in eight bits, and one operation ends the trace.
        const { assert!(OPERATIONS_MAX + INSTRUCTION_OPERATIONS_MAX + 1 + 2 * BRANCHES_MAX < 256) };
        let length = self.ops.len() as u32;
        let exits = self.exits.iter().map(|&(op, target)| (op as u32, target)).collect();
        for (branch, target) in std::mem::take(&mut self.exits) {
            let distance = u8::try_from(self.ops.len() - branch).expect("a trace is shorter");
            self.ops[branch].immediate = distance.into();
            self.push(STUB, target, 0, distance, SINK, SINK);
        }
        for at in 0..self.ops.len() {
            if let Some(handler) = fused(&self.ops, &self.kinds, at) {
                self.ops[at].handler = handler;
            }
        }
        Drafted {
            number: Drafted::new_number(),
            ops: self.ops.clone(),
            addresses: self.addresses.clone(),
            kinds: self.kinds.clone(),
            length,
            exits,
            grounds: (!self.is_ones_own).then(|| self.grounds.clone()),
        }
    }
}
