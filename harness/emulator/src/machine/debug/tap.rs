//! The test access port: sixteen states, an instruction register, and the register that is being shifted.

use serde::{Deserialize, Serialize};

/// Bits of the instruction register, as the ESP32-C3 has them.
const INSTRUCTION_BITS: u32 = 5;
/// What the instruction register captures: the two lowest bits must be 01 (IEEE 1149.1, clause 7.1.1).
const INSTRUCTION_CAPTURED: u64 = 0b00001;

/// IDCODE, selected by Test-Logic-Reset.
pub(super) const IDCODE: u32 = 0x01;

/// A state of the port (IEEE 1149.1, figure 6-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    TestLogicReset,
    RunTestIdle,
    SelectDr,
    CaptureDr,
    ShiftDr,
    Exit1Dr,
    PauseDr,
    Exit2Dr,
    UpdateDr,
    SelectIr,
    CaptureIr,
    ShiftIr,
    Exit1Ir,
    PauseIr,
    Exit2Ir,
    UpdateIr,
}

impl State {
    const fn next(self, tms: bool) -> Self {
        match (self, tms) {
            (Self::TestLogicReset | Self::SelectIr, true) => Self::TestLogicReset,
            (Self::TestLogicReset | Self::RunTestIdle | Self::UpdateDr | Self::UpdateIr, false) => Self::RunTestIdle,
            (Self::RunTestIdle | Self::UpdateDr | Self::UpdateIr, true) => Self::SelectDr,
            (Self::SelectDr, false) => Self::CaptureDr,
            (Self::SelectDr, true) => Self::SelectIr,
            (Self::CaptureDr | Self::ShiftDr | Self::Exit2Dr, false) => Self::ShiftDr,
            (Self::CaptureDr | Self::ShiftDr, true) => Self::Exit1Dr,
            (Self::Exit1Dr | Self::PauseDr, false) => Self::PauseDr,
            (Self::Exit1Dr | Self::Exit2Dr, true) => Self::UpdateDr,
            (Self::PauseDr, true) => Self::Exit2Dr,
            (Self::SelectIr, false) => Self::CaptureIr,
            (Self::CaptureIr | Self::ShiftIr | Self::Exit2Ir, false) => Self::ShiftIr,
            (Self::CaptureIr | Self::ShiftIr, true) => Self::Exit1Ir,
            (Self::Exit1Ir | Self::PauseIr, false) => Self::PauseIr,
            (Self::Exit1Ir | Self::Exit2Ir, true) => Self::UpdateIr,
            (Self::PauseIr, true) => Self::Exit2Ir,
        }
    }
}

/// What a clock's rising edge asks of the registers behind the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Nothing.
    None,
    /// The port is in Test-Logic-Reset.
    Reset,
    /// The data register of the present instruction is to be loaded: answer with [`Tap::load`].
    Capture,
    /// The data register of the present instruction takes this value.
    Update(u64),
}

/// A test access port.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tap {
    state: State,
    instruction: u32,
    shifted: u64,
    bits: u32,
}

impl Default for Tap {
    fn default() -> Self {
        Self { state: State::TestLogicReset, instruction: IDCODE, shifted: 0, bits: 1 }
    }
}

impl Tap {
    /// The present instruction.
    pub fn instruction(&self) -> u32 {
        self.instruction
    }

    /// TDO, as it is once TCK has fallen: between edges, the lowest bit of what is being shifted. `None` while the
    /// output floats.
    pub fn tdo(&self) -> Option<bool> {
        matches!(self.state, State::ShiftDr | State::ShiftIr).then_some(self.shifted & 1 != 0)
    }

    /// Loads the data register: `bits` of `value`, after [`Edge::Capture`].
    pub fn load(&mut self, value: u64, bits: u32) {
        self.shifted = value;
        self.bits = bits.clamp(1, u64::BITS);
    }

    /// TCK rises.
    pub fn rise(&mut self, tms: bool, tdi: bool) -> Edge {
        if matches!(self.state, State::ShiftDr | State::ShiftIr) {
            self.shifted = self.shifted >> 1 | u64::from(tdi) << (self.bits - 1);
        }
        self.state = self.state.next(tms);
        match self.state {
            State::TestLogicReset => {
                self.instruction = IDCODE;
                Edge::Reset
            }
            State::CaptureIr => {
                self.load(INSTRUCTION_CAPTURED, INSTRUCTION_BITS);
                Edge::None
            }
            State::UpdateIr => {
                self.instruction = self.shifted as u32;
                Edge::None
            }
            // Loaded on entering the state: nothing can come between that and its own rising edge.
            State::CaptureDr => Edge::Capture,
            State::UpdateDr => Edge::Update(self.shifted),
            _ => Edge::None,
        }
    }
}
