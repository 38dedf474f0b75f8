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
    /// A number between these words.
    NumberBetween(String, String),
    /// The word after this one.
    WordAfter(String),
    /// Whole lines.
    LinesThatBegin(String),
    /// Whole lines with all of these in them, in this order.
    LinesWith(Vec<String>),
    /// What follows this at the beginning of a word.
    RestOfWordsThatBegin(String),
    /// Bytes that are quoted in hexadecimal.
    BytesInHexadecimal(bool),
    /// The order of lines that begin with these words: they are told apart from their speaker's others.
    OrderOf(Vec<String>),
    /// The order among different speakers.
    Interleaving(bool),
}

impl Allowances {
    /// Those of this bench.
    ///
    /// # Errors
    ///
    /// If the list is wrong, which a test rules out.
    pub fn of_this_bench() -> blame::Result<Self> {
        toml::from_str(ALLOWED).map_err(|error| blame::Error::bench(format!("silicon.toml: {error}")))
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
            self.by_speaker(&mut lines);
        }
        lines.join("\n") + "\n"
    }

    /// A line without the words that may differ; the gaps between the others are one blank wide, but for the first.
    fn thin(&self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kept: Vec<&str> = (0..words.len())
            .filter(|&index| !self.allowed.iter().any(|allowance| allowance.leave_out.takes_word(&words, index)))
            .map(|index| self.shortened(words[index]))
            .collect();
        let indented = line.len() > line.trim_start().len() && kept.len() == words.len();
        format!("{}{}", if indented { "  " } else { "" }, kept.join(" "))
    }
}

impl Allowances {
    fn shortened<'a>(&self, word: &'a str) -> &'a str {
        let begin = self.allowed.iter().find_map(|allowance| match &allowance.leave_out {
            LeaveOut::RestOfWordsThatBegin(begin) if word.starts_with(begin.as_str()) => word.get(..begin.len()),
            _ => None,
        });
        begin.unwrap_or(word)
    }

    /// Puts the conversation in the order of its speakers, each speaker's own lines in theirs. It stands below the line
    /// that names the columns, a block of lines for each connection; the block with the ending is none of it. What is
    /// indented goes on with what is above.
    fn by_speaker(&self, lines: &mut Vec<String>) {
        let is_heading = |line: &String| line.split_whitespace().eq(["ms", "who", "said"]);
        let Some(heading) = lines.iter().position(is_heading) else { return };
        let told = lines.split_off(heading + 1);
        for block in told.split(String::is_empty) {
            if block.iter().any(|line| line.starts_with("ending ")) {
                lines.extend_from_slice(block);
                break;
            }
            let mut turns: Vec<Vec<&String>> = Vec::new();
            for line in block {
                match turns.last_mut() {
                    Some(turn) if line.starts_with(' ') => turn.push(line),
                    _ => turns.push(vec![line]),
                }
            }
            turns.sort_by_key(|turn| turn.first().map(|line| self.speaker(line)));
            lines.extend(turns.into_iter().flatten().cloned());
            lines.push(String::new());
        }
    }

    /// Who says a line: its first word, or more of them if its order among the others says nothing.
    fn speaker(&self, line: &str) -> String {
        let begins = |words: &[String]| line.split(' ').take(words.len()).eq(words.iter().map(String::as_str));
        let apart = self.allowed.iter().find_map(|allowance| match &allowance.leave_out {
            LeaveOut::OrderOf(words) if begins(words) => Some(words.join(" ")),
            _ => None,
        });
        apart.unwrap_or_else(|| line.split(' ').next().unwrap_or_default().to_owned())
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
            Self::NumberBetween(before, after) => {
                let (head, tail) = words.split_at(index);
                let before: Vec<&str> = before.split(' ').collect();
                number()
                    && head.ends_with(&before)
                    && after.split(' ').eq(tail.iter().skip(1).take(after.split(' ').count()).copied())
            }
            Self::WordAfter(before) => {
                index.checked_sub(1).and_then(|index| words.get(index)) == Some(&before.as_str())
            }
            Self::BytesInHexadecimal(wanted) => *wanted && is_quoted_byte(words, index),
            Self::LinesThatBegin(_)
            | Self::LinesWith(_)
            | Self::RestOfWordsThatBegin(_)
            | Self::OrderOf(_)
            | Self::Interleaving(_) => false,
        }
    }
}

/// `5 bytes 17 03 03 02 5d`: two digits each, behind the word.
fn is_quoted_byte(words: &[&str], index: usize) -> bool {
    let is_byte = |word: &&&str| word.len() == 2 && word.chars().all(|c| c.is_ascii_hexdigit());
    let before = words.get(..=index).unwrap_or_default().iter().rev().skip_while(|word| is_byte(word));
    words.get(index).is_some_and(|word| is_byte(&word))
        && before.into_iter().next().is_some_and(|word| matches!(*word, "byte" | "bytes"))
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
    fn what_random_numbers_decide_may_differ_and_what_they_do_not_may_not() {
        let told = |port: &str, bytes: &str, first: &str, second: &str| {
            format!(
                "head\n\n   ms  who  said\n\nconnection 2  192.0.2.2:{port} to 192.0.2.10:8883\n  1  modem  > {bytes}\n  2  modem  {first}\n  3  modem  {second}\n\ndevice  done\nending  connected"
            )
        };
        let reviewed = told("50530", "605 bytes d0 c2 12 …", ">", "+IPCLOSE 0,1");
        let same = told("60001", "605 bytes 83 f6 1a …", "+IPCLOSE 0,1", ">");
        assert_eq!(allowances().difference(&reviewed, &same), None);
        let sealed = |bytes: u32| {
            told("1", &format!("(bad record) application_data of {bytes} bytes that no key opens"), ">", "+IPCLOSE 0,1")
        };
        assert_eq!(allowances().difference(&sealed(605), &sealed(604)), None);
        for other in [
            told("50530", "606 bytes d0 c2 12 …", ">", "+IPCLOSE 0,1"),
            told("50530", "605 bytes d0 c2 12 …", ">", "+IPCLOSE 0,2"),
            told("50530", "605 bytes d0 c2 12 …", "OK", "+IPCLOSE 0,1"),
            told("50530", "application_data of 605 bytes", ">", "+IPCLOSE 0,1"),
            reviewed.replace(":8883", ":1883"),
        ] {
            assert!(allowances().difference(&reviewed, &other).is_some(), "{other}");
        }
    }

    #[test]
    fn nothing_else_may() {
        for (was, is, told) in [
            ("sni broker.test", "sni broker.tset", "broker.tset"),
            ("ja3 2aee", "ja3 2aef", "2aef"),
            ("(-0x2700)", "(-0x2701)", "-0x2701"),
            ("(bb9271d7)", "(bb9271d8)", "bb9271d8"),
            ("device refused", "device gave up", "gave up"),
            ("   13  device   FIN\n", "", "FIN"),
            ("   13  device   FIN", "   13  device   RST", "RST"),
            ("resolve 9 ms", "connect 9 ms", "connect"),
            ("heap peak 57 KiB", "heap peak 57 KiB · 2 allocation(s) failed", "2 allocation(s) failed"),
        ] {
            let silicon = REVIEWED.replacen(was, is, 1);
            assert_ne!(silicon, REVIEWED);
            let difference = allowances().difference(REVIEWED, &silicon).unwrap_or_else(|| panic!("{was} is {is}"));
            let changed = |sign: char| {
                let lines = difference.lines().filter(move |line| line.starts_with(sign));
                lines.filter(|line| !line.starts_with("---") && !line.starts_with("+++")).collect::<Vec<_>>()
            };
            // One line goes, one line comes, or none where one was taken out; and it is the one that was changed.
            let (gone, come) = (changed('-'), changed('+'));
            let expected_come = usize::from(!is.is_empty());
            assert_eq!((gone.len(), come.len()), (1, expected_come), "{difference}");
            assert!(come.first().unwrap_or(&gone[0]).contains(told), "no word of {told} in {difference}");
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
