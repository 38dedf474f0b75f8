//! The Wi-Fi radio of an ESP32-C3, as far as Espressif's closed driver looks at it: MAC, power and time unit, and the few
//! registers of the analogue front end that are waited for.
//!
//! Nothing of it is documented by its maker. What a register means was found by running and disassembling the driver, and
//! agrees with what owners of the silicon found (esp32-open-mac, esp32c3-raw-tx).
//!
//! Frames leave and enter through [`mac::WifiMac`] as they are on the air, encrypted, without frame check sequence. Not
//! modelled: HT rates and aggregation (a frame is sent at a rate of 802.11g), the sniffer, channel state information,
//! coexistence, collisions, and everything analogue.

pub(crate) mod airtime;
pub(crate) mod antenna;
pub(crate) mod ccmp;
pub(crate) mod front_end;
pub(crate) mod header;
pub(crate) mod mac;
pub(crate) mod power;
pub(crate) mod receive;
pub(crate) mod transmit;
