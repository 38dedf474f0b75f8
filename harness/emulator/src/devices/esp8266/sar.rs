//! The converter at the pin TOUT: 0 to 1 V in 1024 steps, which the SDK takes from eight samples.
//!
//! Nothing of it is documented by its maker; what stands here is what the SDK's reading of it undoes. A conversion is over when
//! it is begun. What the radio's driver measures with the same converter, its own power and the supply, is storage.

use serde::{Deserialize, Serialize};

use crate::devices::espressif::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

/// In its row of the map: what is converted, and eight samples.
const SOURCE: u32 = 0x35c;
const FIRST_SAMPLE: u32 = 0x380;
const LAST_SAMPLE: u32 = 0x39c;

const SOURCE_IS_TOUT: u32 = 1 << 21;
const FULL_SCALE_MV: u32 = 1_000;
/// A sample has eleven bits. Of the lower eight, 22 to 250 are used.
const SAMPLE_MAX: u32 = 0x7ff;
const LOW_OFFSET: u32 = 21;
const LOW_SCALE: u32 = 279;

/// The converter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sar {
    /// What is at the pin; nobody drives it at first.
    pub tout_mv: u32,
}

/// A sample's register for what is at the pin: inverted, its lower part shrunk by 256/279 and moved.
fn sample(tout_mv: u32) -> u32 {
    let value = tout_mv.min(FULL_SCALE_MV) * SAMPLE_MAX / FULL_SCALE_MV;
    let low = ((value & 0xff) * 256).div_ceil(LOW_SCALE);
    !(value & 0x700 | (low + LOW_OFFSET)) & SAMPLE_MAX
}

impl Device for Sar {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        match offset {
            FIRST_SAMPLE..=LAST_SAMPLE if registers.get(SOURCE) & SOURCE_IS_TOUT != 0 => {
                Read::Value(sample(self.tout_mv))
            }
            _ => Read::Stored,
        }
    }

    fn write(&mut self, _offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        Write::Stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp8266::registers::peripheral;

    /// What `system_adc_read` of the SDKs makes of the registers.
    fn read_as_the_sdk_does(sar: &mut Sar, registers: &RegisterFile) -> u32 {
        let samples = (FIRST_SAMPLE..=LAST_SAMPLE).step_by(4).map(|offset| {
            let Read::Value(register) = sar.read(offset, registers, 0) else { panic!("a sample") };
            let inverted = !register;
            let low = (inverted & 0xff).saturating_sub(LOW_OFFSET);
            (inverted & 0x700) + ((low * LOW_SCALE) >> 8)
        });
        (samples.sum::<u32>() + 8) >> 4
    }

    #[test]
    fn the_sdk_reads_what_is_at_the_pin() {
        let mut registers = RegisterFile::whole(peripheral("ANALOG"), 0x500);
        let mut sar = Sar::default();
        assert!(matches!(sar.read(FIRST_SAMPLE, &registers, 0), Read::Stored), "the radio's driver measures");
        registers.set(SOURCE, SOURCE_IS_TOUT);
        for (tout_mv, read) in [(0, 0), (250, 256), (333, 341), (500, 512), (1_000, 1_024), (3_300, 1_024)] {
            sar.tout_mv = tout_mv;
            let found = read_as_the_sdk_does(&mut sar, &registers);
            assert!(found.abs_diff(read) <= 1, "{tout_mv} mV: {found}, not {read}");
        }
    }
}
