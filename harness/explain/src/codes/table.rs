//! The tables of codes: which number is what in which library. `tables/*.toml`.

use std::sync::LazyLock;

use blame::Error;
use outcome::AlertDescription;
use serde::Deserialize;

use super::notation::{Notation, Number};

/// The files, in the order in which equally likely readings of a number are told.
const FILES: [(&str, &str); 21] = [
    ("mbedtls", include_str!("tables/mbedtls.toml")),
    ("esp_tls", include_str!("tables/esp_tls.toml")),
    ("connack", include_str!("tables/connack.toml")),
    ("alerts", include_str!("tables/alerts.toml")),
    ("bearssl", include_str!("tables/bearssl.toml")),
    ("tasmota", include_str!("tables/tasmota.toml")),
    ("pubsubclient", include_str!("tables/pubsubclient.toml")),
    ("nodemcu_mqtt", include_str!("tables/nodemcu_mqtt.toml")),
    ("micropython", include_str!("tables/micropython.toml")),
    ("arduino_esp32", include_str!("tables/arduino_esp32.toml")),
    ("errno", include_str!("tables/errno.toml")),
    ("mqtt5", include_str!("tables/mqtt5.toml")),
    ("libmosquitto", include_str!("tables/libmosquitto.toml")),
    ("espconn", include_str!("tables/espconn.toml")),
    ("mbedtls_flags", include_str!("tables/mbedtls_flags.toml")),
    ("simcom_mqtt", include_str!("tables/simcom_mqtt.toml")),
    ("simcom_ssl", include_str!("tables/simcom_ssl.toml")),
    ("simcom_ip", include_str!("tables/simcom_ip.toml")),
    ("simcom_ca", include_str!("tables/simcom_ca.toml")),
    ("openssl_reasons", include_str!("tables/openssl_reasons.toml")),
    ("openssl_verify", include_str!("tables/openssl_verify.toml")),
];

/// One library's codes.
#[derive(Debug)]
pub struct Table {
    /// Its name, as phrases use it.
    pub name: String,
    /// The library or platform.
    pub library: String,
    /// Who prints such numbers, and in which words.
    pub printed_by: String,
    /// The file that defines them, if all stand in one.
    header: String,
    /// The folder of the files that codes name.
    header_folder: String,
    /// Numbers written so are most likely this library's.
    likely: Vec<Notation>,
    /// Numbers written so may be this library's.
    possible: Vec<Notation>,
    codes: Vec<Code>,
}

/// One code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The number, with its sign.
    pub number: i64,
    /// The name that the library gives it.
    pub name: String,
    /// Its topic's name.
    pub topic: String,
    /// File and versions.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    table: String,
    library: String,
    printed_by: String,
    #[serde(default)]
    header: String,
    #[serde(default)]
    header_folder: String,
    likely: Vec<Notation>,
    possible: Vec<Notation>,
    codes: String,
}

static TABLES: LazyLock<blame::Result<Vec<Table>>> = LazyLock::new(|| FILES.iter().map(read).collect());

/// All tables.
///
/// # Errors
///
/// The file that cannot be read, and its line.
pub fn all() -> blame::Result<&'static [Table]> {
    TABLES.as_deref().map_err(Clone::clone)
}

/// The table of this name.
pub fn named(name: &str) -> Option<&'static Table> {
    all().unwrap_or_default().iter().find(|table| table.name == name)
}

fn read((file, text): &(&str, &str)) -> blame::Result<Table> {
    let read: File = toml::from_str(text).map_err(|error| Error::bench(format!("{file}.toml: {error}")))?;
    let mut table = Table {
        name: read.table,
        library: read.library,
        printed_by: read.printed_by,
        header: read.header,
        header_folder: read.header_folder,
        likely: read.likely,
        possible: read.possible,
        codes: Vec::new(),
    };
    for line in read.codes.lines().filter(|line| !line.trim().is_empty()) {
        let code = table.code(line);
        let code = code.ok_or_else(|| Error::bench(format!("{file}.toml: `{line}` is no number, name and topic")))?;
        table.codes.push(code);
    }
    if table.name == "alerts" {
        table.codes.extend(AlertDescription::REGISTERED.iter().map(|(number, name)| Code {
            number: (*number).into(),
            name: (*name).into(),
            topic: format!("alert_{number}"),
            source: table.header.clone(),
        }));
    }
    Ok(table)
}

impl Table {
    fn code(&self, line: &str) -> Option<Code> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [number, name, topic, rest @ ..] = &words[..] else { return None };
        let versions = match rest.get(1) {
            None => String::new(),
            Some(&"all") => ", 2.7 to 3.6".into(),
            Some(versions) => match versions.split_once('-') {
                Some((from, "")) => format!(", from {from} on"),
                Some(("", until)) => format!(", up to {until}"),
                Some((from, until)) => format!(", {from} to {until}"),
                None => format!(", {versions}"),
            },
        };
        let source = match (rest.first().map(|file| file.replace('_', " ")), self.header_folder.as_str()) {
            (None, _) => self.header.clone(),
            (
                Some(_),
                "include/mbedtls" | "inc" | "src" | "app/mqtt" | "include" | "components" | "sdk-overrides/include",
            ) => {
                format!("{}/{}{versions}", self.header_folder, rest[0])
            }
            (Some(file), "") => file,
            (Some(file), folder) => format!("{folder} {file}"),
        };
        let number = Number::parse(number)?.value;
        Some(Code { number, name: (*name).into(), topic: (*topic).into(), source })
    }

    /// Whether numbers written so are this library's: 0 if most likely, 1 if it may be, `None` if not.
    pub fn likelihood(&self, notation: Notation) -> Option<u8> {
        let is_among = |list: &[Notation]| list.contains(&notation);
        if is_among(&self.likely) { Some(0) } else { is_among(&self.possible).then_some(1) }
    }

    /// The code of this number.
    pub fn find(&self, number: i64) -> Option<&Code> {
        self.codes.iter().find(|code| code.number == number)
    }

    /// The code of this name.
    pub fn find_name(&self, name: &str) -> Option<&Code> {
        self.codes.iter().find(|code| code.name == name)
    }

    /// All of its codes.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }
}
