//! What lies between device and broker: the `[network]` table.
//!
//! What can go wrong is the vocabulary of the crate that enacts it: `faults` and `serial_faults` are lists of
//! [`network::Fault`] and [`network::SerialFault`]. The usual ones have short forms of their own, which stand for entries
//! of these lists ([`Network::faults`]).

mod servers;
mod short_forms;

use std::collections::BTreeMap;
use std::net::IpAddr;

use network::{Cut, Direction, Port, ScopedFault, SerialFault, Trigger};
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
    pub lost_packets: Vec<LostPacket>,
    /// The most payload that a TCP segment of the broker carries, in bytes.
    pub segment_bytes: Option<u16>,
    /// How many bytes of the broker arrive per second.
    pub drip_bytes_per_s: Option<u32>,
    /// How long the broker's bytes are held back, in milliseconds.
    pub hold_ms: Option<u32>,
    /// The connection is cut: `how`, and `when`; or else `from` and `after_bytes`.
    pub cut: Option<Cut>,
    /// When the network forgets the connection: nothing passes from then on, and nobody is told (a NAT's timeout), in
    /// milliseconds after power-on.
    pub forgets_at_ms: Option<u32>,
    /// What becomes of bytes on the serial line.
    pub serial_damage: Option<SerialDamage>,
    /// Whatever else goes wrong with packets and streams, in the order in which packets meet it; all keys above but
    /// `mtu_bytes` and `serial_damage` are short forms of entries, which come first.
    pub faults: Vec<ScopedFault>,
    /// Whatever else becomes of bytes on the serial line.
    pub serial_faults: Vec<SerialFault>,
    /// What the broker's port does with a SYN.
    pub port: Port,
    /// What the resolver does with a question for a known name.
    pub resolver: Resolver,
    /// What it does before that with the first questions for the name, one each; those for A and for AAAA count apart.
    pub resolver_first: Vec<Resolver>,
    /// How long it takes, in milliseconds.
    pub resolver_after_ms: u32,
    /// Further names and their addresses.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// What the time server does.
    pub sntp: Sntp,
    /// How far the time server is off, in seconds.
    pub sntp_offset_s: i64,
    /// From when on it is off, in milliseconds after power-on; absent: always.
    pub sntp_steps_at_ms: Option<u32>,
    /// How long it takes, in milliseconds.
    pub sntp_after_ms: u32,
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
            lost_packets: Vec::new(),
            segment_bytes: None,
            drip_bytes_per_s: None,
            hold_ms: None,
            cut: None,
            forgets_at_ms: None,
            serial_damage: None,
            faults: Vec::new(),
            serial_faults: Vec::new(),
            port: Port::Open,
            resolver: Resolver::Answers,
            resolver_first: Vec::new(),
            resolver_after_ms: 0,
            hosts: BTreeMap::new(),
            sntp: Sntp::Answers,
            sntp_offset_s: 0,
            sntp_steps_at_ms: None,
            sntp_after_ms: 0,
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
        if self.port != Port::Open && self.cuts().any(|cut| cut.when == Trigger::Syn) {
            return Err(Complaint::at(&["network", "port"], "two answers to one SYN", "keep `port`, or the cut"));
        }
        if self.sntp_steps_at_ms.is_some() && (self.sntp != Sntp::Answers || self.sntp_offset_s == 0) {
            return Err(Complaint::at(
                &["network", "sntp_steps_at_ms"],
                "a time server that steps to where it was",
                "say by how many seconds: `sntp_offset_s`, with `sntp = \"answers\"`",
            ));
        }
        Ok(())
    }
}

/// A single packet that is lost: the short form of `{ lose_nth = { from = …, nth = … } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostPacket {
    /// Who sent it.
    pub from: Direction,
    /// Which of the sender's packets it is, counted from 1.
    pub packet: u32,
}

/// Damage on the serial line: a bit error rate, drawn from the seed. The short form of `{ flip_rate = { from = …,
/// per_million = … } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialDamage {
    /// Whose bytes are damaged.
    pub from: Direction,
    /// One byte in so many is damaged.
    pub one_in_bytes: u32,
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
    /// It says that it does not want to (RCODE 5).
    Refused,
    /// It says that the answer is too long for UDP (RFC 1035 §4.1.1, TC); nobody listens at TCP port 53.
    Truncated,
    /// Somebody else answers, who has to guess the number of the question and guesses wrong.
    WrongId,
    /// It says nothing.
    Silent,
    /// It answers every question with the router's address, as before somebody has logged in at a captive portal.
    Portal,
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
    /// It answers a question that somebody else asked: the originate timestamp is not the device's (RFC 4330 §5).
    Stranger,
    /// It says nothing.
    Silent,
}

#[cfg(test)]
mod tests;
