use super::patch::Patch;
use super::*;
use control::{Failure, Plan};
use outcome::Stage;
use serde_json::json;

const DIALECT: &str = r#"
stack = "Mbed TLS 2.28.10"

[not_applicable]
"modem/" = "no second line"
"modem/at_echo_on" = "no echo"

[[words]]
says = "{name} ({code_hex})"

[profiles.nodemcu_3]
title = "NodeMCU 3.0"
models = "app/modules/tls.c of the release 3.0"
scenarios = ["identity/", "mqtt/keep_alive_0"]
plan_without = ["tls.alpn"]
plan = { reply_timeout_ms = 5_000, tls = { checks_dates = false, version_max = 0x0303 } }

[profiles.nodemcu_3.not_applicable]
"identity/san_ip" = "why not"

[[profiles.nodemcu_3.words]]
from = "hello"
to = "login"
failed_allocation = true
says = "E:M {failed_allocation_bytes}, then -5"

[[profiles.nodemcu_3.words]]
connack = [4, 5]
says = "{code}"

[[profiles.nodemcu_3.words]]
flag = "MBEDTLS_X509_BADCERT_CN*"
says = "{{CN}} {flags}"

[[profiles.nodemcu_3.words]]
to = "login"
says = "-5"
"#;

fn failure() -> Failure {
    Failure {
        stage: Stage::Certificate,
        class: outcome::FailureClass::Tls,
        alert_received: None,
        code: -0x2700,
        name: "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED".into(),
        verify_flags: 4,
        verify_flag_names: vec!["MBEDTLS_X509_BADCERT_CN_MISMATCH".into()],
        failed_allocation_bytes: None,
        at_ms: 0,
    }
}

#[test]
fn the_first_rule_that_fits_speaks() {
    let dialect = Dialect::parse("dialect.toml", DIALECT).unwrap_or_else(|problem| panic!("{problem}"));
    let profile = &dialect.profiles["nodemcu_3"];
    let says = |failure: &Failure| words::say(&profile.words, failure);
    let out_of_memory = Failure { failed_allocation_bytes: Some(544), ..failure() };
    assert_eq!(says(&out_of_memory).as_deref(), Some("E:M 544, then -5"));
    assert_eq!(says(&failure()).as_deref(), Some("{CN} MBEDTLS_X509_BADCERT_CN_MISMATCH"));
    let refused = |code| Failure { stage: Stage::Login, code, name: "CONNACK_REFUSED".into(), ..failure() };
    assert_eq!(says(&refused(5)).as_deref(), Some("5"));
    let elsewhere = Failure { stage: Stage::Exchange, verify_flag_names: vec![], ..failure() };
    assert_eq!(says(&elsewhere), None);
    assert_eq!(
        words::say(&dialect.words, &failure()).as_deref(),
        Some("MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700)")
    );
}

#[test]
fn folders_and_names_are_told_apart_and_the_particular_reason_counts() {
    let dialect = Dialect::parse("dialect.toml", DIALECT).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(excuse(&dialect.not_applicable, "modem/at_echo_on"), Some("no echo"));
    assert_eq!(excuse(&dialect.not_applicable, "modem/other"), Some("no second line"));
    assert_eq!(excuse(&dialect.not_applicable, "modems/other"), None);
    let profile = &dialect.profiles["nodemcu_3"];
    assert!(profile.is_asked("identity/x") && profile.is_asked("mqtt/keep_alive_0"));
    assert!(!profile.is_asked("mqtt/keep_alive_0_refused"));
}

fn plan(tls: serde_json::Value) -> Plan {
    serde_json::from_value(json!({
        "network": {
            "ipv4": "192.0.2.20", "ipv4_prefix_bits": 24, "ipv4_gateway": "192.0.2.1", "dns": "192.0.2.1",
            "mtu_bytes": 1500,
        },
        "broker_host": "broker.test", "broker_port": 8883, "tls": tls, "mqtt": { "client_id": "x" },
    }))
    .expect("a plan")
}

#[test]
fn a_profile_changes_what_it_names_and_nothing_else() {
    let dialect = Dialect::parse("dialect.toml", DIALECT).unwrap_or_else(|problem| panic!("{problem}"));
    let patch = dialect.profiles["nodemcu_3"].patch();
    let before = plan(json!({ "alpn": ["mqtt"], "server_name": "broker.test" }));
    let after = patch.apply(before.clone()).unwrap();
    let tls = after.tls.as_ref().expect("it speaks TLS still");
    assert_eq!((tls.checks_dates, tls.version_max, tls.alpn.len()), (false, Some(0x0303), 0));
    assert_eq!((tls.server_name.as_deref(), after.reply_timeout_ms), (Some("broker.test"), 5_000));
    assert_eq!(after.mqtt, before.mqtt);
    // A device that speaks MQTT in the clear does not begin to speak TLS.
    let clear = patch.apply(plan(serde_json::Value::Null)).unwrap();
    assert_eq!((clear.tls, clear.reply_timeout_ms), (None, 5_000));
}

#[test]
fn a_patch_replaces_choices_and_lists_as_a_whole() {
    let table = r#"tls = { trust = { fingerprint = "ab" }, cipher_suites = [0x2f] }"#.parse().unwrap();
    let patch = Patch::new(&table, &["heap_cap_bytes".into()]).unwrap();
    let after = patch.apply(plan(json!({ "cipher_suites": [1, 2] }))).unwrap();
    let tls = after.tls.expect("it speaks TLS");
    assert_eq!((tls.trust, tls.cipher_suites), (control::Trust::Fingerprint("ab".into()), vec![0x2f]));
}

/// The dialect with the text `before` replaced wherever it stands, which is wrong then.
#[track_caller]
fn refused(before: &str, after: &str, line_has: &str, said: &str) {
    assert!(DIALECT.contains(before), "{before}");
    let text = DIALECT.replace(before, after);
    let problem = Dialect::parse("dialect.toml", &text).expect_err(said);
    let line = text.lines().nth(problem.line - 1).unwrap_or_default();
    assert!(line.contains(line_has), "line {} is `{line}`: {problem}", problem.line);
    assert!(format!("{problem}").contains(said), "no word of `{said}` in: {problem}");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_a_remedy() {
    refused("models =", "model =", "model =", "unknown field `model`");
    refused("says = \"-5\"", "says = \"-5 {rc}\"", "{rc}", "write one of code, code_hex, name");
    refused("says = \"-5\"", "says = \"-5 {\"", "-5 {", "double the braces");
    refused("failed_allocation = true", "", "E:M", "add `failed_allocation = true`");
    refused("from = \"hello\"", "from = \"goodbye\"", "E:M", "swap `from` and `to`");
    refused("from = \"hello\"", "from = \"helo\"", "helo", "unknown variant `helo`");
    refused("\"why not\"", "\" \"", "san_ip", "say why it cannot be run");
    refused("checks_dates", "checks_date", "plan =", "a plan has no key `tls.checks_date`");
    refused("0x0303", "\"1.2\"", "plan =", "harness/control/src/order.rs");
    refused("\"tls.alpn\"", "\"tls.apln\"", "plan_without", "a plan has no key `tls.apln`");
    refused("title = \"NodeMCU 3.0\"", "title = \"\"", "title", "say what is modelled");
    refused("profiles.nodemcu_3", "profiles.NodeMCU", "NodeMCU", "becomes part of file names");
}

/// What a scenario asks for, what a profile fixes, and what becomes of it.
#[test]
fn a_profile_is_intersected_with_what_a_scenario_asks_for() {
    let plan = |tls: serde_json::Value| -> Plan {
        serde_json::from_value(json!({
            "network": {
                "ipv4": "192.0.2.20", "ipv4_prefix_bits": 24, "ipv4_gateway": "192.0.2.1", "dns": "192.0.2.1",
                "mtu_bytes": 1500,
            },
            "broker_host": "broker.test",
            "broker_port": 8883,
            "tls": tls,
            "mqtt": { "client_id": "x" },
        }))
        .expect("a plan")
    };
    let fixed: toml::Table = toml::from_str(
        "tls = { version_min = 0x0303, version_max = 0x0303, groups = [23, 24], cipher_suites = [0xc02b, 0xc02f], \
         receive_buffer_bytes = 4096, verify = 'none', keeps_session = false }",
    )
    .expect("TOML");
    let without = ["tls.alpn", "tls.authorities", "tls.client_certificate"].map(str::to_owned);
    let patch = Patch::new(&fixed, &without).unwrap_or_else(|unfit| panic!("{unfit:?}"));
    use crate::dialect::patch::Reconciled;
    let reconcile = |asked: serde_json::Value| match patch
        .reconcile(plan(asked), &plan(json!({ "authorities": { "pem": "root" } })))
        .expect("a plan")
    {
        Reconciled::Plan(plan) => Ok(plan),
        Reconciled::Conflict(conflict) => Err(conflict),
    };
    let tls = |asked| reconcile(asked).expect("no conflict").tls.expect("TLS");
    // Who asks for nothing gets the profile's own way.
    let silent = tls(json!({ "authorities": { "pem": "root" } }));
    assert_eq!((silent.groups, silent.version_min, silent.version_max), (vec![23, 24], Some(0x303), Some(0x303)));
    assert_eq!((silent.receive_buffer_bytes, silent.authorities), (Some(4096), None));
    // In the scenario's order, and nothing that the profile has not.
    assert_eq!(tls(json!({ "groups": [29, 24, 23] })).groups, [24, 23]);
    assert_eq!(tls(json!({ "cipher_suites": [0xc02f, 0x009e] })).cipher_suites, [0xc02f]);
    assert_eq!(tls(json!({ "version_min": 0x0301, "version_max": 0x0304 })).version_max, Some(0x303));
    // Which authority a device would not look at makes no difference.
    assert_eq!(tls(json!({ "authorities": { "pem": "another" } })).authorities, None);
    for (asked, words) in [
        (json!({ "groups": [29] }), "has none of what the scenario asks for in `device.groups`"),
        (json!({ "cipher_suites": [0x002f] }), "has none of what the scenario asks for in `device.cipher_suites`"),
        (json!({ "version_min": 0x0304, "version_max": 0x0304 }), "in `device.versions`"),
        (json!({ "alpn": ["mqtt"] }), "has no means to set `device.alpn`"),
        (json!({ "client_certificate": { "pem": "x" } }), "has no means to set `device.certificates`"),
        (
            json!({ "receive_buffer_bytes": 1024 }),
            "fixes `device.receive_buffer_bytes` at 4096, and the scenario asks for 1024",
        ),
        (json!({ "verify": "optional" }), "fixes `device.verify` at \"none\", and the scenario asks for \"optional\""),
        (json!({ "keeps_session": true }), "fixes `device.keeps_session` at false"),
    ] {
        let conflict = reconcile(asked.clone()).expect_err(words).to_string();
        assert!(conflict.contains(words), "{asked}: {conflict}");
    }
}

#[test]
fn what_is_deeper_than_any_plan_is_refused_and_overflows_nothing() {
    let profile = |more: &str| format!("stack = 'x'\n[profiles.p]\ntitle = 'P'\nmodels = 'm'\n{more}\n");
    let deep = "a.".repeat(12_000) + "a";
    for more in [
        format!("plan_without = ['{deep}']"),
        format!("plan.{deep} = 1"),
        format!("plan.a = {}1{}", "[".repeat(12_000), "]".repeat(12_000)),
        format!("plan = {}{}", "{ a = ".repeat(4_000), "}".repeat(4_000)),
        format!("[profiles.p.plan.{deep}]"),
    ] {
        let problem = Dialect::parse("mine.toml", &profile(&more)).expect_err("no plan is so deep").to_string();
        assert!(problem.contains("mine.toml:"), "{}", problem.chars().take(200).collect::<String>());
    }
}

#[test]
fn the_profiles_of_another_image_are_asked_what_this_image_is_asked() {
    let parse = |text: &str| Dialect::parse("dialect.toml", text).unwrap_or_else(|problem| panic!("{problem}"));
    let profile = |name: &str, more: &str| format!("[profiles.{name}]\ntitle = '{name}'\nmodels = 'M'\n{more}\n");
    let mut mine = parse(&format!("stack = 's'\nprofiles_of = 'other'\nscenarios = ['mqtt/']\n{}", profile("own", "")));
    let other = ["stack = 's'\n".into(), profile("own", "limit = 'x'"), profile("wide", "packets_of = ['s2']")];
    mine.take_profiles(parse(&(other.concat() + &profile("narrow", "scenarios = ['sni/']"))));
    assert_eq!(mine.profiles.keys().collect::<Vec<_>>(), ["narrow", "own", "wide"]);
    let asked = |name: &str, scenario: &str| mine.profiles[name].is_asked(scenario);
    assert!(asked("wide", "mqtt/retained") && !asked("wide", "sni/absent"));
    assert!(asked("narrow", "sni/absent") && !asked("narrow", "mqtt/retained"));
    assert!(mine.profiles["own"].limit.is_none(), "its own stays");
    assert!(mine.profiles["wide"].packets_of.is_empty());
}
