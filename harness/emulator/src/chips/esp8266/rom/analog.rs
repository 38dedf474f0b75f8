//! The analogue part: the store behind its I2C functions, and the functions that calibrate what is not there.
//!
//! Drivers of the radio call the ROM's part of the physical layer by way of a table in RAM. Nothing of it is waited for: of
//! almost all of it, it suffices that it returns.

use super::variables::PHY_TABLE;
use super::{BadAddress, Function, Machine, Outcome, address_of, returned, zero};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("phy_get_romfuncs", get_functions),
    ("rom_i2c_readReg", read_register),
    ("rom_i2c_readReg_Mask", read_field),
    ("rom_i2c_writeReg", write_register),
    ("rom_i2c_writeReg_Mask", write_field),
    ("rom_mhz2ieee", mhz_to_channel),
    ("rom_abs_temp", zero),
    ("rom_chip_v5_disable_cca", zero),
    ("rom_chip_v5_enable_cca", zero),
    ("rom_chip_v5_sense_backoff", zero),
    ("rom_en_pwdet", zero),
    ("rom_get_power_db", zero),
    ("rom_iq_est_disable", zero),
    ("rom_iq_est_enable", zero),
    ("rom_linear_to_db", zero),
    ("rom_set_txclk_en", zero),
    ("rom_set_rxclk_en", zero),
    ("rom_sar_init", zero),
    ("rom_set_ana_inf_tx_scale", zero),
    ("rom_set_loopback_gain", zero),
    ("rom_start_tx_tone", zero),
    ("rom_stop_tx_tone", zero),
    ("rom_txtone_linear_pwr", zero),
    ("rom_chip_v5_tx_init", zero),
    ("rom_pbus_debugmode", zero),
    ("rom_pbus_enter_debugmode", zero),
    ("rom_pbus_exit_debugmode", zero),
    ("rom_pbus_force_test", zero),
    ("rom_pbus_rd", zero),
    ("rom_pbus_set_rxgain", zero),
    ("rom_pbus_set_txgain", zero),
    ("rom_pbus_workmode", zero),
    ("rom_pbus_xpd_rx_off", zero),
    ("rom_pbus_xpd_rx_on", zero),
    ("rom_pbus_xpd_tx_off", zero),
    ("rom_pbus_xpd_tx_on", zero),
    ("rom_pbus_xpd_tx_on__low_gain", zero),
    ("rom_rfpll_reset", zero),
    ("rom_write_rfpll_sdm", zero),
    ("rom_pbus_dco___SA2", zero),
    ("rom_rfcal_txiq_set_reg", zero),
    ("rom_rfcal_rxiq_set_reg", zero),
];

/// The table's order.
const TABLE: [&str; 70] = [
    "rom_abs_temp",
    "rom_chip_v5_disable_cca",
    "rom_chip_v5_enable_cca",
    "rom_chip_v5_sense_backoff",
    "rom_dc_iq_est",
    "",
    "rom_en_pwdet",
    "rom_get_bb_atten",
    "rom_get_corr_power",
    "rom_get_fm_sar_dout",
    "rom_get_noisefloor",
    "rom_get_power_db",
    "rom_iq_est_disable",
    "rom_iq_est_enable",
    "rom_linear_to_db",
    "rom_set_txclk_en",
    "rom_set_rxclk_en",
    "rom_mhz2ieee",
    "rom_rxiq_get_mis",
    "rom_sar_init",
    "rom_set_ana_inf_tx_scale",
    "rom_set_loopback_gain",
    "rom_set_noise_floor",
    "",
    "",
    "rom_start_noisefloor",
    "rom_start_tx_tone",
    "rom_stop_tx_tone",
    "rom_txtone_linear_pwr",
    "rom_tx_mac_disable",
    "rom_tx_mac_enable",
    "rom_ana_inf_gating_en",
    "rom_set_channel_freq",
    "rom_chip_50_set_channel",
    "rom_chip_v5_rx_init",
    "rom_chip_v5_tx_init",
    "rom_i2c_readReg",
    "rom_i2c_readReg_Mask",
    "rom_i2c_writeReg",
    "rom_i2c_writeReg_Mask",
    "rom_pbus_debugmode",
    "rom_pbus_enter_debugmode",
    "rom_pbus_exit_debugmode",
    "rom_pbus_force_test",
    "rom_pbus_rd",
    "rom_pbus_set_rxgain",
    "rom_pbus_set_txgain",
    "rom_pbus_workmode",
    "rom_pbus_xpd_rx_off",
    "rom_pbus_xpd_rx_on",
    "rom_pbus_xpd_tx_off",
    "rom_pbus_xpd_tx_on",
    "rom_pbus_xpd_tx_on__low_gain",
    "rom_phy_reset_req",
    "rom_restart_cal",
    "rom_rfpll_reset",
    "rom_write_rfpll_sdm",
    "rom_rfpll_set_freq",
    "rom_cal_tos_v50",
    "rom_pbus_dco___SA2",
    "rom_rfcal_pwrctrl",
    "rom_rfcal_rxiq",
    "rom_rfcal_rxiq_set_reg",
    "rom_rfcal_txcap",
    "rom_rfcal_txiq",
    "rom_rfcal_txiq_cover",
    "rom_rfcal_txiq_set_reg",
    "rom_rxiq_cover_mg_mp",
    "rom_set_txbb_atten",
    "rom_set_txiq_cal",
];

/// The block and register in which a bit says that the PLL has calibrated itself.
const PLL_CALIBRATION: (u8, u8) = (0x62, 7);

/// Where the functions of the table are; zero where the table has none.
pub(super) fn phy_table() -> impl Iterator<Item = u32> {
    TABLE.into_iter().map(|name| if name.is_empty() { 0 } else { address_of(name) })
}

fn get_functions(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.set_result(PHY_TABLE);
    returned(5)
}

/// Block and register of a call; the second argument is the bus's number.
fn place(machine: &Machine<'_>) -> (u8, u8) {
    (machine.argument(0) as u8, machine.argument(2) as u8)
}

fn value_at(machine: &Machine<'_>, place: (u8, u8)) -> u8 {
    machine.soc.analog.get(&place).copied().unwrap_or(0)
}

/// The bits from `least` to `most`, at their place.
fn field_mask(most: u32, least: u32) -> u8 {
    let (most, least) = (most.min(7), least.min(7));
    ((0xff_u32 >> (7 - most)) & 0xff << least) as u8
}

/// `rom_i2c_readReg(block, bus, register)`
fn read_register(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let value = value_at(machine, place(machine));
    machine.set_result(value.into());
    returned(100)
}

/// `rom_i2c_readReg_Mask(block, bus, register, most, least)`
fn read_field(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let (most, least) = (machine.argument(3), machine.argument(4));
    let place = place(machine);
    let value = value_at(machine, place) & field_mask(most, least);
    // Its calibration is over when it is asked for.
    machine.set_result(if place == PLL_CALIBRATION { 1 } else { u32::from(value) >> least.min(7) });
    returned(100)
}

/// `rom_i2c_writeReg(block, bus, register, value)`
fn write_register(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let value = machine.argument(3) as u8;
    machine.soc.analog.insert(place(machine), value);
    returned(100)
}

/// `rom_i2c_writeReg_Mask(block, bus, register, most, least, value)`
fn write_field(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let (most, least, value) = (machine.argument(3), machine.argument(4), machine.argument(5));
    let mask = field_mask(most, least);
    let entry = machine.soc.analog.entry(place(machine)).or_default();
    *entry = *entry & !mask | (value << least.min(7)) as u8 & mask;
    returned(100)
}

/// `rom_mhz2ieee(MHz, …)`: the number of a channel (IEEE Std 802.11-2020 §17.4.6.3). Drivers ask for it when they tune the
/// front end, and for nothing else.
fn mhz_to_channel(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let mhz = machine.argument(0);
    let channel = if mhz == 2_484 { 14 } else { mhz.saturating_sub(2_407) / 5 };
    machine.soc.devices.wifi_mac.antenna.channel = channel as u8;
    machine.set_result(channel);
    returned(20)
}
