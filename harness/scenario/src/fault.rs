//! Where a scenario's fault shows: the table `[fault]`.

use serde::{Deserialize, Deserializer};

use crate::broker::Broker;
use crate::problem::Complaint;
use crate::wifi::HAPPENINGS;

/// The line of the transcript at which the fault shows. What the device does counts from there: a device that fails
/// before has met nothing, for whatever reason it fails.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultMark {
    /// Who said it: one of [`FaultMark::SPEAKERS`].
    pub who: String,
    /// What was said, as the transcript's third column has it: one of [`FaultMark::WORDS`], or a list of which any will
    /// do. `(configuration)` of a device is nothing that is said: the fault lies in the device's own hands, and may be
    /// refused before anybody is dialled.
    #[serde(deserialize_with = "one_or_more")]
    pub said: Vec<String>,
    /// On which connection, counted from 1. Absent: on all of them.
    #[serde(default)]
    pub connection: Option<u32>,
    /// What of the broker's the device has to offer, or else nobody can make it take it: a device whose ClientHello has
    /// none of that never meets the fault, which is the best it can do.
    #[serde(default)]
    pub needs: Option<Needs>,
}

/// A list of the table `[broker]` of which a device has to offer something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// One of `broker.versions`.
    Versions,
    /// One of `broker.cipher_suites`.
    CipherSuites,
    /// One of `broker.groups`.
    Groups,
    /// One of `broker.signature_schemes`.
    SignatureSchemes,
}

impl Needs {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Versions, Self::CipherSuites, Self::Groups, Self::SignatureSchemes];

    /// The key of the table `[broker]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::CipherSuites => "cipher_suites",
            Self::Groups => "groups",
            Self::SignatureSchemes => "signature_schemes",
        }
    }

    const fn is_named(self, broker: &Broker) -> bool {
        match self {
            Self::Versions => !broker.versions.is_empty(),
            Self::CipherSuites => !broker.cipher_suites.is_empty(),
            Self::Groups => !broker.groups.is_empty(),
            Self::SignatureSchemes => !broker.signature_schemes.is_empty(),
        }
    }
}

impl FaultMark {
    /// What is nothing that a device says: its configuration.
    pub const CONFIGURATION: &'static str = "(configuration)";

    /// Who may speak in a transcript.
    pub const SPEAKERS: &'static [&'static str] = &["device", "broker", "dns", "sntp", "modem", Self::AIR];

    /// Access points and DHCP, in what they say of the device.
    pub const AIR: &'static str = "air";

    /// What may be said in a transcript: TCP's words, the handshake messages of TLS, the packets of MQTT, what the
    /// bench calls the rest, and a modem's commands and answers.
    pub const WORDS: &'static [&'static str] = &[
        "SYN",
        "FIN",
        "RST",
        "HelloRequest",
        "ClientHello",
        "ServerHello",
        "HelloRetryRequest",
        "EncryptedExtensions",
        "CertificateRequest",
        "Certificate",
        "ServerKeyExchange",
        "ServerHelloDone",
        "ClientKeyExchange",
        "CertificateVerify",
        "Finished",
        "NewSessionTicket",
        "KeyUpdate",
        "alert",
        "CONNECT",
        "CONNACK",
        "SUBSCRIBE",
        "SUBACK",
        "PUBLISH",
        "PUBACK",
        "PINGREQ",
        "PINGRESP",
        "DISCONNECT",
        "query",
        "answer",
        "(encrypted)",
        "(bad record)",
        "(fragment)",
        "(not TLS)",
        "(not MQTT)",
        "(data)",
        "AT+CIPOPEN",
        "AT+CIPSEND",
        "AT+CIPRXGET",
        "OK",
        "ERROR",
        ">",
        "+CIPOPEN",
        "+CIPSEND",
        "+CIPRXGET",
        "+CIPERROR",
        "+CIPEVENT",
        "+IPCLOSE",
        "*ATREADY",
        "(unread)",
        Self::CONFIGURATION,
    ];

    /// Whether the fault lies in the device's own configuration.
    pub fn is_in_the_device(&self) -> bool {
        self.said.iter().any(|word| word == Self::CONFIGURATION)
    }

    /// As a sentence has it, with the connection if it names one: `` `broker Certificate` on connection 2 ``.
    pub fn describe(&self) -> String {
        let line = format!("`{} {}`", self.who, self.said.join(" or "));
        match self.connection {
            Some(number) => format!("{line} on connection {number}"),
            None => line,
        }
    }

    pub(crate) fn check(&self, broker: &Broker) -> Result<(), Complaint> {
        let unknown = |key: &str, word: &str, known: &[&str]| {
            Err(Complaint::at(
                &["fault", key],
                format!("no line of a transcript has `{word}` there"),
                format!("write one of {}", known.join(", ")),
            ))
        };
        if !Self::SPEAKERS.contains(&self.who.as_str()) {
            return unknown("who", &self.who, Self::SPEAKERS);
        }
        let words = if self.who == Self::AIR { HAPPENINGS } else { Self::WORDS };
        if let Some(word) = self.said.iter().find(|word| !words.contains(&word.as_str())) {
            return unknown("said", word, words);
        }
        if self.said.is_empty() {
            return Err(Complaint::at(&["fault", "said"], "nothing is ever said", "name a line of the transcript"));
        }
        if self.is_in_the_device() && (self.who != "device" || self.said.len() != 1) {
            return Err(Complaint::at(
                &["fault", "said"],
                "a configuration is the device's alone, and not said",
                "write `who = \"device\"` and `said = \"(configuration)\"`, or name a line of the transcript",
            ));
        }
        match self.needs {
            Some(needs) if !needs.is_named(broker) => Err(Complaint::at(
                &["fault", "needs"],
                format!("`broker.{}` says nothing that a device could offer", needs.key()),
                format!("give `broker.{}`, or leave this out", needs.key()),
            )),
            _ => Ok(()),
        }
    }
}

/// A text, or a list of texts.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text, or a list of texts")]
    enum Written {
        One(String),
        More(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::One(one) => vec![one],
        Written::More(more) => more,
    })
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    fn read(fault: &str) -> Result<Scenario, String> {
        let text = format!(
            "title = 'x'\n[specification]\ndemands = 'refuse'\nrule = 'RFC 9325 §4.1'\nquote = 'x'\n\
             [broker]\ncipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']\n[fault]\n{fault}\n"
        );
        Scenario::parse("x/y", "y.toml", &text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn one_word_or_several() {
        for (said, described) in [
            ("'Certificate'", "`broker Certificate`"),
            ("['CertificateVerify', 'ServerKeyExchange']", "`broker CertificateVerify or ServerKeyExchange`"),
            ("'Certificate'\nconnection = 2", "`broker Certificate` on connection 2"),
        ] {
            let scenario = read(&format!("who = 'broker'\nsaid = {said}")).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(scenario.fault.expect("there is one").describe(), described);
        }
    }

    #[test]
    fn marks_that_no_transcript_can_have_are_refused() {
        for (fault, why) in [
            ("who = 'nobody'\nsaid = 'FIN'", "`nobody`"),
            ("who = 'broker'\nsaid = 'Hello'", "`Hello`"),
            ("who = 'broker'\nsaid = ['FIN', 'Hello']", "`Hello`"),
            ("who = 'broker'\nsaid = []", "nothing is ever said"),
            ("who = 'broker'\nsaid = 7", "a text, or a list of texts"),
            ("who = 'broker'\nsaid = '(configuration)'", "the device's alone"),
            ("who = 'device'\nsaid = ['(configuration)', 'FIN']", "the device's alone"),
            ("who = 'broker'\nsaid = 'ServerHello'\nneeds = 'groups'", "`broker.groups` says nothing"),
            ("who = 'broker'\nsaid = 'ServerHello'\nneeds = 'luck'", "luck"),
        ] {
            let problem = read(fault).expect_err(fault);
            assert!(problem.contains(why) && problem.contains("y.toml:"), "{fault}: {problem}");
        }
        let scenario = read("who = 'device'\nsaid = '(configuration)'").unwrap_or_else(|why| panic!("{why}"));
        assert!(scenario.fault.is_some_and(|mark| mark.is_in_the_device()));
        assert!(read("who = 'broker'\nsaid = 'ServerHello'\nneeds = 'cipher_suites'").is_ok());
    }
}
