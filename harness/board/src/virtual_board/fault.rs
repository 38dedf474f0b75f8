//! What can go wrong with a virtual board, and what makes it well again.

use super::control::{Answering, Request};
use crate::flasher::{FaultKind, ProbeFault};

/// What makes a debug probe well again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cure {
    /// Attaching once more.
    Attach,
    /// A reset of the chip.
    Reset,
    /// A reset of its USB port.
    UsbReset,
    /// Erasing the flash.
    Erase,
    /// Taking its power away.
    Power,
    /// Nothing.
    Nothing,
}

/// How the debug probe fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// It takes a request and never answers.
    Hangs,
    /// It goes away in the middle of flashing.
    VanishesInFlash,
    /// It finds no chip.
    FindsNoChip,
}

/// What is wrong with the board.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// It does not read its serial port.
    pub(super) is_deaf: bool,
    /// It will, after so many more starts of the chip.
    deaf_starts: Option<u32>,
    garbage_bytes: usize,
    probe: Option<(Probe, Cure)>,
    /// After so many more bytes of output the serial port goes away, once.
    output_left_bytes: Option<usize>,
}

impl Faults {
    /// `deaf`, `deaf STARTS`, `garbage BYTES`, `unplug BYTES`, `probe hangs|vanishes|no_chip CURE`, `none`.
    pub(super) fn arm(&mut self, words: &str) -> Result<(), ProbeFault> {
        let wrong = |why: String| ProbeFault::new(FaultKind::Other, why);
        let words: Vec<&str> = words.split_whitespace().collect();
        let count = |text: &str| text.parse::<usize>().map_err(|_| wrong(format!("`{text}` is no number")));
        match *words.as_slice() {
            ["none"] => *self = Self::default(),
            ["deaf"] => self.is_deaf = true,
            ["deaf", starts] => {
                self.is_deaf = true;
                self.deaf_starts = u32::try_from(count(starts)?).ok();
            }
            ["garbage", bytes] => self.garbage_bytes = count(bytes)?.min(1 << 20),
            ["unplug", bytes] => self.output_left_bytes = Some(count(bytes)?),
            ["probe", how, cure] => {
                let how = match how {
                    "hangs" => Probe::Hangs,
                    "vanishes" => Probe::VanishesInFlash,
                    "no_chip" => Probe::FindsNoChip,
                    _ => return Err(wrong(format!("`{how}` is no fault of a probe"))),
                };
                let cure = match cure {
                    "attach" => Cure::Attach,
                    "reset" => Cure::Reset,
                    "usb_reset" => Cure::UsbReset,
                    "erase" => Cure::Erase,
                    "power" => Cure::Power,
                    "nothing" => Cure::Nothing,
                    _ => return Err(wrong(format!("`{cure}` cures nothing"))),
                };
                self.probe = Some((how, cure));
            }
            _ => return Err(wrong(format!("`{}` is no fault", words.join(" ")))),
        }
        Ok(())
    }

    /// Something was done that makes some faults go away.
    pub(super) fn cure(&mut self, cure: Cure) {
        if self.probe.is_some_and(|(_, cured_by)| cured_by == cure) {
            self.probe = None;
        }
        if cure == Cure::Power {
            self.is_deaf = false;
        }
    }

    /// How the probe answers a request. What cures it is answered: it could not cure otherwise.
    pub(super) fn answers(&self, request: &Request) -> Answering {
        let Some((how, cure)) = self.probe else { return Answering::Properly };
        let asked = match request {
            Request::Attach => Cure::Attach,
            Request::Reset => Cure::Reset,
            Request::Erase => Cure::Erase,
            Request::Load(_) => Cure::Nothing,
            _ => return Answering::Properly,
        };
        match how {
            _ if asked == cure && cure != Cure::Nothing => Answering::Properly,
            Probe::Hangs => Answering::Never,
            Probe::VanishesInFlash if matches!(request, Request::Load(_)) => Answering::HangUp,
            Probe::VanishesInFlash => Answering::Properly,
            Probe::FindsNoChip => Answering::With(ProbeFault::new(FaultKind::ChipAbsent, "no TAP answers")),
        }
    }

    /// The chip starts.
    pub(super) fn note_start(&mut self) {
        match &mut self.deaf_starts {
            Some(0) => (self.is_deaf, self.deaf_starts) = (false, None),
            Some(left) => *left -= 1,
            None => {}
        }
    }

    /// Counts what the board has said; `true`: now its port goes away.
    pub(super) fn counts_output(&mut self, bytes: usize) -> bool {
        match &mut self.output_left_bytes {
            Some(left) if *left < bytes => {
                self.output_left_bytes = None;
                true
            }
            Some(left) => {
                *left -= bytes;
                false
            }
            None => false,
        }
    }

    /// What the line carries while the chip starts: every byte value, over and over, frame ends included.
    pub(super) fn garbage(&self) -> Vec<u8> {
        (0..self.garbage_bytes).map(|index| (index.wrapping_mul(167) >> 1) as u8).collect()
    }
}
