//! The NSS key log (draft-ietf-tls-keylogfile): which secrets belong to which hello.

use std::collections::HashMap;

/// The secrets of one connection, as far as they were logged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    /// `CLIENT_RANDOM`: the main secret of TLS 1.2 and older.
    pub main: Option<Vec<u8>>,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`, then `SERVER_…`.
    pub handshake: [Option<Vec<u8>>; 2],
    /// `CLIENT_TRAFFIC_SECRET_0`, then `SERVER_…`.
    pub application: [Option<Vec<u8>>; 2],
}

/// A key log, by client random.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyLog {
    by_random: HashMap<[u8; 32], Secrets>,
}

impl KeyLog {
    /// Reads a key log. Lines that it does not understand, comments among them, are skipped.
    pub fn parse(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(label), Some(random), Some(secret), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            let Some(Ok(random)) = unhex(random).map(<[u8; 32]>::try_from) else { continue };
            let Some(secret) = unhex(secret).filter(|secret| secret.len() <= 64) else { continue };
            let secrets = log.by_random.entry(random).or_default();
            let slot = match label {
                "CLIENT_RANDOM" => &mut secrets.main,
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => &mut secrets.handshake[0],
                "SERVER_HANDSHAKE_TRAFFIC_SECRET" => &mut secrets.handshake[1],
                "CLIENT_TRAFFIC_SECRET_0" => &mut secrets.application[0],
                "SERVER_TRAFFIC_SECRET_0" => &mut secrets.application[1],
                _ => continue,
            };
            *slot = Some(secret);
        }
        log
    }

    /// The secrets of the connection whose ClientHello has this random.
    pub fn secrets(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.by_random.get(client_random)
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) + nibble(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_by_their_client_random() {
        let random = "ab".repeat(32);
        let log = KeyLog::parse(&format!(
            "# comment\nCLIENT_RANDOM {random} 0102\nSERVER_TRAFFIC_SECRET_0 {random} ff\nEXPORTER_SECRET {random} 00\n\
             CLIENT_RANDOM 00 11\nCLIENT_RANDOM {random} xyz\nCLIENT_RANDOM\n\u{e4}\u{f6} {random} aa"
        ));
        let secrets = log.secrets(&[0xab; 32]).expect("logged");
        assert_eq!(secrets.main, Some(vec![1, 2]));
        assert_eq!(secrets.application, [None, Some(vec![0xff])]);
        assert!(log.secrets(&[0; 32]).is_none());
    }
}
