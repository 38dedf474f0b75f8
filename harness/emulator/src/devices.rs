//! Devices, by who makes them: chips of one maker share them.

pub(crate) mod espressif;
