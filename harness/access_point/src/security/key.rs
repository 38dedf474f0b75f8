//! From a passphrase to the keys of one association (IEEE Std 802.11-2020 §12.7.1, annex J.4).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::MacAddress;

/// Octets of a nonce.
pub const NONCE_BYTES: usize = 32;

/// The pairwise master key: what both ends know before they speak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 32]);

impl MasterKey {
    /// Works the key out: 4096 rounds of HMAC-SHA-1, which takes milliseconds (§J.4.1).
    ///
    /// 64 hexadecimal digits are the key itself, as everywhere where a passphrase can be entered.
    pub fn from_passphrase(passphrase: &str, ssid: &[u8]) -> Self {
        if let Some(key) = raw_key(passphrase) {
            return Self(key);
        }
        Self(pbkdf2::pbkdf2_hmac_array::<Sha1, 32>(passphrase.as_bytes(), ssid, 4096))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

fn raw_key(passphrase: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = passphrase.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let mut key = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(key)
}

/// The pairwise transient key: what one association is protected with, in its three parts (§12.7.1.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TransientKey {
    /// Confirms key frames (KCK).
    pub confirmation: [u8; 16],
    /// Encrypts keys in key frames (KEK).
    pub encryption: [u8; 16],
    /// Encrypts data (TK).
    pub temporal: [u8; 16],
}

impl TransientKey {
    /// Of the master key, both addresses and both nonces.
    pub fn derive(master: &MasterKey, addresses: [MacAddress; 2], nonces: [&[u8; NONCE_BYTES]; 2]) -> Self {
        let [a, b] = addresses;
        let [m, n] = nonces;
        let mut data = Vec::with_capacity(12 + 2 * NONCE_BYTES);
        data.extend(a.min(b).0);
        data.extend(a.max(b).0);
        data.extend(m.min(n));
        data.extend(m.max(n));
        let mut key = [0; 48];
        prf(&master.0, "Pairwise key expansion", &data, &mut key);
        let part = |from: usize| key[from..].first_chunk::<16>().copied().unwrap_or_default();
        Self { confirmation: part(0), encryption: part(16), temporal: part(32) }
    }
}

impl fmt::Debug for TransientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransientKey(..)")
    }
}

/// HMAC-SHA-1 of `parts`, one behind the other.
pub(crate) fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The pseudo-random function of §12.7.1.2 with HMAC-SHA-1.
pub fn prf(key: &[u8], label: &str, data: &[u8], into: &mut [u8]) {
    for (index, chunk) in into.chunks_mut(20).enumerate() {
        let block = hmac_sha1(key, &[label.as_bytes(), &[0], data, &[index as u8]]);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests;
