//! What is to be explained: a scenario, or a code.

use blame::Error;

use super::codes;

/// What somebody asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A scenario, by its name or a part of it.
    Scenario(String),
    /// A code, a line or a log.
    Code(String),
}

/// Tells one from the other by the letters alone: a scenario's name has small letters, digits, `_` and `/`, and begins
/// with a letter; everything else is a code. The registered name of an alert is a code, unless a folder stands before it.
/// `-` alone is a log on standard input.
///
/// # Errors
///
/// If standard input cannot be read.
pub fn of(first: &str, more: &[String]) -> blame::Result<Subject> {
    if first == "-" && more.is_empty() {
        return log().map(Subject::Code);
    }
    let is_of_a_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'/');
    let begins = first.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let is_scenario = more.is_empty() && begins && first.bytes().all(is_of_a_name) && !codes::is_name(first);
    if is_scenario {
        return Ok(Subject::Scenario(first.to_owned()));
    }
    let words: Vec<&str> = std::iter::once(first).chain(more.iter().map(String::as_str)).collect();
    Ok(Subject::Code(words.join(" ")))
}

fn log() -> blame::Result<String> {
    let bytes = host::piped(std::io::stdin(), &host::limit::LOG)
        .map_err(|error| Error::usage(format!("standard input: {error}")))?;
    // Serial logs hold bytes that are no text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_alone_tell_a_scenario_from_a_code() {
        let is_scenario = |text: &str| matches!(of(text, &[]), Ok(Subject::Scenario(_)));
        for scenario in ["identity/san_ip", "expired_leaf", "tls13", "trust/unknown_ca", "x509", "a7"] {
            assert!(is_scenario(scenario), "{scenario}");
        }
        for code in
            ["298", "-0x3000", "0x801a", "-5", "E:M 544", "+CMQTTCONNECT: 0,32", "rc=-2", "unknown_ca", "BR_ERR_IO"]
        {
            assert!(!is_scenario(code), "{code}");
        }
        let unquoted = of("E:M", &["544".into()]);
        assert_eq!(unquoted, Ok(Subject::Code("E:M 544".into())));
    }
}
