//! Handshakes as an access point conducts them, with everything that goes wrong in them.

use clock::{Duration, Instant};

use super::fault::Fate;
use super::handshake::{Awaits, Handshake, Outcome};
use super::station::{PairwiseKey, Payload, Stage};
use super::{Bss, Outbox};
use crate::misbehaviour::Message;
use crate::security::eapol::{KeyFrame, KeyInformation};
use crate::{Happening, MacAddress};

/// A station that was just associated is given so long before the first message.
const FIRST_MESSAGE_AFTER: Duration = Duration::from_millis(1);
/// Reason codes of table 9-49.
const REASON_FOUR_WAY_TIMEOUT: u16 = 15;
const REASON_GROUP_TIMEOUT: u16 = 16;

impl Bss {
    /// Begins the four-way handshake with a station that was associated.
    pub(super) fn begin_handshake(&mut self, now: Instant, station: MacAddress) {
        let nonce = self.chance.bytes();
        if let Some(station) = self.stations.get_mut(&station) {
            station.handshake = Some(Handshake::new(nonce, now + FIRST_MESSAGE_AFTER));
        }
    }

    /// Says, or says again, every message that is due.
    pub(super) fn say_due_messages(&mut self, now: Instant, outbox: &mut Outbox) {
        let is_due = |handshake: &Handshake| handshake.due.is_some_and(|due| due <= now);
        let due: Vec<MacAddress> = self
            .stations
            .iter()
            .filter(|(_, station)| station.handshake.as_ref().is_some_and(is_due))
            .map(|(address, _)| *address)
            .collect();
        for station in due {
            self.say_message(now, station, outbox);
        }
    }

    fn say_message(&mut self, now: Instant, address: MacAddress, outbox: &mut Outbox) {
        let Some(handshake) = self.stations.get_mut(&address).and_then(|station| station.handshake.as_mut()) else {
            return;
        };
        let (message, reason) = match handshake.awaits {
            Awaits::MessageTwo => (Message::First, REASON_FOUR_WAY_TIMEOUT),
            Awaits::MessageFour => (Message::Third, REASON_FOUR_WAY_TIMEOUT),
            Awaits::GroupMessageTwo => (Message::Group, REASON_GROUP_TIMEOUT),
            Awaits::Nothing => {
                handshake.due = None;
                return;
            }
        };
        if handshake.is_given_up() {
            self.send_away(now, address, reason, outbox);
            return;
        }
        let rsn = self.rsn.clone().unwrap_or_default();
        let Some(mut content) = handshake.message(now, &rsn, &self.group) else { return };
        let mut confirmation = handshake.key().map(|key| key.confirmation);
        let (fate, fault) = self.faults.fate(message);
        if let Some(fault) = fault {
            self.note(now, outbox, address, Happening::Enacted { fault });
        }
        let at = match fate {
            Fate::Lost => return,
            Fate::Sent => now,
            Fate::Late { by_ms } => now + Duration::from_millis(u64::from(by_ms)),
            Fate::BadMic => {
                // Of a key that nobody has; the first message has no MIC else.
                content.information.0 |= KeyInformation::MIC;
                confirmation = Some(self.chance.bytes());
                now
            }
        };
        let bytes = content.to_bytes(confirmation.as_ref());
        let payload = Payload::of_key_frame(address, self.bssid, &bytes);
        self.send_payload(at, &payload, false, outbox);
    }

    /// A key frame of a station.
    pub(super) fn hear_key_frame(&mut self, now: Instant, address: MacAddress, bytes: &[u8], outbox: &mut Outbox) {
        let (bssid, master) = (self.bssid, self.master);
        let Some(station) = self.stations.get_mut(&address) else { return };
        let (Some(handshake), Some(master), Some(frame)) = (station.handshake.as_mut(), master, KeyFrame::parse(bytes))
        else {
            self.note(now, outbox, address, Happening::StrangeMessage);
            return;
        };
        match handshake.answer(now, &frame, &master, [bssid, address], &station.rsn) {
            Outcome::Proceed => {
                // The third message is due now; a fault that counts from here comes before it.
                station.message_2_at.get_or_insert(now);
            }
            Outcome::Complete => {
                if let Some(key) = handshake.key() {
                    station.key = Some(PairwiseKey { temporal: key.temporal, sent: 0, received: [0; 16] });
                }
                self.join(now, address, outbox);
            }
            Outcome::GroupKeyTaken => self.note(now, outbox, address, Happening::GroupKeyRenewed),
            Outcome::WrongPassphrase => self.note(now, outbox, address, Happening::WrongPassphrase),
            Outcome::Strange => self.note(now, outbox, address, Happening::StrangeMessage),
        }
    }

    /// A station may send data from now on.
    pub(super) fn join(&mut self, now: Instant, address: MacAddress, outbox: &mut Outbox) {
        if let Some(station) = self.stations.get_mut(&address) {
            station.stage = Stage::Joined;
            station.joined_at.get_or_insert(now);
            self.note(now, outbox, address, Happening::Joined);
        }
    }

    /// Another group key for everybody.
    pub(super) fn renew_group_key(&mut self, now: Instant) {
        let period = Duration::from_secs(u64::from(self.description.group_rekey_s.unwrap_or(0).max(1)));
        self.next_rekey = self.next_rekey.map(|_| now + period);
        if self.master.is_none() {
            return;
        }
        self.group.key = self.chance.bytes();
        self.group.id = 3 - self.group.id;
        self.group.sent = 0;
        for station in self.stations.values_mut() {
            if let Some(handshake) = station.handshake.as_mut() {
                handshake.renew_group_key(now);
            }
        }
    }
}
