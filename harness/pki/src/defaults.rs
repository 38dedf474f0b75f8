//! What a certificate is where a scenario says nothing of it, profile by profile.

use serde::Serialize;

use crate::spec::{Digest, ExtendedKeyUsage, KeyKind, KeyUsage, Moment, Name, Profile, Subject, TimeEncoding};

/// The fields of [`crate::spec::Certificate`] that have a default, under the same names. What is not among them stands for
/// nothing where it is left out; the serial number is drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as in `Certificate`")]
pub struct Defaults {
    pub issuer: String,
    pub subject: Subject,
    pub names: Vec<Name>,
    pub filler_names: u16,
    pub not_before: Moment,
    pub not_after: Moment,
    pub time_encoding: TimeEncoding,
    pub key: KeyKind,
    pub signature: Digest,
    pub version: u8,
    pub ca: bool,
    pub key_usage: Vec<KeyUsage>,
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    pub must_staple: bool,
}

impl Defaults {
    /// The defaults of a certificate called `name`, of this profile, with a key of the kind `key`.
    pub fn of(profile: Profile, name: &str, key: KeyKind) -> Self {
        let ca = matches!(profile, Profile::Root | Profile::Intermediate);
        let (before_days, after_days) = if ca { (-3_650, 3_650) } else { (-30, 335) };
        let (subject, extended_key_usage) = match profile {
            Profile::Root | Profile::Intermediate => (format!("Shakedown test {name}"), vec![]),
            Profile::Server => ("broker.test".to_owned(), vec![ExtendedKeyUsage::server_auth()]),
            Profile::Client => ("device".to_owned(), vec![ExtendedKeyUsage::client_auth()]),
        };
        Self {
            issuer: if profile == Profile::Root { "self" } else { "root" }.to_owned(),
            subject: Subject::from(subject.as_str()),
            names: if profile == Profile::Server { vec![Name::Dns("broker.test".to_owned())] } else { vec![] },
            filler_names: 0,
            not_before: Moment::days(before_days),
            not_after: Moment::days(after_days),
            time_encoding: TimeEncoding::default(),
            key,
            signature: Digest::Sha256,
            version: 3,
            ca,
            key_usage: match profile {
                Profile::Root | Profile::Intermediate => vec![KeyUsage::KeyCertSign, KeyUsage::CrlSign],
                Profile::Server if key.is_rsa() => vec![KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment],
                Profile::Server | Profile::Client => vec![KeyUsage::DigitalSignature],
            },
            extended_key_usage,
            must_staple: false,
        }
    }
}
