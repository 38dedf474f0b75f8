//! What a chip keeps without power, as bytes for a file: the flash, its status registers, the eFuses.
//!
//! The flash comes first, as long as it is, so that flashing tools read the file too; what they do not know stands behind
//! it.

use crate::machine::chip::KeptStateError;

use super::{Esp32c3, Fuses};

const MAGIC: &[u8; 8] = b"C3STATE1";
/// Magic number, status registers, eFuses.
const TRAILER_BYTES: usize = MAGIC.len() + 4 + size_of::<Fuses>();

impl Esp32c3 {
    /// What the chip keeps without power.
    pub fn flash_state(&self) -> Vec<u8> {
        let mut state = self.soc.flash.whole(&self.memory);
        state.extend(MAGIC);
        state.extend(self.soc.kept_flash_status().to_le_bytes());
        state.extend(self.fuses().iter().flatten().flat_map(|word| word.to_le_bytes()));
        state
    }

    /// Gives the chip what another one has kept. It is not reset.
    ///
    /// # Errors
    /// If these bytes are something else. The chip is then as it was.
    pub fn set_flash_state(&mut self, state: &[u8]) -> Result<(), KeptStateError> {
        let (flash, trailer) = state.split_at(state.len().checked_sub(TRAILER_BYTES).ok_or(KeptStateError::NotAState)?);
        let (magic, rest) = trailer.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(KeptStateError::NotAState);
        }
        let flash_bytes = self.soc.flash.size_bytes();
        if flash.len() != flash_bytes as usize {
            return Err(KeptStateError::OtherSize { bytes: flash.len(), flash_bytes });
        }
        let mut words = rest.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        self.soc.set_kept_flash_status(words.next().unwrap_or(0));
        let mut fuses = Fuses::default();
        fuses.iter_mut().flatten().zip(words).for_each(|(fuse, word)| *fuse = word);
        self.burn_fuses(&fuses);
        self.set_flash_content(flash).map_err(|_| KeptStateError::NotAState)
    }
}
