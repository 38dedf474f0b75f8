//! Firmware under test: an ESP32-C3 that speaks MQTT over Mbed TLS 2.28.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. The chip is the crate
//! `esp32c3`, Mbed TLS the crate `mbedtls2`; here they meet.
#![no_std]
#![no_main]

use esp_hal::clock::CpuClock;
use esp32c3::{chip, heap};
use mbedtls2::{MbedTls, Port};

// Fixed times, so that the same sources make the same image.
esp_bootloader_esp_idf::esp_app_desc!(
    env!("CARGO_PKG_VERSION"),
    env!("CARGO_PKG_NAME"),
    "00:00:00",
    "2026-01-01",
    esp_bootloader_esp_idf::ESP_IDF_COMPATIBLE_VERSION,
    esp_bootloader_esp_idf::MMU_PAGE_SIZE,
    0,
    u16::MAX,
    0
);

static PORT: Port = Port {
    allocate: heap::allocate_zeroed,
    release: heap::release,
    unix_time_s: chip::unix_time_s,
    milliseconds: chip::milliseconds,
    random: chip::random,
};

const IDENTITY: client::Identity =
    client::Identity { image: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

#[esp_hal::main]
fn main() -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    heap::start();
    let mut chip = chip::Chip::start(peripherals.SYSTIMER, peripherals.USB_DEVICE);
    mbedtls2::install(&PORT);
    let mut stack = match MbedTls::start() {
        Ok(stack) => stack,
        Err(status) => panic!("mbedtls_ctr_drbg_seed: {status}"),
    };
    client::serve(&mut chip, &mut stack, IDENTITY);
    // One order in a life. The bench resets the chip for the next.
    loop {
        chip.rest();
    }
}
