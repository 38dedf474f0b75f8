//! SHA: SHA-1, SHA-224 and SHA-256, a block at a time or many by DMA.
//!
//! (Technical reference manual, chapter "SHA Accelerator".) A block is over as soon as it is started; message and hash
//! lie in the registers as they would lie in memory. SHA-512/t is not in this chip.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const MODE: u32 = 0x00;
const DMA_BLOCK_NUM: u32 = 0x0c;
const START: u32 = 0x10;
const CONTINUE: u32 = 0x14;
const BUSY: u32 = 0x18;
const DMA_START: u32 = 0x1c;
const DMA_CONTINUE: u32 = 0x20;
const CLEAR_IRQ: u32 = 0x24;
const IRQ_ENA: u32 = 0x28;
const DATE: u32 = 0x2c;
const HASH: u32 = 0x40;
const HASH_WORDS: usize = 8;
const MESSAGE: u32 = 0x80;
const MESSAGE_LAST: u32 = 0xbc;
const BLOCK_BYTES: usize = 64;

const SHA1: u32 = 0;
const SHA224: u32 = 1;
const SHA256: u32 = 2;

// FIPS 180-4 §5.3.
const INITIAL_SHA1: [u32; HASH_WORDS] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0, 0, 0, 0];
const INITIAL_SHA224: [u32; HASH_WORDS] =
    [0xc105_9ed8, 0x367c_d507, 0x3070_dd17, 0xf70e_5939, 0xffc0_0b31, 0x6858_1511, 0x64f9_8fa7, 0xbefa_4fa4];
pub(super) const INITIAL_SHA256: [u32; HASH_WORDS] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The SHA accelerator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sha {
    raw: bool,
}

impl Sha {
    /// Whether a write to a register starts what needs DMA, and how many bytes of it.
    pub fn wants(&self, offset: u32, value: u32, registers: &RegisterFile) -> Option<usize> {
        let starts = matches!(offset, DMA_START | DMA_CONTINUE) && value & 1 != 0;
        starts.then(|| registers.get(DMA_BLOCK_NUM) as usize * BLOCK_BYTES)
    }

    /// Hashes blocks that DMA has brought, from the beginning or on from the hash in the registers.
    pub fn hash(&mut self, text: &[u8], offset: u32, registers: &mut RegisterFile) -> Write {
        let mut begins = offset == DMA_START;
        for block in text.chunks_exact(BLOCK_BYTES) {
            registers.set_bytes(MESSAGE, block);
            if compress(registers, std::mem::take(&mut begins)) != Write::Done {
                return Write::Unmodelled;
            }
        }
        self.raw = true;
        Write::Done
    }
}

fn compress(registers: &mut RegisterFile, from_the_beginning: bool) -> Write {
    let mode = registers.get(MODE);
    let mut hash = [0; HASH_WORDS];
    for (n, word) in hash.iter_mut().enumerate() {
        *word = registers.get(HASH + 4 * n as u32).swap_bytes();
    }
    if from_the_beginning {
        hash = match mode {
            SHA1 => INITIAL_SHA1,
            SHA224 => INITIAL_SHA224,
            _ => INITIAL_SHA256,
        };
    }
    let block = registers.bytes::<BLOCK_BYTES>(MESSAGE);
    match mode {
        SHA1 => {
            let mut state = [hash[0], hash[1], hash[2], hash[3], hash[4]];
            sha1::block_api::compress(&mut state, &[block]);
            hash[..5].copy_from_slice(&state);
        }
        SHA224 | SHA256 => sha2::block_api::compress256(&mut hash, &[block]),
        _ => return Write::Unmodelled,
    }
    for (n, word) in hash.into_iter().enumerate() {
        registers.set(HASH + 4 * n as u32, word.swap_bytes());
    }
    Write::Done
}

impl Device for Sha {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            START | CONTINUE | BUSY | DMA_START | DMA_CONTINUE | CLEAR_IRQ => Read::Value(0),
            MODE | DMA_BLOCK_NUM | IRQ_ENA | DATE | HASH..=0x5c | MESSAGE..=MESSAGE_LAST => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            START | CONTINUE if value & 1 != 0 => compress(registers, offset == START),
            CLEAR_IRQ => {
                self.raw &= value & 1 == 0;
                Write::Done
            }
            // By DMA, the chip has seen to it before.
            START | CONTINUE | DMA_START | DMA_CONTINUE | BUSY => Write::Done,
            MODE | DMA_BLOCK_NUM | IRQ_ENA | DATE | HASH..=0x5c | MESSAGE..=MESSAGE_LAST => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    fn interrupts(&mut self, registers: &RegisterFile, _now: Ticks) -> u64 {
        u64::from(self.raw && registers.get(IRQ_ENA) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn digest_of_abc(mode: u32, words: usize) -> Vec<u8> {
        let mut registers = RegisterFile::new(peripheral("SHA"), 0x1000);
        registers.set(MODE, mode);
        // "abc", the padding's one bit, and the length of 24 bits.
        registers.set(MESSAGE, u32::from_le_bytes(*b"abc\x80"));
        registers.set(MESSAGE_LAST, 24u32.swap_bytes());
        assert_eq!(Sha::default().write(START, 1, &mut registers, 0), Write::Done);
        (0..words as u32).flat_map(|n| registers.get(HASH + 4 * n).to_le_bytes()).collect()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_standards_examples() {
        // FIPS 180-2, appendices A.1 and B.1 and change notice 1.
        assert_eq!(hex(&digest_of_abc(SHA1, 5)), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&digest_of_abc(SHA224, 7)), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&digest_of_abc(SHA256, 8)), sha256);
    }

    #[test]
    fn a_second_block_continues_the_first() {
        let mut registers = RegisterFile::new(peripheral("SHA"), 0x1000);
        registers.set(MODE, SHA256);
        // FIPS 180-2, appendix B.2: 56 bytes, which with their padding are two blocks.
        let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let mut padded = message.to_vec();
        padded.push(0x80);
        padded.resize(120, 0);
        padded.extend((8 * message.len() as u64).to_be_bytes());
        for (n, block) in padded.chunks_exact(64).enumerate() {
            registers.set_bytes(MESSAGE, block);
            Sha::default().write(if n == 0 { START } else { CONTINUE }, 1, &mut registers, 0);
        }
        assert_eq!(registers.get(HASH), 0x248d_6a61u32.swap_bytes());
        assert_eq!(registers.get(HASH + 28), 0x19db_06c1u32.swap_bytes());
    }

    #[test]
    fn blocks_by_dma_are_hashed_as_blocks_one_by_one() {
        let mut registers = RegisterFile::new(peripheral("SHA"), 0x1000);
        registers.set(MODE, SHA256);
        registers.set(DMA_BLOCK_NUM, 2);
        // FIPS 180-2, appendix B.2, padded.
        let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let mut padded = message.to_vec();
        padded.push(0x80);
        padded.resize(120, 0);
        padded.extend((8 * message.len() as u64).to_be_bytes());
        let mut sha = Sha::default();
        assert_eq!(sha.wants(DMA_START, 1, &registers), Some(128));
        assert_eq!(sha.hash(&padded, DMA_START, &mut registers), Write::Done);
        assert_eq!(registers.get(HASH), 0x248d_6a61u32.swap_bytes());
        assert_eq!(registers.get(HASH + 28), 0x19db_06c1u32.swap_bytes());
        registers.set(IRQ_ENA, 1);
        assert_eq!(sha.interrupts(&registers, 0), 1);
        sha.write(CLEAR_IRQ, 1, &mut registers, 0);
        assert_eq!(sha.interrupts(&registers, 0), 0);
    }
}
