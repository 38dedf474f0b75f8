//! Products of others on the emulated chip, where they are installed (`cargo xtask products install`).
//!
//! MicroPython boots from the mask ROM to its prompt, computes, writes a file, is reset softly and hard, and finds the file
//! again; and does so to the byte twice with the same seed.

use std::path::Path;

use chip::{ESP32C3 as CHIP, PortId};
use clock::{Duration, Instant};
use emulator::event::Event;
use emulator::{EmulatedChip, Pause, Reset, Rom, Settings};
use firmware_image::FlashImage;
use firmware_image::espressif::ESP32C3;
use rstest::rstest;
use runner::mask_rom;
use runner::products::Product;

const PROMPT: &str = ">>> ";
/// MicroPython's prompt is on both.
const PORTS: [PortId; 2] = [PortId::new("uart0"), PortId::new("usb")];
/// No step takes the chip longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// MicroPython at its serial port.
struct Repl {
    chip: Box<dyn EmulatedChip>,
    said: String,
    events: Vec<Event>,
}

impl Repl {
    fn power_on(image: &FlashImage) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rom = Rom::Elf(mask_rom::read(&root, None).expect("espflash ships the ROM"));
        let settings = Settings { seed: 0x5eed, rom, flash_bytes: Some(image.flash_bytes), ..Settings::default() };
        let model = emulator::model_of(&CHIP).expect("it is emulated");
        let mut chip = (model.power_on)(&settings);
        chip.set_flash_content(&image.content).expect("it fits");
        chip.boot_from_flash();
        chip.reset(Reset::PowerOn);
        Self { chip, said: String::new(), events: Vec::new() }
    }

    /// Runs until the prompt comes; what was said on the way to it.
    fn until_prompt(&mut self) -> String {
        let begins = self.said.len();
        let limit: Instant = self.chip.now() + PATIENCE;
        while !self.said[begins..].ends_with(PROMPT) {
            let pause = self.chip.run_until(limit);
            self.said += &String::from_utf8_lossy(&self.chip.take_serial_output(PORTS[0]));
            self.chip.take_serial_output(PORTS[1]);
            self.events.extend(self.chip.take_events());
            assert!(!matches!(pause, Pause::Deadline | Pause::Halted | Pause::Asleep), "{pause:?}\n{}", self.said);
        }
        self.said[begins..].to_owned()
    }

    fn ask(&mut self, words: &str) -> String {
        self.chip.serial_input(PORTS[0], words.as_bytes());
        self.until_prompt()
    }
}

/// All that is said, when the last of it was, and the flash in the end.
fn session(image: &FlashImage, version: &str) -> (String, Instant, Vec<u8>) {
    let mut repl = Repl::power_on(image);
    let boot = repl.until_prompt();
    assert!(boot.starts_with("ESP-ROM:esp32c3-api1-20210207"), "{boot}");
    assert!(boot.contains("rst:0x1 (POWERON),boot:0xf (SPI_FAST_FLASH_BOOT)"), "{boot}");
    assert!(boot.contains(&format!("MicroPython v{version}")), "{boot}");
    assert_eq!(repl.ask("print(6 * 7)\r"), "print(6 * 7)\r\n42\r\n>>> ");
    assert_eq!(repl.ask("f = open('kept.txt', 'w'); n = f.write('found'); f.close()\r").matches(PROMPT).count(), 1);
    let soft = repl.ask("\x04");
    assert!(soft.contains("MPY: soft reboot"), "{soft}");
    let read = "print(open('kept.txt').read())\r";
    assert!(repl.ask(read).contains("\r\nfound\r\n"), "after a soft reset");
    let hard = repl.ask("import machine; machine.reset()\r");
    assert!(hard.contains("ESP-ROM:") && hard.contains("rst:0xc (RTC_SW_CPU_RST)"), "{hard}");
    assert!(!hard.contains("Performing initial setup"), "the filesystem is there: {hard}");
    assert!(repl.ask(read).contains("\r\nfound\r\n"), "after a hard reset");
    let faults: Vec<&Event> = repl.events.iter().filter(|event| event.kind.is_fault()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    (repl.said, repl.chip.now(), repl.chip.flash_content())
}

/// How ESP-IDF fails: by an exception, by its watchdogs. It notes why, and resets itself by software.
#[rstest]
#[case::v1_22("micropython_1_22_esp32c3")]
#[case::v1_27("micropython_1_27_esp32c3")]
fn a_crash_of_micropython_is_the_firmwares_failure(#[case] name: &str) {
    let product = Product::by_name(name).expect("it is pinned");
    let bytes = match product.read() {
        Ok(bytes) => bytes,
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => return eprintln!("{}: {}", product.title, missing.reason),
    };
    let image = FlashImage::merged(name, bytes, &ESP32C3).expect("an image for this chip");
    for (words, wanted) in [
        ("import machine; machine.mem32[0] = 1\r", "store access fault, mtval 0x00000000"),
        ("import machine; machine.mem32[0] = 1\r", "after a panic, as ESP-IDF has noted"),
        (
            "import machine; s = machine.disable_irq()\rwhile True: pass\r\r\r",
            "after a panic by the interrupt watchdog",
        ),
        ("import machine; w = machine.WDT(timeout=1000)\r", "after a panic by the task watchdog"),
    ] {
        let mut repl = Repl::power_on(&image);
        repl.until_prompt();
        repl.chip.serial_input(PORTS[0], words.as_bytes());
        let limit = repl.chip.now() + PATIENCE;
        let told = loop {
            let pause = repl.chip.run_until(limit);
            repl.said += &String::from_utf8_lossy(&repl.chip.take_serial_output(PORTS[0]));
            repl.chip.take_serial_output(PORTS[1]);
            let events = repl.chip.take_events();
            if let Some(event) = events.into_iter().find(|event| event.kind.to_string().contains(wanted)) {
                break event;
            }
            assert_ne!(pause, Pause::Deadline, "{words}: {}", repl.said);
        };
        assert!(told.kind.is_failure_of_firmware(), "{words}: {told}");
    }
}

#[rstest]
#[case::v1_22("micropython_1_22_esp32c3", "1.22.2")]
#[case::v1_27("micropython_1_27_esp32c3", "1.27.0")]
fn micropython_boots_computes_and_keeps_its_files(#[case] name: &str, #[case] version: &str) {
    let product = Product::by_name(name).expect("it is pinned");
    let bytes = match product.read() {
        Ok(bytes) => bytes,
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => return eprintln!("{}: {}", product.title, missing.reason),
    };
    let image = FlashImage::merged(name, bytes, &ESP32C3).expect("an image for this chip");
    let first = session(&image, version);
    let second = session(&image, version);
    assert_eq!(first.0, second.0);
    assert!(first == second, "the same to the byte, and at the same time");
}
