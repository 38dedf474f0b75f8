use super::*;
use crate::Scenario;

const HEAD: &str = "title = 't'\nspecification = { demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }\n";

#[test]
fn an_old_scenario_is_read_as_a_new_one_and_its_author_is_told_the_line() {
    let line = "lose = [{ from = 'device', packet = 3 }]";
    let parsed = |line: &str| Scenario::parse("x/y", "x.toml", &format!("{HEAD}[network]\n{line}\n")).unwrap();
    let (old, new) = (parsed(line), parsed(&line.replace("lose", "lost_packets")));
    assert_eq!(old.network, new.network);
    assert_eq!(old.network.lost_packets.len(), 1);
    assert!(new.notices.is_empty());
    let [notice] = &old.notices[..] else { panic!("{:?}", old.notices) };
    assert_eq!((notice.file.as_str(), notice.line), ("x.toml", 4));
    assert_eq!(notice.remedy, Remedy::Write("lost_packets = [{ from = 'device', packet = 3 }]".into()));
    assert!(notice.to_string().contains("x.toml:4: `lose`"), "{notice}");
}

/// The key is renamed, and not what looks like it before.
#[test]
fn the_line_to_write_is_the_line_with_that_key_renamed() {
    let lost = "[{ from = 'device', packet = 3 }]";
    for (line, write) in [
        (format!("network.lose = {lost}"), format!("network.lost_packets = {lost}")),
        (
            format!("network = {{ \"lose\" = {lost} }} # lose"),
            format!("network = {{ \"lost_packets\" = {lost} }} # lose"),
        ),
        (
            format!("network = {{ hosts = {{ 'lose.test' = ['192.0.2.1'] }}, lose = {lost} }}"),
            format!("network = {{ hosts = {{ 'lose.test' = ['192.0.2.1'] }}, lost_packets = {lost} }}"),
        ),
    ] {
        let old = Scenario::parse("x/y", "x.toml", &format!("{HEAD}{line}\n")).unwrap();
        let new = Scenario::parse("x/y", "x.toml", &format!("{HEAD}{write}\n")).unwrap();
        assert_eq!(old.network, new.network);
        let [notice] = &old.notices[..] else { panic!("{line}: {:?}", old.notices) };
        assert_eq!((notice.line, &notice.remedy), (3, &Remedy::Write(write)), "{line}");
    }
}

#[test]
fn what_a_report_says_reaches_no_terminal_as_control() {
    let text = "{ \"profiles\": { \"b\": { \"words\": { \"fits\": \"\u{9b}31m\u{7f}\" } } } }";
    let (_, notices) = in_json(text, DEEP, "r.json");
    assert_eq!(notices.len(), 1);
    let Remedy::Write(write) = &notices[0].remedy else { panic!("{notices:?}") };
    assert!(write.contains("\"when\"") && !write.contains(char::is_control), "{write:?}");
}

/// Both names at once are a contradiction, which the reader of the new one refuses.
#[test]
fn both_names_at_once_are_refused() {
    let text = format!("{HEAD}[network]\nlose = []\nlost_packets = []\n");
    let problem = Scenario::parse("x/y", "x.toml", &text).expect_err("which of them?");
    assert!(problem.message.contains("unknown field `lose`"), "{problem}");
}

const DEEP: &[Renamed] = &[Renamed { path: &["profiles", "*", "words"], was: "fits", is: "when" }];

#[test]
fn tables_of_any_name_and_lists_of_tables_are_looked_through() {
    let text = "[profiles.a]\nfits = 1\n[[profiles.b.words]]\nfits = 2\n[[profiles.b.words]]\nwhen = 3\n";
    let mut table = DeTable::parse(text).unwrap().into_inner();
    let notices = in_toml(&mut table, DEEP, "d.toml", text);
    assert_eq!(
        notices.iter().map(|notice| (notice.line, notice.remedy.clone())).collect::<Vec<_>>(),
        [(4, Remedy::Write("when = 2".into()))]
    );
    let read = format!("{table:?}");
    assert_eq!(read.matches("fits").count(), 1, "the one that is elsewhere: {read}");
}

#[test]
fn a_report_is_renamed_alike() {
    let text = r#"{ "profiles": { "b": { "words": [{ "fits": 2 }, { "fits": 3 }] } }, "fits": 1 }"#;
    let (renamed, notices) = in_json(text, DEEP, "r.json");
    let value: serde_json::Value = serde_json::from_str(&renamed).unwrap();
    assert_eq!(
        value,
        serde_json::json!({ "profiles": { "b": { "words": [{ "when": 2 }, { "when": 3 }] } }, "fits": 1 })
    );
    assert_eq!(notices.len(), 1, "{notices:?}");
    for untouched in ["no JSON: \"fits\"", r#"{ "profiles": 1 }"#] {
        assert_eq!(in_json(untouched, DEEP, "r.json"), (untouched.into(), Vec::new()));
    }
}
