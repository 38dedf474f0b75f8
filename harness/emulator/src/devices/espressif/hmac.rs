//! HMAC: HMAC-SHA-256 under a key in the eFuses, which firmware cannot see.
//!
//! (Technical reference manual, chapter "HMAC Accelerator"; the order of ESP-IDF's `esp_hmac.c`.) Results for firmware
//! (*upstream*) are modelled. Results for the digital signature and for JTAG are checked for their key's purpose, and go
//! nowhere. Everything is over at once.

use serde::{Deserialize, Serialize};

use super::efuse::Efuse;
use super::sha::INITIAL_SHA256;
use crate::machine::device::{Read, Write};
use crate::machine::registers::RegisterFile;

const SET_START: u32 = 0x40;
const SET_PARA_PURPOSE: u32 = 0x44;
const SET_PARA_KEY: u32 = 0x48;
const SET_PARA_FINISH: u32 = 0x4c;
const SET_MESSAGE_ONE: u32 = 0x50;
const SET_MESSAGE_ING: u32 = 0x54;
const SET_MESSAGE_END: u32 = 0x58;
const SET_RESULT_FINISH: u32 = 0x5c;
const SET_INVALIDATE_JTAG: u32 = 0x60;
const SET_INVALIDATE_DS: u32 = 0x64;
const QUERY_ERROR: u32 = 0x68;
const QUERY_BUSY: u32 = 0x6c;
const WR_MESSAGE: u32 = 0x80;
const WR_MESSAGE_LAST: u32 = 0xbc;
const RD_RESULT: u32 = 0xc0;
const RD_RESULT_LAST: u32 = 0xdc;
const SET_MESSAGE_PAD: u32 = 0xf0;
const ONE_BLOCK: u32 = 0xf4;

/// Key purposes: for all downstream uses, and for firmware.
const PURPOSE_DOWN_ALL: u32 = 5;
const PURPOSE_UP: u32 = 8;
const BLOCK_BYTES: usize = 64;

/// The accelerator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hmac {
    is_wrong: bool,
    /// The inner and the outer hash, both after their key; none without a good configuration.
    hashes: Option<[[u32; 8]; 2]>,
    /// Blocks of the inner hash, the key's included.
    blocks: u64,
    /// The next block is the last, and padded.
    pads_next: bool,
}

impl Hmac {
    /// Reads the word at `offset`.
    pub fn read(&self, offset: u32) -> Read {
        match offset {
            QUERY_ERROR => Read::Value(u32::from(self.is_wrong)),
            QUERY_BUSY => Read::Value(0),
            SET_START..=SET_INVALIDATE_DS | SET_MESSAGE_PAD | ONE_BLOCK => Read::Value(0),
            WR_MESSAGE..=WR_MESSAGE_LAST | RD_RESULT..=RD_RESULT_LAST => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// Writes the word at `offset`.
    pub fn write(&mut self, offset: u32, registers: &mut RegisterFile, efuse: &Efuse) -> Write {
        match offset {
            SET_START => *self = Self::default(),
            SET_PARA_PURPOSE | SET_PARA_KEY | WR_MESSAGE..=WR_MESSAGE_LAST => return Write::Stored,
            SET_PARA_FINISH => self.configure(registers, efuse),
            SET_MESSAGE_ONE => {
                self.hash_block(registers);
                if self.pads_next {
                    self.finish(registers);
                }
            }
            ONE_BLOCK => self.finish(registers),
            SET_MESSAGE_PAD => self.pads_next = true,
            SET_MESSAGE_END => self.pad_and_finish(registers),
            SET_RESULT_FINISH => {
                *self = Self::default();
                (RD_RESULT..=RD_RESULT_LAST).step_by(4).for_each(|at| registers.set(at, 0));
            }
            SET_MESSAGE_ING | SET_INVALIDATE_JTAG | SET_INVALIDATE_DS => {}
            RD_RESULT..=RD_RESULT_LAST | QUERY_ERROR | QUERY_BUSY => {}
            _ => return Write::Unmodelled,
        }
        Write::Done
    }

    /// Takes key and purpose, if they agree.
    fn configure(&mut self, registers: &RegisterFile, efuse: &Efuse) {
        let (purpose, n) = (registers.get(SET_PARA_PURPOSE) & 0xf, registers.get(SET_PARA_KEY) as usize & 7);
        let burnt = efuse.key(n).map(|key| (key, efuse.key_purpose(n)));
        let is_right = |burnt: u32| burnt == purpose || burnt == PURPOSE_DOWN_ALL && purpose != PURPOSE_UP;
        let Some((key, _)) = burnt.filter(|(_, burnt)| is_right(*burnt)) else {
            self.is_wrong = true;
            return;
        };
        let mut bytes = [0; BLOCK_BYTES];
        for (at, word) in bytes.chunks_exact_mut(4).zip(key) {
            at.copy_from_slice(&word.to_le_bytes());
        }
        self.hashes = Some([0x36, 0x5c].map(|pad| {
            let mut hash = INITIAL_SHA256;
            sha2::block_api::compress256(&mut hash, &[bytes.map(|byte| byte ^ pad)]);
            hash
        }));
        self.blocks = 1;
    }

    fn hash_block(&mut self, registers: &RegisterFile) {
        self.compress(&registers.bytes(WR_MESSAGE));
    }

    fn compress(&mut self, block: &[u8; BLOCK_BYTES]) {
        if let Some([inner, _]) = &mut self.hashes {
            sha2::block_api::compress256(inner, &[*block]);
            self.blocks += 1;
        }
    }

    /// A message of whole blocks is over: the padding is the accelerator's own.
    fn pad_and_finish(&mut self, registers: &mut RegisterFile) {
        let mut block = [0; BLOCK_BYTES];
        block[0] = 0x80;
        block[56..].copy_from_slice(&(self.blocks * 8 * BLOCK_BYTES as u64).to_be_bytes());
        self.compress(&block);
        self.finish(registers);
    }

    /// The outer hash. Only firmware's own results are for firmware.
    fn finish(&mut self, registers: &mut RegisterFile) {
        self.pads_next = false;
        let Some([inner, mut outer]) = self.hashes else { return };
        if registers.get(SET_PARA_PURPOSE) & 0xf != PURPOSE_UP {
            return;
        }
        let mut block = [0; BLOCK_BYTES];
        for (at, word) in block.chunks_exact_mut(4).zip(inner) {
            at.copy_from_slice(&word.to_be_bytes());
        }
        block[32] = 0x80;
        // The key's block, and 32 bytes of inner hash.
        block[56..].copy_from_slice(&768u64.to_be_bytes());
        sha2::block_api::compress256(&mut outer, &[block]);
        for (n, word) in outer.into_iter().enumerate() {
            registers.set(RD_RESULT + 4 * n as u32, word.swap_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::efuse::Revision;
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    struct Bench {
        hmac: Hmac,
        registers: RegisterFile,
        efuse: Efuse,
    }

    impl Bench {
        /// A chip with RFC 4231's first key, twenty bytes 0b, in KEY2 for `purpose`.
        fn new(purpose: u32) -> Self {
            let mut efuse = Efuse::new(Revision { major: 0, minor: 4 }, [0; 6]);
            let mut fuses = [[0; 8]; 11];
            fuses[6] = [0x0b0b_0b0b, 0x0b0b_0b0b, 0x0b0b_0b0b, 0x0b0b_0b0b, 0x0b0b_0b0b, 0, 0, 0];
            // KEY_PURPOSE_2: the lowest bits of REPEAT_DATA2. KEY2 cannot be read.
            fuses[0][3] = purpose;
            fuses[0][1] = 1 << 2;
            efuse.burn(&fuses, &mut RegisterFile::new(peripheral("EFUSE"), 0x200));
            Self { hmac: Hmac::default(), registers: RegisterFile::new(peripheral("HMAC"), 0x1000), efuse }
        }

        fn write(&mut self, offset: u32, value: u32) {
            if self.hmac.write(offset, &mut self.registers, &self.efuse) == Write::Stored {
                self.registers.set(offset, value);
            }
        }

        fn configure(&mut self) -> Read {
            for (offset, value) in
                [(SET_START, 1), (SET_PARA_PURPOSE, PURPOSE_UP), (SET_PARA_KEY, 2), (SET_PARA_FINISH, 1)]
            {
                self.write(offset, value);
            }
            self.hmac.read(QUERY_ERROR)
        }

        fn write_block(&mut self, block: &[u8]) {
            for (n, word) in block.chunks(4).enumerate() {
                self.write(WR_MESSAGE + 4 * n as u32, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
            }
            self.write(SET_MESSAGE_ONE, 1);
        }

        fn result(&self) -> String {
            let words = (RD_RESULT..=RD_RESULT_LAST).step_by(4).map(|at| self.registers.get(at).to_le_bytes());
            words.flatten().map(|byte| format!("{byte:02x}")).collect()
        }
    }

    #[test]
    fn rfc_4231s_first_example_with_a_key_that_firmware_cannot_read() {
        let mut bench = Bench::new(PURPOSE_UP);
        assert_eq!(bench.configure(), Read::Value(0));
        // "Hi There", padded by software, which counts the key's block.
        let mut block = [0; 64];
        block[..8].copy_from_slice(b"Hi There");
        block[8] = 0x80;
        block[56..].copy_from_slice(&(512u64 + 64).to_be_bytes());
        bench.write_block(&block);
        bench.write(ONE_BLOCK, 1);
        assert_eq!(bench.result(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        bench.write(SET_RESULT_FINISH, 2);
        assert_eq!(bench.result(), "0".repeat(64));
    }

    #[test]
    fn a_key_for_another_purpose_is_an_error_and_gives_nothing() {
        let mut bench = Bench::new(7);
        assert_eq!(bench.configure(), Read::Value(1));
        bench.write_block(&[0; 64]);
        bench.write(SET_MESSAGE_END, 1);
        assert_eq!(bench.result(), "0".repeat(64));
    }
}
