//! Host clients meet the scripted broker on a real socket: the controls of every scenario, against their reviewed
//! snapshots. The one inside the bench runs everywhere, programs where they are installed.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod support;

use std::fs;
use std::path::PathBuf;

use outcome::Ending;
use report::model::How;
use rstest::rstest;
use runner::controls::{self, ControlRun, Setting};
use scenario::Scenario;
use scenario::controls::{Control, Expected};
use scenario::library;
use tempfile::TempDir;

use support::root;

fn setting(artefacts: &TempDir, captures: PathBuf) -> Setting {
    Setting { root: root(), captures, artefacts: artefacts.path().to_owned(), seed: 0x5eed, accept: false }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a temporary folder")
}

#[rstest]
fn every_control_fares_as_its_scenario_and_its_snapshot_say(
    #[values(Control::MosquittoPub, Control::Paho, Control::Openssl, Control::Rustls)] control: Control,
) {
    let scenarios = library::read(&root().join("scenarios")).unwrap_or_else(|error| panic!("{error}"));
    let artefacts = folder();
    let setting = setting(&artefacts, root().join("captures"));
    let mut agreeing = 0;
    for run in controls::runs(&scenarios).into_iter().filter(|run| run.control == control) {
        let verdict = run.hold(&setting);
        match &verdict.ending {
            Ending::AsExpected => agreeing += 1,
            Ending::NotApplicable(why) => eprintln!("{}: {why}", verdict.scenario),
            other => panic!("{}: {other:?}\n{}\n{}", verdict.scenario, verdict.difference, verdict.transcript),
        }
    }
    assert!(agreeing > 0 || control != Control::Rustls, "the control inside the bench runs everywhere");
}

/// What is said of the control inside the bench, whose every word is ours: it accepts what it must and nothing else.
#[rstest]
#[case::good("", Expected::Accepts, How::Connected)]
#[case::unknown_authority(
    "[pki.stranger]\nprofile = 'root'\nissuer = 'self'\n[pki.leaf]\nissuer = 'stranger'\n",
    Expected::Refuses,
    How::DeviceRefused
)]
#[case::wrong_name("[pki.leaf]\nnames = ['dns:other.test']\n", Expected::Refuses, How::DeviceRefused)]
#[case::alert("[broker]\non_client_hello = { alert = 'handshake_failure' }\n", Expected::Refuses, How::BrokerRefused)]
#[case::connack("[broker.mqtt]\non_connect = { code = 5 }\n", Expected::Refuses, How::BrokerRefused)]
#[case::reset("[broker]\non_client_hello = 'reset'\n", Expected::Refuses, How::Lost)]
#[case::fin("[broker]\non_accept = 'fin'\n", Expected::Refuses, How::Lost)]
#[case::client_certificate_missing(
    "[broker]\nversions = ['1.2']\nclient_certificates = { request = 'required' }\n",
    Expected::Refuses,
    How::BrokerRefused
)]
#[case::mutual(
    "[device]\ncertificates = ['client']\n[broker]\nclient_certificates = { request = 'required' }\n",
    Expected::Accepts,
    How::Connected
)]
#[case::plain("[device]\ntls = false\nport = 1883\n[broker]\ntls = false\n", Expected::Accepts, How::Connected)]
fn a_client_over_rustls_does_what_any_good_client_does(
    #[case] more: &str,
    #[case] expected: Expected,
    #[case] how: How,
) {
    let text = format!(
        "title = 't'\nspecification = {{ demands = 'either', rule = 'RFC 9525 §6', quote = 'q' }}\n\
         controls = {{ rustls = '{expected}' }}\n{more}"
    );
    let scenario = Scenario::parse("mqtt/x", "x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let (artefacts, captures) = (folder(), folder());
    let setting = setting(&artefacts, captures.path().to_owned());
    let run = |expected| ControlRun { scenario: &scenario, control: Control::Rustls, expected };
    let verdict = run(expected).hold(&setting);
    let account = verdict.account.as_ref().unwrap_or_else(|| panic!("{:?}", verdict.ending));
    assert_eq!(account.how, how, "{}", verdict.transcript);
    assert_eq!(verdict.ending, Ending::New);
    // And a control that fares otherwise than its scenario says is never as expected, however stable that is.
    let other = if expected == Expected::Accepts { Expected::Refuses } else { Expected::Accepts };
    let accepting = Setting { accept: true, ..setting };
    let verdict = run(other).hold(&accepting);
    assert!(matches!(&verdict.ending, Ending::Otherwise(why) if why.contains("the scenario says")));
    assert!(fs::read_to_string(captures.path().join("mqtt/x.control_rustls.snap")).unwrap().contains("against"));
}
