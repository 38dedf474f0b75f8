//! What the ROM does for software round the chip: delays, the console, resets, clocks, caches, flash, interrupts.

use crate::cores::riscv::{Bus, Width};
use crate::machine::memory::Memory;

use super::super::map::DeviceName;
use super::{BadAddress, Function, Machine, Outcome, functions};
use crate::devices::espressif::cache;
use crate::devices::espressif::time::Ticks;
use crate::machine::flash::{PAGE_BYTES, SECTOR_BYTES};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("rtc_get_reset_reason", rtc_get_reset_reason),
    ("rtc_get_wakeup_cause", zero),
    ("software_reset", software_reset),
    ("software_reset_cpu", software_reset_cpu),
    ("ets_update_cpu_frequency", ets_update_cpu_frequency),
    ("ets_get_cpu_frequency", ets_get_cpu_frequency),
    ("ets_get_apb_freq", ets_get_apb_freq),
    ("ets_get_xtal_freq", ets_get_xtal_freq),
    ("ets_get_printf_channel", ets_get_printf_channel),
    ("rom_i2c_readReg", rom_i2c_read_reg),
    ("rom_i2c_writeReg", rom_i2c_write_reg),
    ("rom_i2c_readReg_Mask", rom_i2c_read_reg_mask),
    ("rom_i2c_writeReg_Mask", rom_i2c_write_reg_mask),
    ("ets_efuse_get_spiconfig", zero),
    ("ets_is_print_boot", zero),
    ("ets_intr_lock", ets_intr_lock),
    ("ets_intr_unlock", ets_intr_unlock),
    ("esprv_intc_int_set_priority", intc_set_priority),
    ("esprv_intc_int_set_threshold", intc_set_threshold),
    ("esprv_intc_int_enable", intc_enable),
    ("esprv_intc_int_disable", intc_disable),
    ("esprv_intc_int_set_type", intc_set_type),
    ("intr_matrix_set", intr_matrix_set),
    ("Cache_Get_ICache_Line_Size", cache_line_size),
    ("Cache_Get_Mode", zero),
    ("Cache_Set_Default_Mode", zero),
    ("Cache_Enable_Default_ICache_Mode", zero),
    ("ROM_Boot_Cache_Init", mmu_init),
    ("Cache_Invalidate_ICache_Items", zero),
    ("Cache_Invalidate_Addr", zero),
    ("Cache_Invalidate_ICache_All", zero),
    ("Cache_Mask_All", zero),
    ("Cache_UnMask_Dram0", zero),
    ("Cache_Suspend_ICache_Autoload", zero),
    ("Cache_Resume_ICache_Autoload", zero),
    ("Cache_Disable_ICache", zero),
    ("Cache_Enable_ICache", zero),
    ("Cache_Suspend_ICache", zero),
    ("Cache_Resume_ICache", zero),
    ("Cache_Freeze_ICache_Enable", zero),
    ("Cache_Freeze_ICache_Disable", zero),
    ("Cache_Set_IDROM_MMU_Size", zero),
    ("Cache_Owner_Init", zero),
    ("Cache_Occupy_ICache_MEMORY", zero),
    ("Cache_MMU_Init", mmu_init),
    ("Cache_Ibus_MMU_Set", mmu_set),
    ("Cache_Dbus_MMU_Set", mmu_set),
    ("esp_rom_spiflash_wait_idle", zero),
    ("esp_rom_spiflash_erase_chip", spiflash_erase_chip),
    ("esp_rom_spiflash_erase_block", spiflash_erase_block),
    ("esp_rom_spiflash_erase_sector", spiflash_erase_sector),
    ("esp_rom_spiflash_write", spiflash_write),
    ("esp_rom_spiflash_read", spiflash_read),
    ("esp_rom_spiflash_read_user_cmd", spiflash_read_user_command),
    ("esp_rom_spiflash_config_param", zero),
    ("esp_rom_spiflash_unlock", zero),
    ("esp_rom_spiflash_attach", zero),
    ("esp_rom_spiflash_config_clk", zero),
    ("esp_rom_spiflash_config_readmode", zero),
];

/// `ets_delay_us`'s loop, at its place in the ECO3 ROM: counts in a4 since when, in a0 for how long.
pub(super) const DELAY_LOOP: u32 = 0x4004_62dc;

/// Variables of the ROM that firmware or other ROM functions share (addresses: the ECO3 ROM's symbols).
const TICKS_PER_US: u32 = 0x3fcd_f64c;
const PRINTF_UART: u32 = 0x3fcd_f644;
const USB_PRINT: u32 = 0x3fcd_ffd0;
const UART_PRINT: u32 = 0x3fcd_ffd1;

/// `ets_get_printf_channel`'s number for USB-Serial-JTAG.
const CHANNEL_USB: u32 = 3;
const CSR_CYCLES: u16 = 0x802;

const RTC_OPTIONS0: u32 = 0x6000_8000;
const RTC_RESET_STATE: u32 = 0x6000_8038;
const MATRIX: u32 = 0x600c_2000;
const MATRIX_ENABLE: u32 = MATRIX + 0x104;
const MATRIX_TYPE: u32 = MATRIX + 0x108;
const MATRIX_PRIORITY: u32 = MATRIX + 0x114;
const MATRIX_THRESHOLD: u32 = MATRIX + 0x194;
const MMU_TABLE: u32 = 0x600c_5000;
const USB_EP1: u32 = 0x6004_3000;
const USB_EP1_CONF: u32 = 0x6004_3004;
const USB_IN_FREE: u32 = 1 << 1;

/// Sets the ROM's variables as they are when the second-stage bootloader hands over.
pub(crate) fn initialise(memory: &mut Memory, cpu_mhz: u32) {
    // RAM is there: these cannot fail.
    let _ = memory.write_word(TICKS_PER_US, cpu_mhz);
    let _ = memory.write_word(PRINTF_UART, 0);
    let _ = memory.write_slice(USB_PRINT, &[0]);
    let _ = memory.write_slice(UART_PRINT, &[1]);
}

/// Whether [`call_blocking`] has the function at `address`.
pub(super) fn is_blocking(address: u32) -> bool {
    const BLOCKING: [&str; 5] =
        ["ets_delay_us", "uart_tx_one_char", "uart_tx_one_char2", "uart_tx_flush", "uart_tx_wait_idle"];
    functions().get(&address).is_some_and(|name| BLOCKING.contains(name))
}

/// Calls a function that may have to wait (for time to pass, for room in a FIFO), or one that is not modelled.
pub(super) fn call_blocking(machine: &mut Machine<'_>, address: u32) -> Outcome {
    let result = match functions().get(&address).copied() {
        None if address == DELAY_LOOP => Ok(delay_loop(machine)),
        Some("ets_delay_us") => delay(machine),
        Some("uart_tx_one_char" | "uart_tx_one_char2") => uart_tx_one_char(machine),
        Some("uart_tx_flush" | "uart_tx_wait_idle") => uart_tx_flush(machine),
        _ => Ok(Outcome::Unmodelled),
    };
    result.unwrap_or_else(Outcome::from)
}

fn load(machine: &mut Machine<'_>, address: u32) -> u32 {
    let cycle = machine.hart.cycle();
    machine.soc.load(machine.memory, address, Width::Word, cycle).unwrap_or(0)
}

fn store(machine: &mut Machine<'_>, address: u32, value: u32) {
    let cycle = machine.hart.cycle();
    // All addresses here are registers, which answer.
    let _ = machine.soc.store(machine.memory, address, Width::Word, value, cycle);
}

fn zero(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    machine.set_result(0);
    Ok(20)
}

fn cycles_now(machine: &mut Machine<'_>) -> u32 {
    let cycle = machine.hart.cycle();
    machine.soc.csr_read(CSR_CYCLES, cycle).unwrap_or(0)
}

fn delay(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ticks_per_us = machine.read_word(TICKS_PER_US)?;
    let since = cycles_now(machine);
    machine.hart.set_register(14, since);
    machine.set_result(machine.argument(0).wrapping_mul(ticks_per_us));
    Ok(Outcome::Continue { address: DELAY_LOOP, cycles: 4 })
}

fn delay_loop(machine: &mut Machine<'_>) -> Outcome {
    let passed = cycles_now(machine).wrapping_sub(machine.argument(4));
    let left = machine.argument(0).saturating_sub(passed);
    if left == 0 {
        return Outcome::Return { cycles: 2 };
    }
    let until = machine.hart.cycle().saturating_add(u64::from(left));
    Outcome::WaitUntil(machine.soc.clock.ticks(until))
}

fn now(machine: &Machine<'_>) -> Ticks {
    machine.soc.clock.ticks(machine.hart.cycle())
}

fn uart_name(channel: u32) -> DeviceName {
    if channel == 1 { DeviceName::Uart1 } else { DeviceName::Uart0 }
}

fn uart_tx_one_char(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let byte = machine.argument(0) as u8;
    let channel = u32::from(machine.read_byte(PRINTF_UART)?);
    let to_usb = machine.read_byte(USB_PRINT)? != 0 || channel == CHANNEL_USB;
    let to_uart = machine.read_byte(UART_PRINT)? != 0 && channel != CHANNEL_USB;
    if to_uart {
        let at = now(machine);
        let name = uart_name(channel);
        let (sent, idle_at) = machine.soc.with_device(name, at, |devices, registers| {
            let uart = if name == DeviceName::Uart1 { &mut devices.uart1 } else { &mut devices.uart0 };
            (uart.transmit(byte, registers, at), uart.next_departure())
        });
        if !sent {
            return Ok(Outcome::WaitUntil(idle_at));
        }
    }
    // What the host does not fetch in time is dropped, as in the ROM.
    if to_usb && load(machine, USB_EP1_CONF) & USB_IN_FREE != 0 {
        store(machine, USB_EP1, u32::from(byte));
        if byte == b'\n' {
            store(machine, USB_EP1_CONF, 1);
        }
    }
    machine.set_result(0);
    Ok(Outcome::Return { cycles: 30 })
}

fn uart_tx_flush(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let channel = machine.argument(0);
    if channel == CHANNEL_USB {
        store(machine, USB_EP1_CONF, 1);
        return Ok(Outcome::Return { cycles: 20 });
    }
    let at = now(machine);
    let name = uart_name(channel);
    let idle_at = machine.soc.with_device(name, at, |devices, registers| {
        let uart = if name == DeviceName::Uart1 { &mut devices.uart1 } else { &mut devices.uart0 };
        uart.idle_at(registers, at)
    });
    Ok(if idle_at <= at { Outcome::Return { cycles: 12 } } else { Outcome::WaitUntil(idle_at) })
}

fn rtc_get_reset_reason(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let state = load(machine, RTC_RESET_STATE);
    machine.set_result(if machine.argument(0) == 0 { state & 0x3f } else { state >> 6 & 0x3f });
    Ok(5)
}

fn software_reset(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let options = load(machine, RTC_OPTIONS0);
    store(machine, RTC_OPTIONS0, options | 1 << 31);
    Ok(5)
}

fn software_reset_cpu(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let options = load(machine, RTC_OPTIONS0);
    store(machine, RTC_OPTIONS0, options | 1 << 5);
    Ok(6)
}

fn ets_update_cpu_frequency(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    machine.write_word(TICKS_PER_US, machine.argument(0))?;
    Ok(3)
}

fn ets_get_cpu_frequency(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let mhz = machine.read_word(TICKS_PER_US)?;
    machine.set_result(mhz);
    Ok(3)
}

fn ets_get_apb_freq(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    machine.set_result(80_000_000);
    Ok(4)
}

fn ets_get_xtal_freq(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    machine.set_result(40_000_000);
    Ok(4)
}

fn ets_get_printf_channel(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let channel = machine.read_byte(PRINTF_UART)?;
    machine.set_result(u32::from(channel));
    Ok(3)
}

/// A transfer on the analogue bus takes some microseconds.
const ANALOG_I2C_CYCLES: u64 = 300;

fn rom_i2c_read_reg(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [block, _host, register] = [0, 1, 2].map(|n| machine.argument(n) as u8);
    let value = machine.soc.devices.analog_bus.read_register(block, register);
    machine.set_result(u32::from(value));
    Ok(ANALOG_I2C_CYCLES)
}

fn rom_i2c_write_reg(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [block, _host, register, value] = [0, 1, 2, 3].map(|n| machine.argument(n) as u8);
    machine.soc.devices.analog_bus.write_register(block, register, value);
    Ok(ANALOG_I2C_CYCLES)
}

/// Bits `least..=most` of a byte.
fn field_mask(most: u8, least: u8) -> u8 {
    ((1u16 << (most & 7) << 1) - (1u16 << (least & 7))) as u8
}

fn rom_i2c_read_reg_mask(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [block, _host, register, most, least] = [0, 1, 2, 3, 4].map(|n| machine.argument(n) as u8);
    let value = machine.soc.devices.analog_bus.read_register(block, register);
    machine.set_result(u32::from((value & field_mask(most.max(least), least)) >> (least & 7)));
    Ok(ANALOG_I2C_CYCLES)
}

fn rom_i2c_write_reg_mask(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [block, _host, register, most, least, value] = [0, 1, 2, 3, 4, 5].map(|n| machine.argument(n) as u8);
    let mask = field_mask(most.max(least), least);
    let old = machine.soc.devices.analog_bus.read_register(block, register);
    machine.soc.devices.analog_bus.write_register(block, register, old & !mask | value << (least & 7) & mask);
    Ok(2 * ANALOG_I2C_CYCLES)
}

fn ets_intr_lock(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    store(machine, MATRIX_THRESHOLD, 5);
    Ok(10)
}

fn ets_intr_unlock(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    store(machine, MATRIX_THRESHOLD, 0);
    Ok(10)
}

fn intc_set_priority(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (line, priority) = (machine.argument(0) & 31, machine.argument(1));
    store(machine, MATRIX_PRIORITY + 4 * line, priority);
    Ok(8)
}

fn intc_set_threshold(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    store(machine, MATRIX_THRESHOLD, machine.argument(0));
    Ok(4)
}

fn intc_enable(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let enabled = load(machine, MATRIX_ENABLE);
    store(machine, MATRIX_ENABLE, enabled | machine.argument(0));
    Ok(14)
}

fn intc_disable(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let enabled = load(machine, MATRIX_ENABLE);
    store(machine, MATRIX_ENABLE, enabled & !machine.argument(0));
    Ok(14)
}

fn intc_set_type(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let bit = 1 << (machine.argument(0) & 31);
    let edges = load(machine, MATRIX_TYPE);
    store(machine, MATRIX_TYPE, if machine.argument(1) != 0 { edges | bit } else { edges & !bit });
    Ok(16)
}

fn intr_matrix_set(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (source, line) = (machine.argument(1), machine.argument(2));
    if source < 62 {
        store(machine, MATRIX + 4 * source, line);
    }
    Ok(12)
}

fn cache_line_size(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    machine.set_result(32);
    Ok(4)
}

fn mmu_init(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    for entry in 0..cache::ENTRIES {
        store(machine, MMU_TABLE + 4 * entry, cache::INVALID);
    }
    Ok(5 * u64::from(cache::ENTRIES))
}

/// `(external RAM, virtual address, physical address, page size in KiB, pages, fixed)`: 0, or what is wrong.
fn mmu_set(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [_kind, address, physical, page_kib, pages, fixed] = [0, 1, 2, 3, 4, 5].map(|n| machine.argument(n));
    if (address | physical) & (PAGE_BYTES - 1) != 0 {
        machine.set_result(1);
        return Ok(12);
    }
    if page_kib != PAGE_BYTES / 1024 {
        machine.set_result(3);
        return Ok(12);
    }
    let first = (address & 0x7f_ffff) / PAGE_BYTES;
    if pages > cache::ENTRIES - first {
        machine.set_result(4);
        return Ok(12);
    }
    for n in 0..pages {
        let page = physical / PAGE_BYTES + if fixed != 0 { 0 } else { n };
        store(machine, MMU_TABLE + 4 * (first + n), page);
    }
    machine.set_result(0);
    Ok(20 + 6 * u64::from(pages))
}

/// Cycles of a flash operation: typical times of a W25Q32 at 160 MHz.
const PROGRAM_CYCLES_PER_PAGE: u64 = 160 * 700;
const ERASE_CYCLES_PER_SECTOR: u64 = 160 * 45_000;

fn spiflash_read(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [source, destination, length] = [0, 1, 2].map(|n| machine.argument(n));
    let end = source.checked_add(length).filter(|end| *end <= machine.soc.flash.size_bytes());
    if end.is_none() {
        machine.set_result(1);
        return Ok(20);
    }
    let mut bytes = vec![0; length as usize];
    machine.soc.flash.read(machine.memory, source, &mut bytes);
    machine.write_bytes(destination, &bytes)?;
    machine.set_result(0);
    Ok(200 + 8 * u64::from(length))
}

const SPI1_CMD: u32 = 0x6000_2000;
const SPI1_USER: u32 = 0x6000_2018;
const SPI1_USER2: u32 = 0x6000_2020;
const SPI1_MISO_DLEN: u32 = 0x6000_2028;
const SPI1_W0: u32 = 0x6000_2058;

/// `(&status, command)`: sends the command and reads a byte of answer.
fn spiflash_read_user_command(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [status, command] = [0, 1].map(|n| machine.argument(n));
    store(machine, SPI1_USER, 1 << 31 | 1 << 28);
    store(machine, SPI1_USER2, 7 << 28 | command & 0xff);
    store(machine, SPI1_MISO_DLEN, 7);
    store(machine, SPI1_CMD, 1 << 18);
    let answer = load(machine, SPI1_W0) & 0xff;
    machine.write_word(status, answer)?;
    machine.set_result(0);
    Ok(35)
}

fn spiflash_write(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let [destination, source, length] = [0, 1, 2].map(|n| machine.argument(n));
    let end = destination.checked_add(length).filter(|end| *end <= machine.soc.flash.size_bytes());
    if end.is_none() {
        machine.set_result(1);
        return Ok(20);
    }
    let bytes = machine.read_vec(source, length)?;
    machine.soc.flash.program(machine.memory, destination, &bytes);
    machine.set_result(0);
    Ok(200 + PROGRAM_CYCLES_PER_PAGE * u64::from(length.div_ceil(256)))
}

fn erase(machine: &mut Machine<'_>, address: u32, length: u32) -> Result<u64, BadAddress> {
    machine.soc.flash.erase(machine.memory, address, length);
    machine.set_result(0);
    Ok(ERASE_CYCLES_PER_SECTOR * u64::from(length.min(PAGE_BYTES) / SECTOR_BYTES).min(4))
}

fn spiflash_erase_chip(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let size = machine.soc.flash.size_bytes();
    erase(machine, 0, size)
}

fn spiflash_erase_block(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    erase(machine, machine.argument(0).saturating_mul(PAGE_BYTES), PAGE_BYTES)
}

fn spiflash_erase_sector(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    erase(machine, machine.argument(0).saturating_mul(SECTOR_BYTES), SECTOR_BYTES)
}
