//! What the bench tells the firmware.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use serde::{Deserialize, Serialize};

/// One instruction of the bench.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum Order {
    /// Become the device that this plan describes, and run it at once. Answered by [`crate::Report::Configured`].
    Run(Plan),
}

/// What a device with a radio may be told before its [`Order`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum EarlyOrder {
    /// Join the wireless network and be lent an address, before there is a plan: every plan for one network goes on from
    /// there. Answered by another hello, whatever comes of it: a device that could not joins when it has its plan, which says
    /// how often it tries.
    Join(Network),
}

/// Everything that a scenario may vary about the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The device's place in the network.
    pub network: Network,
    /// What it dials: a name, or the literal of an address.
    pub broker_host: String,
    /// The TCP port that it dials.
    pub broker_port: u16,
    /// How it reaches its broker.
    #[serde(default)]
    pub link: Link,
    /// How it speaks TLS; `None` is MQTT in the clear.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// What it says once connected.
    pub mqtt: Mqtt,
    /// What its clock shows.
    #[serde(default)]
    pub clock: Clock,
    /// Bytes that the heap may hold in all while the plan runs; beyond it an allocation fails.
    #[serde(default)]
    pub heap_cap_bytes: Option<u32>,
    /// The largest block that the heap gives while the plan runs, in bytes, however much is free: what fragmentation
    /// leaves.
    #[serde(default)]
    pub heap_block_max_bytes: Option<u32>,
    /// The allocation that fails, counted from 1 among those of the TLS library since the plan started; only that one.
    #[serde(default)]
    pub failing_allocation: Option<u32>,
    /// How long it waits for the TCP connection and for a DNS or SNTP answer, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub connect_timeout_ms: u32,
    /// How long it waits for the next byte of the handshake to make progress, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub handshake_timeout_ms: u32,
    /// How long it waits for an answer to an MQTT packet, in milliseconds.
    #[serde(default = "ten_seconds")]
    pub reply_timeout_ms: u32,
    /// How often it connects again after a failure or a lost connection, before it gives up.
    #[serde(default)]
    pub reconnects: u32,
    /// The pause before the first reconnect, in milliseconds; it doubles with each further one.
    #[serde(default = "one_second")]
    pub reconnect_pause_ms: u32,
    /// How often it does everything again after it has succeeded, each time on a new connection.
    #[serde(default)]
    pub repeats: u32,
}

/// How the device reaches its broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// With its own TCP/IP, on the serial line.
    #[default]
    Ip,
    /// Through the sockets of a modem on its second serial line (3GPP TS 27.007, SIMCom's AT commands).
    Modem(Modem),
}

/// How the device handles its modem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Modem {
    /// What it makes of an unsolicited result code amid an answer.
    #[serde(default)]
    pub reader: ModemReader,
}

/// What the device makes of an unsolicited result code amid an answer of its modem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModemReader {
    /// It takes the lines apart: what has arrived can be read even if the connection has ended since.
    #[default]
    Correct,
    /// It gives up if `+IPCLOSE` stands before the answer it awaits, as esp-protocols' SIM7600 example does.
    LosesOnClose,
}

const fn yes() -> bool {
    true
}

const fn ten_seconds() -> u32 {
    10_000
}

const fn thirty_seconds() -> u32 {
    30_000
}

const fn one_second() -> u32 {
    1_000
}

/// The device's place in the network: static on the serial line, which has no DHCP. On a wireless network ([`Network::wifi`])
/// the IPv4 address, the router and the resolver are those of the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The device's IPv4 address.
    pub ipv4: Ipv4Addr,
    /// The length of its prefix, in bits.
    pub ipv4_prefix_bits: u8,
    /// Its IPv4 router.
    pub ipv4_gateway: Ipv4Addr,
    /// The device's IPv6 address, if it has one. Everything else of IPv6 is reached through `ipv6_gateway`.
    #[serde(default)]
    pub ipv6: Option<Ipv6Addr>,
    /// Its IPv6 router.
    #[serde(default)]
    pub ipv6_gateway: Option<Ipv6Addr>,
    /// The resolver it asks (RFC 1035, UDP port 53).
    pub dns: IpAddr,
    /// The largest IP packet on the link, in bytes.
    pub mtu_bytes: u16,
    /// The wireless network that a chip with a radio joins. Without one, IP packets travel on the serial line.
    #[serde(default)]
    pub wifi: Option<Wifi>,
}

/// A wireless network, as it is known to whoever joins it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wifi {
    /// Its name: 1 to 32 bytes.
    pub ssid: String,
    /// Its passphrase, of WPA2-Personal; an open network has none.
    #[serde(default)]
    pub passphrase: Option<String>,
    /// Whether the radio sleeps between beacons, and has the access point keep frames meanwhile (IEEE Std 802.11-2020 §11.2.3).
    #[serde(default)]
    pub power_save: bool,
    /// How long the device tries to join, in milliseconds.
    #[serde(default = "thirty_seconds")]
    pub join_timeout_ms: u32,
    /// How long it waits for an address, in milliseconds.
    #[serde(default = "thirty_seconds")]
    pub lease_timeout_ms: u32,
}

/// How the device speaks TLS. Lists that are empty leave the choice to the library's defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The name for SNI (RFC 6066 §3) and for the check of the certificate (RFC 9525); `None` sends none and checks
    /// none. What becomes of an address literal is the library's choice: Mbed TLS sends it by SNI, against RFC 6066.
    #[serde(default)]
    pub server_name: Option<String>,
    /// Whether `server_name` is sent by SNI.
    #[serde(default = "yes")]
    pub sends_server_name: bool,
    /// Whether the certificate has to be `server_name`'s.
    #[serde(default = "yes")]
    pub checks_name: bool,
    /// Whether dates of certificates are compared with the clock. A library built without a clock does not.
    #[serde(default = "yes")]
    pub checks_dates: bool,
    /// What it does about a chain that does not verify.
    #[serde(default)]
    pub verify: Verify,
    /// Whom it trusts.
    #[serde(default)]
    pub trust: Trust,
    /// The trust anchors.
    #[serde(default)]
    pub authorities: Option<Blob>,
    /// Its own certificate chain.
    #[serde(default)]
    pub client_certificate: Option<Blob>,
    /// The private key to it (PKCS#8, PKCS#1 or SEC 1).
    #[serde(default)]
    pub client_key: Option<Blob>,
    /// The lowest version it offers, as on the wire: 0x0303 is TLS 1.2.
    #[serde(default)]
    pub version_min: Option<u16>,
    /// The highest version it offers, as on the wire: 0x0304 is TLS 1.3.
    #[serde(default)]
    pub version_max: Option<u16>,
    /// Cipher suites by their IANA numbers, best first.
    #[serde(default)]
    pub cipher_suites: Vec<u16>,
    /// Groups by their IANA numbers, best first.
    #[serde(default)]
    pub groups: Vec<u16>,
    /// Protocols for ALPN (RFC 7301), best first.
    #[serde(default)]
    pub alpn: Vec<String>,
    /// The max_fragment_length it asks for, in bytes: 512, 1024, 2048 or 4096 (RFC 6066 §4).
    #[serde(default)]
    pub max_fragment_length_bytes: Option<u16>,
    /// The size of the receiving record buffer, where the stack allows it, in bytes.
    #[serde(default)]
    pub receive_buffer_bytes: Option<u16>,
    /// The size of the sending record buffer, where the stack allows it, in bytes.
    #[serde(default)]
    pub send_buffer_bytes: Option<u16>,
    /// Whether it asks the broker first, on a connection of its own, if it would honour `max_fragment_length_bytes`
    /// (`probeMaxFragmentLength` of the ESP8266 core for Arduino).
    #[serde(default)]
    pub probes_fragment_length: bool,
    /// The ClientHello that it sends, record header included, in hexadecimal digits. Versions and suites that it
    /// offers have to be what the library could agree to.
    #[serde(default)]
    pub client_hello: Option<String>,
    /// Whether it keeps the session of a connection, and offers to resume it on the next one: by its number (RFC 5246
    /// §7.4.1.2), with a ticket (RFC 5077), or as a pre-shared key (RFC 9846 §2.2), as far as the library can.
    #[serde(default)]
    pub keeps_session: bool,
    /// Whether it says no hello at all where it is to verify and has no authority ([`Tls::authorities`]), as ESP-TLS does
    /// since ESP-IDF 4.3.
    #[serde(default)]
    pub requires_authority: bool,
}

impl Default for Tls {
    /// A device that checks everything, and knows no name and no authority yet.
    fn default() -> Self {
        Self {
            server_name: None,
            sends_server_name: true,
            checks_name: true,
            checks_dates: true,
            verify: Verify::Required,
            trust: Trust::Authorities,
            authorities: None,
            client_certificate: None,
            client_key: None,
            version_min: None,
            version_max: None,
            cipher_suites: Vec::new(),
            groups: Vec::new(),
            alpn: Vec::new(),
            max_fragment_length_bytes: None,
            receive_buffer_bytes: None,
            send_buffer_bytes: None,
            probes_fragment_length: false,
            client_hello: None,
            keeps_session: false,
            requires_authority: false,
        }
    }
}

/// Whom a device trusts. In an order a pinned certificate is there; a scenario has its name in both places instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust<Pin = String, Key = Blob> {
    /// In its trust anchors ([`Tls::authorities`]).
    #[default]
    Authorities,
    /// In every certificate that claims to be its own issuer, and in no other: `allowSelfSignedCerts` of the ESP8266
    /// core for Arduino.
    SelfSigned,
    /// In the leaf with this SHA-1 of its DER, in hexadecimal digits: `setFingerprint`.
    Fingerprint(Pin),
    /// In the leaf that has the key of this certificate: `setKnownKey`.
    KnownKey(Key),
}

/// What a device does about a chain that does not verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// It refuses.
    #[default]
    Required,
    /// It checks, reports what it found, and goes on.
    Optional,
    /// It does not look.
    None,
}

/// Certificates or a key in the form in which a person would give them to the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blob {
    /// Text with BEGIN and END lines (RFC 7468); several certificates may follow each other.
    Pem(String),
    /// DER as hexadecimal digits.
    DerHex(String),
}

/// What the device's clock shows when it connects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// 1970-01-01 at power-on, as on a chip whose clock nobody set.
    #[default]
    Unset,
    /// Set by hand to this many seconds since 1970-01-01T00:00:00Z.
    Set(i64),
    /// Asked of this SNTP server (a name or an address literal) before the broker is dialled (RFC 4330).
    Sntp(String),
}

/// What the device says once it may speak MQTT 3.1.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mqtt {
    /// The client identifier.
    pub client_id: String,
    /// The user name.
    #[serde(default)]
    pub user_name: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
    /// The will.
    #[serde(default)]
    pub will: Option<Will>,
    /// The keep-alive of CONNECT, in seconds; 0 turns it off.
    #[serde(default)]
    pub keep_alive_s: u16,
    /// CONNECT's Clean Session flag.
    #[serde(default)]
    pub clean_session: bool,
    /// How it writes CONNECT and waits for CONNACK.
    #[serde(default)]
    pub manners: ConnectStyle,
    /// What it does after CONNACK, in order. DISCONNECT follows by itself unless the list ends otherwise.
    #[serde(default)]
    pub acts: Vec<Act>,
}

/// The ways of MQTT clients before CONNACK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectStyle {
    /// CONNECT in one write; a lost connection is noticed at once.
    #[default]
    Plain,
    /// CONNECT in one write; the whole reply timeout is waited out, even if the connection is gone (PubSubClient 2.8,
    /// `PubSubClient::connect`).
    WaitsOut,
    /// CONNECT in several writes, and so in several records (umqtt.simple, `MQTTClient.connect`).
    Piecemeal,
}

/// A last will (MQTT 3.1.1 §3.1.2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Will {
    /// Where it is published.
    pub topic: String,
    /// What is published.
    pub payload: String,
    /// Its quality of service: 0 or 1.
    #[serde(default)]
    pub qos: u8,
    /// Whether it is retained.
    #[serde(default)]
    pub retain: bool,
}

/// One thing that the device does after CONNACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Subscribes and awaits SUBACK.
    Subscribe {
        /// The topic filter.
        topic: String,
        /// The quality of service it asks for: 0 or 1.
        #[serde(default)]
        qos: u8,
    },
    /// Publishes; with quality of service 1, awaits PUBACK.
    Publish {
        /// The topic.
        topic: String,
        /// The payload.
        payload: String,
        /// The quality of service: 0 or 1.
        #[serde(default)]
        qos: u8,
    },
    /// Awaits this many messages of the broker, acknowledging those of quality of service 1.
    Await {
        /// How many.
        messages: u16,
    },
    /// Stays connected for so long, in milliseconds, with PINGREQ as the keep-alive demands.
    Idle {
        /// How long.
        ms: u32,
    },
}
