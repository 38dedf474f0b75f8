//! Putting an image into the chip, and starting it.

use serde::{Deserialize, Serialize};

use chip::ESP8266;

use super::rom::{self, Machine};
use super::soc::{CACHE_CONTROL, CACHE_ON};
use super::{DRAM, DRAM_BYTES, Esp8266, IRAM, IRAM_BYTES, ROM_RAM, ROM_RAM_BYTES, ResetCause, map};
use crate::machine::backtrace::Stands;
use crate::machine::event::EventKind;
use crate::machine::image::{Image, ImageError};
use crate::machine::symbols::Symbols;

/// Where the core begins after a reset.
pub(super) const RESET_VECTOR: u32 = 0x4000_0080;
/// Where the ROM has its vectors.
const ROM_VECTORS: u32 = 0x4000_0000;
/// The window that shows the flash.
const FLASH_WINDOW: u32 = 0x4020_0000;
const FLASH_WINDOW_BYTES: u32 = 0x10_0000;

/// What runs after a reset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Boots {
    /// Nothing has been put into the chip yet.
    Nothing,
    /// An ELF file that was loaded directly.
    Image(Image),
    /// What lies in the flash.
    Flash,
}

impl Esp8266 {
    /// Loads an ELF file as the ROM would leave the chip, the first megabyte of the flash shown, and stands at its entry point.
    ///
    /// # Errors
    ///
    /// If it is not an executable for this chip. The chip is then as it was.
    pub fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        let image = Image::parse(&ESP8266, elf)?;
        for segment in &image.segments {
            let length_bytes = segment.bytes.len() as u32;
            if !has_memory(segment.address, length_bytes) {
                return Err(ImageError::NoMemoryThere { address: segment.address, length_bytes, chip: ESP8266.title });
            }
        }
        for segment in image.segments.iter().filter(|segment| is_flash(segment.address)) {
            self.soc.flash.overwrite(&mut self.memory, segment.address - FLASH_WINDOW, &segment.bytes);
        }
        self.symbols = Some(Symbols::new(elf));
        self.boots = Boots::Image(image);
        self.start(ResetCause::PowerOn);
        Ok(())
    }

    /// Makes the chip boot what lies in its flash, from the next reset on.
    pub fn boot_from_flash(&mut self) {
        self.boots = Boots::Flash;
    }

    /// Sets what the flash holds, from its beginning; the rest is erased. The chip is not reset.
    ///
    /// # Errors
    ///
    /// If the flash is smaller. It is then as it was.
    pub fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError> {
        let flash_bytes = self.soc.flash.size_bytes();
        if content.len() > flash_bytes as usize {
            let needed_bytes = u32::try_from(content.len()).unwrap_or(u32::MAX);
            return Err(ImageError::LargerThanFlash { needed_bytes, flash_bytes });
        }
        self.soc.flash.erase(&mut self.memory, 0, flash_bytes);
        self.soc.flash.overwrite(&mut self.memory, 0, content);
        Ok(())
    }

    /// Resets what `cause` resets, and stands at the image's entry point.
    pub(super) fn start(&mut self, cause: ResetCause) {
        let cycle = self.core.cycle();
        self.soc.reset(cause, cycle, &mut self.memory);
        self.core.reset(RESET_VECTOR, ROM_VECTORS);
        if cause.clears_ram() {
            for (address, length) in [(DRAM, DRAM_BYTES), (ROM_RAM, ROM_RAM_BYTES), (IRAM, IRAM_BYTES)] {
                // It is RAM.
                let _ = self.memory.write_slice(address, &vec![0; length as usize]);
            }
        }
        rom::initialise(&mut self.memory, &self.soc.flash);
        self.halted = false;
        let boots = self.boots.clone();
        let mut machine = Machine { core: &mut self.core, memory: &mut self.memory, soc: &mut self.soc };
        let refused = match boots {
            Boots::Nothing => Some("no image was given".to_owned()),
            Boots::Image(image) => {
                for segment in image.segments.iter().filter(|segment| !is_flash(segment.address)) {
                    // Checked when the image was read.
                    let _ = machine.memory.write_slice(segment.address, &segment.bytes);
                }
                machine.soc.registers(map::DeviceName::Dport).set(CACHE_CONTROL, CACHE_ON);
                machine.soc.show_flash(machine.memory);
                rom::enter(&mut machine, image.entry);
                None
            }
            Boots::Flash => rom::boot(&mut machine, cause).err().map(|why| why.to_string()),
        };
        if let Some(reason) = refused {
            self.halted = true;
            self.tell(RESET_VECTOR, Stands::Before, EventKind::NothingToBoot { reason });
        }
    }
}

fn is_flash(address: u32) -> bool {
    address.wrapping_sub(FLASH_WINDOW) < FLASH_WINDOW_BYTES
}

/// Whether a segment can lie there.
fn has_memory(address: u32, length_bytes: u32) -> bool {
    let places = [(DRAM, DRAM_BYTES), (ROM_RAM, ROM_RAM_BYTES), (IRAM, IRAM_BYTES), (FLASH_WINDOW, FLASH_WINDOW_BYTES)];
    places
        .into_iter()
        .any(|(base, size)| address >= base && address - base <= size && length_bytes <= size - (address - base))
}
