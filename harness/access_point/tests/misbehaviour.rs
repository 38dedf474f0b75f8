//! Each fault of the vocabulary, as a station sees it.

mod station;

use access_point::{Air, Description, Happening, Message, Milestone, Misbehaviour, Moment, OnAir, Rate, Security};
use clock::{Duration, Instant};
use station::{STATION, State, Station, together};

const NAME: &str = "shakedown";
const PASSPHRASE: &str = "correct horse";

fn secured(fault: Misbehaviour) -> Description {
    Description { faults: vec![fault], ..Description::wpa2(NAME, PASSPHRASE) }
}

fn live(fault: Misbehaviour, ms: u64) -> (Vec<Happening>, Station) {
    let (mut air, station) = together(secured(fault), Station::new(NAME, Some(PASSPHRASE)), ms);
    (air.take_events().into_iter().map(|event| event.what).collect(), station)
}

#[test]
fn probe_requests_are_not_answered() {
    let (_, station) = live(Misbehaviour::NoProbeResponse {}, 500);
    assert!(station.frames.iter().all(|(_, frame)| frame[0] != 0x50));
    assert!(station.frames.iter().any(|(_, frame)| frame[0] == 0x80));
}

#[test]
fn authentication_is_refused_or_not_answered() {
    let (_, station) = live(Misbehaviour::AuthenticationRefused { status: 1, times: None }, 500);
    assert_eq!(station.state, State::Refused { status: 1 });
    let (_, station) = live(Misbehaviour::NoAuthentication { times: None }, 500);
    assert_eq!(station.state, State::Authenticates);
    assert!(station.acknowledged > 0, "the request is acknowledged all the same");
}

#[test]
fn association_is_refused_or_not_answered() {
    for status in [1, 12, 17, 30] {
        let (_, station) = live(Misbehaviour::AssociationRefused { status, times: None }, 500);
        assert_eq!(station.state, State::Refused { status });
    }
    let (_, station) = live(Misbehaviour::NoAssociation { times: None }, 500);
    assert_eq!(station.state, State::Associates);
}

#[test]
fn a_message_that_is_lost_is_said_again() {
    for message in [Message::First, Message::Third] {
        let (_, station) = live(Misbehaviour::MessageLost { message, times: Some(2) }, 3_000);
        assert_eq!(station.state, State::Joined, "{message:?}");
        let (_, station) = live(Misbehaviour::MessageLost { message, times: None }, 6_000);
        assert_eq!(station.state, State::Gone { reason: 15 }, "{message:?}");
    }
}

#[test]
fn a_group_message_that_is_lost_costs_the_association() {
    let fault = Misbehaviour::MessageLost { message: Message::Group, times: None };
    let description = Description { group_rekey_s: Some(1), ..secured(fault) };
    let (_, station) = together(description, Station::new(NAME, Some(PASSPHRASE)), 6_000);
    assert_eq!(station.state, State::Gone { reason: 16 });
}

#[test]
fn a_message_that_is_late_is_late() {
    let joined_at = |fault| {
        let (mut air, station) = together(secured(fault), Station::new(NAME, Some(PASSPHRASE)), 3_000);
        assert_eq!(station.state, State::Joined);
        let events = air.take_events();
        events.into_iter().find(|event| event.what == Happening::Joined).expect("joined").at
    };
    let late = Misbehaviour::MessageLate { message: Message::Third, by_ms: 50, times: Some(1) };
    let punctual = joined_at(Misbehaviour::NoTrafficIndication {});
    assert!(joined_at(late) > punctual + clock::Duration::from_millis(45));
}

#[test]
fn a_bad_mic_fits_no_key() {
    let (_, station) = live(Misbehaviour::MessageBadMic { message: Message::Third, times: Some(1) }, 3_000);
    assert_eq!((station.state, station.bad_mics), (State::Joined, 1));
    let (_, station) = live(Misbehaviour::MessageBadMic { message: Message::Third, times: None }, 6_000);
    assert_eq!(station.state, State::Gone { reason: 15 });
}

#[test]
fn stations_are_sent_away_in_mid_handshake_and_in_mid_session() {
    let after = |after, ms| Moment { after, ms };
    let when = after(Milestone::MessageTwo, 0);
    let (happenings, station) = live(Misbehaviour::Deauthentication { when, reason: 2 }, 1_000);
    assert_eq!(station.state, State::Gone { reason: 2 });
    assert!(!happenings.contains(&Happening::Joined));
    let when = after(Milestone::Joined, 300);
    let (happenings, station) = live(Misbehaviour::Disassociation { when, reason: 8 }, 1_000);
    assert_eq!(station.state, State::Gone { reason: 8 });
    assert!(happenings.contains(&Happening::Joined));
}

#[test]
fn beacons_stop_and_channels_change() {
    let when = Moment { after: Milestone::PowerOn, ms: 500 };
    let last_beacon = |station: &Station| station.frames.iter().rfind(|(_, frame)| frame[0] == 0x80).expect("one").0;
    let (_, station) = live(Misbehaviour::BeaconsStop { when }, 2_000);
    assert!(last_beacon(&station) < Instant::from_millis(510));
    let (_, station) = live(Misbehaviour::ChannelSwitch { when, channel: 11, announced: false }, 2_000);
    assert!(last_beacon(&station) < Instant::from_millis(510));
    let (_, station) = live(Misbehaviour::ChannelSwitch { when, channel: 11, announced: true }, 2_000);
    let announced =
        station.frames.iter().filter(|(_, frame)| frame[0] == 0x80 && frame.windows(4).any(|w| w == [37, 3, 1, 11]));
    assert_eq!(announced.count(), 3);
    assert!(last_beacon(&station) < Instant::from_millis(1_000));
}

#[test]
fn an_access_point_without_power_says_nothing_and_forgets() {
    let when = Moment { after: Milestone::PowerOn, ms: 500 };
    let (mut air, mut station) = together(
        secured(Misbehaviour::PowerCut { when, for_ms: Some(1_000) }),
        Station::new(NAME, Some(PASSPHRASE)),
        1_400,
    );
    assert_eq!(station.state, State::Joined);
    let since = |station: &Station, ms| station.frames.iter().filter(|(at, _)| *at > Instant::from_millis(ms)).count();
    assert_eq!(since(&station, 510), 0);
    station.live(&mut air, Instant::from_millis(1_400), Instant::from_millis(2_000));
    assert!(since(&station, 1_400) > 3, "beacons are back");
    let frame = station.data([2, 0, 0, 0, 0, 9], 0x0800, b"hello", false);
    station.say(Instant::from_millis(2_000), frame);
    station.live(&mut air, Instant::from_millis(2_000), Instant::from_millis(2_050));
    assert_eq!(station.state, State::Gone { reason: 6 });
}

#[test]
fn frames_are_lost_by_chance_and_by_the_seed() {
    let loss = Misbehaviour::Loss { from_station_per_mille: 0, to_station_per_mille: 1_000 };
    let (_, station) = live(loss, 500);
    assert!(station.frames.is_empty());
    let loss = Misbehaviour::Loss { from_station_per_mille: 0, to_station_per_mille: 300 };
    let (_, station) = live(loss.clone(), 5_000);
    let beacons = station.frames.iter().filter(|(_, frame)| frame[0] == 0x80).count();
    assert!((20..45).contains(&beacons), "{beacons} of 48");
    let (_, again) = live(loss, 5_000);
    assert_eq!(station.frames, again.frames);
}

/// A station asks who is there, acknowledges the answer, and never comes: that is told at the end, once; of one that comes, not.
#[test]
fn who_heard_of_a_network_and_did_not_want_it_is_told() {
    const ACCESS_POINT: [u8; 6] = [0x02, 0x53, 0x48, 0x44, 0, 1];
    let description = Description { security: Some(Security::Wpa3), ..Description::wpa2("shakedown", "correct horse") };
    let mut air = Air::new(vec![description], 1).expect("a description");
    let on_air = |at, frame| OnAir { at, channel: 6, rate: Rate::SLOWEST, signal_dbm: -40, frame };
    let request = [&[0x40, 0, 0, 0][..], &[0xff; 6], &STATION, &[0xff; 6], &[0, 0, 0, 9], b"shakedown"].concat();
    air.receive(Instant::from_millis(1), on_air(Instant::from_millis(1), request));
    let mut now = Instant::from_millis(1);
    let answer = loop {
        now = air.poll_at(now).expect("it has something to say").max(now);
        air.poll(now);
        if let Some(answer) = std::iter::from_fn(|| air.transmit()).find(|frame| frame.frame[0] == 0x50) {
            break answer;
        }
        assert!(now < Instant::from_millis(50), "no answer");
    };
    assert_eq!(air.summary(), [], "nobody has acknowledged it");
    let at = answer.at + answer.rate.airtime(answer.frame.len()) + Duration::from_micros(10);
    air.receive(at, on_air(at, [&[0xd4, 0, 0, 0][..], &ACCESS_POINT].concat()));
    air.poll(at + Duration::from_millis(2));
    let told: Vec<String> = air.summary().iter().map(|event| event.what.to_string()).collect();
    assert_eq!(told, ["heard of WPA3 alone, and never asked to be let in"]);
    let (joined, _) = together(Description::open("shakedown"), Station::new("shakedown", None), 200);
    assert_eq!(joined.summary(), []);
}

#[test]
fn what_chance_has_lost_is_counted() {
    let lossy = Misbehaviour::Loss { from_station_per_mille: 300, to_station_per_mille: 300 };
    let description = Description { faults: vec![lossy], ..Description::open("shakedown") };
    let (air, _) = together(description, Station::new("shakedown", None), 3_000);
    let summary = air.summary();
    let lost = summary.iter().find_map(|event| match &event.what {
        Happening::Lost { from_station, to_station, .. } => Some((*from_station, *to_station)),
        _ => None,
    });
    assert!(lost.is_some_and(|(from, to)| from + to > 0), "{summary:?}");
}
