//! What a code, a line or a whole log says: all readings, the likeliest first.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::notation::Number;
use super::phrase;
use super::reading::{self, Reading};
use super::table;

/// Lines beyond these are not read: logs of days.
const LINES_MAX: usize = 20_000;
/// A line is read so far, in bytes.
const LINE_BYTES_MAX: usize = 2_000;

/// Names of codes within a line, and numbers that only a TLS library prints.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:MBEDTLS_(?:ERR|X509)|BR_ERR|ESP_ERR|MOSQ_ERR|X509_V_ERR|SSL_R|ESPCONN|MQTT_CONN|MQTT_CONNECT(?:ION)?)_[A-Z0-9_]+|\b(?:ECONN|EHOST|ENET|ETIME|EAI_|ENOMEM|EPIPE|EBADF)[A-Z]*").ok()
});
static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"-0x[0-9a-fA-F]{2,8}\b|0x[fF]{4}[0-9a-fA-F]{4}\b|0x80[0-3][0-9a-fA-F]\b|\(-\d{4,5}\b|[ =:]-\d{4,5}\b")
        .ok()
});

/// A reading, and where in the text it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it says.
    pub reading: Reading,
    /// The line, from 1.
    pub line: usize,
    /// How many lines say the same.
    pub times: usize,
}

/// Reads a code that stands alone, a line, or a whole log.
pub fn read(text: &str) -> Vec<Found> {
    let text = text.trim();
    let is_alone = !text.contains('\n');
    if is_alone && let Some(number) = Number::parse(text) {
        return numbered(reading::of_number(number));
    }
    if is_alone && let Some(reading) = reading::of_name(text) {
        return numbered(vec![reading]);
    }
    let mut found: Vec<Found> = Vec::new();
    for (index, line) in text.lines().take(LINES_MAX).enumerate() {
        let end = line.floor_char_boundary(LINE_BYTES_MAX);
        for reading in of_line(line.get(..end).unwrap_or_default()) {
            let same = |known: &&mut Found| {
                known.reading.library == reading.library
                    && known.reading.topic() == reading.topic()
                    && (known.reading.code == reading.code || reading.name.is_empty())
            };
            match found.iter_mut().find(same) {
                Some(known) => known.times += 1,
                None => found.push(Found { reading, line: index + 1, times: 1 }),
            }
        }
    }
    // What names a cause goes before what only says that something failed; among equals, what was said first.
    found.sort_by_key(|found| (found.reading.rank + weight(&found.reading), found.line));
    found
}

fn numbered(readings: Vec<Reading>) -> Vec<Found> {
    readings.into_iter().map(|reading| Found { reading, line: 1, times: 1 }).collect()
}

/// What says only that there is more to know.
fn weight(reading: &Reading) -> u8 {
    match reading.topic() {
        "wrapper" | "no_error" | "socket_failed" | "disconnected" => 2,
        "alert" | "verify_failed" | "closed" | "openssl_verify" => 1,
        _ => 0,
    }
}

fn of_line(line: &str) -> Vec<Reading> {
    let (mut found, rest) = phrase::readings(line);
    let mut add = |reading: Reading| {
        if !found.iter().any(|known| known.code == reading.code && known.library == reading.library) {
            found.push(reading);
        }
    };
    let matches = |regex: &LazyLock<Option<Regex>>, text: &str| -> Vec<String> {
        let Some(regex) = regex.as_ref() else { return Vec::new() };
        regex.find_iter(text).map(|found| found.as_str().to_owned()).collect()
    };
    for name in matches(&NAMES, &rest) {
        if let Some(mut reading) = reading::of_name(&name) {
            reading.rank = reading.rank.max(1);
            add(reading);
        }
    }
    for number in matches(&NUMBERS, &rest) {
        let number = Number::parse(number.trim_start_matches(['(', ' ', '=', ':']));
        let Some(number) = number.filter(|number| reading::stands_out(number.notation)) else { continue };
        let tables = ["mbedtls", "esp_tls", "tasmota"].into_iter().filter_map(table::named);
        let read = tables.map(|table| reading::in_table(table, number)).find(|read| !read.is_empty());
        for mut reading in read.unwrap_or_default() {
            reading.rank = reading.rank.max(1);
            add(reading);
        }
    }
    found
}
