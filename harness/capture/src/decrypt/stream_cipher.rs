//! Stream ciphers with HMAC: RC4, and none at all (RFC 5246 §6.2.3.1).

use rc4::{KeyInit, Rc4, StreamCipher};
use wire::tls::Record;

use super::prf::Hash;
use super::pseudo_header;

/// Keys of one direction.
pub struct Key {
    /// `None`: integrity only.
    keystream: Option<Keystream>,
    mac_hash: Hash,
    mac_key: Vec<u8>,
}

impl Key {
    /// TLS_*_WITH_NULL_*: nothing is encrypted.
    pub fn null(mac_hash: Hash, mac_key: Vec<u8>) -> Self {
        Self { keystream: None, mac_hash, mac_key }
    }

    /// TLS_*_WITH_RC4_128_*.
    pub fn rc4(key: &[u8], mac_hash: Hash, mac_key: Vec<u8>) -> Option<Self> {
        let cipher = Rc4::new_from_slice(key).ok()?;
        Some(Self { keystream: Some(Keystream { cipher, ahead: vec![] }), mac_hash, mac_key })
    }

    /// The contents of the record with this sequence number, if they are authentic.
    pub fn open(&mut self, sequence: u64, record: &Record) -> Option<Vec<u8>> {
        let mut clear = record.fragment.clone();
        if let Some(keystream) = &mut self.keystream {
            keystream.apply(&mut clear);
        }
        let mac = clear.split_off(clear.len().checked_sub(self.mac_hash.bytes())?);
        let header = pseudo_header(sequence, record, clear.len());
        if self.mac_hash.hmac(&self.mac_key, &[&header, &clear]) != mac {
            return None;
        }
        if let Some(keystream) = &mut self.keystream {
            keystream.advance(record.fragment.len());
        }
        Some(clear)
    }
}

/// What is added to the contents. It moves on with records that are authentic only: a forged one is not the sender's.
struct Keystream {
    cipher: Rc4,
    /// Drawn from the cipher for a record that was not authentic; never longer than the longest record.
    ahead: Vec<u8>,
}

impl Keystream {
    fn apply(&mut self, bytes: &mut [u8]) {
        if let Some(missing) = bytes.len().checked_sub(self.ahead.len()) {
            let mut more = vec![0; missing];
            self.cipher.apply_keystream(&mut more);
            self.ahead.extend(more);
        }
        bytes.iter_mut().zip(&self.ahead).for_each(|(byte, key)| *byte ^= key);
    }

    fn advance(&mut self, bytes: usize) {
        self.ahead.drain(..bytes.min(self.ahead.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::tls::{ContentType, ProtocolVersion};

    #[test]
    fn a_forged_record_does_not_move_the_keystream() {
        let (key, mac_key) = ([7; 16], vec![9; 20]);
        let mut sender = Rc4::new_from_slice(&key).unwrap();
        let mut seal = |sequence, text: &[u8]| {
            let (content_type, version) = (ContentType::APPLICATION_DATA, ProtocolVersion::TLS_1_2);
            let mut record = Record { content_type, version, fragment: text.to_vec() };
            let mac = Hash::Sha1.hmac(&mac_key, &[&pseudo_header(sequence, &record, text.len()), text]);
            record.fragment.extend(mac);
            sender.apply_keystream(&mut record.fragment);
            record
        };
        let records = [seal(0, b"one"), seal(1, b"two and more"), seal(2, b"three")];
        let forged = |bytes| Record { fragment: vec![0xaa; bytes], ..records[0].clone() };
        let mut key = Key::rc4(&key, Hash::Sha1, mac_key.clone()).unwrap();
        assert_eq!(key.open(0, &records[0]).unwrap(), b"one");
        for bytes in [0, 19, 20, 500] {
            assert_eq!(key.open(1, &forged(bytes)), None, "{bytes}");
        }
        assert_eq!(key.open(1, &records[1]).unwrap(), b"two and more");
        assert_eq!(key.open(2, &records[2]).unwrap(), b"three");
    }
}
