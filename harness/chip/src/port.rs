//! What a chip can be reached by, by name: serial ports, and network interfaces with a wire; and its radio.

use std::fmt;

/// The name of a port: `usb`, `uart0`. Names are the chip's; two chips may have ports of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(&'static str);

/// A network interface with a wire: what passes are Ethernet frames (IEEE 802.3), without preamble and check sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Its name.
    pub id: PortId,
    /// What the data sheet calls it.
    pub title: &'static str,
}

/// A radio: what passes are frames of IEEE Std 802.11 in the 2.4 GHz band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Radio {
    /// What the data sheet calls it.
    pub title: &'static str,
}

/// A serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialPort {
    /// Its name.
    pub id: PortId,
    /// What the data sheet calls it.
    pub title: &'static str,
    /// What firmware uses it for where nobody says otherwise.
    pub role: PortRole,
}

/// What firmware uses a port for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRole {
    /// The bench is at the other end: IP packets, orders, log lines.
    Bench,
    /// A terminal: log lines of ROM and firmware.
    Console,
    /// Text that firmware sends where it has no pin to receive on.
    Log,
    /// A modem is at the other end.
    Modem,
}

/// Where text comes from that firmware leaves in its RAM for a debug probe (SEGGER's RTT). No chip has such a port: it is
/// heard, and nothing can be sent to it.
pub const RTT: PortId = PortId::new("rtt");

impl PortId {
    /// The port of this name.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
