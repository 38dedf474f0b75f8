//! The format strings of a firmware: the symbols of section `.defmt` of its ELF file.
//!
//! A symbol's name is JSON (`package`, `tag`, `data`, `disambiguator`, `crate_name`); its address is the number by which
//! frames name it.

use std::collections::BTreeMap;
use std::fmt;

use defmt_parser::Level;
use object::{Object, ObjectSection, ObjectSymbol};
use serde::Deserialize;

/// The versions of the wire format that are read.
const VERSIONS: [&str; 2] = ["3", "4"];

/// How frames are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A zero behind each, and none in it.
    Rzcobs,
    /// Not at all.
    Raw,
}

/// The words of a firmware's frames.
#[derive(Clone, Debug)]
pub struct Table {
    entries: BTreeMap<u16, Entry>,
    timestamp: Option<String>,
    encoding: Encoding,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Of a log message; `None` of what is printed, and of strings that messages refer to.
    pub level: Option<Level>,
    /// Whether a frame may begin with it.
    pub is_message: bool,
    pub format: String,
}

/// Why the section cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// It is no ELF file.
    NotElf,
    /// Its version of the wire format is another one, or it names none.
    Version(Option<String>),
    /// Its framing is not known here.
    Encoding(String),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("its log is not read: it is no ELF file"),
            Self::Version(Some(version)) => {
                write!(
                    f,
                    "its log is not read: version {version} of defmt's wire format, and {} are known here",
                    VERSIONS.join(" and ")
                )
            }
            Self::Version(None) => {
                f.write_str("its log is not read: a section .defmt without a version (was it linked with `-Tdefmt.x`?)")
            }
            Self::Encoding(encoding) => {
                write!(f, "its log is not read: defmt's encoding `{encoding}` is not known here")
            }
        }
    }
}

impl std::error::Error for TableError {}

/// A symbol's name.
#[derive(Deserialize)]
struct Name {
    tag: String,
    data: String,
}

impl Table {
    /// The table of an ELF file; `None` if it does not use defmt.
    ///
    /// # Errors
    ///
    /// If it uses a defmt that is not known here.
    pub fn of_elf(elf: &[u8]) -> Result<Option<Self>, TableError> {
        let file = object::File::parse(elf).map_err(|_| TableError::NotElf)?;
        let is_ours = |name: &str| name == ".defmt" || name.starts_with(".defmt.");
        let sections: Vec<_> = file
            .sections()
            .filter(|section| section.name().is_ok_and(is_ours))
            .map(|section| section.index())
            .collect();
        if sections.is_empty() {
            return Ok(None);
        }
        let marked = |mark: &str| {
            let names = file.symbols().filter_map(|symbol| symbol.name().ok().map(str::to_owned));
            // LLD keeps the quotes of the linker script.
            let bare = |name: String| name.trim_matches('"').strip_prefix(mark).map(str::to_owned);
            names.filter_map(bare).next()
        };
        let version = marked("_defmt_version_ = ");
        if !version.as_deref().is_some_and(|version| VERSIONS.contains(&version)) {
            return Err(TableError::Version(version));
        }
        let encoding = match marked("_defmt_encoding_ = ").as_deref() {
            Some("rzcobs") => Encoding::Rzcobs,
            Some("raw") => Encoding::Raw,
            other => return Err(TableError::Encoding(other.unwrap_or("none").to_owned())),
        };
        let mut table = Self { entries: BTreeMap::new(), timestamp: None, encoding };
        for symbol in file.symbols() {
            if symbol.section_index().is_some_and(|index| sections.contains(&index))
                && let Some(name) = symbol.name().ok().and_then(|name| serde_json::from_str::<Name>(name).ok())
            {
                table.take(symbol.address(), name);
            }
        }
        Ok(Some(table))
    }

    fn take(&mut self, address: u64, Name { tag, data }: Name) {
        let level = match tag.as_str() {
            "defmt_timestamp" => {
                self.timestamp = Some(data);
                return;
            }
            "defmt_trace" => Some(Level::Trace),
            "defmt_debug" => Some(Level::Debug),
            "defmt_info" => Some(Level::Info),
            "defmt_warn" => Some(Level::Warn),
            "defmt_error" => Some(Level::Error),
            _ => None,
        };
        if let Ok(number) = u16::try_from(address) {
            let is_message = level.is_some() || tag == "defmt_println";
            self.entries.insert(number, Entry { level, is_message, format: data });
        }
    }

    /// How frames are delimited.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How the timestamp of each frame is written, if there is one.
    pub(crate) fn timestamp(&self) -> Option<&str> {
        self.timestamp.as_deref()
    }

    pub(crate) fn entry(&self, number: u16) -> Option<&Entry> {
        self.entries.get(&number)
    }

    #[cfg(test)]
    pub(crate) fn of(encoding: Encoding, timestamp: Option<&str>, entries: &[(u16, &str, &str)]) -> Self {
        let mut table = Self { entries: BTreeMap::new(), timestamp: timestamp.map(str::to_owned), encoding };
        for (number, tag, data) in entries {
            table.take(u64::from(*number), Name { tag: (*tag).to_owned(), data: (*data).to_owned() });
        }
        table
    }
}
