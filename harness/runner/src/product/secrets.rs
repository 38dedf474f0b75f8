//! What a description does not repeat of a device's words: passphrases, passwords and keys.
//!
//! Firmware prints them, in examples most of all: *Connecting to home-5 with password correct horse*. Whatever the owner has
//! given is known by its text; the rest is recognised by the word before it.

/// What stands in the place of a secret.
const UNWRITTEN: &str = "… (not written)";
/// What is followed by one.
const ANNOUNCED_BY: &[&str] =
    &["password", "passphrase", "passwd", "psk", "secret", "token", "api key", "api_key", "apikey"];

/// A line without the secrets in it; `given` are those of the owner.
pub(super) fn without(line: &str, given: &[String]) -> String {
    if line.contains("PRIVATE KEY") {
        return UNWRITTEN.to_owned();
    }
    let mut line = line.to_owned();
    for secret in given.iter().filter(|secret| !secret.is_empty()) {
        line = line.replace(secret.as_str(), UNWRITTEN);
    }
    let lower = line.to_ascii_lowercase();
    let announced = ANNOUNCED_BY.iter().filter_map(|word| Some(lower.find(word)? + word.len())).min();
    match announced.and_then(|at| Some((at, value(line.get(at..)?)?))) {
        Some((at, behind)) => format!("{}{UNWRITTEN}", &line[..at + behind]),
        None => line,
    }
}

/// Where a value begins behind the word that announces it; `None` if none does.
fn value(behind: &str) -> Option<usize> {
    let rest = behind.trim_start_matches([' ', '"', '\'']);
    let sign = rest.strip_prefix(['=', ':']);
    let is_sentence = sign.is_none() && rest.len() == behind.len();
    let rest = sign.unwrap_or(rest);
    (!is_sentence && !rest.trim().is_empty()).then(|| behind.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_like_a_secret_is_not_repeated() {
        let given = ["correct horse".to_owned()];
        for (line, expected) in [
            ("joining home-5, correct horse", "joining home-5, … (not written)"),
            ("Connecting to home-5 with password hunter2", "Connecting to home-5 with password … (not written)"),
            ("MQTT_PASSWORD=hunter2 user=x", "MQTT_PASSWORD=… (not written)"),
            ("{\"token\": \"abc\"}", "{\"token\":… (not written)"),
            ("-----BEGIN EC PRIVATE KEY-----", "… (not written)"),
            ("I (5) wifi: no password", "I (5) wifi: no password"),
            ("wrong passwords are refused", "wrong passwords are refused"),
            ("connecting to mqtt.example", "connecting to mqtt.example"),
        ] {
            assert_eq!(without(line, &given), expected, "{line}");
        }
    }
}
