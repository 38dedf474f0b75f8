//! From secrets to keys: the PRF of TLS 1.2 and older, HKDF-Expand-Label of TLS 1.3.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use wire::tls::ProtocolVersion;

use super::Agreed;

/// The hash functions of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Length of its output.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// HMAC over the concatenation of `parts` (RFC 2104).
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => hmac::<Hmac<Md5>>(key, parts),
            Self::Sha1 => hmac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => hmac::<Hmac<Sha256>>(key, parts),
            Self::Sha384 => hmac::<Hmac<Sha384>>(key, parts),
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 9846 §7.1, RFC 5869 §2.3).
    pub fn expand_label(self, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
        let mut info = (length as u16).to_be_bytes().to_vec();
        info.push(6 + label.len() as u8);
        info.extend_from_slice(b"tls13 ");
        info.extend_from_slice(label.as_bytes());
        info.push(0);
        let mut expanded: Vec<u8> = Vec::new();
        let mut block = Vec::new();
        for counter in 1..=u8::MAX {
            if expanded.len() >= length {
                break;
            }
            block = self.hmac(secret, &[&block, &info, &[counter]]);
            expanded.extend_from_slice(&block);
        }
        expanded.truncate(length);
        expanded
    }

    /// P_hash (RFC 5246 §5).
    fn p_hash(self, secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
        let mut output = Vec::new();
        let mut a = seed.to_vec();
        for _ in 0..length.div_ceil(self.bytes()) {
            a = self.hmac(secret, &[&a]);
            output.extend(self.hmac(secret, &[&a, seed]));
        }
        output.truncate(length);
        output
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// The key block of a connection (RFC 5246 §6.3).
pub fn key_block(agreed: &Agreed<'_>, main_secret: &[u8], length: usize) -> Vec<u8> {
    let seed = [b"key expansion", &agreed.server_random[..], agreed.client_random].concat();
    if agreed.version >= ProtocolVersion::TLS_1_2 {
        let is_sha384 = agreed.suite.name().is_some_and(|name| name.ends_with("_SHA384"));
        let hash = if is_sha384 { Hash::Sha384 } else { Hash::Sha256 };
        return hash.p_hash(main_secret, &seed, length);
    }
    // RFC 2246 §5: MD5 over the first half of the secret, SHA-1 over the second, mixed.
    let half = main_secret.len().div_ceil(2);
    let md5 = Hash::Md5.p_hash(&main_secret[..half], &seed, length);
    let sha1 = Hash::Sha1.p_hash(&main_secret[main_secret.len() - half..], &seed, length);
    md5.iter().zip(sha1).map(|(a, b)| a ^ b).collect()
}
