//! The few fields of a frame that the hardware looks at.

use crate::machine::registers::RegisterFile;

/// A six-octet address.
pub(crate) type Address = [u8; 6];

/// The address that two registers hold.
pub(crate) fn address_at(registers: &RegisterFile, offset: u32) -> Address {
    let [a, b, c, d, e, f, ..] = registers.bytes::<8>(offset);
    [a, b, c, d, e, f]
}

/// In the second word of an interface's mask: the interface is on.
pub(super) const INTERFACE_ON: u32 = 1 << 16;

/// The address of an interface that is on: two words at `addresses` for each, and two of a mask at `masks`, whose second
/// says whether it is.
pub(crate) fn own_address(registers: &RegisterFile, addresses: u32, masks: u32, interface: u32) -> Option<Address> {
    let is_on = registers.get(masks + 8 * interface + 4) & INTERFACE_ON != 0;
    is_on.then(|| address_at(registers, addresses + 8 * interface))
}

/// Frame control: encrypted.
const PROTECTED: u8 = 0x40;
/// Octets of CCMP's header and of its integrity code.
pub(super) const CCMP_HEADER_OCTETS: usize = 8;
pub(super) const MIC_OCTETS: usize = 8;

/// A frame, as the hardware sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    bytes: &'a [u8],
}

impl<'a> Header<'a> {
    /// Every frame has a first address.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= 10).then_some(Self { bytes })
    }

    pub fn receiver(self) -> Address {
        self.address(4)
    }

    pub fn transmitter(self) -> Address {
        self.address(10)
    }

    pub fn is_group(self) -> bool {
        self.bytes[4] & 1 == 1
    }

    pub fn is_control(self) -> bool {
        self.bytes[0] & 0x0c == 0x04
    }

    pub fn is_data(self) -> bool {
        self.bytes[0] & 0x0c == 0x08
    }

    pub fn is_acknowledgement(self) -> bool {
        self.bytes[0] == 0xd4
    }

    /// Whether there is a QoS control field.
    fn is_qos(self) -> bool {
        self.is_data() && self.bytes[0] & 0x80 != 0
    }

    pub fn is_protected(self) -> bool {
        self.is_data() && self.bytes[1] & PROTECTED != 0
    }

    /// Octets of the header of a data frame.
    pub fn length(self) -> usize {
        let four_addresses = self.bytes[1] & 3 == 3;
        24 + if four_addresses { 6 } else { 0 } + if self.is_qos() { 2 } else { 0 }
    }

    /// The traffic identifier of a QoS frame.
    pub fn traffic_identifier(self) -> u8 {
        if self.is_qos() { self.bytes.get(self.length() - 2).map_or(0, |low| low & 0xf) } else { 0 }
    }

    /// The key's number and the packet's, of a protected frame that is long enough for a CCMP header.
    pub fn ccmp(self) -> Option<(u8, u64)> {
        let at = self.length();
        let [n0, n1, _, flags, n2, n3, n4, n5] = *self.bytes.get(at..)?.first_chunk::<CCMP_HEADER_OCTETS>()?;
        Some((flags >> 6, u64::from_le_bytes([n0, n1, n2, n3, n4, n5, 0, 0])))
    }

    /// What CCMP authenticates beside the data (§12.5.3.3.3).
    pub fn additional_data(self) -> Vec<u8> {
        let mut data = vec![self.bytes[0] & 0x8f, self.bytes[1] & 0xc7 | PROTECTED];
        if self.is_qos() {
            data[1] &= 0x7f;
        }
        data.extend(self.bytes.get(4..22).unwrap_or_default());
        data.extend([self.bytes.get(22).map_or(0, |low| low & 0xf), 0]);
        if self.bytes[1] & 3 == 3 {
            data.extend(self.bytes.get(24..30).unwrap_or_default());
        }
        if self.is_qos() {
            data.extend([self.traffic_identifier(), 0]);
        }
        data
    }

    fn address(self, at: usize) -> Address {
        self.bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }
}

/// The frame that says that another one came whole.
pub(crate) fn acknowledgement(to: Address) -> Vec<u8> {
    let mut frame = vec![0xd4, 0, 0, 0];
    frame.extend(to);
    frame
}
