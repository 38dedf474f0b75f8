//! What NodeMCU's client says of a failure: the numbers of `app/mqtt/mqtt_msg.h`, and `E:M` of the heap.

use control::Failure;
use outcome::{FailureClass, Stage};

/// `mqtt.CONN_FAIL_*` and `mqtt.CONNACK_REFUSED_*`, by their numbers, with what each is about.
const CODES: [(i32, &str, FailureClass); 10] = [
    (-5, "mqtt.CONN_FAIL_SERVER_NOT_FOUND", FailureClass::Other),
    (-4, "mqtt.CONN_FAIL_NOT_A_CONNACK_MSG", FailureClass::Refused),
    (-3, "mqtt.CONN_FAIL_DNS", FailureClass::NoAddress),
    (-2, "mqtt.CONN_FAIL_TIMEOUT_RECEIVING", FailureClass::TimedOut),
    (-1, "mqtt.CONN_FAIL_TIMEOUT_SENDING", FailureClass::TimedOut),
    (1, "mqtt.CONNACK_REFUSED_PROTOCOL_VER", FailureClass::PeerRefused),
    (2, "mqtt.CONNACK_REFUSED_ID_REJECTED", FailureClass::PeerRefused),
    (3, "mqtt.CONNACK_REFUSED_SERVER_UNAVAILABLE", FailureClass::PeerRefused),
    (4, "mqtt.CONNACK_REFUSED_BAD_USER_OR_PASS", FailureClass::PeerRefused),
    (5, "mqtt.CONNACK_REFUSED_NOT_AUTHORIZED", FailureClass::PeerRefused),
];
/// What the heap of Espressif's SDK says of a block that it has not.
const NO_MEMORY: &str = "E:M ";

/// A failure of which the device says this number, in the stage that was entered last.
pub(super) fn failed(code: i32, stage: Stage, at_ms: u32) -> Failure {
    let known = CODES.iter().find(|(number, ..)| *number == code);
    let (name, class) = known
        .map_or(("a number that NodeMCU has no name for", FailureClass::Other), |(_, name, class)| (*name, *class));
    let stage = match code {
        -3 => Stage::Resolve,
        1.. | -4 | -2 if stage < Stage::Login => Stage::Login,
        _ => stage,
    };
    Failure { code, ..unnumbered(name, class, stage, at_ms) }
}

/// A failure of which it says no number.
pub(super) fn unnumbered(name: &str, class: FailureClass, stage: Stage, at_ms: u32) -> Failure {
    Failure {
        stage,
        class,
        alert_received: None,
        code: 0,
        name: name.to_owned(),
        verify_flags: 0,
        verify_flag_names: Vec::new(),
        failed_allocation_bytes: None,
        at_ms,
    }
}

/// The size of a block that could not be had, of a line that says so.
pub(super) fn missing_block(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once(NO_MEMORY)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What the device prints of a failure.
pub(crate) fn printed(failure: &Failure) -> Option<String> {
    let memory = failure.failed_allocation_bytes.map(|bytes| format!("E:M {bytes} on the console"));
    let number = (failure.code != 0).then(|| format!("{} ({})", failure.code, failure.name));
    match (memory, number) {
        (Some(memory), Some(number)) => Some(format!("{memory}, and {number}")),
        (memory, number) => memory.or(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_name_its_class_and_its_stage() {
        for (code, name, class, stage) in [
            (-5, "mqtt.CONN_FAIL_SERVER_NOT_FOUND", FailureClass::Other, Stage::Hello),
            (-3, "mqtt.CONN_FAIL_DNS", FailureClass::NoAddress, Stage::Resolve),
            (5, "mqtt.CONNACK_REFUSED_NOT_AUTHORIZED", FailureClass::PeerRefused, Stage::Login),
            (77, "a number that NodeMCU has no name for", FailureClass::Other, Stage::Login),
        ] {
            let failure = failed(code, Stage::Hello, 7);
            assert_eq!((failure.code, failure.name.as_str(), failure.class), (code, name, class));
            assert_eq!(failure.stage, stage, "{name}");
        }
    }

    #[test]
    fn a_block_that_is_missing_is_read_and_said_beside_the_number() {
        assert_eq!(missing_block("E:M 544"), Some(544));
        assert_eq!(missing_block("xE:M 1640 y"), Some(1_640));
        assert_eq!((missing_block("E:M "), missing_block("E:M 99999999999")), (None, None));
        let failure = Failure { failed_allocation_bytes: Some(544), ..failed(-5, Stage::Hello, 7) };
        assert_eq!(
            printed(&failure).as_deref(),
            Some("E:M 544 on the console, and -5 (mqtt.CONN_FAIL_SERVER_NOT_FOUND)")
        );
        assert_eq!(printed(&unnumbered("x", FailureClass::TimedOut, Stage::Hello, 7)), None);
    }
}
