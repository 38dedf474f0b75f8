//! `diagnose` against a broker that really runs, and against what is none.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use runner::mosquitto::{self, Mosquitto};
use runner::{bench, controls, exit};
use scenario::{Date, Scenario};
use tempfile::TempDir;

use support::{ends_with, root, words};

const PASSWORD: &str = "open sesame 4711";

/// A mosquitto with this certificate, and a folder with its authority; nothing where mosquitto is not installed, which CI does
/// not let pass.
fn broker(more: &str) -> Option<(Mosquitto, TempDir, SocketAddr)> {
    let programs = match mosquitto::installed() {
        Ok(programs) => programs,
        Err(missing) => {
            assert!(!missing.required, "{}", missing.reason);
            eprintln!("skipped: {}", missing.reason);
            return None;
        }
    };
    let text = format!(
        "title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 9525 §6', quote = 'q' }}\n\
         broker.real = 'mosquitto'\nbroker.mqtt = {{ allow_anonymous = false, users = {{ meter = '{PASSWORD}' }} }}\n{more}"
    );
    let mut scenario = Scenario::parse("x/y", "x.toml", &text).unwrap_or_else(|problem| panic!("{problem}"));
    scenario.date = Date(controls::today());
    let minted = bench::mint(&scenario, 1).unwrap_or_else(|fault| panic!("{fault}"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("ca.pem"), minted.certificates["root"].pem()).expect("written");
    fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).expect("written");
    let started = Mosquitto::start_here(&scenario, &minted, &folder.path().join("mosquitto"), &programs);
    let started = started.unwrap_or_else(|why| panic!("{why}"));
    let address = started.endpoint(8883).expect("its listener").address;
    Some((started, folder, address))
}

fn diagnose(folder: &Path, broker: &str, more: &[&str]) -> Output {
    let path = |name: &str| folder.join(name).display().to_string();
    Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["diagnose", "--broker", broker, "--ca", &path("ca.pem"), "--pause-ms", "0"])
        .args(["--artefacts", &path("artefacts"), "--report", &format!("json={}", path("out.json"))])
        .args(more)
        .env("SHAKEDOWN_ROOT", root())
        .output()
        .expect("the bench starts")
}

fn report(folder: &TempDir) -> serde_json::Value {
    let text = fs::read(folder.path().join("out.json")).expect("a report");
    serde_json::from_slice(&text).expect("JSON")
}

fn of<'a>(report: &'a serde_json::Value, stack: &str) -> &'a serde_json::Value {
    let stacks = report["stacks"].as_array().expect("stacks");
    stacks.iter().find(|verdict| verdict["stack"] == stack).unwrap_or_else(|| panic!("{stack}: {report}"))
}

/// The library that knows no iPAddress refuses, the other connects; one change helps, and a real mosquitto shows that it does.
#[test]
fn a_running_mosquitto_is_diagnosed_and_the_smallest_change_is_found() {
    let Some((mosquitto, folder, address)) = broker("pki.leaf.names = ['ip:127.0.0.1']\n") else { return };
    let password = folder.path().join("password").display().to_string();
    let login = ["--username", "meter", "--password-file", &password];
    let stacks = ["--stack", "esp32c3_bearssl", "--stack", "esp32c3_mbedtls"];
    let output = diagnose(folder.path(), &address.to_string(), &[login, stacks].concat());
    ends_with(&output, exit::OTHERWISE, "1 connect · 1 refuse the broker");
    let report = report(&folder);
    assert_eq!(report["expected"]["verifier"], "accepts");
    assert_eq!(report["broker"]["versions"], serde_json::json!(["1.3", "1.2"]));
    assert_eq!(report["broker"]["login"], "accepted (CONNACK 0)");
    assert_eq!(report["chain"][0]["names"], serde_json::json!(["ip:127.0.0.1"]));
    assert_eq!(of(&report, "esp32c3_mbedtls")["outcome"], "connects");
    let refused = of(&report, "esp32c3_bearssl");
    assert_eq!(refused["outcome"], "refuses");
    assert!(refused["why"][0]["cause"].as_str().is_some_and(|cause| cause.contains("iPAddress")), "{refused}");
    let changes = report["advice"]["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].as_str().is_some_and(|change| change.contains("as dNSName")), "{changes:?}");
    for (index, program) in ["mosquitto", "nginx", "HAProxy"].into_iter().enumerate() {
        let run = &report["advice"]["runs"][index];
        assert_eq!(run["program"], program);
        // CI has all three, and lets none be missing.
        let words = run["words"].as_str().expect("words");
        assert!(words.starts_with("run: all 2") || words.starts_with("not run: ") && index > 0, "{report}");
    }
    // Who logged in, and as whom: nobody's device was thrown out, and nothing was left behind.
    let log = mosquitto.finish().join("\n");
    let clients = log.lines().filter(|line| line.contains("New client connected")).count();
    assert_eq!(log.matches(" as shakedown-").count(), clients, "{log}");
    assert!(!log.contains("already connected") && !log.contains("Sending PUBACK"), "{log}");
    secrets_stay(&folder, &output);
}

/// A broker that demands certificates has a twin that does; what is written is a page, in either form.
#[test]
fn a_broker_that_demands_certificates_is_advised_about_too() {
    let more =
        "broker.client_certificates = { request = 'required', trusts = ['root'] }\npki.leaf.names = ['ip:127.0.0.1']\n";
    let Some((_mosquitto, folder, address)) = broker(more) else { return };
    let minted = pki::mint(&pki::spec::Certificates::default(), 1, controls::today());
    let minted = minted.unwrap_or_else(|error| panic!("{error}"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("own.pem"), minted.certificates["client"].pem()).expect("written");
    fs::write(path("own.key"), minted.certificates["client"].key_pem()).expect("written");
    let reports = format!("markdown={},html={}", path("out.md"), path("out.html"));
    let output = diagnose(
        folder.path(),
        &address.to_string(),
        &["--client-cert", &path("own.pem"), "--client-key", &path("own.key"), "--username", "meter"]
            .into_iter()
            .chain(["--password-file", &path("password"), "--report", &reports])
            .chain(["--stack", "esp32c3_bearssl", "--stack", "esp32c3_mbedtls"])
            .collect::<Vec<&str>>(),
    );
    ends_with(&output, exit::OTHERWISE, "put 127.0.0.1 into the certificate as dNSName");
    let report = report(&folder);
    assert_eq!(report["advice"]["changes"].as_array().map(Vec::len), Some(1), "{report}");
    assert!(
        report["advice"]["runs"][0]["words"].as_str().is_some_and(|words| words.starts_with("run: all 2")),
        "{report}"
    );
    let read = |name: &str| fs::read_to_string(path(name)).expect("a report");
    let (page, text) = (read("out.html"), read("out.md"));
    assert!(page.contains("<td>esp32c3_bearssl</td>") && page.contains("as dNSName"), "{page}");
    assert!(text.contains("| esp32c3\\_bearssl |") && text.contains("## The broker"), "{text}");
    secrets_stay(&folder, &output);
}

/// No password in what is said and in what is written, and nobody else reads the packets.
fn secrets_stay(folder: &TempDir, output: &Output) {
    assert!(!words(output).contains(PASSWORD));
    let holds = |bytes: &[u8]| bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
    let artefacts = folder.path().join("artefacts");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&artefacts).expect("artefacts").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.is_file());
    assert!(files.len() >= 3, "{files:?}");
    assert!(!artefacts.join("bench.keys").exists());
    for file in files.iter().chain([&folder.path().join("out.json")]) {
        assert!(!holds(&fs::read(file).expect("it is there")), "{}", file.display());
    }
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).expect("it is there").permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn who_connects_and_must_not_is_named() {
    let Some((_mosquitto, folder, address)) = broker("pki.leaf = { names = ['dns:somebody.else'], key = 'rsa2048' }\n")
    else {
        return;
    };
    let stacks =
        ["--stack", "micropython_1_19", "--stack", "esp32c3_mbedtls", "--no-advice", "--server-name", "broker.test"];
    let password = folder.path().join("password").display().to_string();
    let more = [&stacks[..], &["--dial-by", "name", "--username", "meter", "--password-file", &password]].concat();
    let output = diagnose(folder.path(), &address.to_string(), &more);
    ends_with(&output, exit::OTHERWISE, "micropython_1_19 connect although they have to refuse");
    let report = report(&folder);
    assert_eq!(report["expected"]["verifier"], "refuses");
    assert_eq!(of(&report, "micropython_1_19")["must_not"], true);
    assert_eq!(of(&report, "esp32c3_mbedtls")["outcome"], "refuses");
}

/// A server that hears something and answers this, once and again.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut heard = [0; 1024];
            let count = stream.read(&mut heard).unwrap_or(0);
            // Whoever speaks plain MQTT knows no TLS hello.
            if count > 0 && (answer[0] != 0x20 || heard[0] == 0x10) {
                let _ = stream.write_all(answer);
            }
        }
    });
    address
}

#[test]
fn what_cannot_be_diagnosed_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let minted =
        pki::mint(&pki::spec::Certificates::default(), 1, controls::today()).unwrap_or_else(|error| panic!("{error}"));
    fs::write(folder.path().join("ca.pem"), minted.certificates["root"].pem()).expect("written");
    let nobody = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its address");
    for (broker, exit, said) in [
        (nobody.to_string(), exit::OTHERWISE, "nobody listens there"),
        ("no.such.host.invalid:8883".into(), exit::OTHERWISE, "is not resolved here"),
        (server(b"HTTP/1.1 400 Bad Request\r\n\r\n").to_string(), exit::OTHERWISE, "HTTP without TLS"),
        (server(&[0x20, 2, 0, 0]).to_string(), exit::OTHERWISE, "speaks MQTT without TLS"),
        ("broker.example".into(), exit::USAGE, "the port is missing"),
    ] {
        ends_with(&diagnose(folder.path(), &broker, &[]), exit, said);
    }
    ends_with(&diagnose(folder.path(), "127.0.0.1:1", &["--stack", "nosuch*"]), exit::NOTHING_SELECTED, "there are ");
    fs::write(folder.path().join("ca.pem"), minted.certificates["root"].key_pem()).expect("written");
    let output = diagnose(folder.path(), "127.0.0.1:1", &[]);
    ends_with(&output, exit::USAGE, "are the two files swapped?");
    assert!(!words(&output).contains("PRIVATE KEY-----\n"));
}

/// One chain for a name and one for an address, with the key and without, on a library of each kind.
#[test]
fn a_chain_that_nobody_serves_is_judged_by_each_librarys_own_verification() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = toml::from_str("leaf.names = ['dns:broker.test', 'ip:10.1.2.3']").expect("a specification");
    let minted = pki::mint(&spec, 1, controls::today()).unwrap_or_else(|error| panic!("{error}"));
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("ca.pem"), minted.certificates["root"].pem()).expect("written");
    fs::write(path("chain.pem"), minted.certificates["leaf"].pem()).expect("written");
    fs::write(path("leaf.key"), minted.certificates["leaf"].key_pem()).expect("written");
    let judged = |dialled: &str, with_key: bool| {
        let (key, report) = (path("leaf.key"), format!("json={}", path("out.json")));
        let key: &[&str] = if with_key { &["--key", &key] } else { &[] };
        let output = Command::new(env!("CARGO_BIN_EXE_runner"))
            .args(["diagnose", "--dialled", dialled, "--chain", &path("chain.pem"), "--ca", &path("ca.pem")])
            .args(["--report", &report, "--stack", "esp32c3_*"])
            .args(key)
            .env("SHAKEDOWN_ROOT", root())
            .output()
            .expect("the bench starts");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", words(&output));
        let read: serde_json::Value =
            serde_json::from_slice(&fs::read(path("out.json")).expect("a report")).expect("JSON");
        ["esp32c3_bearssl", "esp32c3_mbedtls", "esp32c3_mbedtls2"]
            .map(|stack| of(&read, stack)["outcome"].as_str().unwrap_or("").to_owned())
    };
    assert_eq!(judged("broker.test", true), ["connects"; 3]);
    assert_eq!(judged("broker.test", false), ["connects"; 3]);
    assert_eq!(judged("10.1.2.3", false), ["refuses", "connects", "refuses"]);
    assert_eq!(judged("other.test", false), ["refuses"; 3]);
}

/// What is handed out was accepted by each stack, by name and by address, and nothing that exists is touched.
#[test]
fn certificates_are_tried_on_each_stack_before_they_are_handed_out() {
    if let Err(missing) = mosquitto::installed() {
        assert!(!missing.required, "{}", missing.reason);
        eprintln!("skipped: {}", missing.reason);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("certs");
    let make = |client: &str| {
        Command::new(env!("CARGO_BIN_EXE_runner"))
            .args(["certificates", "--for", "esp32c3_bearssl", "--for", "esp_idf_5_1", "--client", client])
            .args(["--host", "10.1.2.3", "--host", "plant.test", "--out", &out.display().to_string()])
            .env("SHAKEDOWN_ROOT", root())
            .output()
            .expect("the bench starts")
    };
    let output = make("meter-1");
    ends_with(&output, exit::AS_EXPECTED, "esp_idf_5_1 by plant.test on 8884: connected");
    ends_with(&output, exit::AS_EXPECTED, "esp32c3_bearssl by 10.1.2.3 on 8883: connected");
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        read("mosquitto.conf").contains("require_certificate true") && read("ca.pem").contains("BEGIN CERTIFICATE")
    );
    assert!(
        read("devices/esp_idf.txt").contains("mqtts://10.1.2.3:8883")
            && read("devices/arduino_esp8266.txt").contains("setTrustAnchors")
    );
    assert!(!out.join("tried").exists());
    #[cfg(unix)]
    for key in ["ca.key", "broker.key", "meter-1.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(out.join(key)).expect("it is there").permissions().mode() & 0o777, 0o600, "{key}");
    }
    let before = read("ca.key");
    ends_with(&make("meter-2"), exit::USAGE, "nothing existing is overwritten");
    assert_eq!(read("ca.key"), before);
    ends_with(&make("../x"), exit::USAGE, "letters, digits");
}

/// Files that it reads are copied, files that it writes are not touched, and nothing is loaded or dialled.
#[test]
fn somebodys_own_configuration_is_run_without_what_reaches_elsewhere() {
    if let Err(missing) = mosquitto::installed() {
        assert!(!missing.required, "{}", missing.reason);
        eprintln!("skipped: {}", missing.reason);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let minted = pki::mint(&pki::spec::Certificates::default(), 1, controls::today());
    let minted = minted.unwrap_or_else(|error| panic!("{error}"));
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("ca.pem", &minted.certificates["root"].pem());
    write("server.crt", &minted.certificates["leaf"].pem());
    write("server.key", &minted.certificates["leaf"].key_pem());
    write("more.conf", "tls_version tlsv1.2\n");
    let outside = folder.path().join("outside");
    let conf = format!(
        "# theirs\nper_listener_settings true\npersistence true\npersistence_location {0}/\nlog_dest file {0}/log\n\
         plugin {0}/x.so\nlistener 1883 0.0.0.0\nlistener 9001\nprotocol websockets\nlistener 8883\ncertfile server.crt\n\
         keyfile server.key\nallow_anonymous true\ninclude_dir .\nconnection away\naddress 192.0.2.1\ntopic # out\n",
        outside.display()
    );
    write("mosquitto.conf.txt", &conf);
    let run = |more: &[&str]| {
        let path = |name: &str| folder.path().join(name).display().to_string();
        Command::new(env!("CARGO_BIN_EXE_runner"))
            .args(["diagnose", "--conf", &path("mosquitto.conf.txt"), "--ca", &path("ca.pem"), "--pause-ms", "0"])
            .args(["--dialled", "broker.test", "--stack", "esp32c3_mbedtls", "--artefacts", &path("artefacts")])
            .args(more)
            .env("SHAKEDOWN_ROOT", root())
            .output()
            .expect("the bench starts")
    };
    let output = run(&[]);
    ends_with(&output, exit::AS_EXPECTED, "1 connect");
    for said in
        ["txt:6: `plugin` is struck", "txt:8: the listener is struck", "txt:15: the bridge is struck", "server.key is"]
    {
        assert!(words(&output).contains(said), "no word of `{said}` in:\n{}", words(&output));
    }
    assert!(!outside.exists());
    assert!(words(&output).contains("TLS 1.2"), "the included file counts: {}", words(&output));
    ends_with(&run(&["--port", "8884"]), exit::USAGE, "no listener on port 8884 (with TLS: 8883)");
    write("server.key", "no key");
    ends_with(&run(&[]), exit::USAGE, "mosquitto does not take it");
    fs::remove_file(folder.path().join("server.crt")).expect("it is there");
    ends_with(&run(&[]), exit::USAGE, "txt:11: certfile");
}
