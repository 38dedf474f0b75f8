//! System bus access: memory and registers without the hart (RISC-V External Debug Support 0.13.2, section 3.10).

use serde::{Deserialize, Serialize};

use super::target::Target;
use crate::machine::access::Width;

const BUSY_ERROR: u32 = 1 << 22;
const READ_ON_ADDRESS: u32 = 1 << 20;
const AUTO_INCREMENT: u32 = 1 << 16;
const READ_ON_DATA: u32 = 1 << 15;
const CONTROL: u32 = READ_ON_ADDRESS | 7 << 17 | AUTO_INCREMENT | READ_ON_DATA;
/// `sbcs`: version 1, addresses of 32 bits, accesses of 32, 16 and 8.
const CAPABILITIES: u32 = 1 << 29 | 32 << 5 | 0b111;
/// 32-bit accesses out of reset, as the specification has it.
const CONTROL_AT_RESET: u32 = 2 << 17;

/// What went wrong: `sbcs.sberror`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
enum BusError {
    #[default]
    None = 0,
    BadAddress = 2,
    Misaligned = 3,
    Size = 4,
}

/// The registers of system bus access.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SystemBus {
    control: u32,
    error: BusError,
    address: u32,
    data: u32,
}

impl Default for SystemBus {
    fn default() -> Self {
        Self { control: CONTROL_AT_RESET, error: BusError::None, address: 0, data: 0 }
    }
}

impl SystemBus {
    /// `sbcs`.
    pub(super) fn status(&self) -> u32 {
        CAPABILITIES | self.control | (self.error as u32) << 12
    }

    /// A write to `sbcs`.
    pub(super) fn set_control(&mut self, value: u32) {
        debug_assert_eq!(self.control & BUSY_ERROR, 0, "nothing is ever busy");
        self.control = value & CONTROL;
        if value >> 12 & 7 & self.error as u32 == self.error as u32 {
            self.error = BusError::None;
        }
    }

    /// `sbaddress0`.
    pub(super) fn address(&self) -> u32 {
        self.address
    }

    /// A write to `sbaddress0`.
    pub(super) fn set_address(&mut self, value: u32, target: &mut dyn Target) {
        self.address = value;
        if self.control & READ_ON_ADDRESS != 0 {
            self.read(target);
        }
    }

    /// A read of `sbdata0`.
    pub(super) fn read_data(&mut self, target: &mut dyn Target) -> u32 {
        let data = self.data;
        if self.control & READ_ON_DATA != 0 {
            self.read(target);
        }
        data
    }

    /// A write to `sbdata0`.
    pub(super) fn write_data(&mut self, value: u32, target: &mut dyn Target) {
        self.data = value;
        let address = self.address;
        self.access(|width| target.write_bus(address, width, value).ok());
    }

    fn read(&mut self, target: &mut dyn Target) {
        let address = self.address;
        if let Some(value) = self.access(|width| target.read_bus(address, width).ok()) {
            self.data = value;
        }
    }

    fn access<T>(&mut self, act: impl FnOnce(Width) -> Option<T>) -> Option<T> {
        if self.error != BusError::None {
            return None;
        }
        let width = match self.control >> 17 & 7 {
            0 => Width::Byte,
            1 => Width::Half,
            2 => Width::Word,
            _ => {
                self.error = BusError::Size;
                return None;
            }
        };
        if !self.address.is_multiple_of(width.bytes()) {
            self.error = BusError::Misaligned;
            return None;
        }
        let result = act(width);
        if result.is_none() {
            self.error = BusError::BadAddress;
        } else if self.control & AUTO_INCREMENT != 0 {
            self.address = self.address.wrapping_add(width.bytes());
        }
        result
    }
}
