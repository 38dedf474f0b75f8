//! An image's whole program: chip, heap and a TLS stack, and the client on top of them.

use client::port::{self, Port};
use client::tls::Stack;
use esp_hal::clock::CpuClock;

use crate::{chip, heap};

static PORT: Port = Port {
    allocate: heap::allocate_zeroed,
    release: heap::release,
    unix_time_s: chip::unix_time_s,
    milliseconds: chip::milliseconds,
    random: chip::random,
};

/// Carries out one order with the stack that `start` makes. One order in a life: the bench resets the chip for the next.
pub fn run<T: Stack>(identity: client::Identity, start: impl FnOnce() -> T) -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    heap::start();
    let mut chip = chip::Chip::start(peripherals.SYSTIMER, peripherals.USB_DEVICE);
    port::install(&PORT);
    client::serve(&mut chip, &mut start(), identity);
    loop {
        chip.rest();
    }
}

/// The entry point of an image, and its description for the bootloader: what is left to say is which stack it has.
#[macro_export]
macro_rules! image {
    ($start:expr) => {
        // Fixed times, so that the same sources make the same image.
        ::esp_bootloader_esp_idf::esp_app_desc!(
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_NAME"),
            "00:00:00",
            "2026-01-01",
            ::esp_bootloader_esp_idf::ESP_IDF_COMPATIBLE_VERSION,
            ::esp_bootloader_esp_idf::MMU_PAGE_SIZE,
            0,
            u16::MAX,
            0
        );

        #[::esp_hal::main]
        fn main() -> ! {
            let identity = ::client::Identity { image: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
            $crate::image::run(identity, $start)
        }
    };
}
