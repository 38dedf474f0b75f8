//! The chip's address map, as data: the dispatch and the printed map both come from it.

use super::registers::peripheral;
use crate::machine::map::{self, Modelled, NO_PERIPHERAL, row};

/// A stretch of the address space.
pub(crate) type Row = map::Row<DeviceName>;

/// Which device of the model serves a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    None,
    Dport,
    WifiMac,
    Uart0,
    Uart1,
    FlashController,
    UserSpi,
    Gpio,
    Timers,
    Rtc,
    RtcMemory,
    Sar,
    Watchdog,
}

use DeviceName as D;
use Modelled::{Behaviour, Memory, Storage};

/// Everything that has an address, in its order.
pub(crate) const MAP: &[Row] = &[
    row(
        0x3ff0_0000,
        0x100,
        "DPORT",
        Behaviour,
        D::Dport,
        "cache window, edges, NMI, CPU clock, fuses; the rest is storage",
    ),
    row(
        0x3ff2_0000,
        0x1600,
        "WDEV",
        Behaviour,
        D::WifiMac,
        "802.11 MAC, keys, time, random numbers; no HT, no aggregation",
    ),
    row(0x3ffe_8000, 0x1_4000, "DRAM", Memory, D::None, "80 KiB"),
    row(0x3fff_c000, 0x4000, "ROM RAM", Memory, D::None, "the ROM's variables, and the stack that images start with"),
    row(
        0x4000_0000,
        0x1_0000,
        "ROM",
        Memory,
        D::None,
        "functions modelled at their addresses, boot included; no bytes",
    ),
    row(
        0x4010_0000,
        0x1_0000,
        "IRAM",
        Memory,
        D::None,
        "by words alone; the cache's part is there whether it is used or not",
    ),
    row(
        0x4020_0000,
        0x10_0000,
        "FLASH",
        Memory,
        D::None,
        "one of the flash's megabytes, by words alone; no cache misses",
    ),
    row(
        0x6000_0000,
        0x100,
        "UART0",
        Behaviour,
        D::Uart0,
        "FIFOs, baud rate, interrupts; autobaud done at once; no errors",
    ),
    row(0x6000_0100, 0x100, "SPI1", Storage, D::UserSpi, "commands are over at once, and nobody is there"),
    row(
        0x6000_0200,
        0x100,
        "SPI0",
        Behaviour,
        D::FlashController,
        "flash commands with data-sheet times; addresses wrap",
    ),
    row(0x6000_0300, 0x100, "GPIO", Behaviour, D::Gpio, "levels, open drain, pin interrupts; no sigma-delta"),
    row(0x6000_0400, 0x200, "RF", Storage, D::None, "radio front end"),
    row(0x6000_0600, 0x100, "FRC", Behaviour, D::Timers, "both timers"),
    row(0x6000_0700, 0x100, "RTC", Behaviour, D::Rtc, "resets, counter, deep sleep with GPIO16 on RST, light sleep"),
    row(0x6000_0800, 0x100, "IO_MUX", Storage, D::None, "pins are GPIOs, whatever is chosen"),
    row(0x6000_0900, 0x100, "WDT", Behaviour, D::Watchdog, "interrupt, then reset"),
    row(0x6000_0a00, 0x500, "ANALOG", Behaviour, D::Sar, "ADC at TOUT, done at once; the rest is storage"),
    row(0x6000_0f00, 0x100, "UART1", Behaviour, D::Uart1, "as UART0"),
    row(0x6000_1000, 0x400, "RTC memory", Storage, D::RtcMemory, "survives all but a power-on"),
    row(0x6000_9800, 0x800, "BB", Storage, D::None, "radio baseband"),
];

/// Where registers are: the rows that are not memory.
pub(crate) fn is_register(address: u32) -> bool {
    (0x3ff0_0000..0x3ff4_0000).contains(&address) || (0x6000_0000..0x6001_0000).contains(&address)
}

/// Where in `MAP` a device's row is. Every device has one.
pub(crate) fn row_of_device(name: DeviceName) -> usize {
    MAP.iter().position(|row| row.device == name).unwrap_or(0)
}

/// The row of `MAP` that `address` lies in.
pub(crate) fn row_of(address: u32) -> Option<usize> {
    let after = MAP.partition_point(|row| row.base <= address);
    let index = after.checked_sub(1)?;
    (address - MAP[index].base < MAP[index].size).then_some(index)
}

/// What the register at `address` is called, as far as it has a name.
pub(crate) fn name_of(address: u32) -> String {
    let row = row_of(address).map(|index| &MAP[index]);
    row.map_or_else(|| NO_PERIPHERAL.to_owned(), |row| row.register_name(address, peripheral(row.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_do_not_overlap() {
        for pair in MAP.windows(2) {
            assert!(pair[0].base + (pair[0].size - 1) < pair[1].base, "{} and {}", pair[0].name, pair[1].name);
        }
        assert_eq!(row_of(0x6000_13ff).map(|index| MAP[index].name), Some("RTC memory"));
        assert_eq!(row_of(0x6000_1400), None);
        assert_eq!(row_of(0), None);
        assert_eq!(name_of(0x6000_0628), "FRC.FRC2_CTRL");
    }

    #[test]
    fn the_map_fits_one_screen() {
        let printed = map::printed(MAP);
        assert!(printed.lines().count() <= 40);
        assert!(printed.lines().all(|line| line.trim_end().chars().count() <= 120), "{printed}");
    }
}
