//! Who a client is, what accepts it and where it broke: the documents' hello, our own captures, and garbage.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::*;

/// The first ClientHello of document 000, as it stands there (source-documents.md §0).
const DOCUMENT_000: &str = "
    16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0 b1 a1 3a 07 1c 1b 3e f2 fc 03 91 d6 18 b5 ae 5d
    77 65 37 f5 07 10 45 d1 7e 1a ea 00 00 08 00 2f 00 35 00 05 00 04 01 00";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

fn known() -> stacks::Stacks {
    stacks::Stacks::known().unwrap_or_else(|why| panic!("{why}"))
}

/// The text with its line breaks undone: where a line ends is nobody's business here.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    let flat = flat(text);
    for word in words {
        assert!(flat.contains(word), "no word of `{word}` in:\n{text}");
    }
}

#[test]
fn the_client_of_document_000_is_known_by_its_hello() {
    let told = explain_hexadecimal(DOCUMENT_000, &known(), false).expect("a whole hello");
    says(
        &told,
        &[
            "TLS 1.1 at most",
            "unset: gmt_unix_time is 0",
            "no SNI",
            "4 suites",
            "002f TLS_RSA_WITH_AES_128_CBC_SHA 0035 TLS_RSA_WITH_AES_256_CBC_SHA 0005 TLS_RSA_WITH_RC4_128_SHA 0004 \
             TLS_RSA_WITH_RC4_128_MD5",
            "none at all",
            // MD5 of "770,47-53-5-4,,,", by md5sum
            "JA3 62c4b302103b896a4620621180c9d07b",
            "axTLS before 1.5.4, as in NodeMCU 1.4 (distance 0",
            "It must allow TLS 1.1: it is deprecated (RFC 8996)",
            "It must allow AES-CBC with RSA key exchange",
            "Not RC4 (RFC 7465), though the client offers that too",
            "must have an RSA key, and keyEncipherment",
            "must not depend on the server name",
            "tls_version tlsv1.1 ciphers AES128-SHA:AES256-SHA:@SECLEVEL=0",
            "OpenSSL cipher list AES128-SHA:AES256-SHA:@SECLEVEL=0",
        ],
    );
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
}

#[test]
fn bearssl_tells_nothing_about_its_clock() {
    let file = include_str!("stacks.toml");
    let at = file.find("16030100cc").expect("BearSSL's hello");
    let hello: String = file[at..].chars().take_while(|c| *c != '"').collect();
    says(
        &explain_hexadecimal(&hello, &known(), false).expect("a whole hello"),
        &["not told: BearSSL 0.6", "TLS 1.2 at most"],
    );
}

#[test]
fn a_pasted_alert_means_something_from_either_side() {
    let told = explain_hexadecimal("15 03 02 00 02 02 46", &known(), false).expect("an alert");
    says(&told, &["protocol_version (70)", "If the server said it: the server does not speak any version"]);
}

/// A hello of a log that breaks off, of document 000's: everything that is there, and what is missing.
#[test]
fn a_hello_that_breaks_off_is_explained_as_far_as_it_goes() {
    let log = "D/TC: 0 0 mbedtls: ssl_msg.c:28 0000:  16 03 02 00 33 01 00 00 2f 03 02 00 00 00 00 d0  ....3.../.......\n\
               D/TC: 0 0 mbedtls: ssl_msg.c:28 0010:  b1 a1 3a 07 1c 1b 3e f2 fc 03 91 d6 18 b5 ae 5d  ..:...>........]\n\
               D/TC: 0 0 mbedtls: ssl_msg.c:28 0020:  77 65 37 f5 07 10 45 d1 7e 1a ea 00 00 08 00 2f  we7...E.~....../\n";
    let told = explain_hexadecimal(log, &known(), false).expect("most of a hello");
    says(
        &told,
        &["43 of 51 bytes are here", "3 of 4 cipher suites", "It must allow TLS 1.1", "TLS_RSA_WITH_AES_128_CBC_SHA"],
    );
}

#[test]
fn garbage_is_refused_with_a_remedy() {
    let why = |text: &str| explain_hexadecimal(text, &known(), false).expect_err(text);
    assert!(why("16 03 0z").message.contains("line 1: `0z`"));
    assert!(why("00 01 02").message.contains("3 bytes, but no TLS"), "{}", why("00 01 02"));
    assert!(why("16 03 02 00 33 01 00 00 2f 03 02").message.contains("paste the rest"));
    assert!(
        explain_capture(b"no capture at all", "", &known(), false).expect_err("garbage").message.contains("tcpdump -w")
    );
    let missing =
        recorded::read(Path::new("does/not/exist.pcapng"), None, &known(), false).expect_err("it is not there");
    assert!(missing.message.starts_with("does/not/exist.pcapng: "), "{missing}");
}

/// The packets that are kept of a scenario.
fn committed(scenario: &str) -> String {
    let (folder, stem) = scenario.split_once('/').expect("a folder and a name");
    let entries = fs::read_dir(root().join("captures").join(folder)).expect("a folder");
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&format!("{stem}.")) && name.ends_with(".pcapng")
    };
    let file = entries.map(|entry| entry.expect("an entry").path()).find(is_it);
    let file = file.unwrap_or_else(|| panic!("{scenario}: no packets are kept"));
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    explain_capture(&bytes, "", &known(), false).unwrap_or_else(|why| panic!("{scenario}: {why}"))
}

#[test]
fn our_own_captures_say_where_they_broke() {
    says(
        &committed("validity/expired_leaf"),
        &[
            "the client gave up",
            "certificate_expired (45)",
            "not valid at the time that the client's clock shows",
            "broker.test (SNI)",
            "Mbed TLS 3.6",
        ],
    );
    says(
        &committed("sni/no_sni_connack_5"),
        &["CONNACK not authorized (5)", "no server name (SNI)", "none: it sends no SNI"],
    );
    says(&committed("transport/port_closed"), &["refused the connection", "Nothing listens on port"]);
    says(&committed("versions/tls12_only"), &["in good order, with DISCONNECT (TLS 1.2"]);
}

#[test]
fn every_committed_capture_can_be_explained() {
    let mut explained = 0;
    let known = known();
    let mut folders = vec![root().join("captures")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "pcapng") {
                let bytes = fs::read(&path).expect("a capture");
                let silent = |why: &blame::Error| why.message.contains("no TCP connection");
                match explain_capture(&bytes, "", &known, false) {
                    Ok(told) => assert!(told.contains("ended"), "{}:\n{told}", path.display()),
                    Err(why) => assert!(silent(&why), "{}: {why}", path.display()),
                }
                explained += 1;
            }
        }
    }
    assert!(explained > 100, "only {explained} captures");
}

/// The command line of `explain` alone.
#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    explain: Explain,
}

/// Codes begin with a minus, and some people leave the quotes out.
#[test]
fn codes_are_taken_from_the_command_line_as_they_are_printed() {
    let parsed = |words: &[&str]| {
        let line = ["explain"].into_iter().chain(words.iter().copied());
        Line::try_parse_from(line).unwrap_or_else(|error| panic!("{words:?}: {error}")).explain
    };
    for code in ["-0x3000", "-5", "-9984", "298", "0x801a", "rc=-2", "-"] {
        assert_eq!(parsed(&[code]).scenario.as_deref(), Some(code));
    }
    assert_eq!(parsed(&["E:M", "544"]).more, ["544"]);
    assert_eq!(parsed(&["+CMQTTCONNECT:", "0,32"]).more, ["0,32"]);
    let narrowed = parsed(&["expired_leaf", "--stack", "esp32c3_bearssl"]);
    assert_eq!((narrowed.more.len(), narrowed.stack.len()), (0, 1));
    assert_eq!(parsed(&["--hex", "-"]).hex.as_deref(), Some("-"));
}

/// Document 002's device, which dials an address that the certificate has as an iPAddress alone.
#[test]
fn the_certificate_that_was_seen_is_held_against_every_stack() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tell = |name: &str| {
        let file = root.join("captures").join(name);
        let told = recorded::read(&file, None, &known(), false).unwrap_or_else(|why| panic!("{why}"));
        told.split_whitespace().collect::<Vec<&str>>().join(" ")
    };
    let address = tell("identity/san_ip_dialled_by_address.arduino_esp8266.pcapng");
    let minds = "is not in it as dNSName; by BearSSL and Mbed TLS before 3.5, which know no iPAddress";
    assert!(address.contains(minds) && address.contains("chain 0"), "{address}");
    let both = tell("identity/san_ip_and_dns_hold_the_address_dialled_by_address.arduino_esp8266.pcapng");
    assert!(both.contains("nothing in it, by no stack that dials 192.0.2."), "{both}");
    // The time of the capture counts, and not today's.
    assert!(!both.contains("it ended on"), "{both}");
}
