//! The AEAD ciphers of TLS 1.2 and 1.3.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::{Aes128, Aes256};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use tls_parser::{TlsCipherEnc as Enc, TlsCipherEncMode as Mode};
use wire::tls::CipherSuite;

/// GCM was made for AES, and is defined for every block cipher of its size (RFC 6209, RFC 6367).
type Gcm<C> = AesGcm<C, U12>;

/// A cipher with its key.
pub struct Key {
    cipher: Box<dyn Opens>,
    tag_bytes: usize,
    /// The suite is one of TLS 1.3: the record's header is what is authenticated besides the contents.
    pub is_tls_1_3: bool,
}

impl Key {
    /// The cipher of a suite with this key; `None` if it is not an AEAD that we know.
    pub fn new(suite: CipherSuite, key: &[u8]) -> Option<Self> {
        let parameters = suite.parameters()?;
        // RFC 6655 §6.1: eight bytes of tag, told by the name alone.
        let has_short_tag = parameters.name.ends_with("CCM_8") || parameters.name.ends_with("CCM_8_SHA256");
        let cipher: Box<dyn Opens> = match (&parameters.enc, &parameters.enc_mode, key.len()) {
            (Enc::Chacha20_Poly1305, _, 32) => cipher::<ChaCha20Poly1305>(key)?,
            (Enc::Aes, Mode::Gcm, 16) => cipher::<Gcm<Aes128>>(key)?,
            (Enc::Aes, Mode::Gcm, 32) => cipher::<Gcm<Aes256>>(key)?,
            (Enc::Aes, Mode::Ccm, 16) if has_short_tag => cipher::<Ccm<Aes128, U8, U12>>(key)?,
            (Enc::Aes, Mode::Ccm, 32) if has_short_tag => cipher::<Ccm<Aes256, U8, U12>>(key)?,
            (Enc::Aes, Mode::Ccm, 16) => cipher::<Ccm<Aes128, U16, U12>>(key)?,
            (Enc::Aes, Mode::Ccm, 32) => cipher::<Ccm<Aes256, U16, U12>>(key)?,
            (Enc::Aria, Mode::Gcm, 16) => cipher::<Gcm<Aria128>>(key)?,
            (Enc::Aria, Mode::Gcm, 32) => cipher::<Gcm<Aria256>>(key)?,
            (Enc::Camellia, Mode::Gcm, 16) => cipher::<Gcm<Camellia128>>(key)?,
            (Enc::Camellia, Mode::Gcm, 32) => cipher::<Gcm<Camellia256>>(key)?,
            _ => return None,
        };
        Some(Self { cipher, tag_bytes: if has_short_tag { 8 } else { 16 }, is_tls_1_3: suite.0 >> 8 == 0x13 })
    }

    /// How much longer a record's contents are when sealed.
    pub const fn tag_bytes(&self) -> usize {
        self.tag_bytes
    }

    /// The contents, if they are authentic.
    pub fn open(&self, nonce: &[u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.open(nonce, Payload { msg: sealed, aad })
    }
}

/// Any AEAD with the nonces of TLS.
trait Opens: Send + Sync {
    fn open(&self, nonce: &[u8; 12], sealed: Payload<'_, '_>) -> Option<Vec<u8>>;
}

impl<C: Aead<NonceSize = U12> + Send + Sync> Opens for C {
    fn open(&self, nonce: &[u8; 12], sealed: Payload<'_, '_>) -> Option<Vec<u8>> {
        self.decrypt(&(*nonce).into(), sealed).ok()
    }
}

fn cipher<C: Opens + KeyInit + 'static>(key: &[u8]) -> Option<Box<dyn Opens>> {
    Some(Box::new(C::new_from_slice(key).ok()?))
}
