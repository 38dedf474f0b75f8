//! What an access point remembers of a station.

use std::collections::VecDeque;

use clock::Instant;

use super::handshake::Handshake;
use crate::MacAddress;

/// Frames kept for one station that dozes; the oldest makes room.
const KEPT_MAX: usize = 64;

/// How far a station has come (IEEE Std 802.11-2020 §11.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It may ask to associate.
    Authenticated,
    /// It may exchange keys.
    Associated,
    /// It may send data.
    Joined,
}

/// The keys of a station that is joined to a secured network.
#[derive(Clone, Debug)]
pub(super) struct PairwiseKey {
    pub temporal: [u8; 16],
    /// Of the frame sent last.
    pub sent: u64,
    /// Of the frame received last, by traffic identifier: another that is not higher is an old one.
    pub received: [u64; 16],
}

/// A frame for a station, before it is encrypted.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub to: MacAddress,
    pub from: MacAddress,
    /// LLC, SNAP and what they carry.
    pub body: Vec<u8>,
}

/// A station.
#[derive(Debug)]
pub(super) struct Station {
    pub stage: Stage,
    /// Its association identifier, from 1.
    pub aid: u16,
    /// Whether it has said that it dozes.
    pub dozes: bool,
    /// What is kept for it meanwhile.
    pub kept: VecDeque<Payload>,
    /// Sequence control of the frame received last: a retry of it is a copy.
    pub last_sequence: Option<u16>,
    /// The RSN element of its request.
    pub rsn: Vec<u8>,
    pub handshake: Option<Handshake>,
    pub key: Option<PairwiseKey>,
    /// Milestones, for faults that count from them.
    pub associated_at: Option<Instant>,
    pub message_2_at: Option<Instant>,
    pub joined_at: Option<Instant>,
}

impl Station {
    pub(super) fn new(aid: u16) -> Self {
        Self {
            stage: Stage::Authenticated,
            aid,
            dozes: false,
            kept: VecDeque::new(),
            last_sequence: None,
            rsn: Vec::new(),
            handshake: None,
            key: None,
            associated_at: None,
            message_2_at: None,
            joined_at: None,
        }
    }

    /// Keeps a frame until the station asks for it; `false` if another had to go.
    pub(super) fn keep(&mut self, payload: Payload) -> bool {
        let had_room = self.kept.len() < KEPT_MAX;
        if !had_room {
            self.kept.pop_front();
        }
        self.kept.push_back(payload);
        had_room
    }
}
