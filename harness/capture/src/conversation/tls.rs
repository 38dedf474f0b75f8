//! The TLS of one connection: follows the handshake, changes keys when the peers do, tells what they say.

use outcome::{AlertDescription, Stage};
use wire::tls::{
    Alert, CertificateChain, CertificateRequest, CertificateVerify, CipherSuite, ClientHello, ClientHelloView,
    ContentType, EncryptedExtensions, ExtensionType, HandshakeDecoder, HandshakeType, Ja3, Ja4, KeyExchange, Malformed,
    Message, NewSessionTicket, ProtocolVersion, Record, RecordDecoder, RecordView, ServerHello, ServerHelloView,
    ServerKeyExchange,
};

use super::application::Application;
use super::transcript_builder::TranscriptBuilder;
use crate::decrypt::{Agreed, CannotOpen, Protection, traffic_secret};
use crate::details;
use crate::offer::Offer;
use crate::secrets::{KeyLog, Secrets};
use crate::stream::Side;
use crate::text::count;
use crate::transcript::Said;

/// The longest handshake message that is looked into: chains beyond this are an attack.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// So many certificates of a chain are kept.
const CERTIFICATES_MAX: usize = 10;

/// One connection's TLS.
pub struct TlsDecoder {
    records: [RecordDecoder; 2],
    messages: [HandshakeDecoder; 2],
    /// `None`: in plain text.
    protection: [Option<Protection>; 2],
    is_tls: [bool; 2],
    finished: [bool; 2],
    /// In the header of the client's first handshake record.
    first_record_version: Option<ProtocolVersion>,
    client_random: [u8; 32],
    /// What the client names in its hello: a session to resume, or the make-believe of TLS 1.3.
    session_id: Vec<u8>,
    server_random: [u8; 32],
    /// What was agreed on, once the ServerHello has come.
    agreed: Option<(ProtocolVersion, CipherSuite)>,
    encrypt_then_mac: bool,
    secrets: Option<Secrets>,
    application: Application,
}

impl Default for TlsDecoder {
    fn default() -> Self {
        let messages = HandshakeDecoder::new(MESSAGE_BYTES_MAX);
        Self {
            records: [RecordDecoder::new(), RecordDecoder::new()],
            messages: [messages.clone(), messages],
            protection: [None, None],
            is_tls: [true; 2],
            finished: [false; 2],
            first_record_version: None,
            client_random: [0; 32],
            session_id: Vec::new(),
            server_random: [0; 32],
            agreed: None,
            encrypt_then_mac: false,
            secrets: None,
            application: Application::default(),
        }
    }
}

impl TlsDecoder {
    /// Reads more of what `side` says.
    pub fn data(&mut self, side: Side, bytes: &[u8], keys: &KeyLog, builder: &mut TranscriptBuilder) {
        if !self.is_tls[side as usize] {
            builder.bytes(side, Said::NotTls, bytes.len(), "");
            return;
        }
        self.records[side as usize].extend(bytes);
        while let Some(record) = self.records[side as usize].next_record() {
            match record {
                Ok(record) => self.record(side, &record, keys, builder),
                Err(_) => {
                    self.is_tls[side as usize] = false;
                    let garbage = self.records[side as usize].pending();
                    let preview = Some(crate::text::bytes(garbage, 40)).filter(|preview| preview.starts_with('"'));
                    builder.bytes(side, Said::NotTls, garbage.len(), &preview.unwrap_or_default());
                    self.records[side as usize] = RecordDecoder::new();
                }
            }
        }
    }

    /// Nothing more comes from `side`: tells what breaks off.
    pub fn broke_off(&mut self, side: Side, builder: &mut TranscriptBuilder) {
        let record = std::mem::take(&mut self.records[side as usize]);
        if !record.pending().is_empty() {
            let bytes = count(record.pending().len(), "byte");
            builder.line(side, Said::Fragment, format!("record breaks off after {bytes}"));
        }
        let messages = &mut self.messages[side as usize];
        if let Some(kind) = messages.pending().first() {
            let details = format!(
                "{} breaks off after {}",
                HandshakeType(*kind),
                count(messages.pending().len().saturating_sub(4), "byte")
            );
            builder.line(side, Said::Fragment, details);
            *messages = HandshakeDecoder::new(MESSAGE_BYTES_MAX);
        }
        self.application.broke_off(side, builder);
    }

    const fn version(&self) -> ProtocolVersion {
        match self.agreed {
            Some((version, _)) => version,
            None => ProtocolVersion::TLS_1_2,
        }
    }

    const fn is_1_3(&self) -> bool {
        matches!(self.agreed, Some((ProtocolVersion::TLS_1_3, _)))
    }

    fn record(&mut self, side: Side, record: &Record, keys: &KeyLog, builder: &mut TranscriptBuilder) {
        if record.content_type == ContentType::CHANGE_CIPHER_SPEC {
            return self.change_cipher_spec(side, record, builder);
        }
        let is_protected = match &self.protection[side as usize] {
            // In TLS 1.3 the outer type tells: whatever is encrypted passes for application data.
            Some(_) if self.is_1_3() => record.content_type == ContentType::APPLICATION_DATA,
            Some(_) => true,
            None => false,
        };
        if !is_protected {
            return self.plain_record(side, record, keys, builder);
        }
        match self.open(side, record) {
            Ok((content_type, content)) => {
                if content.len() > RecordView::PLAINTEXT_BYTES_MAX {
                    builder.line(
                        side,
                        Said::BadRecord,
                        format!("{} are more than TLS allows", count(content.len(), "byte")),
                    );
                }
                self.content(side, content_type, &content, keys, builder);
            }
            Err(CannotOpen::NoKey) => self.sealed(side, record, builder),
            Err(CannotOpen::BadRecord) => {
                let kind = record.content_type;
                let details = format!("{kind} of {} that no key opens", count(record.fragment.len(), "byte"));
                builder.line(side, Said::BadRecord, details);
            }
        }
    }

    fn open(&mut self, side: Side, record: &Record) -> Result<(ContentType, Vec<u8>), CannotOpen> {
        let Some(protection) = &mut self.protection[side as usize] else { return Err(CannotOpen::NoKey) };
        let opened = protection.open(record);
        if opened != Err(CannotOpen::BadRecord) || !self.is_1_3() || self.finished[side as usize] {
            return opened;
        }
        // Some stacks change to the next keys before the alert with which they give up.
        let mut next = self.traffic_protection(side, false);
        let opened = next.open(record).map_err(|_| CannotOpen::BadRecord)?;
        self.protection[side as usize] = Some(next);
        Ok(opened)
    }

    /// A record that we have no key for still tells something.
    fn sealed(&mut self, side: Side, record: &Record, builder: &mut TranscriptBuilder) {
        builder.sealed(side, record.fragment.len());
        let is_first_after_change = !self.is_1_3()
            && record.content_type == ContentType::HANDSHAKE
            && !std::mem::replace(&mut self.finished[side as usize], true);
        if is_first_after_change {
            builder.line(side, Said::Handshake(HandshakeType::FINISHED), "encrypted".into());
            self.note_finished(side, builder);
        } else if record.content_type == ContentType::APPLICATION_DATA {
            builder.bytes(side, Said::Encrypted, record.fragment.len(), "");
        } else {
            builder.line(side, Said::Encrypted, record.content_type.to_string());
        }
    }

    fn plain_record(&mut self, side: Side, record: &Record, keys: &KeyLog, builder: &mut TranscriptBuilder) {
        let bytes = record.fragment.len();
        match record.content_type {
            ContentType::APPLICATION_DATA => {
                builder.sealed(side, bytes);
                builder.bytes(side, Said::Encrypted, bytes, "before any key");
            }
            _ if bytes > RecordView::PLAINTEXT_BYTES_MAX => {
                let details = format!("{} of {} is more than TLS allows", record.content_type, count(bytes, "byte"));
                builder.line(side, Said::BadRecord, details);
            }
            content_type => {
                if side == Side::Client && content_type == ContentType::HANDSHAKE {
                    self.first_record_version.get_or_insert(record.version);
                }
                self.content(side, content_type, &record.fragment, keys, builder);
            }
        }
    }

    fn change_cipher_spec(&mut self, side: Side, record: &Record, builder: &mut TranscriptBuilder) {
        if record.fragment != [1] && self.protection[side as usize].is_none() {
            builder.line(
                side,
                Said::BadRecord,
                format!("change_cipher_spec of {}", count(record.fragment.len(), "byte")),
            );
        }
        let Some((version, suite)) = self.agreed else { return };
        if version >= ProtocolVersion::TLS_1_3 {
            return;
        }
        let agreed = Agreed {
            version,
            suite,
            client_random: &self.client_random,
            server_random: &self.server_random,
            encrypt_then_mac: self.encrypt_then_mac,
        };
        let main_secret = self.secrets.as_ref().and_then(|secrets| secrets.main.as_deref());
        self.protection[side as usize] = Some(Protection::after_change_cipher_spec(&agreed, main_secret, side));
    }

    fn traffic_protection(&self, side: Side, is_handshake: bool) -> Protection {
        let suite = self.agreed.map_or(CipherSuite(0), |(_, suite)| suite);
        Protection::from_traffic_secret(suite, traffic_secret(self.secrets.as_ref(), side, is_handshake))
    }

    fn content(
        &mut self,
        side: Side,
        kind: ContentType,
        content: &[u8],
        keys: &KeyLog,
        builder: &mut TranscriptBuilder,
    ) {
        match kind {
            ContentType::HANDSHAKE => {
                self.messages[side as usize].extend(content);
                while let Some(message) = self.messages[side as usize].next_message() {
                    match message {
                        Ok(message) => self.message(side, &message, keys, builder),
                        Err(too_long) => builder.line(side, Said::Fragment, too_long.to_string()),
                    }
                }
            }
            ContentType::ALERT => alert(side, content, builder),
            ContentType::APPLICATION_DATA => self.application.data(side, content, builder),
            other => builder.line(side, Said::BadRecord, format!("{other} of {}", count(content.len(), "byte"))),
        }
    }

    fn message(&mut self, side: Side, message: &Message, keys: &KeyLog, builder: &mut TranscriptBuilder) {
        let told = match message.kind {
            HandshakeType::CLIENT_HELLO => self.client_hello(&message.body, keys, builder),
            HandshakeType::SERVER_HELLO => return self.server_hello(side, &message.body, builder),
            HandshakeType::SERVER_HELLO_DONE => return,
            HandshakeType::FINISHED => {
                builder.line(side, Said::Handshake(message.kind), String::new());
                self.finished[side as usize] = true;
                if self.is_1_3() {
                    self.protection[side as usize] = Some(self.traffic_protection(side, false));
                }
                return self.note_finished(side, builder);
            }
            HandshakeType::KEY_UPDATE => {
                let next = self.protection[side as usize].as_ref().map(Protection::updated);
                self.protection[side as usize] = next;
                Ok(String::new())
            }
            _ => self.other_message(side, message, builder),
        };
        if side == Side::Client {
            let stage = match message.kind {
                HandshakeType::CLIENT_HELLO => Stage::Hello,
                HandshakeType::CERTIFICATE | HandshakeType::CLIENT_KEY_EXCHANGE => Stage::KeyExchange,
                _ => Stage::Connect,
            };
            builder.reached(stage);
        }
        builder.line(side, Said::Handshake(message.kind), told.unwrap_or_else(|malformed| malformed.to_string()));
    }

    /// What a message says that changes nothing here.
    fn other_message(
        &self,
        side: Side,
        message: &Message,
        builder: &mut TranscriptBuilder,
    ) -> Result<String, Malformed> {
        let (body, version) = (&message.body[..], self.version());
        Ok(match message.kind {
            HandshakeType::ENCRYPTED_EXTENSIONS => details::encrypted_extensions(&EncryptedExtensions::parse(body)?),
            HandshakeType::CERTIFICATE => {
                let chain = CertificateChain::parse(body, version)?;
                if side == Side::Server && builder.facts.certificates.is_empty() {
                    let kept = chain.certificates.iter().take(CERTIFICATES_MAX);
                    builder.facts.certificates = kept.map(|certificate| certificate.to_vec()).collect();
                }
                details::chain(&chain)
            }
            HandshakeType::CERTIFICATE_REQUEST => {
                details::certificate_request(&CertificateRequest::parse(body, version)?)
            }
            HandshakeType::SERVER_KEY_EXCHANGE => {
                let suite = self.agreed.map_or(CipherSuite(0), |(_, suite)| suite);
                let exchange = ServerKeyExchange::parse(body, version, suite)?;
                if let KeyExchange::Ecdhe(group) = exchange.exchange {
                    builder.facts.group = Some(group);
                }
                details::server_key_exchange(&exchange)
            }
            HandshakeType::CERTIFICATE_VERIFY => details::certificate_verify(&CertificateVerify::parse(body, version)?),
            HandshakeType::NEW_SESSION_TICKET => details::new_session_ticket(&NewSessionTicket::parse(body, version)?),
            _ => String::new(),
        })
    }

    fn client_hello(
        &mut self,
        body: &[u8],
        keys: &KeyLog,
        builder: &mut TranscriptBuilder,
    ) -> Result<String, Malformed> {
        let view = ClientHelloView::parse(body)?;
        let hello = ClientHello::parse(&view)?;
        self.client_random = *view.random;
        self.session_id = view.session_id.to_vec();
        self.secrets = keys.secrets(view.random).cloned();
        builder.facts.has_secrets |= self.secrets.is_some();
        if builder.facts.ja3.is_none() {
            builder.facts.server_name = hello.server_name().map(|name| crate::text::clean(name, 255));
            builder.facts.offered_versions = hello.versions();
            builder.facts.offer = Offer::parse(self.first_record_version, body).ok();
            builder.facts.ja3 = Some(Ja3::of(&hello).hash());
            builder.facts.ja4 = Some(Ja4::of(&hello).to_string());
        }
        Ok(details::client_hello(&hello))
    }

    fn server_hello(&mut self, side: Side, body: &[u8], builder: &mut TranscriptBuilder) {
        let view = match ServerHelloView::parse(body) {
            Ok(view) => view,
            Err(malformed) => {
                return builder.line(side, Said::Handshake(HandshakeType::SERVER_HELLO), malformed.to_string());
            }
        };
        let hello = ServerHello::parse(&view);
        // Up to TLS 1.2 the answer has the session's number if that is resumed (RFC 5246 §7.4.1.3).
        let is_resumed = hello.version < ProtocolVersion::TLS_1_3
            && !self.session_id.is_empty()
            && view.session_id == self.session_id;
        let told = details::server_hello(&hello, &view, is_resumed);
        if hello.is_retry_request {
            return builder.line(side, Said::HelloRetryRequest, told);
        }
        builder.line(side, Said::Handshake(HandshakeType::SERVER_HELLO), told);
        builder.reached(Stage::Certificate);
        builder.facts.version = Some(hello.version);
        builder.facts.cipher_suite = Some(hello.cipher_suite);
        builder.facts.group = hello.group();
        self.server_random = *view.random;
        self.agreed = Some((hello.version, hello.cipher_suite));
        self.encrypt_then_mac = hello.has(ExtensionType::ENCRYPT_THEN_MAC);
        if self.is_1_3() {
            self.protection = [Side::Client, Side::Server].map(|side| Some(self.traffic_protection(side, true)));
        }
    }

    fn note_finished(&self, side: Side, builder: &mut TranscriptBuilder) {
        if side == Side::Client {
            builder.reached(Stage::Finished);
        }
        builder.facts.is_handshake_complete = self.finished == [true; 2];
    }
}

fn alert(side: Side, content: &[u8], builder: &mut TranscriptBuilder) {
    let Ok(Alert { level, description }) = Alert::parse(content) else {
        return builder.line(side, Said::BadRecord, format!("alert of {}", count(content.len(), "byte")));
    };
    let description = AlertDescription(description);
    builder.facts.alerts.push((side, description));
    let level_name = match level {
        Alert::WARNING => "warning".to_string(),
        Alert::FATAL => "fatal".to_string(),
        other => format!("level {other}"),
    };
    builder.line(side, Said::Alert { level, description }, format!("{level_name} {description}"));
}
