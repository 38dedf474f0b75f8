//! The authenticator's side of the four-way and the group handshake (IEEE Std 802.11-2020 §12.7.6, §12.7.7).
//!
//! Patience and number of attempts are hostapd's defaults: 100 ms after the first attempt, a second after each other, four
//! in all (`wpa_pairwise_update_count`, `wpa_group_update_count`).

use clock::{Duration, Instant};

use crate::MacAddress;
use crate::security::eapol::{KeyFrame, KeyFrameContent, KeyInformation as Info, wrapped_group_key};
use crate::security::key::{MasterKey, NONCE_BYTES, TransientKey};

const FIRST_PATIENCE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(1);
const ATTEMPTS_MAX: u8 = 4;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// The station's nonce.
    MessageTwo,
    /// That the station has its keys.
    MessageFour,
    /// That the station has the new group key.
    GroupMessageTwo,
    /// Nothing.
    Nothing,
}

/// What a message of the station came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The next message is due.
    Proceed,
    /// Both ends have their keys.
    Complete,
    /// The station has the new group key.
    GroupKeyTaken,
    /// The message was made with another passphrase.
    WrongPassphrase,
    /// It is no answer to anything.
    Strange,
}

/// The group's key, as the handshakes hand it over.
#[derive(Clone, Debug)]
pub(super) struct GroupKey {
    pub key: [u8; 16],
    /// 1 or 2, by turns.
    pub id: u8,
    /// The packet number used last.
    pub sent: u64,
}

/// A handshake with one station.
#[derive(Debug)]
pub(super) struct Handshake {
    pub awaits: Awaits,
    nonce: [u8; NONCE_BYTES],
    replay_counter: u64,
    /// The counter of the stage's first message: an answer to any attempt counts.
    first_counter: u64,
    attempts: u8,
    /// When to say it again.
    pub due: Option<Instant>,
    key: Option<TransientKey>,
}

impl Handshake {
    pub(super) fn new(nonce: [u8; NONCE_BYTES], starts_at: Instant) -> Self {
        Self {
            awaits: Awaits::MessageTwo,
            nonce,
            replay_counter: 0,
            first_counter: 1,
            attempts: 0,
            due: Some(starts_at),
            key: None,
        }
    }

    /// The keys, once the station has proved that it has the same.
    pub(super) fn key(&self) -> Option<&TransientKey> {
        self.key.as_ref()
    }

    /// Whether every attempt was in vain. The station is sent away then.
    pub(super) fn is_given_up(&self) -> bool {
        self.attempts >= ATTEMPTS_MAX
    }

    /// Hands the group key over anew, once the four-way handshake is through.
    pub(super) fn renew_group_key(&mut self, now: Instant) {
        if self.key.is_some() && self.awaits == Awaits::Nothing {
            self.turn_to(Awaits::GroupMessageTwo, Some(now));
        }
    }

    fn turn_to(&mut self, awaits: Awaits, due: Option<Instant>) {
        self.awaits = awaits;
        self.attempts = 0;
        self.first_counter = self.replay_counter + 1;
        self.due = due;
    }

    /// The message that is due, and when to say it again.
    pub(super) fn message(&mut self, now: Instant, rsn: &[u8], group: &GroupKey) -> Option<KeyFrameContent> {
        self.replay_counter += 1;
        self.attempts += 1;
        self.due = Some(now + if self.attempts == 1 { FIRST_PATIENCE } else { PATIENCE });
        let replay_counter = self.replay_counter;
        let plain = KeyFrameContent {
            information: Info::with(0),
            replay_counter,
            nonce: [0; NONCE_BYTES],
            receive_sequence: 0,
            key_data: Vec::new(),
        };
        const THIRD: u16 = Info::PAIRWISE | Info::INSTALL | Info::ACK | Info::MIC | Info::SECURE | Info::ENCRYPTED;
        const GROUP: u16 = Info::ACK | Info::MIC | Info::SECURE | Info::ENCRYPTED;
        match self.awaits {
            Awaits::MessageTwo => Some(KeyFrameContent {
                information: Info::with(Info::PAIRWISE | Info::ACK),
                nonce: self.nonce,
                ..plain
            }),
            Awaits::MessageFour => Some(KeyFrameContent {
                information: Info::with(THIRD),
                nonce: self.nonce,
                receive_sequence: group.sent,
                key_data: wrapped_group_key(&self.key?.encryption, rsn, group.id, &group.key),
                ..plain
            }),
            Awaits::GroupMessageTwo => Some(KeyFrameContent {
                information: Info::with(GROUP),
                receive_sequence: group.sent,
                key_data: wrapped_group_key(&self.key?.encryption, &[], group.id, &group.key),
                ..plain
            }),
            Awaits::Nothing => None,
        }
    }

    /// Takes a message of the station, whose addresses and RSN element are `addresses` and `rsn`.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        frame: &KeyFrame<'_>,
        master: &MasterKey,
        addresses: [MacAddress; 2],
        rsn: &[u8],
    ) -> Outcome {
        let answers_us = (self.first_counter..=self.replay_counter).contains(&frame.replay_counter);
        let is_reply = !frame.information.has(Info::ACK) && frame.information.has(Info::MIC);
        if !answers_us || !is_reply || frame.information.has(Info::REQUEST) {
            return Outcome::Strange;
        }
        let is_pairwise = frame.information.has(Info::PAIRWISE);
        match self.awaits {
            Awaits::MessageTwo if is_pairwise => {
                let key = TransientKey::derive(master, addresses, [&self.nonce, &frame.nonce]);
                if !frame.is_confirmed_by(&key.confirmation) {
                    return Outcome::WrongPassphrase;
                }
                // What the station says now has to be what it said when it associated (§12.7.6.3).
                if !frame.key_data.starts_with(rsn) {
                    return Outcome::Strange;
                }
                self.key = Some(key);
                self.turn_to(Awaits::MessageFour, Some(now));
                Outcome::Proceed
            }
            Awaits::MessageFour if is_pairwise && self.confirms(frame) => {
                self.turn_to(Awaits::Nothing, None);
                Outcome::Complete
            }
            Awaits::GroupMessageTwo if !is_pairwise && self.confirms(frame) => {
                self.turn_to(Awaits::Nothing, None);
                Outcome::GroupKeyTaken
            }
            _ => Outcome::Strange,
        }
    }

    fn confirms(&self, frame: &KeyFrame<'_>) -> bool {
        self.key.is_some_and(|key| frame.is_confirmed_by(&key.confirmation))
    }
}
