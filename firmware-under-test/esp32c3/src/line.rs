//! The serial line: the USB-Serial-JTAG unit (ESP32-C3 technical reference manual, chapter "USB Serial/JTAG
//! Controller").
//!
//! Received packets are moved into a ring by interrupt, so that the host is not kept waiting while the CPU computes.
//! When the ring is full they stay in the unit, which makes the host wait: nothing is lost either way.

use core::cell::{Cell, RefCell};

use critical_section::{CriticalSection, Mutex};
use esp_hal::Blocking;
use esp_hal::peripherals::USB_DEVICE;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;

use crate::chip;
use crate::ring::Ring;

/// A few IP packets.
const RING_BYTES: usize = 8 * 1024;
/// The unit's sending FIFO, in bytes.
const PACKET_BYTES: usize = 64;
/// A host that is there polls every millisecond.
const HOST_IS_GONE_US: u64 = 50_000;
/// How long to sleep at most while the sending FIFO is full.
const LOOK_AGAIN_US: u64 = 1_000;

static RING: Mutex<RefCell<Ring<RING_BYTES>>> = Mutex::new(RefCell::new(Ring::new()));

/// Who else wants to know of an interrupt of the line.
static WAKE: Mutex<Cell<Option<fn()>>> = Mutex::new(Cell::new(None));

/// From now on this function is called from the line's interrupt handler: when something has arrived, or there is room
/// again for what is to be sent.
pub fn wake_by(wake: fn()) {
    critical_section::with(|section| WAKE.borrow(section).set(Some(wake)));
}

/// Whether nothing has arrived.
pub fn is_empty() -> bool {
    critical_section::with(|section| RING.borrow_ref(section).is_empty())
}

/// Moves what the unit has received into the ring, as far as there is room.
fn receive(section: CriticalSection<'_>) {
    let mut ring = RING.borrow_ref_mut(section);
    let unit = USB_DEVICE::regs();
    while ring.has_room() && unit.ep1_conf().read().serial_out_ep_data_avail().bit_is_set() {
        ring.put(unit.ep1().read().rdwr_byte().bits());
    }
}

#[esp_hal::handler]
fn on_usb() {
    let unit = USB_DEVICE::regs();
    // Cleared before the FIFO is read: what arrives after the last look sets it again.
    unit.int_clr().write(|w| {
        w.serial_out_recv_pkt().clear_bit_by_one();
        w.serial_in_empty().clear_bit_by_one()
    });
    // Woken up for sending: enough.
    unit.int_ena().modify(|_, w| w.serial_in_empty().clear_bit());
    critical_section::with(|section| {
        receive(section);
        if let Some(wake) = WAKE.borrow(section).get() {
            wake();
        }
    });
}

/// The line.
pub struct Line {
    _unit: UsbSerialJtag<'static, Blocking>,
    is_host_gone: bool,
}

impl Line {
    /// Starts to listen. To be called once.
    pub fn start(unit: USB_DEVICE<'static>) -> Self {
        let mut unit = UsbSerialJtag::new(unit);
        unit.set_interrupt_handler(on_usb);
        unit.listen_rx_packet_recv_interrupt();
        Self { _unit: unit, is_host_gone: false }
    }

    /// Takes what has arrived.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        critical_section::with(|section| {
            let mut count = 0;
            {
                let mut ring = RING.borrow_ref_mut(section);
                for place in into.iter_mut() {
                    let Some(byte) = ring.take() else { break };
                    *place = byte;
                    count += 1;
                }
            }
            // What had no room before.
            receive(section);
            count
        })
    }

    /// Sends, and waits for room in the FIFO while the host takes bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        for packet in bytes.chunks(PACKET_BYTES) {
            let patience_us = if self.is_host_gone { 0 } else { HOST_IS_GONE_US };
            self.is_host_gone = !wait_for_room(patience_us);
            if self.is_host_gone {
                return;
            }
            send(packet);
        }
    }
}

fn has_room() -> bool {
    USB_DEVICE::regs().ep1_conf().read().serial_in_ep_data_free().bit_is_set()
}

fn send(packet: &[u8]) {
    let unit = USB_DEVICE::regs();
    for byte in packet {
        // SAFETY: every value of the field is meant.
        unit.ep1().write(|w| unsafe { w.rdwr_byte().bits(*byte) });
    }
    unit.ep1_conf().modify(|_, w| w.wr_done().set_bit());
}

fn wait_for_room(patience_us: u64) -> bool {
    let until_us = chip::now_us() + patience_us;
    while !has_room() {
        let now_us = chip::now_us();
        if now_us >= until_us {
            return false;
        }
        let unit = USB_DEVICE::regs();
        critical_section::with(|_| unit.int_ena().modify(|_, w| w.serial_in_empty().set_bit()));
        chip::sleep((now_us + LOOK_AGAIN_US).min(until_us), || !has_room());
    }
    true
}

/// Sends with interrupts off and nothing else working: for a panic message.
pub fn write_blindly(bytes: &[u8]) {
    for packet in bytes.chunks(PACKET_BYTES) {
        let until_us = chip::now_us() + HOST_IS_GONE_US;
        while !has_room() {
            if chip::now_us() >= until_us {
                return;
            }
        }
        send(packet);
    }
}
