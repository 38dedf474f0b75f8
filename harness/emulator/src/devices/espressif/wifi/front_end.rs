//! FE: the analogue front end, as far as its calibration is waited for.

use serde::{Deserialize, Serialize};

use super::super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

/// The estimate of the imbalance between I and Q is done. Its results, in four registers, are zero: there is none.
const IQ_ESTIMATE_STATUS: u32 = 0x174;
const IQ_ESTIMATE_DONE: u32 = 1 << 16;

/// The front end: registers that are kept, and one that is waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FrontEnd;

impl Device for FrontEnd {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            IQ_ESTIMATE_STATUS => Read::Value(registers.get(offset) | IQ_ESTIMATE_DONE),
            _ => Read::Stored,
        }
    }

    fn write(&mut self, _offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        Write::Stored
    }
}
