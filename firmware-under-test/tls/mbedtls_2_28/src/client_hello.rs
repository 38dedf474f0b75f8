//! What a ClientHello offers that somebody else has written (RFC 5246 §7.4.1.2, RFC 4346 §7.4.1.2).

use alloc::vec::Vec;

/// ContentType handshake, HandshakeType client_hello.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Values in the list of suites that name none (RFC 5746 §3.3, RFC 7507 §2).
const SIGNALS: [u16; 2] = [0x00ff, 0x5600];

/// What the library has to know to go on from a hello that it did not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The version in the record's header. Mbed TLS writes the lowest there that it takes.
    pub(crate) record_version: u16,
    /// The highest version.
    pub(crate) version: u16,
    /// The cipher suites, best first.
    pub(crate) cipher_suites: Vec<u16>,
}

impl Offer {
    /// Reads one whole record with one whole ClientHello.
    pub(crate) fn of(record: &[u8]) -> Option<Self> {
        let mut record = Reader(record);
        let is_handshake = record.byte()? == HANDSHAKE;
        let record_version = record.word()?;
        let length = usize::from(record.word()?);
        let mut message = Reader(record.take(length)?);
        let is_hello = message.byte()? == CLIENT_HELLO;
        let length = usize::from(message.byte()?) << 16 | usize::from(message.word()?);
        let mut hello = Reader(message.take(length)?);
        let is_whole = record.0.is_empty() && message.0.is_empty();
        let version = hello.word()?;
        let _random = hello.take(32)?;
        let length = usize::from(hello.byte()?);
        let _session_id = hello.take(length)?;
        let length = usize::from(hello.word()?);
        let mut suites = Reader(hello.take(length)?);
        let mut cipher_suites = Vec::new();
        while !suites.0.is_empty() {
            cipher_suites.push(suites.word()?);
        }
        cipher_suites.retain(|suite| !SIGNALS.contains(suite));
        (is_handshake && is_hello && is_whole).then_some(Self { record_version, version, cipher_suites })
    }
}

/// Bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::blobs::from_hex;

    /// What NodeMCU 1.4 sent to IBM's broker, byte for byte (source document s0).
    const NODEMCU: &str = "16030200330100002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d77\
                           6537f5071045d17e1aea000008002f0035000500040100";

    #[test]
    fn the_hello_of_nodemcu_offers_four_suites_and_tls_1_1() {
        let record = from_hex(NODEMCU).expect("hexadecimal");
        let offer = Offer::of(&record).expect("a hello");
        assert_eq!((offer.record_version, offer.version), (0x0302, 0x0302));
        assert_eq!(offer.cipher_suites, [0x002f, 0x0035, 0x0005, 0x0004]);
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_none() {
        let record = from_hex(NODEMCU).expect("hexadecimal");
        for length in 0..record.len() {
            assert_eq!(Offer::of(&record[..length]), None, "{length} bytes");
        }
        assert_eq!(Offer::of(&[&record[..], &[0]].concat()), None);
        let mut other = record.clone();
        other[0] = 23;
        assert_eq!(Offer::of(&other), None);
    }
}
