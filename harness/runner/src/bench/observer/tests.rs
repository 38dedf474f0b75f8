use std::net::SocketAddr;

use super::*;

fn lan(what: InLan) -> network::Event {
    network::Event { at: Instant::ZERO, what }
}

fn broker(happening: AtBroker) -> broker::Event {
    broker::Event { at: Instant::ZERO, connection: 1, happening }
}

fn hello() -> AtBroker {
    AtBroker::ClientHello { server_name: None, alpn: Vec::new() }
}

fn closed() -> AtBroker {
    AtBroker::DeviceClosed { how: network::Close::Fin }
}

fn refused() -> InLan {
    InLan::Refused { local: SocketAddr::from(([192, 0, 2, 10], 8883)) }
}

/// What is reported of these events, a second apart, and how it ends after a minute.
fn reported(in_lan: Vec<InLan>, at_broker: Vec<AtBroker>, lines: &[&str]) -> Vec<String> {
    let mut observer = Observer::new("mqtt.example", 8883);
    let mut reports = Vec::new();
    let mut now = Instant::ZERO;
    for what in in_lan {
        now += Duration::from_millis(100);
        reports.extend(observer.look(now, &[lan(what)], &[], &[]));
    }
    let mut all = Vec::new();
    for happening in at_broker {
        now += Duration::from_millis(100);
        all.push(broker(happening));
        reports.extend(observer.look(now, &[], &[], &all));
    }
    lines.iter().for_each(|line| observer.line(now, line));
    while let Some(at) = observer.poll_at().filter(|at| !observer.is_still(*at)) {
        reports.extend(observer.look(at, &[], &[], &all));
    }
    let told = |report: &Report| match report {
        Report::Stage { stage, .. } => stage.name().to_owned(),
        Report::Failed(failure) => format!("failed at {}: {} ({:?})", failure.stage, failure.name, failure.class),
        Report::Done { complete, .. } => format!("done {complete}"),
        other => format!("{other:?}").split(' ').next().unwrap_or_default().to_owned(),
    };
    reports.iter().map(told).collect()
}

#[test]
fn who_logs_in_and_speaks_has_done_its_work_and_may_leave() {
    let secured = || AtBroker::LoggedIn { client_id: "x".into(), user_name: None };
    let publish = || AtBroker::Received("PUBLISH".into());
    assert_eq!(
        reported(Vec::new(), vec![hello(), secured(), publish(), closed()], &["E (5) wifi: bye"]),
        ["hello", "Connack", "exchange", "done true"]
    );
    assert_eq!(reported(Vec::new(), vec![hello(), secured()], &[]).last().map(String::as_str), Some("done true"));
    // Who leaves before a word was said has failed.
    let left = reported(Vec::new(), vec![hello(), secured(), closed()], &[]);
    assert!(left.iter().any(|line| line.starts_with("failed at exchange")), "{left:?}");
}

#[test]
fn a_failure_has_the_words_that_were_printed_of_it() {
    let lines = [
        "I (900) mqtt_client: connecting",
        "E (1200) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700",
        "E (1210) mqtt_client: Error transport connect",
    ];
    assert_eq!(
        reported(Vec::new(), vec![hello(), closed()], &lines),
        [
            "hello",
            "failed at hello: E (1200) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700 (Other)",
            "done false"
        ]
    );
    assert!(reported(vec![refused()], Vec::new(), &[])[1].contains("it says nothing of it) (PeerRefused)"));
}

#[test]
fn a_device_that_dials_again_has_given_up_on_the_connection_before() {
    let mut observer = Observer::new("mqtt.example", 8883);
    let refused = [lan(refused())];
    assert_eq!(observer.look(Instant::from_millis(5), &refused, &[], &[]).len(), 1);
    let opening = [lan(opening())];
    let reports = observer.look(Instant::from_millis(9), &opening, &[], &[]);
    assert!(matches!(reports[..], [Report::Failed(_), Report::Done { complete: false, .. }]), "{reports:?}");
    assert_eq!(observer.poll_at(), None);
}

fn air(what: &'static str, is_refusal: bool) -> OnTheAir {
    OnTheAir { at: Instant::ZERO, what, is_refusal, words: what.to_owned() }
}

#[test]
fn who_is_refused_by_a_network_may_be_let_in_and_else_has_failed() {
    let refusal = || vec![air("looks for", false), air("association refused", true)];
    let mut observer = Observer::new("mqtt.example", 8883);
    assert_eq!(observer.look(Instant::ZERO, &[], &refusal(), &[]).len(), 1);
    let at = observer.poll_at().expect("it waits");
    let reports = observer.look(at, &[], &refusal(), &[]);
    assert!(matches!(&reports[0], Report::Failed(failure) if failure.class == FailureClass::NoNetwork), "{reports:?}");
    let mut observer = Observer::new("mqtt.example", 8883);
    let all = [refusal(), vec![air("joined", false), air("leased", false)]].concat();
    assert_eq!(observer.look(Instant::ZERO, &[], &all, &[]).len(), 2);
    let at = observer.poll_at().expect("it may come further");
    assert!(observer.is_still(at) && !observer.is_still(Instant::from_millis(60_000)));
}

#[test]
fn an_error_behind_which_nothing_comes_is_the_end() {
    let mut observer = Observer::new("mqtt.example", 8883);
    observer.line(Instant::ZERO, "E (1) wifi: not yet");
    assert!(observer.poll_at().is_some_and(|at| observer.is_still(at)), "it has not dialled");
    let opening = [lan(opening())];
    observer.look(Instant::ZERO, &opening, &[], &[]);
    observer.line(Instant::ZERO, "OSError: -0x7780");
    let at = observer.poll_at().expect("it ends");
    let reports = observer.look(at, &[], &[], &[]);
    assert!(matches!(&reports[0], Report::Failed(failure) if failure.name == "OSError: -0x7780"), "{reports:?}");
}

#[test]
fn who_complains_behind_its_login_and_says_nothing_has_failed() {
    let logged_in = || AtBroker::LoggedIn { client_id: "x".into(), user_name: None };
    let told = reported(vec![opening()], vec![logged_in()], &["mqtt error: AssertionError()"]);
    assert_eq!(told.last().map(String::as_str), Some("done false"), "{told:?}");
    assert!(told.iter().any(|line| line.contains("mqtt error: AssertionError() (Other)")), "{told:?}");
    let told = reported(vec![opening()], vec![logged_in()], &["I (7) nothing to complain of"]);
    assert_eq!(told.last().map(String::as_str), Some("done true"), "{told:?}");
}

fn opening() -> InLan {
    let end = SocketAddr::from(([192, 0, 2, 10], 8883));
    InLan::Opening { connection: network::ConnectionId(1), local: end, peer: end }
}
