//! Booting what lies in the flash: the same state at the application's entry point as direct loading gives, and what is
//! said of a flash that cannot be booted.

mod support;

use clock::Instant;
use emulator::Debuggee;
use emulator::esp32c3::{Config, Esp32c3, EventKind, ImageError, Pause, ResetCause, SerialPort};
use support::flash_content;

const IMAGE: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");
/// Where the default partition table has the application.
const APPLICATION: usize = 0x1_0000;

fn chip() -> Esp32c3 {
    Esp32c3::new(Config { seed: 0x5eed, ..Config::default() })
}

fn booted(content: &[u8]) -> Esp32c3 {
    let mut chip = chip();
    chip.set_flash_content(content).expect("it fits");
    chip.boot_from_flash();
    chip.reset(ResetCause::PowerOn);
    chip
}

/// What the firmware says in its first second, and when.
fn said(chip: &mut Esp32c3) -> Vec<(Instant, Vec<u8>)> {
    let mut said = Vec::new();
    loop {
        match chip.run_until(Instant::from_millis(1_000)) {
            Pause::Deadline => return said,
            Pause::SerialOutput => said.push((chip.now(), chip.take_serial_output(SerialPort::UsbSerialJtag))),
            other => panic!("{other:?} {:#?}", chip.take_events()),
        }
    }
}

#[test]
fn the_application_finds_what_direct_loading_leaves() {
    let mut direct = chip();
    direct.load_elf(IMAGE).expect("the released image is for this chip");
    let mut flashed = booted(&flash_content());
    assert_eq!(flashed.hart().pc(), direct.hart().pc());
    for n in 0..32 {
        assert_eq!(flashed.hart().register(n), direct.hart().register(n), "x{n}");
    }
    let ram = |chip: &Esp32c3, address, length| {
        let mut bytes = vec![0; length];
        chip.read_memory(address, &mut bytes).expect("RAM");
        bytes
    };
    for (address, length) in [(0x3fc8_0000, 0x6_0000), (0x4037_c000, 0x4000), (0x5000_0000, 0x2000)] {
        assert!(ram(&flashed, address, length) == ram(&direct, address, length), "{address:#x}");
    }
    assert_eq!(said(&mut flashed), said(&mut direct));
    assert!(flashed.instructions_retired() == direct.instructions_retired());
}

#[test]
fn what_is_in_the_flash_can_be_taken_and_put_into_another_chip() {
    let content = flash_content();
    let used = content.iter().rposition(|byte| *byte != 0xff).expect("something is in it") + 1;
    assert!(booted(&content).flash_content() == content[..used]);
    let mut small = Esp32c3::new(Config { flash_bytes: 0x2_0000, ..Config::default() });
    assert!(matches!(small.set_flash_content(&content), Err(ImageError::LargerThanFlash { .. })));
    assert!(small.flash_content().is_empty());
}

#[test]
fn what_cannot_be_booted_is_said() {
    let reason = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = flash_content();
        change(&mut content);
        let mut chip = booted(&content);
        let pauses = [(); 2].map(|()| chip.run_until(Instant::from_millis(1)));
        assert_eq!(pauses, [Pause::Event, Pause::Halted]);
        match chip.take_events().remove(0).kind {
            EventKind::NothingToBoot { reason } => reason,
            other => panic!("{other}"),
        }
    };
    let table = 0x8000;
    let says = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let reason = reason(change);
        assert!(reason.contains(expected), "{reason}");
    };
    says(&|content| content.clear(), "there is no bootloader at 0x0");
    says(&|content| content[table] = 0, "the partition table at 0x8000 is damaged: there is none");
    says(&|content| content[table..table + 0x60].fill(0xff), "the partition table at 0x8000 is damaged: there is none");
    says(&|content| content[APPLICATION..].fill(0xff), "factory: it is erased");
    says(&|content| content[APPLICATION + 12] = 9, "the application is for the ESP32-S3");
    says(&|content| content[APPLICATION + 0x3000] ^= 1, "factory: its checksum is wrong");
    // Two wrong bits in one column cancel in the checksum, and not in the digest.
    says(
        &|content| {
            content[APPLICATION + 0x3000] ^= 1;
            content[APPLICATION + 0x3001] ^= 1;
        },
        "factory: its SHA-256 is wrong",
    );
    says(&|content| content[APPLICATION + 28..APPLICATION + 32].fill(0xff), "factory: segment 0 ends at");
}

/// The flash page that the MMU's table shows first.
fn first_page_shown(chip: &Esp32c3) -> u32 {
    const MMU_TABLE: u32 = 0x600c_5000;
    let mut word = [0; 4];
    Debuggee::read_memory(chip, MMU_TABLE, &mut word).expect("registers are shown");
    u32::from_le_bytes(word)
}

#[test]
fn otadata_chooses_the_slot_and_a_slot_that_is_damaged_is_passed_over() {
    const SLOTS: [usize; 2] = [0x1_0000, 0x10_0000];
    let plain = flash_content();
    let entry = |kind: u8, subtype: u8, at: u32, length_bytes: u32, label: &str| {
        let mut bytes = vec![0xaa, 0x50, kind, subtype];
        bytes.extend([at.to_le_bytes(), length_bytes.to_le_bytes()].concat());
        bytes.extend(label.as_bytes());
        bytes.resize(32, 0);
        bytes
    };
    let mut content = plain[..0x8000].to_vec();
    content.extend(entry(1, 0, 0xe000, 0x2000, "otadata"));
    content.extend(entry(0, 0x10, SLOTS[0] as u32, 0xf_0000, "ota_0"));
    content.extend(entry(0, 0x11, SLOTS[1] as u32, 0xf_0000, "ota_1"));
    content.resize(0xe000, 0xff);
    // Sequence 2, the second of two slots, with its CRC as `otatool.py` works it out.
    content.extend(2u32.to_le_bytes());
    content.extend([0xff; 24]);
    content.extend(0x55f6_3774u32.to_le_bytes());
    for slot in SLOTS {
        content.resize(slot, 0xff);
        content.extend_from_slice(&plain[APPLICATION..]);
    }
    assert_eq!(first_page_shown(&booted(&content)), 0x10);
    content[SLOTS[1] + 0x3000] ^= 1;
    assert_eq!(first_page_shown(&booted(&content)), 1);
}

/// Whatever lies in the flash: no panic, and a reason. What is put in here is cut off before its application is whole, so
/// nothing of it may boot.
#[test]
fn no_flash_breaks_the_chip() {
    let content = flash_content();
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut reasons = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let mut broken = content[..APPLICATION + random() % 0x200].to_vec();
        for _ in 0..4 {
            let place = [0, 0x8000, APPLICATION][random() % 3] + random() % 64;
            if let Some(byte) = broken.get_mut(place) {
                *byte = random() as u8;
            }
        }
        let mut chip = booted(&broken);
        let pauses = [(); 2].map(|()| chip.run_until(Instant::from_millis(1)));
        assert_eq!(pauses, [Pause::Event, Pause::Halted]);
        match chip.take_events().remove(0).kind {
            EventKind::NothingToBoot { reason } => reasons.insert(reason),
            other => panic!("{other}"),
        };
        assert_eq!(chip.instructions_retired(), 0, "it runs what is not there");
    }
    assert!(reasons.len() >= 3, "too few ways to be broken: {reasons:?}");
}
