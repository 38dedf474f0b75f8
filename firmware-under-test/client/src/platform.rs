//! What the client needs of the chip it runs on.

use crate::radio::Radio;

/// What the heap remembers of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapRecord {
    /// The most bytes that it held at once, on top of what it held when the plan started.
    pub peak_bytes: u32,
    /// How often an allocation failed.
    pub failures: u32,
    /// The bytes that it holds now, on top of what it held when the plan started.
    pub held_bytes: u32,
}

/// How a plan makes the heap smaller than it is. It all applies to the TLS library's allocations only: to Rust a
/// refusal is the end of the program, and how the client fares without memory is not what the bench asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapLimits {
    /// The bytes that it may hold in all.
    pub cap_bytes: Option<u32>,
    /// The largest block that it gives, in bytes.
    pub block_max_bytes: Option<u32>,
    /// The allocation that fails, counted from 1 since the plan started.
    pub failing_allocation: Option<u32>,
}

/// The chip, as far as the client cares.
pub trait Platform {
    /// Microseconds since reset.
    fn now_us(&mut self) -> u64;

    /// Takes bytes that have arrived on the serial line, without waiting; returns how many.
    fn line_read(&mut self, into: &mut [u8]) -> usize;

    /// Sends bytes on the serial line. May wait while the line is busy, but not for ever: a line that nobody reads
    /// swallows them.
    fn line_write(&mut self, bytes: &[u8]);

    /// Starts the second serial line, at whose end a modem is: 115 200 baud, 8 data bits, no parity, one stop bit.
    fn modem_start(&mut self);

    /// Takes bytes that have arrived on the second serial line, without waiting; returns how many.
    fn modem_read(&mut self, into: &mut [u8]) -> usize;

    /// Sends bytes on the second serial line. May wait while it is busy.
    fn modem_write(&mut self, bytes: &[u8]);

    /// Waits, asleep, until `until_us` on the clock of [`Platform::now_us`], or until a byte arrives on one of the
    /// serial lines or a frame at the radio. May return early.
    fn sleep(&mut self, until_us: u64);

    /// The radio, if the chip has one whose driver is in this image.
    fn radio(&mut self) -> Option<&mut dyn Radio> {
        None
    }

    /// Fills `into` from the chip's random number generator.
    fn random(&mut self, into: &mut [u8]);

    /// Sets the calendar clock, in seconds since 1970-01-01T00:00:00Z. It runs on from there; until it is set, it
    /// shows the time since reset, as if the chip had been switched on in 1970.
    fn set_calendar(&mut self, unix_s: i64);

    /// A plan starts: from now on the heap keeps to `limits`, and its record starts anew.
    fn heap_watch(&mut self, limits: HeapLimits);

    /// What the heap has seen since [`Platform::heap_watch`].
    fn heap_record(&mut self) -> HeapRecord;

    /// The size of the first allocation that failed since this was last asked.
    fn heap_first_failure_bytes(&mut self) -> Option<u32>;
}
