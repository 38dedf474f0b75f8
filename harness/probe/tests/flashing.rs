//! The flashing process against emulated boards: probe-rs attaches, loads its own flash algorithm, runs it on the
//! emulated CPU, verifies, resets. And each way in which that fails, told apart.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use board::emulated::jtag_port::JtagPort;
use board::{Flasher, ProbeFault};
use emulator::esp32c3::{Config, Esp32c3, Pause, SerialPort};

const LONG: Duration = Duration::from_secs(120);

fn image() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware-under-test/images/esp32c3_mbedtls.elf")
}

fn serve() -> Vec<String> {
    vec![env!("CARGO_BIN_EXE_probe").to_owned(), "serve".to_owned()]
}

/// An emulated board with its JTAG port open.
struct Bench {
    port: JtagPort,
    selector: String,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jtag");
        let selector = format!("socket:{}", path.display());
        let mut chip = Esp32c3::new(config);
        chip.boot_from_flash();
        let port = JtagPort::open(chip, &path).expect("a socket");
        Self { port, selector, folder }
    }

    fn attach(&self) -> Result<Flasher, ProbeFault> {
        Flasher::start(&serve(), "esp32c3", &self.selector, LONG)
    }
}

#[test]
fn a_released_image_is_written_verified_and_boots() {
    let bench = Bench::new(Config { seed: 0x5eed, ..Config::default() });
    let mut flasher = bench.attach().unwrap_or_else(|fault| panic!("{fault}"));
    let mut steps = Vec::new();
    let began = std::time::Instant::now();
    flasher.flash(&image(), LONG, &mut |step| steps.push(step)).unwrap_or_else(|fault| panic!("{fault}"));
    println!("flashed in {:?}", began.elapsed());
    assert!(steps.iter().any(|step| step.operation == board::flasher::Operation::Verify), "{steps:?}");
    flasher.reset(LONG).unwrap_or_else(|fault| panic!("{fault}"));
    drop(flasher);
    let mut chip = bench.port.close().expect("the chip");
    let mut said = Vec::new();
    while !said.windows(16).any(|part| part == b"\"report\":\"hello\"") {
        match chip.run_until(clock::Instant::from_millis(u64::MAX / 2_000_000)) {
            Pause::SerialOutput => said.extend(chip.take_serial_output(SerialPort::UsbSerialJtag)),
            other => panic!("{other:?} {:?} {}", chip.take_events(), String::from_utf8_lossy(&said)),
        }
    }
    drop(bench.folder);
}
