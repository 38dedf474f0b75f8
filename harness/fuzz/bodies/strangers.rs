//! What is asked of everything else that strangers hand over, files and words on a line: no panic, an end, and words that can
//! be shown on a terminal.
//!
//! Run by libFuzzer (`fuzz_targets/strangers_*.rs`) and, over the seeds in `seeds/strangers` and what a few hundred changes
//! make of each, by `cargo test -p runner --test fuzz_seeds`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use board::flasher::protocol::{Answer, Request};
use clock::{Duration, Instant, UnixTime};
use etherparse::PacketBuilder;
use network::{Dns, Lan, LanConfig, Listener, Modem, ModemConfig, NoService, Sntp};
use runner::dialect::Dialect;
use runner::dialect::log::LogReader;
use runner::product::{anchors, swap};

/// A kind of input: the name of its folder of seeds, and what is asked of each.
pub type Body = (&'static str, fn(&[u8]));

/// Every kind of input.
pub const ALL: [Body; 15] = [
    ("dialect", dialect),
    ("elf", elf),
    ("mosquitto_conf", mosquitto_conf),
    ("report", report),
    ("journal", journal),
    ("manifest", manifest),
    ("rack_map", rack_map),
    ("quarantine", quarantine),
    ("probe_protocol", probe_protocol),
    ("remote_bitbang", remote_bitbang),
    ("gdb", gdb),
    ("modem", modem),
    ("dns_and_sntp", dns_and_sntp),
    ("console", console),
    ("image_trust", image_trust),
];

const DEVICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
const BROKER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const SERVERS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// What may stand on a terminal in more than one line.
fn shown(why: &dyn std::fmt::Display) {
    let words = why.to_string();
    assert!(words.chars().all(|one| one == '\n' || !one.is_control()), "{words:?}");
}

/// A dialect, and behind a line `---` what a device prints.
pub fn dialect(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (rules, lines) = text.split_once("\n---\n").unwrap_or((&text, ""));
    match Dialect::parse("dialect.toml", rules) {
        Ok(dialect) => {
            let mut reader = LogReader::new(&dialect.log);
            for (at_ms, line) in (0..).zip(lines.lines()) {
                reader.read(line, at_ms);
                reader.answer(line);
            }
        }
        Err(problem) => shown(&problem),
    }
}

/// An ELF file, loaded into a chip that then runs for a millisecond.
pub fn elf(bytes: &[u8]) {
    let model = emulator::model_of(&chip::ESP32C3).expect("it is emulated");
    let mut chip = (model.power_on)(&emulator::Settings::default());
    match chip.load_elf(bytes) {
        Ok(()) => {
            let until = chip.now() + Duration::from_millis(1);
            chip.run_until(until);
        }
        Err(why) => shown(&why),
    }
}

/// A configuration of mosquitto in a scenario: what it may reach lies in its folder.
pub fn mosquitto_conf(bytes: &[u8]) {
    let conf = toml::Value::from(String::from_utf8_lossy(bytes).into_owned());
    let text = format!(
        "title = 'x'\nspecification = {{ demands = 'either', rule = 'RFC 1 §1', quote = 'x' }}\n\
         broker.real = 'mosquitto'\nmosquitto = {{ conf = {conf} }}\n"
    );
    let scenario = match scenario::Scenario::parse("x/y", "x.toml", &text) {
        Ok(scenario) => scenario,
        Err(problem) => return shown(&problem),
    };
    let mut free = 40_000;
    let relocated = runner::mosquitto::conf::relocated(&scenario, Path::new("/nowhere/at/all"), &mut |_| {
        free += 1;
        Ok(free)
    });
    if let Err(why) = relocated {
        assert!(!why.message.is_empty());
    }
}

/// A report, and what is made of it.
pub fn report(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match report::json::read(&text) {
        Ok(run) => {
            let merged = report::merge::merge(vec![run.clone(), run]);
            let again = report::json::write(&merged.run).expect("what was read can be written");
            assert_eq!(report::json::read(&again).expect("and read again").rows.len(), merged.run.rows.len());
        }
        Err(why) => shown(&why),
    }
}

/// A run's journal.
pub fn journal(bytes: &[u8]) {
    if let Err(why) = runner::journal::parse("journal.jsonl", bytes) {
        assert!(!why.message.is_empty());
    }
}

/// An image's manifest.
pub fn manifest(bytes: &[u8]) {
    let read: Result<firmware::Manifest, _> = toml::from_str(&String::from_utf8_lossy(bytes));
    if let Err(why) = read {
        assert!(!why.message().is_empty());
    }
}

/// A board's file.
pub fn rack_map(bytes: &[u8]) {
    if let Err(problem) = rack::map::parse("door.toml", &String::from_utf8_lossy(bytes)) {
        shown(&problem);
    }
}

/// A list of exceptions, as the quarantine and the known findings are.
pub fn quarantine(bytes: &[u8]) {
    for table in ["quarantine", "known"] {
        if let Err(problem) = rack::dated::parse("quarantine.toml", &String::from_utf8_lossy(bytes), table) {
            shown(&problem);
        }
    }
}

/// What the flashing process is asked and answers, line by line; what is understood is understood for good.
pub fn probe_protocol(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(request) = serde_json::from_slice::<Request>(line) {
            let again = serde_json::to_vec(&request).expect("it came from JSON");
            assert_eq!(serde_json::from_slice::<Request>(&again).expect("ours"), request);
        }
        if let Ok(answer) = serde_json::from_slice::<Answer>(line) {
            let again = serde_json::to_vec(&answer).expect("it came from JSON");
            assert_eq!(serde_json::from_slice::<Answer>(&again).expect("ours"), answer);
        }
        // What the firmware reports to the bench is JSON too.
        if let Ok(report) = control::Report::from_json(line) {
            let again = report.to_json().expect("it came from JSON");
            assert_eq!(control::Report::from_json(&again).expect("ours"), report);
        }
        let words = String::from_utf8_lossy(line);
        board::virtual_board::is_request(&words);
    }
}

/// A debugger at the JTAG pins of a chip.
pub fn remote_bitbang(bytes: &[u8]) {
    let model = emulator::model_of(&chip::ESP32C3).expect("it is emulated");
    let mut chip = (model.power_on)(&emulator::Settings::default());
    let mut pins = board::emulated::remote_bitbang::RemoteBitbang::default();
    let mut answers = Vec::new();
    if let Err(why) = pins.feed(&mut *chip, bytes, &mut answers) {
        shown(&why);
    }
    assert!(answers.len() <= bytes.len() && pins.take_clocks() <= bytes.len() as u64);
}

/// gdb at a chip that runs a small program, and at an ESP8266 without one. Each line is a packet, framed here; `!` stands before bytes that go as they are, and
/// an empty line is Ctrl-C.
pub fn gdb(bytes: &[u8]) {
    const PROGRAM: &[u8] = include_bytes!("../../emulator/tests/programs/flash_identity.elf");
    let mut said = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        match line {
            [] => said.push(3),
            [b'!', raw @ ..] => said.extend(raw),
            packet => {
                let sum = packet.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
                said.extend([b"$", packet, format!("#{sum:02x}").as_bytes()].concat());
            }
        }
    }
    let power_on = |chip| {
        let model = emulator::model_of(chip).expect("it is emulated");
        (model.power_on)(&emulator::Settings::default())
    };
    let mut c3 = power_on(&chip::ESP32C3);
    c3.load_elf(PROGRAM).expect("a program for this chip");
    let mut esp8266 = power_on(&chip::ESP8266);
    // Its ROM finds nothing in the flash, and stops when it runs.
    esp8266.boot_from_flash();
    esp8266.reset(emulator::Reset::PowerOn);
    let mut heard = |chip: &mut dyn emulator::EmulatedChip| drop(chip.take_events());
    for mut chip in [c3, esp8266] {
        if let Err(why) = emulator::gdb::serve(&mut *chip, Said(said.clone().into()), &mut heard) {
            shown(&why);
        }
    }
}

/// What gdb says; nobody hears the answers.
struct Said(VecDeque<u8>);

impl emulator::gdb::Connection for Said {
    type Error = std::io::Error;

    fn write(&mut self, _byte: u8) -> Result<(), Self::Error> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl emulator::gdb::ConnectionExt for Said {
    fn read(&mut self) -> Result<u8, Self::Error> {
        self.0.pop_front().ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }

    fn peek(&mut self) -> Result<Option<u8>, Self::Error> {
        self.0.front().copied().map(Some).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }
}

/// Whatever a device says to its modem, in front of a network with nobody behind it.
pub fn modem(bytes: &[u8]) {
    let mut modem = Modem::new(ModemConfig::new(DEVICE, 24, Ipv4Addr::new(192, 0, 2, 1), SERVERS), 1);
    let mut lan = lan();
    let mut now = Instant::ZERO;
    for chunk in bytes.chunks(64) {
        modem.received(now, chunk);
        for _ in 0..8 {
            while let Some(packet) = modem.transmit_packet() {
                lan.receive(now, &packet);
            }
            lan.poll(now);
            while let Some(packet) = lan.transmit() {
                modem.receive_packet(now, &packet);
            }
            // An echo, and a line for each command.
            assert!(modem.take_output(now).len() <= 64 * 1024);
            now += Duration::from_millis(20);
            modem.poll(now);
        }
    }
}

/// Questions to the name server and to the time server.
pub fn dns_and_sntp(bytes: &[u8]) {
    let mut lan = lan();
    for port in [53, 123] {
        let mut packet = Vec::new();
        let question = PacketBuilder::ipv4(DEVICE.octets(), SERVERS.octets(), 64).udp(40_000, port);
        // Longer than any packet: nobody asks that.
        if bytes.len() > 1_400 || question.write(&mut packet, bytes).is_err() {
            return;
        }
        lan.receive(Instant::ZERO, &packet);
        lan.poll(Instant::from_millis(1_000));
        let mut answers = 0;
        while let Some(answer) = lan.transmit() {
            assert!(answer.len() <= 1_500);
            answers += 1;
        }
        assert!(answers <= 1, "one question, one answer");
    }
}

fn lan() -> Lan<NoService> {
    let servers: Vec<IpAddr> = vec![SERVERS.into()];
    let config = LanConfig {
        addresses: vec![BROKER.into()],
        listeners: vec![Listener::service(8883)],
        dns: Some(Dns::new(servers.clone()).with("broker.test", vec![BROKER.into()])),
        sntp: Some(Sntp::new(servers, UnixTime::from_seconds(1_767_225_600))),
        ..LanConfig::default()
    };
    Lan::new(config, 1, NoService)
}

/// What a device says at the prompt at which a driver types: in pieces, a line each, some of them late.
pub fn console(bytes: &[u8]) {
    for kind in [driver::Kind::Micropython, driver::Kind::NodemcuLua] {
        at_prompt(kind, bytes);
    }
}

fn at_prompt(kind: driver::Kind, bytes: &[u8]) {
    let scenario = scenario::Scenario::parse("x/y", "x.toml", SCENARIO).expect("a scenario");
    let plan = runner::plan::plan(&scenario, &scenario.device, &runner::plan::NamesAlone).expect("a plan");
    let mut session = kind.begin(&plan).expect("somebody types");
    let (mut now, mut typed, mut said) = (Instant::ZERO, 0, 0);
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        now += Duration::from_millis(u64::from(piece[0]) * 100);
        session.poll(now);
        session.hear(now, piece);
        typed += session.take_output().len();
        said += session.take_said().len();
        assert!(session.poll_at().is_none_or(|at| at + Duration::from_secs(60) > now), "it waits for what is over");
    }
    // Its programs, each as often as the device has taken one.
    assert!(typed <= 64 << 10, "{typed} bytes were typed");
    assert!(said <= 4 * bytes.len() + 16, "{said} things were made of {} bytes", bytes.len());
}

/// An image in which something is looked for that it trusts, and swapped.
pub fn image_trust(bytes: &[u8]) {
    let found = anchors::find(bytes);
    for one in &found.certificates {
        assert!(one.at + one.length <= bytes.len(), "{one}");
        shown(one);
    }
    let at = found.certificates.last().map(|one| one.at);
    for (at, target) in [(None, None), (at, Some(&firmware_image::espressif::ESP32C3))] {
        let places = match swap::Places::find(bytes, &found, at, target) {
            Ok(places) => places,
            Err(why) => {
                shown(&why);
                continue;
            }
        };
        shown(&places);
        let scenario = scenario::Scenario::parse("x/y", "x.toml", SCENARIO).expect("a scenario");
        match places.of(bytes, &scenario, 1) {
            Ok((_, put)) => assert_eq!(places.put(bytes, &put).map(|copy| copy.len()), Ok(bytes.len())),
            Err(why) => shown(&why),
        }
    }
}

/// A scenario of which nothing is said.
const SCENARIO: &str = "title = 'x'\nspecification = { demands = 'connect', rule = 'RFC 1 §1', quote = 'x' }\n";
