//! RSA: multiplication, modular multiplication and exponentiation of numbers up to 3072 bits.
//!
//! (Technical reference manual, chapter "RSA Accelerator".) The operation's result is that of the mathematics: the
//! Montgomery constants that firmware supplies are taken to be right. It takes time, as the hardware's does, though
//! the time is an estimate: a word multiplication in each cycle of 160 MHz.

use serde::{Deserialize, Serialize};

use num_bigint::BigUint;

use super::time::{NEVER, Ticks};
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const M_MEM: u32 = 0x000;
const Z_MEM: u32 = 0x200;
const Y_MEM: u32 = 0x400;
const X_MEM: u32 = 0x600;
const MEM_BYTES: u32 = 0x180;
const M_PRIME: u32 = 0x800;
const MODE: u32 = 0x804;
const QUERY_CLEAN: u32 = 0x808;
const START_MODEXP: u32 = 0x80c;
const START_MODMULT: u32 = 0x810;
const START_MULT: u32 = 0x814;
const QUERY_IDLE: u32 = 0x818;
const INT_CLR: u32 = 0x81c;
const CONSTANT_TIME: u32 = 0x820;
const INT_ENA: u32 = 0x82c;
const DATE: u32 = 0x830;

const WORDS_MAX: u32 = MEM_BYTES / 4;

/// The RSA accelerator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rsa {
    /// When the operation under way is over.
    idle_at: Ticks,
    raw: bool,
}

impl Rsa {
    /// As after a reset.
    pub fn new() -> Self {
        Self { idle_at: NEVER, raw: false }
    }

    fn settle(&mut self, now: Ticks) {
        if self.idle_at <= now {
            self.idle_at = NEVER;
            self.raw = true;
        }
    }

    fn start(&mut self, offset: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        let words = (registers.get(MODE) & 0x7f) + 1;
        if words > WORDS_MAX {
            return Write::Unmodelled;
        }
        let multiplications_per_product = 2 * u64::from(words) * u64::from(words);
        let (result, ticks) = match offset {
            START_MULT => {
                // The operands have half the length; the second lies in the upper half of Z.
                let half = words / 2;
                let product = number(registers, X_MEM, half) * number(registers, Z_MEM + 4 * half, half);
                (product, multiplications_per_product / 4)
            }
            _ => {
                let (x, y) = (number(registers, X_MEM, words), number(registers, Y_MEM, words));
                let modulus = number(registers, M_MEM, words);
                if modulus == BigUint::ZERO {
                    return Write::Unmodelled;
                }
                if offset == START_MODMULT {
                    (x * y % modulus, 2 * multiplications_per_product)
                } else {
                    let exponent_bits = 32 * u64::from(words);
                    (x.modpow(&y, &modulus), exponent_bits * 2 * multiplications_per_product)
                }
            }
        };
        let mut digits = result.iter_u32_digits();
        for n in 0..words {
            registers.set(Z_MEM + 4 * n, digits.next().unwrap_or(0));
        }
        self.idle_at = now.saturating_add(ticks);
        Write::Done
    }
}

fn number(registers: &RegisterFile, offset: u32, words: u32) -> BigUint {
    BigUint::new((0..words).map(|n| registers.get(offset + 4 * n)).collect())
}

fn is_memory(offset: u32) -> bool {
    offset < M_PRIME && offset % 0x200 < MEM_BYTES
}

impl Device for Rsa {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, now: Ticks) -> Read {
        self.settle(now);
        match offset {
            _ if is_memory(offset) => Read::Stored,
            QUERY_CLEAN => Read::Value(1),
            QUERY_IDLE => Read::Value(u32::from(self.idle_at == NEVER)),
            START_MODEXP | START_MODMULT | START_MULT | INT_CLR => Read::Value(0),
            M_PRIME | MODE | CONSTANT_TIME..=INT_ENA | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, now: Ticks) -> Write {
        self.settle(now);
        match offset {
            _ if is_memory(offset) => Write::Stored,
            START_MODEXP | START_MODMULT | START_MULT if value & 1 != 0 => self.start(offset, registers, now),
            INT_CLR => {
                self.raw &= value & 1 == 0;
                Write::Done
            }
            START_MODEXP | START_MODMULT | START_MULT | QUERY_CLEAN | QUERY_IDLE => Write::Done,
            M_PRIME | MODE | CONSTANT_TIME..=INT_ENA | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn advance(&mut self, _registers: &mut RegisterFile, now: Ticks) {
        self.settle(now);
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw && registers.get(INT_ENA) & 1 != 0)
    }

    fn next_event(&self, _registers: &RegisterFile) -> Ticks {
        self.idle_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn set(registers: &mut RegisterFile, offset: u32, value: u128) {
        for n in 0..4 {
            registers.set(offset + 4 * n, (value >> (32 * n)) as u32);
        }
    }

    fn get(registers: &RegisterFile, offset: u32) -> u128 {
        (0..4).map(|n| u128::from(registers.get(offset + 4 * n)) << (32 * n)).sum()
    }

    #[test]
    fn a_small_key_decrypts_what_it_encrypts_and_takes_its_time() {
        // The textbook's key: n = 61 * 53, e = 17, d = 413 (mod lcm(60, 52)).
        let (mut rsa, mut registers) = (Rsa::new(), RegisterFile::new(peripheral("RSA"), 0x1000));
        registers.set(MODE, 3);
        registers.set(INT_ENA, 1);
        set(&mut registers, M_MEM, 3233);
        for (text, exponent, result) in [(65, 17, 2790), (2790, 413, 65)] {
            set(&mut registers, X_MEM, text);
            set(&mut registers, Y_MEM, exponent);
            assert_eq!(rsa.write(START_MODEXP, 1, &mut registers, 0), Write::Done);
            assert_eq!(get(&registers, Z_MEM), result);
            assert_eq!(rsa.read(QUERY_IDLE, &registers, 1), Read::Value(0));
            let idle = rsa.next_event(&registers);
            assert_eq!(rsa.read(QUERY_IDLE, &registers, idle), Read::Value(1));
            assert_eq!(rsa.interrupts(&registers, idle), 1);
            rsa.write(INT_CLR, 1, &mut registers, idle);
            assert_eq!(rsa.interrupts(&registers, idle), 0);
        }
    }

    #[test]
    fn products_with_and_without_a_modulus() {
        let (mut rsa, mut registers) = (Rsa::new(), RegisterFile::new(peripheral("RSA"), 0x1000));
        registers.set(MODE, 3);
        set(&mut registers, X_MEM, 0xffff_ffff_ffff_ffff);
        set(&mut registers, Z_MEM, 0xffff_ffff_ffff_ffff << 64);
        rsa.write(START_MULT, 1, &mut registers, 0);
        assert_eq!(get(&registers, Z_MEM), 0xffff_ffff_ffff_fffe_0000_0000_0000_0001);
        set(&mut registers, X_MEM, 1 << 100);
        set(&mut registers, Y_MEM, 1 << 100);
        set(&mut registers, M_MEM, (1 << 127) - 1);
        rsa.write(START_MODMULT, 1, &mut registers, 0);
        // 2^200 = 2^73 (mod 2^127 - 1).
        assert_eq!(get(&registers, Z_MEM), 1 << 73);
        set(&mut registers, M_MEM, 0);
        assert_eq!(rsa.write(START_MODMULT, 1, &mut registers, 0), Write::Unmodelled);
    }
}
