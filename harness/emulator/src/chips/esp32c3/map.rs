//! The chip's address map, as data: the dispatch and the printed map both come from it.

use super::registers::peripheral;
use crate::machine::map::{self, Modelled, NO_PERIPHERAL, row};

/// A stretch of the address space.
pub(crate) type Row = map::Row<DeviceName>;

/// Which device of the model serves a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    None,
    Uart0,
    Uart1,
    FlashController,
    Gpio,
    IoMux,
    Rtc,
    Efuse,
    AnalogBus,
    AnalogI2c,
    FrontEnd,
    WifiMac,
    WifiPower,
    TimerGroup0,
    TimerGroup1,
    SystemTimer,
    ApbControl,
    Aes,
    Sha,
    Rsa,
    Hmac,
    Gdma,
    SarAdc,
    UsbSerialJtag,
    System,
    InterruptMatrix,
    Cache,
    MmuTable,
    XtsAes,
    AssistDebug,
}

use DeviceName as D;
use Modelled::{Behaviour, Memory, Storage, Unmodelled};

/// Everything that has an address, in its order.
pub(crate) const MAP: &[Row] = &[
    row(0x3c00_0000, 0x80_0000, "DROM", Memory, D::None, "flash on the data bus, by 64 KiB pages"),
    row(0x3fc8_0000, 0x6_0000, "DRAM", Memory, D::None, "384 KiB, the same bytes as IRAM"),
    row(0x3ff0_0000, 0x2_0000, "ROM data", Memory, D::None, "with a real ROM only"),
    row(
        0x4000_0000,
        0x6_0000,
        "ROM",
        Memory,
        D::None,
        "functions modelled at their addresses, boot included; or a real ROM",
    ),
    row(0x4037_c000, 0x4000, "ICACHE RAM", Memory, D::None, "16 KiB that the cache leaves over"),
    row(0x4038_0000, 0x6_0000, "IRAM", Memory, D::None, "384 KiB, the same bytes as DRAM"),
    row(0x4200_0000, 0x80_0000, "IROM", Memory, D::None, "flash on the instruction bus, by 64 KiB pages"),
    row(0x5000_0000, 0x2000, "RTC FAST", Memory, D::None, "8 KiB, survives all but a power-on"),
    row(0x6000_0000, 0x1000, "UART0", Behaviour, D::Uart0, "FIFOs, baud rate, interrupts; no flow control, no errors"),
    row(
        0x6000_2000,
        0x1000,
        "SPI1",
        Behaviour,
        D::FlashController,
        "flash commands, over when issued; QE, SFDP, unique id",
    ),
    row(0x6000_3000, 0x1000, "SPI0", Storage, D::None, "the cache reads the flash directly"),
    row(0x6000_4000, 0xf00, "GPIO", Behaviour, D::Gpio, "levels, pulls, pin interrupts; the matrix is storage"),
    row(0x6000_4f00, 0x100, "GPIO_SD", Storage, D::None, "sigma-delta modulation"),
    row(0x6000_5000, 0x1000, "FE2", Storage, D::None, "radio front end"),
    row(
        0x6000_6000,
        0x1000,
        "FE",
        Behaviour,
        D::FrontEnd,
        "radio front end: calibrations are over at once; else storage",
    ),
    row(0x6000_8000, 0x800, "RTC_CNTL", Behaviour, D::Rtc, "timer, watchdog, resets, kept registers; no sleep"),
    row(0x6000_8800, 0x200, "EFUSE", Behaviour, D::Efuse, "eleven blocks, burning, protection; no Reed-Solomon code"),
    row(0x6000_9000, 0x1000, "IO_MUX", Behaviour, D::IoMux, "pulls; the rest of a pad is storage"),
    row(
        0x6000_e000,
        0x40,
        "I2C_ANA_BUS",
        Behaviour,
        D::AnalogBus,
        "stub: blocks keep bytes, what they search is found at once",
    ),
    row(
        0x6000_e040,
        0x1c0,
        "I2C_ANA_MST",
        Behaviour,
        D::AnalogI2c,
        "stub: PLL and radio calibrations are over as soon as asked",
    ),
    row(0x6001_0000, 0x1000, "UART1", Behaviour, D::Uart1, "as UART0"),
    row(0x6001_1000, 0x2000, "COEX", Storage, D::None, "radio coexistence"),
    row(0x6001_3000, 0x1000, "I2C0", Unmodelled, D::None, ""),
    row(0x6001_4000, 0x1000, "UHCI0", Unmodelled, D::None, ""),
    row(0x6001_6000, 0x1000, "RMT", Unmodelled, D::None, ""),
    row(0x6001_9000, 0x1000, "LEDC", Unmodelled, D::None, ""),
    row(0x6001_c000, 0xc00, "AGC", Storage, D::None, "radio gain control"),
    row(0x6001_cc00, 0x400, "NRX", Storage, D::None, "radio"),
    row(0x6001_d000, 0x1000, "BB", Storage, D::None, "radio baseband"),
    row(0x6001_f000, 0x1000, "TIMG0", Behaviour, D::TimerGroup0, "timer, watchdog; clock calibration is over at once"),
    row(0x6002_0000, 0x1000, "TIMG1", Behaviour, D::TimerGroup1, "as TIMG0"),
    row(0x6002_3000, 0x1000, "SYSTIMER", Behaviour, D::SystemTimer, "two counters, three comparators"),
    row(0x6002_4000, 0x1000, "SPI2", Unmodelled, D::None, ""),
    row(0x6002_6000, 0x1000, "APB_CTRL", Behaviour, D::ApbControl, "seeded random numbers at 0xB0; else storage"),
    row(0x6002_b000, 0x1000, "TWAI0", Unmodelled, D::None, ""),
    row(0x6002_d000, 0x1000, "I2S0", Unmodelled, D::None, ""),
    row(
        0x6003_3000,
        0x2000,
        "WIFI_MAC",
        Behaviour,
        D::WifiMac,
        "frames of 802.11g, keys; filters and rates are storage",
    ),
    row(0x6003_5000, 0x1000, "WIFI_PWR", Behaviour, D::WifiPower, "TSF, beacon times, timers; power saving is storage"),
    row(0x6003_a000, 0x1000, "AES", Behaviour, D::Aes, "blocks, and ECB, CBC, OFB, CTR, CFB by DMA; over at once"),
    row(0x6003_b000, 0x1000, "SHA", Behaviour, D::Sha, "SHA-1, SHA-224, SHA-256, also by DMA; over at once"),
    row(
        0x6003_c000,
        0x1000,
        "RSA",
        Behaviour,
        D::Rsa,
        "products, residues, powers; Montgomery constants are not checked",
    ),
    row(0x6003_d000, 0x1000, "DS", Unmodelled, D::None, "digital signature"),
    row(0x6003_e000, 0x1000, "HMAC", Behaviour, D::Hmac, "SHA-256 under eFuse keys for firmware; not for DS and JTAG"),
    row(0x6003_f000, 0x1000, "DMA", Behaviour, D::Gdma, "for AES, SHA and memory to memory; over at once"),
    row(0x6004_0000, 0x1000, "APB_SARADC", Behaviour, D::SarAdc, "single samples without noise, temperature; no DMA"),
    row(0x6004_3000, 0x1000, "USB_DEVICE", Behaviour, D::UsbSerialJtag, "serial port with a host that reads; no JTAG"),
    row(0x600c_0000, 0x1000, "SYSTEM", Behaviour, D::System, "CPU clock, software interrupts; gates are storage"),
    row(0x600c_1000, 0x1000, "SENSITIVE", Storage, D::None, "world and memory permissions are not enforced"),
    row(0x600c_2000, 0x1000, "INTERRUPT_CORE0", Behaviour, D::InterruptMatrix, "62 sources, 31 lines"),
    row(0x600c_4000, 0x1000, "EXTMEM", Behaviour, D::Cache, "stub: operations are done when asked; nothing is cached"),
    row(0x600c_5000, 0x1000, "MMU_TABLE", Behaviour, D::MmuTable, "flash pages shown at DROM and IROM"),
    row(0x600c_c000, 0x1000, "XTS_AES", Behaviour, D::XtsAes, "states alone: nothing is encrypted, which is told"),
    row(0x600c_e000, 0x1000, "ASSIST_DEBUG", Behaviour, D::AssistDebug, "PC at a reset; its monitors are storage"),
];

/// Where registers are: an address in here that no row has is an unmodelled register, one outside is a bus error.
pub(crate) const REGISTERS: core::ops::Range<u32> = 0x6000_0000..0x600d_1000;

/// The first row of `MAP` that ends in or behind each 4 KiB page of [`REGISTERS`].
static FIRST_ROW_OF_PAGE: [u8; 0xd1] = {
    let mut first = [0; 0xd1];
    let mut page = 0;
    while page < first.len() {
        let base = REGISTERS.start + page as u32 * 0x1000;
        let mut row = 0;
        while row < MAP.len() && MAP[row].base + (MAP[row].size - 1) < base {
            row += 1;
        }
        first[page] = row as u8;
        page += 1;
    }
    first
};

/// Where in `MAP` each device's row is; 0 for those without one. A device that is named behind the last does not compile.
static ROW_OF_DEVICE: [u8; D::AssistDebug as usize + 1] = {
    let mut rows = [0; D::AssistDebug as usize + 1];
    let mut row = 0;
    while row < MAP.len() {
        if !matches!(MAP[row].device, D::None) {
            rows[MAP[row].device as usize] = row as u8;
        }
        row += 1;
    }
    rows
};

/// Where in `MAP` a device's row is. Every device has one.
pub(crate) fn row_of_device(name: DeviceName) -> usize {
    usize::from(ROW_OF_DEVICE[name as usize])
}

/// The row of `MAP` that the register at `address` lies in.
pub(crate) fn row_of(address: u32) -> Option<usize> {
    let page = address.checked_sub(REGISTERS.start)? / 0x1000;
    let mut index = usize::from(*FIRST_ROW_OF_PAGE.get(page as usize)?);
    loop {
        let row = MAP.get(index).filter(|row| row.base <= address)?;
        if address - row.base < row.size {
            return Some(index);
        }
        index += 1;
    }
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
    }

    #[test]
    fn an_address_has_the_row_that_it_lies_in() {
        let name = |address| row_of(address).map(|index| MAP[index].name);
        assert_eq!(name(0x6000_4eff), Some("GPIO"));
        assert_eq!(name(0x6000_4f00), Some("GPIO_SD"));
        assert_eq!(name(0x6000_1000), None);
        assert_eq!(name(0), None);
    }

    #[test]
    fn the_map_fits_one_screen() {
        let printed = map::printed(MAP);
        assert!(printed.lines().count() <= 55, "{}", printed.lines().count());
        assert!(printed.lines().all(|line| line.trim_end().chars().count() <= 120), "{printed}");
    }
}
