//! Why files are refused, in sentences: what they are, what would be accepted, what its toolchain calls it.

use core::fmt;

use crate::espressif::{Chip, Damage, Revision, TableDamage};
use crate::kind::Kind;

/// A name that somebody else chose, made fit for a terminal: no control characters, no more than 80 of them.
#[derive(Clone, PartialEq, Eq)]
pub struct PrintableName(String);

impl PrintableName {
    /// As it was given.
    pub fn new(name: &str) -> Self {
        const CHARACTERS_MAX: usize = 80;
        let shown = name.chars().map(|c| if c.is_control() || is_format(c) { '\u{fffd}' } else { c });
        Self(shown.take(CHARACTERS_MAX).collect())
    }
}

impl PrintableName {
    /// Nothing in it that can be seen.
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

/// Characters that turn the order of what follows, or have no width.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl fmt::Display for PrintableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PrintableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Why files are not an image that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The file is something else.
    NotAnImage(Kind),
    /// An ELF file for another processor.
    OtherProcessor {
        /// What it is.
        elf: Kind,
        /// The chip that is here.
        here: Chip,
    },
    /// One part of a flash, and not all that is needed.
    Incomplete(Kind),
    /// Made for another chip.
    OtherChip {
        /// Which part.
        part: PrintableName,
        /// The chip that it names.
        made_for: Chip,
        /// The chip that is here.
        here: Chip,
    },
    /// It wants a newer, or an older, version of the chip.
    OtherRevision {
        /// Which part.
        part: PrintableName,
        /// The oldest that it takes.
        min: Revision,
        /// The newest that it takes.
        max: Revision,
        /// The version that is here.
        here: Revision,
    },
    /// An image that contradicts itself.
    Damaged {
        /// Which part.
        part: PrintableName,
        /// How.
        damage: Damage,
    },
    /// A partition table that contradicts itself.
    BadTable(TableDamage),
    /// There is no image where the ROM looks for one.
    NoBootloader {
        /// Where it looks.
        at: u32,
    },
    /// One of an ESP8266's two halves, without the boot loader that loads it.
    NoBootLoader,
    /// No partition holds an application that can be booted; the reasons, partition by partition.
    NoApplication {
        /// The partition's label, and what is wrong with its content.
        tried: Vec<(PrintableName, Damage)>,
    },
    /// A partition ends behind the flash.
    PartitionBehindFlash {
        /// Its label.
        label: PrintableName,
        /// Where it ends.
        end: u64,
        /// The flash's size, as the bootloader's header has it.
        flash_bytes: u32,
    },
    /// Two parts claim the same bytes.
    Overlap {
        /// The one that begins first.
        first: PrintableName,
        /// The one that begins before the first ends.
        second: PrintableName,
        /// Where that begins.
        at: u32,
    },
    /// More than any flash of this chip holds.
    TooLarge {
        /// Which part.
        part: PrintableName,
        /// Where it would end.
        end: u64,
        /// The largest flash.
        flash_bytes_max: u32,
    },
    /// A list of parts that cannot be read, or that says something impossible.
    BadList {
        /// What is read: *flasher_args.json*.
        list: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A list that names a file outside of its folder.
    OutsideFolder {
        /// What is read.
        list: &'static str,
        /// The path as it stands there.
        path: PrintableName,
    },
    /// A list without a build for this chip.
    NotForThisChip {
        /// What is read.
        list: &'static str,
        /// The chips that it names.
        chips: Vec<PrintableName>,
        /// The chip that is here.
        here: Chip,
    },
    /// A folder without anything that is known here.
    NothingInFolder,
    /// A folder with some of the files of a build, but not with all.
    FilesMissing {
        /// Whose build it looks like.
        toolchain: &'static str,
        /// What is missing.
        missing: Vec<&'static str>,
    },
}

/// What can be handed over. Ends every refusal of something else.
pub const ACCEPTED: &str = "accepted are: an ELF file; a merged flash image (ESP-IDF: `idf.py merge-bin`, ESPHome: \
    firmware.factory.bin, Arduino: SKETCH.ino.merged.bin, MicroPython and Tasmota: the .bin to be flashed at 0x0); parts \
    with their offsets (0x0=bootloader.bin,0x8000=partitions.bin,0x10000=firmware.bin); the build folder of ESP-IDF (with \
    flasher_args.json), PlatformIO (.pio/build/ENVIRONMENT) or Arduino (with `--build-path`); a manifest.json of \
    esp-web-tools";

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnImage(kind) => write!(f, "it is {kind}; {ACCEPTED}"),
            Self::OtherProcessor { elf, here } => write!(
                f,
                "it is {elf}, and an {here} runs 32-bit RISC-V: build it for the target {} (ESP-IDF: `idf.py set-target`, \
                 PlatformIO: `board`, Rust: riscv32imc-unknown-none-elf); {ACCEPTED}",
                here.target()
            ),
            Self::Incomplete(kind) => write!(
                f,
                "it is {kind}, and a chip needs all parts: name the folder of the build, or each part with its offset \
                 (0x0=bootloader.bin,0x8000=partitions.bin,0x10000=firmware.bin), or the merged image (ESP-IDF: `idf.py \
                 merge-bin`, ESPHome: firmware.factory.bin, Arduino: SKETCH.ino.merged.bin)"
            ),
            Self::OtherChip { part, made_for, here } => {
                write!(
                    f,
                    "{part} is for the {made_for}, and this chip is an {here}: build it for the target {}",
                    here.target()
                )
            }
            Self::OtherRevision { part, min, max, here } => write!(
                f,
                "{part} wants chip revision {min} to {max}, and this chip is {here} (ESP-IDF: \
                 CONFIG_ESP32C3_REV_MIN and CONFIG_ESP_REV_MAX_FULL)"
            ),
            Self::Damaged { part, damage } => write!(f, "{part} is damaged: {damage}"),
            Self::BadTable(damage) => write!(f, "the partition table at 0x8000 is damaged: {damage}"),
            Self::NoBootloader { at } => write!(
                f,
                "there is no bootloader at {at:#x}, where the ROM looks for it (ESP-IDF: bootloader/bootloader.bin, \
                 PlatformIO: bootloader.bin)"
            ),
            Self::NoBootLoader => f.write_str(
                "it is one of two halves, and the ROM loads their boot loader: name that too, as in 0x0=boot_v1.7.bin \
                 0x1000=user1.bin 0x101000=user2.bin",
            ),
            Self::NoApplication { tried } if tried.is_empty() => {
                f.write_str("the partition table names no application")
            }
            Self::NoApplication { tried } => {
                f.write_str("no partition holds an application that can be booted")?;
                tried.iter().try_for_each(|(label, damage)| write!(f, "; {label}: {damage}"))
            }
            Self::PartitionBehindFlash { label, end, flash_bytes } => write!(
                f,
                "the partition {label} ends at {end:#x}, behind a flash of {} MiB, the size in the bootloader's header \
                 (ESP-IDF: CONFIG_ESPTOOLPY_FLASHSIZE, PlatformIO: board_upload.flash_size)",
                flash_bytes >> 20
            ),
            Self::Overlap { first, second, at } => {
                write!(f, "{second} begins at {at:#x}, before {first} has ended")
            }
            Self::TooLarge { part, end, flash_bytes_max } => write!(
                f,
                "{part} would end at {end:#x}, and the largest flash of this chip has {} MiB",
                flash_bytes_max >> 20
            ),
            Self::BadList { list, why } => write!(f, "{list}: {why}"),
            Self::OutsideFolder { list, path } => {
                write!(f, "{list} names `{path}`, which is not inside its own folder")
            }
            Self::NotForThisChip { list, chips, here } => {
                write!(f, "{list} has no build for the {here}")?;
                if !chips.is_empty() {
                    let names: Vec<String> = chips.iter().map(ToString::to_string).collect();
                    write!(f, ", only for {}", names.join(", "))?;
                }
                Ok(())
            }
            Self::NothingInFolder => write!(
                f,
                "a folder without a build in it (looked for: flasher_args.json, firmware.bin, SKETCH.ino.bin, \
                 manifest.json); {ACCEPTED}"
            ),
            Self::FilesMissing { toolchain, missing } => {
                write!(f, "a build folder of {toolchain}, but without {}", missing.join(", "))
            }
        }
    }
}

impl std::error::Error for Refused {}
