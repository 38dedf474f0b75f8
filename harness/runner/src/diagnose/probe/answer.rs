//! What a broker answers to a hello, until the handshake would have to go on.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use host::own_network::Endpoint;
use outcome::AlertDescription;
use wire::tls::{
    Alert, CertificateChain, ContentType, HandshakeDecoder, HandshakeType, Message, ProtocolVersion, RecordDecoder,
    ServerHello, ServerHelloView, ServerKeyExchange,
};

use super::hello::Offer;
use crate::diagnose::exchange::random;
use crate::diagnose::target::PATIENCE;
use crate::lan::recorder::{Recorder, Side};

/// A first flight is never longer, in bytes.
const FLIGHT_BYTES_MAX: usize = 256 * 1024;
/// RFC 9846 §6.1.
const CLOSE_NOTIFY: u8 = 0;
/// RFC 9846 §6.1.
const USER_CANCELED: u8 = 90;
/// A message of it is never longer, in bytes.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// How a broker refuses, or falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A fatal alert.
    Alert(AlertDescription),
    /// It closes the connection.
    Fin,
    /// It breaks it off.
    Rst,
    /// It says nothing more.
    Silence,
    /// What it says is no TLS.
    NotTls,
    /// It could not be dialled.
    Unreachable,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alert(description) => write!(f, "alert {description}"),
            Self::Fin => f.write_str("FIN, without an alert"),
            Self::Rst => f.write_str("RST, without an alert"),
            Self::Silence => f.write_str("no answer"),
            Self::NotTls => f.write_str("an answer that is no TLS"),
            Self::Unreachable => f.write_str("no connection"),
        }
    }
}

/// A broker's first flight.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Its ServerHello, or its HelloRetryRequest.
    pub hello: Option<ServerHello>,
    /// Its chain, DER, leaf first; hidden in TLS 1.3.
    pub chain: Vec<Vec<u8>>,
    /// How it agrees on keys, before TLS 1.3.
    pub exchange: Option<ServerKeyExchange>,
    /// Bytes of the largest record.
    pub record_bytes: usize,
    /// How it refuses, if it does.
    pub refusal: Option<Refusal>,
}

/// Says `offer` to the `broker`, hears its first flight, and leaves.
pub fn ask(broker: &Endpoint, offer: &Offer, recorder: &mut Recorder) -> Answer {
    let mut randomness = [0; 64];
    let refused = |refusal| Answer { refusal: Some(refusal), ..Answer::default() };
    if random(&mut randomness).is_err() {
        return refused(Refusal::Unreachable);
    }
    let Ok(mut stream) = broker.connect(PATIENCE) else { return refused(Refusal::Unreachable) };
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let Ok(local) = stream.local_addr() else { return refused(Refusal::Unreachable) };
    let id = recorder.opened(local, broker.address);
    let hello = offer.record(&randomness);
    recorder.said(id, Side::Client, &hello);
    if stream.write_all(&hello).is_err() {
        recorder.reset(id, Side::Broker);
        return refused(Refusal::Rst);
    }
    let mut flight = Flight::default();
    let mut buffer = vec![0; 16 * 1024];
    while !flight.is_over() {
        match stream.read(&mut buffer) {
            Ok(0) => {
                recorder.ended(id, Side::Broker);
                flight.answer.refusal.get_or_insert(Refusal::Fin);
            }
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                recorder.said(id, Side::Broker, bytes);
                flight.hear(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                flight.answer.refusal.get_or_insert(Refusal::Silence);
            }
            Err(_) => {
                recorder.reset(id, Side::Broker);
                flight.answer.refusal.get_or_insert(Refusal::Rst);
            }
        }
    }
    leave(&mut stream, flight.answer.refusal.is_none());
    recorder.ended(id, Side::Client);
    flight.answer
}

/// Says why, so that a broker's log does not tell of an attack: user_canceled and close_notify (RFC 9846 §6.1).
fn leave(stream: &mut TcpStream, is_open: bool) {
    if is_open {
        let mut bytes = Vec::new();
        for description in [USER_CANCELED, CLOSE_NOTIFY] {
            Alert { level: Alert::WARNING, description }.record(ProtocolVersion::TLS_1_2).encode(&mut bytes);
        }
        let _ = stream.write_all(&bytes);
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

/// A flight that is being heard.
struct Flight {
    records: RecordDecoder,
    messages: HandshakeDecoder,
    heard_bytes: usize,
    is_complete: bool,
    answer: Answer,
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            records: RecordDecoder::new(),
            messages: HandshakeDecoder::new(MESSAGE_BYTES_MAX),
            heard_bytes: 0,
            is_complete: false,
            answer: Answer::default(),
        }
    }
}

impl Flight {
    fn is_over(&self) -> bool {
        self.is_complete || self.answer.refusal.is_some()
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.heard_bytes += bytes.len();
        if self.heard_bytes > FLIGHT_BYTES_MAX {
            self.answer.refusal = Some(Refusal::NotTls);
            return;
        }
        self.records.extend(bytes);
        while let Some(record) = self.records.next_record() {
            let Ok(record) = record else {
                self.answer.refusal = Some(Refusal::NotTls);
                return;
            };
            self.answer.record_bytes = self.answer.record_bytes.max(record.fragment.len());
            match record.content_type {
                ContentType::ALERT => match Alert::parse(&record.fragment) {
                    Ok(alert) if alert.level == Alert::WARNING && alert.description != CLOSE_NOTIFY => {}
                    Ok(alert) => self.answer.refusal = Some(Refusal::Alert(AlertDescription(alert.description))),
                    Err(_) => self.answer.refusal = Some(Refusal::NotTls),
                },
                ContentType::HANDSHAKE => {
                    self.messages.extend(&record.fragment);
                    self.messages();
                }
                // In TLS 1.3 what follows is for those alone who have sent a key share.
                _ => {}
            }
        }
    }

    fn messages(&mut self) {
        while let Some(message) = self.messages.next_message() {
            let Ok(message) = message else {
                self.answer.refusal = Some(Refusal::NotTls);
                return;
            };
            self.message(&message);
        }
    }

    fn message(&mut self, message: &Message) {
        let version = self.answer.hello.as_ref().map_or(ProtocolVersion::TLS_1_2, |hello| hello.version);
        match message.kind {
            HandshakeType::SERVER_HELLO => {
                if let Ok(view) = ServerHelloView::parse(&message.body) {
                    let hello = ServerHello::parse(&view);
                    self.is_complete = hello.version >= ProtocolVersion::TLS_1_3;
                    self.answer.hello = Some(hello);
                } else {
                    self.answer.refusal = Some(Refusal::NotTls);
                }
            }
            HandshakeType::CERTIFICATE => {
                if let Ok(chain) = CertificateChain::parse(&message.body, version) {
                    self.answer.chain = chain.certificates.iter().map(|der| der.to_vec()).collect();
                }
            }
            HandshakeType::SERVER_KEY_EXCHANGE => {
                let suite = self.answer.hello.as_ref().map(|hello| hello.cipher_suite);
                self.answer.exchange =
                    suite.and_then(|suite| ServerKeyExchange::parse(&message.body, version, suite).ok());
            }
            HandshakeType::SERVER_HELLO_DONE => self.is_complete = true,
            _ => {}
        }
    }
}
