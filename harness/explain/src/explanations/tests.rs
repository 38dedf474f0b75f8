//! The data is sound, and says something about everything that has happened.

use std::path::Path;

use super::*;
use crate::snapshots::Snapshots;

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
    let scenarios = scenario::library::read(&root().join("scenarios")).unwrap_or_else(|error| panic!("{error}"));
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
    assert!(remedy.contains("twice, as iPAddress and as dNSName: stacks of either kind then connect"), "{remedy}");
}

/// A transcript of our own: what the wire showed, what the device said, how it ended.
fn transcript(scenario: &str, image: &str, wire: &str, device: &str, ending: &str) -> Reviewed {
    let text = format!(
        "scenario   {scenario} seed 1\nfirmware   {image} 1\n\n{wire}\n\ndevice     {device}\nending     {ending}"
    );
    Reviewed::parse(&text).expect("a transcript")
}

const HELLO: &str = "   26  device   ClientHello          sni broker.test · up to 1.2 · secp256r1 x25519";
const REFUSED: &str = "device refused at certificate — refuses what it must accept (RFC 9525 §6.2)";

fn told(reviewed: &Reviewed) -> String {
    let told = explain(reviewed).into_iter().filter_map(|(_, told)| told);
    told.map(|told| format!("{} {}", told.cause, told.remedy)).collect()
}

/// What strangers' reports were told wrongly: an explanation follows from what is in the transcript.
#[test]
fn nothing_is_told_that_was_not_there() {
    // Alert 42 in answer to the hello: nobody had shown a certificate.
    let wire = format!("{HELLO}\n   27  broker   alert                fatal bad_certificate (42)");
    for (image, device) in [
        ("esp32c3_bearssl", "BR_ERR_RECV_FATAL_ALERT: bad_certificate (42) (298)"),
        ("esp32c3_mbedtls", "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: bad_certificate (42) (-0x7780)"),
        ("esp32c3_mbedtls2", "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: bad_certificate (42) (-0x7780)"),
    ] {
        let ending = "broker refused at hello — fails cleanly (RFC 6066 §3)";
        let ending = ending.replace("fails cleanly", "as the specification demands");
        let hello = told(&transcript("x/y", image, &wire, device, &ending));
        assert!(hello.contains("server name") && !hello.contains("Issue the device's certificate"), "{image}: {hello}");
        let wire = format!(
            "{HELLO}\n   26  broker   ServerHello          1.2\n   26  broker   Certificate          CN=broker.test · P-256\n\
             \u{20}  28  device   Certificate          CN=device · P-256\n   29  broker   alert                fatal bad_certificate (42)"
        );
        let refused = told(&transcript("x/y", image, &wire, device, &ending));
        assert!(refused.contains("refused the device's certificate"), "{image}: {refused}");
    }
    // A curve that the build lacks, and a certificate that was damaged.
    let leaf = |details: &str| {
        format!(
            "{HELLO}\n   26  broker   ServerHello          1.2\n   26  broker   Certificate          CN=broker.test · {details}"
        )
    };
    let signed = leaf("DNS:broker.test · P-256 · ecdsa-with-SHA384 · by CN=sub");
    let curve = told(&transcript("x/y", "esp32c3_bearssl", &signed, "BR_ERR_X509_BAD_SIGNATURE (52)", REFUSED));
    assert!(curve.contains("P-384") && !curve.contains("changed after it was signed"), "{curve}");
    let signed = leaf("DNS:broker.test · P-256 · ecdsa-with-SHA256 · by CN=sub");
    let damaged = told(&transcript("x/y", "esp32c3_bearssl", &signed, "BR_ERR_X509_BAD_SIGNATURE (52)", REFUSED));
    assert!(damaged.contains("changed after it was signed"), "{damaged}");
    for image in ["esp32c3_mbedtls", "esp32c3_mbedtls2"] {
        let device = "MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE (-0x3a00)";
        let curve = told(&transcript("x/y", image, &signed, device, REFUSED));
        assert!(curve.contains("P-384") && !curve.contains("Convert the key"), "{image}: {curve}");
    }
    // A URI that matched, and a session without a name.
    let accepts = "connected and did its work — ACCEPTS WHAT IT MUST REFUSE (RFC 9525 §6.2)";
    let uri = told(&transcript("identity/x", "esp32c3_mbedtls", &leaf("URI:broker.test · P-256"), "secured", accepts));
    assert!(uri.contains("as a URI") && !uri.contains("No name was given"), "{uri}");
    let nameless = leaf("URI:broker.test · P-256").replace("sni broker.test", "no sni");
    let nameless = told(&transcript("identity/x", "esp32c3_mbedtls", &nameless, "secured", accepts));
    assert!(nameless.contains("No name was given"), "{nameless}");
    // An address that the certificate does not have.
    let device = "BR_ERR_X509_BAD_SERVER_NAME (56)";
    let other = told(&transcript("identity/x", "esp32c3_bearssl", &leaf("DNS:other.test"), device, REFUSED));
    assert!(!other.contains("iPAddress"), "{other}");
    let address = told(&transcript("identity/x", "esp32c3_bearssl", &leaf("IP:192.0.2.10"), device, REFUSED));
    assert!(address.contains("iPAddress entries are passed over"), "{address}");
    // A pin outside the scenarios that are built in.
    let mut pinned =
        transcript("fleet/x", "esp32c3_bearssl", &leaf("DNS:broker.test"), "BR_ERR_X509_NOT_TRUSTED (62)", REFUSED);
    assert!(told(&pinned).contains("trust anchor"), "{}", told(&pinned));
    pinned.seen.insert(Evidence::Pin);
    assert!(
        told(&pinned).contains("fingerprint") && !told(&pinned).contains("setTrustAnchors the root"),
        "{}",
        told(&pinned)
    );
    // A handshake that stops before and after the broker's answer.
    let ending = "device gave up at certificate — as the specification demands (RFC 9293 §3.8.3)";
    let answered = told(&transcript("x/y", "esp32c3_bearssl", &leaf("DNS:broker.test"), "HANDSHAKE_TIMED_OUT", ending));
    assert!(answered.contains("The broker answered the hello"), "{answered}");
    let unanswered = told(&transcript("x/y", "esp32c3_bearssl", HELLO, "HANDSHAKE_TIMED_OUT", ending));
    assert!(unanswered.contains("lets small packets pass"), "{unanswered}");
}

/// A run that is made after a rule's own conditions.
fn made_after(file: &File, rule: &Entry) -> (Reviewed, String) {
    let key = rule.keys[0].replace('*', "X");
    let stage = rule.stages.first().map_or("certificate", String::as_str);
    let scenario = rule
        .scenarios
        .first()
        .map_or_else(|| "x/y".into(), |name| name.clone() + if name.ends_with('/') { "x" } else { "" });
    let image = file.images.first().map_or("some_image", String::as_str);
    let mut reviewed = transcript(
        &scenario,
        image,
        "",
        "",
        &format!("device refused at {stage} — as the specification demands (RFC 1 §1)"),
    );
    let failure = Failure {
        name: key.clone(),
        alert: rule.alerts.first().cloned(),
        code: rule.codes.first().cloned(),
        ..Failure::default()
    };
    reviewed.failure = Some(failure);
    reviewed.seen.extend(&rule.needs);
    if !rule.lacks.is_empty() {
        reviewed.seen.insert(Evidence::ClientHello);
    }
    (reviewed, key)
}

/// The same run, with one thing otherwise that the rule names.
fn near_misses(rule: &Entry, fitting: &Reviewed) -> Vec<Reviewed> {
    let mut near = Vec::new();
    let mut change = |change: &dyn Fn(&mut Reviewed)| {
        let mut reviewed = fitting.clone();
        change(&mut reviewed);
        near.push(reviewed);
    };
    for evidence in &rule.needs {
        change(&|reviewed| {
            reviewed.seen.remove(evidence);
        });
    }
    for evidence in &rule.lacks {
        change(&|reviewed| {
            reviewed.seen.insert(*evidence);
        });
    }
    if !rule.lacks.is_empty() {
        change(&|reviewed| reviewed.seen.clear());
    }
    if !rule.stages.is_empty() {
        change(&|reviewed| reviewed.phrase = "device refused at another stage".into());
    }
    if !rule.scenarios.is_empty() {
        change(&|reviewed| reviewed.scenario = "elsewhere/x".into());
    }
    for (is_named, change_it) in [
        (!rule.alerts.is_empty(), (|failure| failure.alert = Some("another".into())) as fn(&mut Failure)),
        (!rule.codes.is_empty(), |failure| failure.code = Some("999".into())),
    ] {
        if is_named {
            change(&|reviewed| {
                if let Some(failure) = &mut reviewed.failure {
                    change_it(failure);
                }
            });
        }
    }
    near
}

/// Each rule explains a run that fits it, and none that nearly does; and no rule is hidden behind another.
#[test]
fn every_rule_holds_for_what_fits_and_not_for_what_nearly_does() {
    let snapshots = Snapshots::read(&root().join("captures")).unwrap_or_else(|why| panic!("{why}"));
    let runs: Vec<(&Reviewed, String)> = snapshots
        .filed
        .values()
        .filter(|filed| !filed.reviewed.is_well())
        .flat_map(|filed| keys(&filed.reviewed).into_iter().map(|key| (&filed.reviewed, key)))
        .collect();
    let explained: Vec<Option<&Entry>> = runs.iter().map(|(run, key)| entry(run, key).map(|(_, rule)| rule)).collect();
    let (mut real, mut hidden) = (0, Vec::new());
    for (file, rule) in files().iter().flat_map(|file| file.explanations.iter().map(move |rule| (file, rule))) {
        let position = explained.iter().position(|known| known.is_some_and(|known| std::ptr::eq(known, rule)));
        let (fitting, key) = match position {
            Some(at) => (runs[at].0.clone(), runs[at].1.clone()),
            None => made_after(file, rule),
        };
        real += usize::from(position.is_some());
        assert!(rule.matches(&fitting, &key), "{rule:?} does not fit {fitting:?}");
        let is_found = entry(&fitting, &key).is_some_and(|(_, found)| std::ptr::eq(found, rule));
        if !is_found && !rule.general {
            hidden.push(format!("{}: {} at {:?} in {:?}", file.library, key, rule.stages, rule.scenarios));
        }
        for near in near_misses(rule, &fitting) {
            assert!(!rule.matches(&near, &key), "{rule:?} fits {near:?}");
        }
    }
    assert!(hidden.is_empty(), "rules that another hides:\n{}", hidden.join("\n"));
    assert!(real > 80, "only {real} rules explain something that is on record");
}
