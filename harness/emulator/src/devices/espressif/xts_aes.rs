//! XTS_AES: encrypts what firmware is going to write into an encrypted flash.
//!
//! (Technical reference manual, chapter "External Memory Encryption and Decryption"; the order of ESP-IDF's
//! `spi_flash_encrypted_ll.h`.) Firmware without flash encryption asks for its state at most. The states follow what it is
//! told; nothing is encrypted, the flash behind the cache is read as it is, and whoever starts it is told so.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const PLAIN_FIRST: u32 = 0x00;
const PLAIN_LAST: u32 = 0x3c;
const LINESIZE: u32 = 0x40;
const PHYSICAL_ADDRESS: u32 = 0x48;
const TRIGGER: u32 = 0x4c;
const RELEASE: u32 = 0x50;
const DESTROY: u32 = 0x54;
const STATE: u32 = 0x58;
const DATE: u32 = 0x5c;

/// What it is doing; the discriminants are those of STATE. It is never found at work (1): that is over at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Idle = 0,
    /// The result is there, and the flash controller cannot reach it.
    Done = 2,
    /// The flash controller may take the result.
    Released = 3,
}

/// The encryption block.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct XtsAes {
    state: State,
}

impl Device for XtsAes {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            STATE => Read::Value(self.state as u32),
            // Write-only, and what is to be encrypted cannot be read back.
            PLAIN_FIRST..=PLAIN_LAST | TRIGGER | RELEASE | DESTROY => Read::Value(0),
            LINESIZE..=PHYSICAL_ADDRESS | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        let is_asked = value & 1 == 1;
        self.state = match (offset, self.state) {
            (TRIGGER, State::Idle) if is_asked => State::Done,
            (RELEASE, State::Done) if is_asked => State::Released,
            (DESTROY, State::Released) if is_asked => State::Idle,
            (_, state) => state,
        };
        match offset {
            TRIGGER if is_asked => Write::Unmodelled,
            PLAIN_FIRST..=PHYSICAL_ADDRESS | DATE => Write::Stored,
            TRIGGER | RELEASE | DESTROY | STATE => Write::Done,
            _ => Write::Unmodelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    /// The order of `spi_flash_encryption_hal_prepare`, `_done` and `_destroy`.
    #[test]
    fn the_states_follow_and_whoever_starts_it_is_told() {
        let mut registers = RegisterFile::new(peripheral("XTS_AES"), 0x1000);
        let mut block = XtsAes::default();
        let mut write = |offset, value| {
            let answer = block.write(offset, value, &mut registers, 0);
            (answer, block.read(STATE, &registers, 0))
        };
        assert_eq!(write(LINESIZE, 1), (Write::Stored, Read::Value(0)));
        assert_eq!(write(RELEASE, 1), (Write::Done, Read::Value(0)), "there is nothing to release");
        assert_eq!(write(TRIGGER, 1), (Write::Unmodelled, Read::Value(2)));
        assert_eq!(write(DESTROY, 1), (Write::Done, Read::Value(2)), "it is not released");
        assert_eq!(write(RELEASE, 1), (Write::Done, Read::Value(3)));
        assert_eq!(write(DESTROY, 1), (Write::Done, Read::Value(0)));
        assert_eq!(block.read(PLAIN_FIRST, &registers, 0), Read::Value(0));
    }
}
