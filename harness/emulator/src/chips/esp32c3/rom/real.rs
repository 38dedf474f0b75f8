//! The real mask ROM: an ELF file whose code the hart executes.
//!
//! The ROM's start-up code fills its variables from behind its code, by a table between the symbols `_data_start` and
//! `_data_end`: rows of four words, of which the first three are where to begin, where to end, and where the bytes
//! lie. The ELF file has those bytes at the variables' own addresses alone, so they are put where the table has them.

use object::{Object as _, ObjectSymbol as _};

use crate::machine::memory::Memory;

const ROW_BYTES: u32 = 16;
/// More than any version's table has.
const ROWS_MAX: u32 = 256;
/// More than any of the ROM's groups of variables takes.
const GROUP_BYTES_MAX: u32 = 0x1000;

/// Where the ROM's start-up code finds its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitialData {
    first: u32,
    end: u32,
}

impl InitialData {
    /// As the ROM's symbols say; `None` for a ROM that is not of this kind.
    pub fn find(elf: &[u8]) -> Option<Self> {
        let file = object::File::parse(elf).ok()?;
        let address_of = |name: &str| file.symbol_by_name(name).map(|symbol| symbol.address() as u32);
        let (first, end) = (address_of("_data_start")?, address_of("_data_end")?);
        (end > first && (end - first) / ROW_BYTES <= ROWS_MAX).then_some(Self { first, end })
    }

    /// Puts the variables' first values behind the code, from where the ELF file's sections have put them.
    pub fn put_behind_code(self, memory: &mut Memory) {
        self.copy(memory, |variables, stored| (variables, stored));
    }

    /// Does the start-up code's work, for a chip that does not run it.
    pub fn fill_variables(self, memory: &mut Memory) {
        self.copy(memory, |variables, stored| (stored, variables));
    }

    fn copy(self, memory: &mut Memory, direction: impl Fn(u32, u32) -> (u32, u32)) {
        for row in (self.first..self.end).step_by(ROW_BYTES as usize) {
            let [variables, end, stored] = [0, 4, 8].map(|n| memory.read_word(row + n).unwrap_or(0));
            let length = end.wrapping_sub(variables);
            if length == 0 || length > GROUP_BYTES_MAX {
                continue;
            }
            let (from, to) = direction(variables, stored);
            let mut bytes = vec![0; length as usize];
            if memory.read_slice(from, &mut bytes).is_ok() {
                // A row for addresses without memory is somebody's odd ROM, and its own trouble.
                let _ = memory.write_slice(to, &bytes);
            }
        }
    }
}
