//! The chip as the client wants it, with tasks of a driver beside the client's.

use client::radio::Radio;
use client::{HeapLimits, HeapRecord, Platform};
use esp_hal::peripherals::USB_DEVICE;
use esp32c3::line::{self, Line};
use esp32c3::{chip, heap};

use crate::bell;
use crate::radio::EspRadio;

/// The chip.
pub struct Chip {
    line: Line,
    radio: EspRadio,
}

impl Chip {
    /// Starts to listen on the line. To be called once.
    pub fn start(usb: USB_DEVICE<'static>, radio: EspRadio) -> Self {
        chip::sleep_by(bell::wait);
        line::wake_by(bell::ring_from_interrupt);
        Self { line: Line::start(usb), radio }
    }

    /// Sleeps for long. What arrives meanwhile is forgotten.
    pub fn rest(&mut self) {
        let mut nobody = [0; 64];
        while self.line.read(&mut nobody) > 0 {}
        while self.radio.receive().is_some() {}
        self.radio.watch();
        bell::wait(u64::MAX);
    }
}

impl Platform for Chip {
    fn now_us(&mut self) -> u64 {
        chip::now_us()
    }

    fn line_read(&mut self, into: &mut [u8]) -> usize {
        self.line.read(into)
    }

    fn line_write(&mut self, bytes: &[u8]) {
        self.line.write(bytes);
    }

    fn modem_start(&mut self) {}

    fn modem_read(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn modem_write(&mut self, _: &[u8]) {}

    fn sleep(&mut self, until_us: u64) {
        // What rings after the look is not missed: the bell remembers.
        if line::is_empty() && !self.radio.watch() {
            bell::wait(until_us);
        }
    }

    fn radio(&mut self) -> Option<&mut dyn Radio> {
        Some(&mut self.radio)
    }

    fn random(&mut self, into: &mut [u8]) {
        chip::random(into);
    }

    fn set_calendar(&mut self, unix_s: i64) {
        chip::set_calendar(unix_s);
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
