//! A tap on the encrypters of rustls, with which records of our own are written under its keys.
//!
//! rustls sends nothing that a good server would not send. To send an alert of choice, or an empty record, in the
//! middle of a connection, this needs rustls' current key and the next sequence number. So each cipher suite of ring
//! gets an AEAD that wraps the encrypters which it makes, and counts.

use super::connection_rng;
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion};
use std::sync::{Arc, Mutex, PoisonError};

/// The encrypter of one key, shared between rustls and us.
pub(super) struct Writer {
    encrypter: Box<dyn MessageEncrypter>,
    /// The sequence number that rustls will use next.
    next: u64,
    /// How many records of ours rustls does not know of.
    ours: u64,
}

impl Writer {
    fn share(encrypter: Box<dyn MessageEncrypter>) -> Box<dyn MessageEncrypter> {
        let writer = Arc::new(Mutex::new(Self { encrypter, next: 0, ours: 0 }));
        connection_rng::with_entered(|rng| rng.writer = Some(Arc::clone(&writer)));
        Box::new(Tap(writer))
    }

    /// A record of ours, encrypted as the next one.
    pub(super) fn record(&mut self, typ: ContentType, payload: &[u8]) -> Result<Vec<u8>, Error> {
        // Both versions of TLS write 1.2 into the header of encrypted records.
        let plain =
            OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload: OutboundChunks::Single(payload) };
        let record = self.encrypter.encrypt(plain, self.next + self.ours)?;
        self.ours += 1;
        Ok(record.encode())
    }
}

struct Tap(Arc<Mutex<Writer>>);

impl MessageEncrypter for Tap {
    fn encrypt(&mut self, plain: OutboundPlainMessage<'_>, sequence: u64) -> Result<OutboundOpaqueMessage, Error> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.next = sequence + 1;
        let sequence = sequence + writer.ours;
        writer.encrypter.encrypt(plain, sequence)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).encrypter.encrypted_payload_len(payload_len)
    }
}

/// An AEAD of TLS 1.2 with tapped encrypters.
pub(super) struct Tapped12(pub(super) &'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Tapped12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Writer::share(self.0.encrypter(key, iv, extra))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

/// An AEAD of TLS 1.3 with tapped encrypters.
pub(super) struct Tapped13(pub(super) &'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Tapped13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Writer::share(self.0.encrypter(key, iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }
}
