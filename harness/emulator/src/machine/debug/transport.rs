//! The debug transport module: the data registers of a JTAG port by which a debugger reads and writes the debug
//! module's words (RISC-V External Debug Support 0.13.2, section 6.1).

use serde::{Deserialize, Serialize};

use super::module::DebugModule;
use super::tap::{Edge, IDCODE, Tap};
use super::target::Target;

/// The instruction that selects `dtmcs`.
const DTMCS: u32 = 0x10;
/// The instruction that selects `dmi`.
const DMI: u32 = 0x11;

/// Bits of a debug module's address.
const ADDRESS_BITS: u32 = 7;
/// `dmi`: address, 32 bits of data, 2 of operation or status.
const DMI_BITS: u32 = ADDRESS_BITS + 34;
/// `dtmcs`: version 0.13, no idle cycles needed, as every access is over when it is asked for.
const DTMCS_VALUE: u64 = 1 | (ADDRESS_BITS as u64) << 4;

/// A JTAG port with a debug module behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transport {
    /// The debug module.
    pub module: DebugModule,
    tap: Tap,
    idcode: u32,
    /// The port does not answer: it is fused off.
    fused_off: bool,
    address: u32,
    data: u32,
}

impl Transport {
    /// A port that calls itself `idcode`; one that is fused off never drives its output.
    pub fn new(idcode: u32, fused_off: bool, module: DebugModule) -> Self {
        Self { module, tap: Tap::default(), idcode, fused_off, address: 0, data: 0 }
    }

    /// TDO between the edges; a pull-up holds the line where nobody drives it.
    pub fn tdo(&self) -> bool {
        self.fused_off || self.tap.tdo().unwrap_or(true)
    }

    /// TRST, or five clocks with TMS high.
    pub fn reset(&mut self) {
        self.tap = Tap::default();
    }

    /// The chip's power has come on: the debug module is off.
    pub fn power_on(&mut self) {
        self.reset();
        self.module.power_on();
    }

    /// TCK rises.
    pub fn rise(&mut self, tms: bool, tdi: bool, target: &mut dyn Target) {
        if self.fused_off {
            return;
        }
        match (self.tap.rise(tms, tdi), self.tap.instruction()) {
            (Edge::None | Edge::Reset, _) => {}
            (Edge::Capture, IDCODE) => self.tap.load(u64::from(self.idcode), 32),
            (Edge::Capture, DTMCS) => self.tap.load(DTMCS_VALUE, 32),
            // Status 0: no access ever fails or is still under way.
            (Edge::Capture, DMI) => {
                let value = u64::from(self.address) << 34 | u64::from(self.data) << 2;
                self.tap.load(value, DMI_BITS);
            }
            (Edge::Capture, _) => self.tap.load(0, 1),
            (Edge::Update(value), DMI) => self.access(value, target),
            // `dmireset` and `dmihardreset` clear what never is.
            (Edge::Update(_), _) => {}
        }
    }

    fn access(&mut self, value: u64, target: &mut dyn Target) {
        const READ: u64 = 1;
        const WRITE: u64 = 2;
        let (address, data) = ((value >> 34) as u32 & ((1 << ADDRESS_BITS) - 1), (value >> 2) as u32);
        match value & 3 {
            READ => {
                self.address = address;
                self.data = self.module.read(address, target);
            }
            WRITE => {
                self.address = address;
                self.data = data;
                self.module.write(address, data, target);
            }
            _ => {}
        }
    }
}
