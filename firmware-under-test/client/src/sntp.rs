//! Asks a server for the time (SNTP, RFC 4330).

use core::net::IpAddr;

use crate::device::Device;
use crate::fault::Fault;
use crate::platform::Platform;

const PORT: u16 = 123;
const PACKET_BYTES: usize = 48;
/// Leap indicator 0, version 4, mode 3 (client) (§4).
const CLIENT: u8 = 4 << 3 | 3;
/// Seconds from 1900-01-01, where NTP's clock starts, to 1970-01-01.
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

/// The time in seconds since 1970-01-01T00:00:00Z.
pub(crate) fn ask<P: Platform>(device: &mut Device<'_, P>, server: IpAddr, timeout_us: u64) -> Result<i64, Fault> {
    let until_us = device.now_us() + timeout_us;
    // The client's transmit timestamp comes back as the originate timestamp: a number that nobody can guess (§5).
    let nonce = device.random_u64().to_be_bytes();
    let mut question = [0; PACKET_BYTES];
    question[0] = CLIENT;
    question[40..48].copy_from_slice(&nonce);
    let answer = device.ask(server, PORT, &question, until_us, |answer| read_answer(answer, nonce))?;
    answer.ok_or(Fault::SntpTimedOut)?
}

/// `None` if this is not the answer to our question, or none that may be believed (§5).
fn read_answer(answer: &[u8], nonce: [u8; 8]) -> Option<Result<i64, Fault>> {
    let answer: &[u8; PACKET_BYTES] = answer.get(..PACKET_BYTES)?.try_into().ok()?;
    let (leap, mode, stratum) = (answer[0] >> 6, answer[0] & 7, answer[1]);
    if mode != 4 || answer[24..32] != nonce {
        return None;
    }
    if stratum == 0 {
        return Some(Err(Fault::SntpRefused));
    }
    let seconds = u32::from_be_bytes([answer[40], answer[41], answer[42], answer[43]]);
    let fraction = u32::from_be_bytes([answer[44], answer[45], answer[46], answer[47]]);
    if leap == 3 || (seconds == 0 && fraction == 0) {
        return Some(Err(Fault::SntpUnsynchronised));
    }
    // With the highest bit clear the time is in the era that starts in 2036 (§3).
    let era_s = if seconds >> 31 == 0 { 1 << 32 } else { 0 };
    Some(Ok(i64::from(seconds) + era_s - NTP_TO_UNIX_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(first: u8, stratum: u8, seconds: u32) -> [u8; PACKET_BYTES] {
        let mut answer = [0; PACKET_BYTES];
        answer[0] = first;
        answer[1] = stratum;
        answer[24..32].copy_from_slice(b"question");
        answer[40..44].copy_from_slice(&seconds.to_be_bytes());
        answer
    }

    #[test]
    fn reads_the_time_on_both_sides_of_2036() {
        // RFC 5905, figure 4: the Unix epoch is 2208988800 of era 0; era 1 starts at 2036-02-07T06:28:16Z.
        assert_eq!(read_answer(&answer(0x24, 1, 2_208_988_800), *b"question"), Some(Ok(0)));
        assert_eq!(read_answer(&answer(0x24, 1, 1), *b"question"), Some(Ok(2_085_978_497)));
    }

    #[test]
    fn believes_only_the_answer_to_its_question() {
        assert_eq!(read_answer(&answer(0x24, 1, 1), *b"guessing"), None);
        assert_eq!(read_answer(&answer(0x23, 1, 1), *b"question"), None);
        assert_eq!(read_answer(&answer(0x24, 1, 1)[..47], *b"question"), None);
        assert_eq!(read_answer(&answer(0x24, 0, 1), *b"question"), Some(Err(Fault::SntpRefused)));
        assert_eq!(read_answer(&answer(0xe4, 1, 1), *b"question"), Some(Err(Fault::SntpUnsynchronised)));
        assert_eq!(read_answer(&answer(0x24, 1, 0), *b"question"), Some(Err(Fault::SntpUnsynchronised)));
    }
}
