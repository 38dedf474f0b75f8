//! How long frames take, and how the driver numbers rates.

/// Rates by the driver's number (`wifi_phy_rate_t` of ESP-IDF), in units of 500 kbit/s: long preamble, short preamble,
/// OFDM.
const RATES_500_KBPS: [u8; 16] = [2, 4, 11, 22, 2, 4, 11, 22, 96, 48, 24, 12, 108, 72, 36, 18];
/// Octets of the frame check sequence.
pub(crate) const FCS_BYTES: usize = 4;
/// Between a frame and its acknowledgement (IEEE Std 802.11-2020 §18.4).
pub(crate) const SIFS_US: u64 = 10;
/// A slot, and the wait before a frame that nobody asked for.
pub(crate) const SLOT_US: u64 = 9;
pub(crate) const DIFS_US: u64 = 28;
/// Octets of an acknowledgement, without FCS.
pub(crate) const ACKNOWLEDGEMENT_OCTETS: usize = 10;

/// The rate of a driver's number. Numbers from 16 on are those of 802.11n, which the model sends at 24 Mbit/s.
pub(crate) fn rate_of_code(code: u32) -> u8 {
    RATES_500_KBPS.get(code as usize).copied().unwrap_or(48)
}

/// The driver's number of a rate.
pub(crate) fn code_of_rate(rate_500_kbps: u8) -> u32 {
    RATES_500_KBPS.iter().position(|rate| *rate == rate_500_kbps).unwrap_or(0) as u32
}

/// Whether a rate is one of DSSS and CCK (§15, §16); the others are of OFDM (§17).
pub(crate) fn is_dsss(rate_500_kbps: u8) -> bool {
    matches!(rate_500_kbps, 2 | 4 | 11 | 22)
}

/// Microseconds that a frame of `octets` without FCS is on the air (§16.2.3, §17.4.3).
pub(crate) fn airtime_us(rate_500_kbps: u8, octets: usize) -> u64 {
    let bits = 8 * (octets + FCS_BYTES) as u64;
    let rate = u64::from(rate_500_kbps.max(1));
    if is_dsss(rate_500_kbps) { 192 + (2 * bits).div_ceil(rate) } else { 20 + 4 * (bits + 22).div_ceil(2 * rate) + 6 }
}

/// The mandatory rate at which a frame is acknowledged (§10.6.6.5.2).
pub(crate) fn acknowledgement_rate(rate_500_kbps: u8) -> u8 {
    let mandatory: &[u8] = if is_dsss(rate_500_kbps) { &[22, 11, 4, 2] } else { &[48, 24, 12] };
    mandatory.iter().copied().find(|rate| *rate <= rate_500_kbps).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_numbers_are_inverse() {
        for rate in [2, 4, 11, 22, 12, 18, 24, 36, 48, 72, 96, 108] {
            assert_eq!(rate_of_code(code_of_rate(rate)), rate);
        }
        assert_eq!(rate_of_code(0x1f), 48);
    }

    #[test]
    fn an_acknowledgement_takes_what_the_standard_says() {
        assert_eq!(airtime_us(2, ACKNOWLEDGEMENT_OCTETS), 304);
        assert_eq!(airtime_us(12, ACKNOWLEDGEMENT_OCTETS), 44 + 6);
    }
}
