//! Dates as people write them.

use clock::UnixTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A calendar time, written as RFC 3339 has it: `"2026-01-01T00:00:00Z"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub UnixTime);

impl Default for Date {
    /// 2026-01-01T00:00:00Z: the day on which every run begins unless its scenario says otherwise.
    fn default() -> Self {
        Self(UnixTime::from_seconds(1_767_225_600))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = clock::calendar::Date::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no date; write it as \"2026-01-01T00:00:00Z\"")))?;
        Ok(Self(date.to_unix_time()))
    }
}
