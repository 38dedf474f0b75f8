//! `soft_ap.c`: an access point on the second interface, beside a station on the first.

use clock::{Duration, Instant};
use emulator::esp8266::{Config, Esp8266};
use emulator::{EmulatedChip as _, Reset};
use firmware_image::FlashImage;

use super::super::{UART0, chip_with};
use super::ETHER_TYPE;
use super::client::{Client, OWN};

const ACCESS_POINT: [u8; 6] = [0x1a, 0xfe, 0x34, 0, 0, 1];
const STATION: [u8; 6] = [0x18, 0xfe, 0x34, 0, 0, 1];
const EVERYBODY: [u8; 6] = [0xff; 6];
const SSID: &[u8] = b"ESP_000001";
const RATES: &[u8] = &[1, 4, 0x82, 0x84, 0x8b, 0x96];

struct Bench {
    chip: Esp8266,
    client: Client,
    said: String,
}

impl Bench {
    fn new() -> Self {
        Self { chip: chip_with("soft_ap"), client: Client::new(), said: String::new() }
    }

    fn run_for(&mut self, ms: u64) {
        let until = self.chip.now() + Duration::from_millis(ms);
        while self.chip.now() < until {
            self.chip.run_until(until);
            for frame in self.chip.take_radio_output() {
                if frame.bytes[0] == 0x80 {
                    self.client.channel = frame.channel;
                }
                if let Some(answer) = self.client.hear(&frame) {
                    self.chip.radio_input(answer);
                }
            }
            let said = self.chip.take_serial_output(UART0);
            self.said.push_str(&String::from_utf8_lossy(&said).replace('\r', ""));
            let events = self.chip.take_events();
            let is_fine = events.iter().all(|event| !event.kind.is_fault());
            assert!(is_fine, "{events:?}: {}", self.said);
        }
    }

    /// The client hears the next beacon: who beacons, and the elements behind its time, interval and capabilities.
    fn beacon(&mut self) -> ([u8; 6], Vec<u8>) {
        self.client.heard.clear();
        for _ in 0..200 {
            self.run_for(100);
            if let Some((_, frame)) = self.client.heard.iter().find(|(_, frame)| frame[0] == 0x80) {
                return (frame[10..16].try_into().expect("six octets"), frame[36..].to_vec());
            }
        }
        panic!("it does not beacon: {}", self.said);
    }

    /// The client says something, which is acknowledged unless it is for everybody, and what comes of it comes.
    fn say(&mut self, control: [u8; 2], to: [u8; 6], body: &[u8]) {
        let before = self.client.acknowledged;
        let frame = self.client.frame(control, to, body);
        self.chip.radio_input(self.client.on_air(self.chip.now(), frame));
        self.run_for(10);
        let expected = usize::from(to[0] & 1 == 0);
        assert_eq!(self.client.acknowledged - before, expected, "{}", self.said);
    }

    fn associate(&mut self) {
        self.say([0xb0, 0], ACCESS_POINT, &[0, 0, 1, 0, 0, 0]);
        assert_eq!(self.client.last(0xb0), Some(&[0, 0, 2, 0, 0, 0][..]));
        let request = [&[1, 4, 3, 0, 0, SSID.len() as u8][..], SSID, RATES].concat();
        self.say([0, 0], ACCESS_POINT, &request);
        assert_eq!(self.client.last(0x10), Some(&[&[1, 0, 0, 0, 1, 0xc0][..], RATES].concat()[..]));
    }
}

#[test]
fn it_beacons_each_102_ms_with_its_name() {
    let mut bench = Bench::new();
    bench.run_for(1_030);
    let beacons: Vec<&(Instant, Vec<u8>)> = bench.client.heard.iter().filter(|(_, frame)| frame[0] == 0x80).collect();
    assert_eq!(beacons.len(), 11);
    for pair in beacons.windows(2) {
        let interval_us = (pair[1].0 - pair[0].0).as_micros();
        assert!((102_300..102_500).contains(&interval_us), "{interval_us}");
    }
    let frame = &beacons[0].1;
    assert_eq!((&frame[4..10], &frame[10..16]), (&EVERYBODY[..], &ACCESS_POINT[..]));
    assert_eq!(frame[36..48], [&[0, 10][..], SSID].concat());
}

#[test]
fn a_station_finds_it_joins_it_and_is_answered() {
    let mut bench = Bench::new();
    bench.run_for(50);
    bench.say([0x40, 0], EVERYBODY, &[&[0, 0][..], RATES].concat());
    let answer = bench.client.last(0x50).expect("a probe response");
    assert_eq!(answer[12..24], [&[0, 10][..], SSID].concat());
    bench.associate();
    let said = [&[0xaa, 0xaa, 3, 0, 0, 0][..], &ETHER_TYPE, b"hello"].concat();
    bench.say([0x08, 0x01], ACCESS_POINT, &said);
    let answer = bench.client.last(0x08).expect("data");
    assert_eq!(answer, [&[0xaa, 0xaa, 3, 0, 0, 0][..], &ETHER_TYPE, b"heard hello"].concat());
    bench.say([0xc0, 0], ACCESS_POINT, &[3, 0]);
    assert_eq!(bench.said, "beacons\n55 authenticates, mark 2\n55 is associated\n55 goes, reason 3\n");
}

#[test]
fn another_network_s_probe_is_not_answered() {
    let mut bench = Bench::new();
    bench.run_for(50);
    bench.say([0x40, 0], EVERYBODY, &[&[0, 5][..], b"other", RATES].concat());
    assert_eq!(bench.client.last(0x50), None);
}

/// Both interfaces hear what is for them, with a mark of their own, and nobody else's.
#[test]
fn the_station_beside_it_hears_its_own() {
    let mut bench = Bench::new();
    bench.run_for(50);
    bench.say([0x08, 0x02], STATION, &[0; 16]);
    assert_eq!(bench.said, "beacons\nthe station hears 8, mark 1\n");
    let before = bench.client.acknowledged;
    let frame = bench.client.frame([0x08, 0x02], OWN, &[0; 16]);
    bench.chip.radio_input(bench.client.on_air(bench.chip.now(), frame));
    bench.run_for(10);
    assert_eq!(bench.client.acknowledged, before);
}

/// A frame that nobody acknowledges goes eleven times, and the access point goes on.
#[test]
fn a_client_that_has_gone_does_not_hold_it_up() {
    let mut bench = Bench::new();
    bench.run_for(50);
    let frame = bench.client.frame([0xb0, 0], ACCESS_POINT, &[0, 0, 1, 0, 0, 0]);
    bench.chip.radio_input(bench.client.on_air(bench.chip.now(), frame));
    let until = bench.chip.now() + Duration::from_millis(300);
    let mut sent = Vec::new();
    while bench.chip.now() < until {
        bench.chip.run_until(until);
        sent.extend(bench.chip.take_radio_output());
    }
    let answers: Vec<bool> =
        sent.iter().filter(|frame| frame.bytes[0] == 0xb0).map(|frame| frame.bytes[1] & 8 != 0).collect();
    assert_eq!(answers, [&[false][..], &[true; 10]].concat());
    assert!(sent.iter().filter(|frame| frame.bytes[0] == 0x80).count() >= 2);
}

/// DISCOVER (RFC 2131 §4.3.1) in UDP and IPv4, from port 68 to port 67, to all.
fn dhcp_discover() -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0, 0x53, 0x48, 0x44, 1];
    message.extend([0; 20]);
    message.extend(OWN);
    message.resize(236, 0);
    message.extend([99, 130, 83, 99, 53, 1, 1, 255]);
    let udp_length = (8 + message.len()) as u16;
    let ip_length = (20 + udp_length).to_be_bytes();
    let mut ip = vec![0x45, 0, ip_length[0], ip_length[1], 0, 1, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255];
    let sum: u32 = ip.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let udp = [&[0, 68, 0, 67][..], &udp_length.to_be_bytes(), &[0, 0]].concat();
    [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &ip, &udp, &message].concat()
}

/// Chips that nobody has set up open a network. `SHAKEDOWN_ESP8266_OPEN_IMAGES` names images that open one without a passphrase:
/// a station joins it and is offered an address.
#[test]
fn images_of_others_let_a_station_in() {
    let Ok(images) = std::env::var("SHAKEDOWN_ESP8266_OPEN_IMAGES") else {
        return terminal_says("skipped: SHAKEDOWN_ESP8266_OPEN_IMAGES names no image");
    };
    for file in images.split(':') {
        let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let image = FlashImage::esp8266(bytes).unwrap_or_else(|why| panic!("{file}: {why}"));
        let mut chip = Esp8266::new(&Config { flash_bytes: image.flash_bytes, ..Config::default() });
        chip.set_flash_content(&image.content).expect("it fits");
        chip.boot_from_flash();
        chip.reset(Reset::PowerOn);
        let mut bench = Bench { chip, client: Client::new(), said: String::new() };
        // Some begin with another network, or restart, before they are ready.
        bench.run_for(4_000);
        let (access_point, elements) = bench.beacon();
        let ssid = &elements[..2 + usize::from(elements[1])];
        bench.say([0xb0, 0], access_point, &[0, 0, 1, 0, 0, 0]);
        assert_eq!(bench.client.last(0xb0).map(|body| &body[2..6]), Some(&[2, 0, 0, 0][..]), "{}", bench.said);
        let rates = [1, 8, 0x82, 0x84, 0x8b, 0x96, 12, 24, 48, 108];
        bench.say([0, 0], access_point, &[&[1, 4, 3, 0][..], ssid, &rates].concat());
        assert_eq!(bench.client.last(0x10).map(|body| &body[2..4]), Some(&[0, 0][..]), "{}", bench.said);
        let joined_at = bench.chip.now();
        let mut frame = bench.client.frame([0x08, 0x01], access_point, &dhcp_discover());
        frame[16..22].copy_from_slice(&EVERYBODY);
        bench.chip.radio_input(bench.client.on_air(joined_at, frame));
        bench.run_for(500);
        let offer = bench.client.heard.iter().rev().find_map(|(at, frame)| {
            // From port 67, and the magic number of DHCP's options.
            let options = frame.windows(4).position(|octets| octets == [99, 130, 83, 99])?;
            (frame[0] == 0x08 && frame.windows(4).any(|octets| octets == [0, 67, 0, 68])).then(|| {
                let address = &frame[options - 220..options - 216];
                format!("{}.{}.{}.{} at {at}", address[0], address[1], address[2], address[3])
            })
        });
        let name = String::from_utf8_lossy(&ssid[2..]).into_owned();
        terminal_says(&format!("{file}: {name} joined at {joined_at}, offers {offer:?}"));
        assert!(offer.is_some(), "{}", bench.said);
    }
}

#[allow(clippy::print_stderr, reason = "whoever runs this reads it")]
fn terminal_says(text: &str) {
    eprintln!("{text}");
}
