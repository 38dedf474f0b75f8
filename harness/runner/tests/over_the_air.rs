//! The same client and TLS library over the air and on the serial line: in every scenario that both are asked, ending, stage
//! and device code are the same, or `firmware-under-test/esp32c3_wifi/differs.toml` says why not.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use support::root;

const ON_THE_LINE: &str = ".esp32c3_mbedtls.snap";
const OVER_THE_AIR: &str = ".esp32c3_wifi.snap";

/// The ending with its stage, without what the specification says of it; and the device's failure, with its code.
fn essence(text: &str) -> (String, String) {
    let ending = text.lines().find_map(|line| line.strip_prefix("ending ")).unwrap_or_default();
    let ending = ending.split(" — ").next().unwrap_or_default().trim().to_owned();
    let device = text.lines().find_map(|line| line.strip_prefix("device  ")).unwrap_or_default();
    let is_failure = |words: &&str| {
        let name = words.split([' ', ',']).next().unwrap_or_default();
        name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let failure = device.split(" · ").map(str::trim).find(is_failure).unwrap_or_default();
    (ending, failure.split(", ").next().unwrap_or_default().to_owned())
}

/// What happened in each scenario on one stack.
fn endings(of: &str) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(root().join("captures")).expect("captures").map(|entry| entry.expect("an entry").path())
    {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(scenario) = file.strip_suffix(of) else { continue };
            let folder = folder.file_name().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&path).expect("it was listed");
            found.insert(format!("{folder}/{scenario}"), essence(&text));
        }
    }
    found
}

#[test]
fn over_the_air_every_scenario_ends_as_on_the_line_or_it_is_said_why() {
    let file = root().join("firmware-under-test/esp32c3_wifi/differs.toml");
    let reasons: BTreeMap<String, String> =
        toml::from_str(&fs::read_to_string(&file).expect("the list")).unwrap_or_else(|error| panic!("{error}"));
    let (line, air) = (endings(ON_THE_LINE), endings(OVER_THE_AIR));
    let both: Vec<_> = line.iter().filter_map(|(name, one)| Some((name, one, air.get(name)?))).collect();
    assert!(both.len() > 300, "only {} scenarios are on record of both", both.len());
    assert!(both.iter().all(|(_, one, other)| !one.0.is_empty() && !other.0.is_empty()), "an ending is not read");
    let differ: BTreeSet<&String> =
        both.iter().filter(|(_, one, other)| one != other).map(|(name, ..)| *name).collect();
    let said: BTreeSet<&String> = reasons.keys().collect();
    assert_eq!(differ, said, "in {}, by scenario: what differs, and what is said to", file.display());
    assert!(reasons.values().all(|reason| reason.len() > 10), "a reason is missing");
}

#[test]
fn ending_stage_and_code_are_read() {
    let text = "device     MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700), flags X · heap peak 57 KiB\n\
                ending     device refused at certificate — as the specification demands (RFC 5280 §6.1.3)\n";
    let read = ("device refused at certificate".to_owned(), "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700)".to_owned());
    assert_eq!(essence(text), read);
    let text = "device     secured with TLS1-3-AES · heap peak 57 KiB\nending     connected and did its work — x";
    assert_eq!(essence(text).1, "");
}
