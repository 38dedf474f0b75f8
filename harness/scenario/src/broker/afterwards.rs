//! What becomes of a broker between two connections: a new certificate, other settings, a restart.

use serde::Deserialize;

use super::{Broker, Engine};
use crate::device::Version;
use crate::problem::Complaint;

/// The `[broker.afterwards]` table: what is different about the broker from its second connection on. What it leaves out
/// is as before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Afterwards {
    /// The TLS versions that it accepts then.
    pub versions: Option<Vec<Version>>,
    /// The cipher suites that it accepts then, by their IANA names, best first.
    pub cipher_suites: Option<Vec<String>>,
    /// The certificates that it sends then, by their names under `[pki]`.
    pub certificates: Option<Vec<String>>,
    /// Whether it knows its sessions no more: it has been restarted, and the keys of its tickets died with the process.
    pub forgets_sessions: bool,
    /// What it resumes a session under that was made under something else. OpenSSL only, and up to TLS 1.2.
    pub resumes_under: Option<ResumesUnder>,
}

/// What a session is resumed under, whatever it was made under.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ResumesUnder {
    /// This version, the secrets being the session's. It has to be one of `versions`.
    Version(Version),
    /// This cipher suite, by its IANA name, which RFC 5246 §7.4.1.3 forbids.
    CipherSuite(String),
}

impl Broker {
    /// The broker as it is from its second connection on, if that is different.
    pub fn later(&self) -> Option<Self> {
        let afterwards = self.afterwards.as_ref()?;
        let mut later = self.clone();
        later.versions = afterwards.versions.clone().unwrap_or(later.versions);
        later.cipher_suites = afterwards.cipher_suites.clone().unwrap_or(later.cipher_suites);
        if let Some(certificates) = &afterwards.certificates {
            later.certificates.clone_from(certificates);
            later.key_of = None;
        }
        Some(later)
    }
}

impl Afterwards {
    /// Refuses what makes no sense for this broker.
    pub(super) fn check(&self, broker: &Broker, exists: &dyn Fn(&str) -> bool) -> Result<(), Complaint> {
        let refuse = |problem: &str, remedy: &str| Err(Complaint::at(&["broker", "afterwards"], problem, remedy));
        if *self == Self::default() {
            return refuse("nothing is different", "say what is, or remove the table");
        }
        if !broker.tls || broker.real.is_some() {
            return refuse("only a scripted broker with TLS can change", "remove this table");
        }
        if let Some(under) = &self.resumes_under {
            if broker.engine != Engine::Openssl {
                return refuse("rustls resumes sessions as they were", "set `engine = \"openssl\"` in `[broker]`");
            }
            if !broker.resumption || self.forgets_sessions {
                return refuse("no session is resumed", "set `resumption = true`, and let nothing be forgotten");
            }
            if let ResumesUnder::CipherSuite(name) = under
                && (!Engine::Openssl.cipher_suites().contains(&name.as_str()) || !name.contains("_WITH_"))
            {
                return refuse("OpenSSL has no such suite for TLS 1.2", "name one of `cipher_suites`");
            }
        }
        match broker.later() {
            Some(later) => Broker { afterwards: None, ..later }.check(exists),
            None => Ok(()),
        }
    }
}
