//! INTERRUPT_CORE0: which of the 62 sources reach which of the CPU's 31 lines, and which line wins.
//!
//! A source is routed to a line by its map register (line 0: to none). A level line is pending while a source is
//! asserted, an edge line from the rising edge until it is cleared. A line fires if it is enabled, has a priority other
//! than 0 and not below the threshold; the highest priority wins, then the lowest number (technical reference manual,
//! chapter "Interrupt Matrix"; priority equal to the threshold does fire).

use serde::{Deserialize, Serialize};

use crate::machine::device::{Read, Write};
use crate::machine::registers::RegisterFile;

const STATUS_0: u32 = 0x0f8;
const STATUS_1: u32 = 0x0fc;
const CLOCK_GATE: u32 = 0x100;
const ENABLE: u32 = 0x104;
const TYPE: u32 = 0x108;
const CLEAR: u32 = 0x10c;
const EIP_STATUS: u32 = 0x110;
const PRIORITY: u32 = 0x114;
const THRESHOLD: u32 = 0x194;
const SOURCES: usize = 62;
const LINES: usize = 32;

/// The interrupt matrix.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct InterruptMatrix {
    sources: u64,
    line_sources: [u64; LINES],
    levels: u32,
    latched: u32,
    enabled: u32,
    edge: u32,
    priorities: [u8; LINES],
    threshold: u8,
    line: Option<u8>,
}

impl InterruptMatrix {
    /// Tells which sources are asserted now.
    pub fn assert_sources(&mut self, sources: u64) {
        if sources != self.sources {
            self.sources = sources;
            self.settle();
        }
    }

    /// The line that the CPU should take, if it may take one.
    pub fn line(&self) -> Option<u8> {
        self.line
    }

    /// Sets the priority below which no line fires.
    pub fn set_threshold(&mut self, threshold: u8, registers: &mut RegisterFile) {
        let value = u32::from(threshold);
        self.write(THRESHOLD, value, registers);
        registers.set(THRESHOLD, value);
    }

    fn winner(&self) -> Option<u8> {
        let mut candidates = self.pending() & self.enabled & !1;
        let mut best: Option<(u8, u8)> = None;
        while candidates != 0 {
            let line = candidates.trailing_zeros() as u8;
            candidates &= candidates - 1;
            let priority = self.priorities[usize::from(line)];
            if priority != 0 && priority >= self.threshold && best.is_none_or(|(_, highest)| priority > highest) {
                best = Some((line, priority));
            }
        }
        best.map(|(line, _)| line)
    }

    fn pending(&self) -> u32 {
        (self.levels & !self.edge) | (self.latched & self.edge)
    }

    fn settle(&mut self) {
        let mut levels = 0;
        for (line, sources) in self.line_sources.iter().enumerate() {
            if sources & self.sources != 0 {
                levels |= 1 << line;
            }
        }
        self.latched |= levels & !self.levels;
        self.levels = levels;
        self.line = self.winner();
    }

    /// Reads the word at `offset`.
    pub fn read(&self, offset: u32) -> Read {
        match offset {
            STATUS_0 => Read::Value(self.sources as u32),
            STATUS_1 => Read::Value((self.sources >> 32) as u32),
            EIP_STATUS => Read::Value(self.pending()),
            _ if offset < 4 * SOURCES as u32 => Read::Stored,
            CLOCK_GATE | ENABLE | TYPE | CLEAR | THRESHOLD => Read::Stored,
            _ if (PRIORITY..PRIORITY + 4 * LINES as u32).contains(&offset) => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// Writes the word at `offset`.
    pub fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile) -> Write {
        match offset {
            _ if offset < 4 * SOURCES as u32 => {
                let source = 1u64 << (offset / 4);
                for sources in &mut self.line_sources {
                    *sources &= !source;
                }
                registers.set(offset, value & 0x1f);
                if value & 0x1f != 0 {
                    self.line_sources[value as usize & 0x1f] |= source;
                }
                self.settle();
                return Write::Done;
            }
            ENABLE => self.enabled = value,
            TYPE => self.edge = value,
            CLEAR => self.latched &= !value,
            THRESHOLD => self.threshold = (value & 0xf) as u8,
            CLOCK_GATE | STATUS_0 | STATUS_1 | EIP_STATUS => {}
            _ if (PRIORITY..PRIORITY + 4 * LINES as u32).contains(&offset) => {
                self.priorities[(offset - PRIORITY) as usize / 4] = (value & 0xf) as u8;
            }
            _ => return Write::Unmodelled,
        }
        self.line = self.winner();
        Write::Stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    fn matrix() -> (InterruptMatrix, RegisterFile) {
        (InterruptMatrix::default(), RegisterFile::new(peripheral("INTERRUPT_CORE0"), 0x1000))
    }

    #[test]
    fn the_highest_priority_wins_and_must_reach_the_threshold() {
        let (mut matrix, mut registers) = matrix();
        let write = |matrix: &mut InterruptMatrix, registers: &mut RegisterFile, offset, value| {
            matrix.write(offset, value, registers);
        };
        write(&mut matrix, &mut registers, 4 * 21, 3);
        write(&mut matrix, &mut registers, 4 * 37, 9);
        write(&mut matrix, &mut registers, PRIORITY + 4 * 3, 1);
        write(&mut matrix, &mut registers, PRIORITY + 4 * 9, 2);
        matrix.assert_sources(1 << 21 | 1 << 37);
        assert_eq!(matrix.line(), None, "no line is enabled");
        write(&mut matrix, &mut registers, ENABLE, 1 << 3 | 1 << 9);
        assert_eq!(matrix.line(), Some(9));
        matrix.assert_sources(1 << 21);
        assert_eq!(matrix.line(), Some(3));
        write(&mut matrix, &mut registers, THRESHOLD, 1);
        assert_eq!(matrix.line(), Some(3), "priority equal to the threshold fires");
        write(&mut matrix, &mut registers, THRESHOLD, 2);
        assert_eq!(matrix.line(), None);
    }

    #[test]
    fn an_edge_stays_pending_until_it_is_cleared() {
        let (mut matrix, mut registers) = matrix();
        for (offset, value) in [(0, 5), (PRIORITY + 4 * 5, 7), (ENABLE, 1 << 5), (TYPE, 1 << 5)] {
            matrix.write(offset, value, &mut registers);
        }
        matrix.assert_sources(1);
        matrix.assert_sources(0);
        assert_eq!(matrix.line(), Some(5));
        assert_eq!(matrix.read(EIP_STATUS), Read::Value(1 << 5));
        matrix.write(CLEAR, 1 << 5, &mut registers);
        assert_eq!(matrix.line(), None);
    }
}
