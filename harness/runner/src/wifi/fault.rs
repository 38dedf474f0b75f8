//! What goes wrong on the air, or before a device has an address, as it is said on a command line.

use access_point::Misbehaviour;
use network::AddressFault;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At every access point.
    Air(Misbehaviour),
    /// With DHCP or ARP behind them.
    Address(AddressFault),
}

#[derive(Deserialize)]
struct Said<T> {
    fault: T,
}

/// Reads `NAME[, KEY = VALUE]…`, where keys and values are those of TOML:
/// `deauthentication, reason = 7, when = { after = "joined", ms = 500 }`.
///
/// # Errors
///
/// A sentence about what is wrong; a name that nobody knows is answered with all that there are.
pub fn parse(text: &str) -> Result<Fault, String> {
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    let separator = if rest.trim().is_empty() { "" } else { "," };
    let line = format!("fault = {{ fault = {:?}{separator}{rest} }}", name.trim());
    let air = read(&line).map(Fault::Air);
    let address = read(&line).map(Fault::Address);
    match (air, address) {
        (Ok(fault), _) | (_, Ok(fault)) => Ok(fault),
        // Who knows the name says what is wrong with the rest.
        (Err(air), Err(address)) if is_unknown(&air) && !is_unknown(&address) => Err(address),
        (Err(air), Err(address)) if is_unknown(&air) => Err(format!("on the air: {air}; of addresses: {address}")),
        (Err(air), Err(_)) => Err(air),
    }
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, String> {
    toml::from_str(line).map(|said: Said<T>| said.fault).map_err(|error| error.message().to_owned())
}

fn is_unknown(error: &str) -> bool {
    error.starts_with("unknown variant")
}

#[cfg(test)]
mod tests {
    use access_point::{Message, Milestone, Moment};

    use super::*;

    #[test]
    fn faults_are_said_in_the_words_of_those_who_enact_them() {
        assert_eq!(parse("no_probe_response"), Ok(Fault::Air(Misbehaviour::NoProbeResponse {})));
        let lost = Misbehaviour::MessageLost { message: Message::Third, times: Some(2) };
        assert_eq!(parse("message_lost, message = 'message_3', times = 2"), Ok(Fault::Air(lost)));
        let when = Moment { after: Milestone::Joined, ms: 500 };
        let away = Misbehaviour::Deauthentication { when, reason: 7 };
        assert_eq!(parse("deauthentication, reason = 7, when = { after = 'joined', ms = 500 }"), Ok(Fault::Air(away)));
        assert_eq!(parse("dhcp_nak,times=1"), Ok(Fault::Address(AddressFault::DhcpNak { times: Some(1) })));
    }

    #[test]
    fn what_is_no_fault_is_said() {
        let why = parse("no_such_thing").expect_err("nobody knows it");
        assert!(
            why.contains("`no_such_thing`") && why.contains("message_lost") && why.contains("dhcp_silent"),
            "{why}"
        );
        for text in ["deauthentication", "dhcp_late, by_ms = 'soon'", "dhcp_nak, often = 1", "", "a' } x = '", "no,"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let why = parse("dhcp_late, by_ms = 'soon'").expect_err("no number");
        assert!(!why.contains("unknown variant"), "{why}");
    }
}
