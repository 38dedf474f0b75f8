//! The engine on OpenSSL.

use super::Configuration;
use super::foreign::{GET_NEGOTIATED_GROUP, KEY_UPDATE_NOT_REQUESTED, SSL_key_update, SSL_renegotiate};
use super::groups;
use crate::engine::{Engine, Progress};
use crate::event::Secured;
use crate::tls::ConnectionRng;
use clock::UnixTime;
use foreign_types_shared::ForeignTypeRef as _;
use openssl::ssl::{ErrorCode, Ssl, SslRef, SslStream};
use outcome::AlertDescription;
use std::io::{self, Read, Write};
use std::sync::Arc;
use wire::tls::{Alert, ProtocolVersion};

/// The most that is read in one go.
const PIECE_BYTES: usize = 16_384;

/// What OpenSSL adds to the number of an alert to make it the reason of an error (`SSL_AD_REASON_OFFSET`).
const ALERT_REASONS_FROM: i32 = 1_000;

/// One TLS connection of the broker, from its ClientHello on.
pub(crate) struct OpensslEngine {
    stream: Option<SslStream<Pipe>>,
    configuration: Arc<Configuration>,
    /// In its slot between calls; entered during them.
    rng: Option<ConnectionRng>,
    wire: Vec<u8>,
    data: Vec<u8>,
    /// What is to be said as soon as a renegotiation is over.
    unsent: Vec<u8>,
    progress: Vec<Progress>,
    is_open: bool,
    said_goodbye: bool,
}

/// The two directions of the wire.
#[derive(Default)]
pub(super) struct Pipe {
    pub(super) incoming: Vec<u8>,
    taken: usize,
    pub(super) outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.incoming.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if count == 0 {
            self.incoming.clear();
            self.taken = 0;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        into[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpensslEngine {
    /// An engine for one connection. What goes wrong at the start shows as progress.
    pub(crate) fn new(configuration: Arc<Configuration>, tenant: Option<&str>, rng: ConnectionRng) -> Self {
        let mut rng = Some(rng);
        let mut progress = Vec::new();
        let stream = ConnectionRng::during(&mut rng, || {
            Ssl::new(configuration.context(tenant)).and_then(|ssl| SslStream::new(ssl, Pipe::default()))
        });
        let stream =
            stream.map_err(|error| progress.push(Progress::Failed { alert: None, why: error.to_string() })).ok();
        Self {
            stream,
            configuration,
            rng,
            wire: Vec::new(),
            data: Vec::new(),
            unsent: Vec::new(),
            progress,
            is_open: false,
            said_goodbye: false,
        }
    }

    /// Lets OpenSSL work with the connection's own randomness, then collects what it has to send.
    fn work<R>(&mut self, work: impl FnOnce(&mut SslStream<Pipe>) -> R) -> Option<R> {
        let Self { stream: Some(stream), rng, wire, .. } = self else { return None };
        let result = ConnectionRng::during(rng, || work(stream));
        wire.append(&mut stream.get_mut().outgoing);
        Some(result)
    }

    /// Goes on with the handshake. Tells whether it is complete.
    fn shake_hands(&mut self) -> bool {
        if self.is_open {
            return true;
        }
        match self.work(SslStream::accept) {
            Some(Ok(())) => {
                self.is_open = true;
                if let Some(secured) = self.stream.as_ref().map(|stream| secured(stream.ssl())) {
                    self.progress.push(Progress::Open(Some(secured)));
                }
                true
            }
            Some(Err(error)) => {
                self.stop(&error);
                false
            }
            None => false,
        }
    }

    /// Reads whatever has come.
    fn read(&mut self) {
        let mut piece = [0; PIECE_BYTES];
        loop {
            match self.work(|stream| stream.ssl_read(&mut piece)) {
                Some(Ok(count)) => self.data.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Some(Err(error)) => return self.stop(&error),
                None => return,
            }
        }
    }

    /// Sends what is to be said.
    fn send(&mut self) {
        while !self.unsent.is_empty() {
            let data = std::mem::take(&mut self.unsent);
            match self.work(|stream| stream.ssl_write(&data)) {
                Some(Ok(count)) => self.unsent = data.get(count..).unwrap_or_default().to_vec(),
                Some(Err(error)) => {
                    self.unsent = data;
                    return self.stop(&error);
                }
                None => return,
            }
        }
    }

    /// Something did not go on. Unless it only wants more bytes, the connection is over.
    fn stop(&mut self, error: &openssl::ssl::Error) {
        match error.code() {
            ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => {}
            ErrorCode::ZERO_RETURN => self.progress.push(Progress::CloseNotify),
            _ => {
                let reasons = error.ssl_error().map(|stack| stack.errors()).unwrap_or_default();
                let alert = reasons.iter().find_map(|reason| {
                    let number = reason.reason_code().checked_sub(ALERT_REASONS_FROM)?;
                    u8::try_from(number).ok().map(AlertDescription)
                });
                let why = match (alert, reasons.first().and_then(|reason| reason.reason())) {
                    (Some(_), _) => "the client sent an alert".to_owned(),
                    (None, Some(reason)) => reason.to_owned(),
                    (None, None) => error.to_string(),
                };
                self.progress.push(Progress::Failed { alert, why });
                self.stream = None;
            }
        }
    }
}

fn secured(ssl: &SslRef) -> Secured {
    // SAFETY: the connection is a live one; both calls read a number from it.
    let (version, group) = unsafe {
        let pointer = ssl.as_ptr();
        let group = openssl_sys::SSL_ctrl(pointer, GET_NEGOTIATED_GROUP, 0, std::ptr::null_mut());
        (openssl_sys::SSL_version(pointer), group)
    };
    let certificates = ssl.peer_certificate().into_iter().filter_map(|certificate| certificate.to_der().ok());
    let issuers = ssl.peer_cert_chain().into_iter().flatten().filter_map(|certificate| certificate.to_der().ok());
    Secured {
        version: u16::try_from(version).unwrap_or_default(),
        cipher_suite: ssl.current_cipher().map_or(0, |cipher| u16::from_be_bytes(cipher.protocol_id())),
        group: groups::number(group),
        alpn: ssl.selected_alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        resumed: ssl.session_reused(),
        client_certificates: certificates.chain(issuers).collect(),
    }
}

impl Engine for OpensslEngine {
    fn received(&mut self, date: UnixTime, bytes: &[u8]) {
        self.configuration.set_date(date);
        self.work(|stream| {
            stream.get_mut().incoming.extend_from_slice(bytes);
            // SAFETY: the connection is a live one, and this thread alone has the stream that owns it.
            unsafe { SslRef::from_ptr_mut(stream.ssl().as_ptr()) }.param_mut().set_time(date.seconds);
        });
        if self.shake_hands() {
            self.read();
            self.send();
        }
    }

    fn take_wire(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire)
    }

    fn take_data(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }

    fn take_progress(&mut self) -> Vec<Progress> {
        std::mem::take(&mut self.progress)
    }

    fn say(&mut self, data: &[u8]) {
        self.unsent.extend_from_slice(data);
        self.send();
    }

    fn close_notify(&mut self) {
        if !std::mem::replace(&mut self.said_goodbye, true) {
            // It reports whether the peer has said goodbye as well, which is of no interest here.
            self.work(|stream| stream.shutdown().is_ok());
        }
    }

    fn alert(&mut self, description: AlertDescription) {
        // Under its keys OpenSSL sends no alert of choice; the grammar does not let a script ask for one.
        if !self.is_open {
            let alert = Alert { level: Alert::FATAL, description: description.0 };
            alert.record(ProtocolVersion(0x0303)).encode(&mut self.wire);
        }
    }

    fn empty_record(&mut self) {
        // Nor empty records.
    }

    fn update_keys(&mut self) {
        self.work(|stream| {
            // SAFETY: the connection is a live one. With TLS 1.2 the call refuses, and nothing happens.
            let due = unsafe { SSL_key_update(stream.ssl().as_ptr(), KEY_UPDATE_NOT_REQUESTED) };
            due == 1 && stream.do_handshake().is_ok()
        });
    }

    fn renegotiate(&mut self) {
        self.work(|stream| {
            // SAFETY: the connection is a live one. With TLS 1.3 the call refuses, and nothing happens.
            let due = unsafe { SSL_renegotiate(stream.ssl().as_ptr()) };
            due == 1 && stream.do_handshake().is_ok()
        });
    }
}
