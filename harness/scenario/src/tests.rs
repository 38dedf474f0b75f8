use super::*;

const GOOD: &str = r#"
title = "The certificate names the address that the device dials"
catalogue = ["A01"]

[specification]
demands = "connect"
rule = "RFC 9525 §6.4"
quote = "words"

[device]
dials = "192.0.2.10"
"#;

fn problem(name: &str, text: &str) -> Problem {
    Scenario::parse(name, "scenarios/x.toml", text).expect_err("the file is bad")
}

#[test]
fn a_good_file_reads() {
    let scenario = Scenario::parse("identity/dialled_by_address", "x.toml", GOOD).unwrap();
    assert!(scenario.device.dials_address());
    assert_eq!(scenario.specification.demands, Demand::Connect);
    assert_eq!(scenario.date().seconds, 1_767_225_600);
}

#[test]
fn an_unknown_key_is_refused_at_its_line() {
    let problem = problem("identity/x", &GOOD.replace("dials =", "dails ="));
    assert_eq!(problem.line, 11);
    assert!(problem.message.contains("dails"), "{problem}");
    assert!(problem.to_string().contains("scenarios/x.toml:11"), "{problem}");
}

#[test]
fn a_name_that_contradicts_the_content_is_refused() {
    let problem = problem("identity/dialled_by_name", GOOD);
    assert!(problem.message.contains("dialled_by_name"), "{problem}");
    assert!(problem.remedy.contains("`device.dials` is a name"), "{problem}");
}

#[test]
fn a_row_of_another_group_is_refused_in_a_folder() {
    let problem = problem("mqtt/connack", GOOD);
    assert_eq!(problem.line, 3);
    assert!(problem.message.contains("A01"), "{problem}");
}

#[test]
fn a_rule_without_a_section_is_refused() {
    let problem = problem("identity/x", &GOOD.replace("RFC 9525 §6.4", "RFC 9525"));
    assert_eq!(problem.line, 7);
}

#[test]
fn a_value_that_makes_no_sense_is_refused_at_its_line() {
    let problem = problem("identity/x", &format!("{GOOD}max_fragment_length_bytes = 1000\n"));
    assert_eq!(problem.line, 12);
    assert!(problem.remedy.contains("4096"), "{problem}");
}

#[test]
fn a_name_cannot_leave_its_folder() {
    assert!(problem("../../etc/passwd", GOOD).message.contains("no name"));
}

#[test]
fn a_certificate_that_nobody_describes_is_refused() {
    let problem = problem("identity/x", &format!("{GOOD}trusts = [\"root\", \"other\"]\n"));
    assert_eq!(problem.line, 12);
    assert!(problem.remedy.contains("[pki.other]"), "{problem}");
    Scenario::parse("identity/x", "x.toml", &format!("{GOOD}trusts = [\"other\"]\n[pki.other]\nca = true\n")).unwrap();
}

#[test]
fn a_fault_mark_that_no_transcript_has_is_refused_at_its_line() {
    let problem = problem("identity/x", &format!("{GOOD}[fault]\nwho = \"broker\"\nsaid = \"certificate\"\n"));
    assert_eq!(problem.line, 14);
    assert!(problem.remedy.contains("Certificate"), "{problem}");
}
