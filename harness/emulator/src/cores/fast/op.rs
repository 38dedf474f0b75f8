//! What a trace is made of.

use super::host_code::Unit;
use super::tables::Page;

/// A handler executes its operation (a fused one: the following ones too) and goes on to the next.
///
/// The arguments fit into the registers in which x86-64 and AArch64 pass them; they are the whole state of the fast path.
pub(super) type Handler =
    unsafe extern "C" fn(core: *mut Core, op: *const Op, pages: *const Page, backing: *mut u8, budget: i64);

/// The register that is always zero, and never written.
pub(in crate::cores) const ZERO: u8 = 0;

/// The register of results that nobody reads.
pub(super) const SINK: u8 = 32;

/// Where host code computes what no register holds: this one and those behind it.
pub(super) const SCRATCH: u8 = 33;

/// How many registers there are.
pub(super) const REGISTERS: usize = 36;

/// One operation: a handler and its operands, 16 bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Op {
    pub(super) handler: Handler,
    /// An immediate or offset; for branches and links how many operations on (or back) they lead.
    pub(super) immediate: u32,
    /// A register. In a stub: how many operations back its branch is.
    pub(super) rd: u8,
    pub(super) rs1: u8,
    pub(super) rs2: u8,
    /// Instructions of the trace before this one.
    pub(super) before: u8,
}

/// An entry of the table of computed jumps: the trace that begins at `pc`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Jump {
    /// In an empty entry an address whose place is another one.
    pub(super) pc: u32,
    pub(super) op: u32,
}

pub(super) const JUMP_COUNT: usize = 4096;

impl Jump {
    pub(super) const fn empty(slot: usize) -> Self {
        Self { pc: if slot == 0 { 2 } else { 0 }, op: 0 }
    }

    pub(super) const fn is_empty(self, slot: usize) -> bool {
        self.pc == Self::empty(slot).pc
    }

    #[inline(always)]
    pub(super) const fn slot(pc: u32) -> usize {
        (pc >> 1) as usize % JUMP_COUNT
    }
}

/// Why the fast path was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// The operation is for the plain interpreter.
    Interpret,
    /// The trace that begins at the operation could take longer than there is time.
    Deadline,
    /// The operation is the stub of a branch that nobody has linked.
    Unlinked,
    /// A computed jump went to `target`, which is not in the table.
    Computed,
}

/// The registers, and what handlers need now and then.
#[repr(C)]
pub(super) struct Core {
    /// The guest's, as its front end numbers them from 1 to 31; [`ZERO`], [`SINK`] and those from [`SCRATCH`] on.
    pub(super) x: [u32; REGISTERS],
    /// Whether a misaligned access is carried out if it stays in its page. Otherwise it is the plain interpreter's.
    pub(super) accesses_misaligned: bool,
    pub(super) target: u32,
    pub(super) budget: i64,
    pub(super) left_at: u32,
    pub(super) exit: Exit,
    // Set on entry, and used only until the exit.
    pub(super) ops: *const Op,
    pub(super) jumps: *const Jump,
    /// For each operation that is a computed jump, where it led the last time.
    pub(super) targets: *mut u32,
    pub(super) units: *const Unit,
    /// The branch or jump at which time ran out.
    pub(super) last: *const Op,
    /// The operation at which host code was left last.
    pub(super) left_host_code_at: *const Op,
}

// SAFETY: the pointers are set by `run` from borrows that outlive its call into the handlers, and nobody else reads
// them.
unsafe impl Send for Core {}
// SAFETY: as above; a shared `Core` offers nothing that follows them.
unsafe impl Sync for Core {}

impl Core {
    pub(super) const fn new(accesses_misaligned: bool) -> Self {
        Self {
            x: [0; REGISTERS],
            accesses_misaligned,
            target: 0,
            budget: 0,
            left_at: 0,
            exit: Exit::Deadline,
            ops: core::ptr::null(),
            jumps: core::ptr::null(),
            targets: core::ptr::null_mut(),
            units: core::ptr::null(),
            last: core::ptr::null(),
            left_host_code_at: core::ptr::null(),
        }
    }
}

/// Whether a kind is a jump to where a register says; the operation behind it holds the return address.
pub(super) const fn is_computed_jump(kind: u8) -> bool {
    use kind::*;
    matches!(kind, JUMP_REGISTER | JUMP_REGISTER_LINKING | JUMP_ANYWHERE | JUMP_ANYWHERE_LINKING)
}

/// What an operation does. Handlers are generic over it, as a number.
pub(in crate::cores) mod kind {
    pub(in crate::cores) const LOAD_CONSTANT: u8 = 0;
    pub(in crate::cores) const MOVE: u8 = 1;

    pub(in crate::cores) const ADD_IMMEDIATE: u8 = 2;
    pub(in crate::cores) const SHIFT_LEFT_IMMEDIATE: u8 = 3;
    pub(in crate::cores) const SET_LESS_IMMEDIATE: u8 = 4;
    pub(in crate::cores) const SET_LESS_UNSIGNED_IMMEDIATE: u8 = 5;
    pub(in crate::cores) const XOR_IMMEDIATE: u8 = 6;
    pub(in crate::cores) const SHIFT_RIGHT_IMMEDIATE: u8 = 7;
    pub(in crate::cores) const SHIFT_RIGHT_ARITHMETIC_IMMEDIATE: u8 = 8;
    pub(in crate::cores) const OR_IMMEDIATE: u8 = 9;
    pub(in crate::cores) const AND_IMMEDIATE: u8 = 10;

    pub(in crate::cores) const ADD: u8 = 11;
    pub(in crate::cores) const SUBTRACT: u8 = 12;
    pub(in crate::cores) const SHIFT_LEFT: u8 = 13;
    pub(in crate::cores) const SET_LESS: u8 = 14;
    pub(in crate::cores) const SET_LESS_UNSIGNED: u8 = 15;
    pub(in crate::cores) const XOR: u8 = 16;
    pub(in crate::cores) const SHIFT_RIGHT: u8 = 17;
    pub(in crate::cores) const SHIFT_RIGHT_ARITHMETIC: u8 = 18;
    pub(in crate::cores) const OR: u8 = 19;
    pub(in crate::cores) const AND: u8 = 20;
    pub(in crate::cores) const MULTIPLY: u8 = 21;
    pub(in crate::cores) const MULTIPLY_HIGH: u8 = 22;
    pub(in crate::cores) const MULTIPLY_HIGH_SIGNED_UNSIGNED: u8 = 23;
    pub(in crate::cores) const MULTIPLY_HIGH_UNSIGNED: u8 = 24;
    pub(in crate::cores) const DIVIDE: u8 = 25;
    pub(in crate::cores) const DIVIDE_UNSIGNED: u8 = 26;
    pub(in crate::cores) const REMAINDER: u8 = 27;
    pub(in crate::cores) const REMAINDER_UNSIGNED: u8 = 28;

    pub(in crate::cores) const LOAD_BYTE: u8 = 29;
    pub(in crate::cores) const LOAD_HALF: u8 = 30;
    pub(in crate::cores) const LOAD_WORD: u8 = 31;
    pub(in crate::cores) const LOAD_BYTE_UNSIGNED: u8 = 32;
    pub(in crate::cores) const LOAD_HALF_UNSIGNED: u8 = 33;
    pub(in crate::cores) const STORE_BYTE: u8 = 34;
    pub(in crate::cores) const STORE_HALF: u8 = 35;
    pub(in crate::cores) const STORE_WORD: u8 = 36;

    pub(in crate::cores) const BRANCH_EQUAL: u8 = 37;
    pub(in crate::cores) const BRANCH_NOT_EQUAL: u8 = 38;
    pub(in crate::cores) const BRANCH_LESS: u8 = 39;
    pub(in crate::cores) const BRANCH_GREATER_OR_EQUAL: u8 = 40;
    pub(in crate::cores) const BRANCH_LESS_UNSIGNED: u8 = 41;
    pub(in crate::cores) const BRANCH_GREATER_OR_EQUAL_UNSIGNED: u8 = 42;
    /// Goes on at another operation; no instruction of its own.
    pub(in crate::cores) const LINK: u8 = 43;
    /// Jumps to an even address: the lowest bit of the sum is dropped.
    pub(in crate::cores) const JUMP_REGISTER: u8 = 44;
    /// The same with a return address, which is the immediate of the operation after it.
    pub(in crate::cores) const JUMP_REGISTER_LINKING: u8 = 45;
    /// Leaves to the plain interpreter, before the instruction.
    pub(in crate::cores) const INTERPRET: u8 = 46;
    /// Leaves because a branch is not linked; no instruction of its own.
    pub(in crate::cores) const STUB: u8 = 47;
    /// Runs host code that executes this trace and others; no instruction of its own.
    pub(in crate::cores) const HOST_CODE: u8 = 48;

    /// As [`JUMP_REGISTER`], to any address.
    pub(in crate::cores) const JUMP_ANYWHERE: u8 = 49;
    pub(in crate::cores) const JUMP_ANYWHERE_LINKING: u8 = 50;

    /// `immediate - rs1`
    pub(in crate::cores) const SUBTRACT_FROM_IMMEDIATE: u8 = 51;
    pub(in crate::cores) const COUNT_LEADING_ZEROS: u8 = 52;
    /// The product of the low halves.
    pub(in crate::cores) const MULTIPLY_HALVES: u8 = 53;
    pub(in crate::cores) const MULTIPLY_HALVES_SIGNED: u8 = 54;

    // Shifts of more than 32 bits, of which the low 32 remain; amounts are modulo 64.
    /// `rs1 << (32 - rs2)`
    pub(in crate::cores) const WIDE_SHIFT_LEFT: u8 = 55;
    pub(in crate::cores) const WIDE_SHIFT_RIGHT: u8 = 56;
    pub(in crate::cores) const WIDE_SHIFT_RIGHT_ARITHMETIC: u8 = 57;
    /// `rs1` and below it `rs2`, shifted right by the register that the immediate names.
    pub(in crate::cores) const FUNNEL_SHIFT: u8 = 58;
    /// The same by the immediate, which is 1 to 31.
    pub(in crate::cores) const FUNNEL_SHIFT_IMMEDIATE: u8 = 59;

    // `rs1`, if `rs2` is this; otherwise what `rd` holds.
    pub(in crate::cores) const MOVE_IF_ZERO: u8 = 60;
    pub(in crate::cores) const MOVE_IF_NOT_ZERO: u8 = 61;
    pub(in crate::cores) const MOVE_IF_NEGATIVE: u8 = 62;
    pub(in crate::cores) const MOVE_IF_NOT_NEGATIVE: u8 = 63;

    // Accesses of less than a word that do not get through to Xtensa's instruction memory.
    pub(in crate::cores) const LOAD_BYTE_OF_DATA: u8 = 64;
    pub(in crate::cores) const LOAD_HALF_OF_DATA: u8 = 65;
    pub(in crate::cores) const LOAD_HALF_SIGNED_OF_DATA: u8 = 66;
    pub(in crate::cores) const STORE_BYTE_OF_DATA: u8 = 67;
    pub(in crate::cores) const STORE_HALF_OF_DATA: u8 = 68;
}
