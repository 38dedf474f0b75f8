//! From a tap to a file.

use std::borrow::Cow;

use clock::Instant;
use pcap_parser::pcapng::{
    Block, DecryptionSecretsBlock, EnhancedPacketBlock, InterfaceDescriptionBlock, OptionCode, PcapNGOption,
    SecretsType, SectionHeaderBlock,
};
use pcap_parser::{Linktype, ToVec};
use wire::at::Spoken;

use super::{at, link};
use crate::tap::{Packet, Tap};
use crate::text::count;

/// Nanoseconds: the packets' times are multiples of 10⁻⁹ s.
const RESOLUTION: u8 = 9;
/// The interface of 802.11 frames.
const WIFI: &str = "wifi";
/// The longest packet an interface of ours passes: IPv4 cannot say more.
const SNAPLEN_BYTES: u32 = 65_535;

/// The capture as a file.
pub fn write(tap: &Tap) -> Vec<u8> {
    let mut file = section_header(tap);
    file.extend(interface(tap, Linktype::RAW, "slipmux"));
    if !tap.spoken.is_empty() {
        file.extend(interface(tap, at::LINKTYPE, at::INTERFACE));
    }
    // Interfaces are numbered as they are described.
    let wifi = if tap.spoken.is_empty() { 1 } else { 2 };
    if !tap.frames.is_empty() {
        file.extend(interface(tap, link::RADIOTAP, WIFI));
    }
    if !tap.key_log.is_empty() {
        // Before the packets, because Wireshark dissects in one pass.
        file.extend(secrets(&tap.key_log));
    }
    let mut others = others(tap, wifi).into_iter().peekable();
    for packet in &tap.packets {
        while let Some((interface, before)) = others.next_if(|(_, other)| other.at < packet.at) {
            file.extend(enhanced_packet(interface, &before));
        }
        file.extend(enhanced_packet(0, packet));
    }
    file.extend(others.flat_map(|(interface, packet)| enhanced_packet(interface, &packet)));
    file
}

/// What stands beside the IP packets, in the order in which it passed, with the number of its interface.
fn others(tap: &Tap, wifi: u32) -> Vec<(u32, Packet)> {
    let spoken = |(at, spoken): &(Instant, Spoken)| (1, Packet { at: *at, bytes: spoken.to_frame() });
    let mut others: Vec<_> = tap.spoken.iter().map(spoken).collect();
    if !tap.frames.is_empty() {
        others.extend(tap.frames.iter().map(|frame| (wifi, frame.clone())));
        others.sort_by_key(|(_, packet)| packet.at);
    }
    others
}

fn section_header(tap: &Tap) -> Vec<u8> {
    let mut comment = tap.comment.clone();
    if tap.dropped > 0 {
        comment.push_str(&format!("\n{} more than the tap holds dropped", count(tap.dropped, "packet")));
    }
    bytes(Block::SectionHeader(SectionHeaderBlock {
        block_type: 0,
        block_len1: 0,
        bom: 0,
        major_version: 0,
        minor_version: 0,
        section_len: -1,
        options: if comment.is_empty() { vec![] } else { vec![text_option(OptionCode::Comment, &comment)] },
        block_len2: 0,
    }))
}

fn interface(tap: &Tap, linktype: Linktype, name: &str) -> Vec<u8> {
    bytes(Block::InterfaceDescription(InterfaceDescriptionBlock {
        block_type: 0,
        block_len1: 0,
        linktype,
        reserved: 0,
        snaplen: SNAPLEN_BYTES,
        options: vec![text_option(OptionCode::IfName, name)],
        block_len2: 0,
        if_tsresol: RESOLUTION,
        if_tsoffset: tap.power_on.seconds,
    }))
}

fn secrets(key_log: &str) -> Vec<u8> {
    bytes(Block::DecryptionSecrets(DecryptionSecretsBlock {
        block_type: 0,
        block_len1: 0,
        secrets_type: SecretsType::TlsKeyLog,
        secrets_len: key_log.len() as u32,
        data: key_log.as_bytes(),
        options: vec![],
        block_len2: 0,
    }))
}

fn enhanced_packet(if_id: u32, packet: &Packet) -> Vec<u8> {
    let nanos = packet.at.as_nanos();
    bytes(Block::EnhancedPacket(EnhancedPacketBlock {
        block_type: 0,
        block_len1: 0,
        if_id,
        ts_high: (nanos >> 32) as u32,
        ts_low: nanos as u32,
        caplen: packet.bytes.len() as u32,
        origlen: packet.bytes.len() as u32,
        data: &packet.bytes,
        options: vec![],
        block_len2: 0,
    }))
}

/// An option of at most 65535 bytes, cut at a character's boundary.
fn text_option(code: OptionCode, text: &str) -> PcapNGOption<'_> {
    let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
    PcapNGOption { code, len: text.len() as u16, value: Cow::Borrowed(text.as_bytes()) }
}

/// `to_vec` fills in magic numbers and lengths; it can only fail where its writer does, and a `Vec` does not.
fn bytes(mut block: Block<'_>) -> Vec<u8> {
    block.to_vec().unwrap_or_default()
}
