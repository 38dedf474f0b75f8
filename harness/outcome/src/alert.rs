//! TLS alerts by their registered names.

use core::fmt;
use serde::{Deserialize, Serialize};

/// An alert description as it stands on the wire (IANA "TLS Alerts" registry; RFC 9846 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertDescription(pub u8);

impl AlertDescription {
    /// Every registered alert with its name.
    pub const REGISTERED: &'static [(u8, &'static str)] = &[
        (0, "close_notify"),
        (10, "unexpected_message"),
        (20, "bad_record_mac"),
        (21, "decryption_failed"),
        (22, "record_overflow"),
        (30, "decompression_failure"),
        (40, "handshake_failure"),
        (41, "no_certificate"),
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (47, "illegal_parameter"),
        (48, "unknown_ca"),
        (49, "access_denied"),
        (50, "decode_error"),
        (51, "decrypt_error"),
        (52, "too_many_cids_requested"),
        (60, "export_restriction"),
        (70, "protocol_version"),
        (71, "insufficient_security"),
        (80, "internal_error"),
        (86, "inappropriate_fallback"),
        (90, "user_canceled"),
        (100, "no_renegotiation"),
        (109, "missing_extension"),
        (110, "unsupported_extension"),
        (111, "certificate_unobtainable"),
        (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"),
        (114, "bad_certificate_hash_value"),
        (115, "unknown_psk_identity"),
        (116, "certificate_required"),
        (117, "general_error"),
        (120, "no_application_protocol"),
        (121, "ech_required"),
    ];

    /// The registered name, if there is one.
    pub fn name(self) -> Option<&'static str> {
        Self::REGISTERED.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }

    /// The alert that is registered under `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::REGISTERED.iter().find(|(_, known)| *known == name).map(|(code, _)| Self(*code))
    }
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name().unwrap_or("unregistered"), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_a_bijection() {
        for (code, name) in AlertDescription::REGISTERED {
            assert_eq!(AlertDescription(*code).name(), Some(*name));
            assert_eq!(AlertDescription::from_name(name), Some(AlertDescription(*code)));
        }
        assert_eq!(AlertDescription(255).name(), None);
    }
}
