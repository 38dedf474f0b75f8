//! The chip as the client wants it: clocks, randomness, sleep; the heap and the line are next door.
//!
//! Time is FRC2 (technical reference, chapter "Hardware Timer"): a counter of 32 bits of which five are a microsecond, and an
//! alarm, which is an edge.

use core::cell::Cell;

use client::{HeapLimits, HeapRecord, Platform};
use critical_section::Mutex;

use crate::registers::{EDGE_ENABLE, FRC2_ALARM, FRC2_COUNT, FRC2_CTRL, FRC2_INT, RANDOM, WDT_CTL};
use crate::{core_registers, heap, line};

/// 80 MHz by 16.
const COUNTS_PER_US: u32 = 5;
/// Enabled, divided by 16, its interrupt an edge.
const FRC2_RUNS: u32 = 1 << 7 | 1 << 2;
/// FRC2's bit in DPORT's register of edges.
const FRC2_EDGE: u32 = 1 << 2;
/// The longest sleep that is programmed at once, less than half of the counter's way round. Waking up for nothing does no
/// harm.
const NAP_US_MAX: u64 = 400_000_000;
/// An alarm that is nearer than that may be past before it is set.
const NAP_US_MIN: u64 = 10;

/// Microseconds since reset, and what FRC2 showed when they were counted.
static TIME: Mutex<Cell<(u64, u32)>> = Mutex::new(Cell::new((0, 0)));
/// What the calendar shows minus the time since reset.
static CALENDAR_AHEAD_S: Mutex<Cell<i64>> = Mutex::new(Cell::new(0));

/// Microseconds since reset. To be asked at least once in 14 minutes, which [`sleep`] sees to.
pub fn now_us() -> u64 {
    critical_section::with(|section| {
        let (us, counted_at) = TIME.borrow(section).get();
        let passed_us = FRC2_COUNT.read().wrapping_sub(counted_at) / COUNTS_PER_US;
        let us = us + u64::from(passed_us);
        // What is less than a microsecond counts the next time.
        TIME.borrow(section).set((us, counted_at.wrapping_add(passed_us * COUNTS_PER_US)));
        us
    })
}

/// Milliseconds since reset, for TLS libraries.
pub fn milliseconds() -> i64 {
    (now_us() / 1000) as i64
}

/// The calendar clock, for TLS libraries.
pub fn unix_time_s() -> i64 {
    let ahead_s = critical_section::with(|section| CALENDAR_AHEAD_S.borrow(section).get());
    ahead_s.saturating_add((now_us() / 1_000_000) as i64)
}

/// Sets the calendar clock, in seconds since 1970-01-01T00:00:00Z.
pub fn set_calendar(unix_s: i64) {
    let ahead_s = unix_s.saturating_sub((now_us() / 1_000_000) as i64);
    critical_section::with(|section| CALENDAR_AHEAD_S.borrow(section).set(ahead_s));
}

/// The hardware's random number generator, and nothing else: on the emulated chip it is seeded, so that runs repeat.
pub fn random(into: &mut [u8]) {
    for chunk in into.chunks_mut(4) {
        let word = RANDOM.read().to_le_bytes();
        chunk.iter_mut().zip(word).for_each(|(place, byte)| *place = byte);
    }
}

/// Sleeps until `until_us`, or until something happens on the line if `for_line` still says so with interrupts off.
pub fn sleep(until_us: u64, for_line: impl Fn() -> bool) {
    let nap_us = until_us.saturating_sub(now_us()).min(NAP_US_MAX);
    if nap_us < NAP_US_MIN {
        return;
    }
    critical_section::with(|_| {
        let counts = nap_us as u32 * COUNTS_PER_US;
        FRC2_ALARM.write(FRC2_COUNT.read().wrapping_add(counts));
        if for_line() {
            // SAFETY: the section is the outermost, as handlers do not sleep, and what it protects is not in use here.
            unsafe { core_registers::wait() };
        }
    });
}

/// The alarm: to have been woken up is all that it is for.
pub(crate) fn on_alarm() {
    FRC2_INT.write(0);
}

/// The chip.
pub struct Chip {
    line: line::Line,
}

impl Chip {
    /// Takes what it needs. To be called once.
    pub fn start() -> Self {
        // Off, as the ROM leaves it unless it was on before a reset.
        WDT_CTL.change(|control| control & !1);
        FRC2_CTRL.write(FRC2_RUNS);
        EDGE_ENABLE.change(|edges| edges | FRC2_EDGE);
        critical_section::with(|section| TIME.borrow(section).set((0, FRC2_COUNT.read())));
        let line = line::Line::start();
        core_registers::listen_to(core_registers::UART | core_registers::FRC2);
        // SAFETY: handlers are in place, and no critical section is open.
        unsafe { core_registers::enable_interrupts() };
        Self { line }
    }

    /// Sleeps for long. What arrives meanwhile is forgotten.
    pub fn rest(&mut self) {
        let mut nobody = [0; 64];
        while self.line.read(&mut nobody) > 0 {}
        sleep(now_us() + NAP_US_MAX, line::is_empty);
    }
}

impl Platform for Chip {
    fn now_us(&mut self) -> u64 {
        now_us()
    }

    fn line_read(&mut self, into: &mut [u8]) -> usize {
        self.line.read(into)
    }

    fn line_write(&mut self, bytes: &[u8]) {
        self.line.write(bytes);
    }

    fn sleep(&mut self, until_us: u64) {
        sleep(until_us, line::is_empty);
    }

    // There is no second line: UART1's receive pin is the flash's.

    fn modem_start(&mut self) {}

    fn modem_read(&mut self, _into: &mut [u8]) -> usize {
        0
    }

    fn modem_write(&mut self, _bytes: &[u8]) {}

    fn random(&mut self, into: &mut [u8]) {
        random(into);
    }

    fn set_calendar(&mut self, unix_s: i64) {
        set_calendar(unix_s);
    }

    fn heap_watch(&mut self, limits: HeapLimits) {
        heap::watch(limits);
    }

    fn heap_record(&mut self) -> HeapRecord {
        heap::record()
    }

    fn heap_first_failure_bytes(&mut self) -> Option<u32> {
        heap::take_first_failure_bytes()
    }
}
