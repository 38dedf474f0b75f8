//! ELF images: what of them goes where when the second-stage bootloader has done its work.

use core::fmt;

use object::elf::{EM_RISCV, FileHeader32, PF_X, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{LittleEndian, Object, ObjectSection, SectionKind};

/// Bytes that an image puts at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub address: u32,
    pub bytes: Vec<u8>,
}

/// Why bytes are not an image that this chip can run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// They are not an ELF file; the reason is the parser's.
    NotElf(String),
    /// An ELF file for another machine, or not an executable for a 32-bit little-endian RISC-V.
    NotRiscv32 {
        /// `e_machine` of the file's header.
        machine: u16,
    },
    /// The file's tables contradict its length.
    Damaged(String),
    /// A segment lies where this chip has neither memory nor flash.
    NoMemoryThere {
        /// Where the segment begins.
        address: u32,
        /// How long it is.
        length_bytes: u32,
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
            Self::NotElf(reason) => write!(f, "not an ELF file: {reason}"),
            Self::NotRiscv32 { machine } => {
                write!(f, "an ELF file, but not a 32-bit RISC-V executable (machine {machine}, expected {EM_RISCV})")
            }
            Self::Damaged(reason) => write!(f, "a damaged ELF file: {reason}"),
            Self::NoMemoryThere { address, length_bytes } => write!(
                f,
                "a segment of {length_bytes} bytes at {address:#010x}, where an ESP32-C3 has neither memory nor flash"
            ),
            Self::NoCodeAtEntry { entry } => write!(f, "the entry point {entry:#010x} is not in a segment with code"),
            Self::Rom(error) => write!(f, "the mask ROM: {error}"),
            Self::LargerThanFlash { needed_bytes, flash_bytes } => {
                write!(f, "the image needs {needed_bytes} bytes of flash, and there are {flash_bytes}")
            }
        }
    }
}

impl std::error::Error for ImageError {}

/// What is loaded of an ELF file.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub entry: u32,
    pub segments: Vec<Segment>,
}

impl Image {
    /// Reads an ELF file.
    pub fn parse(elf: &[u8]) -> Result<Self, ImageError> {
        let damaged = |error: object::read::Error| ImageError::Damaged(error.to_string());
        if elf.get(..4) != Some(b"\x7fELF") {
            return Err(ImageError::NotElf("its first four bytes are not 7F 45 4C 46".to_string()));
        }
        let not_riscv = || {
            let machine = elf.get(18..20).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
            ImageError::NotRiscv32 { machine }
        };
        let header = FileHeader32::<LittleEndian>::parse(elf).map_err(|_| not_riscv())?;
        let endian = header.endian().map_err(|_| not_riscv())?;
        if header.e_machine(endian) != EM_RISCV {
            return Err(not_riscv());
        }
        let mut segments = Vec::new();
        let entry = header.e_entry(endian);
        let mut entry_has_code = false;
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
    pub fn parse_rom(elf: &[u8]) -> Result<Self, ImageError> {
        let file = object::File::parse(elf).map_err(|error| ImageError::NotElf(error.to_string()))?;
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
