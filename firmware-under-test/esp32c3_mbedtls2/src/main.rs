//! Firmware under test: an ESP32-C3 that speaks MQTT over Mbed TLS 2.28.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. The chip is the crate
//! `esp32c3`, Mbed TLS the crate `mbedtls_2_28`; here they meet.
#![no_std]
#![no_main]

use mbedtls_2_28::MbedTls;

esp32c3::image!(|| MbedTls::start().unwrap_or_else(|status| panic!("mbedtls_ctr_drbg_seed: {status}")));
