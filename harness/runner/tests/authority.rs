//! An authority of one's own, made by OpenSSL where it is installed: chains under it are met, what cannot be is counted,
//! and its key goes nowhere.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use runner::exit;
use tempfile::TempDir;

use support::{ends_with, root, words};

/// Runs OpenSSL in `folder`; nothing if it is not installed here, which CI does not let pass.
fn openssl(folder: &TempDir, arguments: &[&str]) -> Option<()> {
    match Command::new("openssl").current_dir(folder.path()).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "openssl {arguments:?}: {}", words(&output));
            Some(())
        }
        Err(error) => {
            let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").unwrap_or_default();
            assert!(!required.contains("openssl"), "openssl: {error}");
            eprintln!("skipped: openssl is not installed");
            None
        }
    }
}

/// `ca.pem` and `ca.key` in `folder`, valid from now on; the key as `request` has it made.
fn authority(folder: &TempDir, request: &[&str]) -> Option<()> {
    let fixed = ["req", "-x509", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650"];
    openssl(folder, &[&fixed[..], &["-subj", "/O=Acme/CN=Acme test CA"], request].concat())
}

fn hil(folder: &TempDir, more: &[&str]) -> Output {
    let path = |name: &str| folder.path().join(name).display().to_string();
    Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["hil", "--board", "esp32c3", "--stack", "esp32c3_mbedtls", "--on", "emulator"])
        .args(["--artefacts", &path("artefacts"), "--report", &format!("json={}", path("out.json"))])
        .args(["--authority", &path("ca.pem"), "--authority-key", &path("ca.key")])
        .args(more)
        .env("SHAKEDOWN_ROOT", root())
        .output()
        .expect("the bench starts")
}

fn rows(folder: &TempDir) -> Vec<serde_json::Value> {
    let text = fs::read(folder.path().join("out.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    report["rows"].as_array().expect("rows").clone()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn chains_under_an_authority_that_openssl_made_are_met() {
    for request in [&["-newkey", "rsa:2048"][..], &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]] {
        let own = tempfile::tempdir().expect("a folder");
        if authority(&own, request).is_none() {
            return;
        }
        let names = [
            "identity/san_dns_dialled_by_name",
            "validity/expired_leaf",
            "trust/unknown_ca",
            "certificate/rsa2048_chain",
        ];
        let output = hil(&own, &names);
        // What is expected is how it ends: names, keys and dates are the authority's.
        ends_with(&output, exit::AS_EXPECTED, "3 as expected · 1 not applicable");
        ends_with(&output, exit::AS_EXPECTED, "1 of 4 scenarios are not applicable under it");
        let rows = rows(&own);
        let row = |name: &str| rows.iter().find(|row| row["scenario"] == name).unwrap_or_else(|| panic!("{name}"));
        for name in [names[0], names[1]] {
            let transcript = row(name)["transcript"].as_str().expect("a transcript");
            assert!(transcript.contains("Acme test CA"), "{transcript}");
        }
        assert_eq!(row(names[0])["happening"]["how"], "connected");
        assert_eq!(row(names[2])["happening"]["how"], "device_refused");
        let why = row(names[3])["reason"].as_str().expect("a reason");
        assert!(why.starts_with("not applicable under this authority: the root itself is bent"), "{why}");
        // Read once, kept nowhere: not in packets, transcripts, reports, nor on the screen.
        let key = fs::read_to_string(own.path().join("ca.key")).expect("a key");
        let secret = key.lines().nth(2).expect("Base64");
        let written = files(&own.path().join("artefacts")).into_iter().chain([own.path().join("out.json")]);
        for file in written {
            let bytes = fs::read(&file).expect("a file");
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
        }
        assert!(!words(&output).contains(secret));
    }
}

#[test]
fn what_is_no_authority_is_a_usage_error_in_a_sentence() {
    let own = tempfile::tempdir().expect("a folder");
    if authority(&own, &["-newkey", "rsa:2048"]).is_none() {
        return;
    }
    let name = "identity/san_dns_dialled_by_name";
    let good = fs::read(own.path().join("ca.key")).expect("a key");
    // Old and new ways to write keys, all of the same certificate.
    openssl(&own, &["rsa", "-in", "ca.key", "-traditional", "-out", "old.key"]);
    fs::copy(own.path().join("old.key"), own.path().join("ca.key")).expect("a copy");
    ends_with(&hil(&own, &[name]), exit::AS_EXPECTED, "1 as expected");
    fs::write(own.path().join("ca.key"), &good).expect("a key");
    openssl(&own, &["pkey", "-in", "ca.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key"]);
    openssl(&own, &["genrsa", "-out", "other.key", "2048"]);
    for (from, words) in [
        ("locked.key", "ca.key: the private key is encrypted"),
        ("other.key", "ca.key: the key fits no certificate that is given"),
        ("ca.pem", "ca.key: this is no private key in PEM: there is none in it"),
    ] {
        fs::copy(own.path().join(from), own.path().join("ca.key")).expect("a copy");
        ends_with(&hil(&own, &[name]), exit::USAGE, words);
        fs::write(own.path().join("ca.key"), &good).expect("a key");
    }
    let leaf = ["req", "-x509", "-key", "ca.key", "-out", "ca.pem", "-subj", "/CN=x", "-days", "1"];
    openssl(&own, &[&leaf[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat());
    ends_with(&hil(&own, &[name]), exit::USAGE, "ca.pem: the certificate is no authority");
    // And nothing that was reviewed is written over under somebody else's authority.
    authority(&own, &["-newkey", "rsa:2048"]);
    ends_with(&hil(&own, &["--accept", name]), exit::USAGE, "`--captures DIR`");
}

#[test]
fn the_benchs_own_authority_can_be_taken_along() {
    let own = tempfile::tempdir().expect("a folder");
    let path = |name: &str| own.path().join(name).display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["authority", "export"]).args(arguments).env("SHAKEDOWN_ROOT", root()).output().expect("it starts")
    };
    let output = run(&["--pem", &path("ca.pem"), "--der", &path("ca.der"), "--c-array", &path("ca.h")]);
    ends_with(&output, exit::AS_EXPECTED, "");
    let pem = fs::read_to_string(own.path().join("ca.pem")).expect("a certificate");
    assert_eq!(words(&run(&[])), pem);
    let der = fs::read(own.path().join("ca.der")).expect("a certificate");
    let array = fs::read_to_string(own.path().join("ca.h")).expect("an array");
    assert!(array.contains(&format!("_len = {};", der.len())), "{array}");
    // It is the one under which brokers show their chains.
    let minted = pki::mint(&pki::spec::Certificates::default(), 0x5eed, scenario::Date::default().0).expect("a chain");
    assert_eq!(minted.certificates["root"].der, der);
    assert_eq!(minted.certificates["root"].pem(), pem);
}
