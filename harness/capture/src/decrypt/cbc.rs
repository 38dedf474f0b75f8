//! Block ciphers in CBC mode with HMAC, in either order (RFC 5246 §6.2.3.2, RFC 7366).

use aes::{Aes128, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use wire::tls::Record;

use super::prf::Hash;
use super::pseudo_header;

const BLOCK_BYTES: usize = 16;

/// Keys of one direction.
#[derive(Clone)]
pub struct Key {
    pub key: Vec<u8>,
    pub mac_hash: Hash,
    pub mac_key: Vec<u8>,
    pub encrypt_then_mac: bool,
    /// TLS 1.0 takes the last block of one record as the next one's IV; later versions send it along.
    pub chained_iv: Option<[u8; BLOCK_BYTES]>,
}

impl Key {
    /// The contents of the record with this sequence number, if they are authentic.
    pub fn open(&mut self, sequence: u64, record: &Record) -> Option<Vec<u8>> {
        let mac_bytes = self.mac_hash.bytes();
        let mut sealed = &record.fragment[..];
        if self.encrypt_then_mac {
            let (covered, mac) = sealed.split_at_checked(sealed.len().checked_sub(mac_bytes)?)?;
            if self.mac(sequence, record, covered) != mac {
                return None;
            }
            sealed = covered;
        }
        let (iv, blocks) = match self.chained_iv {
            Some(iv) => (iv, sealed),
            None => sealed.split_first_chunk().map(|(iv, blocks)| (*iv, blocks))?,
        };
        let mut clear = self.decrypt(iv, blocks)?;
        if self.chained_iv.is_some() {
            self.chained_iv = blocks.last_chunk().copied();
        }
        // Every byte of the padding, its length included, is its length.
        let padding = usize::from(*clear.last()?);
        let content_end = clear.len().checked_sub(padding + 1)?;
        if clear[content_end..].iter().any(|byte| usize::from(*byte) != padding) {
            return None;
        }
        clear.truncate(content_end);
        if self.encrypt_then_mac {
            return Some(clear);
        }
        let mac = clear.split_off(clear.len().checked_sub(mac_bytes)?);
        (self.mac(sequence, record, &clear) == mac).then_some(clear)
    }

    fn mac(&self, sequence: u64, record: &Record, covered: &[u8]) -> Vec<u8> {
        self.mac_hash.hmac(&self.mac_key, &[&pseudo_header(sequence, record, covered.len()), covered])
    }

    fn decrypt(&self, iv: [u8; BLOCK_BYTES], blocks: &[u8]) -> Option<Vec<u8>> {
        if blocks.is_empty() || !blocks.len().is_multiple_of(BLOCK_BYTES) {
            return None;
        }
        match self.key.len() {
            16 => {
                Decryptor::<Aes128>::new_from_slices(&self.key, &iv).ok()?.decrypt_padded_vec::<NoPadding>(blocks).ok()
            }
            32 => {
                Decryptor::<Aes256>::new_from_slices(&self.key, &iv).ok()?.decrypt_padded_vec::<NoPadding>(blocks).ok()
            }
            _ => None,
        }
    }
}
