//! What the broker does with a ClientHello, before an engine sees it.

use super::{Connection, MANY, Stage};
use crate::event::Happening;
use crate::suppress_alerts::SuppressAlerts;
use clock::{Duration, Instant};
use outcome::AlertDescription;
use scenario::broker::{OnClientHello, OnMissingName};
use scenario::device::Version;
use std::net::IpAddr;
use std::sync::Arc;
use wire::tls::{Alert, CipherSuite, ClientHello, ContentType, Extension, ProtocolVersion, Record};

/// What the header of records says before anything is agreed on.
const RECORD_VERSION: ProtocolVersion = ProtocolVersion(0x0303);

/// The suite that TLS 1.2 makes every client have (RFC 5246 §9), and the versions before it had too.
const TLS_RSA_WITH_AES_128_CBC_SHA: CipherSuite = CipherSuite(0x002f);
/// RFC 3749 §2.
const DEFLATE: u8 = 1;

const UNRECOGNIZED_NAME: AlertDescription = AlertDescription(112);
const PROTOCOL_VERSION: AlertDescription = AlertDescription(70);
const NO_APPLICATION_PROTOCOL: AlertDescription = AlertDescription(120);
const NO_RENEGOTIATION: AlertDescription = AlertDescription(100);

/// Whose certificates are sent.
#[derive(Clone, Copy)]
enum Tenant<'n> {
    /// Those of who is asked for by this name.
    Named(&'n str),
    /// Those for everybody else.
    Nobody,
}

impl<'n> Tenant<'n> {
    fn name(self) -> Option<&'n str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Nobody => None,
        }
    }
}

impl Connection {
    /// A whole ClientHello has come.
    pub(super) fn answer_hello(&mut self, now: Instant, hello: Option<&ClientHello>) {
        let server_name = hello.and_then(ClientHello::server_name).map(str::to_owned);
        let alpn: Vec<String> = hello
            .map(ClientHello::alpn)
            .unwrap_or_default()
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let offers_alpn = !alpn.is_empty();
        self.tell(now, Happening::ClientHello { server_name: server_name.clone(), alpn });
        let script = Arc::clone(&self.script);
        if let Some(misbehaviour) = &script.on_client_hello
            && !self.on_client_hello(now, misbehaviour, hello)
        {
            return;
        }
        if self.shared.tls.is_none() {
            return self.refuse(now, PROTOCOL_VERSION, "the broker speaks no version that the device speaks");
        }
        if script.alpn_required && !offers_alpn {
            return self.refuse(now, NO_APPLICATION_PROTOCOL, "the device offers no ALPN");
        }
        if let Some(change) = script.on_server_hello {
            self.misbehaves(now, "ServerHello is changed");
            if let Stage::ClientHello { rng, .. } = &mut self.stage {
                rng.change_server_hello(change);
            }
        }
        if let Some(tenant) = self.tenant(now, server_name.as_deref()) {
            self.engage(now, tenant);
        }
    }

    /// What has come is no ClientHello: the engine has the right words for that.
    pub(super) fn answer_no_hello(&mut self, now: Instant) {
        self.tell(now, Happening::NotTls);
        match self.shared.tls {
            Some(_) => self.engage(now, Tenant::Nobody),
            None => self.fin(now, "what the device says is no TLS"),
        }
    }

    fn engage(&mut self, now: Instant, tenant: Tenant<'_>) {
        let Some(tls) = &self.shared.tls else { return };
        if let Stage::ClientHello { buffer, rng } = std::mem::replace(&mut self.stage, Stage::Over) {
            let mut engine = tls.engine(tenant.name(), *rng);
            if !self.script.sends_alerts {
                engine = Box::new(SuppressAlerts::new(engine));
            }
            engine.received(self.shared.date.at(now), &buffer.into_held());
            self.stage = Stage::Engine { engine, session: None };
        }
    }

    /// The certificates for who asks for that name. `None` if the answer was another one.
    fn tenant<'n>(&mut self, now: Instant, server_name: Option<&'n str>) -> Option<Tenant<'n>> {
        let script = Arc::clone(&self.script);
        // RFC 6066 §3: literals of addresses are not permitted as names, and count as none.
        let server_name = server_name.filter(|name| name.parse::<IpAddr>().is_err());
        let tls = self.shared.tls.as_ref()?;
        let policy = match server_name {
            Some(name) => {
                if tls.has_tenant(name) {
                    return Some(Tenant::Named(name));
                }
                if script.names.is_empty() || script.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return Some(Tenant::Nobody);
                }
                script.on_unknown_name
            }
            None => script.on_missing_name,
        };
        match policy {
            OnMissingName::Default => Some(Tenant::Nobody),
            OnMissingName::Warning => {
                self.misbehaves(now, "a warning about the server name");
                self.send_alert(now, Alert::WARNING, UNRECOGNIZED_NAME);
                Some(Tenant::Nobody)
            }
            OnMissingName::LoginRefused => {
                self.misbehaves(now, "the login will be refused");
                self.identity.refused = true;
                Some(Tenant::Nobody)
            }
            OnMissingName::Alert => {
                self.misbehaves(now, "an alert about the server name");
                self.refuse(now, UNRECOGNIZED_NAME, "the server name is missing or unknown");
                None
            }
            OnMissingName::WarningThenFin => {
                self.misbehaves(now, "a warning about the server name, then FIN");
                self.send_alert(now, Alert::WARNING, UNRECOGNIZED_NAME);
                self.fin(now, "the server name is missing or unknown");
                None
            }
            OnMissingName::Fin => {
                self.misbehaves(now, "FIN for want of a server name");
                self.fin(now, "the server name is missing or unknown");
                None
            }
        }
    }

    /// Enacts the scenario. Tells whether a proper answer follows.
    fn on_client_hello(&mut self, now: Instant, misbehaviour: &OnClientHello, hello: Option<&ClientHello>) -> bool {
        const SCENARIO: &str = "the scenario says so";
        match misbehaviour {
            OnClientHello::Fin => {
                self.misbehaves(now, "ClientHello is answered by FIN");
                self.fin(now, SCENARIO);
            }
            OnClientHello::FinAbove(version) => {
                let is_too_new = hello.is_some_and(|hello| latest(hello) > version.number());
                if !is_too_new {
                    return true;
                }
                self.misbehaves(now, "ClientHello is answered by FIN: its version is too new");
                self.fin(now, SCENARIO);
            }
            OnClientHello::Reset => {
                self.misbehaves(now, "ClientHello is answered by RST");
                self.reset(now, SCENARIO);
            }
            OnClientHello::Silence => {
                self.misbehaves(now, "ClientHello is not answered");
                self.go_silent();
            }
            OnClientHello::DelayMs(ms) => {
                self.misbehaves(now, "ClientHello is answered late");
                self.outbox.hold(now, Duration::from_millis((*ms).into()));
                return true;
            }
            OnClientHello::CloseNotify => {
                self.misbehaves(now, "ClientHello is answered by close_notify");
                self.send_alert(now, Alert::WARNING, AlertDescription(0));
                self.fin(now, SCENARIO);
            }
            OnClientHello::Alert(alert) => {
                self.misbehaves(now, "ClientHello is answered by an alert");
                self.refuse(now, alert.0, SCENARIO);
            }
            OnClientHello::SplitAlert(alert) => {
                self.misbehaves(now, "ClientHello is answered by an alert in two records");
                for byte in [Alert::FATAL, alert.0.0] {
                    self.send_record(now, ContentType::ALERT, vec![byte]);
                }
                self.fin(now, SCENARIO);
            }
            OnClientHello::Warning(alert) => {
                self.misbehaves(now, "a warning precedes ServerHello");
                self.send_alert(now, Alert::WARNING, alert.0);
                return true;
            }
            OnClientHello::WarningThenFin(alert) => {
                self.misbehaves(now, "ClientHello is answered by a warning and FIN");
                self.send_alert(now, Alert::WARNING, alert.0);
                self.fin(now, SCENARIO);
            }
            OnClientHello::WarningFlood(count) => {
                self.misbehaves(now, "many warnings precede ServerHello");
                (0..(*count).min(MANY)).for_each(|_| self.send_alert(now, Alert::WARNING, NO_RENEGOTIATION));
                return true;
            }
            OnClientHello::EmptyRecords(count) => {
                self.misbehaves(now, "empty records precede ServerHello");
                (0..(*count).min(MANY)).for_each(|_| self.send_record(now, ContentType::HANDSHAKE, Vec::new()));
                return true;
            }
            OnClientHello::HelloRequest => {
                self.misbehaves(now, "HelloRequest precedes ServerHello");
                self.send_record(now, ContentType::HANDSHAKE, vec![0; 4]);
                return true;
            }
            OnClientHello::Http => {
                const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                self.misbehaves(now, "ClientHello is answered in HTTP");
                self.send_and_fin(now, ANSWER.to_vec());
            }
            OnClientHello::PlainConnack => {
                self.misbehaves(now, "ClientHello is answered by CONNACK in the clear");
                self.send_and_fin(now, vec![0x20, 2, 0, 0]);
            }
            OnClientHello::Speaks(text) => {
                self.misbehaves(now, "ClientHello is answered by text");
                self.send_and_fin(now, text.clone().into_bytes());
            }
            OnClientHello::Garbage => {
                self.misbehaves(now, "ClientHello is answered by noise");
                let mut noise = vec![0; 64];
                if let Stage::ClientHello { rng, .. } = &mut self.stage {
                    rng.fill(&mut noise);
                }
                self.send_and_fin(now, noise);
            }
            OnClientHello::RecordTooLong => {
                self.misbehaves(now, "ClientHello is answered by a record that is too long");
                let mut bytes = vec![22, 3, 3, 0xff, 0xff];
                bytes.resize(105, b'.');
                self.send_and_fin(now, bytes);
            }
            OnClientHello::DowngradeSentinel => {
                self.misbehaves(now, "the random of ServerHello tells of a downgrade");
                if let Stage::ClientHello { rng, .. } = &mut self.stage {
                    rng.pretend_downgrade();
                }
                return true;
            }
            OnClientHello::Ssl3ServerHello => {
                // TLS_RSA_WITH_RC4_128_SHA, which SSL 3.0 had (RFC 6101 appendix A.6).
                let (version, suite) = (ProtocolVersion(0x0300), CipherSuite(0x0005));
                self.crooked_hello(now, "ServerHello is of SSL 3.0", ServerHello { version, suite, compression: 0 });
                self.fin(now, SCENARIO);
            }
            OnClientHello::Tls10ServerHello => {
                return self.old_hello(now, "ServerHello is of TLS 1.0", Version::Tls10, hello);
            }
            OnClientHello::Tls11ServerHello => {
                return self.old_hello(now, "ServerHello is of TLS 1.1", Version::Tls11, hello);
            }
            OnClientHello::Compression => {
                let suite = first_offered(hello);
                let crooked = ServerHello { version: RECORD_VERSION, suite, compression: DEFLATE };
                self.crooked_hello(now, "ServerHello compresses", crooked);
            }
            OnClientHello::UnofferedCipherSuite => {
                let crooked = ServerHello { version: RECORD_VERSION, suite: unoffered(hello), compression: 0 };
                self.crooked_hello(now, "ServerHello chooses a suite that was not offered", crooked);
            }
        }
        false
    }

    /// Answers in an old version. Goes on in it, so that a client that takes it is seen to, where the engine speaks it
    /// and the client's hello leaves it open; to others it is forced, and no handshake follows.
    fn old_hello(&mut self, now: Instant, how: &'static str, version: Version, hello: Option<&ClientHello>) -> bool {
        let version_wanted = ProtocolVersion(version.number());
        if self.script.versions.contains(&version) && hello.is_some_and(|hello| leaves_open(hello, version_wanted)) {
            self.misbehaves(now, how);
            return true;
        }
        let old = ServerHello { version: version_wanted, suite: TLS_RSA_WITH_AES_128_CBC_SHA, compression: 0 };
        self.crooked_hello(now, how, old);
        false
    }

    /// Sends a ServerHello that no handshake follows.
    fn crooked_hello(&mut self, now: Instant, how: &'static str, hello: ServerHello) {
        self.misbehaves(now, how);
        let mut random = [0; 32];
        if let Stage::ClientHello { rng, .. } = &mut self.stage {
            rng.fill(&mut random);
        }
        let mut bytes = Vec::new();
        let fragment = hello.message(&random);
        Record { content_type: ContentType::HANDSHAKE, version: hello.version, fragment }.encode(&mut bytes);
        self.outbox.send(now, bytes);
        // The device has the word; what it says is seen by the tap, and by nobody else.
        self.ignores_input = true;
    }

    fn refuse(&mut self, now: Instant, description: AlertDescription, why: &'static str) {
        if self.script.sends_alerts {
            self.send_alert(now, Alert::FATAL, description);
        }
        self.fin(now, why);
    }

    fn send_alert(&mut self, now: Instant, level: u8, description: AlertDescription) {
        self.send_record(now, ContentType::ALERT, vec![level, description.0]);
    }

    fn send_record(&mut self, now: Instant, content_type: ContentType, fragment: Vec<u8>) {
        let mut bytes = Vec::new();
        Record { content_type, version: RECORD_VERSION, fragment }.encode(&mut bytes);
        self.outbox.send(now, bytes);
    }

    fn send_and_fin(&mut self, now: Instant, bytes: Vec<u8>) {
        self.outbox.send(now, bytes);
        self.fin(now, "the scenario says so");
    }

    fn misbehaves(&mut self, now: Instant, how: &'static str) {
        self.tell(now, Happening::Misbehaves(how));
    }
}

/// A ServerHello without session and extensions (RFC 5246 §7.4.1.3).
#[derive(Clone, Copy)]
struct ServerHello {
    version: ProtocolVersion,
    suite: CipherSuite,
    compression: u8,
}

impl ServerHello {
    fn message(self, random: &[u8; 32]) -> Vec<u8> {
        let body = [&self.version.0.to_be_bytes()[..], random, &[0], &self.suite.0.to_be_bytes(), &[self.compression]];
        let body = body.concat();
        [&[2, 0, 0, body.len() as u8][..], &body].concat()
    }
}

/// Whether a server may answer in this version: up to TLS 1.2, a client that offers one takes every earlier one that is
/// chosen (RFC 5246 §E.1); a list of versions means what it says (RFC 9846 §4.3.1).
fn leaves_open(hello: &ClientHello, version: ProtocolVersion) -> bool {
    let lists = hello.find(|extension| matches!(extension, Extension::SupportedVersions(_)).then_some(())).is_some();
    if lists { hello.versions().contains(&version) } else { version <= hello.version }
}

/// The latest version that the client offers (RFC 9846 §4.3.1).
fn latest(hello: &ClientHello) -> u16 {
    let offered = hello.versions().into_iter().map(|version| version.0);
    offered.filter(|version| !wire::tls::is_grease(*version)).max().unwrap_or_default()
}

/// The first suite that the client offered for TLS 1.2.
fn first_offered(hello: Option<&ClientHello>) -> CipherSuite {
    let offered = hello.map(|hello| hello.cipher_suites.as_slice()).unwrap_or_default();
    // The suites of TLS 1.3 are numbered 0x13.. (RFC 9846 appendix B.4); 0x00ff is a signal (RFC 5746 §3.3).
    let is_real = |suite: &CipherSuite| suite.0 >> 8 != 0x13 && !suite.is_signal() && !wire::tls::is_grease(suite.0);
    offered.iter().copied().find(is_real).unwrap_or(TLS_RSA_WITH_AES_128_CBC_SHA)
}

/// A suite of TLS 1.2 that the client has not offered.
fn unoffered(hello: Option<&ClientHello>) -> CipherSuite {
    // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_NULL_SHA256, TLS_RSA_WITH_RC4_128_SHA besides: the likeliest
    // to be believed first.
    let candidates = [CipherSuite(0xc02b), TLS_RSA_WITH_AES_128_CBC_SHA, CipherSuite(0x003b), CipherSuite(0x0005)];
    let offered = hello.map(|hello| hello.cipher_suites.as_slice()).unwrap_or_default();
    candidates.into_iter().find(|suite| !offered.contains(suite)).unwrap_or(CipherSuite(0))
}
