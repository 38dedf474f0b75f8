//! The time server: answers SNTP clients (RFC 4330 §4 and §6; RFC 5905 §7.3) with the date of the run.

use std::net::IpAddr;

use clock::{Duration, Instant, UnixTime};

/// The port of NTP.
pub(crate) const PORT: u16 = 123;
/// A message without authenticator.
const MESSAGE_BYTES: usize = 48;
/// Seconds from 1900-01-01, the start of NTP's era 0, to 1970-01-01 (RFC 5905 §6).
const ERA_0_BEFORE_UNIX_SECONDS: i64 = 2_208_988_800;

/// A time server and how truthful it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sntp {
    /// Where it listens, UDP port 123.
    pub addresses: Vec<IpAddr>,
    /// The true time when the device was powered.
    pub at_power_on: UnixTime,
    /// What it says.
    pub answer: SntpAnswer,
    /// How long it takes to say it.
    pub after: Duration,
}

impl Sntp {
    /// A truthful server.
    pub const fn new(addresses: Vec<IpAddr>, at_power_on: UnixTime) -> Self {
        Self { addresses, at_power_on, answer: SntpAnswer::Truth, after: Duration::ZERO }
    }
}

/// What a time server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SntpAnswer {
    /// The time.
    Truth,
    /// A time that is off by so many seconds; positive is ahead.
    Wrong {
        /// Seconds.
        by_seconds: i64,
    },
    /// The time up to an instant, and from then on one that is off: a step.
    Step {
        /// The instant.
        at: Instant,
        /// Seconds.
        by_seconds: i64,
    },
    /// Kiss-o'-death: stratum 0 and a code such as `RATE` or `DENY` (RFC 4330 §8).
    KissOfDeath([u8; 4]),
    /// The server's own clock is not set: leap indicator 3, stratum 16 (RFC 5905 §7.3). Not to be used.
    Unsynchronised,
    /// The time, but as the answer to somebody else's question: the originate timestamp is not the device's. To be
    /// ignored (RFC 4330 §5, check 3).
    Stranger,
    /// No answer.
    Silence,
}

/// The answer to `message`, arrived at `now`; `None` if it is no question or the answer is silence.
pub(crate) fn answer(sntp: &Sntp, now: Instant, message: &[u8]) -> Option<Vec<u8>> {
    let question = message.get(..MESSAGE_BYTES)?;
    let (version, mode) = (question[0] >> 3 & 7, question[0] & 7);
    let reply_mode = match mode {
        3 => 4,
        1 => 2,
        _ => return None,
    };
    if !(1..=4).contains(&version) {
        return None;
    }
    let (leap, stratum, reference_id) = match sntp.answer {
        SntpAnswer::Silence => return None,
        SntpAnswer::KissOfDeath(code) => (3, 0, code),
        SntpAnswer::Unsynchronised => (3, 16, *b"INIT"),
        _ => (0, 1, *b"LOCL"),
    };
    let leaves = now + sntp.after;
    let (received, transmitted) = (timestamp(sntp, now), timestamp(sntp, leaves));
    let mut originate = [0; 8];
    originate.copy_from_slice(&question[40..48]);
    if sntp.answer == SntpAnswer::Stranger {
        originate[7] ^= 1;
    }
    let mut reply = Vec::with_capacity(MESSAGE_BYTES);
    // Precision 2^-20 s, about a microsecond.
    reply.extend([leap << 6 | version << 3 | reply_mode, stratum, question[2], -20_i8 as u8]);
    reply.extend([0; 8]); // Root delay and dispersion.
    reply.extend(reference_id);
    reply.extend(received); // Reference: this clock is always right.
    reply.extend(originate);
    reply.extend(received);
    reply.extend(transmitted);
    Some(reply)
}

/// Seconds and fraction since the start of the era (RFC 5905 §6), in the order of the wire.
fn timestamp(sntp: &Sntp, now: Instant) -> [u8; 8] {
    let off_by_seconds = match sntp.answer {
        SntpAnswer::Wrong { by_seconds } => by_seconds,
        SntpAnswer::Step { at, by_seconds } if now >= at => by_seconds,
        _ => 0,
    };
    let unix = sntp.at_power_on.at(now).seconds.saturating_add(off_by_seconds);
    // Eras wrap: 2036-02-07 is second 0 of era 1, and only the seconds go on the wire.
    let seconds = unix.wrapping_add(ERA_0_BEFORE_UNIX_SECONDS) as u32;
    let fraction = ((now.as_nanos() % 1_000_000_000) << 32) / 1_000_000_000;
    (u64::from(seconds) << 32 | fraction).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    fn question() -> Vec<u8> {
        let mut message = vec![0; MESSAGE_BYTES];
        message[0] = 4 << 3 | 3;
        message[40..].copy_from_slice(&ASKED);
        message
    }

    fn ask(answer_kind: SntpAnswer, at_power_on: i64, now: Instant) -> Option<Vec<u8>> {
        let sntp = Sntp { answer: answer_kind, ..Sntp::new(Vec::new(), UnixTime::from_seconds(at_power_on)) };
        answer(&sntp, now, &question())
    }

    #[test]
    fn half_a_second_after_the_start_of_2026() {
        let reply = ask(SntpAnswer::Truth, 1_767_225_600, Instant::from_millis(500)).unwrap();
        // 1767225600 + 2208988800 = 3976214400 = 0xed00_3780; half a second is 0x8000_0000.
        assert_eq!(reply[40..], [0xed, 0x00, 0x37, 0x80, 0x80, 0, 0, 0]);
        assert_eq!(reply[24..32], ASKED);
        assert_eq!(reply[..2], [4 << 3 | 4, 1]);
        assert_eq!(reply.len(), 48);
    }

    #[test]
    fn the_era_wraps_on_the_7th_of_february_2036() {
        // 2036-02-07T06:28:16Z is second 0 of era 1 (RFC 5905 §6, figure 4).
        let reply = ask(SntpAnswer::Truth, 2_085_978_496, Instant::ZERO).unwrap();
        assert_eq!(reply[40..44], [0; 4]);
    }

    #[test]
    fn a_step_is_felt_from_its_instant_on() {
        let step = SntpAnswer::Step { at: Instant::from_millis(1_000), by_seconds: -1_767_225_600 };
        let before = ask(step, 1_767_225_600, Instant::from_millis(999)).unwrap();
        let after = ask(step, 1_767_225_600, Instant::from_millis(1_000)).unwrap();
        assert_eq!(before[40..44], 0xed00_3780_u32.to_be_bytes());
        assert_eq!(after[40..44], (2_208_988_800_u32 + 1).to_be_bytes());
    }

    #[test]
    fn kisses_silences_and_strangers() {
        let kiss = ask(SntpAnswer::KissOfDeath(*b"RATE"), 0, Instant::ZERO).unwrap();
        assert_eq!((kiss[0] >> 6, kiss[1], &kiss[12..16]), (3, 0, &b"RATE"[..]));
        assert_eq!(ask(SntpAnswer::Silence, 0, Instant::ZERO), None);
        assert_ne!(ask(SntpAnswer::Stranger, 0, Instant::ZERO).unwrap()[24..32], ASKED);
    }

    #[test]
    fn servers_broadcasts_and_fragments_get_no_answer() {
        let sntp = Sntp::new(Vec::new(), UnixTime::default());
        for first_byte in [4 << 3 | 4, 4 << 3 | 5, 3, 5 << 3 | 3] {
            let mut message = question();
            message[0] = first_byte;
            assert_eq!(answer(&sntp, Instant::ZERO, &message), None);
        }
        assert_eq!(answer(&sntp, Instant::ZERO, &question()[..47]), None);
    }
}
