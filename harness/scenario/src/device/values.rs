//! Values of the `[device]` table that are looked up before the firmware is told.

use control::{Link, Modem};
use serde::Deserialize;

use crate::date::Date;

/// The name that the device sends by SNI and looks for in the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerName {
    /// What it dials.
    #[default]
    AsDialled,
    /// None: nothing is sent, nothing is looked for.
    None,
    /// Another name.
    Other(String),
}

impl<'de> Deserialize<'de> for ServerName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "`false` (no name at all) or a name")]
        enum Written {
            Switch(bool),
            Name(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Switch(true) => Self::AsDialled,
            Written::Switch(false) => Self::None,
            Written::Name(name) => Self::Other(name),
        })
    }
}

/// A link as a file writes it: by its name, or with how the modem's answers are read.
pub(super) fn link<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Name {
        Ip,
        Modem,
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`\"ip\"`, `\"modem\"` or `{ modem = { reader = … } }`")]
    enum Written {
        Name(Name),
        Link(Link),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Name(Name::Ip) => Link::Ip,
        Written::Name(Name::Modem) => Link::Modem(Modem::default()),
        Written::Link(link) => link,
    })
}

/// How certificates reach the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As text with BEGIN and END lines (RFC 7468).
    #[default]
    Pem,
    /// As the bare bytes of ASN.1 (X.690).
    Der,
    /// As text of which the last third is missing: a file that did not fit.
    TruncatedPem,
    /// As text without its BEGIN and END lines: the bare base64 of the DER.
    BareBase64,
    /// As text with carriage returns and a byte order mark, as some editors save it.
    PemWithByteOrderMark,
}

/// A TLS version by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Version {
    /// RFC 2246; RFC 8996 forbids it.
    #[serde(rename = "1.0")]
    Tls10,
    /// RFC 4346; RFC 8996 forbids it.
    #[serde(rename = "1.1")]
    Tls11,
    /// RFC 5246.
    #[serde(rename = "1.2")]
    Tls12,
    /// RFC 9846.
    #[serde(rename = "1.3")]
    Tls13,
}

impl Version {
    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What the device's clock shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The scenario's date.
    #[default]
    Set,
    /// 1970-01-01: nobody set it.
    Unset,
    /// The time of the network's SNTP server.
    Sntp,
    /// Another date.
    Other(Date),
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "set" => Self::Set,
            "unset" => Self::Unset,
            "sntp" => Self::Sntp,
            other => {
                let date =
                    <Date as Deserialize>::deserialize(serde::de::value::StrDeserializer::<D::Error>::new(other));
                Self::Other(date.map_err(|_| {
                    serde::de::Error::custom(format!(
                        "`{other}` is no clock: say \"set\", \"unset\", \"sntp\" or a date such as \"2026-01-01T00:00:00Z\""
                    ))
                })?)
            }
        })
    }
}
