//! What a trace is made of.

use super::host_code::Unit;
use super::tables::Page;

/// A handler executes its operation (a fused one: the following ones too) and goes on to the next.
///
/// The arguments fit into the registers in which x86-64 and AArch64 pass them; they are the whole state of the fast path.
pub(in crate::cores::riscv) type Handler =
    unsafe extern "C" fn(core: *mut Core, op: *const Op, pages: *const Page, backing: *mut u8, budget: i64);

/// The register number of writes to `x0`.
pub(in crate::cores::riscv) const SINK: u8 = 32;

/// Where host code computes what no register holds.
pub(super) const SCRATCH: u8 = 33;

/// One operation: a handler and its operands, 16 bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::cores::riscv) struct Op {
    pub(super) handler: Handler,
    /// An immediate or offset; for branches and links how many operations on (or back) they lead.
    pub(super) immediate: u32,
    /// 0 to 32. In a stub: how many operations back its branch is.
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
    /// Odd, and so never met, in an empty entry.
    pub(super) pc: u32,
    pub(super) op: u32,
}

pub(super) const JUMP_COUNT: usize = 4096;

impl Jump {
    pub(super) const EMPTY: Self = Self { pc: 1, op: 0 };

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
pub(in crate::cores::riscv) struct Core {
    /// `x0` to `x31`, then the sink for writes to `x0`, then host code's own place.
    pub(in crate::cores::riscv) x: [u32; 34],
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
    pub(in crate::cores::riscv) const fn new() -> Self {
        Self {
            x: [0; 34],
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

/// What an operation does. Handlers are generic over it, as a number.
pub(super) mod kind {
    pub(in crate::cores::riscv) const LOAD_CONSTANT: u8 = 0;
    pub(in crate::cores::riscv) const MOVE: u8 = 1;

    pub(in crate::cores::riscv) const ADD_IMMEDIATE: u8 = 2;
    pub(in crate::cores::riscv) const SHIFT_LEFT_IMMEDIATE: u8 = 3;
    pub(in crate::cores::riscv) const SET_LESS_IMMEDIATE: u8 = 4;
    pub(in crate::cores::riscv) const SET_LESS_UNSIGNED_IMMEDIATE: u8 = 5;
    pub(in crate::cores::riscv) const XOR_IMMEDIATE: u8 = 6;
    pub(in crate::cores::riscv) const SHIFT_RIGHT_IMMEDIATE: u8 = 7;
    pub(in crate::cores::riscv) const SHIFT_RIGHT_ARITHMETIC_IMMEDIATE: u8 = 8;
    pub(in crate::cores::riscv) const OR_IMMEDIATE: u8 = 9;
    pub(in crate::cores::riscv) const AND_IMMEDIATE: u8 = 10;

    pub(in crate::cores::riscv) const ADD: u8 = 11;
    pub(in crate::cores::riscv) const SUBTRACT: u8 = 12;
    pub(in crate::cores::riscv) const SHIFT_LEFT: u8 = 13;
    pub(in crate::cores::riscv) const SET_LESS: u8 = 14;
    pub(in crate::cores::riscv) const SET_LESS_UNSIGNED: u8 = 15;
    pub(in crate::cores::riscv) const XOR: u8 = 16;
    pub(in crate::cores::riscv) const SHIFT_RIGHT: u8 = 17;
    pub(in crate::cores::riscv) const SHIFT_RIGHT_ARITHMETIC: u8 = 18;
    pub(in crate::cores::riscv) const OR: u8 = 19;
    pub(in crate::cores::riscv) const AND: u8 = 20;
    pub(in crate::cores::riscv) const MULTIPLY: u8 = 21;
    pub(in crate::cores::riscv) const MULTIPLY_HIGH: u8 = 22;
    pub(in crate::cores::riscv) const MULTIPLY_HIGH_SIGNED_UNSIGNED: u8 = 23;
    pub(in crate::cores::riscv) const MULTIPLY_HIGH_UNSIGNED: u8 = 24;
    pub(in crate::cores::riscv) const DIVIDE: u8 = 25;
    pub(in crate::cores::riscv) const DIVIDE_UNSIGNED: u8 = 26;
    pub(in crate::cores::riscv) const REMAINDER: u8 = 27;
    pub(in crate::cores::riscv) const REMAINDER_UNSIGNED: u8 = 28;

    pub(in crate::cores::riscv) const LOAD_BYTE: u8 = 29;
    pub(in crate::cores::riscv) const LOAD_HALF: u8 = 30;
    pub(in crate::cores::riscv) const LOAD_WORD: u8 = 31;
    pub(in crate::cores::riscv) const LOAD_BYTE_UNSIGNED: u8 = 32;
    pub(in crate::cores::riscv) const LOAD_HALF_UNSIGNED: u8 = 33;
    pub(in crate::cores::riscv) const STORE_BYTE: u8 = 34;
    pub(in crate::cores::riscv) const STORE_HALF: u8 = 35;
    pub(in crate::cores::riscv) const STORE_WORD: u8 = 36;

    pub(in crate::cores::riscv) const BRANCH_EQUAL: u8 = 37;
    pub(in crate::cores::riscv) const BRANCH_NOT_EQUAL: u8 = 38;
    pub(in crate::cores::riscv) const BRANCH_LESS: u8 = 39;
    pub(in crate::cores::riscv) const BRANCH_GREATER_OR_EQUAL: u8 = 40;
    pub(in crate::cores::riscv) const BRANCH_LESS_UNSIGNED: u8 = 41;
    pub(in crate::cores::riscv) const BRANCH_GREATER_OR_EQUAL_UNSIGNED: u8 = 42;
    /// Goes on at another operation; no instruction of its own.
    pub(in crate::cores::riscv) const LINK: u8 = 43;
    pub(in crate::cores::riscv) const JUMP_REGISTER: u8 = 44;
    /// The same with a return address, which is the immediate of the operation after it.
    pub(in crate::cores::riscv) const JUMP_REGISTER_LINKING: u8 = 45;
    /// Leaves to the plain interpreter, before the instruction.
    pub(in crate::cores::riscv) const INTERPRET: u8 = 46;
    /// Leaves because a branch is not linked; no instruction of its own.
    pub(in crate::cores::riscv) const STUB: u8 = 47;
    /// Runs host code that executes this trace and others; no instruction of its own.
    pub(in crate::cores::riscv) const HOST_CODE: u8 = 48;
}
