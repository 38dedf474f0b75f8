//! Opens encrypted records, given the secrets of their connection.
//!
//! What a suite is made of comes from IANA's list by way of the crate `tls-parser`. Keys only ever decrypt what has been
//! recorded here: nothing in this module needs to run in constant time.

mod aead;
mod cbc;
mod prf;
mod stream_cipher;

use wire::tls::{CipherSuite, ContentType, ProtocolVersion, Record, RecordView};

use crate::secrets::Secrets;
use crate::stream::Side;
pub(crate) use prf::Hash;

/// A record's contents in clear: what it carries, and the bytes.
pub(crate) type Opened = (ContentType, Vec<u8>);

/// Why a record cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CannotOpen {
    /// The secret is not in the key log, or the suite is not one that we can open.
    NoKey,
    /// The record does not fit the key: it was forged or damaged.
    BadRecord,
}

/// How one direction's records are protected from some point on.
pub(crate) struct Protection {
    cipher: Option<Cipher>,
    sequence: u64,
    version: ProtocolVersion,
    /// What the keys of TLS 1.3 came from, for the next ones.
    traffic: Option<(Hash, Vec<u8>, CipherSuite)>,
}

enum Cipher {
    /// AEAD as TLS 1.3 and ChaCha20 use it: the whole nonce follows from the sequence number.
    Implicit(aead::Key, [u8; 12]),
    /// AEAD as TLS 1.2 uses it: four bytes of nonce are secret, eight stand in the record (RFC 5288 §3).
    Explicit(aead::Key, [u8; 4]),
    Cbc(cbc::Key),
    Stream(Box<stream_cipher::Key>),
}

/// The parts of a TLS 1.2 (or older) handshake that its keys depend on.
pub(crate) struct Agreed<'a> {
    pub version: ProtocolVersion,
    pub suite: CipherSuite,
    pub client_random: &'a [u8; 32],
    pub server_random: &'a [u8; 32],
    pub encrypt_then_mac: bool,
}

impl Protection {
    /// Encrypted, and we do not have the key.
    pub const fn opaque(version: ProtocolVersion) -> Self {
        Self { cipher: None, sequence: 0, version, traffic: None }
    }

    /// The keys that follow a ChangeCipherSpec (RFC 5246 §6.3).
    pub fn after_change_cipher_spec(agreed: &Agreed<'_>, main_secret: Option<&[u8]>, side: Side) -> Self {
        let cipher = main_secret.and_then(|secret| cipher_1_2(agreed, secret, side));
        Self { cipher, ..Self::opaque(agreed.version) }
    }

    /// The keys of a TLS 1.3 traffic secret (RFC 9846 §7.3).
    pub fn from_traffic_secret(suite: CipherSuite, secret: Option<&[u8]>) -> Self {
        let opaque = Self::opaque(ProtocolVersion::TLS_1_3);
        let Some((hash, key_bytes)) = suite_1_3(suite) else { return opaque };
        let Some(secret) = secret.filter(|secret| secret.len() == hash.bytes()) else { return opaque };
        let key = hash.expand_label(secret, "key", key_bytes);
        let iv = hash.expand_label(secret, "iv", 12);
        let key = aead::Key::new(suite, &key).zip(iv.first_chunk().copied());
        Self {
            cipher: key.map(|(key, iv)| Cipher::Implicit(key, iv)),
            traffic: Some((hash, secret.to_vec(), suite)),
            ..opaque
        }
    }

    /// The keys after a KeyUpdate (RFC 9846 §7.2).
    pub fn updated(&self) -> Self {
        match &self.traffic {
            Some((hash, secret, suite)) => {
                let next = hash.expand_label(secret, "traffic upd", hash.bytes());
                Self::from_traffic_secret(*suite, Some(&next))
            }
            None => Self::opaque(self.version),
        }
    }

    /// Opens the next record. One that cannot be opened does not count.
    pub fn open(&mut self, record: &Record) -> Result<Opened, CannotOpen> {
        let cipher = self.cipher.as_mut().ok_or(CannotOpen::NoKey)?;
        let opened = open(cipher, self.sequence, record).ok_or(CannotOpen::BadRecord)?;
        self.sequence += 1;
        if self.version < ProtocolVersion::TLS_1_3 {
            return Ok((record.content_type, opened));
        }
        // TLSInnerPlaintext: the contents, their type, zeros (RFC 9846 §5.2).
        let type_at = opened.iter().rposition(|byte| *byte != 0).ok_or(CannotOpen::BadRecord)?;
        let content_type = ContentType(opened[type_at]);
        Ok((content_type, opened[..type_at].to_vec()))
    }
}

fn open(cipher: &mut Cipher, sequence: u64, record: &Record) -> Option<Vec<u8>> {
    let fragment = &record.fragment[..];
    if fragment.len() > RecordView::CIPHERTEXT_BYTES_MAX {
        return None;
    }
    match cipher {
        Cipher::Implicit(key, iv) => {
            let mut nonce = *iv;
            nonce[4..].iter_mut().zip(sequence.to_be_bytes()).for_each(|(byte, counter)| *byte ^= counter);
            let aad = if key.is_tls_1_3 {
                header(record, fragment.len()).to_vec()
            } else {
                pseudo_header(sequence, record, fragment.len().checked_sub(key.tag_bytes())?)
            };
            key.open(&nonce, &aad, fragment)
        }
        Cipher::Explicit(key, salt) => {
            let (explicit, sealed) = fragment.split_first_chunk::<8>()?;
            let mut nonce = [0; 12];
            nonce[..4].copy_from_slice(salt);
            nonce[4..].copy_from_slice(explicit);
            let aad = pseudo_header(sequence, record, sealed.len().checked_sub(key.tag_bytes())?);
            key.open(&nonce, &aad, sealed)
        }
        Cipher::Cbc(key) => key.open(sequence, record),
        Cipher::Stream(key) => key.open(sequence, record),
    }
}

fn header(record: &Record, length: usize) -> [u8; 5] {
    let ([major, minor], [high, low]) = (record.version.0.to_be_bytes(), (length as u16).to_be_bytes());
    [record.content_type.0, major, minor, high, low]
}

/// What a MAC covers besides the contents (RFC 5246 §6.2.3.1, §6.2.3.3).
fn pseudo_header(sequence: u64, record: &Record, length: usize) -> Vec<u8> {
    [&sequence.to_be_bytes()[..], &header(record, length)].concat()
}

/// Hash and key length of a TLS 1.3 suite (RFC 9846 §B.4).
fn suite_1_3(suite: CipherSuite) -> Option<(Hash, usize)> {
    match suite.0 {
        0x1301 => Some((Hash::Sha256, 16)),
        0x1302 => Some((Hash::Sha384, 32)),
        0x1303 => Some((Hash::Sha256, 32)),
        0x1304 | 0x1305 => Some((Hash::Sha256, 16)),
        _ => None,
    }
}

/// Cuts one side's keys out of the key block (RFC 5246 §6.3).
fn cipher_1_2(agreed: &Agreed<'_>, main_secret: &[u8], side: Side) -> Option<Cipher> {
    use tls_parser::{TlsCipherEnc as Enc, TlsCipherEncMode as Mode, TlsCipherMac as Mac};

    let suite = agreed.suite.parameters()?;
    let mac_hash = match suite.mac {
        Mac::HmacSha1 => Some(Hash::Sha1),
        Mac::HmacSha256 => Some(Hash::Sha256),
        Mac::HmacSha384 => Some(Hash::Sha384),
        Mac::HmacMd5 => Some(Hash::Md5),
        _ => None,
    };
    let is_aead = matches!(suite.mac, Mac::Aead);
    let mac_bytes = mac_hash.map_or(0, Hash::bytes);
    let block_cipher = match suite.enc_mode {
        Mode::Cbc => Some(cbc::BlockCipher::of(&suite.enc, suite.enc_size)?),
        _ => None,
    };
    let key_bytes = match (&suite.enc, block_cipher) {
        (_, Some(cipher)) => cipher.key_bytes,
        // The table of tls-parser 0.12.2 says 16; RFC 7905 §2 says 32.
        (Enc::Chacha20_Poly1305, _) => 32,
        _ => suite.enc_key_size(),
    };
    let iv_bytes = match (&suite.enc, block_cipher) {
        (Enc::Chacha20_Poly1305, _) => 12,
        _ if is_aead => 4,
        (_, Some(cipher)) if agreed.version <= ProtocolVersion::TLS_1_0 => cipher.block_bytes,
        _ => 0,
    };
    let block = prf::key_block(agreed, main_secret, 2 * (mac_bytes + key_bytes + iv_bytes));
    let part = |offset: usize, bytes: usize| {
        let at = offset * 2 + if side == Side::Client { 0 } else { bytes };
        block.get(at..at + bytes)
    };
    let mac_key = part(0, mac_bytes)?.to_vec();
    let key = part(mac_bytes, key_bytes)?;
    let iv = part(mac_bytes + key_bytes, iv_bytes)?;
    match (&suite.enc, block_cipher) {
        (_, Some(cipher)) => Some(Cipher::Cbc(cbc::Key {
            cipher,
            key: key.to_vec(),
            mac_hash: mac_hash?,
            mac_key,
            encrypt_then_mac: agreed.encrypt_then_mac,
            chained_iv: (!iv.is_empty()).then(|| iv.to_vec()),
        })),
        (Enc::Chacha20_Poly1305, _) => {
            Some(Cipher::Implicit(aead::Key::new(agreed.suite, key)?, iv.first_chunk().copied()?))
        }
        (_, None) if is_aead => Some(Cipher::Explicit(aead::Key::new(agreed.suite, key)?, iv.first_chunk().copied()?)),
        // Export suites (RFC 2246 §6.3.1) make their keys otherwise, and have shorter ones.
        (Enc::Rc4, _) if key_bytes == 16 => {
            Some(Cipher::Stream(Box::new(stream_cipher::Key::rc4(key, mac_hash?, mac_key)?)))
        }
        (Enc::Null, _) => Some(Cipher::Stream(Box::new(stream_cipher::Key::null(mac_hash?, mac_key)))),
        _ => None,
    }
}

/// The secret of a TLS 1.3 connection that protects `side`'s handshake messages, or its application data.
pub(crate) fn traffic_secret(secrets: Option<&Secrets>, side: Side, is_handshake: bool) -> Option<&[u8]> {
    let secrets = secrets?;
    let pair = if is_handshake { &secrets.handshake } else { &secrets.application };
    pair[side as usize].as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC_KEY: &[u8] = &[7; 32];

    /// A record that is authenticated and not encrypted, as TLS_RSA_WITH_NULL_SHA256 makes them.
    fn record(contents_bytes: usize) -> Record {
        let mut fragment = vec![b'x'; contents_bytes];
        let record = Record { content_type: ContentType(23), version: ProtocolVersion::TLS_1_2, fragment: Vec::new() };
        let covered = pseudo_header(0, &record, contents_bytes);
        fragment.extend(Hash::Sha256.hmac(MAC_KEY, &[&covered, &fragment]));
        Record { fragment, ..record }
    }

    /// RFC 9846 §5.2: 2^14 bytes and 256; RFC 5246 §6.2.3: 2^14 and 2048.
    #[test]
    fn a_record_may_be_as_long_as_the_rfcs_say_and_no_longer() {
        let bytes_max = (1 << 14) + 2_048;
        let opened = |fragment_bytes: usize| {
            let mut cipher = Cipher::Stream(Box::new(stream_cipher::Key::null(Hash::Sha256, MAC_KEY.to_vec())));
            open(&mut cipher, 0, &record(fragment_bytes - 32)).map(|contents| contents.len())
        };
        assert_eq!(opened(100), Some(68));
        assert_eq!(opened(bytes_max), Some(bytes_max - 32));
        assert_eq!(opened(bytes_max + 1), None);
        assert_eq!(opened(bytes_max + 2), None);
    }

    /// RFC 9846 §B.4.
    #[test]
    fn suites_of_tls_1_3_have_the_hashes_and_keys_of_the_rfc() {
        for (suite, expected) in [
            (0x1301, Some((32, 16))),
            (0x1302, Some((48, 32))),
            (0x1303, Some((32, 32))),
            (0x1304, Some((32, 16))),
            (0x1305, Some((32, 16))),
            (0x1306, None),
        ] {
            let told = suite_1_3(CipherSuite(suite)).map(|(hash, key_bytes)| (hash.bytes(), key_bytes));
            assert_eq!(told, expected, "{suite:#x}");
        }
    }

    /// TLS_RSA_EXPORT_WITH_RC4_40_MD5: its keys are made otherwise (RFC 2246 §6.3.1), and are not known here.
    #[test]
    fn suites_for_export_are_not_opened() {
        let (client_random, server_random) = (&[1; 32], &[2; 32]);
        let opens = |suite| {
            let version = ProtocolVersion::TLS_1_0;
            let suite = CipherSuite(suite);
            let agreed = Agreed { version, suite, client_random, server_random, encrypt_then_mac: false };
            cipher_1_2(&agreed, &[3; 48], Side::Client).is_some()
        };
        assert!(!opens(0x0003), "TLS_RSA_EXPORT_WITH_RC4_40_MD5");
        assert!(opens(0x0004), "TLS_RSA_WITH_RC4_128_MD5");
    }
}
