//! Putting an image into the chip, and starting it.
//!
//! An ELF file is loaded as the second-stage bootloader leaves the chip. What lies in the flash is booted as ROM and
//! bootloader together do it, and leaves the chip in the same state. Neither takes time.

use serde::{Deserialize, Serialize};

use chip::ESP32C3;
use defmt_log::Table;

use crate::cores::riscv::csr_number;
use crate::machine::debug::HaltCause;

use super::bootable;

use super::{
    DRAM, Esp32c3, EventKind, ICACHE_RAM, ICACHE_RAM_BYTES, IRAM, ImageError, RTC_FAST, RTC_FAST_BYTES, ResetCause,
    SRAM1, rom,
};
use crate::devices::espressif::cache;
use crate::devices::espressif::time::TICKS_HZ;
use crate::machine::backtrace::Stands;
use crate::machine::flash::PAGE_BYTES;
use crate::machine::image::{Image, Segment};
use crate::machine::rtt::Rtt;
use crate::machine::symbols::Symbols;

/// Where the hart begins after a reset: the first address of the ROM.
pub(super) const RESET_VECTOR: u32 = rom::CODE.start;
/// Where the stack of the bootloader ends; firmware sets its own before it uses one.
const BOOT_STACK: u32 = 0x3fcd_e700;

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

impl Esp32c3 {
    /// Loads an image as the second-stage bootloader leaves the chip, and stands at its entry point.
    ///
    /// # Errors
    /// If it is not an executable for this chip. The chip is then as it was.
    pub fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        if let Some(error) = &self.rom_error {
            return Err(ImageError::Rom(Box::new(error.clone())));
        }
        let image = Image::parse(&ESP32C3, elf)?;
        for segment in &image.segments {
            check_segment(segment)?;
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
        self.know_symbols(elf);
        self.boots = Boots::Image(image);
        self.start(ResetCause::PowerOn);
        Ok(())
    }

    /// The first function of the mask ROM that an ELF file calls and that the modelled ROM does not have: such a file needs
    /// a real one ([`super::Rom::Elf`]).
    ///
    /// # Errors
    /// If it is not an executable for this chip.
    pub fn unmodelled_rom_call(elf: &[u8]) -> Result<Option<u32>, ImageError> {
        Ok(rom::first_unmodelled(&Image::parse(&ESP32C3, elf)?.segments))
    }

    /// Makes the chip boot what lies in its flash, from the next reset on.
    pub fn boot_from_flash(&mut self) {
        self.boots = Boots::Flash;
    }

    /// What the flash holds, up to the last byte that is not erased.
    pub fn flash_content(&self) -> Vec<u8> {
        self.soc.flash.content(&self.memory)
    }

    /// Sets what the flash holds, from its beginning; the rest is erased. The chip is not reset.
    ///
    /// # Errors
    /// If the flash is smaller. It is then as it was.
    pub fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError> {
        let (needed_bytes, flash_bytes) = (content.len(), self.soc.flash.size_bytes());
        if needed_bytes > flash_bytes as usize {
            let needed_bytes = u32::try_from(needed_bytes).unwrap_or(u32::MAX);
            return Err(ImageError::LargerThanFlash { needed_bytes, flash_bytes });
        }
        self.soc.flash.erase(&mut self.memory, 0, flash_bytes);
        self.soc.flash.reserve(&mut self.memory, 0, (needed_bytes as u32).div_ceil(PAGE_BYTES));
        self.soc.flash.overwrite(&mut self.memory, 0, content);
        Ok(())
    }

    /// Takes the names of functions for backtraces, and where panics begin, from an ELF file. It is not loaded, nor need
    /// it be what runs.
    pub fn know_symbols(&mut self, elf: &[u8]) {
        for address in std::mem::take(&mut self.panic_entries) {
            self.hart.remove_hook(address);
        }
        let symbols = Symbols::new(elf);
        for name in ["rust_begin_unwind", "__rustc::rust_begin_unwind"] {
            if let Some(address) = symbols.address_of(name) {
                self.panic_entries.insert(address);
                self.hart.add_hook(address);
            }
        }
        let control = symbols.rtt_control();
        // An image without RTT has no use for a table.
        let (table, why) = match control.map_or(Ok(None), |_| Table::of_elf(elf)) {
            Ok(table) => (table, None),
            Err(why) => (None, Some(why)),
        };
        self.rtt = Rtt::new(control, table);
        if let Some(why) = why {
            self.rtt.remark(&why.to_string());
        }
        self.symbols = Some(symbols);
    }

    /// Resets the chip and starts its image again, as the reset button would.
    pub fn reset(&mut self, cause: ResetCause) {
        if cause == ResetCause::PowerOn {
            self.forget_debugger();
        }
        self.start(cause);
    }

    /// Resets what `cause` resets, and stands at the image's entry point as the bootloader hands over; in debug mode at
    /// the reset vector, if a debugger has asked for that.
    pub(super) fn start(&mut self, cause: ResetCause) {
        let cycle = self.hart.cycle();
        self.soc.reset(cause, cycle, self.hart.pc(), self.hart.register(2));
        self.hart.reset(RESET_VECTOR);
        self.halted = false;
        let stays_halted = self.debugging.note_reset();
        self.settle_breaks();
        if stays_halted {
            self.enter_debug_mode(HaltCause::Reset);
        } else {
            self.boot();
        }
    }

    /// What ROM and second-stage bootloader do, from the reset vector to the application's entry point.
    pub(super) fn boot(&mut self) {
        match &self.boots {
            Boots::Nothing => self.halted = true,
            Boots::Image(image) => {
                let (segments, entry) = (image.segments.clone(), image.entry);
                self.become_booted();
                self.soc.show_flash_run(&mut self.memory, flash_end(&segments) / PAGE_BYTES);
                self.enter_application(&segments, entry);
            }
            // A real ROM loads the bootloader from the flash, and that the application.
            Boots::Flash if !self.rom_is_modelled => {}
            Boots::Flash => match bootable::application(&self.soc.flash, &self.memory) {
                Ok(application) => {
                    self.become_booted();
                    self.soc.show_flash_pages(&mut self.memory, &application.pages);
                    self.enter_application(&application.segments, application.entry);
                }
                Err(reason) => {
                    self.tell(RESET_VECTOR, Stands::Before, EventKind::NothingToBoot { reason: reason.to_string() });
                    self.halted = true;
                }
            },
        }
    }

    fn become_booted(&mut self) {
        let cycle = self.hart.cycle();
        self.soc.become_booted(cycle);
    }

    fn enter_application(&mut self, segments: &[Segment], entry: u32) {
        for segment in segments.iter().filter(|segment| !is_flash(segment.address)) {
            // Checked when the image was read.
            let _ = self.memory.write_slice(segment.address, &segment.bytes);
        }
        if let Some(data) = self.rom_data {
            data.fill_variables(&mut self.memory);
        }
        rom::initialise(&mut self.memory, (TICKS_HZ / self.soc.clock.ticks_per_cycle() / 1_000_000) as u32);
        // The ROM's start-up code enables interrupts, and esp-hal relies on it.
        self.hart.set_csr(csr_number::MSTATUS, 1 << 3);
        self.hart.set_register(2, BOOT_STACK);
        self.hart.set_pc(entry);
    }
}

fn check_segment(segment: &Segment) -> Result<(), ImageError> {
    let length_bytes = segment.bytes.len() as u32;
    if has_memory(segment.address, length_bytes) {
        return Ok(());
    }
    Err(ImageError::NoMemoryThere { address: segment.address, length_bytes, chip: ESP32C3.title })
}

/// Whether a segment can lie there: in RAM, or in flash as it is shown.
pub(super) fn has_memory(address: u32, length_bytes: u32) -> bool {
    let places = [
        (DRAM, SRAM1),
        (IRAM, SRAM1),
        (ICACHE_RAM, ICACHE_RAM_BYTES),
        (RTC_FAST, RTC_FAST_BYTES),
        (cache::DATA_BASE, cache::ENTRIES * PAGE_BYTES),
        (cache::INSTRUCTION_BASE, cache::ENTRIES * PAGE_BYTES),
    ];
    places
        .into_iter()
        .any(|(base, size)| address >= base && address - base <= size && length_bytes <= size - (address - base))
}

pub(super) fn is_flash(address: u32) -> bool {
    let pages = cache::ENTRIES * PAGE_BYTES;
    address.wrapping_sub(cache::DATA_BASE) < pages || address.wrapping_sub(cache::INSTRUCTION_BASE) < pages
}

/// Where in the flash what is shown at `address` lies: the page of the same number, behind what precedes applications.
fn flash_address(address: u32) -> u32 {
    ESP32C3.flash.application_offset + (address & (cache::ENTRIES * PAGE_BYTES - 1))
}

/// Where the image's last page of flash ends.
fn flash_end(segments: &[Segment]) -> u32 {
    let flash = segments.iter().filter(|segment| is_flash(segment.address));
    let end = flash.map(|segment| flash_address(segment.address) + segment.bytes.len() as u32).max().unwrap_or(0);
    end.next_multiple_of(PAGE_BYTES)
}
