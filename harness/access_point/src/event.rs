//! What happened on the air that no Ethernet frame tells.

use std::fmt;

use clock::Instant;

use crate::MacAddress;
use crate::misbehaviour::Misbehaviour;
use crate::{Rate, Security};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// At which access point, 0 for the first; none, where it is about what no access point here does.
    pub access_point: Option<usize>,
    /// To which station; nobody, where it is about the access point itself.
    pub station: MacAddress,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// A station asked for a network by a name that no access point here has. Told once for each name.
    LooksFor {
        /// The name, as it was asked for.
        ssid: Vec<u8>,
    },
    /// A station was let in to associate.
    Authenticated,
    /// A station was not let in to associate.
    AuthenticationRefused {
        /// The status code.
        status: u16,
    },
    /// A station is associated.
    Associated {
        /// Its association identifier.
        aid: u16,
    },
    /// A station was not associated.
    AssociationRefused {
        /// The status code.
        status: u16,
    },
    /// The second message of a handshake does not fit the passphrase: the station has another one.
    WrongPassphrase,
    /// A message of a handshake makes no sense, and was passed over.
    StrangeMessage,
    /// The station may send data.
    Joined,
    /// The station has taken another group key.
    GroupKeyRenewed,
    /// A station was sent away.
    SentAway {
        /// The reason code.
        reason: u16,
    },
    /// A station went by itself.
    Left {
        /// The reason code.
        reason: u16,
    },
    /// A frame for a station was never acknowledged, in all attempts.
    NotAcknowledged,
    /// A protected frame fits no key, or came a second time.
    NotDecrypted,
    /// A fault was enacted.
    Enacted {
        /// Which.
        fault: Misbehaviour,
    },
    /// A frame for a station is kept until it asks: the station dozes.
    Kept,
    /// A frame was dropped because too many wait already.
    Dropped,
    /// A station has acknowledged what an access point told of itself, and never asked to be let in. Told at the end.
    Declined {
        /// What it was told.
        security: Security,
    },
    /// Frames were lost by chance. Told at the end.
    Lost {
        /// Of those that a station sent to the access point.
        from_station: u32,
        /// Of those that the access point sent to a station.
        to_station: u32,
        /// How many frames stations sent once more: with the retry bit (IEEE Std 802.11-2020 §9.2.4.1.6).
        sent_again: u32,
        /// At which rates.
        again_at: Vec<Rate>,
    },
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LooksFor { ssid } => write!(f, "looks for the network {:?}", String::from_utf8_lossy(ssid)),
            Self::Authenticated => f.write_str("authenticated"),
            Self::AuthenticationRefused { status } => write!(f, "authentication refused, status {status}"),
            Self::Associated { aid } => write!(f, "associated as {aid}"),
            Self::AssociationRefused { status } => write!(f, "association refused, status {status}"),
            Self::WrongPassphrase => f.write_str("has another passphrase"),
            Self::StrangeMessage => f.write_str("a key message that makes no sense"),
            Self::Joined => f.write_str("joined"),
            Self::GroupKeyRenewed => f.write_str("group key renewed"),
            Self::SentAway { reason } => write!(f, "sent away, reason {reason}"),
            Self::Left { reason } => write!(f, "left, reason {reason}"),
            Self::NotAcknowledged => f.write_str("a frame was never acknowledged"),
            Self::NotDecrypted => f.write_str("a protected frame that fits no key"),
            Self::Enacted { fault } => write!(f, "fault enacted: {fault:?}"),
            Self::Kept => f.write_str("a frame is kept: the station dozes"),
            Self::Dropped => f.write_str("a frame was dropped: too many wait"),
            Self::Declined { security } => {
                let network = match security {
                    Security::Open => "an open network",
                    Security::Wpa2 => "WPA2",
                    Security::Tkip => "TKIP alone",
                    Security::Wpa3 => "WPA3 alone",
                };
                write!(f, "heard of {network}, and never asked to be let in")
            }
            Self::Lost { from_station, to_station, sent_again, again_at } => {
                write!(
                    f,
                    "{from_station} frames from the station were lost, {to_station} to it; it sent {sent_again} again"
                )?;
                let rates: Vec<String> =
                    again_at.iter().map(|rate| format!("{}", f64::from(rate.as_500_kbps()) / 2.0)).collect();
                if rates.is_empty() { Ok(()) } else { write!(f, ", at {} Mbit/s", rates.join(" ")) }
            }
        }
    }
}
