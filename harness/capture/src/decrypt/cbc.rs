//! Block ciphers in CBC mode with HMAC, in either order (RFC 5246 §6.2.3.2, RFC 7366).

use aes::{Aes128, Aes256};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use cbc::Decryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser, KeyInit, KeyIvInit};
use des::{Des, TdesEde3};
use tls_parser::TlsCipherEnc as Enc;
use wire::tls::Record;

use super::prf::Hash;
use super::pseudo_header;

/// A block cipher in the sizes in which TLS has it.
#[derive(Clone, Copy)]
pub struct BlockCipher {
    pub key_bytes: usize,
    pub block_bytes: usize,
    decrypt: Decrypt,
}

/// Takes key, IV and blocks.
type Decrypt = fn(&[u8], &[u8], &[u8]) -> Option<Vec<u8>>;

impl BlockCipher {
    /// The cipher of a suite, whose key has `key_bits` that count; `None` if it is not one that we know.
    pub fn of(cipher: &Enc, key_bits: u16) -> Option<Self> {
        Some(match (cipher, key_bits) {
            (Enc::Aes, 128) => Self::new::<Aes128>(),
            (Enc::Aes, 256) => Self::new::<Aes256>(),
            (Enc::Aria, 128) => Self::new::<Aria128>(),
            (Enc::Aria, 256) => Self::new::<Aria256>(),
            (Enc::Camellia, 128) => Self::new::<Camellia128>(),
            (Enc::Camellia, 256) => Self::new::<Camellia256>(),
            // Each byte of these keys has seven bits that count (RFC 5246 appendix C says 24 bytes of 168 bits).
            (Enc::Des, 56) => Self::new::<Des>(),
            (Enc::TripleDes, 168) => Self::new::<TdesEde3>(),
            _ => return None,
        })
    }

    fn new<C: BlockCipherDecrypt + KeyInit>() -> Self {
        let (key_bytes, block_bytes) = (C::key_size(), <C as BlockSizeUser>::block_size());
        Self { key_bytes, block_bytes, decrypt: decrypt::<C> }
    }
}

/// The blocks in clear, with their padding.
fn decrypt<C: BlockCipherDecrypt + KeyInit>(key: &[u8], iv: &[u8], blocks: &[u8]) -> Option<Vec<u8>> {
    Decryptor::<C>::new_from_slices(key, iv).ok()?.decrypt_padded_vec::<NoPadding>(blocks).ok()
}

/// Keys of one direction.
pub struct Key {
    pub cipher: BlockCipher,
    pub key: Vec<u8>,
    pub mac_hash: Hash,
    pub mac_key: Vec<u8>,
    pub encrypt_then_mac: bool,
    /// TLS 1.0 takes the last block of one record as the next one's IV; later versions send it along.
    pub chained_iv: Option<Vec<u8>>,
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
        let block_bytes = self.cipher.block_bytes;
        let (iv, blocks) = match &self.chained_iv {
            Some(iv) => (&iv[..], sealed),
            None => sealed.split_at_checked(block_bytes)?,
        };
        // Blocks there must be, and whole ones.
        let last_block = blocks.len().checked_sub(block_bytes).and_then(|at| blocks.get(at..))?;
        let mut clear = (self.cipher.decrypt)(&self.key, iv, blocks)?;
        if self.chained_iv.is_some() {
            self.chained_iv = Some(last_block.to_vec());
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
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5246 appendix C, RFC 6367, RFC 6209, and FIPS 46-3 for the key of DES: bytes of key, bytes of block.
    #[test]
    fn ciphers_have_the_lengths_of_their_documents() {
        for (cipher, key_bits, expected) in [
            (Enc::Aes, 128, Some((16, 16))),
            (Enc::Aes, 256, Some((32, 16))),
            (Enc::Aria, 128, Some((16, 16))),
            (Enc::Aria, 256, Some((32, 16))),
            (Enc::Camellia, 128, Some((16, 16))),
            (Enc::Camellia, 256, Some((32, 16))),
            (Enc::Des, 56, Some((8, 8))),
            (Enc::TripleDes, 168, Some((24, 8))),
            (Enc::Des, 40, None),
        ] {
            let told = BlockCipher::of(&cipher, key_bits).map(|cipher| (cipher.key_bytes, cipher.block_bytes));
            assert_eq!(told, expected, "{cipher:?} {key_bits}");
        }
    }
}
