//! The serial line: UART0 (ESP8266 technical reference, chapter "UART Interface"), 115 200 baud on the pins that the ROM uses.
//!
//! There is no flow control: what arrives is moved into a ring by interrupt, when the FIFO of 128 bytes is nearly full or
//! when the line has been silent for a while; it wakes a sleeping chip. What has no room in the ring is lost, and the bench
//! sends it again.

use core::cell::RefCell;

use critical_section::{CriticalSection, Mutex};

use crate::chip;
use crate::registers::{
    UART0_CLKDIV, UART0_CONF0, UART0_CONF1, UART0_FIFO, UART0_INT_CLR, UART0_INT_ENA, UART0_STATUS,
};
use crate::ring::Ring;

/// Two IP packets of the largest kind, and what answers them.
const RING_BYTES: usize = 4 * 1024;
/// The FIFO's size, in bytes.
const FIFO_BYTES: u32 = 128;
/// The peripheral bus's clock over the baud rate.
const CLOCKS_PER_BIT: u32 = 80_000_000 / 115_200;
/// 8 data bits, no parity, one stop bit.
const EIGHT_N_ONE: u32 = 3 << 2 | 1 << 4;
/// Bytes in the FIFO at which the interrupt comes: the handler has 28 byte times left, 2.4 ms.
const FIFO_FULL_BYTES: u32 = 100;
/// Bytes left to be sent at which the interrupt comes.
const FIFO_EMPTY_BYTES: u32 = 16;
/// Silence after which the interrupt comes, in byte times.
const SILENCE_BYTES: u32 = 2;
const RX_TOUT_EN: u32 = 1 << 31;
const RX_FULL: u32 = 1 << 0;
const TX_EMPTY: u32 = 1 << 1;
const RX_TOUT: u32 = 1 << 8;
/// A byte, in microseconds.
const BYTE_US: u64 = 87;

static RING: Mutex<RefCell<Ring<RING_BYTES>>> = Mutex::new(RefCell::new(Ring::new()));

/// Whether nothing has arrived.
pub fn is_empty() -> bool {
    critical_section::with(|section| RING.borrow_ref(section).is_empty())
}

/// Moves what the unit has received into the ring, as far as there is room.
fn receive(section: CriticalSection<'_>) {
    let mut ring = RING.borrow_ref_mut(section);
    while UART0_STATUS.read() & 0xff > 0 {
        ring.put(UART0_FIFO.read() as u8);
    }
}

/// The UART's interrupt.
pub(crate) fn on_interrupt() {
    critical_section::with(receive);
    // Cleared after the FIFO was read: "full" is a level, and would be set again at once.
    UART0_INT_CLR.write(RX_FULL | RX_TOUT | TX_EMPTY);
    // Woken up for sending: enough.
    UART0_INT_ENA.write(RX_FULL | RX_TOUT);
}

/// The line.
pub struct Line {
    _once: (),
}

impl Line {
    /// Starts to listen. To be called once.
    pub fn start() -> Self {
        // What the ROM has said leaves at the ROM's own rate.
        while to_send() > 0 {}
        UART0_CLKDIV.write(CLOCKS_PER_BIT);
        UART0_CONF0.write(EIGHT_N_ONE);
        UART0_CONF1.write(FIFO_FULL_BYTES | FIFO_EMPTY_BYTES << 8 | SILENCE_BYTES << 24 | RX_TOUT_EN);
        UART0_INT_CLR.write(0x1ff);
        UART0_INT_ENA.write(RX_FULL | RX_TOUT);
        Self { _once: () }
    }

    /// Takes what has arrived.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        critical_section::with(|section| {
            let mut ring = RING.borrow_ref_mut(section);
            let mut count = 0;
            for place in into.iter_mut() {
                let Some(byte) = ring.take() else { break };
                *place = byte;
                count += 1;
            }
            count
        })
    }

    /// Sends, and sleeps while the FIFO is full.
    pub fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while to_send() >= FIFO_BYTES - 2 {
                critical_section::with(|_| UART0_INT_ENA.write(RX_FULL | RX_TOUT | TX_EMPTY));
                // The interrupt comes sooner.
                chip::sleep(chip::now_us() + u64::from(FIFO_BYTES) * BYTE_US, || to_send() >= FIFO_BYTES - 2);
            }
            UART0_FIFO.write(byte.into());
        }
    }
}

/// Bytes in the sending FIFO.
fn to_send() -> u32 {
    UART0_STATUS.read() >> 16 & 0xff
}

/// Sends with interrupts off and nothing else working: for a panic message.
pub fn write_blindly(bytes: &[u8]) {
    for &byte in bytes {
        while to_send() >= FIFO_BYTES - 2 {}
        UART0_FIFO.write(byte.into());
    }
}
