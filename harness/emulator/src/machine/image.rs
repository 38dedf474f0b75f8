//! ELF images: what of them goes where.

use serde::{Deserialize, Serialize};

use core::fmt;

use chip::{Chip, WrongElf};
use object::elf::{FileHeader32, PF_X, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ObjectSection, SectionKind};

/// Bytes that an image puts at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Where they go.
    pub address: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Why bytes are not an image that a chip can run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// They are not an ELF file, or one for another architecture.
    WrongElf(WrongElf),
    /// The file's tables contradict its length.
    Damaged(String),
    /// A segment lies where this chip has neither memory nor flash.
    NoMemoryThere {
        /// Where the segment begins.
        address: u32,
        /// How long it is.
        length_bytes: u32,
        /// Which chip.
        chip: &'static str,
    },
    /// The entry point is not in a segment with code.
    NoCodeAtEntry {
        /// The entry point.
        entry: u32,
    },
    /// The mask ROM that the chip was given is not one.
    Rom(Box<ImageError>),
    /// The flash of this chip is smaller than the image.
    LargerThanFlash {
        /// How much flash the image needs.
        needed_bytes: u32,
        /// How much there is.
        flash_bytes: u32,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongElf(wrong) => wrong.fmt(f),
            Self::Damaged(reason) => write!(f, "a damaged ELF file: {reason}"),
            Self::NoMemoryThere { address, length_bytes, chip } => {
                write!(
                    f,
                    "a segment of {length_bytes} bytes at {address:#010x}, where the {chip} has neither memory nor flash"
                )
            }
            Self::NoCodeAtEntry { entry } => write!(f, "the entry point {entry:#010x} is not in a segment with code"),
            Self::Rom(error) => write!(f, "the mask ROM: {error}"),
            Self::LargerThanFlash { needed_bytes, flash_bytes } => {
                write!(f, "the image needs {needed_bytes} bytes of flash, and there are {flash_bytes}")
            }
        }
    }
}

impl std::error::Error for ImageError {}

/// No image has more segments than that.
pub const SEGMENTS_MAX: usize = 256;
/// Nor more in them, in bytes: segments may share the bytes of a file, and no chip has so much flash and memory.
pub const SEGMENTS_BYTES_MAX: usize = 64 << 20;

/// What is loaded of an ELF file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Where it begins.
    pub entry: u32,
    /// What goes where.
    pub segments: Vec<Segment>,
}

impl Image {
    /// Reads an ELF file for `chip`.
    ///
    /// # Errors
    ///
    /// If it is none, is for another architecture, or is damaged.
    pub fn parse(chip: &Chip, elf: &[u8]) -> Result<Self, ImageError> {
        chip.check_elf(elf).map_err(ImageError::WrongElf)?;
        let damaged = |error: object::read::Error| ImageError::Damaged(error.to_string());
        let header = FileHeader32::<LittleEndian>::parse(elf).map_err(damaged)?;
        let endian = header.endian().map_err(damaged)?;
        let mut segments = Vec::new();
        let entry = header.e_entry(endian);
        let mut entry_has_code = false;
        let mut total_bytes = 0_usize;
        for program in header.program_headers(endian, elf).map_err(damaged)? {
            if program.p_type(endian) != PT_LOAD {
                continue;
            }
            let bytes = program
                .data(endian, elf)
                .map_err(|()| ImageError::Damaged("a segment reaches past the end of the file".to_string()))?;
            if bytes.is_empty() {
                continue;
            }
            total_bytes += bytes.len();
            if segments.len() == SEGMENTS_MAX || total_bytes > SEGMENTS_BYTES_MAX {
                return Err(ImageError::Damaged(format!(
                    "more than {SEGMENTS_MAX} segments, or more than {} MiB in them",
                    SEGMENTS_BYTES_MAX >> 20
                )));
            }
            let address = program.p_vaddr(endian);
            let inside = entry.wrapping_sub(address) < bytes.len() as u32;
            entry_has_code |= inside && program.p_flags(endian).contains(PF_X);
            segments.push(Segment { address, bytes: bytes.to_vec() });
        }
        if !entry_has_code {
            return Err(ImageError::NoCodeAtEntry { entry });
        }
        Ok(Self { entry, segments })
    }

    /// Reads a mask ROM's ELF file: its data sections count too, which the ROM's own start-up copies to RAM.
    pub(crate) fn parse_rom(elf: &[u8]) -> Result<Self, ImageError> {
        let file = object::File::parse(elf).map_err(|error| ImageError::Damaged(error.to_string()))?;
        let mut segments = Vec::new();
        for section in file.sections() {
            let has_bytes = !matches!(
                section.kind(),
                SectionKind::UninitializedData | SectionKind::Metadata | SectionKind::Debug | SectionKind::DebugString
            );
            let address = section.address() as u32;
            if address == 0 || !has_bytes {
                continue;
            }
            let bytes = section.data().map_err(|error| ImageError::Damaged(error.to_string()))?;
            if !bytes.is_empty() {
                segments.push(Segment { address, bytes: bytes.to_vec() });
            }
        }
        Ok(Self { entry: file.entry() as u32, segments })
    }
}
