//! Which way something travels.

use std::fmt;

use serde::Deserialize;

/// Which way a packet or a byte travels on the serial line. In a file it is named by its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Direction {
    /// The device sent it.
    #[serde(rename = "device")]
    FromDevice,
    /// The device is to receive it: the broker sent it, or somebody else in the LAN.
    #[serde(rename = "broker")]
    ToDevice,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromDevice => "from the device",
            Self::ToDevice => "to the device",
        })
    }
}
