//! From reset to the image: what the ROM finds in the flash, what it says of it, and how it begins.

use core::fmt;

use super::super::map::DeviceName;
use super::variables::USER_START;
use super::{BadAddress, Function, LINK, Machine, Outcome, STACK, address_of, continuations};
use crate::cores::lx106::special_register as sr;
use crate::devices::esp8266::reset::ResetCause;

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("_ResetVector", reset),
    ("_ResetHandler", reset),
    ("software_reset", reset),
    ("ets_set_user_start", set_user_start),
];

/// Where an image's stack begins.
const STACK_TOP: u32 = 0x3fff_fff0;
/// PS: user mode, interrupts possible.
const PS_USER: u32 = 0x20;

const MAGIC: u8 = 0xe9;
const HEADER_BYTES: u32 = 8;
const SEGMENTS_MAX: u8 = 16;
const CHECKSUM_SEED: u8 = 0xef;
/// 115,200 baud if the crystal had 40 MHz; with the usual 26 MHz, 74,880.
const BOOT_CLKDIV: u32 = 80_000_000 / 74_880;
const CLKDIV: u32 = 0x14;

/// Why the ROM boots nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BootError {
    /// The flash does not begin as an image does.
    NoImage {
        /// Its first byte.
        first: u8,
    },
    /// More segments than the ROM takes, or none.
    Segments {
        /// How many the header says there are.
        count: u8,
    },
    /// A segment is for an address where there is no RAM.
    NoMemoryThere {
        /// Where it begins.
        address: u32,
        /// How long it is.
        length_bytes: u32,
    },
    /// The bytes do not add up.
    Checksum {
        /// What the image says.
        stated: u8,
        /// What its bytes give.
        computed: u8,
    },
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoImage { first } => write!(f, "it begins with {first:#04x}, and an image with {MAGIC:#04x}"),
            Self::Segments { count } => write!(f, "its header says {count} segments; there are 1 to {SEGMENTS_MAX}"),
            Self::NoMemoryThere { address, length_bytes } => {
                write!(f, "a segment of {length_bytes} bytes is for {address:#010x}, where there is no RAM")
            }
            Self::Checksum { stated, computed } => {
                write!(f, "its checksum is {stated:#04x}, and its bytes give {computed:#04x}")
            }
        }
    }
}

/// Loads the image at the beginning of the flash as the ROM does, says so on UART0, and stands at its entry point.
///
/// # Errors
///
/// If there is nothing that the ROM takes; it has said what it says then.
pub(crate) fn boot(machine: &mut Machine<'_>, cause: ResetCause) -> Result<(), BootError> {
    machine.soc.registers(DeviceName::Uart0).set(CLKDIV, BOOT_CLKDIV);
    say(machine, &format!("\r\n ets Jan  8 2013,rst cause:{}, boot mode:(3,7)\r\n\r\n", cause.number()));
    let entry = load(machine).inspect_err(|error| match error {
        BootError::Checksum { stated, .. } => say(machine, &format!("csum err\r\ncsum = 0x{stated:02x}\r\n")),
        _ => say(machine, "ets_main.c \r\n"),
    })?;
    enter(machine, entry);
    Ok(())
}

/// Goes to an image's entry point, as the ROM calls it.
pub(crate) fn enter(machine: &mut Machine<'_>, entry: u32) {
    machine.core.set_special(sr::PS, PS_USER);
    machine.core.set_register(STACK, STACK_TOP);
    machine.core.set_register(LINK, continuations::ENTRY_RETURNED);
    machine.core.set_pc(entry);
}

/// Puts the image's segments where they belong; its entry point.
fn load(machine: &mut Machine<'_>) -> Result<u32, BootError> {
    let header: [u8; HEADER_BYTES as usize] = flash_bytes(machine, 0);
    let [first, count, _, _, entry @ ..] = header;
    if first != MAGIC {
        return Err(BootError::NoImage { first });
    }
    if !(1..=SEGMENTS_MAX).contains(&count) {
        return Err(BootError::Segments { count });
    }
    let (mut at, mut computed) = (HEADER_BYTES, CHECKSUM_SEED);
    for _ in 0..count {
        let address = u32::from_le_bytes(flash_bytes(machine, at));
        let length_bytes = u32::from_le_bytes(flash_bytes(machine, at + 4));
        let no_memory = BootError::NoMemoryThere { address, length_bytes };
        // More than all RAM.
        if length_bytes > 0x2_0000 {
            return Err(no_memory);
        }
        let mut bytes = vec![0; length_bytes as usize];
        machine.soc.flash_access(machine.memory).read(at + 8, &mut bytes);
        computed = bytes.iter().fold(computed, |sum, byte| sum ^ byte);
        machine.write_bytes(address, &bytes).map_err(|_| no_memory)?;
        say(machine, &format!("load 0x{address:08x}, len {length_bytes}, room 16 \r\n"));
        at += 8 + length_bytes;
    }
    // The checksum is the last byte of sixteen.
    let [stated] = flash_bytes(machine, at | 15);
    if stated != computed {
        return Err(BootError::Checksum { stated, computed });
    }
    say(machine, &format!("tail {}\r\nchksum 0x{stated:02x}\r\ncsum 0x{computed:02x}\r\n", 15 - at % 16));
    Ok(u32::from_le_bytes(entry))
}

fn flash_bytes<const N: usize>(machine: &mut Machine<'_>, at: u32) -> [u8; N] {
    let mut bytes = [0; N];
    machine.soc.flash_access(machine.memory).read(at, &mut bytes);
    bytes
}

/// Puts text on UART0's line. The ROM waits for it; here the image is entered while it leaves.
fn say(machine: &mut Machine<'_>, text: &str) {
    let now = machine.now();
    machine.soc.with_device(DeviceName::Uart0, now, |devices, registers| {
        for byte in text.bytes() {
            devices.uart0.say(byte, registers, now);
        }
    });
}

fn reset(_: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    Ok(Outcome::Reset(ResetCause::Software))
}

fn set_user_start(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.write_word(USER_START, machine.argument(0))?;
    super::returned(5)
}

/// The entry point has returned: what it has set as its start comes next, if it has, then tasks.
pub(super) fn entry_returned(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    match machine.read_word(USER_START)? {
        0 => start_returned(machine),
        start => Ok(machine.call(start, continuations::START_RETURNED, 10)),
    }
}

/// Tasks are run, for ever.
pub(super) fn start_returned(_: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    Ok(Outcome::Continue { address: address_of("ets_run"), cycles: 10 })
}
