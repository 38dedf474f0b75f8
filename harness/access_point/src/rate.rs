//! Rates of 802.11b and 802.11g, and how long a frame takes at them.

use std::fmt;

use clock::Duration;

/// A rate in units of 500 kbit/s, as elements and radiotap have it (IEEE Std 802.11-2020 §9.4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u8);

/// Octets of the frame check sequence, which every frame ends in and no frame here contains.
const FCS_OCTETS: u64 = 4;
/// Long preamble and PLCP header at 1 Mbit/s (§16.2.2.2).
const DSSS_PREAMBLE_US: u64 = 192;
/// Preamble, SIGNAL and the signal extension of the 2.4 GHz band (§17.4.3, §18.3.2.4).
const OFDM_PREAMBLE_US: u64 = 20;
const OFDM_EXTENSION_US: u64 = 6;
/// An OFDM symbol, and the bits round the data: SERVICE and tail.
const OFDM_SYMBOL_US: u64 = 4;
const OFDM_EXTRA_BITS: u64 = 16 + 6;

impl Rate {
    /// 1 Mbit/s: what everything can receive, and what beacons are sent at.
    pub const SLOWEST: Self = Self(2);
    /// 6 Mbit/s: the slowest of OFDM.
    pub const MBPS_6: Self = Self(12);
    /// 24 Mbit/s: the fastest that every 802.11g station has to know.
    pub const MBPS_24: Self = Self(48);
    /// All of 802.11b and 802.11g, slowest first.
    pub const ALL: [Self; 12] = [
        Self(2),
        Self(4),
        Self(11),
        Self(12),
        Self(18),
        Self(22),
        Self(24),
        Self(36),
        Self(48),
        Self(72),
        Self(96),
        Self(108),
    ];

    /// The rate of so many times 500 kbit/s, if 802.11b or 802.11g has it.
    pub fn from_500_kbps(units: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.0 == units)
    }

    /// In units of 500 kbit/s.
    pub const fn as_500_kbps(self) -> u8 {
        self.0
    }

    /// Whether it is one of 802.11b: DSSS or CCK, not OFDM.
    pub const fn is_dsss(self) -> bool {
        matches!(self.0, 2 | 4 | 11 | 22)
    }

    /// How long a frame of `octets` is on the air, preamble and frame check sequence included. `octets` has no FCS.
    pub fn airtime(self, octets: usize) -> Duration {
        let bits = 8 * (octets as u64 + FCS_OCTETS);
        let units = u64::from(self.0);
        Duration::from_micros(if self.is_dsss() {
            DSSS_PREAMBLE_US + (2 * bits).div_ceil(units)
        } else {
            // Bits in a symbol of 4 µs: twice the rate in units of 500 kbit/s.
            let symbols = (bits + OFDM_EXTRA_BITS).div_ceil(2 * units);
            OFDM_PREAMBLE_US + OFDM_SYMBOL_US * symbols + OFDM_EXTENSION_US
        })
    }

    /// The rate at which a frame that came at this one is acknowledged: the fastest mandatory one of the same kind that
    /// is not faster (§10.6.6.5.2).
    pub fn of_acknowledgement(self) -> Self {
        let mandatory: &[u8] = if self.is_dsss() { &[22, 11, 4, 2] } else { &[48, 24, 12] };
        Self(mandatory.iter().copied().find(|units| *units <= self.0).unwrap_or(2))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.0 % 2 == 1 { ".5" } else { "" };
        write!(f, "{}{half} Mbit/s", self.0 / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airtimes_are_those_of_the_standard() {
        // A frame of 1 Mbit/s is a bit a microsecond behind 192 µs; §16.2.3.
        assert_eq!(Rate(2).airtime(10), Duration::from_micros(192 + 14 * 8));
        // An ACK of 14 octets at 6 Mbit/s is 44 µs (and at 24 Mbit/s 28 µs) in §17.4.3, without the extension.
        assert_eq!(Rate(12).airtime(10), Duration::from_micros(44 + 6));
        assert_eq!(Rate(48).airtime(10), Duration::from_micros(28 + 6));
    }

    #[test]
    fn acknowledgements_are_at_a_mandatory_rate() {
        let acknowledged_at = |units| Rate(units).of_acknowledgement().as_500_kbps();
        let expected = [(2, 2), (22, 22), (12, 12), (18, 12), (36, 24), (108, 48)];
        assert_eq!(expected.map(|(units, _)| (units, acknowledged_at(units))), expected);
    }
}
