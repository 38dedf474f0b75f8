//! A station joins, speaks and hears: open, and with WPA2.

mod station;

use access_point::{Description, Happening, MacAddress, Misbehaviour};
use clock::Instant;
use station::{STATION, State, Station, together};

const NAME: &str = "shakedown";
const PASSPHRASE: &str = "correct horse";
const NEIGHBOUR: [u8; 6] = [0x02, 0, 0, 0, 0, 9];

fn ethernet(to: [u8; 6], from: [u8; 6], payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &[0x08, 0x00], payload].concat()
}

fn happenings(air: &mut access_point::Air) -> Vec<Happening> {
    air.take_events().into_iter().map(|event| event.what).collect()
}

#[test]
fn open_networks_are_joined_and_carry_ethernet_both_ways() {
    let (mut air, mut station) = together(Description::open(NAME), Station::new(NAME, None), 100);
    assert_eq!(station.state, State::Joined);
    assert_eq!(happenings(&mut air), [Happening::Authenticated, Happening::Associated { aid: 1 }, Happening::Joined]);
    let now = Instant::from_millis(100);
    let frame = station.data(NEIGHBOUR, 0x0800, b"to the neighbour", false);
    station.say(now, frame);
    air.send_ethernet(now, &ethernet(STATION, NEIGHBOUR, b"to the station"));
    air.send_ethernet(now, &ethernet([0xff; 6], NEIGHBOUR, b"to all"));
    station.live(&mut air, now, Instant::from_millis(200));
    assert_eq!(air.take_ethernet(), Some(ethernet(NEIGHBOUR, STATION, b"to the neighbour")));
    let heard: Vec<(bool, &[u8])> = station.heard.iter().map(|(group, body)| (*group, &body[8..])).collect();
    assert_eq!(heard, [(false, &b"to the station"[..]), (true, b"to all")]);
}

#[test]
fn wpa2_is_joined_with_the_passphrase_and_what_is_said_is_encrypted() {
    let description = Description::wpa2(NAME, PASSPHRASE);
    let (mut air, mut station) = together(description, Station::new(NAME, Some(PASSPHRASE)), 200);
    assert_eq!(station.state, State::Joined);
    let expected = [Happening::Authenticated, Happening::Associated { aid: 1 }, Happening::Joined];
    assert_eq!(happenings(&mut air), expected);
    let now = Instant::from_millis(200);
    air.take_overheard();
    let frame = station.data(NEIGHBOUR, 0x0800, b"to the neighbour", false);
    station.say(now, frame);
    air.send_ethernet(now, &ethernet(STATION, NEIGHBOUR, b"to the station"));
    air.send_ethernet(now, &ethernet([0xff; 6], NEIGHBOUR, b"to all"));
    station.live(&mut air, now, Instant::from_millis(300));
    assert_eq!(air.take_ethernet(), Some(ethernet(NEIGHBOUR, STATION, b"to the neighbour")));
    let heard: Vec<&[u8]> = station.heard.iter().map(|(_, body)| &body[8..]).collect();
    assert_eq!(heard, [&b"to the station"[..], b"to all"]);
    assert_eq!(station.bad_mics, 0);
    let on_air = air.take_overheard();
    assert!(on_air.iter().all(|frame| !frame.bytes.windows(6).any(|window| window == b"to the")));
}

#[test]
fn another_passphrase_is_refused_as_hostapd_does_it() {
    let description = Description::wpa2(NAME, PASSPHRASE);
    let (mut air, station) = together(description, Station::new(NAME, Some("wrong horse")), 5_000);
    // Four attempts, the last three a second apart; then reason 15, 4-way handshake timeout.
    assert_eq!(station.state, State::Gone { reason: 15 });
    let happenings = happenings(&mut air);
    assert_eq!(happenings.iter().filter(|what| **what == Happening::WrongPassphrase).count(), 4);
    assert!(!happenings.contains(&Happening::Joined));
}

#[test]
fn who_wants_another_security_is_refused_with_the_status_of_the_standard() {
    let secured = Description::wpa2(NAME, PASSPHRASE);
    let (_, station) = together(secured, Station::new(NAME, None), 200);
    assert_eq!(station.state, State::Refused { status: 40 });
    let sae = Description { security: Some(access_point::Security::Wpa3), ..Description::wpa2(NAME, PASSPHRASE) };
    let (_, station) = together(sae, Station::new(NAME, Some(PASSPHRASE)), 200);
    assert_eq!(station.state, State::Refused { status: 43 });
}

#[test]
fn a_network_that_is_not_there_is_told_once() {
    let (mut air, station) = together(Description::open("other"), Station::new("home-5", None), 500);
    assert_eq!(station.state, State::Authenticates);
    let looks_for = Happening::LooksFor { ssid: b"home-5".to_vec() };
    assert_eq!(happenings(&mut air), [looks_for]);
}

#[test]
fn hidden_networks_answer_who_knows_their_name_and_beacon_without_it() {
    let hidden = Description { hidden: true, ..Description::open(NAME) };
    let (mut air, station) = together(hidden, Station::new(NAME, None), 400);
    assert_eq!(station.state, State::Joined);
    let beacons: Vec<_> = air.take_overheard().into_iter().filter(|frame| frame.bytes[23] == 0x80).collect();
    assert!(beacons.len() >= 3, "{}", beacons.len());
    // Behind radiotap, header and fixed fields: an SSID of no octets.
    assert!(beacons.iter().all(|frame| frame.bytes[23 + 24 + 12..][..2] == [0, 0]));
}

#[test]
fn beacons_keep_the_interval() {
    let (mut air, _) = together(Description::open(NAME), Station::new(NAME, None), 1_000);
    let at: Vec<u64> = air
        .take_overheard()
        .into_iter()
        .filter(|frame| frame.bytes[23] == 0x80)
        .map(|frame| u64::from_le_bytes(frame.bytes[23 + 24..][..8].try_into().expect("eight")))
        .collect();
    assert!(at.len() == 9 || at.len() == 10, "{at:?}");
    // Within a frame and a back-off of their time.
    assert!(at.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(102_400) < 3_000), "{at:?}");
}

#[test]
fn frames_are_kept_for_who_dozes_and_given_out_one_by_one() {
    let (mut air, mut station) =
        together(Description::wpa2(NAME, PASSPHRASE), Station::new(NAME, Some(PASSPHRASE)), 200);
    let now = Instant::from_millis(200);
    let null = station.null(true);
    station.say(now, null);
    station.live(&mut air, now, Instant::from_millis(210));
    let now = Instant::from_millis(210);
    for payload in [b"one", b"two", b"tre"] {
        air.send_ethernet(now, &ethernet(STATION, NEIGHBOUR, payload));
    }
    station.live(&mut air, now, Instant::from_millis(420));
    assert!(station.heard.is_empty());
    assert!(announces(&station), "no beacon says that frames are kept");
    let poll = station.ps_poll();
    station.say(Instant::from_millis(420), poll);
    station.live(&mut air, Instant::from_millis(420), Instant::from_millis(450));
    assert_eq!(station.heard.len(), 1);
    let more_data = station.frames.iter().rev().find(|(_, frame)| frame[0] == 0x08).map(|(_, frame)| frame[1] & 0x20);
    assert_eq!(more_data, Some(0x20));
    let awake = station.null(false);
    station.say(Instant::from_millis(450), awake);
    station.live(&mut air, Instant::from_millis(450), Instant::from_millis(480));
    let heard: Vec<&[u8]> = station.heard.iter().map(|(_, body)| &body[8..]).collect();
    assert_eq!(heard, [b"one", b"two", b"tre"]);
}

/// Whether the last beacon's TIM has the station's bit.
fn announces(station: &Station) -> bool {
    let (_, beacon) = station.frames.iter().rev().find(|(_, frame)| frame[0] == 0x80).expect("a beacon");
    let mut elements = &beacon[36..];
    while elements[0] != 5 {
        elements = &elements[2 + usize::from(elements[1])..];
    }
    elements[5] & 1 << 1 != 0
}

#[test]
fn frames_for_groups_wait_for_the_dtim() {
    let description = Description { dtim_period: 3, ..Description::open(NAME) };
    let (mut air, mut station) = together(description, Station::new(NAME, None), 200);
    let null = station.null(true);
    station.say(Instant::from_millis(200), null);
    station.live(&mut air, Instant::from_millis(200), Instant::from_millis(210));
    air.send_ethernet(Instant::from_millis(210), &ethernet([0xff; 6], NEIGHBOUR, b"to all"));
    station.live(&mut air, Instant::from_millis(210), Instant::from_millis(700));
    let (at, _) = *station.frames.iter().find(|(_, frame)| frame[0] == 0x08).as_ref().expect("the group's frame");
    let beacon = station.frames.iter().rfind(|(when, frame)| frame[0] == 0x80 && when < at).expect("a beacon");
    let mut elements = &beacon.1[36..];
    while elements[0] != 5 {
        elements = &elements[2 + usize::from(elements[1])..];
    }
    assert_eq!((elements[2], elements[3], elements[4] & 1), (0, 3, 1), "DTIM count, period, and the groups' bit");
}

#[test]
fn nothing_is_kept_where_that_is_the_fault() {
    let description = Description { faults: vec![Misbehaviour::NothingKept {}], ..Description::open(NAME) };
    let (mut air, mut station) = together(description, Station::new(NAME, None), 200);
    let null = station.null(true);
    station.say(Instant::from_millis(200), null);
    station.live(&mut air, Instant::from_millis(200), Instant::from_millis(210));
    air.send_ethernet(Instant::from_millis(210), &ethernet(STATION, NEIGHBOUR, b"lost"));
    let awake = station.null(false);
    station.say(Instant::from_millis(220), awake);
    station.live(&mut air, Instant::from_millis(220), Instant::from_millis(400));
    assert!(station.heard.is_empty());
    assert!(happenings(&mut air).contains(&Happening::Enacted { fault: Misbehaviour::NothingKept {} }));
}

#[test]
fn group_keys_are_renewed_and_the_old_one_is_no_longer_used() {
    let description = Description { group_rekey_s: Some(1), ..Description::wpa2(NAME, PASSPHRASE) };
    let (mut air, mut station) = together(description, Station::new(NAME, Some(PASSPHRASE)), 1_500);
    assert!(happenings(&mut air).contains(&Happening::GroupKeyRenewed));
    air.send_ethernet(Instant::from_millis(1_500), &ethernet([0xff; 6], NEIGHBOUR, b"to all"));
    station.live(&mut air, Instant::from_millis(1_500), Instant::from_millis(1_600));
    assert_eq!(station.heard.last().map(|(_, body)| &body[8..]), Some(&b"to all"[..]));
    let (_, frame) = station.frames.iter().rfind(|(_, frame)| frame[0] == 0x08).expect("the group's frame");
    assert_eq!(frame[24 + 3] >> 6, 2, "the key's identifier");
}

#[test]
fn frames_that_nobody_acknowledges_are_repeated_and_given_up() {
    let (mut air, mut station) = together(Description::open(NAME), Station::new(NAME, None), 200);
    station.acknowledges = false;
    air.take_overheard();
    happenings(&mut air);
    air.send_ethernet(Instant::from_millis(200), &ethernet(STATION, NEIGHBOUR, b"to the station"));
    station.live(&mut air, Instant::from_millis(200), Instant::from_millis(290));
    let attempts: Vec<_> = air.take_overheard().into_iter().filter(|frame| frame.bytes[23] == 0x08).collect();
    assert_eq!(attempts.len(), 7);
    assert!(attempts[1..].iter().all(|frame| frame.bytes[24] & 0x08 != 0), "the retry bit");
    assert_eq!(happenings(&mut air), [Happening::NotAcknowledged]);
}

#[test]
fn two_runs_are_the_same_bytes() {
    let run = || {
        let (mut air, _) = together(Description::wpa2(NAME, PASSPHRASE), Station::new(NAME, Some(PASSPHRASE)), 500);
        air.take_overheard()
    };
    assert_eq!(run(), run());
}

#[test]
fn addresses_are_of_the_access_points_own() {
    let bssid = MacAddress([0x02, 1, 2, 3, 4, 5]);
    let description = Description { bssid: Some(bssid), ..Description::open(NAME) };
    let (_, station) = together(description, Station::new(NAME, None), 200);
    assert_eq!(station.bssid, bssid.0);
}
