//! Chips: a map on one screen, which devices are where, a mask ROM, and how an image is booted.

pub mod esp32c3;
