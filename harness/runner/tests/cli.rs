//! The command line as a person or a CI job meets it: exit codes, reports, refusals, Ctrl-C.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use runner::exit;
use tempfile::TempDir;

use support::{ends_with, root, words};

/// `cargo xtask hil --board esp32c3` on one stack, with everything that is written in a folder of its own.
fn hil(folder: &TempDir) -> Command {
    let mut command = hil_on_all(folder);
    command.args(["--stack", "esp32c3_mbedtls"]);
    command
}

/// The same on every stack.
fn hil_on_all(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command
        .args(["hil", "--board", "esp32c3"])
        .arg("--artefacts")
        .arg(folder.path().join("artefacts"))
        .env("SHAKEDOWN_ROOT", root());
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a temporary folder")
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_that_helps() {
    let output = hil(&folder()).arg("identity/san_dns_dialled_by_nmae").output().unwrap();
    ends_with(&output, exit::NOTHING_SELECTED, "did you mean `identity/san_dns_dialled_by_name`");
}

#[test]
fn a_board_that_is_not_there_is_the_benchs_failure() {
    let output = hil(&folder()).args(["--on", "hardware", "identity"]).output().unwrap();
    ends_with(&output, exit::BENCH_FAILED, "the bench failed: no board");
}

#[test]
fn a_word_that_nobody_knows_is_a_usage_error() {
    ends_with(&hil(&folder()).arg("--sed").output().unwrap(), exit::USAGE, "--seed");
    ends_with(&hil(&folder()).args(["--seed", "xyz"]).output().unwrap(), exit::USAGE, "hexadecimal");
    ends_with(&hil(&folder()).args(["--report", "pdf=x"]).output().unwrap(), exit::USAGE, "json=FILE, junit=FILE");
}

#[test]
#[cfg(not(feature = "compiled"))]
fn who_asks_for_a_compiler_that_is_not_built_in_is_told_how_to_have_it() {
    let output = hil(&folder()).args(["--execution", "compiled", "identity/san_ip"]).output().unwrap();
    ends_with(&output, exit::USAGE, "--features compiled");
}

#[test]
fn every_wrong_scenario_file_is_named_with_its_line() {
    let own = folder();
    let scenarios = own.path().join("scenarios/mqtt");
    fs::create_dir_all(&scenarios).unwrap();
    fs::write(scenarios.join("one.toml"), "title = \"x\"\ntitel = \"y\"\n").unwrap();
    fs::write(scenarios.join("two.toml"), "title = \n").unwrap();
    let output = hil(&own).arg("--scenarios").arg(own.path().join("scenarios")).output().unwrap();
    ends_with(&output, exit::USAGE, "one.toml:2");
    ends_with(&output, exit::USAGE, "two.toml:1");
    ends_with(&output, exit::USAGE, "unknown field `titel`");
}

#[test]
fn the_list_names_scenarios_and_runs_nothing() {
    let own = folder();
    let output = hil(&own).args(["--list", "transport/nxdomain"]).output().unwrap();
    ends_with(&output, exit::AS_EXPECTED, "[K11]");
    assert!(!own.path().join("artefacts").exists());
}

#[test]
fn a_stack_that_nobody_knows_is_a_usage_error_that_names_those_there_are() {
    let output = hil_on_all(&folder()).args(["--stack", "nodemcu", "nxdomain"]).output().unwrap();
    ends_with(&output, exit::USAGE, "there is no stack `nodemcu`, did you mean `nodemcu_");
}

#[test]
fn a_flashing_process_that_is_not_there_or_not_one_is_the_benchs_failure() {
    let flash = |program: Option<&str>| {
        let mut command = hil(&folder());
        command.args(["--flash", "probe", "nxdomain"]).env_remove("SHAKEDOWN_PROBE");
        if let Some(program) = program {
            command.env("SHAKEDOWN_PROBE", program);
        }
        command.output().unwrap()
    };
    ends_with(&flash(None), exit::BENCH_FAILED, "`cargo xtask` builds it");
    ends_with(&flash(Some("/no/such/probe")), exit::BENCH_FAILED, "`/no/such/probe` does not start");
    // It ends at once, and says nothing.
    ends_with(&flash(Some("true")), exit::BENCH_FAILED, "the flashing process ended");
}

/// An own firmware with an own dialect: what is released under another name.
fn own_firmware(own: &TempDir, dialect: &str) -> Vec<String> {
    let path = |name: &str| own.path().join(name).display().to_string();
    let released = root().join("firmware-under-test/images/esp32c3_mbedtls.elf");
    fs::copy(released, own.path().join("mine.elf")).expect("the image is released");
    fs::write(own.path().join("mine.toml"), dialect).unwrap();
    [
        "--image",
        &path("mine.elf"),
        "--dialect",
        &path("mine.toml"),
        "--captures",
        &path("captures"),
        "--scenarios",
        &path("scenarios"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn scenario(own: &TempDir, name: &str, text: &str) {
    let file = own.path().join("scenarios").join(name).with_extension("toml");
    fs::create_dir_all(file.parent().expect("a folder")).unwrap();
    fs::write(file, text).unwrap();
}

fn released_scenario(own: &TempDir, name: &str) {
    let text = fs::read_to_string(root().join("scenarios").join(name).with_extension("toml")).unwrap();
    scenario(own, name, &text);
}

const DIALECT: &str = r#"
stack = "mine"
[profiles.product]
title = "The product"
models = "nothing but this test"
plan = { connect_timeout_ms = 1_000 }
[profiles.product.not_applicable]
"transport/servfail" = "it has no resolver"
[[profiles.product.words]]
name = "DNS_*"
says = "errno {code} at {stage}"
[profiles.product_of_others]
title = "Another"
models = "nothing but this test"
scenarios = ["transport/port_closed"]
"#;

#[test]
fn a_profile_is_a_stack_with_words_and_excuses_of_its_own() {
    let own = folder();
    let arguments = own_firmware(&own, DIALECT);
    released_scenario(&own, "transport/nxdomain");
    released_scenario(&own, "transport/servfail");
    let json = own.path().join("out.json");
    let run = |more: &[&str]| hil_on_all(&own).args(&arguments).args(more).output().unwrap();
    let report = format!("json={}", json.display());
    ends_with(&run(&["--accept", "--report", &report]), exit::AS_EXPECTED, "3 as expected · 1 not applicable");
    let snapshot = fs::read_to_string(own.path().join("captures/transport/nxdomain.product.snap")).unwrap();
    assert!(snapshot.contains("platform says errno 0 at resolve"), "{snapshot}");
    assert!(snapshot.contains("stack      product"), "{snapshot}");
    let plain = fs::read_to_string(own.path().join("captures/transport/nxdomain.mine.snap")).unwrap();
    assert!(!plain.contains("platform says") && !plain.contains("stack      "), "{plain}");
    assert!(!own.path().join("captures/transport/servfail.product.snap").exists());
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let row =
        |stack: &str, scenario: &str| rows.iter().find(|row| row["stack"] == stack && row["scenario"] == scenario);
    assert_eq!(row("product", "transport/nxdomain").unwrap()["happening"]["platform_words"], "errno 0 at resolve");
    assert_eq!(row("product", "transport/servfail").unwrap()["reason"], "it has no resolver");
    assert!(row("product_of_others", "transport/nxdomain").is_none(), "it is not asked");
    ends_with(&run(&["--stack", "product_of_others"]), exit::NOTHING_SELECTED, "is asked any of these scenarios");
    ends_with(&run(&["--verbose"]), exit::AS_EXPECTED, "it has no resolver");
}

/// Folders of other names than the bench's own are nobody's in particular.
#[test]
fn in_folders_of_other_names_every_stack_is_asked_and_none_rewrites_the_scenario() {
    let own = folder();
    let more = r#"
[profiles.limited]
title = "Limited"
models = "nothing but this test"
scenarios = ["transport/port_closed"]
limit = "one hello"
[profiles.fixed]
title = "Fixed"
models = "nothing but this test"
scenarios = []
plan = { handshake_timeout_ms = 5_000, tls = { groups = [23], version_max = 0x0303 } }
"#;
    let arguments = own_firmware(&own, &format!("{DIALECT}{more}"));
    let nxdomain = fs::read_to_string(root().join("scenarios/transport/nxdomain.toml")).unwrap();
    for (name, asks) in [
        ("fleet/plain", ""),
        ("fleet/groups", "[device]\ngroups = ['secp256r1', 'x25519']"),
        ("fleet/another_group", "[device]\ngroups = ['x25519']"),
        ("fleet/versions", "[device]\nversions = ['1.3']"),
        ("fleet/patience", "[device]\nhandshake_timeout_ms = 1_000"),
    ] {
        scenario(&own, name, &format!("{nxdomain}\n{asks}\n"));
    }
    let json = own.path().join("out.json");
    let report = format!("json={}", json.display());
    let output = hil_on_all(&own).args(&arguments).args(["--report", &report]).output().unwrap();
    // Five scenarios on five stacks: all five of one that says what its limit is, and three that one cannot be.
    ends_with(&output, exit::AS_EXPECTED, "0 as expected · 17 new · 8 not applicable");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let reason = |stack: &str, scenario: &str| {
        let rows = json["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["stack"] == stack && row["scenario"] == scenario).expect(scenario);
        row["reason"].as_str().map(str::to_owned)
    };
    let outside = "outside what this profile models: Limited stands for one hello";
    assert_eq!(reason("limited", "fleet/plain").as_deref(), Some(outside));
    for (scenario, why) in [
        ("fleet/plain", None),
        ("fleet/groups", None),
        ("fleet/another_group", Some("Fixed has none of what the scenario asks for in `device.groups`")),
        ("fleet/versions", Some("Fixed has none of what the scenario asks for in `device.versions`")),
        ("fleet/patience", Some("Fixed fixes `device.handshake_timeout_ms` at 5000, and the scenario asks for 1000")),
    ] {
        assert_eq!(reason("fixed", scenario).as_deref(), why, "{scenario}");
        assert_eq!(reason("product_of_others", scenario), None, "{scenario}");
    }
}

#[test]
fn what_is_new_and_insecure_fails_until_it_is_known() {
    let own = folder();
    let text = fs::read_to_string(root().join("scenarios/validity/expired_leaf.toml")).unwrap();
    scenario(&own, "fleet/lax", &format!("{text}\n[device]\nverify = 'none'\n"));
    scenario(&own, "fleet/strict", &text);
    let known = own.path().join("known.toml");
    let path = |name: &str| own.path().join(name).display().to_string();
    let run = |more: &[&str]| {
        let folders = ["--scenarios", &path("scenarios"), "--captures", &path("captures")];
        hil(&own).args(folders).args(more).output().unwrap()
    };
    ends_with(&run(&["fleet/strict"]), exit::AS_EXPECTED, "1 new");
    let output = run(&[]);
    ends_with(&output, exit::OTHERWISE, "new, and ACCEPTS WHAT IT MUST REFUSE");
    ends_with(&output, exit::OTHERWISE, "2 new; among them 1 accept what they must refuse · 1 fail the run");
    let entry = |until: &str| {
        format!(
            "[[known]]\nscenario = \"fleet/lax\"\nreason = \"a test\"\nlink = \"https://example.org\"\nuntil = {until}\n"
        )
    };
    fs::write(&known, entry("2999-12-31")).unwrap();
    let file = known.display().to_string();
    ends_with(&run(&["--known-findings", &file]), exit::AS_EXPECTED, "known until 2999-12-31: a test");
    // Reviewed, it is as expected, but never plainly; and whoever denies it, does.
    ends_with(&run(&["--accept"]), exit::AS_EXPECTED, "2 as expected");
    ends_with(&run(&[]), exit::AS_EXPECTED, "as expected, but ACCEPTS WHAT IT MUST REFUSE");
    let junit = path("out.xml");
    let denied = run(&["--deny", "insecure", "--report", &format!("junit={junit}")]);
    ends_with(&denied, exit::OTHERWISE, "ACCEPTS WHAT IT MUST REFUSE (--deny insecure)");
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\""), "{xml}");
    ends_with(&run(&["--deny", "insecure", "--known-findings", &file]), exit::AS_EXPECTED, "1 known");
    fs::write(&known, entry("2020-01-01")).unwrap();
    let over = run(&["--deny", "insecure", "--known-findings", &file]);
    ends_with(&over, exit::OTHERWISE, "that it is known counted until 2020-01-01: a test");
}

/// Whatever keeps a device from a fault is neither green nor a finding, is not to be accepted, and is new all the same.
#[test]
fn what_never_met_its_fault_is_new_and_neither_green_nor_accepted() {
    let own = folder();
    let text = |demands: &str, rest: &str| {
        format!("title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 5280 §6.1.3'\nquote = 'x'\n{rest}\n")
    };
    let mark = "[fault]\nwho = 'broker'\nsaid = 'Certificate'";
    let typo = format!("{mark}\n[pki.leaf]\nnot_after = '-1d'\n[device]\ndials = 'brokr.test'");
    let cut = "[network]\ncut = { how = 'reset', from = 'broker', after_bytes = 900000 }";
    let patient = "[broker]\non_client_hello = 'silence'\n[device]\nhandshake_timeout_ms = 100000";
    for (name, text) in [
        ("fleet/typo", text("refuse", &typo)),
        ("fleet/resolver", text("refuse", "[network]\nresolver = 'nxdomain'")),
        ("fleet/cut", text("refuse", cut)),
        ("fleet/ping", text("fail", "[broker.mqtt]\non_ping = 'silence'")),
        ("fleet/limit", format!("limit_s = 5\n{}", text("fail", patient))),
    ] {
        scenario(&own, name, &text);
    }
    let path = |name: &str| own.path().join(name).display().to_string();
    let junit = path("out.xml");
    let folders = ["--scenarios", &path("scenarios"), "--captures", &path("captures"), "--accept"];
    let output = hil(&own).args(folders).args(["--report", &format!("junit={junit}")]).output().unwrap();
    for said in [
        "fleet/typo on esp32c3_mbedtls: new, and never met the fault: it ended before any `broker Certificate`",
        "new, and never met the fault: it ended before the broker said a word",
        "new, and never met the fault: no connection came so far that it was cut, behind 900000 bytes",
        "new, and never met the fault: the broker never came to enact `on_ping`",
        "new, and undecided: stopped at the bench's limit of 5 s at hello",
        "0 as expected · 5 new; among them 5 fail the run",
    ] {
        ends_with(&output, exit::OTHERWISE, said);
    }
    assert!(!words(&output).contains("Security"), "{}", words(&output));
    assert!(!words(&output).contains("otherwise than expected"), "{}", words(&output));
    let kept = fs::read_dir(own.path().join("captures/fleet")).unwrap();
    let kept = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let kept: Vec<String> = kept.filter(|name| name.ends_with(".snap")).collect();
    assert!(kept.is_empty(), "{kept:?}");
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"5\" skipped=\"0\" failures=\"5\" errors=\"0\""), "{xml}");
}

#[test]
fn nothing_is_in_quarantine_on_a_chip_in_this_process() {
    let output = hil(&folder()).args(["--quarantine-verify", "--on", "emulator"]).output().unwrap();
    ends_with(&output, exit::NOTHING_SELECTED, "nothing of this is in quarantine");
    ends_with(&hil(&folder()).args(["--jobs", "0"]).output().unwrap(), exit::USAGE, "give 1 or more");
}

#[test]
fn a_whole_name_means_that_scenario_alone() {
    let output = hil(&folder()).args(["--list", "validity/expired_leaf"]).output().unwrap();
    ends_with(&output, exit::AS_EXPECTED, "validity/expired_leaf ");
    assert!(!words(&output).contains("expired_leaf_dates_not_checked"), "{}", words(&output));
}

#[test]
fn a_dialect_that_is_wrong_is_refused_with_its_line() {
    let own = folder();
    let arguments = own_firmware(&own, &DIALECT.replace("connect_timeout_ms", "conect_timeout_ms"));
    released_scenario(&own, "transport/nxdomain");
    let output = hil_on_all(&own).args(&arguments).output().unwrap();
    ends_with(&output, exit::USAGE, "a plan has no key `conect_timeout_ms`");
    ends_with(&output, exit::USAGE, "mine.toml:6");
}

#[test]
fn a_device_cannot_dodge_a_question_unless_that_is_on_record() {
    let own = folder();
    let arguments = own_firmware(&own, "stack = \"mine\"\n");
    let asked = fs::read_to_string(root().join("scenarios/transport/port_closed.toml")).unwrap();
    // Mbed TLS has no means to ask for fragment lengths on a connection of their own.
    let dodged = format!("{asked}\n[device]\nprobes_fragment_length = true\n");
    let run = |more: &[&str]| hil_on_all(&own).args(&arguments).args(more).output().unwrap();
    // Who was never asked before may say so.
    scenario(&own, "transport/port_closed", &dodged);
    ends_with(&run(&[]), exit::AS_EXPECTED, "1 not applicable");
    ends_with(&run(&["--deny", "new"]), exit::OTHERWISE, "that is not on record");
    // Who has answered before may not.
    scenario(&own, "transport/port_closed", &asked);
    ends_with(&run(&["--accept"]), exit::AS_EXPECTED, "1 as expected");
    scenario(&own, "transport/port_closed", &dodged);
    ends_with(&run(&[]), exit::OTHERWISE, "that is not on record");
    ends_with(&run(&["--accept"]), exit::AS_EXPECTED, "1 not applicable");
    let record = own.path().join("captures/not_applicable.mine.snap");
    let written = fs::read_to_string(&record).unwrap();
    assert!(written.contains("\ntransport/port_closed: "), "{written}");
    ends_with(&run(&[]), exit::AS_EXPECTED, "1 not applicable");
    // Another reason is another excuse.
    fs::write(&record, written.replace("transport/port_closed: ", "transport/port_closed: no ")).unwrap();
    ends_with(&run(&[]), exit::OTHERWISE, "on record is another reason");
    // And who can do it after all has no excuse on record.
    scenario(&own, "transport/port_closed", &asked);
    ends_with(&run(&[]), exit::OTHERWISE, "it is, and `--accept` takes that note");
    ends_with(&run(&["--accept"]), exit::AS_EXPECTED, "1 as expected");
    assert!(!record.exists());
}

#[test]
fn somebody_elses_scenarios_are_new_until_accepted_and_as_expected_afterwards() {
    let own = folder();
    let scenarios = own.path().join("scenarios/transport");
    fs::create_dir_all(&scenarios).unwrap();
    fs::copy(root().join("scenarios/transport/nxdomain.toml"), scenarios.join("nxdomain.toml")).unwrap();
    let run = |more: &[&str]| {
        hil(&own)
            .arg("--scenarios")
            .arg(own.path().join("scenarios"))
            .arg("--captures")
            .arg(own.path().join("captures"))
            .args(more)
            .output()
            .unwrap()
    };
    ends_with(&run(&[]), exit::AS_EXPECTED, "0 as expected · 1 new —");
    ends_with(&run(&["--deny", "new"]), exit::OTHERWISE, "new (--deny new)");
    let pending = own.path().join("captures/transport/nxdomain.esp32c3_mbedtls.snap.new");
    assert!(pending.exists(), "what happened waits for review");
    ends_with(&run(&["--accept"]), exit::AS_EXPECTED, "1 as expected");
    assert!(!pending.exists(), "what was accepted waits no longer");
    ends_with(&run(&[]), exit::AS_EXPECTED, "1 as expected");
    // Another seed changes times and ports, not who says what; and is told.
    let other = run(&["--seed", "beef"]);
    ends_with(&other, exit::AS_EXPECTED, "1 as expected");
    ends_with(&other, exit::AS_EXPECTED, "snapshots were recorded with another seed: 5eed, this is beef");
    // What agrees is left alone, to the byte.
    let snapshot = own.path().join("captures/transport/nxdomain.esp32c3_mbedtls.snap");
    let reviewed = fs::read_to_string(&snapshot).unwrap();
    assert!(!reviewed.contains("5eed") && !reviewed.contains("0.1.0"), "{reviewed}");
    let packets = own.path().join("captures/transport/nxdomain.esp32c3_mbedtls.pcapng");
    let kept = fs::read(&packets).unwrap();
    ends_with(&run(&["--accept", "--seed", "beef"]), exit::AS_EXPECTED, "1 as expected");
    assert!(fs::read_to_string(&snapshot).unwrap() == reviewed && fs::read(&packets).unwrap() == kept);
    // And a snapshot that says otherwise is not papered over.
    fs::write(&snapshot, reviewed.replace("NXDOMAIN", "SERVFAIL")).unwrap();
    ends_with(&run(&[]), exit::OTHERWISE, "+");
}

#[test]
fn the_same_image_scenario_and_seed_give_the_same_bytes_whatever_the_jobs() {
    let (one, two) = (folder(), folder());
    for (own, jobs) in [(&one, "1"), (&two, "2")] {
        // Losses, doubles and damage draw most from the seed.
        hil(own).args(["--jobs", jobs, "transport/", "--seed", "1"]).output().unwrap();
    }
    let mut compared = 0;
    for entry in fs::read_dir(one.path().join("artefacts/transport")).unwrap() {
        let file = entry.unwrap().path();
        let other = two.path().join("artefacts/transport").join(file.file_name().unwrap());
        assert!(fs::read(&file).unwrap() == fs::read(&other).unwrap(), "{} differs", file.display());
        compared += 1;
    }
    assert!(compared >= 40, "only {compared} files");
}

#[test]
fn packets_of_any_stack_can_be_made_again() {
    let own = folder();
    let make = |name: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["capture", "make"]).args(more).arg("--output").arg(own.path().join(name));
        command.env("SHAKEDOWN_ROOT", root()).output().unwrap()
    };
    for name in ["one.pcapng", "two.pcapng"] {
        let output = make(name, &["validity/expired_leaf", "--stack", "arduino_esp8266"]);
        ends_with(&output, exit::AS_EXPECTED, "device refused at certificate");
    }
    let one = fs::read(own.path().join("one.pcapng")).unwrap();
    assert!(one == fs::read(own.path().join("two.pcapng")).unwrap(), "the same image, scenario and seed");
    let comment = capture::read(&one, "").unwrap().comment.unwrap();
    let manifest = fs::read_to_string(root().join("firmware-under-test/images/esp32c3_bearssl.toml")).unwrap();
    let sha256 = manifest.split_once("\nsha256 = \"").and_then(|(_, rest)| rest.get(..64)).unwrap();
    assert!(comment.contains(sha256), "{comment}");
    // Without a stack it is the one whose packets are kept.
    ends_with(&make("three.pcapng", &["no_sni_alert_unrecognized_name"]), exit::AS_EXPECTED, "three.pcapng");
    for (arguments, exit, said) in [
        (vec!["expired"], exit::USAGE, "give one of them whole"),
        (vec!["expired_laef"], exit::NOTHING_SELECTED, "did you mean"),
        (vec!["validity/expired_leaf", "--stack", "x"], exit::USAGE, "there is no stack `x`"),
        (vec!["versions/downgrade_sentinel", "--stack", "esp32c3_bearssl"], exit::USAGE, "not applicable"),
        (vec!["versions/dh_parameters_real_mosquitto"], exit::USAGE, "never the same twice"),
    ] {
        ends_with(&make("not.pcapng", &arguments), exit, said);
    }
    assert!(!own.path().join("not.pcapng").exists());
}

#[test]
fn reports_say_what_the_table_says() {
    let own = folder();
    let (json, junit) = (own.path().join("reports/out.json"), own.path().join("reports/out.xml"));
    let report = format!("json={},junit={}", json.display(), junit.display());
    hil(&own).args(["transport/nxdomain", "identity/no_sni_right", "--report", &report]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let device = |row: &serde_json::Value| row["happening"]["device_words"].as_str().unwrap_or_default().to_owned();
    assert!(rows.iter().any(|row| device(row).contains("NXDOMAIN")), "{json:#}");
    assert!(fs::read_to_string(junit).unwrap().contains("classname=\"transport\""));
}

#[cfg(unix)]
#[test]
fn an_interruption_leaves_a_report_of_what_was_finished() {
    let own = folder();
    let json = own.path().join("out.json");
    let mut child = hil(&own)
        .args(["--jobs", "1", "--report", &format!("json={}", json.display())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
    progress.next().expect("progress is told").unwrap();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    // Nobody may be left writing into a closed pipe.
    progress.for_each(drop);
    let output = child.wait_with_output().unwrap();
    ends_with(&output, exit::INTERRUPTED, "not run: interrupted");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let (ran, not_run): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["not_run"].is_null());
    assert!(!ran.is_empty() && !not_run.is_empty(), "{} ran, {} did not", ran.len(), not_run.len());
    assert!(not_run[0]["not_run"]["why"].as_str().unwrap().contains("interrupted"), "{}", not_run[0]);
}
