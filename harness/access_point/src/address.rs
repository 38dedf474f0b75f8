//! The 48-bit address of a station, of an access point, or of a group of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A MAC address (IEEE Std 802-2014 §8), in the order in which it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Everybody.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The first six bytes of `bytes`, if there are so many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk::<6>().copied().map(Self)
    }

    /// Whether more than one receiver is meant: broadcast or multicast.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is no address: its author's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoMacAddress(pub String);

impl fmt::Display for NoMacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no MAC address: six pairs of hexadecimal digits, as 02:53:48:44:00:01", self.0)
    }
}

impl std::error::Error for NoMacAddress {}

impl FromStr for MacAddress {
    type Err = NoMacAddress;

    fn from_str(text: &str) -> Result<Self, NoMacAddress> {
        let complaint = || NoMacAddress(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part =
                parts.next().filter(|part| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit()));
            *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or_else(complaint)?;
        }
        if parts.next().is_some() { Err(complaint()) } else { Ok(Self(bytes)) }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = NoMacAddress;

    fn try_from(text: String) -> Result<Self, NoMacAddress> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(address: MacAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_the_same_address() {
        let address = MacAddress([0x02, 0x53, 0x48, 0x44, 0x00, 0x01]);
        assert_eq!("02:53:48:44:00:01".parse(), Ok(address));
        assert_eq!(address.to_string(), "02:53:48:44:00:01");
        for text in ["", "02:53:48:44:00", "02:53:48:44:00:01:02", "+2:53:48:44:00:01", "0253:48:44:00:01"] {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }
}
