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
use firmware_image::espressif::{Application, ESP32C3};
use md5::{Digest as _, Md5};
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
        Self::switched_on(image, None)
    }

    /// With what another chip has kept without power, if there is something.
    fn switched_on(image: &FlashImage, kept: Option<&[u8]>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rom = Rom::Elf(mask_rom::read(&root, None).expect("espflash ships the ROM"));
        let settings = Settings { seed: 0x5eed, rom, flash_bytes: Some(image.flash_bytes), ..Settings::default() };
        let model = emulator::model_of(&CHIP).expect("it is emulated");
        let mut chip = (model.power_on)(&settings);
        chip.set_flash_content(&image.content).expect("it fits");
        if let Some(kept) = kept {
            chip.set_kept_state(kept).expect("what such a chip has kept");
        }
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

/// An installed product's image, or a word about why there is none; a product that is demanded must be there.
fn installed(name: &str) -> Option<FlashImage> {
    let product = Product::by_name(name).expect("it is pinned");
    match product.read() {
        Ok(bytes) => Some(FlashImage::merged(name, bytes, &ESP32C3).expect("an image for this chip")),
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => {
            terminal::errln!("{}: {}", product.title, missing.reason);
            None
        }
    }
}

/// How ESP-IDF fails: by an exception, by its watchdogs. It notes why, and resets itself by software.
#[rstest]
#[case::v1_22("micropython_1_22_esp32c3")]
#[case::v1_27("micropython_1_27_esp32c3")]
fn a_crash_of_micropython_is_the_firmwares_failure(#[case] name: &str) {
    let Some(image) = installed(name) else { return };
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
    let Some(image) = installed(name) else { return };
    let first = session(&image, version);
    let second = session(&image, version);
    assert_eq!(first.0, second.0);
    assert!(first == second, "the same to the byte, and at the same time");
}

/// Two slots of this size for an application of MicroPython, and where its filesystem is then.
const SLOT_BYTES: u32 = 0x1a_0000;
const SLOTS: [u32; 2] = [0x1_0000, 0x1_0000 + SLOT_BYTES];

/// The same product with a partition table for updates over the air: its application in both slots.
fn with_two_slots(merged: &[u8]) -> FlashImage {
    let entry = |kind: u8, subtype: u8, at: u32, length_bytes: u32, label: &str| {
        let mut bytes = vec![0xaa, 0x50, kind, subtype];
        bytes.extend([at, length_bytes].iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(label.as_bytes());
        bytes.resize(32, 0);
        bytes
    };
    let behind = SLOTS[1] + SLOT_BYTES;
    let mut table = [
        entry(1, 2, 0x9000, 0x4000, "nvs"),
        entry(1, 0, 0xd000, 0x2000, "otadata"),
        entry(1, 1, 0xf000, 0x1000, "phy_init"),
        entry(0, 0x10, SLOTS[0], SLOT_BYTES, "ota_0"),
        entry(0, 0x11, SLOTS[1], SLOT_BYTES, "ota_1"),
        entry(1, 0x81, behind, 0x40_0000 - behind, "vfs"),
    ]
    .concat();
    let md5 = Md5::digest(&table);
    table.extend([0xeb; 2].iter().chain(&[0xff; 14]).chain(&md5));
    let whole = Application::parse(&merged[0x1_0000..], &ESP32C3).expect("an application").length_bytes;
    let application = &merged[0x1_0000..][..whole];
    let mut content = merged[..0x8000].to_vec();
    content.extend(table);
    for slot in SLOTS {
        content.resize(slot as usize, 0xff);
        content.extend(application);
    }
    FlashImage::merged("with two slots", content, &ESP32C3).expect("an image for this chip")
}

/// The product's own bootloader goes by otadata, tries an update once, and goes back unless the update says that it is
/// well; and all of that is kept without power, as are eFuses.
#[rstest]
#[case::v1_22("micropython_1_22_esp32c3")]
#[case::v1_27("micropython_1_27_esp32c3")]
fn an_update_is_tried_once_and_rolled_back_or_kept(#[case] name: &str) {
    let Some(image) = installed(name) else { return };
    let image = with_two_slots(&image.content);
    let mut repl = Repl::power_on(&image);
    repl.until_prompt();
    let reset = |repl: &mut Repl| repl.ask("import machine; machine.reset()\r");
    let running = |repl: &mut Repl| {
        let said = repl.ask("from esp32 import Partition as P; print(P(P.RUNNING).info()[4])\r");
        said.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(running(&mut repl), "ota_0", "otadata is erased");
    let update = "P(P.RUNNING).get_next_update().set_boot()\r";
    repl.ask(update);
    reset(&mut repl);
    assert_eq!(running(&mut repl), "ota_1", "the update is tried");
    reset(&mut repl);
    assert_eq!(running(&mut repl), "ota_0", "it did not say that it is well");
    repl.ask(update);
    reset(&mut repl);
    assert_eq!(running(&mut repl), "ota_1");
    repl.ask("P.mark_app_valid_cancel_rollback()\r");
    assert!(reset(&mut repl).contains("ESP-ROM:"));
    assert_eq!(running(&mut repl), "ota_1", "it said that it is well");
    // UART_PRINT_CONTROL = 3: the ROM is silent on UART0 (PGM_DATA4; CONF and CMD as the manual has them).
    for (at, value) in [(0x10, 0xc0), (0x1cc, 0x5a5a), (0x1d4, 2)] {
        repl.ask(&format!("import machine; machine.mem32[{:#x}] = {value}\r", 0x6000_8800u32 + at));
    }
    let mut again = Repl::switched_on(&image, Some(&repl.chip.kept_state()));
    let boot = again.until_prompt();
    assert!(boot.contains("MicroPython v") && !boot.contains("ESP-ROM:"), "{boot}");
    assert_eq!(running(&mut again), "ota_1", "in the next run");
}

/// What NodeMCU 1.4.0 sent when it was run here, kept as evidence, is what source document s0 saw: all 56 bytes but the 28
/// random ones.
#[test]
fn the_hello_of_the_document_is_what_its_own_firmware_has_sent() {
    const RANDOM: core::ops::Range<usize> = 15..43;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let name = "versions/nodemcu_hello_meets_tls12_only";
    let text = std::fs::read_to_string(root.join(format!("scenarios/{name}.toml"))).expect("a scenario");
    let scenario = scenario::Scenario::parse(name, name, &text).unwrap_or_else(|problem| panic!("{problem}"));
    let asked = scenario.device.security.client_hello.expect("it is about that hello");
    let document = base16ct::lower::decode_vec(asked).expect("hexadecimal");
    assert_eq!(document.len(), 56);
    let packets = std::fs::read(root.join(format!("captures/{name}.nodemcu_1_4_0.pcapng"))).expect("it was kept");
    let head = &document[..RANDOM.start];
    let at = packets.windows(head.len()).position(|bytes| bytes == head).expect("it begins as the document's");
    let sent = &packets[at..at + document.len()];
    assert_eq!(sent[RANDOM.end..], document[RANDOM.end..]);
    assert_ne!(sent[RANDOM], document[RANDOM], "the random bytes are its own");
    let recording = capture::pcapng::read(&packets).expect("a capture");
    let comment = recording.comment.unwrap_or_default();
    let product = Product::by_name("nodemcu_1_4_0_esp8266").expect("it is pinned");
    assert!(comment.contains(&format!("{} sha256 {}", product.version, product.sha256)), "{comment}");
}
