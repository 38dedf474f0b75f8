//! AES: single blocks with 128-bit and 256-bit keys.
//!
//! (Technical reference manual, chapter "AES Accelerator", "Typical AES Working Mode".) A block is over as soon as it
//! is started. Block cipher modes by DMA are not modelled.

use serde::{Deserialize, Serialize};

use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use ::aes::{Aes128, Aes256, Block};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const KEY: u32 = 0x00;
const TEXT_IN: u32 = 0x20;
const TEXT_OUT: u32 = 0x30;
const TEXT_OUT_LAST: u32 = 0x3c;
const MODE: u32 = 0x40;
const ENDIAN: u32 = 0x44;
const TRIGGER: u32 = 0x48;
const STATE: u32 = 0x4c;
const DMA_ENABLE: u32 = 0x90;
const INT_CLR: u32 = 0xac;
const INT_ENA: u32 = 0xb0;
const DATE: u32 = 0xb4;

/// The AES accelerator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Aes;

fn bytes<const N: usize>(registers: &RegisterFile, offset: u32) -> [u8; N] {
    let mut bytes = [0; N];
    for (n, word) in bytes.chunks_exact_mut(4).enumerate() {
        word.copy_from_slice(&registers.get(offset + 4 * n as u32).to_le_bytes());
    }
    bytes
}

fn transform(registers: &mut RegisterFile) -> Write {
    if registers.get(DMA_ENABLE) & 1 != 0 {
        return Write::Unmodelled;
    }
    let mut block = Block::from(bytes::<16>(registers, TEXT_IN));
    let (short, long) = (bytes::<16>(registers, KEY), bytes::<32>(registers, KEY));
    match registers.get(MODE) {
        0 => Aes128::new(&short.into()).encrypt_block(&mut block),
        2 => Aes256::new(&long.into()).encrypt_block(&mut block),
        4 => Aes128::new(&short.into()).decrypt_block(&mut block),
        6 => Aes256::new(&long.into()).decrypt_block(&mut block),
        _ => return Write::Unmodelled,
    }
    for (n, word) in block.chunks_exact(4).enumerate() {
        registers.set(TEXT_OUT + 4 * n as u32, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    Write::Done
}

impl Device for Aes {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            TRIGGER | STATE | INT_CLR => Read::Value(0),
            KEY..=TEXT_OUT_LAST | MODE | ENDIAN | DMA_ENABLE | INT_ENA | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            TRIGGER if value & 1 != 0 => transform(registers),
            TRIGGER | STATE | INT_CLR => Write::Done,
            KEY..=TEXT_OUT_LAST | MODE | ENDIAN | DMA_ENABLE | INT_ENA | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn the_standards_examples() {
        // FIPS 197, appendices C.1 and C.3: the key counts up from 00, the text is 00 11 22 … ff.
        let cases = [
            (0, 4, [0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a]),
            (2, 6, [0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67, 0x45, 0xbf, 0xea, 0xfc, 0x49, 0x90, 0x4b, 0x49, 0x60, 0x89]),
        ];
        for (encrypt, decrypt, cipher_text) in cases {
            let mut registers = RegisterFile::new(peripheral("AES"), 0x1000);
            let set = |registers: &mut RegisterFile, offset, bytes: &[u8]| {
                for (n, word) in bytes.chunks_exact(4).enumerate() {
                    registers.set(offset + 4 * n as u32, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                }
            };
            let key: Vec<u8> = (0..32).collect();
            let text: Vec<u8> = (0..16).map(|n| n * 0x11).collect();
            set(&mut registers, KEY, &key);
            set(&mut registers, TEXT_IN, &text);
            registers.set(MODE, encrypt);
            assert_eq!(Aes.write(TRIGGER, 1, &mut registers, 0), Write::Done);
            assert_eq!(bytes::<16>(&registers, TEXT_OUT), cipher_text);
            set(&mut registers, TEXT_IN, &cipher_text);
            registers.set(MODE, decrypt);
            Aes.write(TRIGGER, 1, &mut registers, 0);
            assert_eq!(bytes::<16>(&registers, TEXT_OUT)[..], text);
        }
    }
}
