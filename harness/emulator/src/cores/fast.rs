//! The fast path of any core: traces of pre-decoded operations, run by threaded code.
//!
//! A *trace* begins at one address and follows the likely path through direct jumps and past branches that are not
//! taken; it is left at the end, by a taken branch, or before an operation that the fast path leaves to the plain
//! interpreter. A core's *front end* says what each of its instructions does ([`FrontEnd`]); operations are handlers with
//! their operands ([`op`]); a handler ends by jumping to the next one, so that the compiler keeps the machine's state in
//! registers throughout. Direct memory is reached through page tables that hold what protection, windows, watchpoints and
//! pre-decoded code together allow ([`tables`]).
//!
//! Whatever is rare (registers of devices, special registers, traps, first touches of a page, stores into code) leaves the
//! trace before the instruction has done anything, and the core's plain interpreter executes it. So there is one place that
//! says what such an instruction means, and the fast path has no exceptions of its own.
//!
//! A trace that one core of the process has drafted, others take that would draft the same ([`shared`], [`grounds`]); a core
//! that is done hands on all that it has ([`handed_on`]).
//!
//! Traces that are executed much become host code ([`host_code`]): with those that they are linked to, a region that the
//! crate `translate` compiles and all of a process share. Such a region is one more operation, which executes what is
//! certain and goes on at an operation of a trace: what that does is said once, here.
//!
//! Time: a trace is entered only with as many cycles left as the longest trace can take ([`TRACE_INSTRUCTIONS_MAX`]);
//! nearer to the deadline the plain interpreter goes instruction by instruction. So a run stops at exactly the cycle
//! asked for.

mod by_address;
mod compute;
mod draft;
mod form;
mod fuse;
mod grounds;
mod handed_on;
mod handlers;
mod host_code;
mod op;
mod region;
mod shared;
mod tables;
mod translations;

pub(in crate::cores) use draft::{Draft, FrontEnd};
pub(in crate::cores) use grounds::ReadAs;
pub(in crate::cores) use handed_on::HandedOn;
pub(in crate::cores) use op::{ZERO, kind};
pub(in crate::cores) use shared::SharedTraces;
pub(in crate::cores) use tables::{Tables, page_of};

use crate::machine::chip::Tier;
use crate::machine::memory::{Mapped, Memory};
use handed_on::Kept;
use host_code::{HOT_INSTRUCTIONS, SAMPLE_INSTRUCTIONS};
use op::{Core, Exit, Op, REGISTERS};
use translations::Translations;

/// No trace executes more instructions than this.
pub(in crate::cores) const TRACE_INSTRUCTIONS_MAX: u32 = 96;

/// How many instructions the fast path executes at most before it returns to its caller.
///
/// Handlers end in calls that an optimising compiler turns into jumps. Without optimisation they stay calls, and this
/// bounds the stack that they take.
const CHUNK_INSTRUCTIONS: u64 = 4096;

/// So many sets of windows are remembered besides the present one, with what was translated of them.
const OTHERS_MAX: usize = 3;

/// The fast path of one core, with the core's general registers.
pub(in crate::cores) struct FastPath {
    core: Core,
    pub(in crate::cores) tables: Tables,
    translations: Translations,
    /// The windows through which what is translated was read.
    windows: Vec<Mapped>,
    /// What was translated of windows that were there before, the newest last: a flash's window that is closed while its
    /// flash is written comes back.
    others: Vec<(Vec<Mapped>, Translations)>,
    /// The branch by which a trace was left, and where it leads: to be linked to the trace that begins there.
    unlinked: Option<(u32, u32)>,
    is_void: bool,
    execution: Execution,
    /// When to look next at what is executed.
    sample_in_instructions: u64,
    /// The [`Memory`] mapping from which tables and traces were made.
    mapping_version: u64,
}

/// How instructions are executed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Execution {
    tier: Tier,
    /// When a trace is hot.
    hot_instructions: u64,
}

/// Where the fast path stopped.
pub(in crate::cores) struct Left {
    /// Instructions executed.
    pub(in crate::cores) executed: u64,
    /// The next instruction.
    pub(in crate::cores) pc: u32,
    /// Whether that instruction is one for the plain interpreter; the core need not stop before it.
    pub(in crate::cores) interpret: bool,
}

impl FastPath {
    /// Nothing is translated yet. `accesses_misaligned` says whether loads and stores need not be aligned.
    pub(in crate::cores) fn new(accesses_misaligned: bool) -> Self {
        Self {
            core: Core::new(accesses_misaligned),
            tables: Tables::new(),
            translations: Translations::new(),
            windows: Vec::new(),
            others: Vec::new(),
            unlinked: None,
            is_void: false,
            execution: Execution { tier: Tier::default(), hot_instructions: HOT_INSTRUCTIONS },
            sample_in_instructions: SAMPLE_INSTRUCTIONS,
            mapping_version: 0,
        }
    }

    /// The registers, as the front end numbers them; [`ZERO`] has to stay zero.
    #[inline(always)]
    pub(in crate::cores) fn registers(&self) -> &[u32; REGISTERS] {
        &self.core.x
    }

    /// As [`Self::registers`].
    #[inline(always)]
    pub(in crate::cores) fn registers_mut(&mut self) -> &mut [u32; REGISTERS] {
        &mut self.core.x
    }

    /// Who executes instructions.
    pub(in crate::cores) fn tier(&self) -> Tier {
        self.execution.tier
    }

    /// Another one executes instructions from now on.
    pub(in crate::cores) fn execute_by(&mut self, tier: Tier) {
        self.is_void |= self.execution.tier != tier;
        self.execution.tier = tier;
    }

    /// Compiles what was met with so many instructions, and at once, instead of what is worth it in its own time.
    pub(in crate::cores) fn compile_after(&mut self, instructions: u64) {
        self.execution.hot_instructions = instructions;
    }

    /// How many traces are host code now.
    pub(in crate::cores) fn host_code_count(&self) -> usize {
        self.translations.host_code_count()
    }

    /// How many traces another core of the process had drafted.
    pub(in crate::cores) fn shared_trace_count(&self) -> usize {
        let others = self.others.iter().map(|(_, translations)| translations.shared_count());
        self.translations.shared_count() + others.sum::<usize>()
    }

    /// What was translated no longer holds: another mode, other permissions, other places to stop.
    pub(in crate::cores) fn void(&mut self) {
        self.is_void = true;
    }

    /// Drops what was cached if its grounds are gone.
    pub(in crate::cores) fn settle(&mut self, memory: &mut Memory) {
        let is_remapped = self.mapping_version != memory.mapping_version();
        let is_void = self.is_void || memory.code_is_stale() || self.translations.is_full();
        if !is_remapped && !is_void {
            return;
        }
        self.mapping_version = memory.mapping_version();
        self.is_void = false;
        self.unlinked = None;
        self.tables.clear();
        if is_void {
            self.others.clear();
            self.translations.clear();
            memory.forget_code();
            self.windows.clear();
            self.windows.extend_from_slice(memory.mapped());
        } else if self.windows != memory.mapped() {
            self.look_through(memory.mapped());
        }
    }

    /// Goes on with what was translated of these windows. All that was read is still remembered as code.
    #[cold]
    fn look_through(&mut self, windows: &[Mapped]) {
        let (windows, translations) = match self.others.iter().position(|(others, _)| others == windows) {
            Some(place) => self.others.remove(place),
            None if self.others.len() < OTHERS_MAX => (windows.to_vec(), Translations::new()),
            None => {
                let (_, mut oldest) = self.others.remove(0);
                oldest.clear();
                (windows.to_vec(), oldest)
            }
        };
        let windows = std::mem::replace(&mut self.windows, windows);
        let translations = std::mem::replace(&mut self.translations, translations);
        self.others.push((windows, translations));
    }

    /// Whether tables and traces are of the present mapping.
    pub(in crate::cores) fn is_settled(&self, memory: &Memory) -> bool {
        self.mapping_version == memory.mapping_version()
    }

    /// The trace that begins at `pc`, if there is nothing more to do for it.
    #[inline]
    pub(in crate::cores) fn find(&self, pc: u32) -> Option<u32> {
        self.translations.find(pc)
    }

    /// The trace that begins at `pc`, made if need be by a front end that may forget pages of the tables.
    pub(in crate::cores) fn translate<'a, F: FrontEnd>(
        &'a mut self,
        pc: u32,
        front_end: impl FnOnce(&'a mut Tables) -> F,
    ) -> u32 {
        let with_host_code = self.execution.tier == Tier::HostCode;
        let mut front_end = front_end(&mut self.tables);
        if self.translations.is_empty()
            && let Some(translations) = handed_on::take(&mut front_end, self.execution)
        {
            self.translations = translations;
        }
        self.translations.translate(pc, &mut front_end, with_host_code)
    }

    /// Hands what was translated on to cores that come, in circumstances that are those of this front end: this one is done.
    pub(in crate::cores) fn hand_on<'a, F: FrontEnd>(&'a mut self, front_end: impl FnOnce(&'a mut Tables) -> F) {
        if self.is_void || self.translations.is_empty() {
            return;
        }
        let mut front_end = front_end(&mut self.tables);
        if let Some(decoded) = front_end.memory().0.decoded() {
            F::handed_on().keep(Kept {
                circumstances: front_end.circumstances(),
                execution: self.execution,
                windows: std::mem::take(&mut self.windows),
                decoded,
                translations: std::mem::replace(&mut self.translations, Translations::new()),
            });
            self.is_void = true;
        }
    }

    /// Runs from the trace that begins at `pc`, for up to `instructions`, which must be at least [`TRACE_INSTRUCTIONS_MAX`].
    /// What was [settled](Self::settle) must still be.
    pub(in crate::cores) fn run(&mut self, memory: &mut Memory, pc: u32, trace: u32, instructions: u64) -> Left {
        assert!(self.is_settled(memory));
        if let Some((branch, target)) = self.unlinked.take()
            && target == pc
        {
            self.translations.link(branch, trace);
        }
        let Self { core, translations, tables, .. } = self;
        let instructions = instructions.min(self.sample_in_instructions);
        let came = run(core, translations, tables, memory.backing_mut(), trace, instructions);
        self.unlinked = came.unlinked.map(|branch| (branch, came.left.pc));
        if self.execution.tier == Tier::HostCode {
            self.sample(&came);
        }
        came.left
    }

    /// Looks, every some thousands of instructions, at what is executed: much of that becomes host code.
    ///
    /// Between two samples the fast path may be left and entered often, so that code is met as often as it takes time, whatever
    /// it calls.
    #[inline]
    fn sample(&mut self, came: &Came) {
        let due_in = self.sample_in_instructions.saturating_sub(came.left.executed);
        // Whom the first sample makes compile need not wait for it.
        if due_in >= u64::from(TRACE_INSTRUCTIONS_MAX) && self.execution.hot_instructions > SAMPLE_INSTRUCTIONS {
            self.sample_in_instructions = due_in;
            return;
        }
        self.sample_in_instructions = SAMPLE_INSTRUCTIONS;
        if let Some(operation) = came.ran_out_at {
            self.translations.note_sample(operation, self.execution.hot_instructions);
        }
    }
}

/// How a run ended.
struct Came {
    left: Left,
    /// The jump that would have gone on to the next instruction if it had been linked.
    unlinked: Option<u32>,
    /// The operation at which time ran out, unless host code was executed until there.
    ran_out_at: Option<u32>,
}

/// Runs from the trace at `entry`.
#[inline]
fn run(
    core: &mut Core,
    translations: &mut Translations,
    tables: &Tables,
    backing: &mut [u8],
    entry: u32,
    instructions: u64,
) -> Came {
    let budget = instructions.min(CHUNK_INSTRUCTIONS) as i64 - i64::from(TRACE_INSTRUCTIONS_MAX);
    debug_assert!(budget >= 0);
    core.targets = translations.targets_mut().as_mut_ptr();
    let ops = translations.ops();
    assert!((entry as usize) < ops.len());
    core.ops = ops.as_ptr();
    core.jumps = translations.jumps().as_ptr();
    core.units = translations.units().as_ptr();
    (core.last, core.left_host_code_at) = (core::ptr::null(), core::ptr::null());
    // SAFETY: every operation and link was made by `translations` and `draft`, which end each trace with an operation that
    // leaves or links and keep links inside `ops`; register fields were checked as operations were made; `install` gives each
    // operation of host code its unit, whose exits are operations; the table's entries were checked against the windows that
    // now exist (`FastPath::run`), so they point into `backing`.
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
            let left = Left { executed: (budget - core.budget) as u64, pc: core.target, interpret: false };
            return Came { left, unlinked: None, ran_out_at: None };
        }
    };
    let in_threaded_code = core.exit == Exit::Deadline && core.last != core.left_host_code_at;
    let ran_out_at = in_threaded_code.then(|| ((core.last.addr() - core.ops.addr()) / size_of::<Op>()) as u32);
    let executed = (budget - core.budget + before) as u64;
    Came { left: Left { executed, pc: address, interpret }, unlinked, ran_out_at }
}
