//! The data is sound, and says something about everything that has happened.

use std::path::Path;

use super::*;
use crate::explain::snapshots::Snapshots;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

#[test]
fn every_refused_or_insecure_outcome_is_explained() {
    check().unwrap_or_else(|why| panic!("{why}"));
    let snapshots = Snapshots::read(&root().join("captures")).unwrap_or_else(|why| panic!("{why}"));
    assert!(snapshots.filed.len() > 200, "only {} snapshots", snapshots.filed.len());
    let mut missing = Vec::new();
    let mut explained = 0;
    for filed in snapshots.filed.values() {
        let is_well = filed.reviewed.is_well();
        for key in keys(&filed.reviewed).into_iter().filter(|_| !is_well) {
            match entry(&filed.reviewed, &key) {
                Some((_, entry)) if !entry.general => explained += 1,
                _ => missing.push(format!("{}: {key} at {}", filed.file, filed.reviewed.stage())),
            }
        }
    }
    assert!(missing.is_empty(), "nothing in scenarios/explanations/ says why:\n{}", missing.join("\n"));
    assert!(explained > 100, "only {explained} outcomes needed an explanation");
}

#[test]
fn every_file_is_read_and_every_sentence_ends() {
    check().unwrap_or_else(|why| panic!("{why}"));
    let folder = root().join("scenarios/explanations");
    let on_disk = std::fs::read_dir(folder).expect("the folder").count();
    assert_eq!(on_disk, FILES.len(), "a file in scenarios/explanations/ that nobody reads, or the other way round");
    let placeholders = ["{stage}", "{name}", "{code}", "{alert}", "{bytes}", "{flags}"];
    for file in files() {
        assert!(!file.explanations.is_empty() || !file.remedies.is_empty());
        for entry in &file.explanations {
            assert!(!entry.keys.is_empty() && !entry.source.is_empty(), "{entry:?}");
            for sentence in [&entry.cause, &entry.remedy] {
                assert!(sentence.ends_with(['.', '?']), "{sentence}");
                let rest = placeholders.iter().fold(sentence.clone(), |text, name| text.replace(name, ""));
                assert!(!rest.contains(['{', '}']), "a place that nobody fills in: {sentence}");
            }
        }
    }
}

/// What swallows every new failure would hide that nobody has looked at it.
#[test]
fn what_matches_anything_is_marked_as_general() {
    const WORDS: [&str; 3] = [ACCEPTS, SILENT, "unknown"];
    for entry in files().iter().flat_map(|file| &file.explanations) {
        let is_wide = |key: &String| {
            let is_word = WORDS.contains(&key.as_str()) && entry.scenarios.is_empty();
            let is_alert = key.contains("FATAL_ALERT") && entry.alerts.is_empty() && entry.scenarios.is_empty();
            key.ends_with('*') || is_word || is_alert
        };
        assert_eq!(entry.general, entry.keys.iter().any(is_wide), "{entry:?}");
    }
}

#[test]
fn scenarios_that_are_named_exist() {
    let scenarios = crate::library::read(&root().join("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    let named = files().iter().flat_map(|file| {
        let entries = file.explanations.iter().flat_map(|entry| &entry.scenarios);
        entries.chain(file.remedies.iter().flat_map(|remedy| &remedy.scenarios))
    });
    let exists = |name: &String| scenarios.iter().any(|scenario| is_among(std::slice::from_ref(name), &scenario.name));
    let strangers: Vec<&String> = named.filter(|name| !exists(name)).collect();
    assert!(strangers.is_empty(), "no such scenarios: {strangers:?}");
}

#[test]
fn the_particular_goes_before_the_general() {
    let reviewed = |device: &str, scenario: &str, image: &str| {
        let text = format!(
            "scenario   {scenario} seed 1\nfirmware   {image} 1\n\ndevice     {device}\n\
             ending     device refused at certificate — as the specification demands (RFC 5280 §6)"
        );
        Reviewed::parse(&text).expect("a transcript")
    };
    let cause = |device: &str, scenario: &str, image: &str| {
        let told = explain(&reviewed(device, scenario, image));
        told.into_iter().filter_map(|(_, told)| told).map(|told| told.cause).collect::<Vec<_>>().join(" / ")
    };
    let untrusted = "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700), flags MBEDTLS_X509_BADCERT_NOT_TRUSTED";
    assert!(cause(untrusted, "trust/unknown_ca", "esp32c3_mbedtls").contains("wrong authority was installed"));
    assert!(cause(untrusted, "chain/missing_intermediate", "esp32c3_mbedtls").contains("an intermediate is missing"));
    let starved = format!("{untrusted}, no memory for 544 bytes");
    assert!(cause(&starved, "trust/unknown_ca", "esp32c3_mbedtls2").contains("544 bytes failed"));
    assert!(
        cause("BR_ERR_X509_BAD_SERVER_NAME (56)", "identity/x", "esp32c3_bearssl")
            .contains("iPAddress entries are passed over")
    );
    let both = format!("{untrusted} MBEDTLS_X509_BADCERT_CN_MISMATCH");
    assert_eq!(explain(&reviewed(&both, "trust/unknown_ca", "esp32c3_mbedtls")).len(), 2);
    assert!(explain(&reviewed("NOBODY_KNOWS (1)", "x/y", "esp32c3_mbedtls")).iter().all(|(_, told)| told.is_none()));
}

#[test]
fn the_address_that_stands_twice_is_recommended() {
    let text = "scenario   identity/san_ip_dialled_by_address seed 1\nfirmware   esp32c3_bearssl 1\n\n\
                device     BR_ERR_X509_BAD_SERVER_NAME (56)\n\
                ending     device refused at certificate — refuses what it must accept (RFC 9525 §6.2)";
    let told = explain(&Reviewed::parse(text).expect("a transcript"));
    let remedy = &told[0].1.as_ref().expect("it is explained").remedy;
    assert!(remedy.contains("twice, as iPAddress and as dNSName: all four stacks then connect"), "{remedy}");
}
