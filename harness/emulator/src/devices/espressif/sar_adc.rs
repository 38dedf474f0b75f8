//! APB_SARADC: two analogue-to-digital converters, one sample at a time, and the temperature sensor.
//!
//! (Technical reference manual, chapter "On-Chip Sensor and Analog Signal Processing".) A conversion takes ten
//! microseconds and gives what its formula says of the voltage at the pin: no noise, no curvature. The converters'
//! offset is this chip's own, and firmware calibrates it away as on silicon, by the initial codes in the analogue block
//! `I2C_SAR_ADC` and by connecting the input to ground there. Continuous conversion by DMA is not modelled; the filters
//! and thresholds, which belong to it, are storage.

use serde::{Deserialize, Serialize};

use super::analog_i2c::AnalogBus;
use super::time::{NEVER, TICKS_HZ, Ticks};
use crate::machine::device::{Read, Write};
use crate::machine::registers::RegisterFile;

const CTRL: u32 = 0x00;
const SAR_PATT_TAB2: u32 = 0x1c;
const ONETIME_SAMPLE: u32 = 0x20;
const ARB_CTRL: u32 = 0x24;
const FILTER_CTRL0: u32 = 0x28;
const SAR1DATA_STATUS: u32 = 0x2c;
const SAR2DATA_STATUS: u32 = 0x30;
const THRES0_CTRL: u32 = 0x34;
const THRES_CTRL: u32 = 0x3c;
const INT_ENA: u32 = 0x40;
const INT_RAW: u32 = 0x44;
const INT_ST: u32 = 0x48;
const INT_CLR: u32 = 0x4c;
const DMA_CONF: u32 = 0x50;
const CLKM_CONF: u32 = 0x54;
const TSENS_CTRL: u32 = 0x58;
const TSENS_CTRL2: u32 = 0x5c;
const CALI: u32 = 0x60;
const CTRL_DATE: u32 = 0x3fc;

const SAMPLE_ADC1: u32 = 1 << 31;
const SAMPLE_ADC2: u32 = 1 << 30;
const SAMPLE_START: u32 = 1 << 29;
const TSENS_POWER_UP: u32 = 1 << 22;

/// A hundred thousand samples a second, which is the most (data sheet, "ADC Characteristics").
const CONVERSION: Ticks = TICKS_HZ / 100_000;
/// The converter's code for ground with an initial code of 0: what self-calibration finds.
const OFFSET: i64 = 1_200;
/// The converters' reference, in millivolts.
const REFERENCE_MV: i64 = 1_100;
/// What attenuations of 0, 2.5, 6 and 12 dB divide the input by, in thousandths.
const ATTENUATION_PER_MILLE: [i64; 4] = [1_000, 1_334, 1_995, 3_981];
const CODE_MAX: i64 = 4_095;

/// The analogue block's number, and its registers (ESP-IDF, `soc/esp32c3/include/soc/regi2c_saradc.h`).
const BLOCK: u8 = 0x69;
const BLOCK_INITIAL_CODE: [(u8, u8); 2] = [(0, 1), (3, 4)];
const BLOCK_TSENS_DAC: u8 = 6;
const BLOCK_ENCAL_GROUND: u8 = 7;
const ENCAL_GROUND: [u8; 2] = [1 << 5, 1 << 7];

/// GPIO0 to GPIO4 at the first converter, GPIO5 at the second.
const INPUTS: usize = 6;

/// The converters and the sensor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SarAdc {
    /// At GPIO0 to GPIO5, in millivolts.
    inputs_mv: [u16; INPUTS],
    /// Inside the chip, in hundredths of a degree Celsius.
    temperature_centidegrees: i32,
    /// The conversions that are under way, and when they are over.
    converting: Option<(u32, Ticks)>,
    results: [u32; 2],
    raw: u32,
}

impl SarAdc {
    /// Inputs at ground, and 25 °C.
    pub fn new() -> Self {
        Self { inputs_mv: [0; INPUTS], temperature_centidegrees: 2_500, converting: None, results: [0; 2], raw: 0 }
    }

    /// A reset of the chip: what is outside of it stays.
    pub fn reset(&mut self) {
        *self =
            Self { inputs_mv: self.inputs_mv, temperature_centidegrees: self.temperature_centidegrees, ..Self::new() };
    }

    /// What somebody outside puts at a pin, GPIO0 to GPIO5; others have no converter.
    pub fn set_input(&mut self, pin: u8, millivolts: u16) {
        if let Some(input) = self.inputs_mv.get_mut(usize::from(pin)) {
            *input = millivolts;
        }
    }

    /// Reads the word at `offset`.
    pub fn read(&mut self, offset: u32, registers: &RegisterFile, analog: &AnalogBus, now: Ticks) -> Read {
        self.settle(analog, now);
        match offset {
            SAR1DATA_STATUS => Read::Value(self.results[0]),
            SAR2DATA_STATUS => Read::Value(self.results[1]),
            INT_RAW => Read::Value(self.raw),
            INT_ST => Read::Value(self.raw & registers.get(INT_ENA)),
            INT_CLR => Read::Value(0),
            TSENS_CTRL => Read::Value(registers.get(TSENS_CTRL) & !0xff | self.temperature(registers, analog)),
            CTRL..=FILTER_CTRL0 | THRES0_CTRL..=THRES_CTRL | INT_ENA => Read::Stored,
            DMA_CONF | CLKM_CONF | TSENS_CTRL2 | CALI | CTRL_DATE => Read::Stored,
            _ => Read::Unmodelled,
        }
    }

    /// Writes the word at `offset`.
    pub fn write(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut RegisterFile,
        analog: &AnalogBus,
        now: Ticks,
    ) -> Write {
        self.settle(analog, now);
        match offset {
            ONETIME_SAMPLE => {
                let starts = value & !registers.get(ONETIME_SAMPLE) & SAMPLE_START != 0;
                if starts && value & (SAMPLE_ADC1 | SAMPLE_ADC2) != 0 {
                    self.converting = Some((value, now.saturating_add(CONVERSION)));
                }
                Write::Stored
            }
            INT_CLR => {
                self.raw &= !value;
                Write::Done
            }
            SAR1DATA_STATUS | SAR2DATA_STATUS | INT_RAW | INT_ST => Write::Done,
            // Continuous conversion by DMA is firmware's way to noise for the random number generator, which has it anyway:
            // nobody collects samples.
            CTRL..=SAR_PATT_TAB2 | ARB_CTRL | FILTER_CTRL0 | THRES0_CTRL..=THRES_CTRL | INT_ENA => Write::Stored,
            DMA_CONF | CLKM_CONF | TSENS_CTRL | TSENS_CTRL2 | CALI | CTRL_DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }

    /// Lets a conversion end that is over by `now`.
    pub fn settle(&mut self, analog: &AnalogBus, now: Ticks) {
        let Some((sample, _)) = self.converting.filter(|(_, over)| *over <= now) else { return };
        self.converting = None;
        for (n, selected) in [SAMPLE_ADC1, SAMPLE_ADC2].into_iter().enumerate() {
            if sample & selected != 0 {
                self.results[n] = self.convert(n, sample, analog);
                self.raw |= selected;
            }
        }
    }

    fn convert(&self, converter: usize, sample: u32, analog: &AnalogBus) -> u32 {
        let channel = (sample >> 25 & 7) as usize;
        let pin = if converter == 0 { channel } else { 5 + channel };
        let is_grounded = analog.read_register(BLOCK, BLOCK_ENCAL_GROUND) & ENCAL_GROUND[converter] != 0;
        let millivolts = self.inputs_mv.get(pin).filter(|_| !is_grounded).map_or(0, |mv| i64::from(*mv));
        let attenuation = ATTENUATION_PER_MILLE[(sample >> 23 & 3) as usize];
        let (low, high) = BLOCK_INITIAL_CODE[converter];
        let initial =
            i64::from(analog.read_register(BLOCK, low)) | i64::from(analog.read_register(BLOCK, high) & 0xf) << 8;
        let code = millivolts * 1_000 * CODE_MAX / (REFERENCE_MV * attenuation) + OFFSET - initial;
        // Above the code stands the channel, by which ADC2's results are found valid.
        code.clamp(0, CODE_MAX) as u32 | (channel as u32) << 13
    }

    /// The sensor's code: 0.4386 °C a step, from -20.52 °C, moved by 27.88 °C for each step of the range that the block's
    /// DAC selects (ESP-IDF, `temperature_sensor_ll.h` and `temperature_sensor_periph.c`).
    fn temperature(&self, registers: &RegisterFile, analog: &AnalogBus) -> u32 {
        if registers.get(TSENS_CTRL) & TSENS_POWER_UP == 0 {
            return 0;
        }
        let range = match analog.read_register(BLOCK, BLOCK_TSENS_DAC) & 0xf {
            5 => -2,
            7 => -1,
            11 => 1,
            10 => 2,
            _ => 0,
        };
        let code = (self.temperature_centidegrees + 2_052 + 2_788 * range) * 100 / 4_386;
        code.clamp(0, 255) as u32
    }

    /// Whether the interrupt is asserted, in bit 0.
    pub fn interrupts(&self, registers: &RegisterFile) -> u64 {
        u64::from(self.raw & registers.get(INT_ENA) != 0)
    }

    /// When the conversion under way is over.
    pub fn next_event(&self) -> Ticks {
        self.converting.map_or(NEVER, |(_, over)| over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    struct Bench {
        adc: SarAdc,
        registers: RegisterFile,
        analog: AnalogBus,
        now: Ticks,
    }

    impl Bench {
        fn new() -> Self {
            let registers = RegisterFile::new(peripheral("APB_SARADC"), 0x1000);
            Self { adc: SarAdc::new(), registers, analog: AnalogBus::default(), now: 0 }
        }

        fn write(&mut self, offset: u32, value: u32) {
            let answer = self.adc.write(offset, value, &mut self.registers, &self.analog, self.now);
            if answer == Write::Stored {
                self.registers.set(offset, value);
            }
        }

        fn sample(&mut self, channel: u32, attenuation: u32) -> u32 {
            let select = SAMPLE_ADC1 | channel << 25 | attenuation << 23;
            self.write(INT_CLR, u32::MAX);
            self.write(ONETIME_SAMPLE, select);
            self.write(ONETIME_SAMPLE, select | SAMPLE_START);
            assert_eq!(
                self.adc.read(INT_RAW, &self.registers, &self.analog, self.now),
                Read::Value(0),
                "it takes time"
            );
            self.now = self.adc.next_event();
            assert_eq!(self.adc.read(INT_RAW, &self.registers, &self.analog, self.now), Read::Value(SAMPLE_ADC1));
            match self.adc.read(SAR1DATA_STATUS, &self.registers, &self.analog, self.now) {
                Read::Value(value) => value & 0xfff,
                other => panic!("{other:?}"),
            }
        }

        fn set_initial_code(&mut self, code: u32) {
            self.analog.write_register(BLOCK, 0, code as u8);
            self.analog.write_register(BLOCK, 1, (code >> 8) as u8);
        }
    }

    #[test]
    fn self_calibration_finds_the_offset_and_the_voltage_is_then_right() {
        let mut bench = Bench::new();
        bench.adc.set_input(3, 500);
        bench.analog.write_register(BLOCK, BLOCK_ENCAL_GROUND, ENCAL_GROUND[0]);
        // As ESP-IDF's adc_hal_self_calibration does: the smallest initial code at which ground reads 0.
        let (mut low, mut high) = (0, 4_096);
        while high - low > 1 {
            let middle = (low + high) / 2;
            bench.set_initial_code(middle);
            if bench.sample(0, 0) == 0 { high = middle } else { low = middle }
        }
        bench.set_initial_code(high);
        bench.analog.write_register(BLOCK, BLOCK_ENCAL_GROUND, 0);
        // 500 mV of 1100 mV, without attenuation and with 12 dB, which divide by 3.98.
        assert_eq!(bench.sample(3, 0), 4_095 * 500 / 1_100);
        assert_eq!(bench.sample(3, 3), 4_095 * 500_000 / (1_100 * 3_981));
        assert_eq!(bench.sample(2, 0), 0, "another pin");
    }

    #[test]
    fn the_sensor_says_twenty_five_degrees_in_every_range() {
        let mut bench = Bench::new();
        bench.registers.set(TSENS_CTRL, TSENS_POWER_UP);
        for (dac, range) in [(15, 0.0), (11, 1.0), (7, -1.0)] {
            bench.analog.write_register(BLOCK, BLOCK_TSENS_DAC, dac);
            let Read::Value(value) = bench.adc.read(TSENS_CTRL, &bench.registers, &bench.analog, 0) else { panic!() };
            // ESP-IDF's formula: 0.4386 * raw - 27.88 * offset - 20.52.
            let celsius = 0.4386 * f64::from(value & 0xff) - 27.88 * range - 20.52;
            assert!((celsius - 25.0).abs() < 0.5, "{dac}: {celsius}");
        }
    }
}
