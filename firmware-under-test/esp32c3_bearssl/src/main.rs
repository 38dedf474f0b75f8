//! Firmware under test: an ESP32-C3 that speaks MQTT over BearSSL, as an ESP8266 with Arduino does.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. The chip is the crate
//! `esp32c3`, BearSSL the crate `bearssl`; here they meet.
#![no_std]
#![no_main]

use bearssl::{BearSsl, Port};
use esp_hal::clock::CpuClock;
use esp32c3::{chip, heap};

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
    random: chip::random,
};

const IDENTITY: client::Identity =
    client::Identity { image: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

#[esp_hal::main]
fn main() -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    heap::start();
    let mut chip = chip::Chip::start(peripherals.SYSTIMER, peripherals.USB_DEVICE);
    bearssl::install(&PORT);
    client::serve(&mut chip, &mut BearSsl, IDENTITY);
    // One order in a life. The bench resets the chip for the next.
    loop {
        chip.rest();
    }
}
