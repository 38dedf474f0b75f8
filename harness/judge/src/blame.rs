//! Who ended it, and how: decided by types and by the wire, by no name that a device gives its failures.
//!
//! In this order, and the first that knows decides: what the wire carried in words (a fatal alert, a CONNACK that says
//! no), or what the device says that it got; the device's own verdict on what it got; who closed the last connection
//! first; the class of the failure.

use control::Failure;
use outcome::{AlertDescription, FailureClass};
use report::model::How;

use crate::wire_witness::Side;

/// What the wire shows of the last connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnTheWire {
    /// Whether a TCP connection was opened at all.
    pub connected: bool,
    /// Who sent a fatal alert first.
    pub fatal_alert: Option<Side>,
    /// The broker's alerts that were no more than warnings.
    pub warnings: Vec<AlertDescription>,
    /// The return code of CONNACK.
    pub connack: Option<u8>,
    /// Who sent FIN or RST first.
    pub first_to_close: Option<Side>,
    /// Whether the network itself refused the device: the last that access point or DHCP said was a refusal.
    pub network_refused: bool,
}

/// How a run came to its end, as far as the device and its board tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// Every act of the plan was done.
    Complete,
    /// The plan was given up, for this reason if the device says one.
    GivenUp(Option<&'a Failure>),
    /// The firmware crashed, or started anew.
    Crashed,
    /// The bench stopped it at its limit; the device had come no further for long, in the middle of a stage.
    StoppedWaiting,
    /// The bench stopped it at its limit.
    Stopped,
}

/// Concludes from both witnesses.
pub fn how(wire: &OnTheWire, end: End<'_>) -> How {
    match end {
        End::Complete => How::Connected,
        End::Crashed => How::Crashed,
        End::StoppedWaiting => How::Waits,
        End::Stopped => How::NoEnd,
        End::GivenUp(failure) => in_words(wire, failure).unwrap_or_else(|| without_words(wire, failure)),
    }
}

/// Who said no, if anybody did.
fn in_words(wire: &OnTheWire, failure: Option<&Failure>) -> Option<How> {
    match (wire.fatal_alert, wire.connack) {
        (Some(Side::Device), _) => return Some(How::DeviceRefused),
        (Some(Side::Broker), _) | (None, Some(1..)) => return Some(How::BrokerRefused),
        (None, _) => {}
    }
    match failure?.alert_received? {
        // What was a warning on the wire ends nothing: it is the device that would not go on.
        alert if wire.warnings.contains(&alert) => Some(How::DeviceRefused),
        _ => Some(How::BrokerRefused),
    }
}

fn without_words(wire: &OnTheWire, failure: Option<&Failure>) -> How {
    let class = failure.map_or(FailureClass::Other, |failure| failure.class);
    match (class, wire.first_to_close) {
        // A verdict on what it got: that the broker closes behind what it has said does not unsay it.
        (FailureClass::Tls | FailureClass::Refused, _) if wire.connected => How::DeviceRefused,
        (FailureClass::Memory, _) => How::DeviceFailed,
        (FailureClass::NoNetwork, _) if wire.network_refused => How::NetworkRefused,
        // It had a network and a connection.
        (FailureClass::NoNetwork, _) if wire.connected => How::Lost,
        (FailureClass::NoNetwork, _) => How::GaveUp,
        (_, Some(Side::Broker)) => How::Lost,
        (FailureClass::TimedOut, _) => How::GaveUp,
        (FailureClass::PeerClosed | FailureClass::PeerReset | FailureClass::NoAddress, _) => How::Lost,
        (FailureClass::PeerRefused, _) if wire.connected => How::BrokerRefused,
        // Nobody says why, and it is the device that closed.
        (FailureClass::Other, _) if wire.connected => How::DeviceRefused,
        (
            FailureClass::Tls
            | FailureClass::Refused
            | FailureClass::PeerRefused
            | FailureClass::Unsupported
            | FailureClass::Other,
            _,
        ) => How::DeviceFailed,
    }
}
