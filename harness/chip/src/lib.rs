//! Chips as data. Everything that depends on which chip a firmware is for is decided by a [`Chip`], and by nobody's name.
//!
//! Images, stacks, boards, emulated chips and entries of the rack carry a `&'static Chip`. The chips that this bench has
//! are [`CHIPS`], each in a file of its own: a new one is a file, and a line there.
//!
//! This crate does not know how a chip is emulated, flashed or reached.

pub mod by_name;
mod elf;
mod esp32c3;
mod esp8266;
mod port;

use std::fmt;

pub use elf::WrongElf;
pub use esp32c3::ESP32C3;
pub use esp8266::ESP8266;
pub use port::{Nic, PortId, PortRole, RTT, Radio, SerialPort};

/// The chips that are known here. What more than one of them has is called after the first; see `runner`'s stacks.
pub static CHIPS: &[&Chip] = &[&ESP32C3, &ESP8266];

/// The chip that is meant where nobody names one: the one that most released firmware is for.
pub static DEFAULT: &Chip = &ESP32C3;

/// A microcontroller, as far as a bench has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// What `--board`, manifests and rack files call it: lower-case letters and digits.
    pub name: &'static str,
    /// What its maker calls it, without the maker: `ESP32-C3`.
    pub title: &'static str,
    /// Who makes it: `Espressif`.
    pub maker: &'static str,
    /// What its main core executes.
    pub architecture: Architecture,
    /// Its flash.
    pub flash: FlashLayout,
    /// Its serial ports.
    pub serial_ports: &'static [SerialPort],
    /// Its network interfaces with a wire.
    pub nics: &'static [Nic],
    /// Its radio, if it has one.
    pub radio: Option<Radio>,
    /// What it can be given to run.
    pub image_formats: &'static [ImageFormat],
    /// What probe-rs calls it; `None` if probe-rs does not know it.
    pub probe_target: Option<&'static str>,
    /// The USB devices that the chip itself is, by vendor and product.
    pub usb: &'static [UsbDevice],
}

/// An instruction set, with its word size and byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// RISC-V, 32 bits, little-endian.
    Riscv32,
    /// Arm (Thumb), 32 bits, little-endian.
    Arm32,
    /// Xtensa, 32 bits, little-endian.
    Xtensa,
}

/// Where in the flash what lies, in bytes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashLayout {
    /// How large the flash is where nobody says otherwise.
    pub size_bytes: u32,
    /// Where the ROM looks for the bootloader, or for what takes its place.
    pub bootloader_offset: u32,
    /// Where the partition table lies, if there is one.
    pub partition_table_offset: Option<u32>,
    /// Where an application lies that no partition table puts elsewhere.
    pub application_offset: u32,
}

/// A kind of file that a chip can be given to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// An ELF file for the chip's architecture.
    Elf,
    /// Espressif's application image (ESP-IDF programming guide, "App Image Format"); it names its chip by this number.
    Espressif {
        /// `chip_id` of the extended header.
        chip_id: u16,
    },
    /// Espressif's first image format (esptool documentation, "Firmware Image Format", ESP8266): it names no chip, and the
    /// ROM of the ESP8266 is the only one that boots it.
    EspressifV1,
}

/// A USB device that a chip itself is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsbDevice {
    /// The vendor.
    pub vendor: u16,
    /// The product.
    pub product: u16,
    /// Whether it is a debug probe as well as a serial port.
    pub is_probe: bool,
}

/// There is no chip of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownChip {
    /// The name.
    pub name: String,
}

/// The chip called `name`.
///
/// # Errors
///
/// If there is none; the sentence names those that there are.
pub fn find(name: &str) -> Result<&'static Chip, UnknownChip> {
    let found = CHIPS.iter().find(|chip| chip.name == name);
    found.copied().ok_or_else(|| UnknownChip { name: name.to_owned() })
}

/// The chips, each of which may be what a USB device of this vendor and product is.
pub fn at_usb(vendor: u16, product: u16) -> impl Iterator<Item = &'static Chip> {
    CHIPS.iter().copied().filter(move |chip| chip.usb.iter().any(|usb| (usb.vendor, usb.product) == (vendor, product)))
}

/// The chip that probe-rs calls `target`.
pub fn of_probe_target(target: &str) -> Option<&'static Chip> {
    let is_it = |chip: &&Chip| chip.probe_target.is_some_and(|name| name.eq_ignore_ascii_case(target));
    CHIPS.iter().copied().find(is_it)
}

impl Chip {
    /// The port that firmware speaks to the bench on.
    pub fn bench_port(&self) -> Option<PortId> {
        self.port_for(PortRole::Bench)
    }

    /// The first port of a role.
    pub fn port_for(&self, role: PortRole) -> Option<PortId> {
        self.serial_ports.iter().find(|port| port.role == role).map(|port| port.id)
    }

    /// Whether there is a serial port of this name.
    pub fn has_serial_port(&self, port: PortId) -> bool {
        self.serial_ports.iter().any(|one| one.id == port)
    }

    /// Whether there is a network interface of this name.
    pub fn has_nic(&self, port: PortId) -> bool {
        self.nics.iter().any(|one| one.id == port)
    }

    /// Whether the bytes of an ELF file can be meant for this chip: 32 bits, byte order, instruction set.
    ///
    /// # Errors
    ///
    /// What they are instead.
    pub fn check_elf(&self, bytes: &[u8]) -> Result<(), WrongElf> {
        elf::check(self.architecture, bytes)
    }
}

impl fmt::Display for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Architecture {
    /// `e_machine` of an ELF file's header (System V ABI, "ELF Header").
    pub const fn elf_machine(self) -> u16 {
        match self {
            Self::Riscv32 => 243,
            Self::Arm32 => 40,
            Self::Xtensa => 94,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Riscv32 => "32-bit RISC-V",
            Self::Arm32 => "32-bit Arm",
            Self::Xtensa => "32-bit Xtensa",
        })
    }
}

impl fmt::Display for UnknownChip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = CHIPS.iter().map(|chip| chip.name).collect();
        write!(f, "there is no chip `{}` here; there is {}", self.name, names.join(", "))
    }
}

impl std::error::Error for UnknownChip {}

#[cfg(test)]
mod tests;
