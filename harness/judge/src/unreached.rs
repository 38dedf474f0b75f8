//! What the bench was to do to the device and never came to: the cut behind more bytes than were ever sent, the answer
//! to a PINGREQ that nobody sent.

use network::{Cut, Direction, Fault, Port, SerialFault, Trigger};
use outcome::Demand;
use scenario::Scenario;
use scenario::broker::{Broker, OnClientHello, OnConnect, OnMissingName, OnPing, OnPublish, OnSubscribe, Then};

use crate::{Enacted, Evidence};

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
    if let Some(never) = fault_unreached(scenario, &evidence.enacted) {
        return Some(never);
    }
    let script = act_of(&scenario.broker, scenario.specification.demands)?;
    // Whether a real broker does as it is told is nothing that we see.
    let is_scripted = scenario.broker.real.is_none();
    (is_scripted && !evidence.enacted.broker_misbehaved).then(|| format!("the broker never came to enact `{script}`"))
}

/// The first fault of packets, streams or the serial line that waits for its place and never came to it.
fn fault_unreached(scenario: &Scenario, enacted: &Enacted) -> Option<String> {
    let faults = scenario.network.faults(scenario.device.port).into_iter().map(|one| one.fault);
    if let Some(never) = faults.filter(Fault::waits).find(|fault| !enacted.faults.contains(fault)) {
        return Some(never_acted(&never));
    }
    let never = scenario.network.serial_faults.iter().filter(|fault| !enacted.serial_faults.contains(fault));
    let (who, byte) = never.filter_map(byte_of).next()?;
    Some(format!("the {who} never sent byte {byte} down the serial line"))
}

fn never_acted(fault: &Fault) -> String {
    match *fault {
        Fault::LoseNth { direction, nth } => {
            format!("the {} never sent packet {nth}, which was to be lost", sender(direction))
        }
        Fault::Outage { from, .. } => {
            format!("no packet was on its way in the outage, from {} ms on", from.as_millis())
        }
        Fault::Garble { direction, at_byte, .. } => {
            format!("no stream of the {} came to byte {at_byte}, which was to be garbled", sender(direction))
        }
        Fault::Stall { after_bytes, .. } => {
            format!("the broker never said so much that it stalled, after {after_bytes} bytes")
        }
        Fault::StopReading { after_bytes } => {
            format!("the device never said so much that the broker stopped reading, after {after_bytes} bytes")
        }
        _ => "a fault of the network never acted".into(),
    }
}

/// Whose byte a fault of the serial line waits for, if it waits for one.
fn byte_of(fault: &SerialFault) -> Option<(&'static str, u64)> {
    match *fault {
        SerialFault::Flip { direction, at_byte, .. } | SerialFault::Drop { direction, at_byte, .. } => {
            Some((sender(direction), at_byte))
        }
        SerialFault::FlipRate { .. } | SerialFault::DropRate { .. } => None,
    }
}

const fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::FromDevice => "device",
        Direction::ToDevice => "broker",
    }
}

/// Whether a connection may end before its cut: a SYN is there if anybody dials.
fn waits_for_a_moment(cut: &Cut) -> bool {
    !matches!(cut.when, Trigger::Syn | Trigger::Accepted)
}

/// The first thing that the script has the broker do wrong, if it tells of it when it does.
fn act_of(broker: &Broker, demand: Demand) -> Option<&'static str> {
    // Rules for some devices: whoever keeps to them is served, and that may be what is tested.
    let is_for_all = demand == Demand::Fail;
    let acts = [
        ("on_accept", broker.on_accept.is_some()),
        // A broker that closes above a version answers every other device properly, and that may be what is tested.
        ("on_client_hello", !matches!(broker.on_client_hello, None | Some(OnClientHello::FinAbove(_)))),
        ("on_server_hello", broker.on_server_hello.is_some()),
        ("on_server_flight", broker.on_server_flight.is_some()),
        ("on_finished", broker.on_finished.is_some()),
        (
            "on_missing_name",
            is_for_all && broker.on_missing_name != OnMissingName::Default && broker.personality.is_none(),
        ),
        (
            "on_unknown_name",
            is_for_all && broker.on_unknown_name != OnMissingName::Default && broker.personality.is_none(),
        ),
        ("on_connect", broker.mqtt.on_connect != OnConnect::Answer),
        ("then", broker.mqtt.then != Then::GoOn),
        ("on_subscribe", broker.mqtt.on_subscribe != OnSubscribe::Grant),
        ("on_publish", broker.mqtt.on_publish != OnPublish::Acknowledge),
        ("on_ping", broker.mqtt.on_ping != OnPing::Answer),
        ("taken_over_after_ms", broker.mqtt.taken_over_after_ms.is_some()),
    ];
    acts.into_iter().find(|(_, is_meant)| *is_meant).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rest: &str, enacted: &Enacted, ended_ms: u64, dialled: bool) -> Option<String> {
        let text =
            format!("title = 'x'\n[specification]\ndemands = 'fail'\nrule = 'RFC 5280 §6'\nquote = 'x'\n{rest}\n");
        let scenario = Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"));
        let evidence = Evidence { enacted: enacted.clone(), ..Evidence::without_packets(Vec::new(), ended_ms) };
        unreached(&scenario, &evidence, dialled)
    }

    #[test]
    fn what_never_took_place_is_named_and_what_did_is_not() {
        let nothing = &Enacted::default();
        let cut = &Enacted { line_was_cut: true, ..Enacted::default() };
        let misbehaved = &Enacted { broker_misbehaved: true, ..Enacted::default() };
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
            ("[network]\nforgets_at_ms = 9", nothing, 9, Some("no packet was on its way in the outage, from 9 ms")),
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
            ("[broker]\non_missing_name = 'alert'", nothing, 9, Some("`on_missing_name`")),
            ("[broker]\non_unknown_name = 'alert'", nothing, 9, Some("`on_unknown_name`")),
            ("[broker]\non_missing_name = 'alert'", misbehaved, 9, None),
            ("[broker]\non_missing_name = 'alert'\npersonality = 'mosquitto'", nothing, 9, None),
            ("[broker.mqtt]\non_connect = { code = 3 }", nothing, 9, Some("`on_connect`")),
            ("[broker.mqtt]\nthen = 'close'", nothing, 9, Some("`then`")),
            ("[broker.mqtt]\ntaken_over_after_ms = 9", nothing, 9, Some("`taken_over_after_ms`")),
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
            let of = |dialled| told(&format!("[network]\n{rest}"), &Enacted::default(), 9, dialled);
            assert_eq!(of(false).as_deref(), Some("nobody dialled the broker"), "{rest}");
            assert_eq!(of(true), None, "{rest}");
        }
        assert_eq!(told("", &Enacted::default(), 9, false), None, "there is nothing to be met");
    }

    /// Whatever waits for a place, and a run that never comes to it.
    #[test]
    fn faults_that_wait_for_their_place_are_met_only_if_they_come_to_it() {
        for (rest, never) in [
            ("faults = [{ lose_nth = { from = 'broker', nth = 50 } }]", "the broker never sent packet 50"),
            ("lost_packets = [{ from = 'device', packet = 3 }]", "the device never sent packet 3"),
            ("faults = [{ outage = { from_ms = 60 } }]", "no packet was on its way in the outage, from 60 ms on"),
            (
                "faults = [{ garble = { from = 'device', at_byte = 9, flip = 1 } }]",
                "no stream of the device came to byte 9",
            ),
            (
                "faults = [{ stall = { after_bytes = 7, for_ms = 1 } }]",
                "the broker never said so much that it stalled, after 7",
            ),
            (
                "faults = [{ stop_reading = { after_bytes = 8 } }]",
                "the device never said so much that the broker stopped",
            ),
            ("serial_faults = [{ flip = { from = 'device', at_byte = 5, flip = 1 } }]", "the device never sent byte 5"),
            (
                "serial_faults = [{ drop = { from = 'broker', at_byte = 6, count = 1 } }]",
                "the broker never sent byte 6",
            ),
        ] {
            let rest = format!("[network]\n{rest}");
            let told_never = told(&rest, &Enacted::default(), 9, true).unwrap_or_default();
            assert!(told_never.contains(never), "{rest}: {told_never}");
            let text =
                format!("title = 'x'\n[specification]\ndemands = 'fail'\nrule = 'RFC 5280 §6'\nquote = 'x'\n{rest}\n");
            let scenario = Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"));
            let enacted = Enacted {
                faults: scenario.network.faults(8883).into_iter().map(|one| one.fault).collect(),
                serial_faults: scenario.network.serial_faults(),
                ..Enacted::default()
            };
            assert_eq!(told(&rest, &enacted, 9, true), None, "{rest}");
        }
        // What acts by chance, or on everything, waits for nothing.
        for rest in [
            "faults = [{ lose = { from = 'broker', per_mille = 1 } }]",
            "serial_faults = [{ drop_rate = { from = 'broker', per_million = 1 } }]",
        ] {
            assert_eq!(told(&format!("[network]\n{rest}"), &Enacted::default(), 9, true), None, "{rest}");
        }
    }
}
