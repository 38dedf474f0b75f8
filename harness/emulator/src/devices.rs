//! Devices, by who makes them: chips of one maker share them.

pub(crate) mod esp8266;
pub(crate) mod espressif;
