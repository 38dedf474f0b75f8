//! A sign of life of a chip that has nothing to say, and the end that was asked for.

use std::time::{Duration as WallDuration, Instant as Wall};

use blame::Error;
use clock::Instant;

use crate::cli::Emulate;

/// After so long a silence somebody at a terminal wonders whether anything happens.
const SILENCE_MAX: WallDuration = WallDuration::from_secs(10);

/// When something was shown last, in wall time.
#[derive(Debug)]
pub(super) struct Heartbeat {
    shown_at: Wall,
}

impl Heartbeat {
    /// Of a chip that is switched on.
    pub(super) const fn new(now: Wall) -> Self {
        Self { shown_at: now }
    }

    /// Something was shown.
    pub(super) const fn rest(&mut self, now: Wall) {
        self.shown_at = now;
    }

    /// Whether a sign is due, which is given then.
    pub(super) fn is_due(&mut self, now: Wall) -> bool {
        let is_due = now.duration_since(self.shown_at) >= SILENCE_MAX;
        if is_due {
            self.shown_at = now;
        }
        is_due
    }
}

/// When the run ends by itself, in the chip's own time.
pub(super) fn limit(arguments: &Emulate) -> Option<Instant> {
    arguments.lasts_ms.or(arguments.until_ms).map(Instant::from_millis)
}

/// What a sign says of the end.
pub(super) fn sign(arguments: &Emulate) -> String {
    match limit(arguments) {
        Some(at) => format!("it ends at {at}"),
        None => "it runs until Ctrl-C (`--for 60s` is an end in its own time)".to_owned(),
    }
}

/// `60s`, `2min` or `1500ms`, in milliseconds.
pub(crate) fn duration(text: &str) -> blame::Result<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        _ => return Err(Error::usage("write a number with ms, s or min behind it, as in 60s")),
    };
    let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    let is_possible = |ms: &u64| *ms <= LONGEST_MS;
    milliseconds.filter(is_possible).ok_or_else(|| Error::usage("that is no time that a chip could be run for"))
}

/// Ten years.
const LONGEST_MS: u64 = 10 * 365 * 24 * 3_600 * 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_due_after_a_silence_and_once() {
        let began = Wall::now();
        let at = |seconds| began + WallDuration::from_secs(seconds);
        let mut heartbeat = Heartbeat::new(began);
        assert!(!heartbeat.is_due(at(9)));
        heartbeat.rest(at(9));
        assert!(!heartbeat.is_due(at(18)) && heartbeat.is_due(at(19)) && !heartbeat.is_due(at(20)));
        assert!(heartbeat.is_due(at(29)));
    }

    #[test]
    fn times_have_units() {
        for (text, ms) in [("60s", Some(60_000)), ("2min", Some(120_000)), ("1500ms", Some(1_500)), ("0s", Some(0))] {
            assert_eq!(duration(text).ok(), ms, "{text}");
        }
        for text in ["", "60", "s", "-1s", "1h30", "99999999999999999999s", "9999999999999min"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
