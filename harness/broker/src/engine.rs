//! Engines turn the bytes of the wire into those of the session and back.

use crate::event::Secured;
use clock::UnixTime;
use outcome::AlertDescription;

/// What lies between TCP and MQTT. An engine does no I/O and knows no MQTT.
///
/// rustls is one ([`crate::tls::TlsEngine`]), OpenSSL is another ([`crate::libssl::OpensslEngine`]), and no encryption at
/// all a third ([`Plain`]).
pub(crate) trait Engine: Send {
    /// Takes bytes of the wire, at that calendar time.
    fn received(&mut self, date: UnixTime, bytes: &[u8]);

    /// Bytes for the wire.
    fn take_wire(&mut self) -> Vec<u8>;

    /// Bytes of the session that have arrived.
    fn take_data(&mut self) -> Vec<u8>;

    /// What else has happened.
    fn take_progress(&mut self) -> Vec<Progress>;

    /// Sends bytes of the session, in one record if they fit.
    fn say(&mut self, data: &[u8]);

    /// Says goodbye (RFC 9846 §6.1). Nothing may be said after that.
    fn close_notify(&mut self);

    /// Sends a fatal alert under the present keys.
    fn alert(&mut self, description: AlertDescription);

    /// Sends a record of application data that is empty (RFC 9846 §5.1).
    fn empty_record(&mut self);

    /// Changes the keys for what is sent (RFC 9846 §4.7.3), where that is possible.
    fn update_keys(&mut self);

    /// Asks for a new handshake (RFC 5246 §7.4.1.1), where that is possible.
    fn renegotiate(&mut self);
}

/// A step of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The session can begin; with what was agreed on, if anything was.
    Open(Option<Secured>),
    /// It is over: by the peer's alert, or for a reason of the engine's own, of which it has told the peer.
    Failed {
        /// The peer's alert.
        alert: Option<AlertDescription>,
        /// The reason.
        why: String,
    },
    /// The peer said goodbye.
    CloseNotify,
}

/// No encryption.
#[derive(Debug)]
pub(crate) struct Plain {
    wire: Vec<u8>,
    data: Vec<u8>,
    progress: Vec<Progress>,
}

impl Plain {
    /// An engine that is open from the start.
    pub(crate) fn new() -> Self {
        Self { wire: Vec::new(), data: Vec::new(), progress: vec![Progress::Open(None)] }
    }
}

impl Engine for Plain {
    fn received(&mut self, _date: UnixTime, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
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
        self.wire.extend_from_slice(data);
    }

    // Without TLS there are neither alerts nor records nor keys: what they would have been is left out.
    fn close_notify(&mut self) {}
    fn alert(&mut self, _description: AlertDescription) {}
    fn empty_record(&mut self) {}
    fn update_keys(&mut self) {}
    fn renegotiate(&mut self) {}
}
