//! The real mask ROM: it loads the second-stage bootloader from the flash, which loads the application, as on silicon.

mod support;

use clock::Instant;
use emulator::esp32c3::{Config, Esp32c3, Event, Pause, ResetCause, SerialPort};
use support::{flash_content, real_rom};

const TABLE: usize = 0x8000;
const APPLICATION: usize = 0x1_0000;

fn booted(content: &[u8]) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed: 0x5eed, rom: real_rom(), ..Config::default() });
    chip.set_flash_content(content).expect("it fits");
    chip.boot_from_flash();
    chip.reset(ResetCause::PowerOn);
    chip
}

/// What ROM and bootloader print until the application is there, and what happened to the chip.
fn console(chip: &mut Esp32c3) -> (String, Vec<Event>) {
    let (mut said, mut events) = (Vec::new(), Vec::new());
    let limit = Instant::from_nanos(chip.now().as_nanos() + 1_000_000_000);
    let is_over = |said: &[u8]| {
        let said = String::from_utf8_lossy(said);
        said.split_once("Loaded app from partition").is_some_and(|(_, rest)| rest.contains('\n'))
    };
    while !is_over(&said) {
        let pause = chip.run_until(limit);
        said.extend(chip.take_serial_output(SerialPort::Uart0));
        events.extend(chip.take_events());
        let text = String::from_utf8_lossy(&said).into_owned();
        assert!(!matches!(pause, Pause::Deadline | Pause::Halted), "{pause:?}\n{text}\n{events:#?}");
    }
    (String::from_utf8_lossy(&said).into_owned(), events)
}

#[test]
fn rom_and_bootloader_say_what_a_real_chip_says_and_touch_nothing_unmodelled() {
    let (said, events) = console(&mut booted(&flash_content()));
    assert!(said.starts_with("ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON)"), "{said}");
    assert!(said.contains("boot: chip revision: v0.4"), "{said}");
    assert!(said.contains("SPI Flash Size : 4MB"), "{said}");
    assert!(said.contains("Loaded app from partition at offset 0x10000"), "{said}");
    assert!(events.is_empty(), "{events:#?}");
}

#[test]
fn a_reset_goes_through_the_rom_again_says_why_and_starts_the_cycle_counter_anew() {
    let mut chip = booted(&flash_content());
    let (first, _) = console(&mut chip);
    let stamp = |said: &str| {
        let line =
            said.lines().find(|line| line.contains("2nd stage bootloader")).expect("the bootloader speaks").to_owned();
        line.split(['(', ')']).nth(1).and_then(|stamp| stamp.parse::<u32>().ok()).expect("a time stamp")
    };
    for (cause, told) in [
        (ResetCause::TimerGroup0Watchdog, "rst:0x7 (TG0WDT_SYS_RST)"),
        (ResetCause::RtcWatchdogSystem, "rst:0x10 (RTCWDT_RTC_RST)"),
        (ResetCause::SoftwareSystem, "rst:0x3 (RTC_SW_SYS_RST)"),
        (ResetCause::SoftwareCpu, "rst:0xc (RTC_SW_CPU_RST)"),
    ] {
        chip.reset(cause);
        let (again, _) = console(&mut chip);
        assert!(again.contains("ESP-ROM:") && again.contains(told), "{cause}: {again}");
        assert!(stamp(&again) <= stamp(&first) + 5, "{cause}: {} after {}", stamp(&again), stamp(&first));
    }
}

/// An entry of a partition table.
fn entry(kind: u8, subtype: u8, at: u32, length_bytes: u32, label: &str) -> Vec<u8> {
    let mut bytes = vec![0xaa, 0x50, kind, subtype];
    bytes.extend(at.to_le_bytes());
    bytes.extend(length_bytes.to_le_bytes());
    bytes.extend(label.as_bytes());
    bytes.resize(32, 0);
    bytes
}

#[test]
fn the_bootloader_goes_by_otadata() {
    const SLOTS: [u32; 2] = [0x1_0000, 0x10_0000];
    let plain = flash_content();
    let application = &plain[APPLICATION..];
    let mut content = plain[..TABLE].to_vec();
    content.extend(entry(1, 0, 0xe000, 0x2000, "otadata"));
    content.extend(entry(0, 0x10, SLOTS[0], 0xf_0000, "ota_0"));
    content.extend(entry(0, 0x11, SLOTS[1], 0xf_0000, "ota_1"));
    let md5 = {
        use md5::Digest as _;
        md5::Md5::digest(&content[TABLE..])
    };
    content.extend([0xeb, 0xeb]);
    content.extend([0xff; 14]);
    content.extend(md5);
    content.resize(0xe000, 0xff);
    // Sequence 2, the second of two slots, with its CRC as `otatool.py` works it out.
    content.extend(2u32.to_le_bytes());
    content.extend([0xff; 24]);
    content.extend(0x55f6_3774u32.to_le_bytes());
    for slot in SLOTS {
        content.resize(slot as usize, 0xff);
        content.extend_from_slice(application);
    }
    let (said, _) = console(&mut booted(&content));
    assert!(said.contains("Loaded app from partition at offset 0x100000"), "{said}");
}
