//! The engine on rustls.

use super::{Configuration, ConnectionRng};
use crate::engine::{Engine, Progress};
use crate::event::Secured;
use clock::UnixTime;
use outcome::AlertDescription;
use rustls::{ContentType, HandshakeKind, ServerConnection};
use std::io::Read as _;
use std::io::Write as _;
use std::sync::{Arc, PoisonError};
use wire::tls::{Alert, ProtocolVersion};

/// One TLS connection of the broker, from its ClientHello on.
pub(crate) struct TlsEngine {
    configuration: Arc<Configuration>,
    connection: Option<ServerConnection>,
    /// In its slot between calls; entered during them.
    rng: Option<ConnectionRng>,
    wire: Vec<u8>,
    data: Vec<u8>,
    progress: Vec<Progress>,
    is_open: bool,
    said_goodbye: bool,
}

impl TlsEngine {
    /// An engine for one connection. What goes wrong at the start shows as progress.
    pub(crate) fn new(configuration: Arc<Configuration>, tenant: Option<&str>, rng: ConnectionRng) -> Self {
        let mut rng = Some(rng);
        let mut progress = Vec::new();
        let connection = ConnectionRng::during(&mut rng, || ServerConnection::new(configuration.server(tenant)));
        let connection =
            connection.map_err(|error| progress.push(Progress::Failed { alert: None, why: error.to_string() })).ok();
        Self {
            configuration,
            connection,
            rng,
            wire: Vec::new(),
            data: Vec::new(),
            progress,
            is_open: false,
            said_goodbye: false,
        }
    }

    /// Lets rustls work with the connection's own randomness, then collects what it has to send.
    fn work(&mut self, work: impl FnOnce(&mut ServerConnection, &mut Vec<u8>, &mut Vec<Progress>)) {
        let Self { connection: Some(connection), rng, wire, data, progress, .. } = self else { return };
        let already = wire.len();
        ConnectionRng::during(rng, || {
            work(connection, data, progress);
            while connection.wants_write() {
                // Writing to a vector does not fail.
                if connection.write_tls(wire).is_err() {
                    break;
                }
            }
        });
        if let Some(change) = rng.as_mut().and_then(|rng| rng.change.as_ref())
            && let Some(changed) = change.on_the_wire(wire.get(already..).unwrap_or_default())
        {
            wire.splice(already.., changed);
        }
        if !self.is_open && !connection.is_handshaking() {
            self.is_open = true;
            let secured = secured(connection);
            // Before anything else that the same bytes brought, a goodbye for instance.
            self.progress.insert(0, Progress::Open(Some(secured)));
        }
    }

    /// Sends the alert that the standard demands where rustls, which has failed, sends another or none.
    fn mend_alert(&mut self) {
        let by_peer = self.progress.iter().any(|step| matches!(step, Progress::Failed { alert: Some(_), .. }));
        let is_tls13 = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3));
        if by_peer || self.is_open || is_tls13 {
            return;
        }
        const HANDSHAKE_FAILURE: AlertDescription = AlertDescription(40);
        const CERTIFICATE_REQUIRED: &[u8] = &[21, 3, 3, 0, 2, Alert::FATAL, 116];
        if self.wire.ends_with(CERTIFICATE_REQUIRED) {
            // RFC 5246 §7.4.6 knows handshake_failure only; 116 is an alert of TLS 1.3.
            let at = self.wire.len() - 1;
            self.wire[at] = HANDSHAKE_FAILURE.0;
        } else if self.wire.is_empty() {
            // rustls is silent about what it thinks of as its own fault: a key that fits nothing that was offered.
            self.alert(HANDSHAKE_FAILURE);
        }
    }

    /// Sends a record that rustls would not send, under its keys.
    fn tapped_record(&mut self, typ: ContentType, payload: &[u8]) {
        let writer = self.rng.as_ref().and_then(|rng| rng.writer.as_ref());
        if let Some(writer) = writer
            && let Ok(record) = writer.lock().unwrap_or_else(PoisonError::into_inner).record(typ, payload)
        {
            self.wire.extend_from_slice(&record);
        }
    }
}

/// Feeds all of `bytes` to rustls.
fn feed(connection: &mut ServerConnection, mut bytes: &[u8], data: &mut Vec<u8>, progress: &mut Vec<Progress>) {
    while !bytes.is_empty() {
        if let Err(error) = connection.read_tls(&mut bytes) {
            progress.push(Progress::Failed { alert: None, why: error.to_string() });
            return;
        }
        let state = match connection.process_new_packets() {
            Ok(state) => state,
            Err(rustls::Error::AlertReceived(alert)) => {
                let alert = AlertDescription(u8::from(alert));
                progress.push(Progress::Failed { alert: Some(alert), why: "the client sent an alert".to_owned() });
                return;
            }
            Err(error) => {
                progress.push(Progress::Failed { alert: None, why: error.to_string() });
                return;
            }
        };
        let mut plaintext = connection.reader().take(state.plaintext_bytes_to_read() as u64);
        // All of it is there: the count is rustls' own.
        let _ = plaintext.read_to_end(data);
        if state.peer_has_closed() {
            progress.push(Progress::CloseNotify);
            return;
        }
    }
}

fn secured(connection: &ServerConnection) -> Secured {
    Secured {
        version: connection.protocol_version().map_or(0, u16::from),
        cipher_suite: connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into()),
        group: connection.negotiated_key_exchange_group().map(|group| group.name().into()),
        alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        client_certificates: connection
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect(),
    }
}

impl Engine for TlsEngine {
    fn received(&mut self, date: UnixTime, bytes: &[u8]) {
        self.configuration.set_date(date);
        self.work(|connection, data, progress| feed(connection, bytes, data, progress));
        if self.progress.iter().any(|step| matches!(step, Progress::Failed { .. })) {
            self.mend_alert();
            self.connection = None;
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
        // A message is cut into pieces that fit rustls' buffer, which is emptied after each.
        for piece in data.chunks(16_384) {
            self.work(|connection, _, _| {
                // rustls takes everything that fits its buffer.
                let _ = connection.writer().write_all(piece);
            });
        }
    }

    fn close_notify(&mut self) {
        if !std::mem::replace(&mut self.said_goodbye, true) {
            self.work(|connection, _, _| connection.send_close_notify());
        }
    }

    fn alert(&mut self, description: AlertDescription) {
        let alert = Alert { level: Alert::FATAL, description: description.0 };
        if self.is_open {
            self.tapped_record(ContentType::Alert, &[alert.level, alert.description]);
        } else {
            alert.record(ProtocolVersion(0x0303)).encode(&mut self.wire);
        }
    }

    fn empty_record(&mut self) {
        self.tapped_record(ContentType::ApplicationData, &[]);
    }

    fn update_keys(&mut self) {
        // TLS 1.2 has no such thing, and rustls says so.
        self.work(|connection, _, _| {
            let _ = connection.refresh_traffic_keys();
        });
    }

    fn renegotiate(&mut self) {
        // rustls has no such thing; the grammar does not let a script ask for it.
    }
}
