//! Lines of logs that say which library speaks: `phrases.toml`.

use std::sync::LazyLock;

use blame::Error;
use regex_lite::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use super::notation::Number;
use super::reading::{self, Reading};
use super::table;

const FILE: &str = include_str!("phrases.toml");

/// What a line looks like, and what it says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// A regular expression; letters match both kinds.
    pattern: String,
    /// The table that its code is looked up in, or one of [`SPECIAL`].
    table: Option<String>,
    /// Tables that are asked if the first does not know the code.
    table2: Option<String>,
    table3: Option<String>,
    /// What the line says without a code.
    topic: Option<String>,
    /// In words.
    says: String,
    /// Where the words come from.
    source: String,
    /// The code is hexadecimal, with or without `0x`.
    #[serde(default)]
    hex: bool,
    /// The code is printed without its minus.
    #[serde(default)]
    negate: bool,
    /// 0 if it names a cause, 1 if it is a code of a library, 2 if it is what the layer above made of it.
    rank: u8,
}

/// Tables that are looked up by something other than a number.
#[cfg(test)]
const SPECIAL: [&str; 3] = ["alert_names", "openssl_packed", "openssl_reason_words"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    phrases: Vec<Entry>,
}

static PHRASES: LazyLock<blame::Result<Vec<(Regex, Entry)>>> = LazyLock::new(|| {
    let file: File = toml::from_str(FILE).map_err(|error| Error::bench(format!("phrases.toml: {error}")))?;
    let compiled = file.phrases.into_iter().map(|entry| {
        let regex = RegexBuilder::new(&entry.pattern).case_insensitive(true).build();
        regex.map(|regex| (regex, entry)).map_err(|error| Error::bench(format!("phrases.toml: {error}")))
    });
    compiled.collect()
});

/// What is wrong with the file, if anything is.
///
/// # Errors
///
/// The pattern that is none.
pub fn check() -> blame::Result<()> {
    PHRASES.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// What a line says, in the order of the phrases; and the line with everything that was understood cut out of it.
pub fn readings(line: &str) -> (Vec<Reading>, String) {
    let mut rest = line.to_owned();
    let mut found = Vec::new();
    for (regex, entry) in PHRASES.as_deref().unwrap_or_default() {
        let Some(captures) = regex.captures(&rest) else { continue };
        let Some(whole) = captures.get(0) else { continue };
        let read = entry.read(&captures, whole.as_str());
        if read.is_empty() {
            continue;
        }
        found.extend(read);
        let range = whole.range();
        rest.replace_range(range, " ");
    }
    (found, rest)
}

impl Entry {
    fn read(&self, captures: &Captures<'_>, words: &str) -> Vec<Reading> {
        let group = |name: &str| captures.name(name).map(|found| found.as_str());
        let mut readings = match self.table.as_deref() {
            Some("alert_names") => group("alert").and_then(alert_name).into_iter().collect(),
            Some("openssl_packed") => group("packed").and_then(openssl_packed).into_iter().collect(),
            Some("openssl_reason_words") => group("reason").and_then(openssl_reason).into_iter().collect(),
            Some(_) => match self.number(&group) {
                Some(number) => self.look_up(number),
                None => Vec::new(),
            },
            None => self
                .topic
                .as_deref()
                .and_then(|topic| reading::of_topic(topic, &self.says, words))
                .into_iter()
                .collect(),
        };
        for reading in &mut readings {
            reading.rank = reading.rank.max(self.rank);
            if self.table.is_none() {
                reading.source.clone_from(&self.source);
                if let Some(bytes) = group("bytes") {
                    reading.name = format!("{bytes} bytes");
                }
            }
        }
        readings
    }

    fn number<'a>(&self, group: &impl Fn(&str) -> Option<&'a str>) -> Option<Number> {
        let text = ["code", "code2", "code3", "code4"].into_iter().find_map(group)?;
        let number = if self.hex {
            let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
            Number::hexadecimal(is_negative, digits.trim_start_matches("0x"))?
        } else if text.bytes().any(|byte| byte.is_ascii_alphabetic()) && !text.contains('x') && !text.contains('X') {
            Number::hexadecimal(false, text)?
        } else {
            Number::parse(text)?
        };
        let value = if self.negate { -number.value.abs() } else { number.value };
        Some(Number { value, ..number })
    }

    fn look_up(&self, number: Number) -> Vec<Reading> {
        let names = [&self.table, &self.table2, &self.table3].into_iter().flatten();
        let tables = names.filter_map(|name| table::named(name));
        let mut readings = tables.map(|table| {
            let mut found = reading::in_table(table, number);
            if found.is_empty() && table.name == "errno" {
                found = reading::in_table(table, Number::decimal(-number.value));
            }
            found
        });
        readings.find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// OpenSSL and Go write names of alerts with blanks, rustls in one word of several capitals.
fn alert_name(words: &str) -> Option<Reading> {
    let words = parted(words);
    let words: Vec<&str> = words.split_whitespace().take(4).collect();
    let alerts = table::named("alerts")?;
    (1..=words.len()).rev().find_map(|count| {
        let code = alerts.find_name(&words.get(..count)?.join("_"))?;
        reading::in_table(alerts, Number::decimal(code.number)).into_iter().next()
    })
}

/// `HandshakeFailure` as `handshake failure`; everything else in small letters.
fn parted(words: &str) -> String {
    let mut parted = String::new();
    let mut before = ' ';
    for character in words.chars() {
        if character.is_ascii_uppercase() && before.is_ascii_lowercase() {
            parted.push(' ');
        }
        parted.push(character.to_ascii_lowercase());
        before = character;
    }
    parted
}

/// A packed code: library and reason (3.x), or library, function and reason (1.1.1). Reasons of the library SSL from
/// 1000 on are alerts that came (ssl/ssl_local.h, `SSL_AD_REASON_OFFSET`).
fn openssl_packed(digits: &str) -> Option<Reading> {
    const SSL_LIBRARY: u32 = 20;
    let packed = u32::from_str_radix(digits, 16).ok()?;
    let reason = match (packed >> 23 & 0xff, packed >> 24) {
        (SSL_LIBRARY, _) => packed & 0x7f_ffff,
        (_, SSL_LIBRARY) => packed & 0xfff,
        _ => return None,
    };
    let (table, number) = if reason >= 1000 { ("alerts", reason - 1000) } else { ("openssl_reasons", reason) };
    reading::in_table(table::named(table)?, Number::decimal(number.into())).into_iter().next()
}

fn openssl_reason(words: &str) -> Option<Reading> {
    let name = format!("SSL_R_{}", words.to_ascii_uppercase().replace(' ', "_"));
    let table = table::named("openssl_reasons")?;
    let code = table.find_name(&name).or_else(|| table.find_name(&format!("{name}S")))?;
    reading::in_table(table, Number::decimal(code.number)).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_leads_somewhere() {
        check().unwrap_or_else(|why| panic!("{why}"));
        for (_, entry) in PHRASES.as_deref().unwrap_or_default() {
            let tables = [&entry.table, &entry.table2, &entry.table3].into_iter().flatten();
            for name in tables {
                assert!(SPECIAL.contains(&name.as_str()) || table::named(name).is_some(), "{entry:?}");
            }
            assert!(entry.table.is_some() != entry.topic.is_some(), "{entry:?}");
            assert!(!entry.says.is_empty() && !entry.source.is_empty() && entry.rank <= 2, "{entry:?}");
        }
    }

    #[test]
    fn alerts_are_known_by_the_names_that_libraries_give_them() {
        for line in [
            "received fatal alert: UnknownCA",
            "AlertReceived(UnknownCA)",
            "remote error: tls: unknown ca",
            "sslv3 alert unknown ca",
            "Received fatal alert: unknown_ca",
        ] {
            let (found, _) = readings(line);
            assert_eq!(found.first().map(Reading::topic), Some("alert_48"), "{line}");
        }
    }

    #[test]
    fn packed_codes_of_both_kinds_are_read() {
        let name = |digits: &str| openssl_packed(digits).map(|reading| reading.name);
        // Python 3.11 with OpenSSL 3.0, and 1.1.1, to a broker that wants a client certificate.
        assert_eq!(name("0A00045C").as_deref(), Some("certificate_required"));
        assert_eq!(name("14094418").as_deref(), Some("unknown_ca"));
        assert_eq!(name("0A0000C1").as_deref(), Some("SSL_R_NO_SHARED_CIPHER"));
        assert_eq!(name("80000020"), None, "an error of the system");
    }
}
