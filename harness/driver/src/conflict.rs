//! What a scenario asks of a device, and its driver has no means to say.

use std::fmt;

use control::Tls;

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

/// A conflict over `key`, if that is asked for.
pub(crate) const fn refuse(is_asked: bool, key: &'static str, why: &'static str) -> Result<(), Conflict> {
    if is_asked { Err(Conflict { key, why }) } else { Ok(()) }
}

/// What no script sets, whichever its language: a build of the image has decided it. Where `preset` has ALPN, so does every
/// scenario, and it is left out.
pub(crate) fn refuse_settings_of_builds(tls: &Tls, preset: Option<&Tls>) -> Result<(), Conflict> {
    let is_alpn_preset = preset.is_some_and(|preset| !preset.alpn.is_empty());
    refuse(!tls.groups.is_empty(), "device.groups", "")?;
    refuse(!tls.alpn.is_empty() && !is_alpn_preset, "device.alpn", "")?;
    refuse(tls.max_fragment_length_bytes.is_some(), "device.max_fragment_length_bytes", "")?;
    refuse(tls.receive_buffer_bytes.is_some(), "device.receive_buffer_bytes", "")?;
    refuse(tls.send_buffer_bytes.is_some(), "device.send_buffer_bytes", "")?;
    refuse(tls.probes_fragment_length, "device.probes_fragment_length", "")
}
