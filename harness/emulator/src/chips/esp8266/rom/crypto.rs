//! What the ROM has for WPA2: the hash, its HMAC, the derivation of keys, and the unwrapping of a group's key.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use sha1::{Digest, Sha1};

use super::{BadAddress, Function, LENGTH_MAX, Machine, Outcome, returned};

pub(super) const FUNCTIONS: &[(&str, Function)] =
    &[("pbkdf2_sha1", pbkdf2_sha1), ("hmac_sha1", hmac_sha1), ("sha1_prf", sha1_prf), ("aes_unwrap", aes_unwrap)];

/// Cycles of one block of SHA-1, compiled as the ROM is.
const BLOCK_CYCLES: u64 = 4_800;
const BLOCK_BYTES: usize = 64;
const HASH_BYTES: usize = 20;

/// HMAC (RFC 2104).
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..HASH_BYTES].copy_from_slice(&Sha1::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha1::new_with_prefix(block.map(|byte| byte ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    let mut outer = Sha1::new_with_prefix(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// How long HMAC of so many bytes takes.
fn hmac_cycles(bytes: usize) -> u64 {
    BLOCK_CYCLES * (4 + bytes as u64 / BLOCK_BYTES as u64)
}

/// `pbkdf2_sha1(passphrase, ssid, ssid length, iterations, key, key length)` (RFC 8018, section 5.2)
fn pbkdf2_sha1(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    const ITERATIONS_MAX: u32 = 65_536;
    let [passphrase, ssid, ssid_length, iterations, key, key_length] = [0, 1, 2, 3, 4, 5].map(|n| machine.argument(n));
    let (iterations, key_length) = (iterations.clamp(1, ITERATIONS_MAX), key_length.min(256) as usize);
    let passphrase = machine.text(passphrase, 64)?;
    let ssid = machine.read_vec(ssid, ssid_length.min(64))?;
    let mut derived = Vec::new();
    for block in 1..=key_length.div_ceil(HASH_BYTES) as u32 {
        let mut last = hmac(&passphrase, &[&ssid, &block.to_be_bytes()]);
        let mut sum = last;
        for _ in 1..iterations {
            last = hmac(&passphrase, &[&last]);
            sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
        }
        derived.extend(sum);
    }
    machine.write_bytes(key, &derived[..key_length])?;
    let hmacs = u64::from(iterations) * key_length.div_ceil(HASH_BYTES) as u64;
    Ok(machine.busy(hmacs * hmac_cycles(HASH_BYTES)))
}

/// `hmac_sha1(key, key length, data, data length, result)`
fn hmac_sha1(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [key, key_length, data, data_length, result] = [0, 1, 2, 3, 4].map(|n| machine.argument(n));
    let (key, data) = (machine.read_vec(key, key_length)?, machine.read_vec(data, data_length)?);
    machine.write_bytes(result, &hmac(&key, &[&data]))?;
    Ok(machine.busy(hmac_cycles(data.len())))
}

/// `sha1_prf(key, key length, label, data, data length, result, result length)` (IEEE Std 802.11-2020 §12.7.1.2)
fn sha1_prf(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [key, key_length, label, data, data_length, result, length] =
        [0, 1, 2, 3, 4, 5, 6].map(|n| machine.argument(n));
    let (key, data) = (machine.read_vec(key, key_length)?, machine.read_vec(data, data_length)?);
    let label = machine.text(label, LENGTH_MAX)?;
    let length = length.min(1_024) as usize;
    let mut derived = Vec::new();
    for counter in 0..length.div_ceil(HASH_BYTES) as u8 {
        derived.extend(hmac(&key, &[&label, &[0], &data, &[counter]]));
    }
    machine.write_bytes(result, &derived[..length])?;
    Ok(machine.busy(derived.len() as u64 / HASH_BYTES as u64 * hmac_cycles(data.len() + label.len())))
}

/// `aes_unwrap(key, n, wrapped, plain)`: n blocks of eight octets (RFC 3394, section 2.2.2). Zero if it is whole.
fn aes_unwrap(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    const INITIAL: [u8; 8] = [0xa6; 8];
    let [key, n, wrapped, plain] = [0, 1, 2, 3].map(|n| machine.argument(n));
    let n = n.min(64);
    let mut key_bytes = [0; 16];
    machine.read_bytes(key, &mut key_bytes)?;
    let wrapped = machine.read_vec(wrapped, 8 * (n + 1))?;
    let cipher = Aes128::new(&key_bytes.into());
    let mut check = [0; 8];
    check.copy_from_slice(&wrapped[..8]);
    let mut blocks: Vec<[u8; 8]> = wrapped[8..]
        .chunks_exact(8)
        .map(|block| {
            let mut copy = [0; 8];
            copy.copy_from_slice(block);
            copy
        })
        .collect();
    for round in (0..6).rev() {
        for (i, block) in blocks.iter_mut().enumerate().rev() {
            let step = u64::from(n) * round + i as u64 + 1;
            let mut input = [0; 16];
            input[..8].copy_from_slice(&(u64::from_be_bytes(check) ^ step).to_be_bytes());
            input[8..].copy_from_slice(block);
            let mut state = input.into();
            cipher.decrypt_block(&mut state);
            check.copy_from_slice(&state[..8]);
            block.copy_from_slice(&state[8..]);
        }
    }
    machine.set_result(if check == INITIAL { 0 } else { u32::MAX });
    if check == INITIAL {
        machine.write_bytes(plain, &blocks.concat())?;
    }
    returned(1_000 + 6 * u64::from(n) * 1_500)
}
