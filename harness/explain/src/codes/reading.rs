//! One way to read a code: whose it is, what it is called, and what it means.

use outcome::AlertDescription;

use super::notation::{Notation, Number};
use super::table::{self, Code, Table};
use super::topics::{self, Cause, Topic};
use crate::alerts;

/// Topics of a low-level part that say more than the high-level part of the same sum.
const DECISIVE: [&str; 3] = ["no_memory", "random", "hardware_crypto"];
/// Topics that are seldom what somebody asks about: their readings come after the others.
const SELDOM: [&str; 6] =
    ["certificate_unreadable", "primitive", "no_error", "server_side", "internal_elsewhere", "dtls"];

/// One way to read a code or a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The library or platform.
    pub library: String,
    /// The code as that library prints it; a part of a line, if there is no code.
    pub code: String,
    /// What the library calls it; empty if the line stands for itself.
    pub name: String,
    /// Who prints it.
    pub printed_by: String,
    /// The file that defines it.
    pub source: String,
    /// What it means.
    pub meaning: Meaning,
    /// How the device of a snapshot names it; empty if none does.
    pub met_as: Vec<String>,
    /// 0 if likely; more, if less so.
    pub rank: u8,
}

/// What a reading means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// With causes.
    Topic(&'static Topic),
    /// An alert without a topic: in a sentence.
    Sentence(String),
}

impl Reading {
    /// What happened.
    pub fn means(&self) -> &str {
        match &self.meaning {
            Meaning::Topic(topic) => &topic.means,
            Meaning::Sentence(sentence) => sentence,
        }
    }

    /// When in a connection.
    pub fn when(&self) -> &str {
        match &self.meaning {
            Meaning::Topic(topic) => &topic.when,
            Meaning::Sentence(_) => "in the handshake",
        }
    }

    /// Why, the likeliest first.
    pub fn causes(&self) -> &'static [Cause] {
        match &self.meaning {
            Meaning::Topic(topic) => &topic.causes,
            Meaning::Sentence(_) => &[],
        }
    }

    /// The topic's name; empty if there is none.
    pub fn topic(&self) -> &str {
        match &self.meaning {
            Meaning::Topic(topic) => &topic.name,
            Meaning::Sentence(_) => "",
        }
    }
}

/// Every way to read a number that stands alone, the likeliest first.
pub fn of_number(number: Number) -> Vec<Reading> {
    let mut readings = Vec::new();
    for table in table::all().unwrap_or_default() {
        let Some(rank) = table.likelihood(number.notation) else { continue };
        for mut reading in in_table(table, number) {
            reading.rank += rank;
            readings.push(reading);
        }
    }
    readings.sort_by_key(|reading| reading.rank);
    readings
}

/// The readings of a number that is known to be of this table: none or one; several for a set of flags.
pub fn in_table(table: &'static Table, number: Number) -> Vec<Reading> {
    if table.name == "mbedtls" {
        return sum(table, number).into_iter().collect();
    }
    if let Some(code) = table.find(number.value) {
        return vec![of_code(table, code)];
    }
    match table.name.as_str() {
        "bearssl" => bearssl_alert(table, number.value).into_iter().collect(),
        "mbedtls_flags" => flags(table, number.value),
        "alerts" => u8::try_from(number.value).map(|alert| vec![unregistered(table, alert)]).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The reading of a name, such as `MBEDTLS_ERR_SSL_CONN_EOF`; names without their library's prefix are understood.
pub fn of_name(name: &str) -> Option<Reading> {
    const PREFIXES: [&str; 4] = ["", "MBEDTLS_ERR_", "BR_ERR_", "ESP_ERR_"];
    let tables = table::all().unwrap_or_default();
    let upper = name.to_ascii_uppercase();
    let lower = name.to_ascii_lowercase().replace([' ', '-'], "_");
    PREFIXES
        .iter()
        .map(|prefix| format!("{prefix}{upper}"))
        .chain([lower])
        .find_map(|name| tables.iter().find_map(|table| table.find_name(&name).map(|code| of_code(table, code))))
}

/// A line that stands for a topic, without a code.
pub fn of_topic(topic: &str, library: &str, line: &str) -> Option<Reading> {
    Some(Reading {
        library: library.to_owned(),
        code: line.to_owned(),
        name: String::new(),
        printed_by: String::new(),
        source: String::new(),
        meaning: Meaning::Topic(topics::named(topic)?),
        met_as: Vec::new(),
        rank: 0,
    })
}

fn of_code(table: &'static Table, code: &Code) -> Reading {
    let meaning = match topics::named(&code.topic) {
        Some(topic) => Meaning::Topic(topic),
        None => Meaning::Sentence(alert_sentence(code.topic.strip_prefix("alert_").unwrap_or_default())),
    };
    Reading {
        library: table.library.clone(),
        code: written(table, code.number),
        name: code.name.replace('_', if table.name.starts_with("simcom") { " " } else { "_" }),
        printed_by: table.printed_by.clone(),
        source: code.source.clone(),
        meaning,
        met_as: met_as(table, code),
        rank: u8::from(SELDOM.contains(&code.topic.as_str())),
    }
}

/// The code as its library prints it.
fn written(table: &Table, number: i64) -> String {
    match table.name.as_str() {
        "mbedtls" => format!("-0x{:04x}", -number),
        "esp_tls" | "mbedtls_flags" => format!("0x{number:x}"),
        "mqtt5" => format!("{number}, 0x{number:02x}"),
        _ => number.to_string(),
    }
}

/// How transcripts name it, as far as the devices of the bench say such things.
fn met_as(table: &Table, code: &Code) -> Vec<String> {
    match table.name.as_str() {
        "mbedtls" | "mbedtls_flags" | "bearssl" => vec![code.name.clone()],
        "tasmota" if code.number == -1000 => vec!["OUT_OF_MEMORY".into()],
        "connack" | "pubsubclient" | "nodemcu_mqtt" | "simcom_mqtt" => match code.topic.strip_prefix("connack_") {
            Some(number) => vec![format!("CONNACK_REFUSED ({number})")],
            None => Vec::new(),
        },
        "alerts" => vec![format!("{} ({})", code.name, code.number)],
        _ => Vec::new(),
    }
}

/// A code of Mbed TLS: one number, or the sum of a high-level and a low-level one (include/mbedtls/error.h).
fn sum(table: &'static Table, number: Number) -> Option<Reading> {
    let size = number.value.checked_abs()?;
    if number.value > 0 && size < 0x80 {
        return None;
    }
    if let Some(code) = table.find(-size) {
        return Some(of_code(table, code));
    }
    let (high, low) = (table.find(-(size & 0xff80))?, table.find(-(size & 0x7f))?);
    let [mut high, low] = [of_code(table, high), of_code(table, low)];
    high.code = format!("-0x{size:04x}");
    high.met_as = vec![format!("{} + {}", high.name, low.name)];
    high.name = format!("{} + {}", high.name, low.name);
    if low.source != high.source {
        high.source = format!("{}; {}", high.source, low.source);
    }
    if DECISIVE.contains(&low.topic()) {
        high.meaning = low.meaning;
    }
    Some(high)
}

/// 256 and the alert that came, or 512 and the one that was sent.
fn bearssl_alert(table: &'static Table, number: i64) -> Option<Reading> {
    let (base, name, sent) = match number {
        256..512 => (256, "BR_ERR_RECV_FATAL_ALERT", false),
        512..768 => (512, "BR_ERR_SEND_FATAL_ALERT", true),
        _ => return None,
    };
    let alert = AlertDescription(u8::try_from(number - base).ok()?);
    let meaning = match topics::named(&format!("alert_{}", alert.0)) {
        Some(topic) if !sent => Meaning::Topic(topic),
        _ if sent => Meaning::Sentence(format!("The device gave up: {}.", alerts::meaning(alert, true))),
        _ => Meaning::Sentence(format!("The broker gave up: {}.", alerts::meaning(alert, false))),
    };
    Some(Reading {
        library: table.library.clone(),
        code: number.to_string(),
        name: format!("{name} + {alert}"),
        printed_by: table.printed_by.clone(),
        source: "inc/bearssl_ssl.h".into(),
        meaning,
        met_as: vec![format!("{name}: {alert} ({number})")],
        rank: 0,
    })
}

/// What verification found: a bit each.
fn flags(table: &'static Table, number: i64) -> Vec<Reading> {
    let bits: Vec<&Code> = table.codes().iter().filter(|code| number & code.number != 0).collect();
    let known = bits.iter().fold(0, |sum, code| sum | code.number);
    if number <= 0 || known != number {
        Vec::new()
    } else {
        bits.into_iter().map(|code| of_code(table, code)).collect()
    }
}

fn unregistered(table: &'static Table, alert: u8) -> Reading {
    Reading {
        library: table.library.clone(),
        code: alert.to_string(),
        name: String::new(),
        printed_by: table.printed_by.clone(),
        source: "RFC 9846 §6".into(),
        meaning: Meaning::Sentence(alert_sentence(&alert.to_string())),
        met_as: Vec::new(),
        rank: 2,
    }
}

fn alert_sentence(number: &str) -> String {
    let alert = AlertDescription(number.parse().unwrap_or(u8::MAX));
    format!(
        "If the client says it: {}. If the broker says it: {}.",
        alerts::meaning(alert, true),
        alerts::meaning(alert, false)
    )
}

/// Whether a number written so can be a code of Mbed TLS and of little else: it is looked for within lines.
pub const fn stands_out(notation: Notation) -> bool {
    matches!(notation, Notation::MinusHex | Notation::MinusLarge | Notation::Hex)
}
