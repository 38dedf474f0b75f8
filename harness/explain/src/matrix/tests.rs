//! What is red, and what stays in its place.

use std::path::Path;

use anstyle::AnsiColor;
use outcome::{Demand, Ending};
use scenario::Scenario;

use super::table::{Table, Weight};
use super::*;
use crate::reviewed::Reviewed;
use crate::snapshots::Filed;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

/// The reviewed scenarios whose names begin so.
fn scenarios(start: &str) -> Vec<Scenario> {
    let mut scenarios = library::read(&root().join("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    scenarios.retain(|scenario| scenario.name.starts_with(start));
    scenarios
}

fn filed(stack: &str, image: &str, device: &str, ending: &str) -> Filed {
    let text = format!(
        "scenario   x seed 1\nfirmware   {image} 1\n\n  10  broker   Certificate   <b>&   ← the fault\n\n\
         device     {device}\nending     {ending} (RFC 9525 §6.2)"
    );
    let reviewed = Reviewed::parse(&text).expect("a transcript");
    Filed { stack: stack.into(), reviewed, file: format!("x.{stack}.snap"), header_lines: 4 }
}

/// One scenario on three stacks: one accepts, one refuses, one cannot.
fn three() -> Table {
    let scenarios = scenarios("identity/san_dns_holds_the_address");
    let name = scenarios[0].name.clone();
    let mut snapshots = Snapshots::default();
    let accepts = "connected and did its work — ACCEPTS WHAT IT MUST REFUSE";
    let refuses = "device refused at certificate — as the specification demands";
    let mut file = |stack: &str, image: &str, device: &str, ending: &str| {
        let mut filed = filed(stack, image, device, ending);
        filed.reviewed.scenario.clone_from(&name);
        snapshots.filed.insert((name.clone(), stack.into()), filed);
    };
    file("a", "esp32c3_mbedtls", "heap peak 1 KiB", accepts);
    file("b", "esp32c3_bearssl", "BR_ERR_X509_BAD_SERVER_NAME (56)", refuses);
    snapshots.excuses.insert((name, "c".into()), "no <addresses> at all".into());
    Table::new(&scenarios, &snapshots)
}

#[test]
fn accepting_what_must_be_refused_is_red_everywhere() {
    let table = three();
    assert_eq!(table.stacks, ["a", "b", "c"]);
    let weights: Vec<Weight> = table.rows[0].cells.iter().map(table::Cell::weight).collect();
    assert_eq!(weights, [Weight::Insecure, Weight::Good, Weight::Empty]);
    let html = html::render(&table);
    assert_eq!(html.matches("<td class=\"insecure\"").count(), 1, "{html}");
    assert!(html.contains("<td class=\"good\""), "{html}");
    let markdown = markdown::render(&table);
    assert!(markdown.contains("| 🔴 **ACCEPTS** | refuses | n/a |"), "{markdown}");
    assert!(markdown.contains("### Accepts what it must refuse"), "{markdown}");
    let text = text::render(&table);
    let red = AnsiColor::BrightWhite.on(AnsiColor::Red).bold();
    assert!(text.contains(&format!("{red}ACCEPTS{red:#}")), "{text:?}");
    assert!(text.contains("1 ACCEPTS what it must refuse"), "{text}");
}

#[test]
fn every_cell_leads_to_cause_evidence_and_remedy() {
    let html = html::render(&three());
    for words in [
        "takes it for an address",
        "x509_crt_check_san",
        "<dt>remedy</dt>",
        "A wildcard stands for the first label alone",
        "captures/x.a.snap",
        "href=\"#identity-san-dns-holds-the-address-dialled-by-address\"",
        "id=\"identity-san-dns-holds-the-address-dialled-by-address\"",
    ] {
        assert!(html.contains(words), "no word of {words} in:\n{html}");
    }
}

#[test]
fn strangers_words_stay_words() {
    let html = html::render(&three());
    assert!(!html.contains("<b>&") && html.contains("&lt;b&gt;&amp;"), "{html}");
    assert!(html.contains("no &lt;addresses&gt; at all"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://"), "the page must need nothing else");
}

#[test]
fn the_reviewed_snapshots_make_a_table() {
    let snapshots = Snapshots::read(&root().join("captures")).unwrap_or_else(|why| panic!("{why}"));
    let table = Table::new(&scenarios(""), &snapshots);
    assert!(table.stacks.iter().any(|stack| stack == "esp32c3_mbedtls"), "{:?}", table.stacks);
    let ran = table.rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.weight() > Weight::Empty).count();
    assert!(ran > 200, "only {ran} cells");
    // The findings of the README are in it.
    let finding = table.rows.iter().find(|row| row.scenario == "trust/verify_off_and_unknown_ca").expect("it exists");
    assert_eq!(finding.weight(), Weight::Insecure);
}

#[test]
fn a_report_makes_the_same_table_as_its_snapshots() {
    let transcript = "scenario   identity/x seed 1\nfirmware   esp32c3_mbedtls 1\n\ndevice     heap peak 1 KiB\n\
                      ending     connected and did its work — as the specification demands (RFC 9525 §6)";
    let row = |scenario: &str, ending| report::model::Row {
        ending: Some(ending),
        transcript: transcript.into(),
        ..report::model::Row::new(scenario, "a", Demand::Either)
    };
    let rows = vec![row("identity/x", Ending::AsExpected), row("identity/y", Ending::NotApplicable("no name".into()))];
    let snapshots = table::of_report(report::model::Run::new(Vec::new(), rows));
    assert!(snapshots.filed[&("identity/x".to_owned(), "a".to_owned())].reviewed.is_well());
    assert_eq!(snapshots.excuses[&("identity/y".to_owned(), "a".to_owned())], "no name");
}
