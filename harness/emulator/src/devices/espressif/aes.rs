//! AES: single blocks, and block cipher modes by DMA, with 128-bit and 256-bit keys.
//!
//! (Technical reference manual, chapter "AES Accelerator".) A block, or what DMA brings, is over as soon as it is started.
//! GCM is not in this chip: firmware builds it of CTR.

mod modes;

use serde::{Deserialize, Serialize};

use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use ::aes::{Aes128, Aes256, Block};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;
use modes::{Cipher, Mode};

const KEY: u32 = 0x00;
const TEXT_IN: u32 = 0x20;
const TEXT_OUT: u32 = 0x30;
const TEXT_OUT_LAST: u32 = 0x3c;
const MODE: u32 = 0x40;
const ENDIAN: u32 = 0x44;
const TRIGGER: u32 = 0x48;
const STATE: u32 = 0x4c;
const IV: u32 = 0x50;
const IV_LAST: u32 = 0x5c;
const DMA_ENABLE: u32 = 0x90;
const BLOCK_MODE: u32 = 0x94;
const BLOCK_NUM: u32 = 0x98;
const INC_SEL: u32 = 0x9c;
const INT_CLR: u32 = 0xac;
const INT_ENA: u32 = 0xb0;
const DATE: u32 = 0xb4;
const DMA_EXIT: u32 = 0xb8;

const STATE_IDLE: u32 = 0;
const STATE_DONE: u32 = 2;
const BLOCK_BYTES: usize = 16;

/// The AES accelerator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Aes {
    /// What DMA has brought is transformed, and firmware has not taken note.
    is_done: bool,
    raw: bool,
}

impl Cipher for Aes128 {
    fn encrypt(&self, block: &mut Block) {
        self.encrypt_block(block);
    }

    fn decrypt(&self, block: &mut Block) {
        self.decrypt_block(block);
    }
}

impl Cipher for Aes256 {
    fn encrypt(&self, block: &mut Block) {
        self.encrypt_block(block);
    }

    fn decrypt(&self, block: &mut Block) {
        self.decrypt_block(block);
    }
}

/// The cipher that is configured, and whether it decrypts.
fn configured(registers: &RegisterFile) -> Option<(Box<dyn Cipher>, bool)> {
    let mode = registers.get(MODE);
    let cipher: Box<dyn Cipher> = match mode & 3 {
        0 => Box::new(Aes128::new(&registers.bytes::<16>(KEY).into())),
        2 => Box::new(Aes256::new(&registers.bytes::<32>(KEY).into())),
        _ => return None,
    };
    (mode <= 6).then_some((cipher, mode & 4 != 0))
}

impl Aes {
    /// Whether a write to a register starts what needs DMA, and how many bytes of it.
    pub fn wants(&self, offset: u32, value: u32, registers: &RegisterFile) -> Option<usize> {
        let starts = offset == TRIGGER && value & 1 != 0 && registers.get(DMA_ENABLE) & 1 != 0;
        starts.then(|| registers.get(BLOCK_NUM) as usize * BLOCK_BYTES)
    }

    /// Transforms what DMA has brought; `None` if the mode is not this chip's.
    pub fn transform(&mut self, mut text: Vec<u8>, registers: &mut RegisterFile) -> Option<Vec<u8>> {
        let (cipher, decrypts) = configured(registers)?;
        let mode = Mode::new(registers.get(BLOCK_MODE) & 7, registers.get(INC_SEL))?;
        let mut iv = registers.bytes::<16>(IV);
        modes::transform(&*cipher, mode, decrypts, &mut iv, &mut text);
        if mode != Mode::Ecb {
            registers.set_bytes(IV, &iv);
        }
        Some(text)
    }

    /// What was transformed is in memory.
    pub fn note_done(&mut self) {
        (self.is_done, self.raw) = (true, true);
    }
}

fn transform_block(registers: &mut RegisterFile) -> Write {
    let Some((cipher, decrypts)) = configured(registers) else { return Write::Unmodelled };
    let mut block = Block::from(registers.bytes::<16>(TEXT_IN));
    if decrypts {
        cipher.decrypt(&mut block)
    } else {
        cipher.encrypt(&mut block)
    }
    registers.set_bytes(TEXT_OUT, &block);
    Write::Done
}

impl Device for Aes {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            STATE => Read::Value(if self.is_done { STATE_DONE } else { STATE_IDLE }),
            TRIGGER | INT_CLR | DMA_EXIT => Read::Value(0),
            KEY..=TEXT_OUT_LAST | MODE | ENDIAN | IV..=IV_LAST | DMA_ENABLE..=INC_SEL | INT_ENA | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            // With DMA, the chip has seen to it before.
            TRIGGER if value & 1 != 0 && registers.get(DMA_ENABLE) & 1 == 0 => transform_block(registers),
            INT_CLR => {
                self.raw &= value & 1 == 0;
                Write::Done
            }
            DMA_EXIT => {
                self.is_done = false;
                Write::Done
            }
            TRIGGER | STATE => Write::Done,
            KEY..=TEXT_OUT_LAST | MODE | ENDIAN | IV..=IV_LAST | DMA_ENABLE..=INC_SEL | INT_ENA | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw && registers.get(INT_ENA) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("digits")).collect()
    }

    #[test]
    fn the_standards_examples() {
        // FIPS 197, appendices C.1 and C.3: the key counts up from 00, the text is 00 11 22 … ff.
        let cases = [(0, 4, "69c4e0d86a7b0430d8cdb78070b4c55a"), (2, 6, "8ea2b7ca516745bfeafc49904b496089")];
        for (encrypt, decrypt, cipher_text) in cases {
            let mut registers = RegisterFile::new(peripheral("AES"), 0x1000);
            let mut aes = Aes::default();
            let text: Vec<u8> = (0..16).map(|n| n * 0x11).collect();
            registers.set_bytes(KEY, &(0..32).collect::<Vec<u8>>());
            registers.set_bytes(TEXT_IN, &text);
            registers.set(MODE, encrypt);
            assert_eq!(aes.write(TRIGGER, 1, &mut registers, 0), Write::Done);
            assert_eq!(registers.bytes::<16>(TEXT_OUT)[..], hex(cipher_text));
            registers.set_bytes(TEXT_IN, &hex(cipher_text));
            registers.set(MODE, decrypt);
            aes.write(TRIGGER, 1, &mut registers, 0);
            assert_eq!(registers.bytes::<16>(TEXT_OUT)[..], text);
        }
    }

    #[test]
    fn the_modes_of_sp_800_38a() {
        // Appendix F: AES-128, the first two blocks; CFB8's eighteen bytes are of F.3.7.
        const KEY_BYTES: &str = "2b7e151628aed2a6abf7158809cf4f3c";
        const TEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
        const COUNTING: &str = "000102030405060708090a0b0c0d0e0f";
        const CTR: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
        let cases = [
            (0, COUNTING, "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"),
            (1, COUNTING, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
            (2, COUNTING, "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"),
            (3, CTR, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"),
            (4, COUNTING, "3b79424c9c0dd436bace9e0ed4586a4f32b9"),
            (5, COUNTING, "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"),
        ];
        for (block_mode, iv, cipher_text) in cases {
            let run = |mode, text: Vec<u8>| {
                let mut registers = RegisterFile::new(peripheral("AES"), 0x1000);
                registers.set_bytes(KEY, &hex(KEY_BYTES));
                registers.set_bytes(IV, &hex(iv));
                registers.set(MODE, mode);
                registers.set(BLOCK_MODE, block_mode);
                Aes::default().transform(text, &mut registers).expect("a mode that it has")
            };
            let expected = hex(cipher_text);
            let encrypted = run(0, hex(TEXT));
            assert_eq!(encrypted[..expected.len()], expected, "mode {block_mode}");
            assert_eq!(run(4, encrypted), hex(TEXT), "mode {block_mode}, back");
        }
    }

    #[test]
    fn a_message_in_two_transfers_goes_on_where_the_first_has_ended() {
        let text: Vec<u8> = (0..64).collect();
        for block_mode in [1, 2, 3, 4, 5] {
            let mut registers = RegisterFile::new(peripheral("AES"), 0x1000);
            registers.set(BLOCK_MODE, block_mode);
            let once = Aes::default().transform(text.clone(), &mut registers).expect("a mode that it has");
            registers.set_bytes(IV, &[0; 16]);
            let first = Aes::default().transform(text[..32].to_vec(), &mut registers).expect("a mode that it has");
            let second = Aes::default().transform(text[32..].to_vec(), &mut registers).expect("a mode that it has");
            assert_eq!([first, second].concat(), once, "mode {block_mode}");
        }
    }
}
