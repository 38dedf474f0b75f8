//! Which way something travels.

use std::fmt;

/// Which way a packet or a byte travels on the serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The device sent it.
    FromDevice,
    /// The device is to receive it.
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
