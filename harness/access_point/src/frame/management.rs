//! Management frames: the bodies that an access point sends, and those that a station sends to it (IEEE Std 802.11-2020
//! §9.3.3).

use super::element::{id, push_element};
use super::{Elements, FrameControl, Kind};
use crate::{MacAddress, Rate};

/// The capability information field (§9.4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub u16);

impl Capabilities {
    const ESS: u16 = 1;
    const PRIVACY: u16 = 1 << 4;
    const SHORT_SLOT_TIME: u16 = 1 << 10;

    /// An access point, with or without security.
    pub const fn of_access_point(secured: bool) -> Self {
        Self(Self::ESS | Self::SHORT_SLOT_TIME | if secured { Self::PRIVACY } else { 0 })
    }
}

/// A management frame of an access point.
pub fn management_frame(kind: Kind, to: MacAddress, bssid: MacAddress, sequence: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(24 + body.len());
    frame.extend(FrameControl::of(kind).0.to_le_bytes());
    frame.extend([0, 0]);
    frame.extend(to.0);
    frame.extend(bssid.0);
    frame.extend(bssid.0);
    frame.extend((sequence << 4).to_le_bytes());
    frame.extend(body);
    frame
}

/// What beacons and probe responses begin with: timestamp, interval, capabilities, and the elements that do not change.
pub fn beacon_body(
    timestamp_us: u64,
    interval_tu: u16,
    capabilities: Capabilities,
    ssid: &[u8],
    channel: u8,
    rsn: Option<&[u8]>,
) -> Vec<u8> {
    let mut body = timestamp_us.to_le_bytes().to_vec();
    body.extend(interval_tu.to_le_bytes());
    body.extend(capabilities.0.to_le_bytes());
    push_element(&mut body, id::SSID, ssid);
    push_supported_rates(&mut body);
    push_element(&mut body, id::DSSS_PARAMETER, &[channel]);
    push_element(&mut body, id::ERP, &[0]);
    push_extended_rates(&mut body);
    body.extend(rsn.unwrap_or_default());
    body
}

/// What an access point answers to an association request. `aid` counts from 1; two bits of its field are always set.
pub fn association_response(capabilities: Capabilities, status: u16, aid: u16) -> Vec<u8> {
    let mut body = capabilities.0.to_le_bytes().to_vec();
    body.extend(status.to_le_bytes());
    body.extend((aid | 0xc000).to_le_bytes());
    push_supported_rates(&mut body);
    push_extended_rates(&mut body);
    body
}

/// An authentication frame's fixed fields: algorithm 0 is *open system*, 1 shared key, 3 SAE.
pub fn authentication(algorithm: u16, transaction: u16, status: u16) -> Vec<u8> {
    [algorithm, transaction, status].into_iter().flat_map(u16::to_le_bytes).collect()
}

/// The body of a deauthentication or disassociation.
pub fn reason_frame(reason: u16) -> Vec<u8> {
    reason.to_le_bytes().to_vec()
}

/// An authentication frame that a station sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// 0 open system, 1 shared key, 3 SAE.
    pub algorithm: u16,
    /// Counts from 1.
    pub transaction: u16,
    /// 0 for success.
    pub status: u16,
}

impl Authentication {
    /// Reads the body of an authentication frame.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (algorithm, rest) = body.split_first_chunk::<2>()?;
        let (transaction, rest) = rest.split_first_chunk::<2>()?;
        let (status, _) = rest.split_first_chunk::<2>()?;
        let [algorithm, transaction, status] = [algorithm, transaction, status].map(|field| u16::from_le_bytes(*field));
        Some(Self { algorithm, transaction, status })
    }
}

/// An association or reassociation request.
#[derive(Clone, Copy, Debug)]
pub struct AssociationRequest<'a> {
    /// How many beacons the station may sleep through.
    pub listen_interval: u16,
    /// Its elements.
    pub elements: Elements<'a>,
}

impl<'a> AssociationRequest<'a> {
    /// Reads the body of a request; a reassociation has the address of the former access point in between.
    pub fn parse(kind: Kind, body: &'a [u8]) -> Option<Self> {
        let (_, rest) = body.split_first_chunk::<2>()?;
        let (listen_interval, rest) = rest.split_first_chunk::<2>()?;
        let former = if kind == Kind::ReassociationRequest { 6 } else { 0 };
        Some(Self { listen_interval: u16::from_le_bytes(*listen_interval), elements: Elements(rest.get(former..)?) })
    }
}

/// A deauthentication or disassociation that a station sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonFrame {
    /// Why (table 9-49).
    pub reason: u16,
}

impl ReasonFrame {
    /// Reads the body.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (reason, _) = body.split_first_chunk::<2>()?;
        Some(Self { reason: u16::from_le_bytes(*reason) })
    }
}

/// The rates of 802.11b, which everybody has to know, and the first of 802.11g.
fn push_supported_rates(body: &mut Vec<u8>) {
    const BASIC: u8 = 0x80;
    const FIRST: [u8; 8] = [2, 4, 11, 22, 12, 18, 24, 36];
    let rates = FIRST.map(|units| {
        let is_basic = Rate::from_500_kbps(units).is_some_and(Rate::is_dsss);
        if is_basic { units | BASIC } else { units }
    });
    push_element(body, id::SUPPORTED_RATES, &rates);
}

fn push_extended_rates(body: &mut Vec<u8>) {
    push_element(body, id::EXTENDED_RATES, &[48, 72, 96, 108]);
}
