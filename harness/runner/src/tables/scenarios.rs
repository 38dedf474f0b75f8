//! What is tested, folder by folder.

use std::collections::BTreeMap;
use std::path::Path;

use outcome::Demand;
use scenario::Scenario;

use super::{Unrenderable, markdown};
use scenario::library;

/// What the scenarios of a folder have in common.
const FOLDERS: &[(&str, &str)] = &[
    ("identity", "is this the broker that was dialled? Names and addresses against subjectAltName and CN"),
    ("trust", "who vouches for the broker: unknown, self-signed, impersonated or absent authorities"),
    ("validity", "dates of certificates, and the device's clock: unset, wrong, or told by SNTP"),
    ("versions", "TLS versions, cipher suites, groups and signature schemes with nothing, or little, in common"),
    ("certificate", "keys, signatures and extensions of the broker's certificate"),
    ("chain", "intermediates: missing, misordered, superfluous, or not allowed to sign"),
    ("records", "TLS records and alerts out of place"),
    ("client_authentication", "the broker asks for a certificate: the device has one, none, or the wrong one"),
    ("sni", "the server name in the hello, and brokers that depend on it"),
    ("transport", "TCP and IP beneath: refused, dropped, cut, delayed, damaged"),
    ("resumption", "session tickets and reconnects"),
    ("mqtt", "CONNACK codes, keep-alive, acknowledgements, and a broker that breaks the protocol"),
    ("memory", "a heap that is too small at the wrong moment"),
    ("configuration", "what people hand to a device by mistake: swapped, truncated, misspelt"),
    ("modem", "a modem with AT commands between device and network"),
    ("wifi", "the air and the address: access points that refuse, vanish or change, WPA2's handshakes, DHCP and ARP"),
];

/// The folders of `scenarios/`, with the number of scenarios in each and how many of them a device must refuse.
pub(super) fn folders(root: &Path) -> Result<String, Unrenderable> {
    let scenarios = library::read(&root.join("scenarios")).map_err(|error| Unrenderable::new("scenarios", error))?;
    let mut folders: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
    for scenario in &scenarios {
        let folder = scenario.name.split_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(scenario);
    }
    let mut rows = Vec::new();
    for (folder, inside) in folders {
        let (_, line) = FOLDERS.iter().find(|(known, _)| *known == folder).ok_or_else(|| {
            let remedy = "say in harness/runner/src/tables/scenarios.rs what this folder holds";
            Unrenderable::new(format_args!("scenarios/{folder}"), remedy)
        })?;
        rows.push(row(&format!("`{folder}/`"), &inside, line));
    }
    rows.push(row("all", &scenarios.iter().collect::<Vec<_>>(), ""));
    Ok(markdown(&["folder", "scenarios", "to be refused", "what they are about"], &rows))
}

fn row(folder: &str, inside: &[&Scenario], line: &str) -> Vec<String> {
    let refused = inside.iter().filter(|scenario| scenario.specification.demands == Demand::Refuse).count();
    vec![folder.to_owned(), inside.len().to_string(), refused.to_string(), line.to_owned()]
}
