//! What `scenarios/README.md` shows is what the reader of that page gets.

use std::fs;
use std::path::{Path, PathBuf};

use scenario::Scenario;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// What stands in the first fence of that kind.
fn fenced(page: &str, kind: &str) -> String {
    let (_, rest) = page.split_once(&format!("\n```{kind}\n")).expect("the page shows one");
    let (inside, _) = rest.split_once("```").expect("a fence is closed");
    inside.to_owned()
}

#[test]
fn the_example_is_a_scenario_of_the_collection() {
    let page = fs::read_to_string(scenarios().join("README.md")).expect("there is a page");
    let name = "identity/san_dns_holds_the_address_dialled_by_address";
    assert!(page.contains(&format!("`{name}.toml`")));
    let file = fs::read_to_string(scenarios().join(format!("{name}.toml"))).expect("there is a file");
    assert_eq!(fenced(&page, "toml"), file);
}

#[test]
fn the_error_is_the_one_that_a_lying_name_gets() {
    let page = fs::read_to_string(scenarios().join("README.md")).expect("there is a page");
    let name = "identity/san_dns_dialled_by_name";
    let file = fs::read_to_string(scenarios().join(format!("{name}.toml"))).expect("there is a file");
    let text = format!("{file}\n[device]\ndials = \"192.0.2.10\"\n");
    let problem = Scenario::parse(name, &format!("scenarios/{name}.toml"), &text).expect_err("the name lies");
    assert_eq!(fenced(&page, "text").trim_end(), problem.to_string().trim_end());
}

/// A type that the page does not show is a type that nobody finds.
#[test]
fn the_page_asks_for_every_type_of_the_grammar() {
    let page = fs::read_to_string(scenarios().join("README.md")).expect("there is a page");
    // Those are written as text, and stand in a table of their own.
    let texts = ["Date", "Moment", "Clock", "ServerName", "Alert", "Name", "Subtree", "Subject", "ExtendedKeyUsage"];
    let texts = texts.into_iter().chain(["ObjectIdentifier", "Certificates", "Attribute", "Demand", "Controls"]);
    // Types beside the grammar, of crates that do more than read it.
    let others = [
        "Order",
        "EarlyOrder",
        "Plan",
        "Network",
        "Modem",
        "Tls",
        "Blob",
        "LanConfig",
        "Listener",
        "Limits",
        "ModemConfig",
    ];
    // The order's `Wifi` is made from the `[wifi]` table, which has the same name.
    let others = others.into_iter().chain(["DescriptionError", "Wifi"]);
    let texts: Vec<&str> = texts.chain(others).chain(["Impossible", "Heard", "SerialLine"]).collect();
    let harness = scenarios().join("../harness");
    for file in [
        "scenario/src/lib.rs",
        "scenario/src/device.rs",
        "scenario/src/network.rs",
        "scenario/src/device/values.rs",
        "control/src/order.rs",
        "network/src/config.rs",
        "network/src/cut.rs",
        "network/src/direction.rs",
        "network/src/fault.rs",
        "network/src/modem/behaviour.rs",
        "network/src/serial.rs",
        "scenario/src/broker.rs",
        "scenario/src/broker/afterwards.rs",
        "scenario/src/broker/clients.rs",
        "scenario/src/broker/engine.rs",
        "scenario/src/broker/misbehaviour.rs",
        "scenario/src/broker/mqtt.rs",
        "scenario/src/broker/personality.rs",
        "scenario/src/controls.rs",
        "scenario/src/mosquitto.rs",
        "scenario/src/twin.rs",
        "scenario/src/wifi.rs",
        "access_point/src/description.rs",
        "access_point/src/misbehaviour.rs",
        "network/src/ethernet/fault.rs",
        "pki/src/spec.rs",
        "pki/src/spec/extension.rs",
        "pki/src/spec/moment.rs",
    ] {
        let source = fs::read_to_string(harness.join(file)).expect("there is a source");
        for line in source.lines() {
            let Some(name) = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")) else {
                continue;
            };
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let marker = format!("<!-- table: grammar {file} {name} -->");
            assert!(texts.contains(&name) || page.contains(&marker), "the page lacks {marker}");
        }
    }
}
