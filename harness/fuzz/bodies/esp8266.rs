//! What is asked of an emulated ESP8266, whatever lies in its flash and whatever is on the air: no panic, nothing kept without
//! bound, time goes on, and the chip that goes on from a snapshot is the same.
//!
//! Run by libFuzzer (`fuzz_targets/esp8266_*.rs`) and, over the seeds beside it, by `cargo test -p emulator --test esp8266_seeds`.

use std::sync::OnceLock;

use chip::{ESP8266, PortId};
use clock::Duration;
use emulator::snapshot::Snapshot;
use emulator::{EmulatedChip, RadioFrame, Reset, Settings, model_of};
use firmware_image::FlashImage;

/// Programs of the emulator's own tests: a station, and an access point beside one.
const PROGRAMS: [&[u8]; 2] = [
    include_bytes!("../../emulator/tests/programs/esp8266/station.elf"),
    include_bytes!("../../emulator/tests/programs/esp8266/soft_ap.elf"),
];
/// Whom the programs are, on each interface, and who has let the station in.
const STATION: [u8; 6] = [0x18, 0xfe, 0x34, 0, 0, 1];
const SOFT_AP: [u8; 6] = [0x1a, 0xfe, 0x34, 0, 0, 1];
const ACCESS_POINT: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0, 1];
const CHANNEL: u8 = 6;
const UART0: PortId = PortId::new("uart0");

fn power_on(flash_bytes: u32) -> Box<dyn EmulatedChip> {
    let model = model_of(&ESP8266).expect("it is emulated");
    (model.power_on)(&Settings { flash_bytes: Some(flash_bytes), ..Settings::default() })
}

/// Runs the chip for so long. A chip that has stopped, or that waits for ever, stays as it is.
fn run(chip: &mut dyn EmulatedChip, milliseconds: u64) -> Vec<u8> {
    let until = chip.now() + Duration::from_millis(milliseconds);
    let mut said = Vec::new();
    while chip.now() < until {
        let before = (chip.now(), chip.instructions_retired());
        chip.run_until(until);
        let output = chip.take_serial_output(UART0);
        let (events, frames) = (chip.take_events(), chip.take_radio_output());
        assert!(events.len() <= 1_000 && frames.len() <= 256, "it tells so much at once");
        let is_idle = output.is_empty() && events.is_empty() && frames.is_empty();
        said.extend(output);
        if is_idle && (chip.now(), chip.instructions_retired()) == before {
            break;
        }
    }
    said
}

/// A flash as somebody has written it, in what is taken for an image and as it is. Whether it was taken for one.
pub fn flash(bytes: &[u8]) -> bool {
    const FLASH_BYTES: u32 = 1 << 20;
    let image = FlashImage::esp8266(bytes.to_vec());
    let raw = &bytes[..bytes.len().min(FLASH_BYTES as usize)];
    let (content, flash_bytes) = match &image {
        Ok(image) => (&image.content[..], image.flash_bytes),
        Err(why) => {
            assert!(!why.to_string().contains(char::is_control));
            (raw, FLASH_BYTES)
        }
    };
    let mut chip = power_on(flash_bytes);
    chip.set_flash_content(content).expect("it has room");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    run(&mut *chip, 2);
    let kept = Snapshot::from_bytes(&chip.snapshot().expect("it has them").to_bytes()).expect("what was just written");
    let mut again = power_on(flash_bytes);
    again.restore(&kept).expect("of such a chip");
    assert!(run(&mut *chip, 2) == run(&mut *again, 2) && chip.now() == again.now(), "two of the same are two");
    image.is_ok()
}

/// A frame of a stranger's: to the station while it looks for a network and once it is in one, and to the access point; as it
/// is, and with the receiver's address, so that the hardware hears it.
pub fn air(bytes: &[u8]) {
    static BEGINNINGS: OnceLock<Vec<(Snapshot, [u8; 6])>> = OnceLock::new();
    for (beginning, receiver) in BEGINNINGS.get_or_init(beginnings) {
        let mut chip = power_on(4 << 20);
        chip.restore(beginning).expect("of such a chip");
        let mut addressed = bytes.to_vec();
        addressed.iter_mut().skip(4).zip(receiver).for_each(|(byte, own)| *byte = *own);
        // What claims to come from whom the station knows is believed.
        let mut known = addressed.clone();
        known.iter_mut().skip(10).zip(&ACCESS_POINT).for_each(|(byte, own)| *byte = *own);
        for frame in [bytes.to_vec(), addressed, known] {
            hear(&mut *chip, frame);
            run(&mut *chip, 3);
        }
    }
}

fn hear(chip: &mut dyn EmulatedChip, bytes: Vec<u8>) {
    let rate_500_kbps = bytes.first().copied().unwrap_or(2);
    let at = chip.now();
    chip.radio_input(RadioFrame { at, channel: CHANNEL, rate_500_kbps, signal_dbm: -50, bytes });
}

/// Chips that listen, with whom they are.
fn beginnings() -> Vec<(Snapshot, [u8; 6])> {
    let started = |program: &[u8]| {
        let mut chip = power_on(4 << 20);
        chip.load_elf(program).expect("it is for this chip");
        run(&mut *chip, 5);
        chip
    };
    let looks = started(PROGRAMS[0]);
    let mut joined = started(PROGRAMS[0]);
    let mut said = Vec::new();
    for (kind, body) in [
        (0x50, &b"\0\0\0\0\0\0\0\0\x64\0\x01\0\0\x09shakedown"[..]),
        (0xb0, b"\0\0\x02\0\0\0"),
        (0x10, b"\x01\0\0\0\x01\xc0"),
    ] {
        let frame = [&[kind, 0, 0, 0][..], &STATION, &ACCESS_POINT, &ACCESS_POINT, &[0, 0], body].concat();
        hear(&mut *joined, frame);
        said.extend(run(&mut *joined, 20));
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("joined as 1"), "{said}");
    let chips = [(looks, STATION), (joined, STATION), (started(PROGRAMS[1]), SOFT_AP)];
    chips.into_iter().map(|(chip, own)| (chip.snapshot().expect("it has them"), own)).collect()
}
