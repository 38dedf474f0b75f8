//! What the device is told: the `[device]` table.

use serde::Deserialize;

use crate::date::Date;
use crate::lan;
use crate::problem::Complaint;

/// The `[device]` table. Everything has a default; the default device is well configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Device {
    /// What it dials: a name or the literal of an address.
    pub dials: String,
    /// The port that it dials.
    pub port: u16,
    /// How it reaches its broker: by IP on the serial line, or through a modem on its second one.
    pub link: Link,
    /// What it makes of an unsolicited result code amid an answer of its modem.
    pub modem_reader: ModemReader,
    /// Whether it speaks TLS at all.
    pub tls: bool,
    /// The name for SNI and for the check of the certificate: absent, what it dials; `false`, none; or another name.
    pub server_name: ServerName,
    /// Whether it sends that name by SNI.
    pub sends_server_name: bool,
    /// Whether the certificate has to be that name's.
    pub checks_name: bool,
    /// Whether it compares dates of certificates with its clock.
    pub checks_dates: bool,
    /// What it does about a chain that does not verify.
    pub verify: Verify,
    /// In whom it believes: in what it `trusts` as trust anchors, or otherwise.
    pub trust: Trust,
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
    /// Protocols that it offers by ALPN.
    pub alpn: Vec<String>,
    /// The max_fragment_length that it asks for: 512, 1024, 2048 or 4096.
    pub max_fragment_length_bytes: Option<u16>,
    /// The most plaintext of a record that it has room to receive, in bytes: 512 to 16 384. Absent: the library's
    /// default.
    pub receive_buffer_bytes: Option<u16>,
    /// The most plaintext that it puts into a record, in bytes: 512 to 16 384. Absent: the library's default.
    pub send_buffer_bytes: Option<u16>,
    /// Whether it asks the broker first, on a connection of its own, if it would honour
    /// `max_fragment_length_bytes`.
    pub probes_fragment_length: bool,
    /// The ClientHello that it sends, record header included, in hexadecimal digits.
    pub client_hello: Option<String>,
    /// Whether it keeps the session of a connection, and offers to resume it on the next one.
    pub keeps_session: bool,
    /// What its clock shows.
    pub clock: Clock,
    /// The heap that it has for all of this, in bytes.
    pub heap_cap_bytes: Option<u32>,
    /// The largest block that its heap gives, in bytes, however much is free.
    pub heap_block_max_bytes: Option<u32>,
    /// The allocation of its TLS library that fails, counted from 1.
    pub failing_allocation: Option<u32>,
    /// How long it waits for TCP, DNS and SNTP, in milliseconds.
    pub connect_timeout_ms: u32,
    /// How long it waits for the handshake to make progress, in milliseconds.
    pub handshake_timeout_ms: u32,
    /// How long it waits for an answer of the broker, in milliseconds.
    pub reply_timeout_ms: u32,
    /// How often it tries again.
    pub reconnects: u32,
    /// Its pause before the first new try, in milliseconds; it doubles with each.
    pub reconnect_pause_ms: u32,
    /// How often it does everything again after it has succeeded.
    pub repeats: u32,
    /// What it says in MQTT.
    pub mqtt: Mqtt,
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
            sends_server_name: true,
            checks_name: true,
            checks_dates: true,
            verify: Verify::Required,
            trust: Trust::Authorities,
            trusts: vec!["root".into()],
            trusts_as: Encoding::Pem,
            certificates: Vec::new(),
            key_of: None,
            versions: Vec::new(),
            cipher_suites: Vec::new(),
            groups: Vec::new(),
            alpn: Vec::new(),
            max_fragment_length_bytes: None,
            receive_buffer_bytes: None,
            send_buffer_bytes: None,
            probes_fragment_length: false,
            client_hello: None,
            keeps_session: false,
            clock: Clock::Set,
            heap_cap_bytes: None,
            heap_block_max_bytes: None,
            failing_allocation: None,
            connect_timeout_ms: 10_000,
            handshake_timeout_ms: 10_000,
            reply_timeout_ms: 10_000,
            reconnects: 0,
            reconnect_pause_ms: 1_000,
            repeats: 0,
            mqtt: Mqtt::default(),
        }
    }
}

impl Device {
    /// Whether the device dials the literal of an address.
    pub fn dials_address(&self) -> bool {
        self.dials.parse::<std::net::IpAddr>().is_ok()
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
        if self.keeps_session && self.repeats == 0 && self.reconnects == 0 {
            return Err(Complaint::at(
                &["device", "keeps_session"],
                "a device that connects once never offers its session again",
                "let it connect again: `repeats = 1`",
            ));
        }
        if self.repeats > 1_000 {
            return Err(Complaint::at(
                &["device", "repeats"],
                "a transcript of so many connections helps nobody",
                "repeat at most 1000 times",
            ));
        }
        if let Some(hello) = &self.client_hello
            && (hello.len() % 2 != 0 || hello.len() > 2 * 1024 || !hello.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return Err(Complaint::at(
                &["device", "client_hello"],
                "this is no record in hexadecimal digits",
                "give at most 1024 bytes, two digits each, without spaces",
            ));
        }
        if let Some(bytes) = self.max_fragment_length_bytes
            && ![512, 1024, 2048, 4096].contains(&bytes)
        {
            return Err(Complaint::at(
                &["device", "max_fragment_length_bytes"],
                "RFC 6066 §4 knows no such length",
                "ask for 512, 1024, 2048 or 4096",
            ));
        }
        for (key, bytes) in
            [("receive_buffer_bytes", self.receive_buffer_bytes), ("send_buffer_bytes", self.send_buffer_bytes)]
        {
            if bytes.is_some_and(|bytes| !(512..=16_384).contains(&bytes)) {
                return Err(Complaint::at(
                    &["device", key],
                    "a record holds at most 16384 bytes (RFC 9846 §5.1), and no library works with less than 512",
                    "give a number from 512 to 16384",
                ));
            }
        }
        Ok(())
    }
}

/// The name that the device sends by SNI and looks for in the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerName {
    /// What it dials.
    #[default]
    AsDialled,
    /// None: nothing is sent, nothing is looked for.
    None,
    /// Another name.
    Other(String),
}

impl<'de> Deserialize<'de> for ServerName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "`false` (no name at all) or a name")]
        enum Written {
            Switch(bool),
            Name(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Switch(true) => Self::AsDialled,
            Written::Switch(false) => Self::None,
            Written::Name(name) => Self::Other(name),
        })
    }
}

/// How the device reaches its broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// With its own TCP/IP, on the serial line.
    #[default]
    Ip,
    /// Through the sockets of a modem on its second serial line.
    Modem,
}

/// What the device makes of an unsolicited result code amid an answer of its modem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModemReader {
    /// It takes the lines apart.
    #[default]
    Correct,
    /// It gives up if `+IPCLOSE` stands before the answer that it awaits.
    LosesOnClose,
}

/// In whom the device believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// In its trust anchors: `trusts`.
    #[default]
    Authorities,
    /// In every certificate that claims to be its own issuer, and in no other.
    SelfSigned,
    /// In the leaf with the SHA-1 fingerprint of this certificate, by its name under `[pki]`.
    Fingerprint(String),
    /// In the leaf that has the key of this certificate, by its name under `[pki]`.
    KnownKey(String),
}

impl Trust {
    /// The certificate that is pinned, by its name under `[pki]`.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Authorities | Self::SelfSigned => None,
            Self::Fingerprint(name) | Self::KnownKey(name) => Some(name),
        }
    }
}

/// What the device does about a chain that does not verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// It refuses.
    #[default]
    Required,
    /// It checks, and goes on.
    Optional,
    /// It does not look.
    None,
}

/// How certificates reach the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As text with BEGIN and END lines (RFC 7468).
    #[default]
    Pem,
    /// As the bare bytes of ASN.1 (X.690).
    Der,
    /// As text of which the last third is missing: a file that did not fit.
    TruncatedPem,
    /// As text without its BEGIN and END lines: the bare base64 of the DER.
    BareBase64,
    /// As text with carriage returns and a byte order mark, as some editors save it.
    PemWithByteOrderMark,
}

/// A TLS version by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Version {
    /// RFC 2246; RFC 8996 forbids it.
    #[serde(rename = "1.0")]
    Tls10,
    /// RFC 4346; RFC 8996 forbids it.
    #[serde(rename = "1.1")]
    Tls11,
    /// RFC 5246.
    #[serde(rename = "1.2")]
    Tls12,
    /// RFC 9846.
    #[serde(rename = "1.3")]
    Tls13,
}

impl Version {
    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What the device's clock shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The scenario's date.
    #[default]
    Set,
    /// 1970-01-01: nobody set it.
    Unset,
    /// The time of the network's SNTP server.
    Sntp,
    /// Another date.
    Other(Date),
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "set" => Self::Set,
            "unset" => Self::Unset,
            "sntp" => Self::Sntp,
            other => {
                let date =
                    <Date as Deserialize>::deserialize(serde::de::value::StrDeserializer::<D::Error>::new(other));
                Self::Other(date.map_err(|_| {
                    serde::de::Error::custom(format!(
                        "`{other}` is no clock: say \"set\", \"unset\", \"sntp\" or a date such as \"2026-01-01T00:00:00Z\""
                    ))
                })?)
            }
        })
    }
}

/// The `[device.mqtt]` table: what the device says in MQTT 3.1.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// The client identifier.
    pub client_id: String,
    /// The user name.
    pub user_name: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The will.
    pub will: Option<Will>,
    /// The keep-alive, in seconds; 0 turns it off.
    pub keep_alive_s: u16,
    /// The Clean Session flag.
    pub clean_session: bool,
    /// How it writes CONNECT and waits for CONNACK.
    pub manners: Manners,
    /// What it does once it is let in.
    pub acts: Vec<Act>,
}

impl Default for Mqtt {
    /// A device that says hello, listens to one topic, publishes a reading and leaves.
    fn default() -> Self {
        Self {
            client_id: "shakedown".into(),
            user_name: None,
            password: None,
            will: None,
            keep_alive_s: 60,
            clean_session: true,
            manners: Manners::Plain,
            acts: vec![
                Act::Subscribe { topic: "device/commands".into(), qos: 1 },
                Act::Publish { topic: "device/readings".into(), payload: "21.5".into(), qos: 1 },
            ],
        }
    }
}

/// The ways of MQTT clients before CONNACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manners {
    /// CONNECT in one write; a lost connection is noticed at once.
    #[default]
    Plain,
    /// CONNECT in one write; the whole reply timeout is waited out, even if the connection is gone.
    WaitsOut,
    /// CONNECT in several writes, and so in several records.
    Piecemeal,
}

/// A last will.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Will {
    /// Where it is published.
    pub topic: String,
    /// What is published.
    pub payload: String,
    /// Its quality of service.
    #[serde(default)]
    pub qos: u8,
    /// Whether it is retained.
    #[serde(default)]
    pub retain: bool,
}

/// One thing that the device does after CONNACK.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Subscribes and awaits SUBACK.
    Subscribe {
        /// The topic filter.
        topic: String,
        /// The quality of service.
        #[serde(default)]
        qos: u8,
    },
    /// Publishes, and awaits PUBACK where the quality of service asks for it.
    Publish {
        /// The topic.
        topic: String,
        /// The payload.
        payload: String,
        /// The quality of service.
        #[serde(default)]
        qos: u8,
    },
    /// Awaits messages of the broker.
    Await {
        /// How many.
        messages: u16,
    },
    /// Stays connected, pinging as the keep-alive demands.
    Idle {
        /// How long, in milliseconds.
        ms: u32,
    },
}
