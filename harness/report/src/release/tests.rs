//! What is told of a release, and what is not worth telling.

use outcome::{Conformity, Ending};

use super::*;
use crate::fixture;
use crate::model::How;

/// A run of one image, in which everything was run and nobody had anything to compare with.
fn old() -> Run {
    let mut run = fixture::run();
    run.rows.retain(|row| row.happening.is_some() && row.stack == "mine");
    for row in &mut run.rows {
        row.ending = Some(Ending::AsExpected);
        let wire = row.wire.as_mut().expect("it was on the wire");
        wire.handshake_ms = Some(240);
        let hello = wire.hello.as_mut().expect("it said hello");
        hello.versions = vec!["1.3".into(), "1.2".into()];
        hello.cipher_suites = vec!["TLS_AES_128_GCM_SHA256".into(), "TLS_AES_256_GCM_SHA384".into()];
    }
    let image = &mut run.parts[0].images[0];
    image.sections = vec![Section { name: ".text".into(), bytes: 1_000, is_loaded: true }];
    image.made_of.insert("smoltcp".into(), "0.13.0".into());
    Run::new(run.parts, run.rows)
}

#[test]
fn the_same_twice_changes_nothing() {
    let release = compare(old(), old());
    assert!(release.changes.is_empty() && !release.is_worse() && release.compared >= 3, "{release:?}");
    assert!(outline(&release).is_empty());
}

#[test]
fn what_is_smaller_than_chance_is_not_told() {
    let mut new = old();
    new.rows[0].wire.as_mut().expect("on the wire").handshake_ms = Some(249);
    new.rows[0].happening.as_mut().expect("it ran").heap_peak_bytes = Some((57 << 10) + 1_023);
    new.rows[0].happening.as_mut().expect("it ran").took_ms += 1_000;
    assert!(compare(old(), new).changes.is_empty());
}

#[test]
fn a_device_that_begins_to_accept_is_a_security_outcome_that_got_worse() {
    let mut new = old();
    let row = new.rows.iter_mut().find(|row| row.scenario == "trust/unknown").expect("it is there");
    let happening = row.happening.as_mut().expect("it ran");
    happening.conformity = Conformity::AcceptsWhatItMustRefuse;
    happening.how = How::Connected;
    happening.phrase = "connected and did its work".into();
    let release = compare(old(), new.clone());
    assert!(release.is_worse() && release.has_changed_outcomes());
    let told = markdown(&release);
    assert!(told.contains("🔴 Security got worse") && told.contains("`trust/unknown`"), "{told}");
    assert!(text(&release).contains("SECURITY GOT WORSE in 1 runs"), "{}", text(&release));
    // The other way round it is good news.
    let release = compare(new, old());
    assert!(!release.is_worse() && release.changes.iter().any(|change| !change.security_better.is_empty()));
}

#[test]
fn hellos_times_heaps_alerts_and_sizes_are_told() {
    let mut new = old();
    for row in &mut new.rows {
        let wire = row.wire.as_mut().expect("on the wire");
        let hello = wire.hello.as_mut().expect("it said hello");
        hello.ja4 = "t12".into();
        hello.cipher_suites = vec!["TLS_AES_256_GCM_SHA384".into(), "TLS_RSA_WITH_RC4_128_SHA".into()];
        wire.alerts.clear();
        wire.handshake_ms = Some(480);
        row.happening.as_mut().expect("it ran").heap_peak_bytes = Some(100 << 10);
    }
    let image = &mut new.parts[0].images[0];
    image.sections[0].bytes = 2_000;
    image.made_of.insert("smoltcp".into(), "0.14.0".into());
    let release = compare(old(), new);
    let told = text(&release);
    for words in [
        "JA4: t13d991000_85781606486d_6e561896c42d → t12",
        "cipher suites: adds TLS_RSA_WITH_RC4_128_SHA; drops TLS_AES_128_GCM_SHA256",
        "begins to offer TLS_RSA_WITH_RC4_128_SHA",
        "device certificate_expired (45) → none",
        "240 → 480 ms (+240, +100 %)",
        "58368 → 102400 bytes",
        "in flash: 1000 → 2000 bytes (+1000, +100 %)",
        "made of smoltcp 0.14.0, before smoltcp 0.13.0",
        "and 2 more",
    ] {
        assert!(told.contains(words), "no word of {words} in\n{told}");
    }
    assert!(release.is_worse(), "RC4 is no progress");
}

#[test]
fn what_the_bench_failed_at_is_no_change() {
    let mut new = old();
    new.rows[0].ending = Some(Ending::BenchFailed("the probe vanished".into()));
    new.rows[0].happening = None;
    let release = compare(old(), new);
    assert!(release.changes.is_empty() && release.compared == old().rows.len() - 1);
}

#[test]
fn the_page_has_both_transcripts_of_each_change_and_takes_words_for_words() {
    let mut new = old();
    for row in &mut new.rows {
        row.wire.as_mut().expect("on the wire").handshake_ms = Some(480);
        row.transcript = "</script><script>alert(1)</script>".into();
    }
    new.parts[0].images[0].name = "<img src=x onerror=alert(1)>".into();
    let page = crate::html::write_release(&compare(old(), new));
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    assert_eq!(page.matches("<details class=\"row\"").count(), old().rows.len());
}
