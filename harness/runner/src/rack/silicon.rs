//! Silicon held against the emulator: the same transcripts, without what may differ.
//!
//! What may differ is data, with reasons: `silicon.toml`, and nothing is left out anywhere else.

use serde::Deserialize;

/// The list.
const ALLOWED: &str = include_str!("silicon.toml");

/// What may differ.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowances {
    allowed: Vec<Allowance>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowance {
    leave_out: LeaveOut,
    because: String,
}

/// What is left out before two transcripts are compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeaveOut {
    /// A number that a line begins with.
    FirstNumber(bool),
    /// A number before this word.
    NumberBefore(String),
    /// The word after this one.
    WordAfter(String),
    /// Whole lines.
    LinesThatBegin(String),
    /// Whole lines with all of these in them, in this order.
    LinesWith(Vec<String>),
    /// The order among different speakers.
    Interleaving(bool),
}

impl Allowances {
    /// Those of this bench.
    ///
    /// # Errors
    ///
    /// If the list is wrong, which a test rules out.
    pub fn of_this_bench() -> Result<Self, String> {
        toml::from_str(ALLOWED).map_err(|error| format!("silicon.toml: {error}"))
    }

    /// The reasons, for whoever asks.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().map(|allowance| allowance.because.as_str())
    }

    /// How `text`, of silicon, differs from what was reviewed of the emulator; `None`: not beyond what is allowed.
    pub fn difference(&self, reviewed: &str, text: &str) -> Option<String> {
        let (reviewed, text) = (self.essence(reviewed), self.essence(text));
        if reviewed == text {
            return None;
        }
        let diff = similar::TextDiff::from_lines(reviewed.as_str(), text.as_str());
        Some(diff.unified_diff().context_radius(2).header("emulator, reviewed", "this board").to_string())
    }

    /// The transcript without what may differ.
    pub fn essence(&self, text: &str) -> String {
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| !self.allowed.iter().any(|allowance| allowance.leave_out.takes_line(line)))
            .map(|line| self.thin(line))
            .collect();
        if self.allowed.iter().any(|allowance| allowance.leave_out == LeaveOut::Interleaving(true)) {
            by_speaker(&mut lines);
        }
        lines.join("\n") + "\n"
    }

    /// A line without the words that may differ; the gaps between the others are one blank wide, but for the first.
    fn thin(&self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kept: Vec<&str> = (0..words.len())
            .filter(|&index| !self.allowed.iter().any(|allowance| allowance.leave_out.takes_word(&words, index)))
            .map(|index| words[index])
            .collect();
        let indented = line.len() > line.trim_start().len() && kept.len() == words.len();
        format!("{}{}", if indented { "  " } else { "" }, kept.join(" "))
    }
}

impl LeaveOut {
    fn takes_line(&self, line: &str) -> bool {
        match self {
            Self::LinesThatBegin(begin) => line.starts_with(begin.as_str()),
            Self::LinesWith(parts) => {
                parts.iter().try_fold(line, |rest, part| Some(rest.split_once(part.as_str())?.1)).is_some()
            }
            _ => false,
        }
    }

    fn takes_word(&self, words: &[&str], index: usize) -> bool {
        let Some(word) = words.get(index) else { return false };
        let number = || {
            let digits = word.trim_start_matches('(').trim_end_matches([',', '·', ')']);
            !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
        };
        match self {
            Self::FirstNumber(wanted) => *wanted && index == 0 && number(),
            Self::NumberBefore(unit) => {
                number() && words.get(index + 1).is_some_and(|next| next.trim_end_matches([',', '·', ')']) == unit)
            }
            Self::WordAfter(before) => {
                index.checked_sub(1).and_then(|index| words.get(index)) == Some(&before.as_str())
            }
            Self::LinesThatBegin(_) | Self::LinesWith(_) | Self::Interleaving(_) => false,
        }
    }
}

/// Puts the conversation in the order of its speakers, each speaker's own lines in theirs. It stands between the line
/// that names the columns and the next empty one; what is indented goes on with what is above.
fn by_speaker(lines: &mut Vec<String>) {
    let Some(heading) = lines.iter().position(|line| line.split_whitespace().eq(["ms", "who", "said"])) else { return };
    let length = lines.iter().skip(heading + 1).take_while(|line| !line.is_empty()).count();
    let mut turns: Vec<Vec<String>> = Vec::new();
    for line in lines.drain(heading + 1..heading + 1 + length) {
        match turns.last_mut() {
            Some(turn) if line.starts_with(' ') => turn.push(line),
            _ => turns.push(vec![line]),
        }
    }
    let speaker =
        |turn: &Vec<String>| turn.first().and_then(|line| line.split(' ').next()).unwrap_or_default().to_owned();
    turns.sort_by_key(speaker);
    let tail = lines.split_off(heading + 1);
    lines.extend(turns.into_iter().flatten().chain(tail));
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVIEWED: &str = "\
scenario   a/b                    seed 5eed
firmware   x 0.1.0 (bb9271d7)     target emulated

   ms  who      said
   10  device   ClientHello          sni broker.test
                                     ja3 2aee
   12  broker   FIN
   13  device   FIN

device     MBEDTLS_ERR (-0x2700) · heap peak 57 KiB
stages     clock 7 ms · resolve 9 ms
broker     the device broke MQTT-3.1 (at 12 ms)
ending     device refused";

    fn allowances() -> Allowances {
        Allowances::of_this_bench().expect("the list is right")
    }

    #[test]
    fn every_allowance_has_a_reason() {
        let allowances = allowances();
        assert!(allowances.reasons().count() >= 5);
        assert!(allowances.reasons().all(|why| why.len() > 20));
    }

    #[test]
    fn times_targets_and_the_order_of_two_speakers_may_differ() {
        let silicon = "\
scenario   a/b                    seed 77
firmware   x 0.1.0 (bb9271d7)     target hardware

   ms  who      said
  310  device   ClientHello          sni broker.test
                                     ja3 2aee
  413  device   FIN
  413  broker   FIN
                (broker sent 1 segment again)

device     MBEDTLS_ERR (-0x2700) · heap peak 58 KiB
stages     clock 307 ms · resolve 309 ms
console    ESP-ROM:esp32c3-api1-20210207 (at 3 ms)
broker     the device broke MQTT-3.1 (at 412 ms)
ending     device refused";
        assert_eq!(allowances().difference(REVIEWED, silicon), None);
    }

    #[test]
    fn nothing_else_may() {
        for (was, is) in [
            ("sni broker.test", "sni broker.tset"),
            ("ja3 2aee", "ja3 2aef"),
            ("(-0x2700)", "(-0x2701)"),
            ("(bb9271d7)", "(bb9271d8)"),
            ("device refused", "device gave up"),
            ("   13  device   FIN\n", ""),
            ("   13  device   FIN", "   13  device   RST"),
            ("resolve 9 ms", "connect 9 ms"),
            ("heap peak 57 KiB", "heap peak 57 KiB · 2 allocation(s) failed"),
        ] {
            let silicon = REVIEWED.replacen(was, is, 1);
            assert_ne!(silicon, REVIEWED);
            let difference = allowances().difference(REVIEWED, &silicon).unwrap_or_else(|| panic!("{was} is {is}"));
            assert!(difference.contains('+') || difference.contains('-'), "{difference}");
        }
    }

    #[test]
    fn a_speaker_must_not_swap_its_own_words() {
        let swapped = REVIEWED
            .replace("   10  device   ClientHello          sni broker.test\n                                     ja3 2aee\n", "")
            .replace("   13  device   FIN\n", "   13  device   FIN\n   13  device   ClientHello          sni broker.test\n                                     ja3 2aee\n");
        assert!(allowances().difference(REVIEWED, &swapped).is_some());
    }
}
