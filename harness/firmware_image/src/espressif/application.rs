//! Images: a header, segments for addresses, a checksum, and a digest.
//!
//! (ESP-IDF's programming guide, "App Image Format"; `components/bootloader_support/include/esp_app_format.h` and
//! `src/esp_image_format.c`.) Bootloaders and applications have the same format. An application of ESP-IDF, and one of
//! esp-hal, begins its first segment with a description of itself (`esp_app_desc_t`).

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::{Chip, IMAGE_MAGIC, Revision, Target, half, text, word};
use crate::error::{PrintableName, Refused};

const HEADER_BYTES: usize = 24;
const SEGMENT_HEADER_BYTES: usize = 8;
const SEGMENTS_MAX: u8 = 16;
/// What the checksum of the segments' bytes begins with.
const CHECKSUM_SEED: u8 = 0xef;
const DIGEST_BYTES: usize = 32;
const DESCRIPTION_AT: usize = HEADER_BYTES + SEGMENT_HEADER_BYTES;
const DESCRIPTION_MAGIC: u32 = 0xabcd_5432;

/// What an image's first 24 bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How many segments follow.
    pub segments: u8,
    /// How the flash is read: 0 is QIO, 1 QOUT, 2 DIO, 3 DOUT.
    pub flash_mode: u8,
    /// The flash's size in bytes; `None` if the field has a value without a meaning.
    pub flash_bytes: Option<u32>,
    /// Where the code begins.
    pub entry: u32,
    /// The chip that it is for.
    pub chip: Chip,
    /// The oldest version of the chip that it takes.
    pub min_revision: Revision,
    /// The newest one.
    pub max_revision: Revision,
    /// A SHA-256 of the image follows the checksum.
    pub has_digest: bool,
}

impl Header {
    /// Reads the header; `None` if no image begins here.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES).filter(|header| header[0] == IMAGE_MAGIC)?;
        let (min, max) = (half(header, 15), half(header, 17));
        // ESP-IDF before 4.4.3 has the minor number alone, in the byte before.
        let min = if min == 0 { u16::from(header[14]) } else { min };
        let max = if max == 0 || max == u16::MAX { u16::MAX } else { max };
        Some(Self {
            segments: header[1],
            flash_mode: header[2],
            flash_bytes: Some(header[3] >> 4).filter(|size| *size <= 7).map(|size| 1 << 20 << size),
            entry: word(header, 4),
            chip: Chip(half(header, 12)),
            min_revision: Revision(min),
            max_revision: Revision(max),
            has_digest: header[23] == 1,
        })
    }
}

/// A segment, as it lies in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The address that it is for; 0 for padding.
    pub address: u32,
    /// Where its bytes begin in the image.
    pub at: u32,
    /// How many there are.
    pub length_bytes: u32,
}

/// What an application says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The project's name.
    pub project: PrintableName,
    /// Its version.
    pub version: PrintableName,
    /// The ESP-IDF that it was built with; esp-hal's applications say so too.
    pub idf: PrintableName,
}

/// Why an image cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// No image begins there: this is the first word. An erased flash has all ones.
    NoImage {
        /// The first word.
        word: u32,
    },
    /// Made for another chip.
    OtherChip(Chip),
    /// It loads nothing, so that there is nothing to run.
    NoSegments,
    /// More segments than an image can have.
    TooManySegments(u8),
    /// A segment, counted from 0, reaches past the end of the file or of the partition.
    CutOff {
        /// Which.
        segment: u8,
        /// Where it would end.
        end: u64,
        /// How many bytes there are.
        length_bytes: usize,
    },
    /// A segment is shown by the flash's pages, and does not lie as they need it.
    NotAligned {
        /// The address that it is for.
        address: u32,
    },
    /// The checksum of the segments is wrong.
    Checksum,
    /// The SHA-256 behind the image is wrong.
    Digest,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoImage { word: u32::MAX } => f.write_str("it is erased"),
            Self::NoImage { word } => write!(f, "no image begins there: invalid header {word:#010x}"),
            Self::OtherChip(chip) => write!(f, "it is for the {chip}"),
            Self::NoSegments => f.write_str("it has no segments"),
            Self::TooManySegments(count) => write!(f, "{count} segments, and an image has at most {SEGMENTS_MAX}"),
            Self::CutOff { segment, end, length_bytes } => {
                write!(f, "segment {segment} ends at {end:#x}, and there are {length_bytes:#x} bytes")
            }
            Self::NotAligned { address } => {
                write!(f, "the segment for {address:#010x} does not lie where pages can show it")
            }
            Self::Checksum => f.write_str("its checksum is wrong"),
            Self::Digest => f.write_str("its SHA-256 is wrong"),
        }
    }
}

/// A whole image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its header.
    pub header: Header,
    /// Its segments, padding included.
    pub segments: Vec<Segment>,
    /// What it says of itself.
    pub description: Option<Description>,
    /// How long it is, checksum and digest included.
    pub length_bytes: usize,
}

impl Application {
    /// Reads and checks the image at the beginning of `bytes`, which hold what its file or its partition holds.
    ///
    /// # Errors
    /// If it would not be booted.
    pub fn parse(bytes: &[u8], target: &Target) -> Result<Self, Damage> {
        let (application, digest_is_right) = Self::read(bytes, target)?;
        if digest_is_right { Ok(application) } else { Err(Damage::Digest) }
    }

    /// As [`Self::parse`], of what the mask ROM loads. Of a SHA-256 that is wrong, as tools leave it that change the flash's
    /// settings in the header, it says *SHA-256 comparison failed*, and *Attempting to boot anyway*.
    ///
    /// # Errors
    /// If it would not be booted.
    pub fn parse_as_rom_does(bytes: &[u8], target: &Target) -> Result<Self, Damage> {
        Self::read(bytes, target).map(|(application, _)| application)
    }

    /// What is read, and whether its SHA-256 is right, if it has one.
    fn read(bytes: &[u8], target: &Target) -> Result<(Self, bool), Damage> {
        let Segments { header, segments, checksum_at, checksum } = Segments::walk(bytes, target)?;
        if bytes.get(checksum_at) != Some(&checksum) {
            return Err(Damage::Checksum);
        }
        let (mut length_bytes, mut digest_is_right) = (checksum_at + 1, true);
        if header.has_digest {
            let digest = Sha256::digest(&bytes[..length_bytes]);
            digest_is_right = bytes.get(length_bytes..length_bytes + DIGEST_BYTES) == Some(digest.as_slice());
            length_bytes += DIGEST_BYTES;
        }
        Ok((Self { header, segments, description: description(bytes), length_bytes }, digest_is_right))
    }

    /// Writes the checksum, and the SHA-256 if there is one, that the image at the beginning of `bytes` has to have; says
    /// whether it has a SHA-256.
    ///
    /// # Errors
    /// If it is not whole, or no image for the chip.
    pub fn mend(bytes: &mut [u8], target: &Target) -> Result<bool, Damage> {
        let Segments { header, checksum_at, checksum, .. } = Segments::walk(bytes, target)?;
        let end = checksum_at + 1;
        let short = Damage::CutOff { segment: header.segments, end: end as u64, length_bytes: bytes.len() };
        *bytes.get_mut(checksum_at).ok_or(short)? = checksum;
        if header.has_digest {
            let digest = Sha256::digest(&bytes[..end]);
            bytes.get_mut(end..end + DIGEST_BYTES).ok_or(Damage::Digest)?.copy_from_slice(&digest);
        }
        Ok(header.has_digest)
    }

    /// Whether an image begins with a description of itself: an application does, a bootloader does not.
    pub fn has_description(bytes: &[u8]) -> bool {
        word(bytes, DESCRIPTION_AT) == DESCRIPTION_MAGIC
    }

    /// Holds the chip's version against what the image takes.
    ///
    /// # Errors
    /// [`Refused::OtherRevision`], naming the image as `part`.
    pub fn check_revision(&self, part: &str, target: &Target) -> Result<(), Refused> {
        let Header { min_revision: min, max_revision: max, .. } = self.header;
        if min <= target.revision && target.revision <= max {
            return Ok(());
        }
        Err(Refused::OtherRevision { part: PrintableName::new(part), min, max, here: target.revision })
    }

    /// That what the flash's pages show lies as they need it, `at` being where the image lies in the flash.
    ///
    /// # Errors
    /// [`Damage::NotAligned`].
    pub fn check_pages(&self, at: u32, target: &Target) -> Result<(), Damage> {
        const PAGE_BYTES: u32 = 0x1_0000;
        let shown = self.segments.iter().filter(|segment| target.is_flash(segment.address));
        match shown.into_iter().find(|s| s.address % PAGE_BYTES != at.wrapping_add(s.at) % PAGE_BYTES) {
            Some(segment) => Err(Damage::NotAligned { address: segment.address }),
            None => Ok(()),
        }
    }
}

/// The segments of an image, and the checksum that they have to have.
struct Segments {
    header: Header,
    segments: Vec<Segment>,
    /// It is the last byte of a row of sixteen.
    checksum_at: usize,
    checksum: u8,
}

impl Segments {
    fn walk(bytes: &[u8], target: &Target) -> Result<Self, Damage> {
        let header = Header::parse(bytes).ok_or(Damage::NoImage { word: word(bytes, 0) })?;
        if header.chip != target.chip {
            return Err(Damage::OtherChip(header.chip));
        }
        if header.segments == 0 {
            return Err(Damage::NoSegments);
        }
        if header.segments > SEGMENTS_MAX {
            return Err(Damage::TooManySegments(header.segments));
        }
        let mut segments = Vec::new();
        let (mut at, mut checksum) = (HEADER_BYTES, CHECKSUM_SEED);
        for segment in 0..header.segments {
            let (address, length_bytes) = (word(bytes, at), word(bytes, at + 4));
            let from = at + SEGMENT_HEADER_BYTES;
            let end = from as u64 + u64::from(length_bytes);
            // The checksum follows, so that a segment never ends with the bytes.
            if end >= bytes.len() as u64 {
                return Err(Damage::CutOff { segment, end, length_bytes: bytes.len() });
            }
            checksum = bytes[from..end as usize].iter().fold(checksum, |sum, byte| sum ^ byte);
            segments.push(Segment { address, at: from as u32, length_bytes });
            at = end as usize;
        }
        Ok(Self { header, segments, checksum_at: (at + 1).next_multiple_of(16) - 1, checksum })
    }
}

impl Description {
    /// What an application says of itself in an ELF file, wherever it lies there.
    pub fn within(elf: &[u8]) -> Option<Self> {
        let magic = DESCRIPTION_MAGIC.to_le_bytes();
        let places = elf.windows(magic.len()).enumerate().filter(|(at, word)| at % 4 == 0 && *word == magic);
        let is_text = |words: &PrintableName| {
            let words = words.to_string();
            !words.is_empty() && words.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        };
        // A loader that looks for the word has it too.
        places
            .filter_map(|(at, _)| read_description(&elf[at..]))
            .find(|found| is_text(&found.version) && is_text(&found.project))
    }
}

/// `esp_app_desc_t`: magic, secure version, two reserved words, then text of 32 bytes each, time and date of 16.
fn description(bytes: &[u8]) -> Option<Description> {
    if !Application::has_description(bytes) {
        return None;
    }
    read_description(bytes.get(DESCRIPTION_AT..)?)
}

fn read_description(bytes: &[u8]) -> Option<Description> {
    let field = |at: usize, length: usize| bytes.get(at..at + length);
    Some(Description {
        version: PrintableName::new(&text(field(16, 32)?)),
        project: PrintableName::new(&text(field(48, 32)?)),
        idf: PrintableName::new(&text(field(112, 32)?)),
    })
}

/// Whether an image is for the ESP8266: an older format with the same magic number, whose header of 8 bytes is followed by
/// the first segment.
pub fn is_esp8266(bytes: &[u8]) -> bool {
    let first_segment = word(bytes, 8);
    let in_its_memory =
        matches!(first_segment, 0x4010_0000..=0x4010_ffff | 0x3ffe_8000..=0x3fff_ffff | 0x4020_0000..=0x402f_ffff);
    let magic = bytes.first();
    // Version 2 of its format, with its code in the flash.
    let is_version_2 = magic == Some(&0xea) && bytes.get(1) == Some(&4);
    is_version_2 || magic == Some(&IMAGE_MAGIC) && in_its_memory
}
