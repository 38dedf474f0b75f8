//! What a file is, by its content alone.

use core::fmt;

use crate::espressif::{self, Application, Chip, PARTITION_TABLE, PARTITION_TABLE_BYTES, PartitionTable};

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An ELF file.
    Elf {
        /// `e_machine`: 243 is RISC-V, 94 is Xtensa, 40 is ARM.
        machine: u16,
        /// 32-bit and little-endian, as all chips here are.
        is_32_bit_little_endian: bool,
    },
    /// A merged flash image: bootloader, partition table and more, from address 0.
    MergedFlash {
        /// The chip that its bootloader names.
        chip: Chip,
    },
    /// One application image, without bootloader and partition table.
    Application {
        /// The chip that it is for.
        chip: Chip,
    },
    /// One image that the mask ROM loads by itself: a second-stage bootloader, or an application without one.
    RomLoadable {
        /// The chip that it is for.
        chip: Chip,
    },
    /// A partition table in its binary form.
    PartitionTable,
    /// The two sectors of `otadata`, which say what slot is booted.
    OtaData,
    /// `flasher_args.json` of an ESP-IDF build.
    FlasherArgs,
    /// The manifest of esp-web-tools, which ESPHome, Tasmota and others publish.
    WebManifest,
    /// A UF2 file, for chips that show themselves as a drive.
    Uf2 {
        /// The family that its first block names: 0xE48BFF56 is the RP2040.
        family: u32,
    },
    /// An image of MCUboot.
    McubootApplication,
    /// What another tool made, by its magic number.
    Other(&'static str),
    /// No byte in it.
    Empty,
    /// Nothing but 0xFF.
    Erased,
    /// No magic number that is known here.
    Unknown {
        /// Its first bytes.
        first: [u8; 4],
    },
}

/// Magic numbers of what is handed over by mistake.
const OTHERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"MZ", "a program for Windows"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xfe\xed\xfa", "a program for macOS"),
    (b"!<arch>", "a static library"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"<!DOCTYPE", "a web page: a download that went wrong?"),
    (b"<html", "a web page: a download that went wrong?"),
    (b"version https://git-lfs", "a pointer of Git LFS, and not the file itself: `git lfs pull` fetches that"),
    (b"dfu-", "a DFU file"),
    (b"DfuSe", "a DFU file"),
    (b"#!", "a script"),
];

/// Says what a file is. Never fails.
pub fn recognise(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Empty;
    }
    if bytes.starts_with(b"\x7fELF") {
        let machine = bytes.get(18..20).map_or(0, |field| u16::from_le_bytes([field[0], field[1]]));
        return Kind::Elf { machine, is_32_bit_little_endian: bytes.get(4..6) == Some(&[1, 1]) };
    }
    if bytes[0] == espressif::IMAGE_MAGIC || espressif::is_esp8266(bytes) {
        return espressif_image(bytes);
    }
    if let Some(kind) = by_magic(bytes).or_else(|| by_text(bytes)) {
        return kind;
    }
    if let Some(kind) = erased_in_front(bytes) {
        return kind;
    }
    let mut first = [0; 4];
    let length = bytes.len().min(4);
    first[..length].copy_from_slice(&bytes[..length]);
    Kind::Unknown { first }
}

fn by_magic(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"UF2\n") {
        let family = bytes.get(28..32).map_or(0, |word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        return Some(Kind::Uf2 { family });
    }
    if bytes.starts_with(&[0x3d, 0xb8, 0xf3, 0x96]) {
        return Some(Kind::McubootApplication);
    }
    if PartitionTable::parse(bytes).is_ok() {
        return Some(Kind::PartitionTable);
    }
    if espressif::OtaData::looks_like(bytes) {
        return Some(Kind::OtaData);
    }
    OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, what)| Kind::Other(what))
}

/// JSON and the text formats of other tools.
fn by_text(bytes: &[u8]) -> Option<Kind> {
    const JSON_BYTES_MAX: usize = 1 << 20;
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"{") && bytes.len() <= JSON_BYTES_MAX {
        let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        if value.get("flash_files").is_some() {
            return Some(Kind::FlasherArgs);
        }
        return Some(match value.get("builds") {
            Some(_) => Kind::WebManifest,
            None => Kind::Other("a JSON file, but neither flasher_args.json nor a manifest of esp-web-tools"),
        });
    }
    let line = text.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let is_hexadecimal = |digits: &[u8]| digits.len() >= 8 && digits.iter().all(u8::is_ascii_hexdigit);
    match line.first()? {
        b':' if is_hexadecimal(&line[1..]) => Some(Kind::Other("an Intel HEX file")),
        b'S' if line.len() > 2 && line[1].is_ascii_digit() && is_hexadecimal(&line[2..]) => {
            Some(Kind::Other("a Motorola S-record file"))
        }
        _ => None,
    }
}

fn espressif_image(bytes: &[u8]) -> Kind {
    let chip = Chip::of_image(bytes);
    let table = bytes.get(PARTITION_TABLE as usize..).map(|rest| &rest[..rest.len().min(PARTITION_TABLE_BYTES)]);
    if table.is_some_and(|table| table.starts_with(&espressif::ENTRY_MAGIC)) {
        return Kind::MergedFlash { chip };
    }
    if Application::has_description(bytes) { Kind::Application { chip } } else { Kind::RomLoadable { chip } }
}

/// Nothing but 0xFF; or a merged image for a chip whose bootloader does not lie at 0: the classic ESP32 and the S2 have it
/// at 0x1000, the P4 and the C5 at 0x2000.
fn erased_in_front(bytes: &[u8]) -> Option<Kind> {
    let begins = bytes.iter().position(|byte| *byte != 0xff);
    match begins {
        None => Some(Kind::Erased),
        Some(0x1000 | 0x2000) => {
            let image = &bytes[begins?..];
            (image[0] == espressif::IMAGE_MAGIC).then(|| Kind::MergedFlash { chip: Chip::of_image(image) })
        }
        Some(_) => None,
    }
}

/// The processors that ELF files are handed over for (`e_machine`).
fn machine_name(machine: u16) -> String {
    match machine {
        3 => "a 32-bit PC".into(),
        40 => "ARM".into(),
        62 => "a PC".into(),
        94 => "Xtensa: an ESP8266, ESP32, ESP32-S2 or ESP32-S3".into(),
        183 => "64-bit ARM".into(),
        243 => "RISC-V".into(),
        other => format!("machine {other}"),
    }
}

impl Kind {
    /// Whether it is an ELF file for 32-bit RISC-V, the processor of the chips here.
    pub fn is_elf_for_riscv32(&self) -> bool {
        matches!(self, Self::Elf { machine: 243, is_32_bit_little_endian: true })
    }
}

/// What the file is, as the middle of a sentence: *an ELF file for RISC-V*.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf { machine, is_32_bit_little_endian } => {
                let odd = if *is_32_bit_little_endian { "" } else { ", but not a 32-bit little-endian one" };
                write!(f, "an ELF file for {}{odd}", machine_name(*machine))
            }
            Self::MergedFlash { chip } => write!(f, "a merged flash image for the {chip}"),
            Self::Application { chip } => write!(
                f,
                "an application image for the {chip} alone, without bootloader and partition table (ESP-IDF: \
                 build/PROJECT.bin, PlatformIO: firmware.bin, Arduino: SKETCH.ino.bin, ESPHome: firmware.ota.bin)"
            ),
            Self::RomLoadable { chip } => write!(f, "an image for the {chip} that the ROM loads by itself"),
            Self::PartitionTable => f.write_str("a partition table"),
            Self::OtaData => f.write_str("the otadata partition (ota_data_initial.bin, Arduino: boot_app0.bin)"),
            Self::FlasherArgs => f.write_str("flasher_args.json of an ESP-IDF build"),
            Self::WebManifest => f.write_str("a manifest of esp-web-tools"),
            Self::Uf2 { family: 0xe48b_ff56 } => f.write_str("a UF2 file for the RP2040"),
            Self::Uf2 { family } => write!(f, "a UF2 file (family {family:#010x})"),
            Self::McubootApplication => f.write_str("an application image for MCUboot"),
            Self::Other(what) => f.write_str(what),
            Self::Empty => f.write_str("empty"),
            Self::Erased => f.write_str("an erased flash: there is nothing but 0xFF in it"),
            Self::Unknown { first: [a, b, c, d] } => {
                write!(f, "none of the formats that are known here: it begins with {a:02X} {b:02X} {c:02X} {d:02X}")
            }
        }
    }
}
