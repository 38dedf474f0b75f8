//! What lies below IP in captures of other tools.

use pcap_parser::Linktype;

/// `LINKTYPE_IEEE802_11_RADIOTAP` (tcpdump.org/linktypes.html).
pub const RADIOTAP: Linktype = Linktype(127);
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// IEEE 802.1Q and 802.1ad tags: two bytes of tag, then the next type.
const ETHERTYPES_TAG: [u16; 2] = [0x8100, 0x88a8];

/// The IP packet in a frame of the given link type, if there is one.
pub fn ip_packet(linktype: Linktype, frame: &[u8]) -> Option<&[u8]> {
    match linktype {
        // 12 and 14: `DLT_RAW` as some systems number it.
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => Some(frame),
        // The address family in the capturing machine's byte order, or in network byte order. IP tells its version.
        Linktype::NULL | Linktype::LOOP => frame.get(4..),
        Linktype::ETHERNET => after_ethertype(frame, 12, 14),
        Linktype::LINUX_SLL => after_ethertype(frame, 14, 16),
        Linktype::LINUX_SLL2 => after_ethertype(frame, 0, 20),
        _ => None,
    }
    .filter(|packet| matches!(packet.first().map(|byte| byte >> 4), Some(4 | 6)))
}

/// What frames of a link type are that holds no IP packets for us, and what to record instead; empty for the usual ones.
pub fn told(linktype: Linktype) -> String {
    let what = match linktype {
        // 802.11 alone, and with Prism, radiotap and AVS headers (tcpdump.org, link-layer header types).
        Linktype(105 | 119 | 127 | 163) => {
            ": they are 802.11 frames, as a monitor sees them, and WPA encrypts what they hold. Record behind the access \
             point, on the broker's machine or the router"
        }
        Linktype(187 | 201 | 251 | 256 | 272) => ": they are Bluetooth's",
        Linktype(195 | 230 | 283) => ": they are 802.15.4 frames (Zigbee, Thread)",
        Linktype(189 | 220 | 249) => ": they are USB's. Record on the network interface",
        Linktype::NULL | Linktype::ETHERNET | Linktype::LINUX_SLL | Linktype::LINUX_SLL2 | Linktype::LOOP => "",
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => "",
        Linktype(other) => {
            return format!(": their link type is {other} (tcpdump.org/linktypes.html), which is not read here");
        }
    };
    what.into()
}

fn after_ethertype(frame: &[u8], mut type_at: usize, mut payload_at: usize) -> Option<&[u8]> {
    for _ in 0..3 {
        let ethertype = u16::from_be_bytes([*frame.get(type_at)?, *frame.get(type_at + 1)?]);
        match ethertype {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return frame.get(payload_at..),
            tag if ETHERTYPES_TAG.contains(&tag) => (type_at, payload_at) = (payload_at + 2, payload_at + 4),
            _ => return None,
        }
    }
    None
}
