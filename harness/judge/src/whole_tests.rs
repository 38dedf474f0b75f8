//! Whole runs, judged: what is told of each, word by word.

use board::{Gravity, Incident, Target};
use capture::Tap;
use clock::{Instant, UnixTime};
use control::{Failure, Report};
use outcome::{Conformity, FailureClass, Stage};
use report::model::{How, LogLine};
use scenario::Scenario;

use crate::{Account, ConsoleText, Evidence, Judged, OnTheAir, Platform, Setting, judge, sweep};

/// A product that says each failure in its own way.
struct Product;

impl Platform for Product {
    fn says(&self, failure: &Failure) -> Option<String> {
        Some(format!("errno {}", failure.code))
    }
}

fn setting(stack: &str) -> Setting<'_> {
    Setting {
        stack,
        title: "A product",
        image: "image",
        firmware: "image 1.0 (01234567)".to_owned(),
        target: Target { chip: &chip::ESP32C3, emulated: true },
        seed: 0x5eed,
        openssl: "OpenSSL 9",
        platform: &Product,
    }
}

fn scenario(demands: &str, rest: &str) -> Scenario {
    let text = format!(
        "title = 'x'\nlimit_s = 7\n[specification]\ndemands = '{demands}'\nrule = 'RFC 5280 §6'\nquote = 'x'\n{rest}"
    );
    Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A run in which nobody sent a packet.
fn evidence(reports: Vec<Report>) -> Evidence {
    Evidence::without_packets(reports, 900)
}

fn hello() -> Report {
    Report::Hello { protocol: 1, image: "image".into(), version: "1.0".into(), stack: "Lib".into() }
}

fn stage(stage: Stage, at_ms: u32) -> Report {
    Report::Stage { stage, at_ms }
}

fn secured(resumed: bool, flags: &[&str]) -> Report {
    Report::Secured {
        version: 0x0303,
        cipher_suite: "SUITE".into(),
        verify_flags: 0,
        verify_flag_names: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        resumed,
        at_ms: 4,
    }
}

fn failure(class: FailureClass) -> Failure {
    Failure {
        stage: Stage::Certificate,
        class,
        alert_received: None,
        code: -0x2700,
        name: "BAD".into(),
        verify_flags: 0,
        verify_flag_names: Vec::new(),
        failed_allocation_bytes: None,
        at_ms: 6,
    }
}

fn done(complete: bool, heap_failures: u32, heap_held_bytes: u32) -> Report {
    Report::Done { complete, heap_peak_bytes: 2_049, heap_failures, heap_held_bytes, at_ms: 9 }
}

fn judged(scenario: &Scenario, evidence: &Evidence) -> Judged {
    judge(scenario, &setting("image"), evidence).unwrap_or_else(|why| panic!("{why}"))
}

/// What the transcript has from the device's line on.
fn of_device(judged: &Judged) -> &str {
    judged.transcript.split_once("\n\ndevice ").unwrap_or_else(|| panic!("{}", judged.transcript)).1
}

/// What was heard on the port for the bench.
fn text(at_ms: u64, text: &str) -> ConsoleText {
    ConsoleText { at: Instant::from_millis(at_ms), from: ConsoleText::CONSOLE, text: text.into() }
}

#[test]
fn the_head_names_scenario_firmware_stack_and_library() {
    let either = scenario("either", "");
    let openssl = scenario("either", "[broker]\nengine = 'openssl'\n");
    let plain = scenario("either", "[device]\ntls = false\nport = 1883\n[broker]\ntls = false\n");
    let head = |scenario: &Scenario, stack: &str| crate::head(scenario, &setting(stack));
    assert_eq!(
        head(&either, "image"),
        format!("scenario   {:56} seed 5eed\nfirmware   {:56} target emulated\n", "x/y", "image 1.0 (01234567)")
    );
    assert_eq!(
        head(&either, "product").lines().nth(2),
        Some(format!("stack      {:56} A product", "product").as_str())
    );
    assert_eq!(head(&openssl, "image").lines().nth(2), Some("broker     OpenSSL 9"));
    // Without TLS, and with rustls, it draws nothing.
    assert_eq!(head(&plain, "image").lines().count(), 2);
    assert!(judged(&either, &evidence(Vec::new())).transcript.starts_with(&head(&either, "image")));
}

#[test]
fn a_run_that_went_well_is_told_in_full() {
    let mut evidence = evidence(vec![
        hello(),
        Report::Configured { at_ms: 1 },
        stage(Stage::Clock, 1),
        stage(Stage::Resolve, 2),
        stage(Stage::Connect, 3),
        stage(Stage::Hello, 4),
        stage(Stage::Certificate, 5),
        stage(Stage::KeyExchange, 6),
        stage(Stage::Finished, 7),
        secured(false, &["EXPIRED", "NAME"]),
        Report::Message { topic: "t".into(), payload_bytes: 1, qos: 0, at_ms: 5 },
        done(true, 3, 0),
    ]);
    evidence.console = vec![text(20, "boot 1.0\n \nready"), ConsoleText { from: "uart0", ..text(21, "ROM") }];
    let incident = |gravity, what: &str| Incident {
        at: Instant::from_millis(30),
        gravity,
        what: what.into(),
        backtrace: vec!["main".into()],
    };
    evidence.incidents = vec![incident(Gravity::Unmodelled, "a register"), incident(Gravity::Notice, "a reset")];
    evidence.broker_findings = vec![(Instant::from_millis(40), "a breach".into())];
    let all = scenario("connect", "[device]\nrepeats = 10\n");
    let told = judged(&all, &evidence);
    assert_eq!(
        of_device(&told),
        "    secured with SUITE · let pass EXPIRED NAME · 1 message(s) received · heap peak 3 KiB · \
         3 allocation(s) failed\n\
         heap       holds no more than before: nothing leaks\n\
         stages     clock 1 ms · resolve 2 ms · connect 3 ms · hello 4 ms · certificate 5 ms · key exchange 6 ms\n           \
         finished 7 ms\n\
         chip       a reset\n           main\n\
         console    boot 1.0 (at 20 ms)\n\
         console    ready (at 20 ms)\n\
         uart0      ROM (at 21 ms)\n\
         broker     a breach (at 40 ms)\n\
         ending     connected and did its work — as the specification demands (RFC 5280 §6)"
    );
    assert_eq!(told.incidents, ["a register at 30.000000 ms", "main", "a reset at 30.000000 ms", "main"]);
    assert!(!told.silent && told.unsupported.is_none());
    let account = &told.account;
    assert_eq!((account.how, account.stage, account.limit_s), (How::Connected, Stage::Finished, 7));
    assert_eq!((account.took_ms, account.heap_peak_bytes, account.leaked_bytes), (900, Some(2_049), Some(0)));
    assert_eq!(account.rule, "RFC 5280 §6");
    // One attempt that failed before is told, and so is a session that was resumed.
    evidence.reports.insert(2, Report::Failed(failure(FailureClass::TimedOut)));
    evidence.reports[10] = secured(true, &[]);
    let once_more = judged(&all, &evidence);
    let first = of_device(&once_more).lines().next().expect("a line");
    assert!(first.contains("secured with SUITE, an earlier session resumed · 1 failed attempt(s) · 1 m"), "{first}");
}

#[test]
fn a_run_that_failed_is_told_with_its_cause() {
    let short = Failure { failed_allocation_bytes: Some(532), ..failure(FailureClass::Tls) };
    let of =
        |failure: Failure| evidence(vec![hello(), stage(Stage::Hello, 1), Report::Failed(failure), done(false, 0, 7)]);
    let connect = scenario("connect", "[device]\nrepeats = 10\n");
    let told = judged(&connect, &of(short.clone()));
    assert_eq!(
        of_device(&told),
        "    BAD (-0x2700), no memory for 532 bytes · heap peak 3 KiB\n           \
         platform says errno -9984\n\
         cause      an allocation of 532 bytes failed before this: memory, not what the code says\n\
         heap       holds 7 bytes more than before: A LEAK\n\
         stages     hello 1 ms\n\
         ending     device failed at certificate — refuses what it must accept (RFC 5280 §6)"
    );
    assert_eq!(told.account.platform_words.as_deref(), Some("errno -9984"));
    let cause = |demands: &str, failure: Failure| judged(&scenario(demands, ""), &of(failure)).account.cause;
    let flagged = Failure { verify_flags: 8, ..short.clone() };
    let before = "an allocation of 532 bytes failed before this: ";
    assert_eq!(cause("fail", flagged.clone()), Some(format!("{before}memory, not trust")));
    assert_eq!(cause("refuse", flagged), Some(format!("{before}memory or trust, the device cannot tell")));
    assert_eq!(cause("refuse", Failure { class: FailureClass::Memory, ..short }), None);
    assert_eq!(cause("refuse", failure(FailureClass::Tls)), None);
    // What never met its fault says so; without many connections, nobody tells of leaks.
    let never = judged(&scenario("refuse", ""), &of(failure(FailureClass::Tls)));
    assert!(of_device(&never).contains("\nfault      it ended before the broker said a word\nending "), "{never:?}");
    assert!(!never.transcript.contains("heap       "));
    assert_eq!(
        never.account.says_nothing().as_deref(),
        Some("never met the fault: it ended before the broker said a word")
    );
    assert_eq!(told.account.says_nothing(), None);
}

#[test]
fn several_attempts_are_counted() {
    let failed = || Report::Failed(failure(FailureClass::TimedOut));
    let line = |reports: Vec<Report>| {
        let told = judged(&scenario("fail", ""), &evidence(reports));
        of_device(&told).lines().next().expect("a line").trim().to_owned()
    };
    assert_eq!(line(vec![hello(), failed(), done(false, 0, 0)]), "BAD (-0x2700) · heap peak 3 KiB");
    assert_eq!(
        line(vec![hello(), failed(), failed(), done(false, 0, 0)]),
        "BAD (-0x2700) · 2 failed attempt(s) · heap peak 3 KiB"
    );
    assert_eq!(line(vec![hello(), failed(), done(true, 0, 0)]), "1 failed attempt(s) · heap peak 3 KiB");
    assert_eq!(line(vec![hello(), done(true, 0, 0)]), "heap peak 3 KiB");
}

#[test]
fn silence_is_that_nobody_said_anything_and_nothing_came_of_it() {
    let either = scenario("either", "");
    let silent = |reports: Vec<Report>| judged(&either, &evidence(reports));
    let begun = || vec![hello(), Report::Configured { at_ms: 1 }];
    assert!(silent(Vec::new()).silent && silent(begun()).silent);
    assert!(silent(Vec::new()).transcript.contains("\n\nnothing was said on the wire\n\n"));
    // It hangs, and says so by its stage: nobody has heard of it on the wire either.
    let hangs = Evidence { ended_at: Instant::from_millis(70_000), ..evidence(vec![hello(), stage(Stage::Hello, 1)]) };
    assert_eq!(judged(&either, &hangs).account.how, How::Waits);
    assert!(judged(&either, &hangs).silent);
    assert!(!silent([begun(), vec![done(true, 0, 0)]].concat()).silent);
    assert!(!silent([begun(), vec![done(false, 0, 0)]].concat()).silent);
    // A packet, and somebody has said something.
    let mut tap = Tap::new(UnixTime::from_seconds(0));
    tap.packet(Instant::from_millis(5), SYN);
    let spoken = judged(&either, &Evidence { pcapng: tap.to_pcapng(), ..evidence(begun()) });
    assert!(!spoken.silent, "{}", spoken.transcript);
    assert!(spoken.transcript.contains(" SYN "), "{}", spoken.transcript);
}

#[test]
fn a_port_that_nobody_dialled_is_no_fault_that_was_met() {
    let closed = scenario("fail", "[network]\nport = 'closed'\n");
    let reports = vec![hello(), Report::Failed(failure(FailureClass::NoAddress)), done(false, 0, 0)];
    let never = judged(&closed, &evidence(reports.clone())).account;
    assert_eq!(never.conformity, Conformity::NeverMet);
    assert_eq!(never.fault.as_deref(), Some("nobody dialled the broker"));
    let mut tap = Tap::new(UnixTime::from_seconds(0));
    tap.packet(Instant::from_millis(5), SYN);
    let met = judged(&closed, &Evidence { pcapng: tap.to_pcapng(), ..evidence(reports) }).account;
    assert_eq!((met.how, met.conformity), (How::Lost, Conformity::Conforms));
}

#[test]
fn what_a_device_has_no_means_for_is_an_excuse_if_it_has_dialled_nobody() {
    let reports = |class| vec![hello(), Report::Failed(failure(class)), done(false, 0, 0)];
    let either = scenario("either", "");
    let excuse = |evidence: &Evidence| judged(&either, evidence).unsupported;
    let unsupported = evidence(reports(FailureClass::Unsupported));
    assert_eq!(excuse(&unsupported).as_deref(), Some("BAD"));
    assert_eq!(excuse(&evidence(reports(FailureClass::Tls))), None);
    let mut tap = Tap::new(UnixTime::from_seconds(0));
    tap.packet(Instant::from_millis(5), SYN);
    assert_eq!(excuse(&Evidence { pcapng: tap.to_pcapng(), ..unsupported }), None);
}

/// An IPv4 packet: SYN from 192.0.2.20:49152 to 192.0.2.10:8883.
const SYN: &[u8] = &[
    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0xf6, 0xae, 192, 0, 2, 20, 192, 0, 2, 10, // IPv4
    0xc0, 0, 0x22, 0xb3, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x10, 0, 0, 0, 0, 0, // TCP
];

#[test]
fn every_way_to_end_has_its_phrase() {
    let account = judged(&scenario("either", ""), &evidence(Vec::new())).account;
    let phrase = |how| Account { how, stage: Stage::Login, ..account.clone() }.phrase();
    for (how, phrase_of) in How::ALL.into_iter().zip([
        "connected and did its work",
        "device refused at login",
        "broker refused at login",
        "connection lost at login",
        "network refused at login",
        "device gave up at login",
        "device failed at login",
        "firmware crashed at login",
        "device waits for ever at login",
        "stopped at the bench's limit of 1 s at login",
    ]) {
        assert_eq!(phrase(how), phrase_of);
    }
    assert_eq!(Account { summary: Some("2 of 3".into()), ..account }.phrase(), "2 of 3");
}

#[test]
fn the_log_has_what_was_reported_printed_and_found_in_the_order_of_times() {
    let mut evidence = evidence(vec![
        hello(),
        Report::Refused { reason: "why".into() },
        Report::Configured { at_ms: 1 },
        stage(Stage::Login, 2),
        secured(true, &["EXPIRED"]),
        Report::Connack { code: 0, session_present: true, at_ms: 5 },
        Report::Connack { code: 5, session_present: false, at_ms: 5 },
        Report::Message { topic: "t".into(), payload_bytes: 3, qos: 1, at_ms: 6 },
        Report::Failed(Failure {
            verify_flag_names: vec!["EXPIRED".into()],
            failed_allocation_bytes: Some(8),
            at_ms: 50,
            ..failure(FailureClass::Tls)
        }),
        done(true, 1, 0),
    ]);
    evidence.console = vec![text(3, "one\n\ntwo"), ConsoleText { from: "uart0", ..text(3, "three") }];
    let incident = |gravity, backtrace| Incident { at: Instant::from_millis(7), gravity, what: "it".into(), backtrace };
    evidence.incidents = vec![
        incident(Gravity::Unmodelled, vec![]),
        incident(Gravity::Notice, vec!["main".into()]),
        incident(Gravity::Crash, vec![]),
    ];
    evidence.broker_findings = vec![(Instant::from_millis(8), "breach".into())];
    let log = judged(&scenario("either", ""), &evidence).account.device_log;
    let lines: Vec<(Option<u64>, &str)> = log.iter().map(|line| (line.at_ms, line.words.as_str())).collect();
    assert_eq!(
        lines,
        [
            (None, "hello from image 1.0, Lib"),
            (None, "does not understand its order: why"),
            (Some(1), "has its plan"),
            (Some(2), "stage login"),
            (Some(3), "console: one"),
            (Some(3), "console: two"),
            (Some(3), "uart0: three"),
            (Some(4), "secured with SUITE, an earlier session resumed, let pass EXPIRED"),
            (Some(5), "CONNACK 0, session present"),
            (Some(5), "CONNACK 5"),
            (Some(6), "message on t: 3 bytes, QoS 1"),
            (Some(7), "chip: it\n    main"),
            (Some(7), "chip: it"),
            (Some(8), "broker: breach"),
            (Some(9), "all done: heap peak 2049 bytes, 1 allocation(s) failed"),
            (Some(50), "failed at certificate: BAD (-9984) EXPIRED, no memory for 8 bytes"),
        ]
    );
}

#[test]
fn a_firmware_that_babbles_does_not_fill_the_memory() {
    let count = |reports: usize, lines: usize| {
        let mut evidence = evidence((0..reports).map(|_| stage(Stage::Login, 1)).collect());
        evidence.console = (0..lines).map(|_| text(0, "line")).collect();
        evidence.broker_findings = vec![(Instant::ZERO, "breach".into())];
        let log: Vec<LogLine> = judged(&scenario("either", ""), &evidence).account.device_log;
        log.len()
    };
    assert_eq!(count(399, 1), 401);
    assert_eq!(count(2_000, 300), 701);
    assert_eq!(count(2_000, 2_000), 801);
}

/// A step of a sweep that ended so.
fn step(demands: &str, how: &str, value: u32) -> (scenario::Step, Judged) {
    let reports = match how {
        "connects" => vec![hello(), done(true, 0, 0)],
        "lacks memory" => vec![hello(), Report::Failed(failure(FailureClass::Memory)), done(false, 0, 0)],
        _ => {
            let other = Failure { name: "OTHER".into(), code: 0, ..failure(FailureClass::Tls) };
            vec![hello(), Report::Failed(other), done(false, 0, 0)]
        }
    };
    let scenario = scenario(demands, &format!("[device]\nheap_cap_bytes = {value}\n"));
    let mut evidence = evidence(reports);
    evidence.incidents =
        vec![Incident { at: Instant::ZERO, gravity: Gravity::Notice, what: format!("{value}"), backtrace: vec![] }];
    let judged = judged(&scenario, &evidence);
    (scenario::Step { what: "heap of {} bytes", value, scenario }, judged)
}

#[test]
fn a_sweep_is_told_as_a_staircase() {
    let of = scenario("fail", "");
    let steps = vec![
        step("fail", "lacks memory", 1_000),
        step("fail", "lacks memory", 900),
        step("fail", "fails", 80),
        step("fail", "connects", 7),
    ];
    let told = sweep::together(&of, &setting("image"), steps).expect("a step");
    let (_, staircase) = told.transcript.split_once("\n\n").expect("a head");
    assert_eq!(
        staircase,
        "heap of 1000 to 900 bytes  device failed at certificate · BAD (-0x2700) · errno -9984\n\
         heap of 80 bytes           device failed at certificate · OTHER · errno 0\n\
         heap of 7 bytes            connected and did its work — succeeds where it must fail\n\n\
         ending     1 of 4 runs connect — succeeds where it must fail (RFC 5280 §6)"
    );
    let account = &told.account;
    assert_eq!(account.conformity, Conformity::SucceedsWhereItMustFail);
    assert_eq!((account.device_words.as_str(), account.platform_words.as_deref()), ("", None));
    assert_eq!((account.cause.as_deref(), account.fault.as_deref(), account.heap_peak_bytes), (None, None, None));
    assert_eq!(told.incidents, ["1000", "900", "80", "7"].map(|value| format!("{value} at 0.000000 ms")));
    assert!(!told.silent && told.unsupported.is_none());
    assert!(sweep::together(&of, &setting("image"), Vec::new()).is_none());
}

/// The worst step is what the sweep comes to, whichever stands last.
#[test]
fn the_worst_step_decides() {
    use Conformity::*;
    let by_gravity = [
        Allowed,
        NotOffered,
        Conforms,
        Undecided,
        NeverMet,
        RefusesWhatItMustAccept,
        SucceedsWhereItMustFail,
        Breaks,
        AcceptsWhatItMustRefuse,
    ];
    assert_eq!(by_gravity.len(), Conformity::ALL.len());
    let with = |conformity, value| {
        let (step, mut judged) = step("fail", "fails", value);
        judged.account.conformity = conformity;
        judged.account.cause = Some("a cause".into());
        judged.account.fault = Some("a fault".into());
        (step, judged)
    };
    for pair in by_gravity.windows(2) {
        let [lesser, worse] = [pair[0], pair[1]];
        for steps in [vec![with(lesser, 2), with(worse, 1)], vec![with(worse, 2), with(lesser, 1)]] {
            let told = sweep::together(&scenario("fail", ""), &setting("image"), steps).expect("a step");
            assert_eq!(told.account.conformity, worse, "{lesser} and {worse}");
            assert_eq!((told.account.cause, told.account.fault), (None, None));
            assert_eq!((told.account.device_words.as_str(), told.account.platform_words), ("", None));
            let is_plain = matches!(worse, Conforms | Allowed | RefusesWhatItMustAccept);
            assert_eq!(told.transcript.contains(&format!("a cause — {worse}\n")), !is_plain, "{}", told.transcript);
        }
    }
}

/// What the access point or DHCP said before, it has taken back by a later word.
#[test]
fn a_network_has_refused_if_that_is_the_last_that_it_said() {
    let air = |what, is_refusal| OnTheAir { at: Instant::ZERO, what, is_refusal, words: String::new() };
    let welcome = scenario::wifi::WELCOMES[0];
    let (refusal, welcome, other) = (air("refused", true), air(welcome, false), air("enacted", false));
    let failed = Failure { stage: Stage::Join, ..failure(FailureClass::NoNetwork) };
    for (said, expected) in [
        (vec![], How::GaveUp),
        (vec![&other], How::GaveUp),
        (vec![&refusal], How::NetworkRefused),
        (vec![&refusal, &other], How::NetworkRefused),
        (vec![&refusal, &welcome], How::GaveUp),
        (vec![&welcome, &refusal], How::NetworkRefused),
    ] {
        let mut evidence = evidence(vec![hello(), Report::Failed(failed.clone()), done(false, 0, 0)]);
        evidence.air = said.into_iter().cloned().collect();
        assert_eq!(judged(&scenario("fail", ""), &evidence).account.how, expected, "{:?}", evidence.air);
    }
}

/// By its own name, and not because a broker's fault has the same one.
#[test]
fn the_fault_on_the_air_is_marked_where_it_was_said() {
    let air = |what, words: &str| OnTheAir { at: Instant::ZERO, what, is_refusal: false, words: words.to_owned() };
    let mut evidence = evidence(vec![hello(), done(false, 0, 0)]);
    evidence.air = vec![air("joined", "it joined"), air("leased", "it has an address")];
    for (fault, demands, marked) in [
        ("who = 'air'\nsaid = 'joined'", "fail", "it joined (at 0 ms)  ← the fault\n"),
        ("who = 'air'\nsaid = 'leased'", "connect", "it has an address (at 0 ms)  ← what is tested\n"),
        ("who = 'broker'\nsaid = 'Certificate'", "fail", ""),
    ] {
        let told = judged(&scenario(demands, &format!("[fault]\n{fault}")), &evidence).transcript;
        assert_eq!(told.matches('←').count(), usize::from(!marked.is_empty()), "{told}");
        assert!(told.contains(marked), "{told}");
    }
}

#[test]
fn what_a_device_cannot_do_or_come_to_is_not_applicable() {
    let unsupported = failure(FailureClass::Unsupported);
    let told = judged(&scenario("fail", ""), &evidence(vec![hello(), Report::Failed(unsupported), done(false, 0, 0)]));
    assert_eq!(told.not_applicable(), Some("BAD"));
    let mut told = judged(&scenario("fail", ""), &evidence(vec![hello(), done(true, 0, 0)]));
    assert_eq!(told.not_applicable(), None);
    told.out_of_reach = Some("it is behind TLS 1.3".into());
    assert_eq!(told.not_applicable(), Some("it is behind TLS 1.3"));
}
