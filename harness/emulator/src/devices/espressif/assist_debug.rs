//! ASSIST_DEBUG: what the CPU was doing when it was reset.
//!
//! (Technical reference manual, chapter "Debug Assistant".) With recording enabled, the program counter and the stack
//! pointer of the moment of a reset can be read after it: the ROM prints them (*Saved PC*), and the bootloader. The
//! monitors of the stack pointer and of memory areas are storage: they never raise their interrupt.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

const MONTR_ENA: u32 = 0x00;
const INTR_RAW: u32 = 0x04;
const INTR_ENA: u32 = 0x08;
const INTR_CLR: u32 = 0x0c;
const AREA_FIRST: u32 = 0x10;
const SP_MAX: u32 = 0x3c;
const SP_PC: u32 = 0x40;
const RCD_EN: u32 = 0x44;
const RCD_PDEBUGPC: u32 = 0x48;
const RCD_PDEBUGSP: u32 = 0x4c;
const IRAM0_MONITOR: u32 = 0x50;
const LASTPC: u32 = 0x94;
const DEBUG_MODE: u32 = 0x98;
const DATE: u32 = 0x1fc;

const RCD_RECORD_EN: u32 = 1 << 0;
const RCD_PDEBUG_EN: u32 = 1 << 1;

/// The debug assistant.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AssistDebug {
    recorded: [u32; 2],
}

impl AssistDebug {
    /// The CPU is reset at `pc`, with its stack pointer at `sp`.
    pub fn note_reset(&mut self, pc: u32, sp: u32, registers: &RegisterFile) {
        const RECORDS: u32 = RCD_RECORD_EN | RCD_PDEBUG_EN;
        self.recorded = if registers.get(RCD_EN) & RECORDS == RECORDS { [pc, sp] } else { [0; 2] };
    }
}

impl Device for AssistDebug {
    fn read(&mut self, offset: u32, _registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            RCD_PDEBUGPC => Read::Value(self.recorded[0]),
            RCD_PDEBUGSP => Read::Value(self.recorded[1]),
            // Nothing is ever raised, and no debugger is at the pins.
            INTR_RAW | INTR_CLR | SP_PC | DEBUG_MODE => Read::Value(0),
            MONTR_ENA | INTR_ENA | AREA_FIRST..=SP_MAX | RCD_EN | IRAM0_MONITOR..=LASTPC | DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            INTR_RAW | INTR_CLR | SP_PC | RCD_PDEBUGPC | RCD_PDEBUGSP | DEBUG_MODE => Write::Done,
            MONTR_ENA | INTR_ENA | AREA_FIRST..=SP_MAX | RCD_EN | IRAM0_MONITOR..=LASTPC | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    #[test]
    fn a_reset_leaves_where_the_cpu_was_if_that_was_asked_for() {
        let mut registers = RegisterFile::new(peripheral("ASSIST_DEBUG"), 0x1000);
        let mut assist = AssistDebug::default();
        assist.note_reset(0x4200_1234, 0x3fc9_0000, &registers);
        assert_eq!(assist.read(RCD_PDEBUGPC, &registers, 0), Read::Value(0));
        registers.set(RCD_EN, 3);
        assist.note_reset(0x4200_1234, 0x3fc9_0000, &registers);
        assert_eq!(assist.read(RCD_PDEBUGPC, &registers, 0), Read::Value(0x4200_1234));
        assert_eq!(assist.read(RCD_PDEBUGSP, &registers, 0), Read::Value(0x3fc9_0000));
    }
}
