//! Access points without I/O: 802.11 and WPA2 as a function of time, and everything that goes wrong on the air.
//!
//! [`Air`] is a place with access points in it. What a station sends goes in with an instant ([`Air::receive`]), what
//! stations hear comes out when it begins ([`Air::transmit`]), and [`Air::poll_at`] says when to come back. Behind the
//! access points is an Ethernet: frames come out of it ([`Air::take_ethernet`]) and go into it
//! ([`Air::send_ethernet`]). All chance comes from one seed: the same frames at the same instants have the same answers.
//!
//! ```text
//!  station ─► Air: channels, airtime, loss ─► Bss: acknowledge, authenticate, associate ─┬─► handshake ─► keys
//!                     ▲                                                                   └─► CCMP ─► Ethernet
//!                     └───────────── queue, retries, buffers for those that doze ◄────────────────────────┘
//! ```
//!
//! What there is: 802.11b and 802.11g, open networks and WPA2-Personal with CCMP, power save with TIM, DTIM and
//! PS-Poll. What there is not: HT and aggregation, QoS on the way to a station, protected management frames, SAE, TKIP,
//! fragments, relaying between stations, and collisions: everybody hears everybody and waits.
//!
//! ```
//! use access_point::{Air, Description};
//! use clock::Instant;
//!
//! let mut air = Air::new(vec![Description::wpa2("shakedown", "correct horse")], 0x5eed)?;
//! let first_beacon = air.poll_at(Instant::ZERO).expect("a beacon is due");
//! air.poll(first_beacon);
//! let beacon = air.transmit();
//! # let _ = beacon;
//! # Ok::<(), access_point::DescriptionError>(())
//! ```
//!
//! This crate does not know chips, IP, scenarios or files.

mod address;
mod air;
mod bss;
mod chance;
mod description;
mod event;
pub mod frame;
mod misbehaviour;
mod rate;
pub mod security;

pub use address::{MacAddress, NoMacAddress};
pub use air::{Air, OnAir, Overheard};
pub use description::{Description, DescriptionError, Security};
pub use event::{Event, Happening};
pub use misbehaviour::{Message, Milestone, Misbehaviour, Moment};
pub use rate::Rate;
