//! Writing an image, erasing, resetting.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use board::flasher::{FaultKind, Operation, ProbeFault, Progress};
use probe_rs::Session;
use probe_rs::flashing::{
    DownloadOptions, FlashProgress, ProgressEvent, ProgressOperation, build_loader, erase_all, image_format,
};

use crate::blame::{self, During};

/// How long the chip may take to stop after a reset.
const RESET_MAX: Duration = Duration::from_secs(2);
/// No image of a microcontroller is longer, in bytes: debug information included.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Writes the ELF file to the flash, behind bootloader and partition table, and leaves the chip halted in reset.
pub fn flash(session: &mut Session, elf: &str, verify: bool, step: &mut dyn FnMut(Progress)) -> Result<(), ProbeFault> {
    check(elf, &session.target().name)?;
    let format = session.target().default_format.clone().unwrap_or_else(|| "elf".to_owned());
    let format = image_format(&format)
        .ok_or_else(|| ProbeFault::new(FaultKind::Other, format!("probe-rs knows no image format `{format}`")))?;
    // The file is not ours, and neither is the code that takes it apart.
    let loader = catch_unwind(AssertUnwindSafe(|| build_loader(session, elf, format.create_loader(None), None)))
        .map_err(|_| ProbeFault::new(FaultKind::CorruptImage, format!("{elf}: the conversion panicked over it")))?
        .map_err(|error| blame::fault(&error, During::Image))?;
    let mut options = DownloadOptions::default();
    options.verify = verify;
    options.progress = FlashProgress::new(reporter(step));
    loader.commit(session, options).map_err(|error| blame::fault(&error, During::Flash))?;
    halt_in_reset(session)
}

/// Erases the whole flash.
pub fn erase(session: &mut Session, step: &mut dyn FnMut(Progress)) -> Result<(), ProbeFault> {
    let mut progress = FlashProgress::new(reporter(step));
    erase_all(session, &mut progress, false).map_err(|error| blame::fault(&error, During::Flash))?;
    drop(progress);
    halt_in_reset(session)
}

/// Lets the chip start from its reset vector.
pub fn reset(session: &mut Session) -> Result<(), ProbeFault> {
    let blamed = |error: probe_rs::Error| blame::fault(&error, During::Flash);
    session.core(0).map_err(blamed)?.reset().map_err(blamed)
}

fn halt_in_reset(session: &mut Session) -> Result<(), ProbeFault> {
    let blamed = |error: probe_rs::Error| blame::fault(&error, During::Flash);
    session.core(0).map_err(blamed)?.reset_and_halt(RESET_MAX).map_err(blamed)?;
    Ok(())
}

/// Whether the file can be an image for the chip that probe-rs calls `target`: before the chip is touched.
fn check(elf: &str, target: &str) -> Result<(), ProbeFault> {
    let corrupt = |why: String| ProbeFault::new(FaultKind::CorruptImage, format!("{elf}: {why}"));
    let unread = |error: std::io::Error| ProbeFault::new(FaultKind::Other, format!("{elf}: {error}"));
    // A pipe or a device may never end.
    if !fs::metadata(elf).map_err(unread)?.is_file() {
        return Err(corrupt("this is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(elf).map_err(unread)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(corrupt("too long for an image".to_owned()));
    }
    object::File::parse(bytes.as_slice()).map_err(|error| corrupt(error.to_string()))?;
    match chip::of_probe_target(target) {
        Some(chip) => chip.check_elf(&bytes).map_err(|error| corrupt(error.to_string())),
        None => Ok(()),
    }
}

/// Turns probe-rs's events into ours.
fn reporter(step: &mut dyn FnMut(Progress)) -> impl FnMut(ProgressEvent) {
    let mut totals: BTreeMap<u8, u64> = BTreeMap::new();
    let mut done: BTreeMap<u8, u64> = BTreeMap::new();
    move |event| match event {
        ProgressEvent::AddProgressBar { operation, total: Some(total) } => {
            *totals.entry(rank(&operation)).or_default() += total;
        }
        ProgressEvent::Progress { operation, size, .. } => {
            let done = done.entry(rank(&operation)).or_default();
            *done += size;
            let total_bytes = totals.get(&rank(&operation)).copied();
            // What probe-rs compresses can come out longer than it had reckoned.
            let done_bytes = (*done).min(total_bytes.unwrap_or(u64::MAX));
            step(Progress { operation: named(&operation), done_bytes, total_bytes });
        }
        _ => {}
    }
}

const fn named(operation: &ProgressOperation) -> Operation {
    match operation {
        ProgressOperation::Fill => Operation::Fill,
        ProgressOperation::Erase => Operation::Erase,
        ProgressOperation::Program => Operation::Program,
        ProgressOperation::Verify => Operation::Verify,
    }
}

const fn rank(operation: &ProgressOperation) -> u8 {
    named(operation) as u8
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_no_image() {
        let fault = check("/dev/zero", "esp32c3").expect_err("no regular file");
        assert_eq!(fault.kind, FaultKind::CorruptImage);
    }
}
