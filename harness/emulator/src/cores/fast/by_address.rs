//! Maps by addresses of code.
//!
//! Thousands of traces are looked up for each chip, so hashing is one multiplication. A program whose addresses collide is
//! translated slowly, and harms nobody else.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(super) type ByAddress<T> = HashMap<u32, T, BuildHasherDefault<AddressHasher>>;

#[derive(Default)]
pub(super) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, address: u32) {
        // The golden ratio, as in Fibonacci hashing.
        self.0 = (self.0 ^ u64::from(address)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // Maps take the low bits, and the high ones are those that all of the address goes into.
        self.0 ^ self.0 >> 32
    }
}
