//! Firmware under test: an ESP32-C3 that speaks MQTT over BearSSL, as an ESP8266 with Arduino does.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. The chip is the crate
//! `esp32c3`, BearSSL the crate `bearssl`; here they meet.
#![no_std]
#![no_main]

use bearssl::BearSsl;

esp32c3::image!(BearSsl::default);
