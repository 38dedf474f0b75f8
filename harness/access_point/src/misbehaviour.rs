//! What an access point does wrong: the vocabulary of the air. This crate owns it; scenario files compose it.

use serde::{Deserialize, Serialize};

/// One thing that goes wrong. Without `times` it goes wrong each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Misbehaviour {
    /// Probe requests are not answered: who scans actively hears beacons at most.
    NoProbeResponse {},
    /// Requests to authenticate are acknowledged and never answered.
    NoAuthentication {
        /// How often.
        times: Option<u32>,
    },
    /// Authentication is refused with a status code (IEEE Std 802.11-2020 table 9-50).
    AuthenticationRefused {
        /// The status code.
        status: u16,
        /// How often.
        times: Option<u32>,
    },
    /// Requests to associate are acknowledged and never answered.
    NoAssociation {
        /// How often.
        times: Option<u32>,
    },
    /// Association is refused with a status code (table 9-50).
    AssociationRefused {
        /// The status code.
        status: u16,
        /// How often.
        times: Option<u32>,
    },
    /// A message of a handshake never leaves the access point.
    MessageLost {
        /// Which.
        message: Message,
        /// How often.
        times: Option<u32>,
    },
    /// A message of a handshake leaves late.
    MessageLate {
        /// Which.
        message: Message,
        /// By how many milliseconds.
        by_ms: u32,
        /// How often.
        times: Option<u32>,
    },
    /// A message of a handshake has a message integrity code that fits no key.
    MessageBadMic {
        /// Which.
        message: Message,
        /// How often.
        times: Option<u32>,
    },
    /// The access point ends the authentication of its stations, once, with a reason code (table 9-49).
    Deauthentication {
        /// When.
        when: Moment,
        /// The reason code.
        reason: u16,
    },
    /// The access point ends the association of its stations, once, with a reason code (table 9-49).
    Disassociation {
        /// When.
        when: Moment,
        /// The reason code.
        reason: u16,
    },
    /// Beacons stop; everything else goes on.
    BeaconsStop {
        /// When.
        when: Moment,
    },
    /// The access point loses its power and forgets its stations.
    PowerCut {
        /// When.
        when: Moment,
        /// For how many milliseconds; for ever, if not said.
        for_ms: Option<u32>,
    },
    /// The access point goes to another channel.
    ChannelSwitch {
        /// When.
        when: Moment,
        /// The new channel.
        channel: u8,
        /// Whether its beacons say so before, as they have to (§11.8.8).
        announced: bool,
    },
    /// Frames are lost by chance, acknowledgements too: a weak signal.
    Loss {
        /// Of a thousand frames that a station sends.
        #[serde(default)]
        from_station_per_mille: u16,
        /// Of a thousand frames that a station is sent.
        #[serde(default)]
        to_station_per_mille: u16,
    },
    /// Frames for a station that dozes are dropped and not kept.
    NothingKept {},
    /// Frames for a station that dozes are kept, and no beacon says so.
    NoTrafficIndication {},
}

/// A message of the authenticator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The four-way handshake's first: the access point's nonce.
    #[serde(rename = "message_1")]
    First,
    /// The four-way handshake's third: the group key.
    #[serde(rename = "message_3")]
    Third,
    /// The group handshake's first: another group key.
    #[serde(rename = "group_message_1")]
    Group,
}

/// A moment, counted from something that happens to a station for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// From when to count.
    pub after: Milestone,
    /// Milliseconds.
    #[serde(default)]
    pub ms: u32,
}

/// From when a [`Moment`] is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The access point has power.
    PowerOn,
    /// A station is associated.
    Association,
    /// A station has answered the first message of the four-way handshake.
    #[serde(rename = "message_2")]
    MessageTwo,
    /// A station may send data: it is associated, and its keys are in place.
    Joined,
}

impl Misbehaviour {
    /// When it is enacted of itself, if it is.
    pub(crate) fn when(&self) -> Option<Moment> {
        match self {
            Self::Deauthentication { when, .. }
            | Self::Disassociation { when, .. }
            | Self::BeaconsStop { when }
            | Self::PowerCut { when, .. }
            | Self::ChannelSwitch { when, .. } => Some(*when),
            _ => None,
        }
    }

    /// How often it goes wrong; `None` for each time.
    pub fn times(&self) -> Option<u32> {
        match self {
            Self::NoAuthentication { times }
            | Self::AuthenticationRefused { times, .. }
            | Self::NoAssociation { times }
            | Self::AssociationRefused { times, .. }
            | Self::MessageLost { times, .. }
            | Self::MessageLate { times, .. }
            | Self::MessageBadMic { times, .. } => *times,
            _ => None,
        }
    }
}
