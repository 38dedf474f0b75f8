//! What a peer can do wrong, with the rule that it breaks.

use core::fmt;

/// A breach of MQTT 3.1.1. In nearly all cases the receiver must close the connection [MQTT-4.8.0-1].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "`told` says each in a sentence")]
pub enum Violation {
    RemainingLength,
    ReservedKind,
    FixedFlags,
    TooShort,
    TooLong,
    StringNotUtf8,
    StringHasNul,
    StringTooLong,
    PacketIdIsZero,
    ProtocolName,
    ProtocolLevel(u8),
    ConnectReservedFlag,
    WillQosWithoutWill,
    WillQosIsThree,
    WillRetainWithoutWill,
    PasswordWithoutUserName,
    NoClientIdAndNoCleanSession,
    ConnAckReservedFlags,
    SessionPresentThoughRefused,
    PublishQosIsThree,
    DuplicateOfQosZero,
    WildcardInTopicName,
    EmptyTopic,
    SubscribeWithoutFilter,
    SubscribeQos,
    UnsubscribeWithoutFilter,
    MultiLevelWildcard,
    SingleLevelWildcard,
    SubAckCode(u8),
}

impl Violation {
    /// The rule's number in MQTT 3.1.1, appendix B; or the section, where the standard forbids without a number.
    pub const fn rule(self) -> &'static str {
        self.told().0
    }

    /// Rule and sentence.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::RemainingLength => ("§2.2.3", "the remaining length is malformed"),
            Self::ReservedKind => ("§2.2.1", "packet types 0 and 15 are reserved"),
            Self::FixedFlags => ("MQTT-2.2.2-2", "the flags of the fixed header are not those of this packet"),
            Self::TooShort => ("MQTT-4.8.0-1", "the packet ends before its fields do"),
            Self::TooLong => ("MQTT-4.8.0-1", "bytes are left over after the last field"),
            Self::StringNotUtf8 => ("MQTT-1.5.3-1", "a string is not well-formed UTF-8"),
            Self::StringHasNul => ("MQTT-1.5.3-2", "a string contains U+0000"),
            Self::StringTooLong => ("§1.5.3", "a string or the packet is longer than its length field can say"),
            Self::PacketIdIsZero => ("MQTT-2.3.1-1", "the packet identifier is zero"),
            Self::ProtocolName => ("MQTT-3.1.2-1", "the protocol name is not MQTT"),
            Self::ProtocolLevel(_) => ("MQTT-3.1.2-2", "the protocol level is not supported"),
            Self::ConnectReservedFlag => ("MQTT-3.1.2-3", "the reserved CONNECT flag is set"),
            Self::WillQosWithoutWill => ("MQTT-3.1.2-13", "a will QoS is given, but no will"),
            Self::WillQosIsThree => ("MQTT-3.1.2-14", "the will QoS is 3"),
            Self::WillRetainWithoutWill => ("MQTT-3.1.2-15", "will retain is set, but there is no will"),
            Self::PasswordWithoutUserName => ("MQTT-3.1.2-22", "a password is given, but no user name"),
            Self::NoClientIdAndNoCleanSession => {
                ("MQTT-3.1.3-8", "the client identifier is empty though the session is to be kept")
            }
            Self::ConnAckReservedFlags => ("§3.2.2.1", "reserved CONNACK flags are set"),
            Self::SessionPresentThoughRefused => ("MQTT-3.2.2-4", "session present is set in a refusal"),
            Self::PublishQosIsThree => ("MQTT-3.3.1-4", "the QoS of a PUBLISH is 3"),
            Self::DuplicateOfQosZero => ("MQTT-3.3.1-2", "DUP is set in a QoS 0 message"),
            Self::WildcardInTopicName => ("MQTT-3.3.2-2", "the topic name of a PUBLISH contains a wildcard"),
            Self::EmptyTopic => ("MQTT-4.7.3-1", "a topic name or filter is empty"),
            Self::SubscribeWithoutFilter => ("MQTT-3.8.3-3", "SUBSCRIBE carries no topic filter"),
            Self::SubscribeQos => ("MQTT-3-8.3-4", "the requested QoS byte is not 0, 1 or 2"),
            Self::UnsubscribeWithoutFilter => ("MQTT-3.10.3-2", "UNSUBSCRIBE carries no topic filter"),
            Self::MultiLevelWildcard => ("MQTT-4.7.1-2", "`#` is not the last level of the filter, or not alone in it"),
            Self::SingleLevelWildcard => ("MQTT-4.7.1-3", "`+` is not alone in its level"),
            Self::SubAckCode(_) => ("MQTT-3.9.3-2", "a SUBACK code is reserved"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rule, sentence) = self.told();
        match self {
            Self::ProtocolLevel(value) | Self::SubAckCode(value) => write!(f, "{sentence}: {value} [{rule}]"),
            _ => write!(f, "{sentence} [{rule}]"),
        }
    }
}

impl core::error::Error for Violation {}
