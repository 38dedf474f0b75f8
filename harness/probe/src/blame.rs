//! What is to blame, told from probe-rs's errors and what caused them.

use std::error::Error;
use std::io;

use board::flasher::{FaultKind, ProbeFault};
use probe_rs::flashing::{FileDownloadError, FlashError};
use probe_rs::probe::{DebugProbeError, ProbeCreationError};

/// How far a chain of causes is followed.
const CAUSES_MAX: usize = 16;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// A probe was opened.
    Open,
    /// A chip was looked for.
    Attach,
    /// The image was converted, for which the chip is asked how much flash it has.
    Image,
    /// The chip was written to, or reset.
    Flash,
}

/// The fault behind an error.
pub fn fault(error: &(dyn Error + 'static), during: During) -> ProbeFault {
    let causes = causes(error);
    let kind = causes.iter().find_map(|cause| kind(*cause, during)).unwrap_or(match during {
        During::Image if !causes.iter().any(|cause| cause.is::<FlashError>()) => FaultKind::CorruptImage,
        During::Attach => FaultKind::ChipAbsent,
        During::Open | During::Image | During::Flash => FaultKind::Other,
    });
    ProbeFault::new(kind, words(&causes))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut next = Some(error);
    let chain = std::iter::from_fn(|| {
        let cause: &'a (dyn Error + 'static) = next?;
        next = cause.source();
        Some(cause)
    });
    chain.take(CAUSES_MAX).collect()
}

fn kind(cause: &(dyn Error + 'static), during: During) -> Option<FaultKind> {
    if let Some(error) = cause.downcast_ref::<DebugProbeError>() {
        return of_probe(error, during);
    }
    if let Some(error) = cause.downcast_ref::<espflash::Error>() {
        return Some(match error {
            espflash::Error::UnsupportedFlash(_) => FaultKind::Other,
            espflash::Error::ElfTooBig(..) | espflash::Error::PartitionTableDoesNotFit(_) => FaultKind::ImageTooLarge,
            _ => FaultKind::CorruptImage,
        });
    }
    if let Some(error) = cause.downcast_ref::<FlashError>() {
        return match error {
            FlashError::Verify => Some(FaultKind::VerifyFailed),
            FlashError::NoSuitableNvm { .. } => Some(FaultKind::ImageTooLarge),
            _ => None,
        };
    }
    match cause.downcast_ref::<FileDownloadError>() {
        Some(FileDownloadError::IncompatibleImage { .. } | FileDownloadError::IncompatibleImageChip { .. }) => {
            Some(FaultKind::CorruptImage)
        }
        _ => None,
    }
}

fn of_probe(error: &DebugProbeError, during: During) -> Option<FaultKind> {
    match error {
        DebugProbeError::Usb(error) | DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::Usb(error))
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            Some(FaultKind::PermissionDenied)
        }
        DebugProbeError::Usb(_) | DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::Usb(_))
            if during == During::Open =>
        {
            Some(FaultKind::ProbeAbsent)
        }
        DebugProbeError::Usb(_) => Some(FaultKind::ProbeVanished),
        DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::CouldNotOpen) => Some(FaultKind::PermissionDenied),
        DebugProbeError::ProbeCouldNotBeCreated(_) => Some(FaultKind::ProbeAbsent),
        DebugProbeError::TargetNotFound | DebugProbeError::JtagScanChain(_) => Some(FaultKind::ChipAbsent),
        _ => None,
    }
}

/// The causes in a line, the outermost first, without repeating what one says of the next.
fn words(causes: &[&(dyn Error + 'static)]) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes {
        let text = cause.to_string();
        let text = text.trim().trim_end_matches('.').to_owned();
        if !text.is_empty() && words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
    }
    words.join(": ")
}
