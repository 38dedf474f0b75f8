//! What the bench was to do to the device and never came to: the cut behind more bytes than were ever sent, the answer
//! to a PINGREQ that nobody sent.

use network::{Cut, Port, Trigger};
use scenario::Scenario;
use scenario::broker::{Broker, OnClientHello, OnPing, OnPublish, OnSubscribe};

use crate::Evidence;

/// What of the scenario never took place, in a sentence, if anything did not. Whether anybody `dialled`, the wire tells.
pub fn unreached(scenario: &Scenario, evidence: &Evidence, dialled: bool) -> Option<String> {
    let network = &scenario.network;
    let is_at_the_door = network.port != Port::Open || network.cuts().any(|cut| !waits_for_a_moment(&cut));
    if is_at_the_door && !dialled {
        return Some("nobody dialled the broker".into());
    }
    if let Some(cut) = network.cuts().find(waits_for_a_moment)
        && !evidence.enacted.line_was_cut
    {
        let moment = match cut.when {
            Trigger::Passed { bytes, .. } => format!(", behind {bytes} bytes"),
            Trigger::Before(message) => format!(", before {message}"),
            Trigger::After(message) => format!(", after {message}"),
            _ => String::new(),
        };
        return Some(format!("no connection came so far that it was cut{moment}"));
    }
    if let Some(at_ms) = network.forgets_at_ms.filter(|at_ms| evidence.ended_at.as_millis() < u64::from(*at_ms)) {
        return Some(format!("it was over before the network forgot the connection, at {at_ms} ms"));
    }
    let script = act_of(&scenario.broker)?;
    // Whether a real broker does as it is told is nothing that we see.
    let is_scripted = scenario.broker.real.is_none();
    (is_scripted && !evidence.enacted.broker_misbehaved).then(|| format!("the broker never came to enact `{script}`"))
}

/// Whether a connection may end before its cut: a SYN is there if anybody dials.
fn waits_for_a_moment(cut: &Cut) -> bool {
    !matches!(cut.when, Trigger::Syn | Trigger::Accepted)
}

/// The first thing that the script has the broker do wrong, if it tells of it when it does.
fn act_of(broker: &Broker) -> Option<&'static str> {
    let acts = [
        ("on_accept", broker.on_accept.is_some()),
        // A broker that closes above a version answers every other device properly, and that may be what is tested.
        ("on_client_hello", !matches!(broker.on_client_hello, None | Some(OnClientHello::FinAbove(_)))),
        ("on_server_hello", broker.on_server_hello.is_some()),
        ("on_server_flight", broker.on_server_flight.is_some()),
        ("on_finished", broker.on_finished.is_some()),
        ("on_subscribe", broker.mqtt.on_subscribe != OnSubscribe::Grant),
        ("on_publish", broker.mqtt.on_publish != OnPublish::Acknowledge),
        ("on_ping", broker.mqtt.on_ping != OnPing::Answer),
    ];
    acts.into_iter().find(|(_, is_meant)| *is_meant).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Enacted;

    fn told(rest: &str, enacted: Enacted, ended_ms: u64, dialled: bool) -> Option<String> {
        let text =
            format!("title = 'x'\n[specification]\ndemands = 'fail'\nrule = 'RFC 5280 §6'\nquote = 'x'\n{rest}\n");
        let scenario = Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"));
        let evidence = Evidence { enacted, ..Evidence::without_packets(Vec::new(), ended_ms) };
        unreached(&scenario, &evidence, dialled)
    }

    #[test]
    fn what_never_took_place_is_named_and_what_did_is_not() {
        let nothing = Enacted::default();
        let cut = Enacted { line_was_cut: true, ..nothing };
        let misbehaved = Enacted { broker_misbehaved: true, ..nothing };
        let cut_text = "[network]\ncut = { how = 'black_hole', from = 'device', after_bytes = 620 }";
        for (rest, enacted, ended_ms, expected) in [
            ("", nothing, 9, None),
            (cut_text, nothing, 9, Some("behind 620 bytes")),
            (cut_text, misbehaved, 9, Some("behind 620 bytes")),
            (cut_text, cut, 9, None),
            (
                "[network]\ncut = { how = 'fin', when = { before = 'CONNACK' } }",
                nothing,
                9,
                Some("cut, before CONNACK"),
            ),
            ("[network]\ncut = { how = 'fin', when = { after = 'CONNACK' } }", nothing, 9, Some("cut, after CONNACK")),
            ("[network]\ncut = { how = 'reset', when = 'syn' }", nothing, 9, None),
            ("[network]\ncut = { how = 'reset', when = 'accepted' }", nothing, 9, None),
            ("[network]\nforgets_at_ms = 10", nothing, 9, Some("at 10 ms")),
            ("[network]\nforgets_at_ms = 9", nothing, 9, None),
            ("[broker]\non_accept = 'fin'", nothing, 9, Some("`on_accept`")),
            ("[broker]\non_client_hello = 'fin'", nothing, 9, Some("`on_client_hello`")),
            ("[broker]\non_client_hello = { fin_above = '1.2' }", nothing, 9, None),
            (
                "[broker]\nversions = ['1.2']\non_server_hello = { adds_extension = 5 }",
                nothing,
                9,
                Some("`on_server_hello`"),
            ),
            ("[broker]\non_server_flight = { flip_bit_at = 5 }", nothing, 9, Some("`on_server_flight`")),
            ("[broker]\non_finished = 'fin'", nothing, 9, Some("`on_finished`")),
            ("[broker.mqtt]\non_subscribe = 'refuse'", nothing, 9, Some("`on_subscribe`")),
            ("[broker.mqtt]\non_publish = 'twice'", nothing, 9, Some("`on_publish`")),
            ("[broker.mqtt]\non_ping = 'silence'", nothing, 9, Some("`on_ping`")),
            ("[broker.mqtt]\non_ping = 'silence'", misbehaved, 9, None),
            ("[broker.mqtt]\non_ping = 'silence'", cut, 9, Some("`on_ping`")),
        ] {
            let told = told(rest, enacted, ended_ms, true);
            match expected {
                Some(words) => assert!(told.as_deref().is_some_and(|told| told.contains(words)), "{rest}: {told:?}"),
                None => assert_eq!(told, None, "{rest}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_with_the_port_is_met_by_whoever_dials() {
        for rest in [
            "port = 'closed'",
            "port = 'dropped'",
            "cut = { how = 'reset', when = 'syn' }",
            "cut = { how = 'reset', when = 'accepted' }",
        ] {
            let of = |dialled| told(&format!("[network]\n{rest}"), Enacted::default(), 9, dialled);
            assert_eq!(of(false).as_deref(), Some("nobody dialled the broker"), "{rest}");
            assert_eq!(of(true), None, "{rest}");
        }
        assert_eq!(told("", Enacted::default(), 9, false), None, "there is nothing to be met");
    }
}
