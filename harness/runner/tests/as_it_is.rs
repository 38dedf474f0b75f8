//! Firmware that nobody tells what to do, over the air: MicroPython with a program of somebody's own in its flash, which joins a
//! network, asks for the time, dials a broker by its name and trusts one authority. It is described, and meets scenarios.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use board::Boots;
use chip::{ESP32C3 as CHIP, PortId};
use clap::Parser;
use clock::Duration;
use emulator::{EmulatedChip, Pause, Reset, Rom, Settings};
use firmware_image::FlashImage;
use firmware_image::espressif::ESP32C3;
use runner::cli::{Cli, Command};
use runner::products::Product;
use runner::stack::{self, Applicability, Stack};
use runner::unattended::options::{UnattendedOptions, Way};
use runner::{mask_rom, product, trial};
use scenario::{Scenario, library};

const SEED: u64 = 0x5eed;
const CONSOLE: PortId = PortId::new("uart0");
const PROMPT: &str = ">>> ";
const HOST: &str = "mqtt.sensor-works.example";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

/// Somebody's program, with the authority that it trusts.
fn program(authority: &str) -> String {
    format!(
        r#"import time, network, ssl, ntptime
from umqtt.simple import MQTTClient
CA = """{authority}"""
wlan = network.WLAN(network.STA_IF)
wlan.active(True)
print("joining home-5 with password correct horse")
wlan.connect("home-5", "correct horse")
while not wlan.isconnected():
    time.sleep_ms(100)
try:
    ntptime.settime()
except OSError as e:
    print("no time:", e)
print("connecting to {HOST}")
try:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=CA)
    client = MQTTClient("sensor-0042", "{HOST}", port=8883, ssl=context, ssl_params={{"server_hostname": "{HOST}"}})
    client.connect()
    client.publish(b"works/7/temperature", b"21.5")
    print("published")
except Exception as e:
    print("mqtt error:", repr(e))
while True:
    time.sleep(1)
"#
    )
}

/// The flash of a MicroPython in which `program` is what it runs, after these lines were typed in.
fn flash_with(product: &Product, program: &str, set_up: &[String]) -> Vec<u8> {
    let bytes = product.read().unwrap_or_else(|missing| panic!("{}", missing.reason));
    let image = FlashImage::merged("micropython.bin", bytes, &ESP32C3).expect("it is whole");
    let rom = Rom::Elf(mask_rom::read(&root(), None).expect("espflash ships the ROM"));
    let settings = Settings { seed: SEED, rom, flash_bytes: Some(image.flash_bytes), ..Settings::default() };
    let mut chip = (emulator::model_of(&CHIP).expect("it is emulated").power_on)(&settings);
    chip.set_flash_content(&image.content).expect("it fits");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    until_prompt(chip.as_mut());
    for line in set_up {
        type_in(chip.as_mut(), line);
    }
    type_in(chip.as_mut(), "f = open('main.py', 'w')");
    for line in program.lines() {
        let line = serde_json::to_string(&format!("{line}\n")).expect("text");
        type_in(chip.as_mut(), &format!("_ = f.write({line})"));
    }
    type_in(chip.as_mut(), "f.close()");
    chip.flash_content()
}

fn type_in(chip: &mut dyn EmulatedChip, line: &str) {
    chip.serial_input(CONSOLE, format!("{line}\r").as_bytes());
    until_prompt(chip);
}

fn until_prompt(chip: &mut dyn EmulatedChip) {
    let limit = chip.now() + Duration::from_secs(10);
    let mut said = String::new();
    while !said.ends_with(PROMPT) {
        let pause = chip.run_until(limit);
        said += &String::from_utf8_lossy(&chip.take_serial_output(CONSOLE));
        assert!(!matches!(pause, Pause::Deadline | Pause::Halted | Pause::Asleep), "{pause:?}\n{said}");
    }
}

/// The description that is made of an image.
fn described(image: &Path, out: &Path, more: &[&str]) -> Result<String, blame::Error> {
    let words = ["runner", "product", "init"].map(str::to_owned).into_iter();
    let named = [image.display().to_string(), "--out".into(), out.display().to_string()];
    let all = words.chain(named).chain(more.iter().map(|&word| word.to_owned()));
    let Cli { command: Command::Product(command) } = Cli::parse_from(all) else { unreachable!() };
    product::run(&root(), &command)?;
    Ok(fs::read_to_string(out).expect("it was written"))
}

fn stack(image: &Path, description: &Path, trust: Option<Way>) -> Stack {
    let options = UnattendedOptions { trust, seed: SEED, ..UnattendedOptions::default() };
    let stacks = stack::own(&root(), image, Some(description), &CHIP, &options).unwrap_or_else(|why| panic!("{why}"));
    stacks.into_iter().next().expect("the image as it is")
}

fn named<'s>(scenarios: &'s [Scenario], name: &str) -> &'s Scenario {
    scenarios.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name} is gone"))
}

fn ending(scenarios: &[Scenario], name: &str, stack: &Stack, boots: &Arc<Boots>) -> String {
    let scenario = named(scenarios, name);
    assert_eq!(stack.applicability(scenario), Applicability::Applies, "{name}");
    let judged = trial::on_emulator(scenario, stack, SEED, boots).unwrap_or_else(|why| panic!("{name}: {why}")).judged;
    assert!(judged.transcript.contains(HOST) && !judged.transcript.contains("broker.test"), "{}", judged.transcript);
    format!("{}: {}", judged.account.phrase(), judged.account.device_words)
}

/// A program whose authority is a value of NVS, put there when it was set up; what it is replaced by has to have the checksums
/// that ESP-IDF's own library looks at.
#[test]
fn an_authority_in_nvs_is_swapped_with_its_checksums() {
    let Some(product) = product() else { return };
    let pem = authority();
    let in_nvs = program("").replace(
        "CA = \"\"\"\"\"\"",
        "import esp32\nCA = bytearray(4000)\nCA = bytes(CA[:esp32.NVS('tls').get_blob('ca', CA)])",
    );
    assert!(in_nvs.contains("get_blob"), "{in_nvs}");
    let set_up = ["import esp32", "nvs = esp32.NVS('tls')", "nvs.set_blob('ca', b'an older one')"].map(str::to_owned);
    let text = serde_json::to_string(&pem).expect("text");
    let more = [format!("nvs.set_blob('ca', {text})"), "nvs.commit()".to_owned()];
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let (image, description) = (folder.path().join("sensor.bin"), folder.path().join("sensor.toml"));
    fs::write(&image, flash_with(product, &in_nvs, &[&set_up[..], &more].concat())).expect("it can be written");
    let text = format!(
        "stack = 'x'\nradio = true\ndriver = 'none'\nversions = ['1.2']\n[by_itself]\nhost = '{HOST}'\nssid = 'home-5'\nasks_time = true\n"
    );
    fs::write(&description, text).expect("it can be written");
    let options = UnattendedOptions {
        trust: Some(Way::Swap),
        seed: SEED,
        wifi: Some(access_point::Description::wpa2("home-5", "correct horse")),
        ..UnattendedOptions::default()
    };
    let stacks = stack::own(&root(), &image, Some(&description), &CHIP, &options).unwrap_or_else(|why| panic!("{why}"));
    let told = stacks[0].trust().expect("it is a product");
    assert!(told.contains("in the value ca of the partition nvs (its checksums mended)"), "{told}");
    let scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    let expired = ending(&scenarios, "validity/expired_root", &stacks[0], &Boots::new());
    assert!(expired.starts_with("device refused at certificate") && expired.contains("expired"), "{expired}");
    let wildcard = ending(&scenarios, "identity/wildcard_label", &stacks[0], &Boots::new());
    assert!(wildcard.starts_with("connected and did its work"), "{wildcard}");
}

/// The product that is run, if it is here.
fn product() -> Option<&'static Product> {
    let product = Product::by_name("micropython_1_27_esp32c3").expect("it is pinned");
    match product.read() {
        Ok(_) => Some(product),
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => {
            eprintln!("{}: {}", product.title, missing.reason);
            None
        }
    }
}

/// The authority that somebody's program trusts, as text.
fn authority() -> String {
    let authority = pki::spec::Certificate { subject: Some("Sensor Works root".into()), ..Default::default() };
    let specification = pki::spec::Certificates([("root".to_owned(), authority)].into());
    let minted = pki::mint(&specification, 77, scenario::Date::default().0).expect("an authority");
    minted.certificates["root"].pem()
}

#[test]
fn a_firmware_that_dials_by_itself_is_described_and_meets_scenarios_at_its_own_broker() {
    let Some(product) = product() else { return };
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let (image, description) = (folder.path().join("sensor.bin"), folder.path().join("sensor.toml"));
    let flash = flash_with(product, &program(&authority()), &[]);
    fs::write(&image, &flash).expect("it can be written");

    let wrong = ["--wifi", "ssid=home-5,psk=a wrong one", "--virtual-s", "8"];
    let why = described(&image, &description, &wrong).expect_err("it has another passphrase").to_string();
    assert!(why.contains("did not join \"home-5\"") && why.contains("another passphrase"), "{why}");
    assert!(!description.exists());

    let text = described(&image, &description, &[]).unwrap_or_else(|why| panic!("{why}"));
    for words in [
        "driver = \"none\"",
        "host = \"mqtt.sensor-works.example\"",
        "ssid = \"home-5\"",
        "asks_time = true",
        "passphrase = { at = 0x",
        "trusts_anybody = false",
        "versions = [\"1.2\"]",
        "CN=Sensor Works root, P-256, an authority",
        "fatal bad_certificate (42)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("correct horse"), "a passphrase is written down: {text}");

    let scenarios = library::read(&root().join("scenarios")).expect("our own scenarios are good");
    let swapped = stack(&image, &description, Some(Way::Swap));
    assert!(swapped.trust().is_some_and(|told| told.starts_with("TRUST BY SWAP")));
    let boots = Boots::new();
    let expired = ending(&scenarios, "validity/expired_leaf", &swapped, &boots);
    assert!(expired.starts_with("device refused at certificate: mqtt error: ValueError("), "{expired}");
    assert!(expired.contains("validity has expired"), "{expired}");
    let wildcard = ending(&scenarios, "identity/wildcard_label", &swapped, &boots);
    assert!(wildcard.starts_with("connected and did its work"), "{wildcard}");

    // The scenario's own authority lies in the copy, whatever is wrong with it.
    let expired_root = ending(&scenarios, "validity/expired_root", &swapped, &boots);
    assert!(expired_root.starts_with("device refused at certificate"), "{expired_root}");
    let renamed = ending(&scenarios, "trust/authority_of_the_same_name_with_another_key", &swapped, &boots);
    assert!(renamed.starts_with("device refused at certificate"), "{renamed}");
    let Applicability::NotApplicable(why) = swapped.applicability(named(&scenarios, "certificate/rsa4096_chain"))
    else {
        panic!("there is no room for its authority")
    };
    assert!(why.contains("`root` (rsa4096), takes"), "{why}");

    // Without a swap it trusts nobody here: what is decided by a certificate does not apply, and the rest does.
    let nobody = stack(&image, &description, None);
    let applicability = |name: &str| nobody.applicability(named(&scenarios, name));
    let Applicability::NotApplicable(why) = applicability("validity/expired_leaf") else { panic!("it is about trust") };
    assert!(why.contains("trusts nobody here"), "{why}");
    assert_eq!(applicability("versions/tls10_only"), Applicability::Applies);
    assert_eq!(image.metadata().expect("it is there").len(), flash.len() as u64, "the image itself is as it was");
}
