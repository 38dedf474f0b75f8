//! `station.c` on networks whose links end, and that keep what is for a station that dozes.

use access_point::{Description, Happening, Milestone, Misbehaviour, Moment};

use super::{Bench, ETHER_TYPE};

const STATION: [u8; 6] = [0x18, 0xfe, 0x34, 0, 0, 1];
const EVERYBODY: [u8; 6] = [0xff; 6];
/// Frame control of what a station says of itself, and of what it asks for.
const NULL_AWAKE: [u8; 2] = [0x48, 0x01];
const NULL_DOZES: [u8; 2] = [0x48, 0x11];
const PS_POLL: u8 = 0xa4;
/// Frame control of data from an access point; that more was kept is bit 5 of the second octet.
const DATA: u8 = 0x08;
const MORE_DATA: u8 = 0x20;
/// Joining and two times dozing take no longer.
const LISTENS_WITHIN_MS: u32 = 3_000;

fn network(faults: Vec<Misbehaviour>) -> Description {
    Description { faults, ..Description::open("shakedown") }
}

fn after_joining(ms: u32) -> Moment {
    Moment { after: Milestone::Joined, ms }
}

/// What is said behind the first `listens`.
fn behind_listens(said: &str) -> &str {
    said.split_once("listens\n").map_or("", |(_, behind)| behind)
}

#[test]
fn a_network_is_joined_and_what_is_said_there_reaches_its_ethernet() {
    let mut bench = Bench::new("station", network(Vec::new()));
    bench.until_said("joined as 1\n");
    bench.run_for(20);
    let ends = [&EVERYBODY[..], &STATION].concat();
    assert_eq!(bench.ethernet.len(), 1);
    assert_eq!(bench.ethernet[0].1, [&ends[..], &ETHER_TYPE, b"here"].concat());
}

/// A station that dozes hears nothing but beacons and what comes behind those; the rest is kept until it asks for it
/// (IEEE Std 802.11-2020 §11.2.3).
#[test]
fn what_is_for_a_station_that_dozes_is_kept_and_fetched_frame_by_frame() {
    let mut bench = Bench::new("station", network(Vec::new()));
    bench.until_said("dozes\n");
    bench.run_for(30);
    let before = bench.heard.len();
    for text in ["one", "two", "three"] {
        bench.send(STATION, text);
    }
    bench.send(EVERYBODY, "come");
    bench.run_for(20);
    assert_eq!(bench.heard.len(), before, "the access point keeps it");
    bench.until_said("is awake\n");
    let expected = "dozes\nhears come for all\nsomething was kept\nhears one, and there is more\nhears two, and there is more\n\
        hears three\nis awake\n";
    // Which comes first, the beacon with the map or the one behind which groups are served, is the access point's.
    let said = &bench.said[bench.said.find("dozes").expect("it dozes")..];
    let in_order = |text: &str| text.lines().filter(|line| !line.ends_with("for all")).collect::<Vec<_>>().join("\n");
    assert_eq!(in_order(said), in_order(expected));
    assert_eq!(said.matches("hears come for all\n").count(), 1);
    let polls = bench.sent.iter().filter(|frame| frame.bytes[0] == PS_POLL).count();
    assert_eq!(polls, 3);
    let kept = bench.heard.iter().filter(|frame| frame.bytes[0] == DATA && frame.bytes[4..10] == STATION);
    let more: Vec<bool> = kept.map(|frame| frame.bytes[1] & MORE_DATA != 0).collect();
    assert_eq!(more, [true, true, false]);
}

/// Between beacons its receiver is off: nothing is acknowledged then, though nobody told the access point.
#[test]
fn a_station_that_says_that_it_is_awake_is_sent_all_at_once() {
    let mut bench = Bench::new("station", network(Vec::new()));
    bench.until_said("is awake\ndozes\n");
    bench.run_for(30);
    for text in ["one", "two"] {
        bench.send(STATION, text);
    }
    bench.until_said("listens\n");
    let (_, behind) = bench.said.split_once("something was kept\n").expect("it was kept");
    assert_eq!(behind, "is awake\nhears one, and there is more\nhears two\nlistens\n");
    assert!(bench.sent.iter().all(|frame| frame.bytes[0] != PS_POLL));
    let control = |wanted: [u8; 2]| bench.sent.iter().filter(|frame| frame.bytes[..2] == wanted).count();
    assert_eq!((control(NULL_DOZES), control(NULL_AWAKE)), (2, 2));
}

#[test]
fn what_no_beacon_indicates_waits_until_the_station_is_awake() {
    let mut bench = Bench::new("station", network(vec![Misbehaviour::NoTrafficIndication {}]));
    bench.until_said("dozes\n");
    bench.run_for(30);
    bench.send(STATION, "one");
    bench.until_said("hears one\n");
    assert!(bench.said.ends_with("dozes\nis awake\nhears one\n"), "{}", bench.said);
}

#[test]
fn what_is_not_kept_never_comes() {
    let mut bench = Bench::new("station", network(vec![Misbehaviour::NothingKept {}]));
    bench.until_said("dozes\n");
    bench.run_for(30);
    bench.send(STATION, "one");
    bench.until_said("listens\n");
    assert!(!bench.said.contains("hears"), "{}", bench.said);
}

#[test]
fn who_is_sent_away_joins_again() {
    let faults = vec![
        Misbehaviour::Deauthentication { when: after_joining(LISTENS_WITHIN_MS), reason: 7 },
        Misbehaviour::Disassociation { when: after_joining(2 * LISTENS_WITHIN_MS), reason: 4 },
    ];
    let mut bench = Bench::new("station", network(faults));
    bench.until_said("sent away, reason 4\nfound\njoined as 1\n");
    assert!(behind_listens(&bench.said).starts_with("sent away, reason 7\nfound\njoined as 1\n"), "{}", bench.said);
    let joined = bench.events.iter().filter(|event| event.what == Happening::Joined).count();
    assert_eq!(joined, 3);
}

#[test]
fn where_beacons_stop_the_station_asks_and_stays() {
    let fault = Misbehaviour::BeaconsStop { when: after_joining(LISTENS_WITHIN_MS) };
    let mut bench = Bench::new("station", network(vec![fault]));
    bench.until_said("listens\n");
    bench.until_said("it answers\n");
    let asked_at = bench.sent.last().map(|frame| frame.at);
    assert_eq!(behind_listens(&bench.said), "10 beacons were missed\nit answers\n");
    let beacons = bench.heard.iter().filter(|frame| frame.bytes[0] == 0x80);
    let last = beacons.map(|frame| frame.at).max().expect("there were some");
    let silence = (asked_at.expect("it asks") - last).as_millis();
    assert!((1_020..1_030).contains(&silence), "{silence} ms");
}

/// Eleven attempts, the retry bit in all but the first, and each is decided by the acknowledgement that does not come.
#[test]
fn an_access_point_without_power_is_lost_and_found_when_it_is_back() {
    let fault = Misbehaviour::PowerCut { when: after_joining(LISTENS_WITHIN_MS), for_ms: Some(2_000) };
    let mut bench = Bench::new("station", network(vec![fault]));
    bench.until_said("the link is lost\n");
    assert_eq!(
        behind_listens(&bench.said),
        "10 beacons were missed\nnobody answers after 11 attempts: the link is lost\n"
    );
    let to_one = bench.sent.iter().filter(|frame| frame.bytes[0] == 0x40 && frame.bytes[4] & 1 == 0);
    let retries: Vec<bool> = to_one.map(|frame| frame.bytes[1] & 0x08 != 0).collect();
    assert_eq!(retries, [&[false][..], &[true; 10]].concat());
    bench.until_said("the link is lost\nfound\njoined as 1\n");
}

/// The access point forgets nothing by an acknowledgement that is lost: what is sent again is a copy.
#[test]
fn frames_that_are_lost_are_sent_again_and_come_once() {
    let loss = Misbehaviour::Loss { from_station_per_mille: 300, to_station_per_mille: 300 };
    let mut bench = Bench::new("station", network(vec![loss]));
    bench.until_said("listens\n");
    let again = bench.sent.iter().filter(|frame| frame.bytes[1] & 0x08 != 0).count();
    assert!(again > 0, "{}", bench.said);
    assert_eq!(bench.ethernet.len(), bench.said.matches("joined as").count(), "{}", bench.said);
}
