//! Cuts at a message: somebody has to see the message.

use network::{Direction, Message, MessageKind, Trigger};

use crate::Scenario;
use crate::device::Version;
use crate::problem::Complaint;

/// Whether the broker can tell where the messages are at which the network cuts.
pub(crate) fn check(scenario: &Scenario) -> Result<(), Complaint> {
    let messages = scenario.network.cuts().filter_map(|cut| match cut.when {
        Trigger::Before(message) | Trigger::After(message) => Some(message),
        _ => None,
    });
    for message in messages {
        if let Some((why, remedy)) = unseen(scenario, message) {
            let key = if scenario.network.cut.is_some() { "cut" } else { "faults" };
            return Err(Complaint::at(&["network", key], why, remedy));
        }
    }
    Ok(())
}

/// Why nobody sees a message, and what to do about it.
fn unseen(scenario: &Scenario, message: Message) -> Option<(String, &'static str)> {
    let (device, broker) = (&scenario.device, &scenario.broker);
    if broker.real.is_some() {
        return Some((
            "a real broker does not say where its messages are".into(),
            "cut at a number of bytes, or at a time",
        ));
    }
    if message.kind.is_of_tls() && !(device.tls && broker.tls) {
        return Some((format!("without TLS there is no {message}"), "cut at a packet of MQTT"));
    }
    let speaks_tls13 = broker.versions.contains(&Version::Tls13)
        && (device.versions.is_empty() || device.versions.contains(&Version::Tls13));
    (speaks_tls13 && is_sealed_in_tls13(message)).then(|| {
        (
            format!("in TLS 1.3, {message} is sealed, and nobody can tell from outside where it begins"),
            "let the broker speak `versions = [\"1.2\"]`, or cut at a hello, at the device's Finished or at a packet of MQTT",
        )
    })
}

/// RFC 9846 §2: all handshake messages after ServerHello are encrypted. The client's Finished is known by its length.
fn is_sealed_in_tls13(message: Message) -> bool {
    use MessageKind::{
        Certificate, CertificateRequest, CertificateVerify, EncryptedExtensions, Finished, NewSessionTicket,
    };
    match message.kind {
        Finished => message.direction == Direction::ToDevice,
        Certificate | CertificateRequest | CertificateVerify | EncryptedExtensions | NewSessionTicket => true,
        _ => false,
    }
}
