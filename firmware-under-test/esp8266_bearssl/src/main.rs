//! Firmware under test: an ESP8266 that speaks MQTT over BearSSL, as one with Arduino does.
//!
//! Everything that a scenario varies comes over the serial line; see the crate `client`. The chip is the crate
//! `esp8266`, BearSSL the crate `bearssl`; here they meet.
#![no_std]
#![no_main]

use bearssl::BearSsl;

esp8266::image!(BearSsl::default);
