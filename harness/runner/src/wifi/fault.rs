//! What goes wrong on the air, or before a device has an address, as it is said on a command line.

use std::fmt;

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

/// A text that is no fault: the fault of whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoFault {
    /// Nobody knows its name; with those that there are.
    Unknown {
        /// On the air.
        air: String,
        /// Of addresses.
        address: String,
    },
    /// The name is known, and the rest of it is wrong.
    Wrong(String),
}

impl fmt::Display for NoFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { air, address } => write!(f, "on the air: {air}; of addresses: {address}"),
            Self::Wrong(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NoFault {}

/// Reads `NAME[, KEY = VALUE]…`, where keys and values are those of TOML:
/// `deauthentication, reason = 7, when = { after = "joined", ms = 500 }`.
///
/// # Errors
///
/// What is wrong; a name that nobody knows is answered with all that there are.
pub fn parse(text: &str) -> Result<Fault, NoFault> {
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    let separator = if rest.trim().is_empty() { "" } else { "," };
    let line = format!("fault = {{ fault = {:?}{separator}{rest} }}", name.trim());
    let air = read(&line).map(Fault::Air);
    let address = read(&line).map(Fault::Address);
    match (air, address) {
        (Ok(fault), _) | (_, Ok(fault)) => Ok(fault),
        // Who knows the name says what is wrong with the rest.
        (Err(air), Err(address)) if is_unknown(&air) && !is_unknown(&address) => {
            Err(NoFault::Wrong(address.message().to_owned()))
        }
        (Err(air), Err(address)) if is_unknown(&air) => {
            Err(NoFault::Unknown { air: air.message().to_owned(), address: address.message().to_owned() })
        }
        (Err(air), Err(_)) => Err(NoFault::Wrong(air.message().to_owned())),
    }
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, toml::de::Error> {
    toml::from_str(line).map(|said: Said<T>| said.fault)
}

fn is_unknown(error: &toml::de::Error) -> bool {
    error.message().starts_with("unknown variant")
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
        let why = parse("no_such_thing").expect_err("nobody knows it").to_string();
        assert!(
            why.contains("`no_such_thing`") && why.contains("message_lost") && why.contains("dhcp_silent"),
            "{why}"
        );
        for text in ["deauthentication", "dhcp_late, by_ms = 'soon'", "dhcp_nak, often = 1", "", "a' } x = '", "no,"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let why = parse("dhcp_late, by_ms = 'soon'").expect_err("no number").to_string();
        assert!(!why.contains("unknown variant"), "{why}");
    }
}
