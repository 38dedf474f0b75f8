//! Putting an image into the chip, and starting it.

use std::sync::Arc;

use crate::riscv::csr_number;

use super::flash::PAGE_BYTES;
use super::image::{Image, Segment};
use super::symbols::Symbols;
use super::{
    DRAM, Esp32c3, ICACHE_RAM, ICACHE_RAM_BYTES, IRAM, ImageError, RTC_FAST, RTC_FAST_BYTES, ResetCause, SRAM1, cache,
    rom,
};

/// Where the stack of the bootloader ends; firmware sets its own before it uses one.
const BOOT_STACK: u32 = 0x3fcd_e700;
/// Where in the flash an application begins, behind bootloader and partition table.
const APPLICATION_OFFSET: u32 = 0x1_0000;

impl Esp32c3 {
    /// Loads an image as the second-stage bootloader leaves the chip, and stands at its entry point.
    ///
    /// # Errors
    /// If it is not an executable for this chip. The chip is then as it was.
    pub fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        if let Some(error) = &self.rom_error {
            return Err(ImageError::Rom(Box::new(error.clone())));
        }
        let image = Image::parse(elf)?;
        for segment in &image.segments {
            self.check_segment(segment)?;
        }
        let flash_end = flash_end(&image.segments);
        let flash_bytes = self.soc.flash.size_bytes();
        if flash_end > flash_bytes {
            return Err(ImageError::LargerThanFlash { needed_bytes: flash_end, flash_bytes });
        }
        let pages = flash_end / PAGE_BYTES;
        self.soc.flash.reserve(&mut self.memory, 1, pages.saturating_sub(1));
        for segment in image.segments.iter().filter(|segment| is_flash(segment.address)) {
            self.soc.flash.overwrite(&mut self.memory, flash_address(segment.address), &segment.bytes);
        }
        for address in std::mem::take(&mut self.panic_entries) {
            self.hart.remove_hook(address);
        }
        let symbols = Symbols::new(Arc::from(elf));
        for name in ["rust_begin_unwind", "__rustc::rust_begin_unwind"] {
            if let Some(address) = symbols.address_of(name) {
                self.panic_entries.insert(address);
                self.hart.add_hook(address);
            }
        }
        self.symbols = Some(symbols);
        self.image = Some(image);
        self.start(ResetCause::PowerOn);
        Ok(())
    }

    /// Resets the chip and starts its image again, as the reset button would.
    pub fn reset(&mut self, cause: ResetCause) {
        self.start(cause);
    }

    /// Resets what `cause` resets, and stands at the image's entry point as the bootloader hands over.
    pub(super) fn start(&mut self, cause: ResetCause) {
        let cycle = self.hart.cycle();
        self.soc.reset(cause, cycle);
        self.hart.reset(0);
        self.halted = self.image.is_none();
        let Some(image) = &self.image else { return };
        for segment in image.segments.iter().filter(|segment| !is_flash(segment.address)) {
            // Checked when the image was loaded.
            let _ = self.memory.write_slice(segment.address, &segment.bytes);
        }
        self.soc.become_booted(cycle);
        self.soc.show_flash_run(&mut self.memory, flash_end(&image.segments) / PAGE_BYTES);
        rom::initialise(&mut self.memory, (self.soc.clock.rate_hz() / 1_000_000) as u32);
        // The ROM's start-up code enables interrupts, and esp-hal relies on it.
        self.hart.set_csr(csr_number::MSTATUS, 1 << 3);
        self.hart.set_register(2, BOOT_STACK);
        self.hart.set_pc(image.entry);
    }

    fn check_segment(&self, segment: &Segment) -> Result<(), ImageError> {
        let length_bytes = segment.bytes.len() as u32;
        let fits = |base: u32, size: u32| {
            segment.address >= base && segment.address - base <= size && length_bytes <= size - (segment.address - base)
        };
        let places = [
            (DRAM, SRAM1),
            (IRAM, SRAM1),
            (ICACHE_RAM, ICACHE_RAM_BYTES),
            (RTC_FAST, RTC_FAST_BYTES),
            (cache::DATA_BASE, cache::ENTRIES * PAGE_BYTES),
            (cache::INSTRUCTION_BASE, cache::ENTRIES * PAGE_BYTES),
        ];
        if places.into_iter().any(|(base, size)| fits(base, size)) {
            return Ok(());
        }
        Err(ImageError::NoMemoryThere { address: segment.address, length_bytes })
    }
}

fn is_flash(address: u32) -> bool {
    let pages = cache::ENTRIES * PAGE_BYTES;
    address.wrapping_sub(cache::DATA_BASE) < pages || address.wrapping_sub(cache::INSTRUCTION_BASE) < pages
}

/// Where in the flash what is shown at `address` lies: the page of the same number, behind what precedes applications.
fn flash_address(address: u32) -> u32 {
    APPLICATION_OFFSET + (address & (cache::ENTRIES * PAGE_BYTES - 1))
}

/// Where the image's last page of flash ends.
fn flash_end(segments: &[Segment]) -> u32 {
    let flash = segments.iter().filter(|segment| is_flash(segment.address));
    let end = flash.map(|segment| flash_address(segment.address) + segment.bytes.len() as u32).max().unwrap_or(0);
    end.next_multiple_of(PAGE_BYTES)
}
