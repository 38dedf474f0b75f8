//! What the broker does: the `[broker]` table.
//!
//! The default broker is a good one: TLS 1.2 and 1.3, one certificate, everybody may log in. A scenario turns one
//! screw. What can go wrong stands in enums by stage of the connection, each variant with its one sentence; the idea
//! is that of BoringSSL's BoGo runner.

mod afterwards;
mod clients;
mod engine;
mod misbehaviour;
mod mqtt;
mod personality;

pub use afterwards::{Afterwards, ResumesUnder};
pub use clients::{ClientCertificates, Request};
pub use engine::Engine;
pub use misbehaviour::{
    Alert, Goodbye, OnAccept, OnClientHello, OnFinished, OnMissingName, OnServerFlight, OnServerHello,
};
pub use mqtt::{Message, Mqtt, OnConnect, OnPing, OnPublish, OnSubscribe, Packing, Then, When};
pub use personality::Personality;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::device::Version;
use crate::problem::Complaint;

/// The `[broker]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// A real program in the place of the scripted broker.
    pub real: Option<Real>,
    /// Whether it speaks TLS at all on its port.
    pub tls: bool,
    /// Whose broker it is like: what that one is known for holds where this table does not say otherwise.
    pub personality: Option<Personality>,
    /// The TLS library that speaks for it.
    pub engine: Engine,
    /// The TLS versions that it accepts. Empty: none that a client of today could offer.
    pub versions: Vec<Version>,
    /// The cipher suites that it accepts, by their IANA names, best first. Empty: all that it has, in the
    /// client's order.
    pub cipher_suites: Vec<String>,
    /// The groups that it accepts, by their IANA names (`x25519`, `secp256r1`, …), best first. Empty: all that it has.
    pub groups: Vec<String>,
    /// The size of its finite field for DHE, in bits. OpenSSL only.
    pub dh_bits: u16,
    /// OpenSSL's security level: 0 lets everything pass, 1 is its default, 2 is Debian's (SSL_CTX_set_security_level(3)).
    pub security_level: u8,
    /// Whether it agrees to the extended main secret (RFC 7627). Only OpenSSL can be told not to.
    pub extended_main_secret: bool,
    /// The schemes with which it signs, by their IANA names (`rsa_pss_rsae_sha256`, …). Empty: all that fit its key.
    pub signature_schemes: Vec<String>,
    /// The certificates that it sends, in this order, by their names under `[pki]`.
    pub certificates: Vec<String>,
    /// Whether bytes that are no certificate follow the last one.
    pub junk_after_certificates: bool,
    /// The certificate whose key it uses; absent, that of the first one that it sends.
    pub key_of: Option<String>,
    /// Other certificates for who asks for these names by SNI (RFC 6066 §3).
    pub tenants: BTreeMap<String, Vec<String>>,
    /// What it does when the client asks for no name.
    pub on_missing_name: OnMissingName,
    /// What it does when the client asks for a name that is neither in `tenants` nor in `names`.
    pub on_unknown_name: OnMissingName,
    /// The names that it answers to with `certificates`. Empty: every name.
    pub names: Vec<String>,
    /// Protocols that it accepts by ALPN (RFC 7301), best first. Empty: it does not look.
    pub alpn: Vec<String>,
    /// Whether it refuses clients that offer no ALPN.
    pub alpn_required: bool,
    /// The most that it puts into one record, in bytes of plaintext: 32 to 16 384.
    pub record_bytes_max: Option<u16>,
    /// How many tickets it sends after a TLS 1.3 handshake (RFC 9846 §4.7.1), and whether it sends one in TLS 1.2.
    pub session_tickets: u8,
    /// How much longer a ticket is than it need be, in bytes.
    pub ticket_padding_bytes: u16,
    /// Whether it lets sessions be resumed.
    pub resumption: bool,
    /// Whether and how it asks clients for certificates.
    pub client_certificates: ClientCertificates,
    /// What it does instead of awaiting a ClientHello.
    pub on_accept: Option<OnAccept>,
    /// What it does instead of answering the ClientHello.
    pub on_client_hello: Option<OnClientHello>,
    /// What it changes in its ServerHello, which the handshake goes on with. rustls and TLS 1.2 only.
    pub on_server_hello: Option<OnServerHello>,
    /// What it does to its first flight.
    pub on_server_flight: Option<OnServerFlight>,
    /// What it does once the handshake is complete.
    pub on_finished: Option<OnFinished>,
    /// Whether it says by an alert why a handshake fails; if not, it only closes the connection.
    pub sends_alerts: bool,
    /// How it closes connections.
    pub goodbye: Goodbye,
    /// How many connections misbehave, counted from the first; those after them meet a good broker. Absent: all.
    pub misbehaves_times: Option<u32>,
    /// What is different about it from its second connection on.
    pub afterwards: Option<Afterwards>,
    /// What it says in MQTT.
    pub mqtt: Mqtt,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            real: None,
            tls: true,
            personality: None,
            engine: Engine::Rustls,
            versions: vec![Version::Tls12, Version::Tls13],
            cipher_suites: Vec::new(),
            groups: Vec::new(),
            dh_bits: 2_048,
            security_level: 0,
            extended_main_secret: true,
            signature_schemes: Vec::new(),
            certificates: vec!["leaf".into()],
            junk_after_certificates: false,
            key_of: None,
            tenants: BTreeMap::new(),
            on_missing_name: OnMissingName::Default,
            on_unknown_name: OnMissingName::Default,
            names: Vec::new(),
            alpn: Vec::new(),
            alpn_required: false,
            record_bytes_max: None,
            session_tickets: 0,
            ticket_padding_bytes: 0,
            resumption: false,
            client_certificates: ClientCertificates::default(),
            on_accept: None,
            on_client_hello: None,
            on_server_hello: None,
            on_server_flight: None,
            on_finished: None,
            sends_alerts: true,
            goodbye: Goodbye::default(),
            misbehaves_times: None,
            afterwards: None,
            mqtt: Mqtt::default(),
        }
    }
}

impl Broker {
    /// The sizes of finite fields for DHE, in bits: the groups of RFC 2409 §6.2 and RFC 3526.
    pub const DH_BITS: &'static [u16] = &[1_024, 1_536, 2_048, 3_072, 4_096];

    /// The schemes with which the broker can sign, by their IANA names.
    pub const SIGNATURE_SCHEMES: &'static [&'static str] = &[
        "ecdsa_secp256r1_sha256",
        "ecdsa_secp384r1_sha384",
        "ecdsa_secp521r1_sha512",
        "ed25519",
        "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512",
        "rsa_pkcs1_sha256",
        "rsa_pkcs1_sha384",
        "rsa_pkcs1_sha512",
        "rsa_pkcs1_sha1",
        "ecdsa_sha1",
    ];

    /// Every certificate that the broker refers to, with the key under which it does.
    pub fn certificates_used(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let sent = self.certificates.iter().map(|name| ("certificates", name.as_str()));
        let key = self.key_of.iter().map(|name| ("key_of", name.as_str()));
        let tenants = self.tenants.values().flatten().map(|name| ("tenants", name.as_str()));
        let trusted = self.client_certificates.trusts.iter().map(|name| ("client_certificates", name.as_str()));
        let later = self.afterwards.iter().flat_map(|afterwards| afterwards.certificates.iter().flatten());
        let later = later.map(|name| ("afterwards", name.as_str()));
        sent.chain(key).chain(tenants).chain(trusted).chain(later)
    }

    /// Refuses what makes no sense. `exists` tells whether there is a certificate of that name.
    pub(crate) fn check(&self, exists: &dyn Fn(&str) -> bool) -> Result<(), Complaint> {
        for (key, name) in self.certificates_used() {
            if !exists(name) {
                return Err(Complaint::at(
                    &["broker", key],
                    format!("there is no certificate `{name}`"),
                    format!("add a table `[pki.{name}]`, or use `root`, `leaf` or `client`, which always exist"),
                ));
            }
        }
        if self.tls && (self.certificates.is_empty() || self.tenants.values().any(Vec::is_empty)) {
            return Err(Complaint::at(
                &["broker", "certificates"],
                "a broker with TLS needs a certificate",
                "name one, or set `tls = false`",
            ));
        }
        engine::check(self)?;
        let known = Self::SIGNATURE_SCHEMES;
        if let Some(name) = self.signature_schemes.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Complaint::at(
                &["broker", "signature_schemes"],
                format!("the broker has no `{name}`"),
                format!("use one of {}", known.join(", ")),
            ));
        }
        if self.record_bytes_max.is_some_and(|bytes| !(32..=16_384).contains(&bytes)) {
            return Err(Complaint::at(
                &["broker", "record_bytes_max"],
                "a record of the broker holds 32 to 16384 bytes (RFC 9846 §5.1)",
                "give a number in that range",
            ));
        }
        if self.alpn_required && self.alpn.is_empty() {
            return Err(Complaint::at(
                &["broker", "alpn_required"],
                "no protocol would do",
                "name the protocols that the broker accepts in `alpn`",
            ));
        }
        if self.real.is_some() {
            crate::mosquitto::check_broker(self)?;
        }
        if let Some(afterwards) = &self.afterwards {
            afterwards.check(self, exists)?;
        }
        self.client_certificates.check()?;
        self.mqtt.check()
    }
}

/// A real broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Real {
    /// Eclipse mosquitto, as this machine has it installed; how it is configured says `[mosquitto]`.
    Mosquitto,
}

#[cfg(test)]
mod tests;
