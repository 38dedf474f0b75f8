//! TLS as it passes on the wire: records, handshake messages, alerts (RFC 9846; RFC 5246 and older).
//!
//! Bytes from a peer are hostile until shown otherwise. So each message has two types: a *view*, which promises no more
//! than that its outer structure holds, and a *repr*, which says what we understand of it. An extension that cannot be
//! understood is named in the repr as malformed and does not hide the rest of its hello.
//!
//! Nothing in here decrypts: what a peer says under encryption is read the same way once it is plain text.

mod cursor;
mod extension;
mod fingerprint;
mod handshake;
mod hello;
mod message;
mod record;
mod registry;

pub use cursor::Malformed;
pub use extension::{Extension, ExtensionView, Extensions};
pub use fingerprint::{Ja3, Ja4};
pub use handshake::{HandshakeDecoder, Message, TooLong};
pub use hello::{ClientHello, ClientHelloView, ServerHello, ServerHelloView};
pub use message::{
    CertificateChain, CertificateRequest, CertificateVerify, EncryptedExtensions, KeyExchange, NewSessionTicket,
    ServerKeyExchange,
};
pub use record::{Alert, NotARecord, Record, RecordDecoder, RecordView};
pub use registry::{
    CipherSuite, ContentType, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme, is_grease,
};

#[cfg(test)]
mod tests;
