//! Running the chip, and dealing with what the hart stops for.

use clock::Instant;

use crate::cores::riscv::{Cause, Exception, Stop};

use super::loading::RESET_VECTOR;
use super::map::DeviceName;
use super::rom::{Machine, Outcome};
use super::{DRAM, Esp32c3, EventKind, Pause, SRAM1, SerialPort, map, rom};
use crate::devices::espressif::reset::ResetCause;
use crate::devices::espressif::rtc;
use crate::devices::espressif::time::{NEVER, TICKS_HZ, Ticks, ticks_at};
use crate::machine::backtrace::Stands;
use crate::machine::event::Event;

/// How often a probe looks at RTT.
const RTT_INTERVAL: Ticks = TICKS_HZ / 1_000;

impl Esp32c3 {
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
            let limit = deadline.min(self.soc.owner_due()).min(self.rtt_due());
            if self.debugging.halted {
                if limit == NEVER {
                    return Pause::Asleep;
                }
                self.pass_time(limit);
                continue;
            }
            self.soc.run_limit = limit;
            let until_cycle = self.soc.clock.cycle(limit).max(self.hart.cycle() + 1);
            if let Some(pause) = self.run_hart(limit, until_cycle) {
                return pause;
            }
        }
    }

    /// Runs the hart, and on through functions of the ROM as long as those reach nothing but registers and memory: a handshake
    /// calls them a hundred thousand times, and nobody has to know.
    fn run_hart(&mut self, limit: Ticks, until_cycle: u64) -> Option<Pause> {
        loop {
            match self.hart.run(&mut self.memory, &mut self.soc, until_cycle) {
                Stop::Hook { address } => {
                    if !self.hook(address, limit) || self.hart.cycle() >= until_cycle {
                        return None;
                    }
                }
                stop => return self.after(stop, limit, until_cycle),
            }
        }
    }

    /// When RTT is looked at next.
    fn rtt_due(&self) -> Ticks {
        if self.rtt.is_used() { self.rtt_due } else { NEVER }
    }

    /// Looks at RTT at each whole millisecond, however the run is cut.
    fn listen_to_rtt(&mut self, now: Ticks) {
        if self.rtt_due() <= now {
            self.rtt.poll(&mut self.memory);
            self.rtt_due = (now / RTT_INTERVAL + 1) * RTT_INTERVAL;
        }
    }

    /// Time passes without the hart.
    fn pass_time(&mut self, until: Ticks) {
        let cycle = self.soc.clock.cycle(until).max(self.hart.cycle() + 1);
        self.hart.skip_to(cycle);
        self.settle_owner_matters();
    }

    /// Executes one instruction or one ROM function, or sleeps until the next event: for debuggers and traces.
    ///
    /// [`Pause::Deadline`] says that nothing else has happened.
    pub fn step(&mut self) -> Pause {
        if self.halted {
            return Pause::Halted;
        }
        let pc = self.hart.pc();
        let is_rom = self.rom_is_modelled && rom::CODE.contains(&pc);
        let stop = if is_rom {
            let until = self.hart.cycle() + 1;
            Some(self.hart.run(&mut self.memory, &mut self.soc, until))
        } else {
            self.hart.step(&mut self.memory, &mut self.soc)
        };
        let until = self.soc.next_event();
        if let Some(stop) = stop {
            let until_cycle = self.soc.clock.cycle(until);
            if let Some(pause) = self.after(stop, until, until_cycle) {
                return pause;
            }
        }
        self.settle_owner_matters();
        self.something_to_tell().unwrap_or(Pause::Deadline)
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
        self.tell(self.hart.pc(), Stands::Behind, kind);
    }

    /// Deals with what the hart stopped for; `Some` if the owner has to know at once.
    pub(super) fn after(&mut self, stop: Stop, limit: Ticks, until_cycle: u64) -> Option<Pause> {
        if self.debugger_takes(stop) {
            return None;
        }
        match stop {
            Stop::Deadline | Stop::Requested => {}
            Stop::WaitForInterrupt => {
                if limit == NEVER {
                    return Some(Pause::Asleep);
                }
                self.hart.skip_to(until_cycle);
            }
            Stop::Hook { address } => {
                self.hook(address, limit);
                return None;
            }
            Stop::Exception { exception, pc } => self.tell_exception(exception, pc),
            Stop::DoubleFault { exception, pc } => {
                self.tell(pc, Stands::Before, EventKind::DoubleFault(exception.into()));
                self.halted = true;
            }
            Stop::Breakpoint { .. } | Stop::EnvironmentBreak | Stop::Trigger => return Some(Pause::Breakpoint),
            Stop::Watchpoint { address, .. } => return Some(Pause::Watchpoint { address }),
        }
        self.settle_owner_matters();
        None
    }

    /// What the devices have for the owner: touches, output, resets.
    pub(super) fn settle_owner_matters(&mut self) {
        let now = self.now_ticks();
        self.soc.settle_radio(&mut self.memory, now);
        self.soc.settle(now);
        self.listen_to_rtt(now);
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
        let not_enforced: Vec<&str> = self.soc.devices.efuse.take_not_enforced().collect();
        for what in not_enforced {
            self.tell_behind(EventKind::NotEnforced { what: what.into() });
        }
        for (n, lost) in [self.soc.devices.uart0.line.overflowed_bytes, self.soc.devices.uart1.line.overflowed_bytes]
            .into_iter()
            .enumerate()
        {
            let bytes = lost - self.told_overflow[n];
            if bytes > 0 {
                self.told_overflow[n] = lost;
                self.tell_behind(EventKind::UartOverflow { uart: n as u8, bytes });
            }
        }
        if let Some(cause) = self.soc.take_requested_reset() {
            self.tell_reset(cause);
            self.start(cause);
        }
    }

    /// Notes a reset. Firmware of ESP-IDF resets itself when it has panicked, and notes why.
    fn tell_reset(&mut self, cause: ResetCause) {
        let by_watchdog = cause.is_watchdog();
        let noted = match cause {
            ResetCause::SoftwareCpu | ResetCause::SoftwareSystem => {
                let noted = rtc::noted_failure(self.soc.registers(DeviceName::Rtc));
                let warned = || self.soc.interrupt_watchdog_panicked(self.now_ticks());
                noted
                    .map(|why| format!("{why}, as ESP-IDF has noted"))
                    .or_else(|| warned().then(|| "the interrupt of timer group 1's watchdog".to_owned()))
            }
            _ => None,
        };
        let cause = match &noted {
            Some(why) => format!("{cause}, after {why}"),
            None => cause.to_string(),
        };
        let is_failure = noted.is_some() || by_watchdog;
        self.tell_behind(EventKind::Reset { cause: cause.into(), is_failure });
    }

    fn something_to_tell(&mut self) -> Option<Pause> {
        if self.events.len() > self.told_events {
            self.told_events = self.events.len();
            return Some(Pause::Event);
        }
        if self.soc.devices.wifi_mac.antenna.output.len() > self.told_radio_frames {
            self.told_radio_frames = self.soc.devices.wifi_mac.antenna.output.len();
            return Some(Pause::RadioFrame);
        }
        if self.rtt.has_news() {
            return Some(Pause::SerialOutput);
        }
        for port in [SerialPort::UsbSerialJtag, SerialPort::Uart0, SerialPort::Uart1] {
            let length = self.output_of(port).len();
            if length > self.told_output[port as usize] {
                self.told_output[port as usize] = length;
                return Some(Pause::SerialOutput);
            }
        }
        None
    }

    /// Does what is to be done at a hook; whether that was all, and devices had no part in it.
    fn hook(&mut self, address: u32, limit: Ticks) -> bool {
        if address == RESET_VECTOR {
            self.boot();
            return false;
        }
        if self.panic_entries.contains(&address) {
            let location = self.panic_location();
            self.tell(address, Stands::Before, EventKind::Panic { location });
            // The handler itself runs as it would.
            let stop = self.hart.step(&mut self.memory, &mut self.soc);
            if let Some(stop) = stop.filter(|stop| !matches!(stop, Stop::Hook { .. })) {
                let until_cycle = self.hart.cycle();
                let _ = self.after(stop, limit, until_cycle);
            }
            return false;
        }
        let mut machine = Machine::new(&mut self.hart, &mut self.memory, &mut self.soc);
        let outcome = rom::call(&mut machine);
        let is_apart = machine.is_apart && matches!(outcome, Outcome::Return { .. });
        match outcome {
            Outcome::Return { cycles } => {
                let until = self.hart.cycle() + cycles;
                self.hart.skip_to(until);
                let return_address = self.hart.register(1);
                self.hart.set_pc(return_address);
            }
            Outcome::Continue { address, cycles } => {
                let until = self.hart.cycle() + cycles;
                self.hart.skip_to(until);
                self.hart.set_pc(address);
            }
            Outcome::WaitUntil(until) => {
                let until = until.min(self.soc.next_event()).min(limit);
                let cycle = self.soc.clock.cycle(until).max(self.hart.cycle() + 1);
                self.hart.skip_to(cycle);
            }
            Outcome::Fault { address, store } => {
                let cause = if store { Cause::StoreAccessFault } else { Cause::LoadAccessFault };
                let pc = self.hart.pc();
                self.tell_exception(Exception { cause, value: address }, pc);
                self.hart.raise(cause, address);
            }
            Outcome::Unmodelled => {
                let name = rom::functions().get(&address).copied().unwrap_or("?").into();
                // The caller is more telling than the entry: it is in `ra`.
                self.tell(address, Stands::Before, EventKind::UnmodelledRomFunction { address, name });
                self.halted = true;
            }
        }
        if self.now_ticks() >= self.soc.next_event() || self.soc.wants_to_stop() {
            self.settle_owner_matters();
            return false;
        }
        is_apart
    }

    fn tell_exception(&mut self, exception: Exception, pc: u32) {
        /// Firmware that lives by its exceptions is told of a few times for each place, not for each exception.
        const PRINTED_MAX: u32 = 8;
        let Exception { cause, value } = exception;
        let told = self.told_exceptions.entry((pc, cause as u8)).or_default();
        *told += 1;
        if *told > PRINTED_MAX {
            return;
        }
        let kind = match cause {
            // A breakpoint with an address is a debug trigger: esp-hal sets one below the stack.
            Cause::Breakpoint if value != 0 && value != pc && (DRAM..DRAM + SRAM1).contains(&value) => {
                EventKind::StackOverflow { address: value }
            }
            _ => EventKind::Exception(exception.into()),
        };
        self.tell(pc, Stands::Before, kind);
    }

    /// The argument of the panic handler is a `&PanicInfo`, in which a `&Location` lies: a file name as pointer and
    /// length, line and column. Rust does not fix the layout, so it is looked for.
    fn panic_location(&self) -> Option<String> {
        let info = self.hart.register(10);
        (0..6).find_map(|n| {
            let location = self.memory.read_word(info.wrapping_add(4 * n)).ok()?;
            let words: [u32; 4] =
                [0, 1, 2, 3].map(|n| self.memory.read_word(location.wrapping_add(4 * n)).unwrap_or(0));
            let [name, length, line, column] = words;
            if !(1..512).contains(&length) || line == 0 || line > 1_000_000 || column == 0 || column > 10_000 {
                return None;
            }
            let mut bytes = vec![0; length as usize];
            self.memory.read_slice(name, &mut bytes).ok()?;
            let name = String::from_utf8(bytes).ok().map(|name| name.trim_end_matches('\0').to_string())?;
            name.ends_with(".rs").then(|| format!("{name}:{line}:{column}"))
        })
    }
}
