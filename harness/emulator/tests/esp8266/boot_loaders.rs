//! Images that a boot loader of their own loads: two halves, of which one runs while the other is written, and one image to
//! whose place another is copied. Each resets the chip into the other, and a reset keeps what it keeps.

use clock::Instant;
use emulator::esp8266::{Config, Esp8266};
use emulator::event::EventKind;
use emulator::{EmulatedChip as _, Reset};

use super::image::image_of;
use super::{UART0, elf_of};

const SECTOR_BYTES: usize = 0x1000;
/// Where the application looks for its number, and for how often it is to reset the chip.
const NUMBER_AT: usize = 0xff0;

/// A sector with the application in it, behind `front`.
fn application(front: &[u8], number: u32, resets: u32) -> Vec<u8> {
    let mut sector = [front, &image_of(elf_of("application"))].concat();
    assert!(sector.len() <= NUMBER_AT, "it has no room");
    sector.resize(NUMBER_AT, 0xff);
    sector.extend([number.to_le_bytes(), resets.to_le_bytes()].concat());
    sector.resize(SECTOR_BYTES, 0xff);
    sector
}

/// A half: magic, version, number, entry point; then code that is executed where it lies, with its length; then an image.
fn half(number: u8, resets: u32) -> Vec<u8> {
    const CODE: [u8; 16] = [0x5a; 16];
    let mut front = vec![0xea, 4, 0, number];
    front.extend([0; 8]);
    front.extend((CODE.len() as u32).to_le_bytes());
    front.extend(CODE);
    application(&front, number.into(), resets)
}

fn flash(parts: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut flash: Vec<u8> = Vec::new();
    for (at, part) in parts {
        assert!(flash.len() <= *at, "they overlap");
        flash.resize(*at, 0xff);
        flash.extend(part);
    }
    flash
}

/// What a chip says that boots this flash, without what the ROM says of segments; and the causes of its resets.
fn boot(flash_bytes: u32, content: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut chip = Esp8266::new(&Config { flash_bytes, ..Config::default() });
    chip.set_flash_content(content).expect("it has room");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    let until = Instant::from_millis(1_000);
    let mut said = Vec::new();
    while chip.now() < until {
        chip.run_until(until);
        said.extend(chip.take_serial_output(UART0));
    }
    let causes = chip.take_events().into_iter().map(|event| match event.kind {
        EventKind::Reset { cause, .. } => cause.into_owned(),
        kind => panic!("{kind:?}: {}", String::from_utf8_lossy(&said)),
    });
    let causes = causes.collect();
    let said = String::from_utf8(said).expect("it is text");
    let lines = said.lines().map(str::trim).filter(|line| line.contains("image") || line.contains("boot loader"));
    (lines.map(str::to_owned).collect(), causes)
}

/// The second half lies in the second megabyte, which the window shows at the same addresses.
#[test]
fn one_half_resets_into_the_other_and_back() {
    let loader = image_of(elf_of("boot_halves"));
    let content = flash(&[(0, loader), (0x1000, half(1, 2)), (0x10_1000, half(2, 2))]);
    let (said, causes) = boot(2 << 20, &content);
    assert_eq!(
        said,
        [
            "boot loader: half 1",
            "image 1, reset cause 1, 0 resets, data 1",
            "boot loader: half 2",
            "image 2, reset cause 2, 1 resets, data 1",
            "boot loader: half 1",
            "image 1, reset cause 2, 2 resets, data 1",
        ]
    );
    assert_eq!(causes, ["software", "software"]);
}

/// The boot loader lies in that part of the RAM for code which is the cache's once that is on, and its command in the RTC's
/// memory; the second image's command is damaged, and nothing is copied.
#[test]
fn an_image_is_copied_over_the_first_by_a_command_that_a_reset_keeps() {
    let loader = image_of(elf_of("boot_copy"));
    let content = flash(&[(0, loader), (0x1000, application(&[], 1, 2)), (0x10_0000, application(&[], 2, 2))]);
    let (said, causes) = boot(4 << 20, &content);
    assert_eq!(
        said,
        [
            "image 1, reset cause 1, 0 resets, data 1",
            "boot loader: copies 1000",
            "image 2, reset cause 2, 1 resets, data 1",
            "boot loader: the command is damaged",
            "image 2, reset cause 2, 2 resets, data 1",
        ]
    );
    assert_eq!(causes, ["software", "software"]);
}

#[test]
fn a_boot_loader_without_an_image_says_so() {
    let (said, causes) = boot(4 << 20, &image_of(elf_of("boot_halves")));
    assert_eq!((said, causes.len()), (vec!["boot loader: half 1".to_owned()], 0));
}
