//! The second serial line: UART1 (ESP32-C3 technical reference manual, chapter "UART Controller"), for a modem.
//!
//! GPIO4 sends to the modem's RXD, GPIO5 hears its TXD; both are free on every module (no strapping pins, not the flash's,
//! not USB's), and so is JTAG, which the USB unit brings. 115 200 baud, which SIMCom's modems find out by themselves.
//! There is no flow control: what arrives is moved into a ring by interrupt, when the FIFO of 128 bytes is nearly full or
//! when the line has been silent for a while; it wakes a sleeping chip.

use core::cell::RefCell;

use critical_section::{CriticalSection, Mutex};
use esp_hal::Blocking;
use esp_hal::peripherals::{GPIO4, GPIO5, UART1};
use esp_hal::uart::{Config, RxConfig, Uart, UartInterrupt};

use crate::chip;
use crate::ring::Ring;

/// The most that the modem says at once: 1500 bytes of data with the lines round it. What has no room is lost.
const RING_BYTES: usize = 4 * 1024;
/// Bytes in the FIFO at which the interrupt comes: the handler has eight byte times left, 0.7 ms.
const FIFO_FULL_BYTES: u16 = 120;
/// Silence after which the interrupt comes, in byte times.
const SILENCE_BYTES: u8 = 10;
/// How long to sleep at most while the sending FIFO is full: a quarter of it has left by then.
const LOOK_AGAIN_US: u64 = 2_500;

static RING: Mutex<RefCell<Ring<RING_BYTES>>> = Mutex::new(RefCell::new(Ring::new()));

/// Whether nothing has arrived.
pub fn is_empty() -> bool {
    critical_section::with(|section| RING.borrow_ref(section).is_empty())
}

fn receive(section: CriticalSection<'_>) {
    let mut ring = RING.borrow_ref_mut(section);
    let unit = UART1::regs();
    while unit.status().read().rxfifo_cnt().bits() > 0 {
        ring.put(unit.fifo().read().rxfifo_rd_byte().bits());
    }
}

#[esp_hal::handler]
fn on_uart() {
    critical_section::with(receive);
    // Cleared after the FIFO was read: "full" is a level, and would be set again at once.
    UART1::regs().int_clr().write(|w| {
        w.rxfifo_full().clear_bit_by_one();
        w.rxfifo_tout().clear_bit_by_one()
    });
}

/// The line.
pub struct ModemLine {
    unit: Uart<'static, Blocking>,
}

impl ModemLine {
    /// Starts to listen. `None` if the driver does not like its configuration.
    pub fn start() -> Option<Self> {
        let receiving = RxConfig::default().with_fifo_full_threshold(FIFO_FULL_BYTES).with_timeout(SILENCE_BYTES);
        // SAFETY: nobody else in our images has a use for UART1, GPIO4 and GPIO5; only this module takes them, and the
        // chip's `modem_start` calls it once.
        let (unit, to_modem, from_modem) = unsafe { (UART1::steal(), GPIO4::steal(), GPIO5::steal()) };
        let config = Config::default().with_baudrate(115_200).with_rx(receiving);
        let mut unit = Uart::new(unit, config).ok()?.with_tx(to_modem).with_rx(from_modem);
        unit.set_interrupt_handler(on_uart);
        unit.listen(UartInterrupt::RxFifoFull | UartInterrupt::RxTimeout);
        Some(Self { unit })
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
    pub fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            while !self.unit.write_ready() {
                chip::sleep(chip::now_us() + LOOK_AGAIN_US, || true);
            }
            // Infallible: `TxError` has no values.
            let sent = self.unit.write(bytes).unwrap_or(bytes.len());
            bytes = bytes.get(sent..).unwrap_or_default();
        }
    }
}
