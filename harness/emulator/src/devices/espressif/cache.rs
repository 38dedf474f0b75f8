//! EXTMEM and the MMU table: which page of the flash shows at which address, and cache operations.
//!
//! (Technical reference manual, chapter "System and Memory".) One table of 128 entries serves both buses: entry `n`
//! shows a flash page at 0x3C00_0000 and at 0x4200_0000 plus `n` times 64 KiB. The cache itself holds nothing in the
//! model, so an invalidation is over at once.

use serde::{Deserialize, Serialize};

use super::time::Ticks;
use crate::machine::device::{Device, Read, Write};
use crate::machine::registers::RegisterFile;

/// The data bus's view of the flash.
pub(crate) const DATA_BASE: u32 = 0x3c00_0000;
/// The instruction bus's view of the flash.
pub(crate) const INSTRUCTION_BASE: u32 = 0x4200_0000;
/// Entries in the MMU table, and so pages on each bus.
pub(crate) const ENTRIES: u32 = 128;
/// An entry that shows nothing.
pub(crate) const INVALID: u32 = 1 << 8;

const CTRL1: u32 = 0x04;
const TAG_POWER_CTRL: u32 = 0x08;
const PRELOCK_CTRL: u32 = 0x0c;
const LOCK_CTRL: u32 = 0x1c;
const SYNC_CTRL: u32 = 0x28;
const SYNC_SIZE: u32 = 0x30;
const PRELOAD_CTRL: u32 = 0x34;
const AUTOLOAD_CTRL: u32 = 0x40;
const AUTOLOAD_SCT1_SIZE: u32 = 0x50;
const DBUS_END: u32 = 0x60;
const ACS_INT_ST: u32 = 0x8c;
const MMU_POWER_CTRL: u32 = 0xac;
const CACHE_STATE: u32 = 0xb0;
const CONF_MISC: u32 = 0xc8;
const FREEZE: u32 = 0xcc;
const PMS_LAST: u32 = 0xfc;
const CLOCK_GATE: u32 = 0x100;
const DATE: u32 = 0x3fc;

/// EXTMEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cache;

impl Device for Cache {
    fn read(&mut self, offset: u32, registers: &RegisterFile, _now: Ticks) -> Read {
        let value = registers.get(offset);
        match offset {
            // "Done" stands as soon as an operation is asked for, and the request bit is clear again.
            SYNC_CTRL | PRELOAD_CTRL => Read::Value(value & !1 | 2),
            LOCK_CTRL => Read::Value(value & !3 | 4),
            AUTOLOAD_CTRL => Read::Value(value | 8),
            FREEZE => Read::Value(value & !4 | (value & 1) << 2),
            // The state machine is idle.
            CACHE_STATE => Read::Value(1),
            0..=CTRL1 | TAG_POWER_CTRL | PRELOCK_CTRL..=AUTOLOAD_SCT1_SIZE | 0x54..=DBUS_END => Read::Stored,
            0x78..=ACS_INT_ST | 0xa8..=MMU_POWER_CTRL | 0xb8..=CONF_MISC | 0xd0..=PMS_LAST | CLOCK_GATE | DATE => {
                Read::Stored
            }
            _ => Read::Unmodelled,
        }
    }

    fn write(&mut self, offset: u32, _value: u32, _registers: &mut RegisterFile, _now: Ticks) -> Write {
        match offset {
            0..=SYNC_SIZE | PRELOAD_CTRL..=DBUS_END | 0x78..=ACS_INT_ST | 0xa8..=MMU_POWER_CTRL => Write::Stored,
            0xb8..=PMS_LAST | CLOCK_GATE | DATE => Write::Stored,
            _ => Write::Unmodelled,
        }
    }
}
