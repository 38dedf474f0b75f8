//! OpenOCD's protocol for JTAG pins over a byte stream, from the chip's side: one character for each change of a pin
//! (OpenOCD's manual, "remote_bitbang"; `doc/manual/jtag/drivers/remote_bitbang.txt`).
//!
//! Bytes in, bytes out: whose socket they came from is not known here.

use std::fmt;

use emulator::{EmulatedChip, Reset};

/// What the debugger has done to the pins.
#[derive(Clone, Debug, Default)]
pub struct RemoteBitbang {
    tck: bool,
    reset: bool,
    clocks: u64,
}

/// Whether the debugger stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// There is more to come.
    Connected,
    /// It has said that it goes.
    Quits,
}

/// A byte that is no command of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCommand(pub u8);

impl fmt::Display for UnknownCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no command of remote_bitbang", char::from(self.0))
    }
}

impl std::error::Error for UnknownCommand {}

impl RemoteBitbang {
    /// Does to the chip's pins what `commands` say, and appends to `answers` what is read from TDO.
    ///
    /// No time passes for the chip: see [`Self::take_clocks`].
    ///
    /// # Errors
    ///
    /// If a byte is no command. Those before it have been obeyed.
    pub fn feed(
        &mut self,
        chip: &mut dyn EmulatedChip,
        commands: &[u8],
        answers: &mut Vec<u8>,
    ) -> Result<Stay, UnknownCommand> {
        for command in commands {
            match command {
                b'0'..=b'7' => self.write(chip, command - b'0'),
                // A pull-up holds the line where nobody drives it.
                b'R' => answers.push(if chip.jtag().is_none_or(|pins| pins.tdo()) { b'1' } else { b'0' }),
                b'r'..=b'u' => self.reset(chip, command - b'r'),
                b'Q' => return Ok(Stay::Quits),
                // A light that blinks.
                b'B' | b'b' => {}
                // Line ends, for whoever tries it by hand.
                b'\n' | b'\r' => {}
                _ => return Err(UnknownCommand(*command)),
            }
        }
        Ok(Stay::Connected)
    }

    /// How often TCK has risen since the last call. Whoever owns the chip lets as much time pass for it.
    pub fn take_clocks(&mut self) -> u64 {
        std::mem::take(&mut self.clocks)
    }

    /// TCK in bit 2, TMS in bit 1, TDI in bit 0.
    fn write(&mut self, chip: &mut dyn EmulatedChip, pins: u8) {
        let tck = pins & 4 != 0;
        if tck && !self.tck {
            if let Some(port) = chip.jtag() {
                port.rise(pins & 2 != 0, pins & 1 != 0);
            }
            self.clocks += 1;
        }
        self.tck = tck;
    }

    /// TRST in bit 1, the chip's enable pin in bit 0: both act when asserted. The chip starts when it is released.
    fn reset(&mut self, chip: &mut dyn EmulatedChip, lines: u8) {
        if lines & 2 != 0
            && let Some(port) = chip.jtag()
        {
            port.reset();
        }
        let reset = lines & 1 != 0;
        if self.reset && !reset {
            chip.reset(Reset::PowerOn);
        }
        self.reset = reset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emulator::{MODELS, Settings};

    /// The commands that work TCK with these levels, reading TDO before each rise.
    fn clocked(tms: &[bool]) -> Vec<u8> {
        tms.iter()
            .flat_map(|tms| {
                let pins = b'0' + 2 * u8::from(*tms);
                [pins, b'R', pins + 4]
            })
            .collect()
    }

    #[test]
    fn the_chip_names_itself() {
        let mut chip = (MODELS[0].power_on)(&Settings::default());
        let mut pins = RemoteBitbang::default();
        let mut answers = Vec::new();
        // Test-Logic-Reset, then Shift-DR, in which IDCODE comes out, lowest bit first.
        let way = [true, true, true, true, true, false, true, false, false];
        assert_eq!(pins.feed(&mut *chip, &clocked(&way), &mut answers), Ok(Stay::Connected));
        answers.clear();
        assert_eq!(pins.feed(&mut *chip, &clocked(&[false; 32]), &mut answers), Ok(Stay::Connected));
        let idcode = answers.iter().rev().fold(0u32, |word, digit| word << 1 | u32::from(digit - b'0'));
        assert_eq!(idcode, 0x5c25);
        assert_eq!(pins.take_clocks(), 41);
        assert_eq!(pins.take_clocks(), 0);
        assert_eq!(pins.feed(&mut *chip, b"BbQ0", &mut answers), Ok(Stay::Quits));
        assert_eq!(pins.feed(&mut *chip, b"0!0", &mut answers), Err(UnknownCommand(b'!')));
    }

    /// Whatever comes: no panic, and no more answers than questions.
    #[test]
    fn no_bytes_break_the_chip() {
        let mut chip = (MODELS[0].power_on)(&Settings::default());
        let mut pins = RemoteBitbang::default();
        let mut state = 3u64;
        for _ in 0..100 {
            let bytes: Vec<u8> = (0..1_000)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let random = (state >> 33) as usize;
                    // Mostly pins, now and then anything.
                    if random.is_multiple_of(500) { (random >> 16) as u8 } else { b"01234567Rrstu"[random / 7 % 13] }
                })
                .collect();
            let mut answers = Vec::new();
            let _ = pins.feed(&mut *chip, &bytes, &mut answers);
            assert!(answers.len() <= bytes.iter().filter(|byte| **byte == b'R').count());
        }
    }
}
