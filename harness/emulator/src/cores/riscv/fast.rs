//! The fast path: traces of pre-decoded operations, run by threaded code.
//!
//! A *trace* begins at one address and follows the likely path through direct jumps and past branches that are not
//! taken; it is left at the end, by a taken branch, or before an operation that the fast path leaves to the plain
//! interpreter. Operations are handlers with their operands ([`op`]); a handler ends by jumping to the next one, so
//! that the compiler keeps the machine's state in registers throughout. Direct memory is reached through page tables
//! that hold what PMP, windows, watchpoints and pre-decoded code together allow ([`tables`]).
//!
//! Whatever is rare (registers of devices, CSRs, traps, first touches of a page, stores into code) leaves the trace
//! before the instruction has done anything, and the plain interpreter executes it. So there is one place that says
//! what such an instruction means, and the fast path has no exceptions of its own.
//!
//! Traces that are executed much become host code ([`host_code`]): with those that they are linked to, a region that the
//! crate `translate` compiles and all of a process share. Such a region is one more operation, which executes what is
//! certain and goes on at an operation of a trace: what that does is said once, here.
//!
//! Time: a trace is entered only with as many cycles left as the longest trace can take ([`TRACE_INSTRUCTIONS_MAX`]);
//! nearer to the deadline the plain interpreter goes instruction by instruction. So a run stops at exactly the cycle
//! asked for.

mod front_end;
mod fuse;
mod handlers;
mod host_code;
mod op;
mod tables;
mod translate;

pub(super) use host_code::HOT_INSTRUCTIONS;
pub(super) use op::Core;
pub(super) use tables::{Tables, page_of};
pub(super) use translate::{Source, Translations};

use op::{Exit, Op};

/// No trace executes more instructions than this.
pub(super) const TRACE_INSTRUCTIONS_MAX: u32 = 96;

/// How many instructions the fast path executes at most before it returns to its caller.
///
/// Handlers end in calls that an optimising compiler turns into jumps. Without optimisation they stay calls, and this
/// bounds the stack that they take.
pub(super) const CHUNK_INSTRUCTIONS: u64 = 4096;

/// Where the fast path stopped.
pub(super) struct Left {
    /// Instructions executed.
    pub(super) executed: u64,
    /// The next instruction.
    pub(super) pc: u32,
    /// Whether that instruction is one for the plain interpreter.
    pub(super) interpret: bool,
    /// The jump that would have gone on to `pc` if it had been linked.
    pub(super) unlinked: Option<u32>,
    /// The operation at which time ran out, unless host code was executed until there.
    pub(super) ran_out_at: Option<u32>,
}

/// Runs from the trace at `entry`, for up to `instructions`, which must be at least [`TRACE_INSTRUCTIONS_MAX`].
pub(super) fn run(
    core: &mut Core,
    translations: &mut Translations,
    tables: &Tables,
    backing: &mut [u8],
    entry: u32,
    instructions: u64,
) -> Left {
    let budget = instructions.min(CHUNK_INSTRUCTIONS) as i64 - i64::from(TRACE_INSTRUCTIONS_MAX);
    debug_assert!(budget >= 0);
    core.targets = translations.targets_mut().as_mut_ptr();
    let ops = translations.ops();
    assert!((entry as usize) < ops.len());
    core.ops = ops.as_ptr();
    core.jumps = translations.jumps().as_ptr();
    core.units = translations.units().as_ptr();
    (core.last, core.left_host_code_at) = (core::ptr::null(), core::ptr::null());
    // SAFETY: every operation and link was made by `translate`, which ends each trace with an operation that leaves or
    // links and keeps links inside `ops`; register fields are at most 32; `install` gives each operation of host code its unit,
    // whose exits are operations; the table's entries were checked against the
    // windows that now exist (`Hart::settle_memory`), so they point into `backing`.
    unsafe {
        let first: *const Op = ops.as_ptr().add(entry as usize);
        ((*first).handler)(core, first, tables.as_ptr(), backing.as_mut_ptr(), budget);
    }
    let at = core.left_at;
    let (op, address) = (&translations.ops()[at as usize], translations.addresses()[at as usize]);
    let (before, interpret, unlinked) = match core.exit {
        Exit::Interpret => (i64::from(op.before), true, None),
        Exit::Deadline => (0, false, None),
        Exit::Unlinked => (0, false, Some(at - u32::from(op.rd))),
        Exit::Computed => {
            let executed = (budget - core.budget) as u64;
            return Left { executed, pc: core.target, interpret: false, unlinked: None, ran_out_at: None };
        }
    };
    let in_threaded_code = core.exit == Exit::Deadline && core.last != core.left_host_code_at;
    let ran_out_at = in_threaded_code.then(|| ((core.last.addr() - core.ops.addr()) / size_of::<Op>()) as u32);
    Left { executed: (budget - core.budget + before) as u64, pc: address, interpret, unlinked, ran_out_at }
}
