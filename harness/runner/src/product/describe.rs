//! A first description: a dialect, with what was seen in comments.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use board::PortId;
use scenario::lan;

use super::anchors::{Anchors, Found};
use super::look::{Dialled, Seen};
use crate::released::Firmware;

/// How MicroPython asks for a line.
const MICROPYTHON_PROMPT: &str = ">>>";
/// Lines of each console that are shown.
const LINES_MAX: usize = 40;

/// The text of the file.
pub(super) fn describe(firmware: &Firmware, layout: &str, anchors: &Anchors, seen: &Seen) -> String {
    let mut facts = Vec::new();
    facts.push("A first description, written by `cargo xtask product init`: read it, and complete it.".to_owned());
    facts.push(String::new());
    facts.push(format!("image     {}, sha256 {}", firmware.name, firmware.sha256));
    facts.push(format!("chip      {}", firmware.chip.title));
    facts.push(format!("what      {layout}"));
    of_network(seen, &mut facts);
    of_connections(seen, &mut facts);
    of_trust(firmware, anchors, seen, &mut facts);
    of_consoles(seen, &mut facts);
    let mut text: String = facts.iter().map(|fact| format!("# {fact}").trim_end().to_owned() + "\n").collect();
    let _ = write!(
        text,
        "\n# What it is called in sentences; rows and snapshots are named after the file.\nstack = {}\n",
        toml::Value::String(title(firmware))
    );
    let _ = writeln!(text, "radio = {}", has_radio(seen));
    if is_micropython(seen) {
        text.push_str("driver = \"micropython\"\n# The TLS versions that it offers, as builds of MicroPython for this chip do: correct it if yours does otherwise.\nversions = [\"1.2\"]\n");
    } else if let Some((address, dialled)) = broker(seen) {
        text.push_str(&by_itself(seen, *address, dialled));
        text.push_str(&rules(seen));
    } else {
        text.push_str(NOBODY_DIALLED);
        text.push_str(&rules(seen));
    }
    text
}

/// The project, if it names one itself beside its version; else the file's name.
fn title(firmware: &Firmware) -> String {
    let own = firmware.version.split_once(", ESP-IDF").map(|(own, _)| own);
    own.and_then(|own| own.rsplit_once(' ')).map_or_else(|| firmware.name.clone(), |(project, _)| project.to_owned())
}

/// What is to be said of firmware that was not seen to dial.
const NOBODY_DIALLED: &str = "
# It dialled nobody. If it does what nobody tells it, it was missing something: its network's passphrase (`--wifi`), more time
# (`--virtual-s`), or being set up. Then `cargo xtask product init` again; or write down what it dials:
# driver = \"none\"
# [by_itself]
# host = \"mqtt.example.com\"
";

/// The connection that is the one to its broker: the one on which MQTT is spoken, else one at MQTT's port, else over TLS.
fn broker(seen: &Seen) -> Option<(&SocketAddr, &Dialled)> {
    let weight = |(address, dialled): &(&SocketAddr, &Dialled)| {
        let speaks_mqtt = dialled.is_plain_mqtt || dialled.client_id.is_some();
        let is_usual_port = matches!(address.port(), 8883 | 1883);
        (speaks_mqtt, is_usual_port, !dialled.hello.is_empty())
    };
    seen.dialled.iter().max_by_key(weight).filter(|one| weight(one) != (false, false, false))
}

/// What it does without being told.
fn by_itself(seen: &Seen, address: SocketAddr, dialled: &Dialled) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned());
    let host = host(seen, address, dialled);
    let is_tls = !dialled.is_plain_mqtt;
    let mut told = format!(
        "driver = \"none\"\n{}\n\n[by_itself]\nhost = {}\nport = {}\ntls = {is_tls}\n",
        versions(dialled),
        text(&host),
        address.port()
    );
    // Its passphrase is the owner's to give again.
    if let Some(ssid) = seen.networks.first().or(seen.given.as_ref()) {
        let _ = writeln!(told, "ssid = {}", text(ssid));
    }
    if let Some(place) = seen.passphrase {
        let _ = writeln!(told, "passphrase = {{ at = {:#x}, bytes = {} }}", place.at, place.length);
    }
    let _ = writeln!(told, "asks_time = {}", seen.asks_time);
    if is_tls {
        let _ = writeln!(told, "trusts_anybody = {}", dialled.accepts_anybody);
    }
    told
}

/// What it dials: the name in its ClientHello, the name that it has asked for, or the address.
fn host(seen: &Seen, address: SocketAddr, dialled: &Dialled) -> String {
    if address.ip() != IpAddr::from(lan::BROKER_IPV4) {
        return address.ip().to_string();
    }
    let is_of_time = |name: &&String| ["ntp", "time"].iter().any(|word| name.to_ascii_lowercase().contains(word));
    let asked = || seen.names.iter().rev().find(|name| !is_of_time(name)).or(seen.names.last());
    dialled.server_name.clone().or_else(|| asked().cloned()).unwrap_or_else(|| address.ip().to_string())
}

/// The TLS versions that its ClientHello offers, for a description.
fn versions(dialled: &Dialled) -> String {
    let offered: Vec<String> =
        dialled.versions.iter().map(|version| toml::Value::String(version.clone()).to_string()).collect();
    if offered.is_empty() { String::new() } else { format!("versions = [{}]", offered.join(", ")) }
}

fn has_radio(seen: &Seen) -> bool {
    // At its prompt it has not been told to use it.
    seen.uses_radio || !seen.networks.is_empty() || is_micropython(seen)
}

fn is_micropython(seen: &Seen) -> bool {
    seen.prompts.values().any(|prompt| prompt.trim_end() == MICROPYTHON_PROMPT)
}

fn of_network(seen: &Seen, facts: &mut Vec<String>) {
    match (seen.networks.is_empty(), seen.has_joined) {
        (true, false) if seen.uses_radio => {
            facts.push("network   it listens for networks, and looks for none by name".to_owned())
        }
        (true, false) => facts.push("network   it looks for none by name".to_owned()),
        (true, true) => {
            let name = seen.given.as_ref().map(|ssid| format!(": {ssid:?}")).unwrap_or_default();
            facts.push(format!("network   joined the one that was given{name}"));
        }
        (false, _) => {
            for name in &seen.networks {
                let how = if seen.passphrase.is_some() {
                    "joined with a passphrase that lies in the image, which is not written here"
                } else if seen.has_joined {
                    "joined without a passphrase"
                } else {
                    "not joined: give `--wifi 'ssid=…,psk=…'` with its passphrase"
                };
                facts.push(format!("network   it looks for {name:?}; {how}"));
            }
        }
    }
    facts.extend(seen.lookups.iter().map(|lookup| format!("looks up  {lookup}")));
}

fn of_connections(seen: &Seen, facts: &mut Vec<String>) {
    for (address, dialled) in &seen.dialled {
        let Dialled { server_name, hello, is_plain_mqtt, client_id, verdict, accepts_anybody, .. } = dialled;
        facts.push(format!("dials     {address}"));
        if *is_plain_mqtt {
            facts.push("            MQTT WITHOUT TLS: whoever is on the network reads and writes along".to_owned());
        }
        facts.extend(server_name.iter().map(|name| format!("            asks for the server {name}")));
        facts.extend(hello.iter().map(|line| format!("            {line}")));
        facts.extend(client_id.iter().map(|id| format!("            client identifier {id:?}")));
        facts.extend(verdict.iter().map(|alert| format!("            refuses the bench's certificate: {alert}")));
        if *accepts_anybody {
            let words = "ACCEPTS THE CERTIFICATE OF SOMEBODY IT CANNOT KNOW: it does not check whom it talks to";
            facts.push(format!("            {words}"));
        }
    }
    if seen.dialled.is_empty() {
        facts.push("dials     nobody".to_owned());
    }
}

fn of_trust(firmware: &Firmware, anchors: &Anchors, seen: &Seen, facts: &mut Vec<String>) {
    for found in &anchors.certificates {
        let role = if found.is_anchor() { "trusts    perhaps" } else { "shows     perhaps" };
        let label = firmware_image::partition_at(&firmware.bytes, found.at);
        let partition = label.map(|label| format!(", in the partition {label}")).unwrap_or_default();
        facts.push(format!("{role} {found}{partition}"));
    }
    let in_pieces = anchors.in_pieces.iter();
    facts.extend(in_pieces.map(|one| format!("trusts    perhaps {one}, in several pieces: it cannot be swapped")));
    if anchors.certificates.iter().any(Found::is_anchor) && anchors.signature_at.is_none() {
        facts
            .push("          `cargo xtask hil … --trust swap` puts the bench's own in its place, in a copy".to_owned());
    }
    if let Some((at, roots)) = anchors.bundle {
        facts.push(format!("trusts    a bundle of {roots} roots at {at:#x} (esp_crt_bundle): it cannot be swapped"));
    }
    if let Some(at) = anchors.signature_at {
        facts.push(format!("signed    a signature of secure boot at {at:#x}: nothing in the image can be swapped"));
    }
    if anchors.private_keys > 0 {
        facts.push(format!("keys      {} private key(s) lie in the image as text", anchors.private_keys));
    }
    if anchors.certificates.is_empty() && anchors.in_pieces.is_empty() && anchors.bundle.is_none() {
        let hint =
            if is_micropython(seen) { ": the driver gives it what to trust" } else { "; a pinned hash cannot be seen" };
        facts.push(format!("trusts    no certificate was found in the image{hint}"));
    }
}

fn of_consoles(seen: &Seen, facts: &mut Vec<String>) {
    for (crash, what) in &seen.incidents {
        facts.push(format!("chip      {}{what}", if *crash { "CRASH: " } else { "" }));
    }
    let mut told: Vec<(PortId, BTreeSet<&str>)> = Vec::new();
    for (port, lines) in &seen.consoles {
        // Firmware that says all on two consoles has said it once.
        let is_new = |line: &str| !told.iter().any(|(_, others)| others.contains(line));
        let new: Vec<_> = lines.iter().filter(|(_, line)| is_new(line)).collect();
        let also = match told.as_slice() {
            [] => String::new(),
            _ if new.len() == lines.len() => String::new(),
            others => {
                let names: Vec<String> = others.iter().map(|(port, _)| port.to_string()).collect();
                format!(", {} of them on {} too", lines.len() - new.len(), names.join(" and "))
            }
        };
        facts.push(format!("console   {port}: {} line(s){also}", lines.len()));
        let shown = new.iter().skip(new.len().saturating_sub(LINES_MAX));
        facts.extend(shown.map(|(at, line)| format!("  {:>6} ms  {line}", at.as_millis())));
        told.push((*port, lines.iter().map(|(_, line)| line.as_str()).collect()));
    }
    facts.extend(seen.prompts.iter().map(|(port, prompt)| format!("prompt    {port}: {prompt:?}")));
}

/// A skeleton of rules for log lines.
fn rules(seen: &Seen) -> String {
    let mut text = String::from(
        "\n# What its log lines mean. Put words of the lines above in the place of these, and take the marks away.\n",
    );
    let said = |word: &str| {
        let mut lines = seen.consoles.values().flatten().map(|(_, line)| line.as_str());
        lines.rfind(|line| line.to_ascii_lowercase().contains(word)).map(str::to_owned)
    };
    for (means, stage, words) in [
        ("stage", "connect", ["connecting", "dialling"]),
        ("done", "", ["published", "connected"]),
        ("failed", "", ["error", "fail"]),
    ] {
        let line = words.iter().find_map(|word| said(word)).unwrap_or_else(|| words[0].to_owned());
        // A rule is a regular expression: what has a meaning there is taken as any character.
        let line: String =
            line.chars().map(|c| if c.is_alphanumeric() || c == ' ' || c == ':' { c } else { '.' }).collect();
        let stage = if stage.is_empty() { String::new() } else { format!("# stage = '{stage}'\n") };
        let _ = write!(text, "\n# [[log]]\n# line = '{line}'\n# means = '{means}'\n{stage}");
    }
    text
}
