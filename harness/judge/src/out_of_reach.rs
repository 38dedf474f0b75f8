//! A fault that a device cannot come to: it lies behind a handshake of which the device speaks nothing.
//!
//! A broker of TLS 1.3 alone flips a bit of its flight, and the stack ends with TLS 1.2: what becomes of that run says
//! nothing about the fault, whatever its author wrote. Where the handshake itself is what the scenario is about, it is no
//! excuse: see [`crate::offer::not_offered`].

use outcome::{Demand, Met};
use report::model::How;
use scenario::broker::{Broker, OnClientHello, OnFinished};
use scenario::device::Device;
use scenario::network::Network;
use scenario::{Needs, Scenario};
use wire::tls::{ClientHello, ProtocolVersion};

use crate::offer;

/// Why the device whose hello is `hello` cannot come to the fault of `scenario`, if it cannot. `how` and `met` are what
/// came of the run.
pub fn out_of_reach(scenario: &Scenario, how: How, met: Met, hello: Option<&ClientHello>) -> Option<String> {
    let hello = hello?;
    let broker = &scenario.broker;
    // A real broker has its own configuration; and a hello that is written for the device is no word of its library's.
    if !broker.tls || broker.real.is_some() || scenario.device.security.client_hello.is_some() {
        return None;
    }
    if let Some(what) = needs_tls13(broker)
        && !offer::offers(Needs::Versions, hello, Some(ProtocolVersion::TLS_1_3.0))
        && !is_told_so(Needs::Versions, &scenario.device, &["TLS 1.3".into()])
    {
        return Some(format!("{what}, and the device offers no TLS 1.3"));
    }
    // What stands before the engine answers any hello.
    if how == How::Connected || broker.on_accept.is_some() || broker.on_client_hello.is_some() {
        return None;
    }
    let demand = scenario.specification.demands;
    let lists: &[Needs] = match demand {
        Demand::Refuse | Demand::Fail if met == Met::Never => &Needs::ALL,
        // Whoever has to connect, or may, says something by failing if the versions are what it is about, or are those of
        // any broker of today.
        Demand::Connect | Demand::Either if !is_about_versions(scenario) && narrows_versions(broker) => {
            &[Needs::Versions]
        }
        _ => &[],
    };
    lists.iter().find_map(|needs| lacks(*needs, scenario, hello))
}

/// What the broker insists on and the device does not offer, in a sentence; `None` if it offers some of it, or if the
/// scenario tells it not to.
fn lacks(needs: Needs, scenario: &Scenario, hello: &ClientHello) -> Option<String> {
    if scenario.fault.as_ref().and_then(|mark| mark.needs) == Some(needs) {
        return None;
    }
    let missing = offer::missing(needs, &scenario.broker, hello)?;
    let names: Vec<String> = offer::wanted(needs, &scenario.broker).into_iter().map(|(name, _)| name).collect();
    (!is_told_so(needs, &scenario.device, &names))
        .then(|| format!("the broker takes {missing} alone, and the device offers none of it"))
}

/// Whether the scenario itself has the device offer none of `names`.
fn is_told_so(needs: Needs, device: &Device, names: &[String]) -> bool {
    let versions =
        || device.versions.iter().map(|version| format!("TLS {}", ProtocolVersion(version.number()))).collect();
    let told: Vec<String> = match needs {
        Needs::Versions => versions(),
        Needs::CipherSuites => device.cipher_suites.clone(),
        Needs::Groups => device.groups.clone(),
        // No key of a scenario tells a device of these.
        Needs::SignatureSchemes => Vec::new(),
    };
    !told.is_empty() && !told.iter().any(|name| names.contains(name))
}

/// What the broker does that has a meaning in TLS 1.3 alone, although it takes other versions too.
fn needs_tls13(broker: &Broker) -> Option<&'static str> {
    match (&broker.on_client_hello, &broker.on_finished) {
        (Some(OnClientHello::DowngradeSentinel), _) => Some("the rule is for clients that offer TLS 1.3"),
        (_, Some(OnFinished::KeyUpdates(_))) => Some("keys are updated in TLS 1.3 alone"),
        _ => None,
    }
}

fn narrows_versions(broker: &Broker) -> bool {
    broker.versions != Broker::default().versions
}

/// Whether the versions that the broker takes are all that is peculiar about the scenario.
fn is_about_versions(scenario: &Scenario) -> bool {
    let other = Broker { versions: Broker::default().versions, ..scenario.broker.clone() };
    other == Broker::default()
        && scenario.pki.0.is_empty()
        && scenario.network == Network::default()
        && scenario.device == Device::default()
}

#[cfg(test)]
mod tests;
