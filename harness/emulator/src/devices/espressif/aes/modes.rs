//! The block cipher modes of the AES accelerator (NIST SP 800-38A): what it makes of many blocks that come by DMA.

use ::aes::Block;

/// The mode in `BLOCK_MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Ecb,
    Cbc,
    Ofb,
    /// Whether the counter is 128 bits long rather than 32.
    Ctr {
        long_counter: bool,
    },
    Cfb8,
    Cfb128,
}

impl Mode {
    /// By the registers' values; GCM, which the register's description names, has no hardware behind it here.
    pub fn new(block_mode: u32, increment: u32) -> Option<Self> {
        Some(match block_mode {
            0 => Self::Ecb,
            1 => Self::Cbc,
            2 => Self::Ofb,
            3 => Self::Ctr { long_counter: increment & 1 != 0 },
            4 => Self::Cfb8,
            5 => Self::Cfb128,
            _ => return None,
        })
    }
}

/// The cipher with its key.
pub(super) trait Cipher {
    fn encrypt(&self, block: &mut Block);
    fn decrypt(&self, block: &mut Block);
}

/// Transforms whole blocks in place; `iv` becomes what the next ones go on from.
pub(super) fn transform(cipher: &dyn Cipher, mode: Mode, decrypts: bool, iv: &mut [u8; 16], text: &mut [u8]) {
    if mode == Mode::Cfb8 {
        return text.iter_mut().for_each(|byte| cfb8(cipher, decrypts, iv, byte));
    }
    for bytes in text.chunks_exact_mut(16) {
        let mut block = Block::default();
        block.copy_from_slice(bytes);
        let input = block;
        match mode {
            Mode::Ecb if decrypts => cipher.decrypt(&mut block),
            Mode::Ecb => cipher.encrypt(&mut block),
            Mode::Cbc if decrypts => {
                cipher.decrypt(&mut block);
                add(&mut block, iv);
                iv.copy_from_slice(&input);
            }
            Mode::Cbc => {
                add(&mut block, iv);
                cipher.encrypt(&mut block);
                iv.copy_from_slice(&block);
            }
            Mode::Ofb | Mode::Ctr { .. } | Mode::Cfb128 | Mode::Cfb8 => {
                let mut stream = Block::from(*iv);
                cipher.encrypt(&mut stream);
                add(&mut block, &stream);
                match mode {
                    Mode::Ofb => iv.copy_from_slice(&stream),
                    Mode::Ctr { long_counter } => increment(iv, long_counter),
                    _ => iv.copy_from_slice(if decrypts { &input } else { &block }),
                }
            }
        }
        bytes.copy_from_slice(&block);
    }
}

fn cfb8(cipher: &dyn Cipher, decrypts: bool, iv: &mut [u8; 16], byte: &mut u8) {
    let mut stream = Block::from(*iv);
    cipher.encrypt(&mut stream);
    let input = *byte;
    *byte ^= stream[0];
    iv.rotate_left(1);
    iv[15] = if decrypts { input } else { *byte };
}

fn add(block: &mut Block, other: &[u8]) {
    block.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
}

fn increment(counter: &mut [u8; 16], long: bool) {
    let low = if long { &mut counter[..] } else { &mut counter[12..] };
    for byte in low.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}
