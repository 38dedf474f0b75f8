//! The collection in `scenarios/`: every file reads, every certificate in it can be minted, and what the bench owes is
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use scenario::Scenario;

/// The rows of the fault catalogue that the collection has to cover, by their groups.
const ROWS: &[(char, &[u8])] = &[
    // Identity.
    ('A', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
    // Trust.
    ('B', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    // Validity and clock.
    ('C', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    // Versions.
    ('D', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    // Cipher suites, groups, signatures.
    ('E', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]),
    // Keys and certificate contents.
    ('F', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]),
    // Chain and size.
    ('G', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    // Records.
    ('H', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
    // Client authentication.
    ('I', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    // SNI and ALPN.
    ('J', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    // Alerts, ends of connections, TCP.
    ('K', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
    // After the handshake.
    ('L', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    // MQTT.
    ('M', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    // Memory.
    ('N', &[1, 2, 3, 4, 5, 6, 7, 8]),
    // Configuration.
    ('O', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    // Modem.
    ('P', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
];

/// The rows of the five source documents, all of which are owed.
const DOCUMENTS: &[&str] = &[
    "s0-plain",
    "s0-tls12-only",
    "s0-ctl-mqttfx",
    "s0-aes-only-tls11",
    "s0-no-sni",
    "s0-reconnect-storm",
    "s0-doc-says-12",
    "s1-oom-unknown-ca",
    "s1-real-unknown-ca",
    "s1-ctl-paho",
    "s1-ctl-mqttfx",
    "s1-alloc-lifted",
    "s1-code-collapse",
    "s1-suites",
    "s1-tls11",
    "s2-plain-1883",
    "s2-san-ip-dns",
    "s2-set-insecure",
    "s2-ca-only",
    "s2-allow-self-signed",
    "s2-ecc",
    "s2-der",
    "s2-clock",
    "s2-nosan-cn-ip",
    "s2-nosan-ctl-python",
    "s2-ctl-python-san",
    "s2-dns-name",
    "s2-fix-both",
    "s2-fix-ipaddress",
    "s3-plain",
    "s3-tls-anon",
    "s3-tls-userpass",
    "s3-ctl-desktop",
    "s3-no-sni-connack5",
    "s3-urc-interleave",
    "s3-verify-off",
    "s3-wrong-sni",
    "s3-err-0x103",
    "s4-ctl-cli",
    "s4-certreqs-string",
    "s4-fw-no-kw",
    "s4-fw-rsa-kx-only",
    "s4-clock",
    "s4-hostname",
    "s4-san-ip",
    "s4-tls13-only",
    "s4-ed25519",
    "s4-key-sweep",
    "s4-dhparam",
    "s4-mtls",
    "s4-server-auth-only",
    "s4-umqtt-api",
    "s4-der-pem",
    "s4-keepalive0",
    "s4-mosq-134",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// Every scenario file with its name below the folder.
fn files(folder: &Path, below: &str, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("the folder of scenarios is there") {
        let path = entry.expect("the folder of scenarios can be read").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, &format!("{below}{name}/"), found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push((format!("{below}{name}"), path));
        }
    }
}

fn collection() -> Vec<Scenario> {
    let mut found = Vec::new();
    files(&folder(), "", &mut found);
    found.sort();
    found
        .into_iter()
        .map(|(name, path)| {
            let text = fs::read_to_string(&path).expect("a scenario is text");
            Scenario::parse(&name, &path.display().to_string(), &text).unwrap_or_else(|problem| panic!("{problem}"))
        })
        .collect()
}

#[test]
fn every_file_reads_and_there_are_enough_of_them() {
    let count = collection().len();
    assert!(count >= 60, "only {count} scenarios");
}

/// What `pki` refuses to mint would only show when the scenario is run.
#[test]
fn every_certificate_can_be_minted() {
    for scenario in collection() {
        pki::mint(&scenario.pki, 0x5eed, scenario.date()).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    }
}

#[test]
fn every_folder_is_known_and_every_title_tells_its_scenario_from_the_others() {
    let mut titles: BTreeMap<String, String> = BTreeMap::new();
    for scenario in collection() {
        let (folder, _) = scenario.name.split_once('/').expect("scenarios lie in folders");
        assert!(scenario::FOLDERS.iter().any(|(known, _)| *known == folder), "{folder}/");
        assert!(!scenario.title.ends_with('.'), "{}: a title has no full stop", scenario.name);
        if let Some(other) = titles.insert(scenario.title.clone(), scenario.name.clone()) {
            panic!("{} and {other} have the same title", scenario.name);
        }
    }
}

#[test]
fn the_rows_of_the_catalogue_that_are_owed_are_there() {
    let covered: BTreeSet<String> = collection().into_iter().flat_map(|scenario| scenario.catalogue).collect();
    let owed = ROWS.iter().flat_map(|(group, rows)| rows.iter().map(move |row| format!("{group}{row:02}")));
    let missing: Vec<String> = owed.filter(|row| !covered.contains(row)).collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
}

#[test]
fn the_rows_of_the_source_documents_that_are_owed_are_there() {
    let covered: BTreeSet<String> = collection().into_iter().flat_map(|scenario| scenario.documents).collect();
    let missing: Vec<&&str> = DOCUMENTS.iter().filter(|row| !covered.contains(**row)).collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
    for row in &covered {
        assert!(DOCUMENTS.contains(&row.as_str()), "{row} is a row of no document");
    }
}

/// A scenario that names certificates which nobody shows or trusts says more than it does.
#[test]
fn every_certificate_that_is_described_is_used() {
    for scenario in collection() {
        let mut used: BTreeSet<&str> = scenario.broker.certificates_used().map(|(_, name)| name).collect();
        let device = &scenario.device;
        used.extend(device.trusts.iter().chain(&device.certificates).chain(&device.key_of).map(String::as_str));
        used.extend(device.pinned());
        let references = scenario.pki.0.values().flat_map(|spec| [&spec.issuer, &spec.issuer_name_as, &spec.key_of]);
        used.extend(references.flatten().map(String::as_str));
        for name in scenario.pki.0.keys() {
            assert!(used.contains(name.as_str()), "{}: nobody uses `[pki.{name}]`", scenario.name);
        }
    }
}
