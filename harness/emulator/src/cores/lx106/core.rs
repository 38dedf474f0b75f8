//! The core's state, and running it.

use core::ops::Range;

use crate::cores::fast::{FastPath, TRACE_INSTRUCTIONS_MAX};
use crate::machine::access::AccessKind;
use crate::machine::chip::Tier;
use crate::machine::memory::Memory;
use crate::machine::stops::{Stops, StopsFor};

use super::bus::Bus;
use super::decode::Decoder;
use super::exception::{Cause, Exception};
use super::front_end::{SAR, a};
use super::pages::Pages;
use super::special::{DebugRegisters, PS_EXCM, PS_INTLEVEL};

/// Why [`Lx106::run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The cycle that was asked for has come.
    Deadline,
    /// The core sleeps in `waiti`, and nothing can wake it before the deadline. The cycle counter stands where it fell
    /// asleep: move it with [`Lx106::skip_to`].
    WaitForInterrupt,
    /// The program counter has reached an address of [`Lx106::add_hook`]; its instruction has not run.
    Hook {
        /// Where.
        address: u32,
    },
    /// The program counter has reached an address of [`Lx106::add_breakpoint`]; its instruction has not run.
    Breakpoint {
        /// Where.
        address: u32,
    },
    /// The instruction before the program counter accessed a range of [`Lx106::add_watchpoint`].
    Watchpoint {
        /// The address accessed.
        address: u32,
        /// How.
        kind: AccessKind,
    },
    /// `break` at the program counter, with [`Lx106::stop_at_break`] set; it has not run.
    Break,
    /// A handler was entered for a cause that [`Lx106::stop_at_exceptions`] named. The program counter is at the vector;
    /// the registers are still those of the instruction at `pc`.
    Exception {
        /// Which.
        exception: Exception,
        /// The instruction that raised it.
        pc: u32,
    },
    /// [`Bus::stop_requested`] said so.
    Requested,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) kind: AccessKind,
}

/// One core.
pub struct Lx106 {
    /// The registers `a0` to `a15`, and SAR, too.
    pub(super) fast: FastPath,
    pub(super) pc: u32,
    pub(super) cycle: u64,
    /// Cycles in which no instruction retired.
    pub(super) unretired: u64,
    pub(super) waiting: bool,

    pub(super) ps: u32,
    pub(super) litbase: u32,
    pub(super) vecbase: u32,
    pub(super) epc: [u32; 3],
    pub(super) eps: [u32; 2],
    pub(super) excsave: [u32; 3],
    pub(super) depc: u32,
    pub(super) exccause: u32,
    pub(super) excvaddr: u32,
    pub(super) debugcause: u32,
    pub(super) debug: DebugRegisters,

    /// INTERRUPT and INTENABLE.
    pub(super) pending: u32,
    pub(super) enabled: u32,
    pub(super) ccompare: u32,
    pub(super) ccount_offset: u32,
    /// The cycle at which CCOUNT reaches CCOMPARE0.
    pub(super) timer_due: u64,
    /// When to ask the bus again.
    pub(super) next_event_cycle: u64,
    /// Something has happened after which interrupts have to be looked at.
    pub(super) attention: bool,
    /// The instruction has called the bus.
    pub(super) bus_was_used: bool,

    pub(super) stops: Stops,
    pub(super) watches: Vec<Watch>,
    pub(super) watch_hit: Option<(u32, AccessKind)>,
    pub(super) stop_at_break: bool,
    exceptions_to_stop_at: u64,

    pub(super) pages: Pages,
    pub(super) decoder: Decoder,
}

impl Lx106 {
    /// A core out of reset, at `pc`, at cycle zero.
    pub fn new(pc: u32) -> Self {
        let mut core = Self {
            // Misaligned accesses are exceptions.
            fast: FastPath::new(false),
            pc,
            cycle: 0,
            unretired: 0,
            waiting: false,
            ps: 0,
            litbase: 0,
            vecbase: 0,
            epc: [0; 3],
            eps: [0; 2],
            excsave: [0; 3],
            depc: 0,
            exccause: 0,
            excvaddr: 0,
            debugcause: 0,
            debug: DebugRegisters::default(),
            pending: 0,
            enabled: 0,
            ccompare: 0,
            ccount_offset: 0,
            timer_due: 1 << 32,
            next_event_cycle: 0,
            attention: true,
            bus_was_used: false,
            stops: Stops::default(),
            watches: Vec::new(),
            watch_hit: None,
            stop_at_break: false,
            exceptions_to_stop_at: 0,
            pages: Pages::new(),
            decoder: Decoder::new(),
        };
        core.reset(pc, 0);
        core
    }

    /// Resets what a reset of the core resets, and begins at `pc`, with vectors from `vecbase` on. Time goes on; hooks,
    /// breakpoints and watchpoints stay.
    pub fn reset(&mut self, pc: u32, vecbase: u32) {
        self.fast.registers_mut().fill(0);
        self.fast.void();
        self.pc = pc;
        self.waiting = false;
        self.ps = PS_EXCM | PS_INTLEVEL;
        (self.litbase, self.vecbase) = (0, vecbase);
        (self.epc, self.eps, self.excsave, self.depc) = ([0; 3], [0; 2], [0; 3], 0);
        (self.exccause, self.excvaddr, self.debugcause) = (0, 0, 0);
        self.debug = DebugRegisters::default();
        (self.pending, self.enabled) = (0, 0);
        self.ccompare = 0;
        self.set_ccount(0);
        self.attention = true;
    }

    /// Register `a0` to `a15`; the number is taken modulo 16.
    pub fn register(&self, number: u8) -> u32 {
        self.fast.registers()[usize::from(a(number))]
    }

    /// Sets a register.
    pub fn set_register(&mut self, number: u8, value: u32) {
        self.fast.registers_mut()[usize::from(a(number))] = value;
    }

    pub(super) fn sar(&self) -> u32 {
        self.fast.registers()[usize::from(SAR)]
    }

    pub(super) fn set_sar(&mut self, value: u32) {
        self.fast.registers_mut()[usize::from(SAR)] = value;
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// Moves to another instruction. A sleeping core wakes.
    pub fn set_pc(&mut self, pc: u32) {
        self.pc = pc;
        self.waiting = false;
    }

    /// Cycles since power-on, sleep included.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Instructions retired since power-on.
    pub fn instructions_retired(&self) -> u64 {
        self.cycle - self.unretired
    }

    /// Lets time pass without an instruction: a sleeping core, a ROM function modelled natively. Never goes back.
    pub fn skip_to(&mut self, cycle: u64) {
        let skipped = cycle.saturating_sub(self.cycle);
        self.cycle += skipped;
        self.unretired += skipped;
    }

    /// Whether the core sleeps in `waiti`.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Falls asleep at the program counter with interrupts of all levels enabled, as `waiti 0` does.
    pub fn wait_for_interrupt(&mut self) {
        self.ps &= !(PS_INTLEVEL | PS_EXCM);
        self.waiting = true;
        self.attention = true;
    }

    /// Stops runs with [`Stop::Hook`] before the instruction at `address`. To go on from there, set another program
    /// counter, or [`step`](Self::step).
    pub fn add_hook(&mut self, address: u32) {
        self.stops.add_hook(address);
        self.fast.void();
    }

    /// Makes every address of a range a hook: a mask ROM that its owner models.
    pub fn hook_range(&mut self, range: Range<u32>) {
        self.stops.hook_range(range);
        self.fast.void();
    }

    /// Stops runs with [`Stop::Breakpoint`] before the instruction at `address`. To go on from there,
    /// [`step`](Self::step) first.
    pub fn add_breakpoint(&mut self, address: u32) {
        self.stops.add_breakpoint(address);
        self.fast.void();
    }

    /// Forgets a breakpoint.
    pub fn remove_breakpoint(&mut self, address: u32) {
        self.stops.remove_breakpoint(address);
        self.fast.void();
    }

    /// Stops runs with [`Stop::Watchpoint`] after an instruction that accessed any byte of `address..address + length`.
    pub fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.watches.push(watch(address, length, kind));
        self.fast.void();
    }

    /// Forgets a watchpoint, given as it was added.
    pub fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        let gone = watch(address, length, kind);
        self.watches.retain(|other| *other != gone);
        self.fast.void();
    }

    /// Who executes instructions. The results are the same, whoever does: for tests, and to find out who is to blame.
    pub fn execute_by(&mut self, tier: Tier) {
        self.fast.execute_by(tier);
    }

    /// Compiles what was met with so many instructions, instead of what is worth it: for tests.
    pub fn compile_after(&mut self, instructions: u64) {
        self.fast.compile_after(instructions);
    }

    /// How many traces are host code now.
    pub fn host_code_count(&self) -> usize {
        self.fast.host_code_count()
    }

    /// How many traces of this core others in the process had drafted before.
    pub fn shared_trace_count(&self) -> usize {
        self.fast.shared_trace_count()
    }

    /// Whether `break` stops runs, as it does with a debugger attached, or raises a debug exception.
    pub fn stop_at_break(&mut self, stop: bool) {
        self.stop_at_break = stop;
    }

    /// Stops runs with [`Stop::Exception`] after the entry into handlers for these causes, so that their owner can report
    /// them; the guest handles them when run on.
    pub fn stop_at_exceptions(&mut self, causes: &[Cause]) {
        self.exceptions_to_stop_at = causes.iter().fold(0, |mask, &cause| mask | 1 << cause as u32);
    }

    /// Runs until `until_cycle` or until something happens. Does nothing if `until_cycle` has passed.
    ///
    /// Hooks and breakpoints stop before their instruction, also if the run begins there.
    pub fn run<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, until_cycle: u64) -> Stop {
        // Whoever called may have moved a line.
        self.attention = true;
        loop {
            if self.cycle >= until_cycle {
                return if self.waiting { Stop::WaitForInterrupt } else { Stop::Deadline };
            }
            if let Some(stop) = self.settle_interrupts(bus, until_cycle) {
                return stop;
            }
            let end = until_cycle.min(self.next_event_cycle).min(self.timer_due).max(self.cycle + 1);
            if self.fast.tier() != Tier::Interpreter {
                self.fast.settle(memory);
                if end - self.cycle >= u64::from(TRACE_INSTRUCTIONS_MAX)
                    && let Some(trace) = self.trace_here(memory)
                {
                    let left = self.fast.run(memory, self.pc, trace, end - self.cycle);
                    self.pc = left.pc;
                    self.cycle += left.executed;
                    if left.interpret
                        && let Some(stop) = self.execute(memory, bus)
                    {
                        return stop;
                    }
                    continue;
                }
            }
            while self.cycle < end {
                if let Some(stop) = self.stops.at(self.pc) {
                    let address = self.pc;
                    return match stop {
                        StopsFor::Hook => Stop::Hook { address },
                        StopsFor::Breakpoint => Stop::Breakpoint { address },
                    };
                }
                if let Some(stop) = self.execute(memory, bus) {
                    return stop;
                }
                if self.attention {
                    break;
                }
            }
        }
    }

    /// Executes one instruction, or enters the interrupt that is due and executes its first. Hooks and breakpoints do not
    /// stop it. `None` if there is nothing to report.
    pub fn step<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Option<Stop> {
        self.attention = true;
        if let Some(stop) = self.settle_interrupts(bus, self.cycle + 1) {
            return Some(stop);
        }
        self.execute(memory, bus)
    }

    #[inline]
    fn execute(&mut self, memory: &mut Memory, bus: &mut dyn Bus) -> Option<Stop> {
        let pc = self.pc;
        let stop = match self.execute_one(memory, bus) {
            Ok(None) => {
                self.cycle += 1;
                None
            }
            // It has not run.
            Ok(stop) => return stop,
            Err(exception) => {
                self.cycle += 1;
                self.unretired += 1;
                self.enter_exception(exception);
                let is_told = self.exceptions_to_stop_at >> exception.cause as u32 & 1 != 0;
                is_told.then_some(Stop::Exception { exception, pc })
            }
        };
        if !self.watches.is_empty()
            && let Some((address, kind)) = self.watch_hit.take()
        {
            return Some(stop.unwrap_or(Stop::Watchpoint { address, kind }));
        }
        if self.bus_was_used {
            self.bus_was_used = false;
            self.attention = true;
            if stop.is_none() && bus.stop_requested() {
                return Some(Stop::Requested);
            }
        }
        stop
    }
}

fn watch(address: u32, length: u32, kind: AccessKind) -> Watch {
    Watch { first: address, last: address.saturating_add(length.max(1) - 1), kind }
}
