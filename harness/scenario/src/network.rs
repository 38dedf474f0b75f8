//! What lies between device and broker: the `[network]` table.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::problem::Complaint;

/// The `[network]` table. The default network is a good one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The largest IP packet, in bytes.
    pub mtu_bytes: u16,
    /// How long a packet takes in either direction, in milliseconds.
    pub delay_ms: u32,
    /// How much longer it may take, drawn from the seed, in milliseconds.
    pub jitter_ms: u32,
    /// The share of packets that are lost, drawn from the seed.
    pub loss_percent: u8,
    /// The share of packets that arrive twice.
    pub duplicate_percent: u8,
    /// The share of packets that are overtaken by their successor.
    pub reorder_percent: u8,
    /// Single packets that are lost.
    pub lose: Vec<LostPacket>,
    /// The most payload that a TCP segment of the broker carries, in bytes.
    pub segment_bytes: Option<u16>,
    /// How many bytes of the broker arrive per second.
    pub drip_bytes_per_s: Option<u32>,
    /// How long the broker's bytes are held back, in milliseconds.
    pub hold_ms: Option<u32>,
    /// The connection is cut in the middle of a stream.
    pub cut: Option<Cut>,
    /// When the network forgets the connection: nothing passes from then on, and nobody is told (a NAT's timeout), in
    /// milliseconds after power-on.
    pub forgets_at_ms: Option<u32>,
    /// What becomes of bytes on the serial line.
    pub serial_damage: Option<SerialDamage>,
    /// What the broker's port does with a SYN.
    pub port: Port,
    /// What the resolver does with a question for a known name.
    pub resolver: Resolver,
    /// Further names and their addresses.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// What the time server does.
    pub sntp: Sntp,
    /// How far the time server is off, in seconds.
    pub sntp_offset_s: i64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            mtu_bytes: 1_500,
            delay_ms: 0,
            jitter_ms: 0,
            loss_percent: 0,
            duplicate_percent: 0,
            reorder_percent: 0,
            lose: Vec::new(),
            segment_bytes: None,
            drip_bytes_per_s: None,
            hold_ms: None,
            cut: None,
            forgets_at_ms: None,
            serial_damage: None,
            port: Port::Open,
            resolver: Resolver::Answers,
            hosts: BTreeMap::new(),
            sntp: Sntp::Answers,
            sntp_offset_s: 0,
        }
    }
}

impl Network {
    pub(crate) fn check(&self) -> Result<(), Complaint> {
        for (key, percent) in [
            ("loss_percent", self.loss_percent),
            ("duplicate_percent", self.duplicate_percent),
            ("reorder_percent", self.reorder_percent),
        ] {
            if percent > 100 {
                return Err(Complaint::at(&["network", key], "more than all of them", "give 0 to 100"));
            }
        }
        if !(576..=1_500).contains(&self.mtu_bytes) {
            return Err(Complaint::at(
                &["network", "mtu_bytes"],
                "the serial line carries packets of 576 to 1500 bytes",
                "give a number in that range (RFC 791 §3.1 demands 576 of every host)",
            ));
        }
        if self.segment_bytes == Some(0) || self.drip_bytes_per_s == Some(0) {
            return Err(Complaint::at(
                &["network"],
                "nothing at all would pass",
                "use `cut = { how = \"black_hole\", … }` for a network that swallows everything",
            ));
        }
        Ok(())
    }
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The device under test.
    Device,
    /// The broker.
    Broker,
}

/// A single packet that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostPacket {
    /// Who sent it.
    pub from: Side,
    /// Which of the sender's packets it is, counted from 1.
    pub packet: u32,
}

/// A cut in the middle of a TCP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// What the device sees.
    pub how: CutHow,
    /// Whose bytes are counted.
    pub from: Side,
    /// How many of them still pass.
    pub after_bytes: u64,
}

/// What a cut looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutHow {
    /// RST, as from a firewall or a broker that died (RFC 9293 §3.5.3).
    Reset,
    /// FIN, as from a proxy that gave up.
    Fin,
    /// Nothing more, and nobody is told.
    BlackHole,
}

/// Damage on the serial line: a bit error rate, drawn from the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialDamage {
    /// Whose bytes are damaged.
    pub from: Side,
    /// One byte in so many is damaged.
    pub one_in_bytes: u32,
}

/// What the broker's port does with a SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

/// What the resolver does with a question for a known name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolver {
    /// It answers.
    #[default]
    Answers,
    /// It says that there is no such name (RFC 1035 §4.1.1, RCODE 3).
    Nxdomain,
    /// It says that it failed (RCODE 2).
    Servfail,
    /// It says nothing.
    Silent,
}

/// What the time server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sntp {
    /// It tells the time.
    #[default]
    Answers,
    /// It says that it is not synchronised itself (RFC 4330 §4, LI 3).
    Unsynchronised,
    /// It asks to be left alone (RFC 4330 §8, stratum 0).
    KissOfDeath,
    /// It says nothing.
    Silent,
}
