//! What resolver and time server are told: the keys of the `[network]` table in the words of the crate that enacts them.

use std::net::IpAddr;

use clock::{Duration, Instant};
use network::{Answer, Resolution, SntpAnswer};

use super::{Network, Resolver, Sntp};
use crate::lan;

/// What the time server says with its kiss-o'-death (RFC 4330 §8): that it is asked too often.
const KISS: [u8; 4] = *b"RATE";

impl Network {
    /// What the resolver says of a known name with these addresses, question by question.
    pub fn answers(&self, addresses: &[IpAddr]) -> Vec<Answer> {
        let after = Duration::from_millis(self.resolver_after_ms.into());
        let one = |resolver: &Resolver| Answer { after, ..Answer::new(resolver.resolution(addresses)) };
        self.resolver_first.iter().chain([&self.resolver]).map(one).collect()
    }

    /// What the time server says.
    pub fn sntp_answer(&self) -> SntpAnswer {
        match (self.sntp, self.sntp_offset_s, self.sntp_steps_at_ms) {
            (Sntp::Answers, 0, _) => SntpAnswer::Truth,
            (Sntp::Answers, by_seconds, None) => SntpAnswer::Wrong { by_seconds },
            (Sntp::Answers, by_seconds, Some(ms)) => {
                SntpAnswer::Step { at: Instant::from_millis(ms.into()), by_seconds }
            }
            (Sntp::Unsynchronised, ..) => SntpAnswer::Unsynchronised,
            (Sntp::KissOfDeath, ..) => SntpAnswer::KissOfDeath(KISS),
            (Sntp::Stranger, ..) => SntpAnswer::Stranger,
            (Sntp::Silent, ..) => SntpAnswer::Silence,
        }
    }

    /// How long it takes to say it.
    pub fn sntp_after(&self) -> Duration {
        Duration::from_millis(self.sntp_after_ms.into())
    }
}

impl Resolver {
    fn resolution(self, addresses: &[IpAddr]) -> Resolution {
        match self {
            Self::Answers => Resolution::Addresses(addresses.to_vec()),
            Self::Nxdomain => Resolution::NxDomain,
            Self::Servfail => Resolution::ServFail,
            Self::Refused => Resolution::Refused,
            Self::Truncated => Resolution::Truncated,
            Self::WrongId => Resolution::WrongId(addresses.to_vec()),
            Self::Silent => Resolution::Silence,
            Self::Portal => Resolution::Addresses(vec![lan::PORTAL]),
        }
    }
}
