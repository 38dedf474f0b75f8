//! Waits for a whole ClientHello before anybody answers it.

use wire::tls::{ClientHello, ClientHelloView, ContentType, HandshakeDecoder, HandshakeType, RecordDecoder};

/// The longest ClientHello that is waited for, in bytes on the wire: the longest that is read, and its records.
const HELD_BYTES_MAX: usize = 80 * 1024;
/// The longest ClientHello that is read.
const HELLO_BYTES_MAX: usize = 64 * 1024;

/// What has come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Not enough has come to tell.
    Incomplete,
    /// A ClientHello, and what we understand of it; `None` if that is nothing.
    Hello(Option<Box<ClientHello>>),
    /// Something else.
    NotTls,
}

/// Holds bytes back until a whole ClientHello has come.
#[derive(Debug)]
pub(crate) struct ClientHelloBuffer {
    held: Vec<u8>,
    records: RecordDecoder,
    messages: HandshakeDecoder,
}

impl ClientHelloBuffer {
    pub(crate) fn new() -> Self {
        Self { held: Vec::new(), records: RecordDecoder::new(), messages: HandshakeDecoder::new(HELLO_BYTES_MAX) }
    }

    /// Takes bytes of the wire.
    pub(crate) fn received(&mut self, bytes: &[u8]) -> Arrival {
        self.held.extend_from_slice(bytes);
        self.records.extend(bytes);
        while let Some(record) = self.records.next_record() {
            match record {
                Ok(record) if record.content_type == ContentType::HANDSHAKE => self.messages.extend(&record.fragment),
                _ => return Arrival::NotTls,
            }
            match self.messages.next_message() {
                Some(Ok(message)) if message.kind == HandshakeType::CLIENT_HELLO => {
                    let hello = ClientHelloView::parse(&message.body).and_then(|view| ClientHello::parse(&view));
                    return Arrival::Hello(hello.ok().map(Box::new));
                }
                Some(_) => return Arrival::NotTls,
                None => {}
            }
        }
        if self.held.len() > HELD_BYTES_MAX { Arrival::NotTls } else { Arrival::Incomplete }
    }

    /// All that was held back.
    pub(crate) fn into_held(self) -> Vec<u8> {
        self.held
    }
}
