//! A diagnosis in words, for a terminal.

use super::Diagnosis;
use super::advice::Advice;
use super::exchange::{Outcome, Verdict};
use super::probe::{Broker, ClientCertificate};
use super::verifier::{Expected, RULES};
use explain::paragraph::{heading, labelled, verbatim};

/// The whole diagnosis.
pub fn render(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    if let Some(broker) = &diagnosis.broker {
        heading(&mut out, &format!("The broker at {}, dialled as {}", diagnosis.asked, diagnosis.dialled));
        for (label, words) in of_broker(broker) {
            labelled(&mut out, label, &words);
        }
    } else {
        heading(&mut out, &format!("A chain that nobody serves, dialled as {}", diagnosis.dialled));
    }
    of_chain(&mut out, diagnosis);
    for note in &diagnosis.notes {
        labelled(&mut out, "note", note);
    }
    for verdict in &diagnosis.stacks {
        of_stack(&mut out, verdict, &diagnosis.stacks);
    }
    heading(&mut out, "In short");
    labelled(&mut out, "stacks", &summary(diagnosis));
    must_not(&mut out, diagnosis);
    if let Some(advice) = &diagnosis.advice {
        of_advice(&mut out, advice);
    }
    out
}

fn of_advice(out: &mut String, advice: &Advice) {
    heading(out, "The smallest set of changes");
    if let Some(why) = &advice.why_none {
        labelled(out, "none", why);
    }
    for change in &advice.changes {
        labelled(out, "change", change);
    }
    let told = |out: &mut String, label: &str, names: &[String], words: &str| {
        if !names.is_empty() {
            labelled(out, label, &format!("{} {words}", names.join(", ")));
        }
    };
    told(out, "then", &advice.gained, "connect too");
    told(out, "not helped", &advice.hopeless, "connect after none of the changes that were tried");
    told(out, "not said", &advice.unlike, "fare otherwise with the broker's twin: nothing is said of them");
    if advice.tried > 0 {
        labelled(out, "tried", &format!("{} sets of changes, on a twin of the broker", advice.tried));
    }
    for lines in &advice.lines {
        let run = if lines.run.is_some() { "" } else { "; not run" };
        labelled(out, lines.program, &format!("({}{run})", lines.source));
        verbatim(out, &lines.lines.join("\n"));
    }
    for run in &advice.runs {
        labelled(out, run.program, &run.words);
    }
}

/// How many of which outcome.
pub fn summary(diagnosis: &Diagnosis) -> String {
    let count = |outcome| diagnosis.stacks.iter().filter(|verdict| verdict.outcome == outcome).count();
    let counted = [
        (count(Outcome::Connects), "connect"),
        (count(Outcome::Refuses), "refuse the broker"),
        (count(Outcome::IsRefused), "are refused"),
        (count(Outcome::Fails), "fail otherwise"),
        (count(Outcome::NotAsked), "cannot be asked"),
        (count(Outcome::BenchFailed), "met a failure of the bench"),
    ];
    let told: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    told.join(" · ")
}

fn must_not(out: &mut String, diagnosis: &Diagnosis) {
    let named: Vec<&str> =
        diagnosis.stacks.iter().filter(|verdict| verdict.must_not).map(|verdict| verdict.stack.as_str()).collect();
    if !named.is_empty() {
        labelled(out, "must not", &format!("{} connect although they have to refuse", named.join(", ")));
        labelled(out, "by the rules", &RULES.join("; "));
    }
}

/// What was found out about the broker: labels, and words. Without a label it goes on with the line before.
pub fn of_broker(broker: &Broker) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |label, words: &str| facts.push((label, words.to_owned()));
    let or_none =
        |list: &[String]| if list.is_empty() { "none of those asked about".to_owned() } else { list.join(", ") };
    add("asked", &format!("by {} connections of the bench", broker.connections));
    add("versions", &format!("TLS {}", or_none(&broker.versions)));
    for (version, how) in &broker.other_versions {
        add("", &format!("TLS {version}: {how}"));
    }
    if broker.versions.iter().any(|version| version == "1.3") {
        add("suites of 1.3", &or_none(&broker.suites_of_tls_1_3));
    }
    if broker.has_old_versions {
        let more = if broker.has_more_suites { ", and more" } else { "" };
        let order = match broker.prefers_its_own_order {
            Some(true) => "; in the broker's order",
            Some(false) => "; it takes the client's order",
            None => "",
        };
        add("suites to 1.2", &format!("{}{more}{order}", or_none(&broker.suites)));
    }
    let dhe = broker.dhe_bits.map_or_else(String::new, |bits| format!("; DHE in a field of {bits} bits"));
    add("groups", &format!("{}{dhe}", or_none(&broker.groups)));
    add("signs with", &or_none(&broker.schemes));
    add("no SNI", &broker.without_name);
    add("foreign SNI", &broker.with_foreign_name);
    let client = match broker.client_certificate {
        ClientCertificate::NotAsked => "not asked for",
        ClientCertificate::Asked => "asked for, and not demanded or shown",
        ClientCertificate::Demanded => "demanded: who has none is not let in",
    };
    add("client's", &format!("certificate {client}"));
    let yes = |is: bool| if is { "yes" } else { "no" };
    let resumes = broker.resumes.map_or("not tried", yes);
    let features = format!(
        "ALPN mqtt {} · tickets in TLS 1.3 {} · resumes sessions {resumes} · OCSP staple {}",
        yes(broker.alpn),
        broker.tickets,
        yes(broker.staples)
    );
    add("features", &features);
    if let Some(agrees) = broker.agrees_to_fragments {
        let words = format!(
            "largest of the first flight {} bytes; max_fragment_length of 1024 {}, then {} bytes",
            broker.record_bytes.0,
            if agrees { "agreed to" } else { "not agreed to" },
            broker.record_bytes.1
        );
        add("records", &words);
    }
    let login = broker.login_in.as_ref().map_or_else(String::new, |how| format!(" in {how}"));
    add("login", &format!("{}{login}", broker.login));
    if !broker.refuses_by.is_empty() {
        add("refuses by", &broker.refuses_by.join(", "));
    }
    facts
}

fn of_chain(out: &mut String, diagnosis: &Diagnosis) {
    for (at, certificate) in diagnosis.chain.iter().enumerate() {
        labelled(out, &format!("chain {at}"), &certificate.to_string());
    }
    for flaw in &diagnosis.flaws {
        labelled(out, "flaw", &format!("certificate {}: {}; minded by {}", flaw.at, flaw.what, flaw.minded_by));
    }
    labelled(out, "verifier", &verifier(&diagnosis.expected));
}

/// What webpki says, and what follows.
pub fn verifier(expected: &Expected) -> String {
    match expected {
        Expected::Accepts => "webpki accepts it: devices have to connect".into(),
        Expected::Refuses(why) => format!("webpki refuses it: {why}: devices have to refuse"),
        Expected::Undecided(why) => format!("nothing follows from webpki: {why}"),
    }
}

fn of_stack(out: &mut String, verdict: &Verdict, all: &[Verdict]) {
    let although = if verdict.must_not { ", THOUGH IT MUST NOT" } else { "" };
    heading(out, &format!("{}: {}{although}", verdict.stack, verdict.words));
    labelled(out, "what", &verdict.title);
    if let Some(words) = &verdict.platform {
        labelled(out, "platform", &format!("says {words}"));
    }
    // What is the same as above is not told again.
    let twin = all.iter().take_while(|other| other.stack != verdict.stack).find(|other| other.why == verdict.why);
    if let Some(twin) = twin.filter(|_| !verdict.why.is_empty()) {
        labelled(out, "cause", &format!("as of {}", twin.stack));
        return;
    }
    for line in &verdict.evidence {
        labelled(out, "evidence", line);
    }
    for why in &verdict.why {
        labelled(out, "cause", &why.cause);
        if !why.source.is_empty() {
            labelled(out, "in source", &why.source);
        }
        if !why.remedy.is_empty() {
            labelled(out, "remedy", &why.remedy);
        }
    }
}
