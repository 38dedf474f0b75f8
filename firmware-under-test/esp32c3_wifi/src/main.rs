//! Firmware under test: an ESP32-C3 that speaks MQTT over Mbed TLS, through the air.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. Its packets go by Espressif's
//! closed Wi-Fi driver, which `esp-radio` brings. The image holds Espressif's libraries, so it is built where it is
//! needed and never handed on.
#![no_std]
#![no_main]

extern crate alloc;

mod bell;
mod memory;
mod platform;
mod radio;

use client::port::{self, Port};
use esp_hal::timer::timg::TimerGroup;
use esp32c3::{chip, heap};
use mbedtls_3_6::MbedTls;

use platform::Chip;
use radio::EspRadio;

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

#[esp_hal::main]
fn main() -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default().with_cpu_clock(esp_hal::clock::CpuClock::max()));
    heap::start();
    esp_rtos::start(TimerGroup::new(peripherals.TIMG0).timer0, peripherals.FROM_CPU_INTR0);
    bell::start();
    let mut chip = Chip::start(peripherals.USB_DEVICE, EspRadio::start(peripherals.WIFI));
    port::install(&PORT);
    let mut stack = MbedTls::start().unwrap_or_else(|status| panic!("psa_crypto_init: {status}"));
    let identity = client::Identity { image: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    client::serve(&mut chip, &mut stack, identity);
    loop {
        chip.rest();
    }
}
