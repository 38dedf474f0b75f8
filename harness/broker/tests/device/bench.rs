//! A device and a network for the broker's tests: rustls (on ring, with its own randomness) and virtual time.

use broker::{Action, Broker, Close, Connection, Event, Happening};
use clock::{Duration, Instant, UnixTime};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::Read as _;
use std::io::Write as _;
use std::sync::Arc;

/// 2026-01-01T00:00:00Z.
pub const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);
const SEED: u64 = 0x5eed;

pub type Versions = &'static [&'static rustls::SupportedProtocolVersion];
pub const TLS12: Versions = &[&rustls::version::TLS12];
pub const TLS13: Versions = &[&rustls::version::TLS13];
pub const BOTH: [Versions; 2] = [TLS12, TLS13];

/// A scenario's tables: `[pki]` and `[broker]`.
pub fn broker(pki: &str, script: &str) -> (Broker, pki::Minted) {
    let minted = mint(pki);
    let script: scenario::broker::Broker = toml::from_str(script).expect(script);
    (Broker::new(&script, &minted, SEED, DATE).expect("the script makes sense"), minted)
}

pub fn mint(pki: &str) -> pki::Minted {
    pki::mint(&toml::from_str(pki).expect(pki), SEED, DATE).expect(pki)
}

/// How the device speaks TLS.
pub struct Tls {
    pub versions: Versions,
    pub server_name: Option<&'static str>,
    pub alpn: &'static [&'static str],
    /// Certificate and key by name.
    pub client: Option<(&'static str, &'static str)>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { versions: rustls::ALL_VERSIONS, server_name: Some("broker.test"), alpn: &[], client: None }
    }
}

impl Tls {
    pub fn config(&self, minted: &pki::Minted) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(minted.certificates["root"].der.clone())).unwrap();
        let builder = ClientConfig::builder_with_details(ring::default_provider().into(), Arc::new(AtDate))
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from(minted.certificates[certificate].der.clone())];
                let key = PrivateKeyDer::Pkcs8(minted.certificates[key].key_pkcs8_der().to_vec().into());
                let key = ring::sign::any_supported_type(&key).unwrap();
                let key = rustls::sign::CertifiedKey::new(chain, key);
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)))
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.enable_sni = self.server_name.is_some();
        config
    }
}

#[derive(Debug)]
struct AtDate;

impl rustls::time_provider::TimeProvider for AtDate {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(DATE.seconds as u64)))
    }
}

/// How the broker ended its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Fin,
    Reset,
}

/// A device that is connected to a broker.
pub struct Device {
    pub now: Instant,
    pub tls: Option<ClientConnection>,
    pub connection: Connection,
    /// What the broker said in MQTT, or in the clear.
    pub heard: Vec<u8>,
    /// What came over the wire from the broker.
    pub wire: Vec<u8>,
    pub ended: Option<Ended>,
    pub reached: Option<network::Trigger>,
    pub tls_error: Option<rustls::Error>,
    pub goodbye: bool,
    pub events: Vec<Event>,
}

impl Device {
    /// A device that has dialled, but not spoken.
    pub fn dial(broker: &mut Broker, now: Instant, tls: Option<ClientConnection>) -> Self {
        let connection = broker.accept(now, "192.0.2.2:49152".parse().unwrap());
        Self {
            now,
            tls,
            connection,
            heard: Vec::new(),
            wire: Vec::new(),
            ended: None,
            reached: None,
            tls_error: None,
            goodbye: false,
            events: Vec::new(),
        }
    }

    /// A device that has done all of TLS that it can.
    pub fn dial_tls(broker: &mut Broker, minted: &pki::Minted, tls: &Tls) -> Self {
        Self::dial_config(broker, tls.config(minted), tls.server_name.unwrap_or("broker.test"))
    }

    pub fn dial_config(broker: &mut Broker, config: ClientConfig, name: &str) -> Self {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut device = Self::dial(broker, Instant::from_millis(1), Some(tls));
        device.settle();
        device
    }

    /// Lets bytes pass both ways until neither side has any.
    pub fn settle(&mut self) {
        loop {
            let to_broker = self.outgoing();
            if !to_broker.is_empty() {
                self.connection.received(self.now, &to_broker);
            }
            let mut is_quiet = to_broker.is_empty();
            while let Some(action) = self.connection.poll(self.now) {
                is_quiet = false;
                match action {
                    Action::Send(bytes) => self.incoming(&bytes),
                    Action::Fin => self.ended = Some(Ended::Fin),
                    Action::Reset => self.ended = Some(Ended::Reset),
                    Action::Reached(moment) => self.reached = Some(moment),
                    Action::Close | Action::Vanish => unreachable!("a broker only shuts or resets"),
                }
            }
            self.events.extend(self.connection.take_events());
            if is_quiet {
                return;
            }
        }
    }

    /// Lets time pass until `until`, doing what is due in between.
    pub fn wait(&mut self, until: Instant) {
        self.settle();
        while let Some(at) = self.connection.poll_at()
            && at <= until
        {
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = until;
        self.settle();
    }

    /// Says something in MQTT.
    pub fn say(&mut self, packet: &wire::mqtt::Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(&mut bytes).unwrap();
        self.say_bytes(&bytes);
    }

    pub fn say_bytes(&mut self, bytes: &[u8]) {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes).unwrap(),
            None => self.connection.received(self.now, bytes),
        }
        self.settle();
    }

    /// Ends the device's side of TCP.
    pub fn hang_up(&mut self, how: Close) {
        self.connection.peer_closed(self.now, how);
        self.settle();
    }

    /// What the broker said since this was asked last.
    pub fn take_heard(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.heard)
    }

    pub fn happened(&self, wanted: impl Fn(&Happening) -> bool) -> bool {
        self.events.iter().any(|event| wanted(&event.happening))
    }

    pub fn violations(&self) -> Vec<&'static str> {
        let rule = |event: &Event| match &event.happening {
            Happening::Violation { rule, .. } => Some(*rule),
            _ => None,
        };
        self.events.iter().filter_map(rule).collect()
    }

    /// What the device's TLS wants sent.
    pub fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut bytes).unwrap();
            }
        }
        bytes
    }

    /// Shows the device bytes of the wire.
    pub fn incoming(&mut self, mut bytes: &[u8]) {
        self.wire.extend_from_slice(bytes);
        let Some(tls) = &mut self.tls else {
            self.heard.extend_from_slice(bytes);
            return;
        };
        while !bytes.is_empty() && self.tls_error.is_none() {
            tls.read_tls(&mut bytes).unwrap();
            match tls.process_new_packets() {
                Ok(state) => {
                    let count = state.plaintext_bytes_to_read() as u64;
                    tls.reader().take(count).read_to_end(&mut self.heard).unwrap();
                    self.goodbye |= state.peer_has_closed();
                }
                Err(error) => self.tls_error = Some(error),
            }
        }
    }
}
