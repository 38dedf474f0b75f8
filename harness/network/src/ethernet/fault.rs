//! What goes wrong before a device has an address, or with the one that it has.

use serde::{Deserialize, Serialize};

/// One thing that goes wrong. Without `times` it goes wrong each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum AddressFault {
    /// The DHCP server does not answer.
    DhcpSilent {
        /// How often.
        times: Option<u32>,
    },
    /// The DHCP server answers late.
    DhcpLate {
        /// By how many milliseconds.
        by_ms: u32,
        /// How often.
        times: Option<u32>,
    },
    /// The DHCP server offers an address and refuses it when it is requested (RFC 2131 §4.3.2).
    DhcpNak {
        /// How often.
        times: Option<u32>,
    },
    /// There is an IPv6 router, which advertises itself (RFC 4861 §4.2), and no DHCP server.
    Ipv6RouterOnly {},
    /// A lease without a name server.
    NoNameServer {},
    /// A lease without a router.
    NoRouter {},
    /// Somebody else answers for the address that the device was lent (RFC 5227).
    AddressTaken {},
    /// The router does not answer ARP.
    ArpSilent {
        /// How often.
        times: Option<u32>,
    },
}

impl AddressFault {
    /// How often it goes wrong; `None` for each time.
    pub fn times(&self) -> Option<u32> {
        match self {
            Self::DhcpSilent { times }
            | Self::DhcpLate { times, .. }
            | Self::DhcpNak { times }
            | Self::ArpSilent { times } => *times,
            Self::Ipv6RouterOnly {} | Self::NoNameServer {} | Self::NoRouter {} | Self::AddressTaken {} => None,
        }
    }
}

/// The faults, and what is left of each.
#[derive(Clone, Debug)]
pub(super) struct Faults(Vec<(AddressFault, Option<u32>)>);

impl Faults {
    pub(super) fn new(faults: &[AddressFault]) -> Self {
        Self(faults.iter().map(|fault| (fault.clone(), fault.times())).collect())
    }

    /// The first fault that `picks` wants, which is enacted by that.
    pub(super) fn enact(&mut self, picks: impl Fn(&AddressFault) -> bool) -> Option<AddressFault> {
        let (fault, left) = self.0.iter_mut().find(|(fault, left)| *left != Some(0) && picks(fault))?;
        *left = left.map(|left| left - 1);
        Some(fault.clone())
    }
}
