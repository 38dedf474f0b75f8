//! Dates, absolute or relative to the run's (RFC 3339, RFC 5280 §4.1.2.5).

use clock::UnixTime;
use clock::calendar::Date;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use super::Malformed;

/// A point in calendar time: `"2025-01-01T00:00:00Z"`, or an offset to the run's date in days, hours, minutes or
/// seconds: `"-30d"`, `"+12h"`, `"+90m"`, `"-1s"`, `"0s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// This date.
    Absolute(UnixTime),
    /// So many seconds after the run's date; negative before it.
    Relative {
        /// The offset in seconds.
        seconds: i64,
    },
}

impl Moment {
    /// So many days after the run's date.
    pub const fn days(days: i64) -> Self {
        Self::Relative { seconds: days.saturating_mul(86_400) }
    }

    /// The date that is meant in a run that takes place at `date`.
    pub const fn resolve(self, date: UnixTime) -> UnixTime {
        match self {
            Self::Absolute(moment) => moment,
            Self::Relative { seconds } => UnixTime::from_seconds(date.seconds.saturating_add(seconds)),
        }
    }
}

impl FromStr for Moment {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(date) = Date::parse_rfc3339(text) {
            return Ok(Self::Absolute(date.to_unix_time()));
        }
        parse_offset(text).map(|seconds| Self::Relative { seconds }).ok_or_else(|| {
            Malformed::new(
                text,
                "no date",
                "`2025-01-01T00:00:00Z` (years 0001 to 9999, UTC), \
                 or an offset to the run's date such as `-30d`, `+12h`, `+90m` or `-1s`",
            )
        })
    }
}

fn parse_offset(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds_per_unit = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(seconds_per_unit)
}

impl TryFrom<String> for Moment {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(moment) => write!(f, "{}", Date::from_unix_time(*moment)),
            Self::Relative { seconds } if seconds % 86_400 == 0 && *seconds != 0 => {
                write!(f, "{:+}d", seconds / 86_400)
            }
            Self::Relative { seconds } => write!(f, "{seconds:+}s"),
        }
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

/// How a date is encoded in a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeEncoding {
    /// UTCTime until 2049, GeneralizedTime from 2050 on: what RFC 5280 demands. The default.
    #[default]
    AsDemanded,
    /// UTCTime, whose two digits of a year mean 1950 to 2049.
    UtcTime,
    /// GeneralizedTime, whatever the year.
    GeneralizedTime,
}
