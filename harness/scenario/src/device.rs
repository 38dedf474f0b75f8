//! What the device is told: the `[device]` table.

mod read;
mod values;

use control::{Act, Link, ModemReader, Plan, Tls, Trust};
use serde::Deserialize;

use crate::lan;
use crate::problem::Complaint;
pub(crate) use read::Unreadable;
pub use read::told_keys;
pub use values::{Clock, Encoding, ServerName, Version};

/// The `[device]` table: what is looked up before the firmware is told. What it is told as it is written are the fields
/// of [`Plan`] and [`Tls`], each a key of this table too; `[device.mqtt]` is [`control::Mqtt`]. Everything has a default;
/// the default device is well configured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// What it dials: a name or the literal of an address.
    pub dials: String,
    /// The port that it dials.
    pub port: u16,
    /// How it reaches its broker: by IP on the serial line, or through a modem on its second one (`"modem"`).
    #[serde(deserialize_with = "values::link")]
    pub link: Link,
    /// What it makes of an unsolicited result code amid an answer of its modem.
    pub modem_reader: ModemReader,
    /// Whether it speaks TLS at all.
    pub tls: bool,
    /// The name for SNI and for the check of the certificate: absent, what it dials; `false`, none; or another name.
    pub server_name: ServerName,
    /// Whom it trusts: what it `trusts` as trust anchors, or otherwise. A certificate is named as under `[pki]`.
    pub trust: Trust<String, String>,
    /// The certificates that it is given as trust anchors, by their names under `[pki]`.
    pub trusts: Vec<String>,
    /// How these reach it.
    pub trusts_as: Encoding,
    /// The certificates of its own chain, leaf first, by their names under `[pki]`. Empty: it has none.
    pub certificates: Vec<String>,
    /// The certificate whose key it is given; absent, that of its own leaf.
    pub key_of: Option<String>,
    /// The TLS versions that it offers, a contiguous range: `["1.2", "1.3"]`. Empty: the library's default.
    pub versions: Vec<Version>,
    /// Cipher suites by their IANA names, best first. Empty: the library's default.
    pub cipher_suites: Vec<String>,
    /// Groups by their IANA names, best first. Empty: the library's default.
    pub groups: Vec<String>,
    /// What its clock shows.
    pub clock: Clock,
    /// What it is told as it is written, but for TLS.
    #[serde(skip)]
    pub plan: Plan,
    /// What it is told of TLS as it is written.
    #[serde(skip)]
    pub security: Tls,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            dials: lan::BROKER_NAME.into(),
            port: lan::SECURE_MQTT_PORT,
            link: Link::Ip,
            modem_reader: ModemReader::Correct,
            tls: true,
            server_name: ServerName::AsDialled,
            trust: Trust::Authorities,
            trusts: vec!["root".into()],
            trusts_as: Encoding::Pem,
            certificates: Vec::new(),
            key_of: None,
            versions: Vec::new(),
            cipher_suites: Vec::new(),
            groups: Vec::new(),
            clock: Clock::Set,
            plan: read::default(),
            security: Tls::default(),
        }
    }
}

impl Device {
    /// Whether the device dials the literal of an address.
    pub fn dials_address(&self) -> bool {
        self.dials.parse::<std::net::IpAddr>().is_ok()
    }

    /// The certificate that is pinned, by its name under `[pki]`.
    pub fn pinned(&self) -> Option<&str> {
        match &self.trust {
            Trust::Authorities | Trust::SelfSigned => None,
            Trust::Fingerprint(name) | Trust::KnownKey(name) => Some(name),
        }
    }

    /// Whether it reaches its broker through a modem.
    pub fn has_modem(&self) -> bool {
        matches!(self.link, Link::Modem(_))
    }

    pub(crate) fn check(&self) -> Result<(), Complaint> {
        if self.dials.is_empty() || self.dials.len() > 253 {
            return Err(Complaint::at(
                &["device", "dials"],
                "a name has 1 to 253 characters",
                "give a host name or an address",
            ));
        }
        if !self.certificates.is_empty() && !self.tls {
            return Err(Complaint::at(
                &["device", "certificates"],
                "a device without TLS shows no certificate",
                "remove `certificates`, or set `tls = true`",
            ));
        }
        if self.key_of.is_some() && self.certificates.is_empty() {
            return Err(Complaint::at(
                &["device", "key_of"],
                "a key without a certificate is never used",
                "name the device's chain in `certificates`",
            ));
        }
        if self.security.keeps_session && self.plan.repeats == 0 && self.plan.reconnects == 0 {
            return Err(Complaint::at(
                &["device", "keeps_session"],
                "a device that connects once never offers its session again",
                "let it connect again: `repeats = 1`",
            ));
        }
        if self.plan.repeats > 1_000 {
            return Err(Complaint::at(
                &["device", "repeats"],
                "a transcript of so many connections helps nobody",
                "repeat at most 1000 times",
            ));
        }
        if let Some(hello) = &self.security.client_hello
            && (hello.len() % 2 != 0 || hello.len() > 2 * 1024 || !hello.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(Complaint::at(
                &["device", "client_hello"],
                "this is no record in hexadecimal digits",
                "give at most 1024 bytes, two digits each, without spaces",
            ));
        }
        if let Some(bytes) = self.security.max_fragment_length_bytes
            && ![512, 1024, 2048, 4096].contains(&bytes)
        {
            return Err(Complaint::at(
                &["device", "max_fragment_length_bytes"],
                "RFC 6066 §4 knows no such length",
                "ask for 512, 1024, 2048 or 4096",
            ));
        }
        for (key, bytes) in [
            ("receive_buffer_bytes", self.security.receive_buffer_bytes),
            ("send_buffer_bytes", self.security.send_buffer_bytes),
        ] {
            if bytes.is_some_and(|bytes| !(512..=16_384).contains(&bytes)) {
                return Err(Complaint::at(
                    &["device", key],
                    "a record holds at most 16384 bytes (RFC 9846 §5.1), and no library works with less than 512",
                    "give a number from 512 to 16384",
                ));
            }
        }
        self.check_qualities()
    }

    /// The client knows the qualities of service 0 and 1.
    fn check_qualities(&self) -> Result<(), Complaint> {
        let mqtt = &self.plan.mqtt;
        let of_act = |act: &Act| match act {
            Act::Subscribe { qos, .. } | Act::Publish { qos, .. } => Some(*qos),
            _ => None,
        };
        let acts = mqtt.acts.iter().filter_map(of_act).map(|qos| ("acts", qos));
        let all = acts.chain(mqtt.will.iter().map(|will| ("will", will.qos)));
        match all.into_iter().find(|(_, qos)| *qos > 1) {
            Some((key, qos)) => Err(Complaint::at(
                &["device", "mqtt", key],
                format!("the client has no quality of service {qos}"),
                "write 0 or 1",
            )),
            None => Ok(()),
        }
    }
}
