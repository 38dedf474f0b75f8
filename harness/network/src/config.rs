//! What a LAN is told before the device is powered.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use crate::{Dns, ScopedFault, Sntp};

/// Everything that a LAN is and does.
#[derive(Clone, Debug)]
pub struct LanConfig {
    /// Addresses that the gateway answers for, besides those that listeners, DNS and SNTP name. Packets for any other
    /// address are dropped in silence.
    pub addresses: Vec<IpAddr>,
    /// The longest IP packet that the gateway sends, and the source of the MSS that it announces. Longer packets of
    /// the device are dropped. Raised to 68 bytes if lower (RFC 791 §3.2).
    pub mtu_bytes: usize,
    /// TCP ports.
    pub listeners: Vec<Listener>,
    /// The name server, if there is one.
    pub dns: Option<Dns>,
    /// The time server, if there is one.
    pub sntp: Option<Sntp>,
    /// What goes wrong, in the order in which packets meet it (seen from the gateway).
    pub faults: Vec<ScopedFault>,
    /// Bounds on what a hostile device can make the gateway remember.
    pub limits: Limits,
}

impl Default for LanConfig {
    /// An empty LAN: no address, no service, MTU 1500, no faults.
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            mtu_bytes: 1_500,
            listeners: Vec::new(),
            dns: None,
            sntp: None,
            faults: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// A TCP port of the LAN. Where several match, the first counts. A port without a listener is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address; `None` for every address that the LAN owns.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// What it does with a SYN.
    pub state: Port,
}

impl Listener {
    /// The service listens at `port` of every owned address.
    pub const fn service(port: u16) -> Self {
        Self { address: None, port, state: Port::Open }
    }

    pub(crate) fn matches(&self, local: SocketAddr) -> bool {
        self.port == local.port() && self.address.is_none_or(|address| address == local.ip())
    }
}

/// What a port does with a SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// It accepts.
    #[default]
    Open,
    /// It answers RST (RFC 9293 §3.5.2).
    Closed,
    /// It does not answer, as behind a firewall that drops.
    Dropped,
}

/// Bounds on memory, whatever the device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// TCP connections at a time, in whatever state. A SYN beyond them evicts the connection that has been silent
    /// for longest.
    pub connections_max: usize,
    /// Receive buffer of a connection, and so the largest window announced.
    pub window_bytes: usize,
    /// Packets under way in the network in each direction, delayed ones included; more are dropped.
    pub packets_max: usize,
    /// Bytes that the tap keeps until they are taken; what does not fit is counted, not kept.
    pub tap_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 32, window_bytes: 32 * 1024, packets_max: 4_096, tap_bytes_max: 64 * 1024 * 1024 }
    }
}
