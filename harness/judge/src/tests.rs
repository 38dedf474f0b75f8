//! Who is blamed for what, combination by combination, and what counts as having met a fault.

use control::Failure;
use outcome::{AlertDescription, Demand, FailureClass, Met, Stage};
use report::model::How;
use scenario::Scenario;

use super::blame::{End, OnTheWire, how};
use super::met::{Case, Mark, met};
use crate::wire_witness::{Side, WireWitness};

const HANDSHAKE_FAILURE: AlertDescription = AlertDescription(40);
const NO_RENEGOTIATION: AlertDescription = AlertDescription(100);

fn failure(class: FailureClass) -> Failure {
    Failure {
        stage: Stage::Certificate,
        class,
        alert_received: None,
        code: 0,
        // What a name says decides nothing.
        name: "DNS_TIMED_OUT: CONN_EOF RESET ALLOC PLAN_UNSUPPORTED".into(),
        verify_flags: 0,
        verify_flag_names: Vec::new(),
        failed_allocation_bytes: None,
        at_ms: 0,
    }
}

fn connected(first_to_close: Option<Side>) -> OnTheWire {
    OnTheWire { connected: true, first_to_close, ..OnTheWire::default() }
}

/// Without a word on the wire: for each class, how it went if no connection was opened, if nobody closed it, if the
/// device closed first, and if the broker did.
const WITHOUT_WORDS: [(FailureClass, [How; 4], &str); 11] = {
    use FailureClass::*;
    use How::{BrokerRefused, DeviceFailed, DeviceRefused, GaveUp, Lost};
    [
        (
            Tls,
            [DeviceFailed, DeviceRefused, DeviceRefused, DeviceRefused],
            "its own verdict stands, even if the broker closes behind what it has said (ssl3_server_hello); before any \
             connection it is a verdict on its own configuration (ca_file_truncated)",
        ),
        (
            Refused,
            [DeviceFailed, DeviceRefused, DeviceRefused, DeviceRefused],
            "so does a verdict on MQTT (version_5_broker)",
        ),
        (
            PeerRefused,
            [DeviceFailed, BrokerRefused, BrokerRefused, Lost],
            "somebody said no: the broker, if there was one (subscription_refused), else a time server, and the device \
             can't go on (sntp_kiss_of_death); a wire that shows a close before any no is believed",
        ),
        (PeerClosed, [Lost, Lost, Lost, Lost], "not the device's doing (close_notify_before_server_hello)"),
        (PeerReset, [Lost, Lost, Lost, Lost], "nor is this (port_closed: nothing was ever opened)"),
        (NoAddress, [Lost, Lost, Lost, Lost], "nor that nothing leads there (nxdomain, open_refused)"),
        (
            NoNetwork,
            [GaveUp, Lost, Lost, Lost],
            "it looked for a network in vain (network_absent), or lost the one that it had (beacons_stop)",
        ),
        (
            TimedOut,
            [GaveUp, GaveUp, GaveUp, Lost],
            "it waited (syn_dropped, connack_withheld); for somebody who had left, if the wire says so \
             (closes_after_connect with PubSubClient)",
        ),
        (
            Memory,
            [DeviceFailed, DeviceFailed, DeviceFailed, DeviceFailed],
            "want of memory is nobody else's, and refuses nothing (heap_of_12_kib)",
        ),
        (
            Unsupported,
            [DeviceFailed, DeviceFailed, DeviceFailed, Lost],
            "it has no means; on an open connection the wire knows better",
        ),
        (
            Other,
            [DeviceFailed, DeviceRefused, DeviceRefused, Lost],
            "nobody says what it is, so the wire alone decides (old images, log lines of strangers)",
        ),
    ]
};

#[test]
fn without_words_it_is_the_device_s_verdict_then_who_closed_then_the_class() {
    for (class, expected, why) in WITHOUT_WORDS {
        let wires =
            [OnTheWire::default(), connected(None), connected(Some(Side::Device)), connected(Some(Side::Broker))];
        for (wire, expected) in wires.into_iter().zip(expected) {
            let failure = failure(class);
            assert_eq!(how(&wire, End::GivenUp(Some(&failure))), expected, "{class} with {wire:?}: {why}");
        }
    }
    assert_eq!(WITHOUT_WORDS.map(|(class, ..)| class), FailureClass::ALL, "a class is missing");
}

#[test]
fn a_network_that_refuses_is_not_one_that_is_not_there() {
    use How::{GaveUp, NetworkRefused};
    let failure = failure(FailureClass::NoNetwork);
    for wire in [OnTheWire::default(), connected(None), connected(Some(Side::Broker))] {
        let wire = OnTheWire { network_refused: true, ..wire };
        assert_eq!(how(&wire, End::GivenUp(Some(&failure))), NetworkRefused, "{wire:?}");
    }
    // What the device says of its broker counts, though an access point had refused it before.
    let wire = OnTheWire { network_refused: true, ..OnTheWire::default() };
    let failure = self::failure(FailureClass::TimedOut);
    assert_eq!(how(&wire, End::GivenUp(Some(&failure))), GaveUp);
}

#[test]
fn a_device_that_gives_no_reason_is_judged_by_the_wire() {
    for (wire, expected) in [
        (OnTheWire::default(), How::DeviceFailed),
        (connected(Some(Side::Device)), How::DeviceRefused),
        (connected(Some(Side::Broker)), How::Lost),
    ] {
        assert_eq!(how(&wire, End::GivenUp(None)), expected, "{wire:?}");
    }
}

/// A word on the wire, or one that the device says it got, decides: whatever the class, and whoever closed first.
#[test]
fn words_come_before_everything_else() {
    let alert = |side| OnTheWire { fatal_alert: Some(side), ..OnTheWire::default() };
    let warned = |warnings: &[AlertDescription]| OnTheWire { warnings: warnings.to_vec(), ..OnTheWire::default() };
    for (words, received, expected, why) in [
        (alert(Side::Device), None, How::DeviceRefused, "the device's alert (expired_leaf on Mbed TLS)"),
        (alert(Side::Broker), None, How::BrokerRefused, "the broker's alert (alert_handshake_failure)"),
        (
            OnTheWire { connack: Some(5), ..OnTheWire::default() },
            None,
            How::BrokerRefused,
            "a CONNACK that says no (connack_5_not_authorised), whatever the device makes of it",
        ),
        (
            OnTheWire { connack: Some(0), ..alert(Side::Broker) },
            None,
            How::BrokerRefused,
            "an alert behind a CONNACK that says yes",
        ),
        (
            OnTheWire { connack: Some(5), ..alert(Side::Device) },
            None,
            How::DeviceRefused,
            "the device's alert, and a CONNACK that crossed it",
        ),
        (
            warned(&[]),
            Some(HANDSHAKE_FAILURE),
            How::BrokerRefused,
            "an alert that only the device could read (alert_split_over_two_records on BearSSL)",
        ),
        (
            warned(&[NO_RENEGOTIATION]),
            Some(NO_RENEGOTIATION),
            How::DeviceRefused,
            "a warning that the device takes for the end (warning_flood on BearSSL)",
        ),
        (
            warned(&[NO_RENEGOTIATION]),
            Some(HANDSHAKE_FAILURE),
            How::BrokerRefused,
            "another alert than the warning on the wire",
        ),
    ] {
        for class in FailureClass::ALL {
            for first_to_close in [None, Some(Side::Device), Some(Side::Broker)] {
                let wire = OnTheWire { connected: true, first_to_close, ..words.clone() };
                let failure = Failure { alert_received: received, ..failure(class) };
                assert_eq!(how(&wire, End::GivenUp(Some(&failure))), expected, "{class}, {wire:?}: {why}");
            }
        }
    }
    // A CONNACK that says yes is no word about the end.
    let accepted = OnTheWire { connack: Some(0), ..connected(Some(Side::Broker)) };
    assert_eq!(how(&accepted, End::GivenUp(Some(&failure(FailureClass::PeerClosed)))), How::Lost);
}

#[test]
fn who_did_everything_or_came_to_no_end_is_blamed_for_nothing() {
    let said_everything =
        OnTheWire { fatal_alert: Some(Side::Broker), connack: Some(5), ..connected(Some(Side::Broker)) };
    for (end, expected) in [
        (End::Complete, How::Connected),
        (End::Crashed, How::Crashed),
        (End::StoppedWaiting, How::Waits),
        (End::Stopped, How::NoEnd),
    ] {
        assert_eq!(how(&said_everything, end), expected);
        assert_eq!(how(&OnTheWire::default(), end), expected);
    }
}

const BROKER: &str = "[fault]\nwho = 'broker'\nsaid = 'Certificate'\n";
const DEVICE: &str = "[fault]\nwho = 'device'\nsaid = '(configuration)'\n";
const OWN_MEMORY: &str = "[fault]\nwho = 'device'\nsaid = '(configuration)'\n[device]\nheap_cap_bytes = 9000\n";
const SMALL_BLOCKS: &str = "[fault]\nwho = 'broker'\nsaid = 'Certificate'\n[device]\nheap_block_max_bytes = 900\n";
const ONE_FAILS: &str = "[fault]\nwho = 'broker'\nsaid = 'Certificate'\n[device]\nfailing_allocation = 9\n";
const SHORT: &str = "[fault]\nwho = 'broker'\nsaid = 'Certificate'\n[device]\nheap_cap_bytes = 9000\n";

fn scenario(demands: &str, rest: &str) -> Scenario {
    let text =
        format!("title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 5280 §6'\nquote = 'x'\n{rest}");
    Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// Demand, scenario, how it went, the failure's class, where the mark is; whether the fault was met, and why.
type Row = (&'static str, &'static str, How, Option<FailureClass>, Mark, Met, &'static str);

const MET: &[Row] = {
    use FailureClass::*;
    use How::*;
    &[
        ("refuse", BROKER, DeviceRefused, Some(Tls), Mark::Seen, Met::Met, "its own act behind the mark"),
        ("refuse", BROKER, DeviceRefused, Some(Other), Mark::Seen, Met::Met, "so is that of a device without classes"),
        ("refuse", BROKER, DeviceRefused, None, Mark::Seen, Met::Met, "and of one without reasons"),
        ("refuse", BROKER, DeviceRefused, Some(Tls), Mark::Unseen, Met::Never, "it refused something else"),
        ("refuse", BROKER, DeviceRefused, Some(Tls), Mark::TooLate, Met::Never, "it had left before"),
        ("refuse", BROKER, DeviceRefused, Some(Memory), Mark::Seen, Met::Never, "want of memory refuses nothing"),
        ("refuse", BROKER, DeviceFailed, Some(Memory), Mark::Seen, Met::Never, "want of memory refuses nothing"),
        ("refuse", BROKER, DeviceFailed, Some(Tls), Mark::Unseen, Met::Never, "it never got there"),
        ("refuse", BROKER, DeviceFailed, Some(Other), Mark::Seen, Met::Never, "it failed by itself"),
        ("refuse", BROKER, Lost, Some(NoAddress), Mark::Unseen, Met::Never, "a typo in the name refuses nothing"),
        ("refuse", BROKER, Lost, Some(PeerReset), Mark::Seen, Met::Never, "the line was lost"),
        ("refuse", BROKER, GaveUp, Some(TimedOut), Mark::Seen, Met::Never, "it took the fault and waited for more"),
        ("refuse", BROKER, BrokerRefused, Some(PeerRefused), Mark::Seen, Met::Never, "it was the broker's no"),
        ("refuse", BROKER, Connected, None, Mark::Seen, Met::Met, "it took it: insecure"),
        ("refuse", BROKER, Connected, None, Mark::Unseen, Met::Never, "nobody tried it: no security finding"),
        ("refuse", "", DeviceRefused, Some(Tls), Mark::Seen, Met::Met, "without a mark, the broker's first word is it"),
        ("refuse", "", DeviceRefused, Some(Tls), Mark::Unseen, Met::Never, "and has to be there"),
        // A fault in the device's own hands.
        ("refuse", DEVICE, DeviceFailed, Some(Tls), Mark::Seen, Met::Met, "it rejects its own authority"),
        ("refuse", DEVICE, DeviceRefused, Some(Tls), Mark::Seen, Met::Met, "or all who do not have it"),
        ("refuse", DEVICE, DeviceRefused, Some(Refused), Mark::Seen, Met::Met, "or greets nobody without one"),
        ("refuse", DEVICE, DeviceFailed, Some(Memory), Mark::Seen, Met::Never, "for want of memory"),
        ("refuse", DEVICE, DeviceFailed, Some(TimedOut), Mark::Seen, Met::Never, "the time server was silent"),
        ("refuse", DEVICE, DeviceFailed, Some(Other), Mark::Seen, Met::Never, "nobody knows what for"),
        ("refuse", DEVICE, DeviceFailed, None, Mark::Seen, Met::Never, "nobody knows what for"),
        ("refuse", DEVICE, Lost, Some(NoAddress), Mark::Seen, Met::Never, "a typo in the name"),
        ("refuse", DEVICE, Connected, None, Mark::Seen, Met::Met, "it does without: insecure"),
        ("fail", DEVICE, DeviceFailed, Some(Tls), Mark::Seen, Met::Met, "a key that cannot be read"),
        ("fail", DEVICE, GaveUp, Some(TimedOut), Mark::Seen, Met::Never, "something else"),
        // Memory is the fault.
        (
            "refuse",
            SHORT,
            DeviceFailed,
            Some(Memory),
            Mark::Unseen,
            Met::Never,
            "a heap that is small is beside the fault",
        ),
        ("refuse", SHORT, DeviceRefused, Some(Memory), Mark::Seen, Met::Never, "and so it is behind the mark"),
        ("refuse", SHORT, Lost, Some(NoAddress), Mark::Unseen, Met::Never, "memory was not even short"),
        ("refuse", SHORT, Connected, None, Mark::Seen, Met::Met, "it took it"),
        ("fail", SHORT, DeviceFailed, Some(Memory), Mark::Unseen, Met::Met, "memory is the fault"),
        ("refuse", SMALL_BLOCKS, DeviceFailed, Some(Memory), Mark::Unseen, Met::Never, "nor is one in small pieces"),
        ("fail", SMALL_BLOCKS, DeviceFailed, Some(Memory), Mark::Unseen, Met::Met, "memory is the fault"),
        (
            "refuse",
            ONE_FAILS,
            DeviceFailed,
            Some(Memory),
            Mark::Unseen,
            Met::Met,
            "an allocation that is made to fail is",
        ),
        ("fail", OWN_MEMORY, DeviceFailed, Some(Memory), Mark::Seen, Met::Met, "memory is the fault, and its own"),
        ("fail", OWN_MEMORY, DeviceFailed, Some(Tls), Mark::Seen, Met::Met, "it says so in its own way"),
        ("fail", OWN_MEMORY, Lost, Some(NoAddress), Mark::Seen, Met::Never, "memory was not short"),
        // Where success is made impossible, any end behind the mark will do.
        ("fail", BROKER, Lost, Some(PeerReset), Mark::Seen, Met::Met, "that is what the fault does"),
        ("fail", BROKER, GaveUp, Some(TimedOut), Mark::Seen, Met::Met, "so is that"),
        ("fail", BROKER, BrokerRefused, Some(PeerRefused), Mark::Seen, Met::Met, "so is that"),
        ("fail", BROKER, DeviceFailed, Some(Memory), Mark::Seen, Met::Met, "it cannot succeed either way"),
        ("fail", BROKER, Lost, Some(NoAddress), Mark::Unseen, Met::Never, "a typo in the name"),
        ("fail", BROKER, Connected, None, Mark::Seen, Met::Met, "it took no notice"),
        ("fail", BROKER, Connected, None, Mark::Unseen, Met::Never, "the fault was never reached: no finding"),
        ("fail", "", Lost, Some(NoAddress), Mark::Seen, Met::Met, "nothing says where the fault is"),
        ("fail", "", Lost, Some(NoAddress), Mark::Unseen, Met::Met, "nor that anybody has to speak first"),
        // Who has to get through.
        ("connect", BROKER, Connected, None, Mark::Seen, Met::Met, "it lived with it"),
        ("connect", BROKER, Connected, None, Mark::Unseen, Met::Never, "there was nothing to live with"),
        ("connect", BROKER, DeviceRefused, Some(Tls), Mark::Unseen, Met::Met, "whatever kept it out is wrong"),
        ("connect", "", Connected, None, Mark::Seen, Met::Met, "a control"),
        // Nothing is demanded, or nothing came of it.
        ("either", BROKER, Connected, None, Mark::Unseen, Met::Met, "either way will do"),
        ("either", BROKER, DeviceRefused, Some(Tls), Mark::Unseen, Met::Met, "either way will do"),
        ("refuse", BROKER, Crashed, None, Mark::Unseen, Met::Met, "a crash is told as a crash"),
        ("refuse", BROKER, Waits, None, Mark::Unseen, Met::Met, "and so is a hang"),
        ("refuse", BROKER, NoEnd, None, Mark::Unseen, Met::Met, "and the bench's limit"),
    ]
};

#[test]
fn a_fault_counts_only_if_it_was_met() {
    for (demands, rest, how, class, mark, expected, why) in MET {
        let failure = class.map(failure);
        let case = Case { how: *how, failure: failure.as_ref(), mark: *mark, not_offered: None, unreached: None };
        let meeting = met(&scenario(demands, rest), &case);
        assert_eq!(meeting.met, *expected, "{demands} {rest} {how:?} {class:?} {mark:?}: {why}");
        assert!(*expected == Met::Met || meeting.words.is_some(), "{why}");
    }
}

/// On the air, it is among what access point and DHCP have said.
#[test]
fn the_mark_on_the_air_is_among_what_was_said_there() {
    let scenario = scenario("fail", "[fault]\nwho = 'air'\nsaid = ['joined', 'leased']\n");
    let nothing = capture::Tap::new(clock::UnixTime::from_seconds(0)).to_pcapng();
    let wire = WireWitness::hear(&nothing, &scenario).unwrap_or_else(|why| panic!("{why}"));
    let said = |what| crate::OnTheAir { at: clock::Instant::ZERO, what, is_refusal: false, words: String::new() };
    for (air, expected) in [
        (vec![], Mark::Unseen),
        (vec![said("associated")], Mark::Unseen),
        (vec![said("associated"), said("leased")], Mark::Seen),
    ] {
        assert_eq!(super::met::mark(&scenario, &wire, &air), expected, "{air:?}");
    }
}

/// Where the fault's line is looked for: on the wire, or nowhere if it lies in the device's hands; without a mark, whoever
/// has to refuse has to have heard the broker.
#[test]
fn the_mark_is_that_of_the_wire_or_the_broker_s_first_word() {
    let nothing = capture::Tap::new(clock::UnixTime::from_seconds(0)).to_pcapng();
    let mut wire = WireWitness::hear(&nothing, &scenario("fail", "")).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((wire.mark, wire.broker_spoke), (Mark::Unseen, Mark::Unseen));
    wire.broker_spoke = Mark::TooLate;
    for (demands, rest, expected) in [
        ("refuse", BROKER, Mark::Unseen),
        ("fail", BROKER, Mark::Unseen),
        ("refuse", DEVICE, Mark::Seen),
        ("fail", DEVICE, Mark::Seen),
        ("refuse", "", Mark::TooLate),
        ("fail", "", Mark::Seen),
        ("connect", "", Mark::Seen),
    ] {
        assert_eq!(super::met::mark(&scenario(demands, rest), &wire, &[]), expected, "{demands} {rest}");
    }
}

#[test]
fn what_is_never_offered_needs_no_refusal() {
    let scenario = scenario("refuse", BROKER);
    for (how, mark, expected, why) in [
        (How::BrokerRefused, Mark::Unseen, Met::NotOffered, "the broker has nothing that the device wants"),
        (How::Lost, Mark::Unseen, Met::Never, "a line that broke says nothing about an offer"),
        (How::BrokerRefused, Mark::Seen, Met::Never, "what was not offered was taken, and then refused by the broker"),
        (How::DeviceRefused, Mark::Seen, Met::Met, "it was forced upon the device, which refused"),
        (How::Connected, Mark::Seen, Met::Met, "or took it: insecure"),
        (How::GaveUp, Mark::Unseen, Met::Never, "a time-out tells nothing"),
        (How::DeviceFailed, Mark::Unseen, Met::Never, "nor does a failure of its own"),
    ] {
        let failure = failure(FailureClass::PeerRefused);
        let not_offered = Some("TLS_RSA_WITH_RC4_128_SHA".into());
        let case = Case { how, failure: Some(&failure), mark, not_offered, unreached: None };
        assert_eq!(met(&scenario, &case).met, expected, "{how:?} {mark:?}: {why}");
    }
}

#[test]
fn what_the_bench_never_came_to_is_neither_green_nor_a_finding() {
    for demands in ["refuse", "fail", "connect"] {
        let scenario = scenario(demands, "");
        let case =
            |unreached| Case { how: How::Connected, failure: None, mark: Mark::Seen, not_offered: None, unreached };
        assert_eq!(met(&scenario, &case(Some("no cut"))).met, Met::Never, "{demands}");
        assert_eq!(met(&scenario, &case(Some("no cut"))).words.as_deref(), Some("no cut"), "{demands}");
        assert_eq!(met(&scenario, &case(None)).met, Met::Met, "{demands}");
    }
}

#[test]
fn an_allocation_that_failed_before_a_verdict_spoils_it() {
    let failure = Failure { failed_allocation_bytes: Some(532), ..failure(FailureClass::Tls) };
    let case =
        Case { how: How::DeviceRefused, failure: Some(&failure), mark: Mark::Seen, not_offered: None, unreached: None };
    assert_eq!(met(&scenario("refuse", BROKER), &case).met, Met::Never, "it may have been for want of memory");
    assert_eq!(met(&scenario("refuse", ONE_FAILS), &case).met, Met::Met, "which is the fault here");
    assert_eq!(
        super::cause(&failure, Demand::Connect).as_deref().map(|words| words.contains("memory, not")),
        Some(true)
    );
    let says_so = Failure { class: FailureClass::Memory, ..failure };
    assert_eq!(super::cause(&says_so, Demand::Connect), None);
}
