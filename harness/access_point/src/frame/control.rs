//! The first two octets of every frame: what it is (IEEE Std 802.11-2020 §9.2.4.1).

/// The frame control field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameControl(pub u16);

/// What a frame is, as far as anybody here cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks to join.
    AssociationRequest,
    /// Lets in or refuses.
    AssociationResponse,
    /// Asks to come over from another access point.
    ReassociationRequest,
    /// Lets in or refuses one that comes over.
    ReassociationResponse,
    /// Asks who is there.
    ProbeRequest,
    /// Says who is there.
    ProbeResponse,
    /// Says who is there, again and again.
    Beacon,
    /// Ends an association.
    Disassociation,
    /// The first step of joining.
    Authentication,
    /// Ends an authentication, and with it an association.
    Deauthentication,
    /// Something to do, such as a channel switch.
    Action,
    /// A station that dozes asks for what was kept for it.
    PsPoll,
    /// A frame came whole.
    Acknowledgement,
    /// Data; `qos` if two octets of QoS control are behind the header.
    Data {
        /// Whether there is a QoS control field.
        qos: bool,
    },
    /// No data: tells whether the station dozes.
    Null {
        /// Whether there is a QoS control field.
        qos: bool,
    },
    /// Anything else.
    Other,
}

impl Kind {
    const fn bits(self) -> u16 {
        let (kind, subtype) = match self {
            Self::AssociationRequest => (0, 0),
            Self::AssociationResponse => (0, 1),
            Self::ReassociationRequest => (0, 2),
            Self::ReassociationResponse => (0, 3),
            Self::ProbeRequest => (0, 4),
            Self::ProbeResponse => (0, 5),
            Self::Beacon => (0, 8),
            Self::Disassociation => (0, 10),
            Self::Authentication => (0, 11),
            Self::Deauthentication => (0, 12),
            Self::Action => (0, 13),
            Self::PsPoll => (1, 10),
            Self::Acknowledgement => (1, 13),
            Self::Data { qos: false } => (2, 0),
            Self::Data { qos: true } => (2, 8),
            Self::Null { qos: false } => (2, 4),
            Self::Null { qos: true } => (2, 12),
            Self::Other => (3, 15),
        };
        kind << 2 | subtype << 4
    }
}

impl FrameControl {
    const TO_DS: u16 = 1 << 8;
    const FROM_DS: u16 = 1 << 9;
    const RETRY: u16 = 1 << 11;
    const POWER_MANAGEMENT: u16 = 1 << 12;
    const MORE_DATA: u16 = 1 << 13;
    const PROTECTED: u16 = 1 << 14;

    /// A frame of a kind, with nothing set.
    pub const fn of(kind: Kind) -> Self {
        Self(kind.bits())
    }

    /// The same, from the distribution system.
    #[must_use]
    pub const fn from_ds(self) -> Self {
        Self(self.0 | Self::FROM_DS)
    }

    /// The same, to the distribution system.
    #[must_use]
    pub const fn to_ds(self) -> Self {
        Self(self.0 | Self::TO_DS)
    }

    /// The same, encrypted.
    #[must_use]
    pub const fn protected(self) -> Self {
        Self(self.0 | Self::PROTECTED)
    }

    /// The same, sent again.
    #[must_use]
    pub const fn retried(self) -> Self {
        Self(self.0 | Self::RETRY)
    }

    /// The same, with more to come for one that dozes.
    #[must_use]
    pub const fn with_more_data(self) -> Self {
        Self(self.0 | Self::MORE_DATA)
    }

    /// What the frame is.
    pub fn kind(self) -> Kind {
        if self.0 & 0b11 != 0 {
            // Another version of the protocol than 0: nobody knows what it is.
            return Kind::Other;
        }
        const KINDS: [Kind; 17] = [
            Kind::AssociationRequest,
            Kind::AssociationResponse,
            Kind::ReassociationRequest,
            Kind::ReassociationResponse,
            Kind::ProbeRequest,
            Kind::ProbeResponse,
            Kind::Beacon,
            Kind::Disassociation,
            Kind::Authentication,
            Kind::Deauthentication,
            Kind::Action,
            Kind::PsPoll,
            Kind::Acknowledgement,
            Kind::Data { qos: false },
            Kind::Data { qos: true },
            Kind::Null { qos: false },
            Kind::Null { qos: true },
        ];
        KINDS.into_iter().find(|kind| kind.bits() == self.0 & 0xfc).unwrap_or(Kind::Other)
    }

    /// Whether it is a control frame: short, and never numbered.
    pub const fn is_control(self) -> bool {
        self.0 >> 2 & 0b11 == 1
    }

    /// Whether it is a data frame of whatever subtype.
    pub const fn is_data(self) -> bool {
        self.0 >> 2 & 0b11 == 2
    }

    /// Whether it goes to the distribution system.
    pub const fn is_to_ds(self) -> bool {
        self.0 & Self::TO_DS != 0
    }

    /// Whether it comes from the distribution system.
    pub const fn is_from_ds(self) -> bool {
        self.0 & Self::FROM_DS != 0
    }

    /// Whether it was sent before.
    pub const fn is_retry(self) -> bool {
        self.0 & Self::RETRY != 0
    }

    /// Whether its sender will doze after it.
    pub const fn dozes(self) -> bool {
        self.0 & Self::POWER_MANAGEMENT != 0
    }

    /// Whether it is encrypted.
    pub const fn is_protected(self) -> bool {
        self.0 & Self::PROTECTED != 0
    }
}
