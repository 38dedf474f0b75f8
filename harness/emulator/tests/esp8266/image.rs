//! The released image in a flash, as esptool lays it out, and the ROM that boots it.

use clock::Instant;
use emulator::esp8266::{Config, Esp8266};
use emulator::{EmulatedChip as _, Reset};
use object::{Object, ObjectSegment};

use super::UART0;

const IMAGE: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp8266_bearssl.elf");

/// Where the window to the flash is.
const WINDOW: std::ops::Range<u64> = 0x4020_0000..0x4030_0000;
/// DIO; 4 MiB at 40 MHz.
const MODE_AND_SIZE: [u8; 2] = [2, 0x40];
const CHECKSUM_SEED: u8 = 0xef;

fn segments<'a>(elf: &'a object::File<'a>) -> impl Iterator<Item = (u64, &'a [u8])> {
    elf.segments().map(|segment| (segment.address(), segment.data().expect("in the file")))
}

/// Image format 1 (esptool, "Firmware Image Format"): what lies in RAM, each segment with its address and length, and a
/// checksum at the end of sixteen bytes.
pub fn image_of(elf: &[u8]) -> Vec<u8> {
    let elf = object::File::parse(elf).expect("an ELF file");
    let in_ram: Vec<_> = segments(&elf).filter(|(at, bytes)| !WINDOW.contains(at) && !bytes.is_empty()).collect();
    let mut image = vec![0xe9, in_ram.len() as u8];
    image.extend(MODE_AND_SIZE);
    image.extend((elf.entry() as u32).to_le_bytes());
    let mut checksum = CHECKSUM_SEED;
    for (address, bytes) in in_ram {
        let length = bytes.len().next_multiple_of(4);
        image.extend((address as u32).to_le_bytes());
        image.extend((length as u32).to_le_bytes());
        image.extend(bytes);
        image.resize(image.len() + length - bytes.len(), 0);
        checksum = bytes.iter().fold(checksum, |sum, byte| sum ^ byte);
    }
    image.resize((image.len() + 1).next_multiple_of(16) - 1, 0);
    image.push(checksum);
    image
}

/// The image, and behind it what is executed from the flash, where it is seen.
fn flash_of(elf: &[u8]) -> Vec<u8> {
    let mut flash = image_of(elf);
    let elf = object::File::parse(elf).expect("an ELF file");
    for (address, bytes) in segments(&elf).filter(|(at, _)| WINDOW.contains(at)) {
        let at = (address - WINDOW.start) as usize;
        assert!(flash.len() <= at, "the ROM's part reaches into what is executed");
        flash.resize(at, 0xff);
        flash.extend(bytes);
    }
    flash
}

#[test]
fn the_rom_boots_the_released_image_out_of_a_flash() {
    let mut chip = Esp8266::new(&Config::default());
    chip.set_flash_content(&flash_of(IMAGE)).expect("it has room");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    let until = Instant::from_millis(200);
    while chip.now() < until {
        chip.run_until(until);
    }
    assert!(chip.take_events().is_empty());
    let said = chip.take_serial_output(UART0);
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("ets Jan  8 2013,rst cause:1, boot mode:(3,7)"), "{said}");
    assert!(said.contains(r#""report":"hello""#) && said.contains(r#""image":"esp8266_bearssl""#), "{said}");
}
