//! How the conversation between device and modem stands in a capture file: as frames of an interface of its own
//! ([`wire::at`]), which Wireshark shows as text beside the packets that they become.

use pcap_parser::Linktype;

/// The interface's name.
pub(super) const INTERFACE: &str = "at";
/// `LINKTYPE_USER0`.
pub(super) const LINKTYPE: Linktype = Linktype(147);
