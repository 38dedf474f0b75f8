//! The AEAD ciphers of TLS 1.2 and 1.3.

use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::{Aes128, Aes256};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use wire::tls::CipherSuite;

/// A cipher with its key.
#[derive(Clone)]
pub struct Key {
    cipher: Cipher,
    /// The suite is one of TLS 1.3: the record's header is what is authenticated besides the contents.
    pub is_tls_1_3: bool,
}

#[derive(Clone)]
enum Cipher {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    Aes128Ccm(Box<Ccm<Aes128, U16, U12>>),
    Aes256Ccm(Box<Ccm<Aes256, U16, U12>>),
    Aes128Ccm8(Box<Ccm<Aes128, U8, U12>>),
    Aes256Ccm8(Box<Ccm<Aes256, U8, U12>>),
}

impl Key {
    /// The cipher of a suite with this key; `None` if it is not an AEAD that we know.
    pub fn new(suite: CipherSuite, key: &[u8]) -> Option<Self> {
        let name = suite.name()?;
        let is_tls_1_3 = suite.0 >> 8 == 0x13;
        let has_short_tag = name.ends_with("CCM_8") || name.ends_with("CCM_8_SHA256");
        let cipher = if name.contains("CHACHA20_POLY1305") {
            Cipher::ChaCha20Poly1305(new(key)?)
        } else {
            match (name.contains("_GCM"), name.contains("_CCM"), has_short_tag, key.len()) {
                _ if !name.contains("AES") => return None,
                (true, _, _, 16) => Cipher::Aes128Gcm(new(key)?),
                (true, _, _, 32) => Cipher::Aes256Gcm(new(key)?),
                (_, true, false, 16) => Cipher::Aes128Ccm(new(key)?),
                (_, true, false, 32) => Cipher::Aes256Ccm(new(key)?),
                (_, true, true, 16) => Cipher::Aes128Ccm8(new(key)?),
                (_, true, true, 32) => Cipher::Aes256Ccm8(new(key)?),
                _ => return None,
            }
        };
        Some(Self { cipher, is_tls_1_3 })
    }

    /// How much longer a record's contents are when sealed.
    pub const fn tag_bytes(&self) -> usize {
        match self.cipher {
            Cipher::Aes128Ccm8(_) | Cipher::Aes256Ccm8(_) => 8,
            _ => 16,
        }
    }

    /// The contents, if they are authentic.
    pub fn open(&self, nonce: &[u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce = &(*nonce).into();
        let payload = Payload { msg: sealed, aad };
        match &self.cipher {
            Cipher::Aes128Gcm(cipher) => cipher.decrypt(nonce, payload),
            Cipher::Aes256Gcm(cipher) => cipher.decrypt(nonce, payload),
            Cipher::ChaCha20Poly1305(cipher) => cipher.decrypt(nonce, payload),
            Cipher::Aes128Ccm(cipher) => cipher.decrypt(nonce, payload),
            Cipher::Aes256Ccm(cipher) => cipher.decrypt(nonce, payload),
            Cipher::Aes128Ccm8(cipher) => cipher.decrypt(nonce, payload),
            Cipher::Aes256Ccm8(cipher) => cipher.decrypt(nonce, payload),
        }
        .ok()
    }
}

fn new<C: KeyInit>(key: &[u8]) -> Option<Box<C>> {
    C::new_from_slice(key).ok().map(Box::new)
}
