//! The chip as the client wants it: clocks, randomness, sleep; the heap and the line are next door.

use core::cell::{Cell, RefCell};

use client::{HeapLimits, HeapRecord, Platform};
use critical_section::Mutex;
use esp_hal::Blocking;
use esp_hal::peripherals::{SYSTIMER, USB_DEVICE};
use esp_hal::rng::Rng;
use esp_hal::time::{Duration, Instant};
use esp_hal::timer::OneShotTimer;
use esp_hal::timer::systimer::SystemTimer;

use crate::{heap, line, modem_line};

/// The longest sleep that is programmed at once. Waking up for nothing does no harm.
const NAP_US_MAX: u64 = 3_600_000_000;

/// What the calendar shows minus the time since reset.
static CALENDAR_AHEAD_S: Mutex<Cell<i64>> = Mutex::new(Cell::new(0));
/// How to sleep where there are tasks beside the client's.
static SLEEP: Mutex<Cell<Option<fn(u64)>>> = Mutex::new(Cell::new(None));
static ALARM: Mutex<RefCell<Option<OneShotTimer<'static, Blocking>>>> = Mutex::new(RefCell::new(None));

/// Microseconds since reset.
pub fn now_us() -> u64 {
    Instant::now().duration_since_epoch().as_micros()
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
    Rng::new().read(into);
}

/// Sleeps until `until_us`, or until something happens on the line if `for_line` still says so with interrupts off.
pub fn sleep(until_us: u64, for_line: impl Fn() -> bool) {
    if let Some(sleep) = critical_section::with(|section| SLEEP.borrow(section).get()) {
        return sleep(until_us);
    }
    let nap_us = until_us.saturating_sub(now_us()).min(NAP_US_MAX);
    if nap_us == 0 {
        return;
    }
    critical_section::with(|section| {
        let mut alarm = ALARM.borrow_ref_mut(section);
        let Some(alarm) = alarm.as_mut() else { return };
        // A time that cannot be programmed is no sleep, and the caller looks again.
        if alarm.schedule(Duration::from_micros(nap_us)).is_ok() && for_line() {
            // With interrupts off, a pending one still ends the wait (RISC-V privileged architecture, WFI), and none
            // can be served between the question and the wait.
            riscv_wait();
        }
        alarm.stop();
        alarm.clear_interrupt();
    });
}

/// From now on [`sleep`] is this function, until the time that it is given at most: of an image with a scheduler.
pub fn sleep_by(sleep: fn(u64)) {
    critical_section::with(|section| SLEEP.borrow(section).set(Some(sleep)));
}

/// Waits for an interrupt.
pub fn riscv_wait() {
    // SAFETY: changes no register and no memory.
    unsafe { core::arch::asm!("wfi", options(nomem, nostack)) }
}

#[esp_hal::handler]
fn on_alarm() {
    critical_section::with(|section| {
        if let Some(alarm) = ALARM.borrow_ref_mut(section).as_mut() {
            alarm.clear_interrupt();
        }
    });
}

/// The chip.
pub struct Chip {
    line: line::Line,
    modem: Option<modem_line::ModemLine>,
}

impl Chip {
    /// Takes what it needs. To be called once.
    pub fn start(timer: SYSTIMER<'static>, usb: USB_DEVICE<'static>) -> Self {
        let mut alarm = OneShotTimer::new(SystemTimer::new(timer).alarm0);
        alarm.set_interrupt_handler(on_alarm);
        alarm.listen();
        critical_section::with(|section| ALARM.borrow_ref_mut(section).replace(alarm));
        let line = line::Line::start(usb);
        // esp-hal leaves the global switch as the boot loader left it, and a chip without one leaves it off.
        // SAFETY: handlers are in place, and no critical section is open.
        unsafe { core::arch::asm!("csrsi mstatus, 8", options(nomem, nostack)) };
        Self { line, modem: None }
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
        sleep(until_us, || line::is_empty() && modem_line::is_empty());
    }

    fn modem_start(&mut self) {
        if self.modem.is_none() {
            self.modem = modem_line::ModemLine::start();
        }
    }

    fn modem_read(&mut self, into: &mut [u8]) -> usize {
        self.modem.as_mut().map_or(0, |modem| modem.read(into))
    }

    fn modem_write(&mut self, bytes: &[u8]) {
        if let Some(modem) = &mut self.modem {
            modem.write(bytes);
        }
    }

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
