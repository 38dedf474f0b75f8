//! The application that lies in the flash, as ROM and second-stage bootloader find it ([`firmware_image`] knows how), ready
//! to be entered. For a chip with the modelled ROM: the bootloader itself is not run, but must be there and whole.

use core::fmt;

use firmware_image::espressif::{self, TableDamage};
use firmware_image::{Chosen, Refused};

use crate::machine::image::Segment;
use crate::machine::memory::Memory;

use super::loading::{has_memory, is_flash};
use crate::devices::espressif::cache;
use crate::machine::flash::{Flash, PAGE_BYTES};

/// An application, ready to be entered.
#[derive(Debug)]
pub(super) struct Application {
    pub entry: u32,
    /// What goes to RAM.
    pub segments: Vec<Segment>,
    /// Entries of the MMU table, and the flash pages that they show.
    pub pages: Vec<(u32, u32)>,
}

/// Why nothing can be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unbootable {
    /// ROM or bootloader would not take what is there.
    Refused(Refused),
    /// A segment for an address where there is no memory.
    NoMemoryThere { address: u32 },
}

impl fmt::Display for Unbootable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "{why}"),
            Self::NoMemoryThere { address } => write!(f, "a segment is for {address:#010x}, where there is no memory"),
        }
    }
}

/// The application that the bootloader would start.
pub(super) fn application(flash: &Flash, memory: &Memory) -> Result<Application, Unbootable> {
    let content = flash.whole(memory);
    let chosen = Chosen::find(&content, &espressif::ESP32C3).map_err(Unbootable::Refused)?;
    // What needs no bootloader needs the real ROM.
    let Chosen { at, application, .. } = chosen.ok_or(Unbootable::Refused(Refused::BadTable(TableDamage::Missing)))?;
    let (mut segments, mut pages) = (Vec::new(), Vec::new());
    for espressif::Segment { address, at: offset, length_bytes } in application.segments {
        // Padding.
        if address == 0 {
            continue;
        }
        if !has_memory(address, length_bytes) {
            return Err(Unbootable::NoMemoryThere { address });
        }
        let begin = at + offset;
        if is_flash(address) {
            pages.extend(shown(address, begin, length_bytes));
        } else {
            let bytes = content[begin as usize..][..length_bytes as usize].to_vec();
            segments.push(Segment { address, bytes });
        }
    }
    Ok(Application { entry: application.header.entry, segments, pages })
}

/// The entries of the MMU table that show a segment, and its pages. That they lie as they must was checked.
fn shown(address: u32, at: u32, length_bytes: u32) -> impl Iterator<Item = (u32, u32)> {
    let offset = address & (cache::ENTRIES * PAGE_BYTES - 1);
    let pages = (offset % PAGE_BYTES + length_bytes).div_ceil(PAGE_BYTES);
    (0..pages).map(move |n| (offset / PAGE_BYTES + n, at / PAGE_BYTES + n))
}
