//! Running the chip, and dealing with what the core stops for.

use clock::Instant;

use super::rom::{self, Machine, Outcome};
use super::{Esp8266, ResetCause, map};
use crate::cores::lx106::{Cause, Exception, Stop};
use crate::devices::esp8266::rtc::Sleep;
use crate::devices::espressif::time::{NEVER, Ticks, ticks_at};
use crate::machine::backtrace::Stands;
use crate::machine::chip::Pause;
use crate::machine::event::{Event, EventKind};

/// What the ROM's reset function takes, at least.
const RESET_CYCLES: u64 = 1_000;

impl Esp8266 {
    /// Runs until `deadline`, or until something happens before it that the owner should see.
    ///
    /// The chip may stand a little past the deadline afterwards: a ROM function is not interrupted. With
    /// [`Instant::FAR_FUTURE`] it runs until something happens.
    pub fn run_until(&mut self, deadline: Instant) -> Pause {
        let deadline = ticks_at(deadline);
        loop {
            if let Some(pause) = self.something_to_tell() {
                return pause;
            }
            if self.halted {
                return Pause::Halted;
            }
            if self.now_ticks() >= deadline {
                return Pause::Deadline;
            }
            if let Some(sleep) = self.soc.devices.rtc.sleep {
                if !self.sleep(sleep, deadline) {
                    return Pause::Asleep;
                }
                continue;
            }
            let limit = deadline.min(self.soc.owner_due());
            self.soc.run_limit = limit;
            let until_cycle = self.soc.clock.cycle(limit).max(self.core.cycle() + 1);
            let stop = self.core.run(&mut self.memory, &mut self.soc, until_cycle);
            if let Some(pause) = self.after(stop, limit, until_cycle) {
                return pause;
            }
        }
    }

    /// Executes one instruction or one ROM function, or sleeps until the next event: for debuggers and traces.
    ///
    /// [`Pause::Deadline`] says that nothing else has happened.
    pub fn step(&mut self) -> Pause {
        if self.halted {
            return Pause::Halted;
        }
        if let Some(sleep) = self.soc.devices.rtc.sleep {
            if !self.sleep(sleep, NEVER) {
                return Pause::Asleep;
            }
            return self.something_to_tell().unwrap_or(Pause::Deadline);
        }
        let stop = if rom::CODE.contains(&self.core.pc()) {
            let until = self.core.cycle() + 1;
            Some(self.core.run(&mut self.memory, &mut self.soc, until))
        } else {
            self.core.step(&mut self.memory, &mut self.soc)
        };
        let until = self.soc.next_event().min(self.soc.owner_due());
        if let Some(stop) = stop {
            let until_cycle = self.soc.clock.cycle(until);
            if let Some(pause) = self.after(stop, until, until_cycle) {
                return pause;
            }
        }
        self.settle_owner_matters();
        self.something_to_tell().unwrap_or(Pause::Deadline)
    }

    /// Sleeps until `deadline` or to the sleep's end: a reset, or that it goes on. `false` if nothing ever ends it.
    fn sleep(&mut self, sleep: Sleep, deadline: Ticks) -> bool {
        let is_woken = !sleep.is_deep && self.soc.pin_wakes();
        let end = if is_woken { self.now_ticks() } else { sleep.until };
        let until = end.min(deadline);
        if until == NEVER {
            return false;
        }
        self.core.skip_to(self.soc.clock.cycle(until).max(self.core.cycle() + 1));
        let now = self.now_ticks();
        if end <= now {
            match sleep.is_deep {
                true => self.restart(ResetCause::DeepSleepIsOver, Stands::Behind),
                false => self.soc.wake(sleep.since, now),
            }
        }
        true
    }

    /// Notes an event at the instruction at `pc`, or at the one before it.
    pub(super) fn tell(&mut self, pc: u32, stands: Stands, kind: EventKind) {
        /// A firmware that faults for ever must not fill its owner's memory.
        const EVENTS_MAX: usize = 1_000;
        if self.events.len() < EVENTS_MAX {
            let backtrace = self.backtrace_at(pc, stands);
            self.events.push(Event { at: self.now(), pc, kind, backtrace });
        }
    }

    /// Notes an event that the instruction before the program counter has caused.
    fn tell_behind(&mut self, kind: EventKind) {
        self.tell(self.core.pc(), Stands::Behind, kind);
    }

    /// Deals with what the core stopped for; `Some` if the owner has to know at once.
    fn after(&mut self, stop: Stop, limit: Ticks, until_cycle: u64) -> Option<Pause> {
        match stop {
            Stop::Deadline | Stop::Requested => {}
            Stop::WaitForInterrupt => {
                if limit == NEVER {
                    return Some(Pause::Asleep);
                }
                self.core.skip_to(until_cycle);
            }
            Stop::Hook { address } => {
                self.hook(address, limit);
                return None;
            }
            Stop::Exception { exception, pc } => self.tell_exception(exception, pc),
            Stop::Breakpoint { .. } | Stop::Break => return Some(Pause::Breakpoint),
            Stop::Watchpoint { address, .. } => return Some(Pause::Watchpoint { address }),
        }
        self.settle_owner_matters();
        None
    }

    /// What the devices have for the owner: touches, output, resets.
    fn settle_owner_matters(&mut self) {
        let now = self.now_ticks();
        self.soc.settle_radio(&mut self.memory, now);
        self.soc.settle(now);
        for touch in std::mem::take(&mut self.soc.touches) {
            let name = map::name_of(touch.address);
            self.tell_behind(EventKind::UnmodelledRegister { address: touch.address, name, written: touch.written });
        }
        for (poll, modelled) in std::mem::take(&mut self.soc.polled) {
            self.tell_behind(EventKind::EndlessPoll {
                address: poll.address,
                name: map::name_of(poll.address),
                modelled: modelled.word().into(),
                reads: poll.reads,
                ends: poll.nothing_else,
            });
            self.halted |= poll.nothing_else;
        }
        let devices = &self.soc.devices;
        let overflowed = [devices.uart0.line.overflowed_bytes, devices.uart1.line.overflowed_bytes];
        for (n, lost) in overflowed.into_iter().enumerate() {
            let bytes = lost - self.told_overflow[n];
            if bytes > 0 {
                self.told_overflow[n] = lost;
                self.tell_behind(EventKind::UartOverflow { uart: n as u8, bytes });
            }
        }
        if let Some(cause) = self.soc.take_requested_reset() {
            self.restart(cause, Stands::Behind);
        }
    }

    fn restart(&mut self, cause: ResetCause, stands: Stands) {
        let is_failure = cause == ResetCause::Watchdog;
        // A ROM function that is called stands at its beginning, and so does one that waits.
        let stands = if rom::CODE.contains(&self.core.pc()) { Stands::Before } else { stands };
        self.tell(self.core.pc(), stands, EventKind::Reset { cause: cause.to_string().into(), is_failure });
        self.start(cause);
    }

    fn something_to_tell(&mut self) -> Option<Pause> {
        if self.events.len() > self.told_events {
            self.told_events = self.events.len();
            return Some(Pause::Event);
        }
        let frames = self.soc.devices.wifi_mac.antenna.output.len();
        if frames > self.told_radio_frames {
            self.told_radio_frames = frames;
            return Some(Pause::RadioFrame);
        }
        for uart in 0..2 {
            let length = self.output_of(uart).len();
            if length > self.told_output[uart] {
                self.told_output[uart] = length;
                return Some(Pause::SerialOutput);
            }
        }
        None
    }

    fn hook(&mut self, address: u32, limit: Ticks) {
        let mut machine = Machine { core: &mut self.core, memory: &mut self.memory, soc: &mut self.soc };
        match rom::call(&mut machine) {
            Outcome::Return { cycles } => {
                self.core.skip_to(self.core.cycle() + cycles);
                let return_address = self.core.register(0);
                self.core.set_pc(return_address);
            }
            Outcome::Continue { address, cycles } => {
                self.core.skip_to(self.core.cycle() + cycles);
                self.core.set_pc(address);
            }
            Outcome::Sleep { then } => {
                self.core.set_pc(then);
                self.core.wait_for_interrupt();
            }
            Outcome::WaitUntil(until) => {
                let until = until.min(self.soc.next_event()).min(limit);
                let cycle = self.soc.clock.cycle(until).max(self.core.cycle() + 1);
                self.core.skip_to(cycle);
            }
            Outcome::Reset(cause) => {
                // An image may begin with the ROM's reset: time has to pass.
                self.core.skip_to(self.core.cycle() + RESET_CYCLES);
                self.restart(cause, Stands::Before);
            }
            Outcome::Halt => self.halted = true,
            Outcome::Fault { address, store } => {
                let cause = if store { Cause::StoreProhibited } else { Cause::LoadProhibited };
                self.tell_exception(Exception { cause, address }, self.core.pc());
                self.core.raise(cause, address);
            }
            Outcome::Unmodelled => {
                let name = rom::name_of(address).unwrap_or("?").into();
                self.tell(address, Stands::Before, EventKind::UnmodelledRomFunction { address, name });
                self.halted = true;
            }
        }
        if self.now_ticks() >= self.soc.next_event().min(self.soc.owner_due()) || self.soc.wants_to_stop() {
            self.settle_owner_matters();
        }
    }

    fn tell_exception(&mut self, exception: Exception, pc: u32) {
        /// Firmware that lives by its exceptions is told of a few times for each place, not for each exception.
        const PRINTED_MAX: u32 = 8;
        let told = self.told_exceptions.entry((pc, exception.cause as u8)).or_default();
        *told += 1;
        if *told <= PRINTED_MAX {
            self.tell(pc, Stands::Before, EventKind::Exception(exception.into()));
        }
    }
}
