//! A board with a network of its own: nothing of it is the bench's, neither its TLS nor its MQTT nor its words.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use report::model::FindingKind;
use runner::exit;

use crate::stand::{self, Stand, ends_with, words};

/// What the lines of `device.py` mean.
const DIALECT: &str = "\
stack = 'A board on the wall'
[[log]]
line = 'tls: connecting'
means = 'stage'
stage = 'hello'
[[log]]
line = 'tls: failed (?<code>\\d+) (?<name>\\w+)'
means = 'failed'
[[log]]
line = 'mqtt: published'
means = 'done'
";

/// Both scenarios end so, by the specification: the one has to be let in, and the other has to be refused, which a
/// firmware that trusts everybody does not do.
const ENDINGS: [(&str, &str); 2] = [
    ("identity/san_dns_dialled_by_name", "connected and did its work — as the specification demands (RFC 9525 §6.3)"),
    ("trust/unknown_ca", "connected and did its work — ACCEPTS WHAT IT MUST REFUSE (RFC 9846 §6.2)"),
];

/// That board in a rack of its own, if this machine has what it is made of.
fn on_a_free_port() -> Option<Stand> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no python3 here");
        return None;
    }
    let stand = Stand::new();
    // Free now; the bench asks for it in a moment.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    on_the_wall(&stand, port);
    Some(stand)
}

/// Puts that board into a rack, with what was reviewed of it.
fn on_the_wall(stand: &Stand, port: u16) {
    let (device, serial) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rack/device.py"), stand.path("serial"));
    let flasher = format!("[\"python3\", {device:?}, {serial:?}, \"localhost\", \"{port}\"]");
    stand.describe(
        "wall",
        &format!(
            "chip = \"esp32c3\"\nprobe = \"303a:1001\"\nserial = {serial:?}\nflasher = {flasher}\n[lan]\n\
             address = \"127.0.0.1\"\nname = \"localhost\"\nport = {port}\n"
        ),
    );
    fs::copy(stand::root().join("firmware-under-test/images/esp32c3_mbedtls.elf"), stand.path("wall.elf"))
        .expect("an image");
    fs::write(stand.path("wall.toml"), DIALECT).expect("a file");
    for (scenario, ending) in ENDINGS {
        let file = stand.path("captures").join(format!("{scenario}.wall.snap"));
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, format!("---\nsource: by hand\n---\nending     {ending}\n")).expect("a file");
    }
}

fn hil(stand: &Stand, patterns: &[&str]) -> Command {
    let mut command = stand.hil_on_any(patterns);
    command.arg("--image").arg(stand.path("wall.elf")).arg("--dialect").arg(stand.path("wall.toml"));
    command.arg("--captures").arg(stand.path("captures"));
    command
}

#[test]
fn a_board_with_a_network_of_its_own_meets_the_broker_on_a_real_socket() {
    let Some(stand) = on_a_free_port() else { return };
    let patterns = ["identity/san_dns_dialled_by_name", "trust/unknown_ca", "transport/port_closed"];
    let output = hil(&stand, &patterns).output().expect("the runner starts");
    ends_with(&output, exit::AS_EXPECTED, "2 as expected");
    let run = stand.report();
    let row = |scenario: &str| run.rows.iter().find(|row| row.scenario == scenario).expect("a row");
    let let_in = row("identity/san_dns_dialled_by_name");
    assert!(let_in.transcript.contains("sni localhost"), "{}", let_in.transcript);
    assert!(let_in.transcript.contains("CONNECT              client \"wall\""), "{}", let_in.transcript);
    assert!(let_in.transcript.contains("network: joined, dialling"), "{}", let_in.transcript);
    let kinds: Vec<FindingKind> = row("trust/unknown_ca").findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Security], "{}", words(&output));
    let closed = row("transport/port_closed");
    assert!(closed.reason().is_some_and(|why| why.contains("network")), "{closed:?}");
}

#[test]
fn an_ending_that_is_another_is_a_finding() {
    let Some(stand) = on_a_free_port() else { return };
    let reviewed = "---\nsource: by hand\n---\nending     device refused at certificate — as the specification demands";
    fs::write(stand.path("captures/trust/unknown_ca.wall.snap"), reviewed).expect("a file");
    let output = hil(&stand, &["trust/unknown_ca", "--no-health-check"]).output().expect("the runner starts");
    ends_with(&output, exit::OTHERWISE, "1 otherwise");
    let kinds: Vec<FindingKind> =
        stand.report().rows.iter().flat_map(|row| row.findings.iter().map(|finding| finding.kind)).collect();
    assert!(kinds.contains(&FindingKind::DiffersFromEmulator), "{}", words(&output));
}

#[test]
fn an_address_that_is_not_this_machines_is_the_maps_fault_and_said_so() {
    let stand = Stand::new();
    on_the_wall(&stand, 8883);
    // TEST-NET-3 (RFC 5737 §3) is nobody's.
    let map = fs::read_to_string(stand.path("map/wall.toml")).expect("a file").replace("127.0.0.1", "203.0.113.7");
    fs::write(stand.path("map/wall.toml"), map).expect("a file");
    let output = hil(&stand, &["trust/unknown_ca", "--no-health-check"]).output().expect("the runner starts");
    ends_with(&output, exit::BENCH_FAILED, "`address` in `[lan]`");
}

#[test]
fn its_brokers_are_minted_under_the_authority_that_its_file_names() {
    let Some(stand) = on_a_free_port() else { return };
    let spec = toml::from_str("[root]\nsubject = 'CN=Their test root'").expect("a specification");
    // 2026-11-29, and ten years on either side.
    let minted = pki::mint(&spec, 7, clock::UnixTime::from_seconds(1_795_910_400)).expect("it can be minted");
    let (certificate, key) = (minted.certificates["root"].pem(), minted.certificates["root"].key_pem());
    fs::write(stand.path("map/ca.pem"), certificate).expect("a file");
    fs::write(stand.path("map/ca.key"), &key).expect("a file");
    let map = fs::read_to_string(stand.path("map/wall.toml")).expect("a file");
    fs::write(stand.path("map/wall.toml"), format!("authority = \"ca.pem\"\nauthority_key = \"ca.key\"\n{map}"))
        .expect("a file");
    let patterns = ["identity/san_dns_dialled_by_name", "trust/unknown_ca", "certificate/rsa2048_chain"];
    let output = hil(&stand, &patterns).output().expect("the runner starts");
    ends_with(&output, exit::AS_EXPECTED, "2 as expected · 1 not applicable");
    let run = stand.report();
    let row = |scenario: &str| run.rows.iter().find(|row| row.scenario == scenario).expect("a row");
    let let_in = row("identity/san_dns_dialled_by_name");
    assert!(let_in.transcript.contains("by CN=Their test root"), "{}", let_in.transcript);
    let bent = row("certificate/rsa2048_chain").reason().expect("a reason").to_owned();
    assert!(bent.starts_with("not applicable under this authority: the root itself is bent"), "{bent}");
    let secret = key.lines().nth(1).expect("Base64");
    assert!(!words(&output).contains(secret) && run.rows.iter().all(|row| !format!("{row:?}").contains(secret)));
}
