//! The hart's state, and running it.

use core::ops::Range;

use crate::cores::fast::{FastPath, TRACE_INSTRUCTIONS_MAX};
use crate::machine::access::AccessKind;
use crate::machine::chip::Tier;
use crate::machine::memory::Memory;
use crate::machine::stops::{Stops, StopsFor};

use super::bus::Bus;
use super::csr::{STATUS_MIE, STATUS_MPP};
use super::pmp::Pmp;
use super::trap::{Cause, Exception, Privilege};
use super::trigger::Triggers;

/// Why [`Hart::run`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The cycle that was asked for has come.
    Deadline,
    /// The hart sleeps in `wfi`, and nothing can wake it before the deadline. The cycle counter stands where it fell
    /// asleep: move it with [`Hart::skip_to`].
    WaitForInterrupt,
    /// The program counter has reached an address of [`Hart::add_hook`]; its instruction has not run.
    Hook {
        /// Where.
        address: u32,
    },
    /// The program counter has reached an address of [`Hart::add_breakpoint`]; its instruction has not run.
    Breakpoint {
        /// Where.
        address: u32,
    },
    /// The instruction before the program counter accessed a range of [`Hart::add_watchpoint`].
    Watchpoint {
        /// The address accessed.
        address: u32,
        /// How.
        kind: AccessKind,
    },
    /// `ebreak` at the program counter, with [`Hart::stop_at_environment_break`] set; it has not run.
    EnvironmentBreak,
    /// A debugger's trigger fired at the program counter; its instruction has not run.
    Trigger,
    /// A trap was entered whose cause [`Hart::stop_at_exceptions`] named. The program counter is at the handler; the
    /// registers are still those of the instruction at `pc`.
    Exception {
        /// Which.
        exception: Exception,
        /// The instruction that raised it.
        pc: u32,
    },
    /// The first instruction of the trap handler itself raised an exception: running on would repeat it for ever.
    DoubleFault {
        /// The second exception.
        exception: Exception,
        /// The handler's address.
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

/// One hart.
pub struct Hart {
    /// The registers too.
    pub(super) fast: FastPath,
    pub(super) pc: u32,
    pub(super) cycle: u64,
    /// Cycles in which no instruction retired.
    pub(super) unretired: u64,
    pub(super) privilege: Privilege,
    pub(super) waiting: bool,

    pub(super) status: u32,
    pub(super) trap_vector: u32,
    pub(super) scratch: u32,
    pub(super) exception_pc: u32,
    pub(super) cause: u32,
    pub(super) trap_value: u32,
    pub(super) pmp: Pmp,
    pub(super) triggers: Triggers,
    pub(super) has_counters: bool,

    /// The interrupt that the bus presented when last asked.
    pub(super) presented: Option<u8>,
    /// When to ask again.
    pub(super) next_event_cycle: u64,
    /// The instruction called the bus: ask for interrupts again.
    pub(super) bus_was_used: bool,

    pub(super) stops: Stops,
    pub(super) watches: Vec<Watch>,
    pub(super) watch_hit: Option<(u32, AccessKind)>,
    /// The exception that the instruction raised is a debugger's trigger, and none.
    pub(super) debug_trigger_fired: bool,
    stop_at_environment_break: bool,
    exceptions_to_stop_at: u32,
}

impl Hart {
    /// A hart out of reset, at `pc`, at cycle zero.
    pub fn new(pc: u32) -> Self {
        let mut hart = Self {
            // Misaligned accesses are carried out.
            fast: FastPath::new(true),
            pc,
            cycle: 0,
            unretired: 0,
            privilege: Privilege::Machine,
            waiting: false,
            status: 0,
            trap_vector: 0,
            scratch: 0,
            exception_pc: 0,
            cause: 0,
            trap_value: 0,
            pmp: Pmp::new(),
            triggers: Triggers::new(),
            has_counters: false,
            presented: None,
            next_event_cycle: 0,
            bus_was_used: false,
            stops: Stops::default(),
            watches: Vec::new(),
            watch_hit: None,
            debug_trigger_fired: false,
            stop_at_environment_break: false,
            exceptions_to_stop_at: 0,
        };
        hart.reset(pc);
        hart
    }

    /// Resets registers and CSRs and begins at `pc`. Time goes on; hooks, breakpoints and watchpoints stay.
    pub fn reset(&mut self, pc: u32) {
        self.fast.registers_mut().fill(0);
        self.pc = pc & !1;
        self.privilege = Privilege::Machine;
        self.waiting = false;
        self.status = STATUS_MPP;
        self.trap_vector = 0;
        self.scratch = 0;
        self.exception_pc = 0;
        self.cause = 0;
        self.trap_value = 0;
        self.pmp = Pmp::new();
        self.triggers = Triggers::new();
        self.permissions_changed();
    }

    /// Gives the hart `mcycle` and `minstret`, which the ESP32-C3 does not have.
    pub fn enable_counters(&mut self) {
        self.has_counters = true;
    }

    /// Register `x0` to `x31`; the number is taken modulo 32.
    pub fn register(&self, number: u8) -> u32 {
        self.fast.registers()[usize::from(number & 31)]
    }

    /// Sets a register; `x0` stays zero.
    pub fn set_register(&mut self, number: u8, value: u32) {
        if number & 31 != 0 {
            self.fast.registers_mut()[usize::from(number & 31)] = value;
        }
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// Moves to another instruction. A sleeping hart wakes.
    pub fn set_pc(&mut self, pc: u32) {
        self.pc = pc & !1;
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

    /// Lets time pass without an instruction: a sleeping hart, a ROM function modelled natively. Never goes back.
    pub fn skip_to(&mut self, cycle: u64) {
        let skipped = cycle.saturating_sub(self.cycle);
        self.cycle += skipped;
        self.unretired += skipped;
    }

    /// The current mode.
    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// Whether the hart sleeps in `wfi`.
    pub fn is_asleep(&self) -> bool {
        self.waiting
    }

    /// Stops runs with [`Stop::Hook`] before the instruction at `address`. To go on from there, set another program
    /// counter, or [`step`](Self::step).
    pub fn add_hook(&mut self, address: u32) {
        self.stops.add_hook(address);
        self.fast.void();
    }

    /// Makes every address of a range a hook, as [`Self::add_hook`] does one: a mask ROM that its owner models.
    pub fn hook_range(&mut self, range: Range<u32>) {
        self.stops.hook_range(range);
        self.fast.void();
    }

    /// Forgets a hook.
    pub fn remove_hook(&mut self, address: u32) {
        self.stops.remove_hook(address);
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

    /// Stops runs with [`Stop::Watchpoint`] after an instruction that accessed any byte of
    /// `address..address + length`.
    pub fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.watches.push(Watch { first: address, last: address.saturating_add(length.max(1) - 1), kind });
        self.fast.tables.clear();
    }

    /// Forgets a watchpoint, given as it was added.
    pub fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        let watch = Watch { first: address, last: address.saturating_add(length.max(1) - 1), kind };
        self.watches.retain(|other| *other != watch);
        self.fast.tables.clear();
    }

    /// Whether `ebreak` stops runs, as it does with a debugger attached, or raises an exception.
    pub fn stop_at_environment_break(&mut self, stop: bool) {
        self.stop_at_environment_break = stop;
    }

    /// Stops runs with [`Stop::Exception`] after the entry into traps of these causes, so that their owner can report
    /// them; the guest handles them when run on.
    pub fn stop_at_exceptions(&mut self, causes: &[Cause]) {
        self.exceptions_to_stop_at = causes.iter().fold(0, |mask, &cause| mask | 1 << cause as u32);
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

    /// How many traces of this hart others in the process had drafted before.
    pub fn shared_trace_count(&self) -> usize {
        self.fast.shared_trace_count()
    }

    /// Runs until `until_cycle` or until something happens. Does nothing if `until_cycle` has passed.
    ///
    /// Hooks and breakpoints stop before their instruction, also if the run begins there.
    pub fn run<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B, until_cycle: u64) -> Stop {
        // Whoever called may have moved a line of the controller.
        self.bus_was_used = true;
        loop {
            if self.cycle >= until_cycle {
                return if self.waiting { Stop::WaitForInterrupt } else { Stop::Deadline };
            }
            if let Some(stop) = self.settle_interrupts(bus, until_cycle) {
                return stop;
            }
            self.fast.settle(memory);
            let room = until_cycle.min(self.next_event_cycle).saturating_sub(self.cycle);
            let mut stops_were_checked = false;
            if room >= u64::from(TRACE_INSTRUCTIONS_MAX)
                && let Some(trace) = self.trace_here(memory)
            {
                let left = self.fast.run(memory, self.pc, trace, room);
                self.pc = left.pc;
                self.cycle += left.executed;
                if !left.interpret {
                    continue;
                }
                stops_were_checked = true;
            }
            if !stops_were_checked && let Some(stop) = self.stops.at(self.pc) {
                let address = self.pc;
                return match stop {
                    StopsFor::Hook => Stop::Hook { address },
                    StopsFor::Breakpoint => Stop::Breakpoint { address },
                };
            }
            if let Some(stop) = self.execute(memory, bus) {
                return stop;
            }
        }
    }

    /// Executes one instruction, or enters the interrupt that is due and executes its first. Hooks and breakpoints do
    /// not stop it. `None` if there is nothing to report.
    pub fn step<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Option<Stop> {
        self.bus_was_used = true;
        if let Some(stop) = self.settle_interrupts(bus, self.cycle + 1) {
            return Some(stop);
        }
        self.execute(memory, bus)
    }

    /// As [`Self::step`], and no interrupt is taken; a sleeping hart wakes.
    pub fn step_uninterrupted<B: Bus>(&mut self, memory: &mut Memory, bus: &mut B) -> Option<Stop> {
        self.bus_was_used = true;
        self.waiting = false;
        self.execute(memory, bus)
    }

    /// Looks at interrupts where they may have changed; enters the one that is due; sleeps if asleep.
    pub(super) fn settle_interrupts(&mut self, bus: &mut dyn Bus, until_cycle: u64) -> Option<Stop> {
        loop {
            if self.bus_was_used || self.cycle >= self.next_event_cycle {
                self.bus_was_used = false;
                self.presented = bus.interrupt(self.cycle);
                self.next_event_cycle = bus.next_event_cycle(self.cycle);
            }
            if let Some(line) = self.presented {
                self.waiting = false;
                if self.privilege == Privilege::User || self.status & STATUS_MIE != 0 {
                    self.enter_trap(1 << 31 | u32::from(line), 0, self.pc);
                    self.pc = self.trap_vector.wrapping_add(4 * u32::from(line));
                }
            }
            if !self.waiting {
                return None;
            }
            if self.next_event_cycle >= until_cycle || self.next_event_cycle <= self.cycle {
                return Some(Stop::WaitForInterrupt);
            }
            self.skip_to(self.next_event_cycle);
        }
    }

    fn execute(&mut self, memory: &mut Memory, bus: &mut dyn Bus) -> Option<Stop> {
        let pc = self.pc;
        let outcome = self.execute_one(memory, bus, self.stop_at_environment_break);
        let stop = match outcome {
            Ok(stop) => {
                if stop == Some(Stop::EnvironmentBreak) {
                    return stop;
                }
                self.cycle += 1;
                stop
            }
            Err(_) if std::mem::take(&mut self.debug_trigger_fired) => return Some(Stop::Trigger),
            Err(exception) => {
                self.cycle += 1;
                self.unretired += 1;
                self.enter_trap(exception.cause as u32, exception.value, pc);
                self.pc = self.trap_vector;
                if pc == self.trap_vector {
                    Some(Stop::DoubleFault { exception, pc })
                } else if self.exceptions_to_stop_at >> exception.cause as u32 & 1 != 0 {
                    Some(Stop::Exception { exception, pc })
                } else {
                    None
                }
            }
        };
        if let Some((address, kind)) = self.watch_hit.take() {
            return Some(stop.unwrap_or(Stop::Watchpoint { address, kind }));
        }
        if stop.is_none() && self.bus_was_used && bus.stop_requested() {
            return Some(Stop::Requested);
        }
        stop
    }

    /// PMP or the mode changed.
    pub(super) fn permissions_changed(&mut self) {
        self.fast.tables.clear();
        self.fast.void();
    }
}
