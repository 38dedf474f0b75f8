//! Flashing an emulated chip as a real one is flashed: by a debug probe at its JTAG port, in a process of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chip::Chip;

use super::jtag_port::JtagPort;
use crate::flasher::{FaultKind, Flasher, ProbeFault, Progress};

/// How long attaching may take.
const ATTACH_MAX: Duration = Duration::from_secs(30);

/// What the flash of a `chip` holds after the flashing process `command` has put the ELF file into it, within `limit`.
///
/// # Errors
///
/// Says whether the image, the chip or the flashing process is to blame.
pub fn flash_content(
    chip: &'static Chip,
    command: &[String],
    elf: &Path,
    limit: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Arc<[u8]>, ProbeFault> {
    let bench = |error: io::Error| ProbeFault::new(FaultKind::Other, format!("the emulated chip's JTAG port: {error}"));
    let folder = Folder::new().map_err(bench)?;
    let path = folder.0.join("jtag");
    let model = super::model(chip).map_err(|fault| ProbeFault::new(FaultKind::Other, fault.to_string()))?;
    let mut emulated = (model.power_on)(&emulator::Settings::default());
    emulated.boot_from_flash();
    let port = JtagPort::open(emulated, &path).map_err(bench)?;
    let mut flasher = Flasher::start(command, chip, &format!("socket:{}", path.display()), ATTACH_MAX)?;
    flasher.flash(elf, limit, progress)?;
    drop(flasher);
    Ok(port.close().map_err(bench)?.flash_content().into())
}

/// A folder with a short path, as sockets need, that is nobody else's and goes with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("shakedown-{}-{number}", std::process::id()));
        // Whatever a process of the same number left behind.
        let _ = fs::remove_dir_all(&path);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
