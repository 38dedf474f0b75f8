//! Peripherals of the ESP8266. They count by the same ticks as those of Espressif's later chips, and share with them what a
//! UART's lines and a frame on the air are.

pub(crate) mod efuse;
pub(crate) mod flash_controller;
pub(crate) mod gpio;
pub(crate) mod reset;
pub(crate) mod rtc;
pub(crate) mod sar;
pub(crate) mod timers;
pub(crate) mod uart;
pub(crate) mod watchdog;
pub(crate) mod wifi_mac;
