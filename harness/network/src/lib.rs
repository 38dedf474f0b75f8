//! The LAN at the end of the serial line: an IP gateway that owns every address and name it is told to, with DNS,
//! SNTP, TCP services and everything that a network does to packets.
//!
//! It is sans-IO and a function of time. Packets of the device go in with an instant ([`Lan::receive`]), packets for
//! the device come out when they are due ([`Lan::transmit`]), and [`Lan::poll_at`] says when to come back. Deadlines
//! that passed unobserved are settled at their own instants, in order, so the same packets at the same instants give
//! the same answers however often anybody polls; all random numbers come from one seed.
//!
//! A packet's way, and the module that each step lives in:
//!
//! ```text
//!  serial line ─► tap ─► packet faults ─► ownership ─┬─► dns, sntp           (UDP, one question, one answer)
//!                                                    └─► gateway: smoltcp ─► connection ─► Service (the broker)
//!                                                                             (stream faults)
//! ```
//!
//! ```
//! use clock::Instant;
//! use network::{Cut, Dns, Fault, Lan, LanConfig, Listener, NoService, Scope, Teardown, Trigger};
//!
//! let broker = "192.0.2.10".parse()?;
//! let config = LanConfig {
//!     addresses: vec![broker],
//!     listeners: vec![Listener::service(8883)],
//!     dns: Some(Dns::new(vec!["192.0.2.53".parse()?]).with("broker.test", vec![broker])),
//!     // Only the first connection is reset, at the moment when it stands.
//!     faults: vec![Fault::Cut(Cut { when: Trigger::Accepted, how: Teardown::Reset }).within(Scope::port(8883).first(1))],
//!     ..LanConfig::default()
//! };
//! let mut lan = Lan::new(config, 0x5eed, NoService);
//! lan.receive(Instant::from_millis(3), b"what the serial line brought");
//! while let Some(packet) = lan.transmit() {
//!     println!("{} bytes for the device", packet.len());
//! }
//! assert_eq!(lan.poll_at(Instant::from_millis(3)), None);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! A [`Modem`] is a neighbour of the device in that LAN: a serial line with AT commands on one side, IP packets on the
//! other.
//!
//! This crate does not know TLS, MQTT, scenarios or boards. Of the messages at which a connection can be cut it knows the
//! names ([`Message`]); where they are, its service tells.

mod config;
mod connection;
mod cut;
mod direction;
mod dns;
mod ethernet;
mod event;
mod fault;
mod gateway;
mod lan;
mod message;
mod modem;
mod packet;
mod packet_fault;
mod rng;
mod scope;
mod serial;
mod service;
mod sntp;
mod stream_faults;
mod tap;
mod udp;

pub use config::{LanConfig, Limits, Listener, Port};
pub use cut::{Cut, Teardown, Trigger};
pub use direction::Direction;
pub use dns::{Answer, Dns, Family, Name, Resolution};
pub use ethernet::{AddressEvent, AddressFault, Lease, Segment, SegmentConfig};
pub use event::{Event, Happening};
pub use fault::Fault;
pub use lan::Lan;
pub use message::{Message, MessageKind};
pub use modem::{
    Impossible, LostBytes, Modem, ModemBehaviour, ModemConfig, OnClose, OnData, OnOpen, OnSend, Stall,
    TRANSFER_BYTES_MAX,
};
pub use scope::{Scope, ScopedFault};
pub use serial::{Heard, SerialFault, SerialLine};
pub use service::{Action, Close, ConnectionId, NoService, Service};
pub use sntp::{Sntp, SntpAnswer};
pub use tap::Tapped;
