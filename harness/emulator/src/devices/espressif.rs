//! Peripherals of Espressif's chips, with the clock that they count by and the causes of resets.

pub(crate) mod aes;
pub(crate) mod analog_i2c;
pub(crate) mod assist_debug;
pub(crate) mod cache;
pub(crate) mod efuse;
pub(crate) mod flash_controller;
pub(crate) mod gdma;
pub(crate) mod gpio;
pub(crate) mod hmac;
pub(crate) mod interrupt_matrix;
pub(crate) mod reset;
pub(crate) mod rsa;
pub(crate) mod rtc;
pub(crate) mod sar_adc;
pub(crate) mod sfdp;
pub(crate) mod sha;
pub(crate) mod system;
pub(crate) mod system_timer;
pub(crate) mod time;
pub(crate) mod timer_group;
pub(crate) mod uart;
pub(crate) mod uart_line;
pub(crate) mod usb_serial_jtag;
pub(crate) mod watchdog;
pub(crate) mod wifi;
pub(crate) mod xts_aes;
