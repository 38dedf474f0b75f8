//! `cargo xtask emulate --wifi`: unmodified firmware joins a network of the command line, and what was on the air is kept.
//!
//! An image with Espressif's Wi-Fi driver is built where it is tested and never kept; MicroPython is fetched on request.
//! What is not there is said, and the test passes; where `SHAKEDOWN_REQUIRED_TOOLS` names it, it is missed.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use chip::ESP32C3;
use clap::Parser;
use rstest::rstest;
use runner::cli::{self, Cli};
use runner::controls::tools::is_required;
use runner::emulate;
use runner::products::Product;
use wire::slipmux;

use support::root;

const IMAGE: &str = "target/images/esp32c3_wifi.elf";
const NETWORK: &str = "ssid=shakedown,psk=correct horse";
/// Our image waits for an order.
const HELLO: &str = "\"report\":\"hello\"";
/// On one of the two consoles, which say the same.
const PROMPT: &str = "usb  | >>> ";

fn image() -> Option<String> {
    let path = root().join(IMAGE);
    if path.exists() {
        return Some(path.display().to_string());
    }
    assert!(!is_required("esp32c3_wifi"), "{}: not built", path.display());
    eprintln!("not run: cargo xtask firmware build esp32c3_wifi");
    None
}

/// Somebody at the terminal: types the next line as soon as what is asked for stands there.
struct Person<'a> {
    said: String,
    /// How far they have read.
    read: usize,
    lines: VecDeque<(&'a str, Vec<u8>)>,
    keys: Sender<Vec<u8>>,
    /// Seeing this they go away.
    last: &'a str,
    gone: &'a AtomicBool,
}

impl Write for Person<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.said += &String::from_utf8_lossy(bytes);
        while let Some((awaited, line)) = self.lines.front() {
            let Some(at) = self.said[self.read..].find(awaited) else { break };
            self.read += at + awaited.len();
            self.keys.send(line.clone()).map_err(io::Error::other)?;
            self.lines.pop_front();
        }
        if self.lines.is_empty() && self.said[self.read..].contains(self.last) {
            self.gone.store(true, Ordering::SeqCst);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What our image is told: to join a network, and to dial a broker that is not there.
fn order(ssid: &str, passphrase: Option<&str>) -> Vec<u8> {
    let network = control::Network {
        ipv4: scenario::lan::DEVICE_IPV4,
        ipv4_prefix_bits: scenario::lan::IPV4_PREFIX_BITS,
        ipv4_gateway: scenario::lan::GATEWAY_IPV4,
        ipv6: None,
        ipv6_gateway: None,
        dns: scenario::lan::DNS_IPV4.into(),
        mtu_bytes: 1_500,
        wifi: Some(control::Wifi {
            ssid: ssid.to_owned(),
            passphrase: passphrase.map(str::to_owned),
            power_save: false,
            join_timeout_ms: 15_000,
            lease_timeout_ms: 15_000,
        }),
    };
    let plan = control::Plan {
        network,
        broker_host: "192.0.2.10".into(),
        broker_port: 8_883,
        ..scenario::device::Device::default().plan
    };
    let order = control::Order::Run(plan).to_json().expect("an order can be written");
    let mut bytes = Vec::new();
    slipmux::encode_configuration(&order, &mut bytes);
    bytes
}

/// `emulate` with these arguments, and somebody who types `lines`; what was said, and how it ended.
fn emulate(arguments: &[&str], lines: &[(&str, &[u8])], last: &str) -> (String, Result<u8, blame::Error>) {
    let words = ["runner", "emulate"].iter().chain(arguments);
    let Cli { command: cli::Command::Emulate(arguments) } = Cli::parse_from(words) else {
        unreachable!("it is emulate")
    };
    let model = emulator::model_of(&ESP32C3).expect("it is emulated");
    let gone = AtomicBool::new(false);
    let (keys, typed) = mpsc::channel();
    let lines = lines.iter().map(|(awaited, line)| (*awaited, line.to_vec())).collect();
    let mut person = Person { said: String::new(), read: 0, lines, keys, last, gone: &gone };
    let ended = emulate::on(&root(), model, &arguments, &typed, &gone, &mut person);
    (person.said, ended)
}

/// What `tshark` says, as the shell runs the line that `emulate` prints.
fn shell(line: &str) -> Option<String> {
    if Command::new("tshark").arg("--version").output().is_err() {
        assert!(!is_required("tshark"), "tshark is required and does not start");
        eprintln!("not run: tshark is not installed");
        return None;
    }
    let output = Command::new("sh").args(["-c", line]).output().expect("there is a shell");
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn what_is_on_the_air_is_kept_encrypted_and_the_line_that_is_printed_decrypts_it() {
    let Some(image) = image() else { return };
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("air.pcapng");
    let capture = file.display().to_string();
    let once = || {
        let arguments = [&image, "--wifi", NETWORK, "--capture", &capture, "--until-ms", "4000"];
        let (said, ended) =
            emulate(&arguments, &[(HELLO, &order("shakedown", Some("correct horse")))], "router 192.0.2.1");
        assert_eq!(ended, Ok(0), "{said}");
        assert!(said.contains("lease 192.0.2.2/24, router 192.0.2.1"), "{said}");
        std::fs::read(&file).expect("the capture was written")
    };
    let bytes = once();
    assert!(once() == bytes, "the same to the byte");
    let recording = capture::pcapng::read(&bytes).expect("a capture");
    let comment = recording.comment.expect("a comment");
    assert!(comment.contains("ssid \"shakedown\" passphrase \"correct horse\""), "{comment}");
    assert_eq!(recording.remarks, Vec::<String>::new());
    let networks = [runner::wifi::options::parse(NETWORK).expect("a network")];
    let decrypt = runner::wifi::options::tshark_line(&file, &networks);
    let fields = "-Y 'wlan && dhcp' -T fields -e dhcp.option.dhcp";
    let Some(dhcp) = shell(&format!("{decrypt} {fields}")) else { return };
    assert_eq!(dhcp.split_whitespace().collect::<Vec<_>>(), ["1", "2", "3", "5"], "discover, offer, request, ack");
    let without = shell(&format!("tshark -r '{capture}' {fields}")).unwrap_or_default();
    assert_eq!(without, "", "it is encrypted");
    let malformed = shell(&format!("{decrypt} -Y '_ws.malformed'")).unwrap_or_default();
    assert_eq!(malformed, "");
}

#[test]
fn without_a_network_it_is_said_which_one_the_firmware_looks_for() {
    let Some(image) = image() else { return };
    let (_, ended) =
        emulate(&[&image, "--until-ms", "4000"], &[(HELLO, &order("home-5", Some("correct horse")))], "lease");
    let words = ended.expect_err("a network is missing");
    assert!(words.message.contains("looks for the network \"home-5\""), "{words}");
    assert!(words.message.contains("--wifi 'ssid=home-5,psk=…'"), "{words}");
}

#[test]
fn another_passphrase_is_refused() {
    let Some(image) = image() else { return };
    let order = order("shakedown", Some("wrong horse"));
    let lines = [(HELLO, order.as_slice())];
    let (said, ended) = emulate(&[&image, "--wifi", NETWORK, "--until-ms", "12000"], &lines, "4WAY_HANDSHAKE_TIMEOUT");
    assert_eq!(ended, Ok(0), "{said}");
    assert!(said.contains("4WAY_HANDSHAKE_TIMEOUT"), "{said}");
    assert!(!said.contains("lease 192"), "{said}");
}

/// A name is bytes, and whoever shows or passes it on passes on all of them.
#[test]
fn a_name_of_any_bytes_is_joined() {
    let Some(image) = image() else { return };
    let name = "Zo\u{eb}'s, \u{2615}=5 $(id)";
    let order = order(name, Some("correct horse"));
    let network = format!("ssid={name},psk=correct horse");
    let (said, ended) =
        emulate(&[&image, "--wifi", &network, "--until-ms", "8000"], &[(HELLO, &order)], "router 192.0.2.1");
    assert_eq!(ended, Ok(0), "{said}");
    assert!(said.contains("lease 192.0.2.2/24, router 192.0.2.1"), "{said}");
}

/// What is said on the command line is done, by the access point and by who is behind it.
#[rstest]
#[case::association("association_refused, status = 17", "WIFI_REASON_ASSOC_TOOMANY")]
#[case::deauthentication(
    "deauthentication, reason = 7, when = { after = 'joined', ms = 500 }",
    "WIFI_REASON_CLASS3_FRAME_FROM_NONASSOC_STA"
)]
#[case::nak("dhcp_nak, times = 1", "lease 192.0.2.2/24")]
#[case::names("no_name_server", "resolver none")]
fn what_goes_wrong_is_said_on_the_command_line(#[case] fault: &str, #[case] last: &str) {
    let Some(image) = image() else { return };
    let order = order("shakedown", None);
    let lines = [(HELLO, order.as_slice())];
    let arguments = [&image, "--wifi", "ssid=shakedown", "--fault", fault, "--until-ms", "15000"];
    let (said, ended) = emulate(&arguments, &lines, last);
    assert_eq!(ended, Ok(0), "{said}");
    assert!(said.contains(last), "{said}");
}

#[rstest]
#[case::v1_22("micropython_1_22_esp32c3")]
#[case::v1_27("micropython_1_27_esp32c3")]
fn micropython_joins_from_its_prompt(#[case] name: &str) {
    let product = Product::by_name(name).expect("it is pinned");
    match product.read() {
        Ok(_) => {}
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => return eprintln!("{}: {}", product.title, missing.reason),
    }
    let image = product.path().expect("a folder for products").display().to_string();
    let lines = [
        (PROMPT, "import network, time; w = network.WLAN(network.STA_IF); w.active(True)\r".as_bytes()),
        (PROMPT, "w.connect('shakedown', 'correct horse')\r".as_bytes()),
        (PROMPT, "n = [time.sleep_ms(100) for n in range(99) if not w.isconnected()]\r".as_bytes()),
        (PROMPT, "print('address', w.ifconfig())\r".as_bytes()),
    ];
    let (said, ended) = emulate(&[&image, "--wifi", NETWORK, "--until-ms", "30000"], &lines, "192.0.2.53')");
    assert_eq!(ended, Ok(0), "{said}");
    assert!(said.contains("address ('192.0.2.2', '255.255.255.0', '192.0.2.1', '192.0.2.53')"), "{said}");
}
