//! The matrix of what is on record, and of reports: what stacks are excused from, and what is no report.

mod support;

use explain::matrix::table::{self, Table};
use explain::snapshots::Snapshots;
use runner::reports;
use runner::stack;
use scenario::library;

use support::root;

#[test]
fn what_a_dialect_or_a_scenario_excuses_is_not_applicable_with_its_reason() {
    let scenarios = library::read(&root().join("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    let mut snapshots = Snapshots::read(&root().join("captures")).unwrap_or_else(|why| panic!("{why}"));
    let stacks = stack::known(&root()).unwrap_or_else(|why| panic!("{why}"));
    snapshots.add(stack::not_applicable(&stacks, &scenarios));
    let table = Table::new(&scenarios, &snapshots);
    let column = |name: &str| table.stacks.iter().position(|stack| stack == name).expect(name);
    let cell = |scenario: &str, stack: &str| {
        let row = table.rows.iter().find(|row| row.scenario == scenario).expect(scenario);
        &row.cells[column(stack)]
    };
    let words = |scenario: &str, stack: &str| match cell(scenario, stack) {
        table::Cell::NotApplicable(why) => why.clone(),
        other => panic!("{scenario} on {stack}: {other:?}"),
    };
    // Derived from what the stack cannot speak (`judge::out_of_reach`); and of a profile, in
    // firmware-under-test/esp32c3_mbedtls2/dialect.toml.
    assert_eq!(
        words("versions/downgrade_sentinel", "esp32c3_mbedtls2"),
        "the rule is for clients that offer TLS 1.3, and the device offers no TLS 1.3"
    );
    assert_eq!(words("sni/alpn_agreed", "nodemcu_3"), "NodeMCU has no way to offer ALPN");
    // Nothing is empty but what a profile for one document is not asked, and what controls have no part in.
    let has_run = |row: &&table::Row| row.cells.iter().any(|cell| matches!(cell, table::Cell::Ran(_)));
    for row in table.rows.iter().filter(has_run) {
        let scenario = scenarios.iter().find(|scenario| scenario.name == row.scenario).expect("a row's scenario");
        for stack in &stacks {
            let is_empty = matches!(row.cells[column(&stack.name)], table::Cell::Empty);
            let is_asked = stack.applicability(scenario) != stack::Applicability::NotAsked;
            assert!(!(is_empty && is_asked), "{} on {}", row.scenario, stack.name);
        }
    }
}

#[test]
fn a_report_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("x.json");
    for (text, words) in [("{}", "no `schema`"), ("nonsense", "x.json")] {
        std::fs::write(&file, text).expect("it can be written");
        let why = reports::read(&file).expect_err("no report");
        assert!(why.message.contains(words), "{why}");
    }
}
