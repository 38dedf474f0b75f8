//! Espressif's closed Wi-Fi driver on the emulated chip, with the real mask ROM, joins the access points of this house.
//!
//! The image is not in the repository: it holds Espressif's libraries. `cargo xtask firmware build esp32c3_wifi` builds it;
//! without it these tests say so and pass. Where `SHAKEDOWN_REQUIRED_TOOLS` names `esp32c3_wifi`, it is missed.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::path::Path;

use access_point::{Air, Description, Happening, Milestone, Misbehaviour, Moment, OnAir, Rate};
use clock::Instant;
use emulator::esp32c3::{Config, Esp32c3, RadioFrame, ResetCause, SerialPort};
use emulator::snapshot::Snapshot;
use support::real_rom;
use wire::slipmux;

const IMAGE: &str = "target/images/esp32c3_wifi.elf";
const PASSPHRASE: &str = "correct horse";

fn image() -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(IMAGE);
    let image = std::fs::read(&path).ok();
    if image.is_none() {
        let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").is_ok_and(|tools| tools.contains("esp32c3_wifi"));
        assert!(!required, "{}: not built", path.display());
        eprintln!("not run: cargo xtask firmware build esp32c3_wifi");
    }
    image
}

/// What came of it.
struct Run {
    said: String,
    happenings: Vec<Happening>,
    ethernet: Vec<Vec<u8>>,
    overheard: Vec<access_point::Overheard>,
}

fn chip_with(image: &[u8]) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { rom: real_rom(), seed: 0x5eed, ..Config::default() });
    chip.load_elf(image).expect("an image for this chip");
    chip.reset(ResetCause::PowerOn);
    chip
}

/// What the image is told: to join a network and dial a broker there.
fn order(ssid: &str, passphrase: Option<&str>) -> Vec<u8> {
    let passphrase = passphrase.map_or("null".to_owned(), |passphrase| format!("{passphrase:?}"));
    let network = format!(
        r#"{{"ipv4":"192.0.2.2","ipv4_prefix_bits":24,"ipv4_gateway":"192.0.2.1","dns":"192.0.2.53","mtu_bytes":1500,
        "wifi":{{"ssid":{ssid:?},"passphrase":{passphrase}}}}}"#
    );
    let order = format!(
        r#"{{"order":"run","network":{network},"broker_host":"192.0.2.10","broker_port":1883,"mqtt":{{"client_id":"x"}}}}"#
    );
    let mut bytes = Vec::new();
    slipmux::encode_configuration(order.as_bytes(), &mut bytes);
    bytes
}

/// Lets the image do as it is told among `access_points`, for `ms` milliseconds of its time.
fn run(image: &[u8], access_points: Vec<Description>, order: &[u8], ms: u64) -> Run {
    let mut chip = chip_with(image);
    run_chip(&mut chip, access_points, order, ms, None)
}

/// As [`run`]; at `snapshot_ms` the chip is kept as bytes, and another one goes on in its place.
fn run_chip(
    chip: &mut Esp32c3,
    access_points: Vec<Description>,
    order: &[u8],
    ms: u64,
    mut snapshot_ms: Option<u64>,
) -> Run {
    chip.serial_input(SerialPort::UsbSerialJtag, order);
    let mut air = Air::new(access_points, 0x5eed).expect("access points that can be");
    let mut run = Run { said: String::new(), happenings: Vec::new(), ethernet: Vec::new(), overheard: Vec::new() };
    let until = Instant::from_millis(ms);
    while chip.now() < until {
        if snapshot_ms.take_if(|at| chip.now() >= Instant::from_millis(*at)).is_some() {
            let kept = Snapshot::from_bytes(&chip.snapshot().to_bytes()).expect("what was just written");
            *chip = Esp32c3::new(Config { rom: real_rom(), ..Config::default() });
            chip.restore(&kept).expect("a snapshot of such a chip");
        }
        let deadline = air.poll_at(chip.now()).map_or(until, |at| at.min(until));
        chip.run_until(deadline);
        let now = chip.now();
        for RadioFrame { at, channel, rate_500_kbps, bytes, .. } in chip.take_radio_output() {
            let rate = Rate::from_500_kbps(rate_500_kbps).expect("a rate of 802.11g");
            air.receive(now, OnAir { at, channel, rate, signal_dbm: -50, frame: bytes });
        }
        air.poll(now);
        while let Some(OnAir { at, channel, rate, signal_dbm, frame }) = air.transmit() {
            let rate_500_kbps = rate.as_500_kbps();
            chip.radio_input(RadioFrame { at, channel, rate_500_kbps, signal_dbm, bytes: frame });
        }
        run.happenings.extend(air.take_events().into_iter().map(|event| event.what));
        run.ethernet.extend(std::iter::from_fn(|| air.take_ethernet()));
        run.said.push_str(&String::from_utf8_lossy(&chip.take_serial_output(SerialPort::UsbSerialJtag)));
    }
    run.overheard = air.take_overheard();
    run
}

/// Whether the first thing that the station says is a DHCP discovery: UDP from port 68 to port 67.
fn asks_for_an_address(run: &Run) -> bool {
    run.ethernet.first().is_some_and(|frame| frame[12..14] == [8, 0] && frame[34..38] == [0, 68, 0, 67])
}

#[test]
fn an_open_network_is_joined() {
    let Some(image) = image() else { return };
    let run = run(&image, vec![Description::open("shakedown")], &order("shakedown", None), 2_500);
    assert!(run.happenings.contains(&Happening::Joined), "{}{:?}", run.said, run.happenings);
    assert!(asks_for_an_address(&run), "{}", run.said);
}

#[test]
fn a_wpa2_network_is_joined_and_what_is_said_there_is_encrypted() {
    let Some(image) = image() else { return };
    let order = order("shakedown", Some(PASSPHRASE));
    let run = run(&image, vec![Description::wpa2("shakedown", PASSPHRASE)], &order, 3_500);
    assert!(run.happenings.contains(&Happening::Joined), "{}{:?}", run.said, run.happenings);
    assert!(asks_for_an_address(&run), "{}", run.said);
    // DHCP's magic number is in no frame that was on the air.
    assert!(run.overheard.iter().all(|frame| !frame.bytes.windows(4).any(|bytes| bytes == [99, 130, 83, 99])));
}

#[test]
fn two_runs_are_the_same_bytes() {
    let Some(image) = image() else { return };
    let once = || run(&image, vec![Description::open("shakedown")], &order("shakedown", None), 1_500).overheard;
    assert_eq!(once(), once());
}

#[test]
fn who_goes_on_from_a_snapshot_in_mid_association_says_the_same() {
    let Some(image) = image() else { return };
    let order = order("shakedown", Some(PASSPHRASE));
    let networks = || vec![Description::wpa2("shakedown", PASSPHRASE)];
    let straight = run(&image, networks(), &order, 1_600);
    let cut = run_chip(&mut chip_with(&image), networks(), &order, 1_600, Some(1_360));
    assert!(straight.happenings.contains(&Happening::Joined), "{}", straight.said);
    assert_eq!(cut.overheard, straight.overheard);
    assert_eq!(cut.said, straight.said);
}

#[test]
fn another_passphrase_is_refused_and_the_driver_tries_again() {
    let Some(image) = image() else { return };
    let order = order("shakedown", Some("wrong horse"));
    let run = run(&image, vec![Description::wpa2("shakedown", PASSPHRASE)], &order, 8_000);
    assert!(run.happenings.contains(&Happening::WrongPassphrase), "{}{:?}", run.said, run.happenings);
    assert!(!run.happenings.contains(&Happening::Joined));
    assert!(run.said.contains("WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT"), "{}", run.said);
}

#[test]
fn who_is_sent_away_notices() {
    let Some(image) = image() else { return };
    let when = Moment { after: Milestone::Joined, ms: 500 };
    let faults = vec![Misbehaviour::Deauthentication { when, reason: 7 }];
    let run =
        run(&image, vec![Description { faults, ..Description::open("shakedown") }], &order("shakedown", None), 3_000);
    assert!(run.said.contains("WIFI_REASON_CLASS3_FRAME_FROM_NONASSOC_STA"), "{}{:?}", run.said, run.happenings);
}

#[test]
fn a_network_that_is_not_there_is_looked_for_by_name() {
    let Some(image) = image() else { return };
    let run = run(&image, Vec::new(), &order("home-5", Some(PASSPHRASE)), 1_500);
    assert_eq!(run.happenings, [Happening::LooksFor { ssid: b"home-5".to_vec() }]);
}
