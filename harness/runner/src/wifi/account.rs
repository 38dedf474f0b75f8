//! What happened on the air and with addresses, as a judge and a transcript want it.

use access_point::{Event, Happening, Misbehaviour};
use clock::Instant;
use judge::OnTheAir;
use network::{AddressEvent, AddressFault};

/// So much of one run is kept.
pub const EVENTS_MAX: usize = 400;

/// Something that happened on the air.
pub fn of_air(event: &Event) -> OnTheAir {
    let (what, is_refusal) = match &event.what {
        Happening::LooksFor { .. } => ("looks for", false),
        Happening::Authenticated => ("authenticated", false),
        Happening::AuthenticationRefused { .. } => ("authentication refused", true),
        Happening::Associated { .. } => ("associated", false),
        Happening::AssociationRefused { .. } => ("association refused", true),
        Happening::WrongPassphrase => ("wrong passphrase", true),
        Happening::StrangeMessage => ("strange message", false),
        Happening::Joined => ("joined", false),
        Happening::GroupKeyRenewed => ("group key renewed", false),
        Happening::SentAway { .. } => ("sent away", true),
        Happening::Left { .. } => ("left", false),
        Happening::NotAcknowledged => ("not acknowledged", false),
        Happening::NotDecrypted => ("not decrypted", false),
        Happening::Enacted { .. } => ("enacted", false),
        Happening::Kept => ("kept", false),
        Happening::Declined { .. } => ("declined", false),
        Happening::Lost { .. } => ("lost", false),
        _ => ("dropped", false),
    };
    let words = match &event.what {
        Happening::Enacted { fault } => format!("enacted: {}", name_of(fault)),
        other => other.to_string(),
    };
    let words = match event.access_point {
        Some(number @ 1..) => format!("{words}, by access point {}", number + 1),
        _ => words,
    };
    OnTheAir { at: event.at, what, is_refusal, words }
}

/// Something that happened before the device had an address, or with it.
pub fn of_address(at: Instant, event: &AddressEvent) -> OnTheAir {
    let (what, words) = match event {
        AddressEvent::Offered => ("offered", "address offered".to_owned()),
        AddressEvent::Leased => ("leased", "address leased".to_owned()),
        AddressEvent::Refused => ("address refused", "address refused".to_owned()),
        AddressEvent::Declined => ("address declined", "address declined: somebody else has it".to_owned()),
        AddressEvent::Released => ("address released", "address given back".to_owned()),
        AddressEvent::Enacted(fault) => ("enacted", format!("enacted: {}", name_of_address(fault))),
        _ => ("dropped", "something that nobody knows".to_owned()),
    };
    OnTheAir { at, what, is_refusal: matches!(event, AddressEvent::Refused), words }
}

/// A fault by the name that scenario files know it by, with what it is of.
fn name_of(fault: &Misbehaviour) -> String {
    tagged(fault)
}

fn name_of_address(fault: &AddressFault) -> String {
    tagged(fault)
}

/// The tag `fault` of what is written as a table, and its scalars.
fn tagged(fault: &impl serde::Serialize) -> String {
    let Ok(toml::Value::Table(table)) = toml::Value::try_from(fault) else { return String::new() };
    let name = table.get("fault").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let scalars = table.iter().filter(|(key, value)| *key != "fault" && !value.is_table() && *key != "times");
    scalars.fold(name, |words, (key, value)| match value {
        toml::Value::String(text) => format!("{words}, {key} {text}"),
        other => format!("{words}, {key} {other}"),
    })
}

#[cfg(test)]
mod tests {
    use access_point::{Description, MacAddress, Message, Milestone, Moment, Security};
    use scenario::wifi::HAPPENINGS;

    use super::*;

    fn of(what: Happening, access_point: Option<usize>) -> OnTheAir {
        of_air(&Event { at: Instant::ZERO, access_point, station: MacAddress::default(), what })
    }

    #[test]
    fn what_happens_has_a_name_that_scenarios_know() {
        let when = Moment { after: Milestone::Joined, ms: 500 };
        let away = of(Happening::Enacted { fault: Misbehaviour::Deauthentication { when, reason: 7 } }, Some(0));
        assert_eq!((away.what, away.words.as_str()), ("enacted", "enacted: deauthentication, reason 7"));
        let lost = Misbehaviour::MessageLost { message: Message::Third, times: Some(2) };
        assert_eq!(
            of(Happening::Enacted { fault: lost }, Some(1)).words,
            "enacted: message_lost, message message_3, by access point 2"
        );
        assert!(of(Happening::AssociationRefused { status: 17 }, Some(0)).is_refusal);
        let _ = Description::open("x");
        for one in [
            of(Happening::Joined, Some(0)),
            of(Happening::LooksFor { ssid: b"x".to_vec() }, None),
            of(Happening::Dropped, Some(0)),
            of(Happening::Declined { security: Security::Wpa3 }, Some(0)),
            of(Happening::Lost { from_station: 1, to_station: 0, sent_again: 1, again_at: Vec::new() }, Some(0)),
            of_address(Instant::ZERO, &AddressEvent::Offered),
            of_address(Instant::ZERO, &AddressEvent::Refused),
            of_address(Instant::ZERO, &AddressEvent::Enacted(AddressFault::DhcpSilent { times: None })),
        ] {
            assert!(HAPPENINGS.contains(&one.what), "{}", one.what);
        }
    }
}
