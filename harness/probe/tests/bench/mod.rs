//! Emulated boards with their JTAG ports open, and the real flashing process.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use board::emulated::jtag_port::JtagPort;
use board::{Flasher, ProbeFault};
use chip::Chip;
use emulator::{EmulatedChip, Settings, model_of};

/// Long for a machine, and nothing waits for it unless a test fails.
pub const LONG: Duration = Duration::from_secs(120);

/// The chip of the boards.
pub static CHIP: &Chip = &chip::ESP32C3;

/// An emulated chip at power-on.
pub fn power_on(settings: &Settings) -> Box<dyn EmulatedChip> {
    (model_of(CHIP).expect("it is emulated").power_on)(settings)
}

/// A released image.
pub fn image() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware-under-test/images/esp32c3_mbedtls.elf")
}

/// The flashing process.
pub fn serve() -> Vec<String> {
    vec![env!("CARGO_BIN_EXE_probe").to_owned(), "serve".to_owned()]
}

/// An emulated board with its JTAG port open.
pub struct Bench {
    port: JtagPort,
    /// The port's socket.
    pub socket: PathBuf,
    /// A folder that goes with this.
    pub folder: tempfile::TempDir,
}

impl Bench {
    /// A board of which the chip is so; its flash is empty.
    pub fn new(settings: &Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("jtag");
        let mut chip = power_on(settings);
        chip.boot_from_flash();
        let port = JtagPort::open(chip, &socket).expect("a socket");
        Self { port, socket, folder }
    }

    /// The flashing process, attached to the board by this socket.
    pub fn attach(socket: &Path) -> Result<Flasher, ProbeFault> {
        Flasher::start(&serve(), CHIP, &format!("socket:{}", socket.display()), LONG)
    }

    /// The chip, once nobody is at its port any more.
    pub fn chip(self) -> Box<dyn EmulatedChip> {
        self.port.close().expect("the thread of the chip")
    }
}
