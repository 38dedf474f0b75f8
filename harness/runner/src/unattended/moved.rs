//! A scenario as it is met by a firmware that dials its own broker on its own network.

use std::net::Ipv4Addr;

use access_point::Description;
use pki::spec::{Name, Subject};
use scenario::broker::Broker;
use scenario::device::{Device, ServerName};
use scenario::wifi::Wifi;
use scenario::{FaultMark, Scenario, lan};

use super::NotMet;
use crate::dialect::by_itself::ByItself;
use crate::lan::rename::Rename;

/// Folders in which it matters to some scenarios alone that MQTT is spoken over TLS.
const OF_ANY_TRANSPORT: &[&str] = &["mqtt/", "transport/", "wifi/"];
/// What only TLS says.
const OF_TLS: &[&str] =
    &["alert", "ClientHello", "ServerHello", "Certificate", "(bad record)", "(not TLS)", "(encrypted)"];

/// `scenario` at the network, host and port of a firmware that does this `by_itself`, and whose `network` is this one, if its
/// owner has said so.
///
/// # Errors
///
/// Why it cannot be moved there.
pub(super) fn to(scenario: &Scenario, by_itself: &ByItself, network: Option<&Description>) -> Result<Scenario, NotMet> {
    if scenario.broker.real.is_some() {
        return Err("a run with a real broker takes as long as the device does".into());
    }
    let mut moved = scenario.clone();
    if moved.device.port != lan::SECURE_MQTT_PORT {
        return Err(
            format!("it is about the port {}, and the firmware dials {}", moved.device.port, by_itself.port).into()
        );
    }
    moved.device.port = by_itself.port;
    if !by_itself.tls {
        in_the_clear(&mut moved)?;
    }
    to_host(&mut moved, &by_itself.host)?;
    to_network(&mut moved.wifi, by_itself, network)?;
    Ok(moved)
}

/// Without TLS, if that is nothing that the scenario is about.
fn in_the_clear(scenario: &mut Scenario) -> Result<(), NotMet> {
    if !scenario.device.tls {
        return Ok(());
    }
    let is_of_any = OF_ANY_TRANSPORT.iter().any(|folder| scenario.name.starts_with(folder));
    let speaks_of_tls = |mark: &FaultMark| mark.said.iter().any(|said| OF_TLS.contains(&said.as_str()));
    let plain = Broker::default();
    let is_about_tls = !scenario.pki.0.is_empty()
        || scenario.fault.as_ref().is_some_and(speaks_of_tls)
        || scenario.device.security != Device::default().security
        || scenario.broker.versions != plain.versions
        || scenario.broker.certificates != plain.certificates
        || !scenario.broker.tls;
    if !is_of_any || is_about_tls {
        return Err("it is about TLS, and the firmware speaks MQTT in the clear".into());
    }
    scenario.device.tls = false;
    scenario.broker.tls = false;
    Ok(())
}

/// What is dialled, and every name that stands for it.
fn to_host(scenario: &mut Scenario, host: &str) -> Result<(), NotMet> {
    let address = host.parse::<Ipv4Addr>();
    let dialled = scenario.device.dials.clone();
    let is_usual_address = dialled == lan::BROKER_IPV4.to_string();
    match (&address, dialled.as_str()) {
        (Ok(_), lan::BROKER_NAME) => by_address(scenario)?,
        (Ok(_), _) if is_usual_address => {}
        (Err(_), lan::BROKER_NAME) => {}
        (Ok(_), _) => {
            return Err(format!("it is about a device that dials {dialled}, and the firmware dials {host}").into());
        }
        (Err(_), _) => {
            return Err(
                format!("it is about a device that dials {dialled}, and the firmware dials the name {host}").into()
            );
        }
    }
    let from = scenario.device.dials.clone();
    Rename { from, to: host.to_owned(), also_relatives: true }.scenario(scenario)?;
    if address.is_err() {
        scenario.network.hosts.insert(host.to_owned(), vec![lan::BROKER_IPV4.into()]);
    }
    Ok(())
}

/// A scenario about no name at all is one for a device that dials an address, too.
fn by_address(scenario: &mut Scenario) -> Result<(), NotMet> {
    let names_somebody = scenario.pki.0.values().any(|one| one.names.is_some() || one.subject.is_some());
    let broker = &scenario.broker;
    if names_somebody || !broker.names.is_empty() || scenario.device.server_name != ServerName::AsDialled {
        return Err("it is about a name, and the firmware dials an address".into());
    }
    let address = lan::BROKER_IPV4.to_string();
    let leaf = scenario.pki.0.entry("leaf".to_owned()).or_default();
    leaf.names = Some(vec![Name::Ip(lan::BROKER_IPV4.into())]);
    leaf.subject = Some(Subject::from(address.as_str()));
    scenario.device.dials = address;
    Ok(())
}

/// The air has the network that the firmware joins.
fn to_network(wifi: &mut Wifi, by_itself: &ByItself, network: Option<&Description>) -> Result<(), NotMet> {
    let usual = Wifi::default();
    let open = by_itself.ssid.as_deref().map(Description::open);
    let Some(joined) = network.cloned().or(open) else { return Ok(()) };
    if wifi.ssid != usual.ssid || wifi.passphrase != usual.passphrase {
        return Err("it is about the network's name or passphrase, and those are the firmware's own".into());
    }
    for one in wifi.access_points.iter_mut().flatten() {
        if one.ssid == usual.ssid {
            one.ssid.clone_from(&joined.ssid);
        }
        if one.passphrase.as_deref() == Some(usual.passphrase.as_str()) {
            one.passphrase.clone_from(&joined.passphrase);
        }
    }
    wifi.ssid = joined.ssid;
    wifi.passphrase = joined.passphrase.unwrap_or_default();
    Ok(())
}

#[cfg(test)]
mod tests;
