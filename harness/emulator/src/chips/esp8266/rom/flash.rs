//! The ROM's flash functions, and those of the cache that shows the flash.

use super::super::map::{DeviceName, MAP, row_of_device};
use super::super::soc::{CACHE_CONTROL, CACHE_MEGABYTES_SHIFT, CACHE_ODD, CACHE_ON};
use super::variables::FLASH_CHIP;
use super::{BadAddress, Function, LENGTH_MAX, Machine, Outcome, returned, zero};
use crate::devices::esp8266::flash_controller::read_time;
use crate::machine::flash::{PAGE_BYTES, SECTOR_BYTES};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("SPIRead", read),
    ("SPIWrite", write),
    ("SPIEraseSector", erase_sector),
    ("SPIEraseBlock", erase_block),
    ("SPIEraseArea", erase_area),
    ("SPIEraseChip", erase_chip),
    ("SPIParamCfg", param_cfg),
    ("SPIUnlock", zero),
    ("SPILock", zero),
    ("SPIReadModeCnfig", zero),
    ("SelectSpiFunction", zero),
    ("spi_flash_attach", zero),
    ("Wait_SPI_Idle", zero),
    ("Enable_QMode", zero),
    ("SPI_write_enable", zero),
    ("SPI_read_status", read_status),
    ("SPI_write_status", write_status),
    ("Cache_Read_Enable", cache_enable),
    ("Cache_Read_Disable", cache_disable),
];

/// Cache RAM, in DPORT: how much of IRAM the cache takes.
const CACHE_RAM: u32 = 0x24;
const CACHE_RAM_HALF: u32 = 0x08;
const CACHE_RAM_WHOLE: u32 = 0x18;

/// `SPIRead(address, destination, length)`: by words.
fn read(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [address, destination, length] = [0, 1, 2].map(|n| machine.argument(n));
    if length > LENGTH_MAX {
        return Err(BadAddress { address: destination, store: true });
    }
    let mut bytes = vec![0; length.next_multiple_of(4) as usize];
    machine.soc.flash_access(machine.memory).read(address, &mut bytes);
    machine.write_bytes(destination, &bytes)?;
    Ok(machine.busy_for(read_time(length)))
}

/// `SPIWrite(address, source, length)`
fn write(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [address, source, length] = [0, 1, 2].map(|n| machine.argument(n));
    let bytes = machine.read_vec(source, length)?;
    let takes = machine.soc.flash_access(machine.memory).program(address, &bytes);
    Ok(machine.busy_for(takes))
}

/// Where a sector or a block begins; `None` if the flash, as its description has it, is smaller. Some SDKs ask for sectors
/// by their addresses, and live by being refused.
fn beginning(machine: &Machine<'_>, unit_bytes: u32) -> Result<Option<u32>, BadAddress> {
    let size_bytes = machine.read_word(FLASH_CHIP + 4)?;
    Ok(machine.argument(0).checked_mul(unit_bytes).filter(|at| *at < size_bytes))
}

fn refuse(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.set_result(1);
    returned(20)
}

fn erase_sector(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let Some(address) = beginning(machine, SECTOR_BYTES)? else { return refuse(machine) };
    let takes = machine.soc.flash_access(machine.memory).erase_sector(address);
    Ok(machine.busy_for(takes))
}

fn erase_block(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let Some(address) = beginning(machine, PAGE_BYTES)? else { return refuse(machine) };
    let takes = machine.soc.flash_access(machine.memory).erase_block(address);
    Ok(machine.busy_for(takes))
}

/// `SPIEraseArea(address, length)`: whole sectors.
fn erase_area(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let (begin, length) = (machine.argument(0), machine.argument(1).min(machine.soc.flash.size_bytes()));
    let sectors = begin / SECTOR_BYTES..begin.saturating_add(length).div_ceil(SECTOR_BYTES);
    let mut access = machine.soc.flash_access(machine.memory);
    let takes = sectors.map(|sector| access.erase_sector(sector * SECTOR_BYTES)).sum();
    Ok(machine.busy_for(takes))
}

fn erase_chip(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let takes = machine.soc.flash_access(machine.memory).erase_chip();
    Ok(machine.busy_for(takes))
}

/// `SPIParamCfg(identity, size, block, sector, page, mask)`: what the description of the flash holds.
fn param_cfg(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    for n in 0..6 {
        machine.write_word(FLASH_CHIP + 4 * u32::from(n), machine.argument(n))?;
    }
    machine.set_result(0);
    returned(20)
}

/// `SPI_read_status(chip, &status)`
fn read_status(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let status = machine.soc.flash_part.status(machine.now());
    machine.write_word(machine.argument(1), status)?;
    machine.set_result(0);
    returned(100)
}

/// `SPI_write_status(chip, status)`
fn write_status(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let status = machine.argument(1);
    machine.soc.flash_part.set_status(status);
    machine.set_result(0);
    returned(100)
}

fn dport() -> u32 {
    MAP[row_of_device(DeviceName::Dport)].base
}

/// `Cache_Read_Enable(odd, two megabytes, whole RAM)`: which megabyte is shown, and how much RAM that costs.
fn cache_enable(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [odd, megabytes, whole] = [0, 1, 2].map(|n| machine.argument(n));
    let control = machine.load_register(dport() + CACHE_CONTROL);
    let kept = control & !(CACHE_ODD | 7 << CACHE_MEGABYTES_SHIFT | 1 << 26);
    let half = if odd == 0 { 0 } else { CACHE_ODD };
    let shown = half | (megabytes & 7) << CACHE_MEGABYTES_SHIFT | (whole & 1) << 26 | CACHE_ON;
    machine.store_register(dport() + CACHE_CONTROL, kept | shown);
    let ram = machine.load_register(dport() + CACHE_RAM);
    let takes = if whole == 0 { CACHE_RAM_HALF } else { CACHE_RAM_WHOLE };
    machine.store_register(dport() + CACHE_RAM, ram | takes);
    returned(200)
}

fn cache_disable(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let control = machine.load_register(dport() + CACHE_CONTROL);
    machine.store_register(dport() + CACHE_CONTROL, control & !CACHE_ON);
    machine.set_result(0);
    returned(100)
}
