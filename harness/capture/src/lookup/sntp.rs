//! SNTP messages (RFC 4330 §4): of 48 bytes, the time is in the last eight.

use clock::UnixTime;
use clock::calendar::Date;

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
    let time = UnixTime::from_seconds(i64::from(transmitted) + era_s - UNIX_EPOCH_S);
    Some(format!("sntp {}", Date::from_unix_time(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
