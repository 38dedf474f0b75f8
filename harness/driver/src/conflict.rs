//! What a scenario asks of a device, and its driver has no means to say.

use std::fmt;

/// Something that was asked for and cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key, as a scenario writes it: `device.groups`.
    pub key: &'static str,
    /// Why not, as the end of a sentence; empty: there is no means to set it.
    pub why: &'static str,
}

impl fmt::Display for Conflict {
    /// What follows the product's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key;
        match self.why {
            "" => write!(f, "has no means to set `{key}`, which the scenario asks for"),
            why => write!(f, "cannot do what the scenario asks for in `{key}`: {why}"),
        }
    }
}
