//! SNTP messages (RFC 4330 §4): of 48 bytes, the time is in the last eight.

/// Seconds from 1900, where NTP begins, to 1970.
const UNIX_EPOCH_S: i64 = 2_208_988_800;

/// In an answer, the time that it tells. `None` if the message is malformed.
pub fn details(message: &[u8], is_answer: bool) -> Option<String> {
    let stratum = *message.get(1)?;
    let transmitted = u32::from_be_bytes(*message.get(40..)?.first_chunk()?);
    if !is_answer {
        return Some("sntp".into());
    }
    if stratum == 0 {
        let code: String =
            message[12..16].iter().map(|byte| char::from(*byte)).filter(char::is_ascii_alphabetic).collect();
        return Some(format!("sntp kiss of death {code}"));
    }
    // RFC 4330 §3: with the highest bit clear, the count began anew in 2036.
    let era_s = if transmitted >> 31 == 1 { 0 } else { 1_i64 << 32 };
    Some(format!("sntp {}", date(i64::from(transmitted) + era_s - UNIX_EPOCH_S)))
}

/// ISO 8601, by the proleptic Gregorian calendar (<https://howardhinnant.github.io/date_algorithms.html>,
/// `civil_from_days`).
pub fn date(unix_s: i64) -> String {
    let (days, second_of_day) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from `date -u -d @…`.
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix_s, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(unix_s), expected);
        }
    }

    #[test]
    fn the_time_is_told_before_and_after_2036() {
        let mut message = [0; 48];
        message[1] = 1;
        message[40..44].copy_from_slice(&(1_767_225_600_u32 + 2_208_988_800).to_be_bytes());
        assert_eq!(details(&message, true).as_deref(), Some("sntp 2026-01-01T00:00:00Z"));
        message[40..44].copy_from_slice(&0_u32.to_be_bytes());
        assert_eq!(details(&message, true).as_deref(), Some("sntp 2036-02-07T06:28:16Z"));
        assert_eq!(details(&message[..40], true), None);
    }
}
