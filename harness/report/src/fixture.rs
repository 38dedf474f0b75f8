//! A run for tests, with a row for each thing that can become of one.

use outcome::{Conformity, Demand, Ending, Stage};

use crate::model::{
    Alert, Attempt, Capture, Evidence, Explanation, Finding, FindingKind, Happening, Hello, How, Image, Ladder,
    LogLine, NotRun, Part, Quarantine, Row, Run, Stack, Step, Totals, Wire,
};

/// What a device refused, in the bench's words.
pub const TRANSCRIPT: &str = "\
scenario   validity/expired_leaf                                    seed 5eed
firmware   mine 0.1.0 (bb9271d7)                                    target emulated

   ms  who      said
  114  device   ClientHello          sni broker.test
  114  broker   Certificate          CN=broker.test  ← the fault
  355  device   alert                fatal certificate_expired (45)

device     X509_CERT_VERIFY_FAILED (-0x2700) · heap peak 57 KiB
ending     device refused at certificate — as the specification demands (RFC 5280 §6.1.3)";

/// Seven rows: as expected, insecure, otherwise, not applicable, the bench failed, not run, flaky; the third on
/// another stack is in quarantine.
pub fn run() -> Run {
    let mut good = row("validity/expired_leaf", Some(Ending::AsExpected));
    good.happening = Some(happening(How::DeviceRefused, Conformity::Conforms));
    let mut insecure = row("identity/no_name", Some(Ending::AsExpected));
    insecure.happening = Some(happening(How::Connected, Conformity::AcceptsWhatItMustRefuse));
    insecure.findings = vec![Finding { kind: FindingKind::Security, words: "accepts what it must refuse".into() }];
    insecure.capture = Some(Capture { file: "x.pcapng".into(), bytes: 3, base64: Some("AAEC".into()) });
    let mut otherwise = row("trust/unknown", Some(Ending::Otherwise("it is not what was reviewed".into())));
    otherwise.happening = Some(happening(How::DeviceRefused, Conformity::Conforms));
    otherwise.difference = "--- reviewed\n+++ this run\n@@ -1 +1 @@\n-old\n+new\n".into();
    let mut excused = row("transport/servfail", Some(Ending::NotApplicable("it has no resolver".into())));
    excused.transcript.clear();
    let failed = row("transport/port_closed", Some(Ending::BenchFailed("the probe vanished".into())));
    let mut missed = row("transport/nxdomain", None);
    missed.not_run = Some(NotRun { why: "interrupted before its turn".into() });
    let mut flaky = row("mqtt/keep_alive", Some(Ending::AsExpected));
    flaky.happening = Some(happening(How::Connected, Conformity::Conforms));
    flaky.flaky = true;
    flaky.attempts = vec![attempt("device refused at certificate"), attempt("connected and did its work")];
    let mut rows = vec![good, insecure, otherwise, excused, failed, missed, flaky];
    let mut quarantined = rows[2].clone();
    quarantined.stack = "other".into();
    quarantined.quarantine = Some(Quarantine {
        reason: "the hub resets".into(),
        link: "https://example.org/7".into(),
        until: "2026-12-31".into(),
    });
    rows.remove(0);
    rows.insert(0, quarantined);
    // In this order, which tests rely on.
    Run { totals: Totals::of(&rows), rows, ..Run::new(vec![part()], Vec::new()) }
}

fn attempt(outcome: &str) -> Attempt {
    Attempt { outcome: outcome.into(), transcript: TRANSCRIPT.into(), ..Attempt::default() }
}

fn part() -> Part {
    Part {
        bench_version: "0.1.0".into(),
        command: ["hil", "--board", "esp32c3"].map(String::from).to_vec(),
        headline: "On an emulated ESP32-C3, 2 stacks".into(),
        seed: "5eed".into(),
        started: "2026-11-21T18:00:00Z".into(),
        took_ms: 12_345,
        jobs: 2,
        stacks: vec![Stack { name: "mine".into(), title: "Mine 1.0".into(), image: "mine".into(), trust: None }],
        images: vec![Image { name: "mine".into(), sha256: "bb9271d7".repeat(8), ..Image::default() }],
        ..Part::default()
    }
}

fn happening(how: How, conformity: Conformity) -> Happening {
    Happening {
        how,
        phrase: match how {
            How::Connected => "connected and did its work".into(),
            _ => "device refused at certificate".into(),
        },
        stage: Stage::Certificate,
        conformity,
        device_words: "X509_CERT_VERIFY_FAILED (-0x2700)".into(),
        platform_words: Some("-5".into()),
        cause: None,
        fault: None,
        heap_peak_bytes: Some(57 << 10),
        leaked_bytes: None,
        took_ms: 1_000,
    }
}

/// A row with everything that a run of the bench puts into one.
pub fn row(scenario: &str, ending: Option<Ending>) -> Row {
    let mut row = Row::new(scenario, "mine", Demand::Refuse);
    row.title = "Something is wrong with the broker".into();
    row.rule = "RFC 5280 §6.1.3".into();
    row.quote = "The certificate validity period includes the current time.".into();
    row.ending = ending;
    row.transcript = TRANSCRIPT.into();
    row.evidence = vec![Evidence { line: 6, words: "114 broker Certificate CN=broker.test ← the fault".into() }];
    row.explanations = vec![Explanation {
        key: "X509_CERT_VERIFY_FAILED".into(),
        cause: "The certificate is past its end.".into(),
        source: "Mbed TLS: library/x509_crt.c, x509_crt_verify_chain".into(),
        remedy: "Renew the broker's certificate.".into(),
    }];
    row.device_log = vec![LogLine { at_ms: Some(7), words: "stage clock".into() }];
    row.ladder = Some(Ladder { steps: steps(), left_out: 0 });
    row.wire = Some(Wire {
        connections: 1,
        hello: Some(Hello { ja4: "t13d991000_85781606486d_6e561896c42d".into(), ..Hello::default() }),
        alerts: vec![Alert { by: "device".into(), description: "certificate_expired (45)".into() }],
        ..Wire::default()
    });
    row
}

fn steps() -> Vec<Step> {
    let step = |at_us, from: &str, to: &str, said: &str, details: &str| Step {
        at_us,
        from: from.into(),
        to: to.into(),
        said: said.into(),
        details: details.into(),
        mark: (said == "Certificate").then(|| "the fault".into()),
        connection: (from != "dns" && to != "dns").then_some(1),
    };
    vec![
        step(10_000, "device", "dns", "query", "dns A broker.test"),
        step(10_000, "dns", "device", "answer", "dns A broker.test · 192.0.2.10"),
        step(114_000, "device", "broker", "ClientHello", "sni broker.test · 1.2 1.3"),
        step(114_000, "broker", "device", "ServerHello", "1.3"),
        step(114_000, "broker", "device", "Certificate", "CN=broker.test"),
        step(355_000, "device", "broker", "alert", "fatal certificate_expired (45)"),
        step(356_000, "device", "broker", "FIN", ""),
    ]
}
