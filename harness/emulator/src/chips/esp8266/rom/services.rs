//! What the ROM does for software round the chip: delays, clocks, resets, pins, addresses.

use super::variables::CPU_MHZ;
use super::{BadAddress, Function, Machine, Outcome, returned, zero};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("ets_delay_us", delay_us),
    ("ets_update_cpu_frequency", update_cpu_frequency),
    ("ets_get_cpu_frequency", get_cpu_frequency),
    ("rtc_get_reset_reason", rtc_get_reset_reason),
    ("ets_wdt_get_mode", wdt_get_mode),
    ("ets_wdt_disable", wdt_disable),
    ("ets_wdt_enable", wdt_enable),
    ("ets_wdt_restore", wdt_restore),
    ("gpio_output_set", gpio_output_set),
    ("gpio_input_get", gpio_input_get),
    ("gpio_init", zero),
    ("roundup2", roundup2),
    ("ets_str2macaddr", str2macaddr),
    ("rand", rand),
    ("xthal_get_ccount", get_ccount),
];

const WATCHDOG: u32 = 0x6000_0900;
const WATCHDOG_CTL: u32 = 0x00;
const WATCHDOG_ON: u32 = 1 << 0;
const WATCHDOG_TIME: u32 = 0x04;
const GPIO: u32 = 0x6000_0300;
const GPIO_OUT_W1TS: u32 = 0x04;
const GPIO_IN: u32 = 0x18;

fn delay_us(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mhz = machine.read_word(CPU_MHZ)? & 0xff;
    let cycles = u64::from(machine.argument(0)) * u64::from(mhz);
    Ok(machine.busy(cycles))
}

/// Waits until so many cycles (in `a2`) have passed since then (in `a3`), and returns zero.
pub(super) fn busy_loop(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let passed = (machine.core.cycle() as u32).wrapping_sub(machine.argument(1));
    let left = machine.argument(0).saturating_sub(passed);
    if left == 0 {
        machine.set_result(0);
        return returned(2);
    }
    let until = machine.core.cycle().saturating_add(left.into());
    Ok(Outcome::WaitUntil(machine.soc.clock.ticks(until)))
}

fn update_cpu_frequency(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.write_word(CPU_MHZ, machine.argument(0) & 0xff)?;
    returned(5)
}

fn get_cpu_frequency(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mhz = machine.read_word(CPU_MHZ)?;
    machine.set_result(mhz);
    returned(5)
}

fn rtc_get_reset_reason(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let number = machine.soc.devices.rtc.cause().number();
    machine.set_result(number);
    returned(20)
}

/// Modes of the watchdog are two here: off, and on with what its registers say.
fn wdt_mode(machine: &mut Machine<'_>) -> u32 {
    machine.load_register(WATCHDOG + WATCHDOG_CTL) & WATCHDOG_ON
}

fn wdt_get_mode(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mode = wdt_mode(machine);
    machine.set_result(mode);
    returned(10)
}

/// Switches it off, and gives the mode that it was in.
fn wdt_disable(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let control = machine.load_register(WATCHDOG + WATCHDOG_CTL);
    machine.store_register(WATCHDOG + WATCHDOG_CTL, control & !WATCHDOG_ON);
    machine.set_result(control & WATCHDOG_ON);
    returned(20)
}

/// On, with the times that its registers have: `eboot` calls it without arguments. Where nobody has set times, it stays off.
fn wdt_enable(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    if machine.load_register(WATCHDOG + WATCHDOG_TIME) != 0 {
        let control = machine.load_register(WATCHDOG + WATCHDOG_CTL);
        machine.store_register(WATCHDOG + WATCHDOG_CTL, control | WATCHDOG_ON);
    }
    returned(20)
}

/// `ets_wdt_restore(mode)`: as it was before it was switched off.
fn wdt_restore(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let control = machine.load_register(WATCHDOG + WATCHDOG_CTL) & !WATCHDOG_ON;
    let mode = if machine.argument(0) == 0 { 0 } else { WATCHDOG_ON };
    machine.store_register(WATCHDOG + WATCHDOG_CTL, control | mode);
    returned(20)
}

/// `gpio_output_set(set, clear, enable, disable)`: the four registers lie so, but for OUT and ENABLE themselves.
fn gpio_output_set(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    for (n, offset) in (0..).zip([GPIO_OUT_W1TS, 0x08, 0x10, 0x14]) {
        machine.store_register(GPIO + offset, machine.argument(n));
    }
    returned(20)
}

fn gpio_input_get(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let levels = machine.load_register(GPIO + GPIO_IN);
    machine.set_result(levels);
    returned(10)
}

/// `roundup2(value, power of two)`
fn roundup2(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let (value, power) = (machine.argument(0), machine.argument(1));
    machine.set_result(value.wrapping_add(power).wrapping_sub(1) & power.wrapping_neg());
    returned(10)
}

/// `ets_str2macaddr(address, text)`: six octets in hexadecimal, with something between them.
fn str2macaddr(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let text = machine.text(machine.argument(1), 17)?;
    let octet = |part: &[u8]| u8::from_str_radix(core::str::from_utf8(part).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = text.chunks(3).map(|part| octet(&part[..part.len().min(2)])).collect();
    match octets.filter(|octets| octets.len() == 6) {
        Some(octets) => {
            machine.write_bytes(machine.argument(0), &octets)?;
            machine.set_result(0);
        }
        None => machine.set_result(1),
    }
    returned(200)
}

fn rand(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let word = machine.soc.random_word();
    machine.set_result(word & 0x7fff_ffff);
    returned(30)
}

fn get_ccount(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let count = machine.core.special(crate::cores::lx106::special_register::CCOUNT).unwrap_or(0);
    machine.set_result(count);
    returned(3)
}
