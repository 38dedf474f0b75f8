use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Tap;
use clock::{Instant, UnixTime};

const POWER_ON: UnixTime = UnixTime::from_seconds(1_767_225_600);

fn tap() -> Tap {
    let mut tap = Tap::new(POWER_ON);
    tap.set_comment("tls/certificate/expired_leaf seed 5eed");
    tap.key_log_line("CLIENT_RANDOM 00 11\n");
    tap.key_log_line("CLIENT_RANDOM 00 11");
    tap.packet(Instant::from_micros(1_500), &[0x45, 0, 0, 21, 1, 2, 3]);
    tap.packet(Instant::from_nanos(5_000_000_007), &[0x60, 1, 2, 3]);
    tap
}

#[test]
fn what_is_written_is_read_back() {
    let recording = read(&tap().to_pcapng()).expect("our own file");
    assert_eq!(recording.origin, Origin::PowerOn(POWER_ON));
    assert_eq!(recording.comment.as_deref(), Some("tls/certificate/expired_leaf seed 5eed"));
    assert_eq!(recording.key_log.trim(), "CLIENT_RANDOM 00 11");
    assert_eq!(recording.packets, tap().packets());
    assert!(recording.remarks.is_empty(), "{:?}", recording.remarks);
}

/// The layout of draft-ietf-opsawg-pcapng §4, spelt out by hand.
#[test]
fn the_file_is_what_the_draft_says() {
    let mut tap = Tap::new(UnixTime::from_seconds(2));
    tap.packet(Instant::from_nanos(0x1_0000_0003), &[0x45, 9]);
    #[rustfmt::skip]
    let expected = [
        // section header: type, length, byte order, version 1.0, length unknown
        0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0,
        // interface: type 1, length, RAW = 101, snaplen 65535
        1, 0, 0, 0, 56, 0, 0, 0, 101, 0, 0, 0, 0xff, 0xff, 0, 0,
        // name (option 2), resolution (9): 10^-9, offset (14): 2 s, end
        2, 0, 7, 0, b's', b'l', b'i', b'p', b'm', b'u', b'x', 0,
        9, 0, 1, 0, 9, 0, 0, 0,
        14, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 56, 0, 0, 0,
        // enhanced packet: type 6, interface 0, time high and low, 2 bytes of 2, padded
        6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0,
        0x45, 9, 0, 0, 36, 0, 0, 0,
    ];
    assert_eq!(tap.to_pcapng(), expected);
}

#[test]
fn a_full_tap_says_so() {
    let mut tap = Tap::with_bytes_max(POWER_ON, 5);
    tap.packet(Instant::ZERO, &[0x45, 0, 0, 0]);
    tap.packet(Instant::ZERO, &[0x45, 0, 0, 0]);
    let recording = read(&tap.to_pcapng()).expect("our own file");
    assert_eq!(recording.packets.len(), 1);
    assert!(recording.comment.expect("a comment").contains("1 packet more"));
}

#[test]
fn frames_of_every_known_link_are_opened() {
    let ip = [0x45, 0, 0, 20];
    let zeros = |n: usize| vec![0; n];
    for (linktype, header) in [
        (101, vec![]),
        (228, vec![]),
        (0, vec![2, 0, 0, 0]),
        (108, vec![0, 0, 0, 2]),
        (1, [zeros(12), vec![8, 0]].concat()),
        (1, [zeros(12), vec![0x81, 0, 0, 7, 8, 0]].concat()),
        (113, [zeros(14), vec![8, 0]].concat()),
        (276, [vec![8, 0], zeros(18)].concat()),
    ] {
        let frame = [&header[..], &ip[..]].concat();
        let recording = read(&legacy_pcap(linktype, &[(7, 5, &frame)])).expect("a pcap file");
        assert_eq!(recording.packets.len(), 1, "link type {linktype}");
        assert_eq!(recording.packets[0].bytes, ip, "link type {linktype}");
    }
    let arp = [zeros(12), vec![8, 6, 0x45, 0]].concat();
    let recording = read(&legacy_pcap(1, &[(7, 5, &arp)])).expect("a pcap file");
    assert!(recording.packets.is_empty());
    assert_eq!(recording.remarks, ["1 frame without an IP packet skipped"]);
}

#[test]
fn foreign_times_count_from_the_first_packet() {
    let ip: &[u8] = &[0x45, 0];
    let recording = read(&legacy_pcap(101, &[(7, 999_999, ip), (8, 1, ip)])).expect("a pcap file");
    assert_eq!(recording.origin, Origin::FirstPacket(UnixTime::from_seconds(7)));
    assert_eq!(recording.packets[1].at, Instant::from_micros(2));
}

#[test]
fn a_cut_file_is_read_up_to_the_cut() {
    let whole = tap().to_pcapng();
    assert_eq!(read(b"GIF89a").err(), Some(ReadError::NotACapture));
    assert_eq!(read(&whole[..20]).err(), Some(ReadError::NotACapture));
    let cut = read(&whole[..whole.len() - 1]).expect("the beginning is whole");
    assert_eq!(cut.packets.len(), 1);
    assert_eq!(cut.remarks.len(), 1);
}

/// pcap as libpcap writes it (draft-ietf-opsawg-pcap §4, §5), microseconds, little-endian.
fn legacy_pcap(linktype: u32, frames: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
    file.extend(linktype.to_le_bytes());
    for (seconds, micros, frame) in frames {
        for field in [*seconds, *micros, frame.len() as u32, frame.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend_from_slice(frame);
    }
    file
}

/// A file that comes a few bytes at a time, as from a slow disk.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(7);
        self.0.read(&mut into[..length])
    }
}

#[test]
fn a_file_that_comes_in_pieces_is_read_as_a_whole_one_is() {
    let mut tap = tap();
    for index in 0..300_u16 {
        tap.packet(Instant::from_millis(6_000), &[&[0x45], &index.to_be_bytes()[..], &[7; 1_000]].concat());
    }
    // A block larger than what is read at once.
    tap.key_log_line(&format!("CLIENT_RANDOM {} 11", "0".repeat(200_000)));
    let file = tap.to_pcapng();
    let recording = read_from(Slowly(&file), usize::MAX).expect("our own file");
    assert!(recording.packets == tap.packets(), "{} packets", recording.packets.len());
    assert!(recording.key_log.len() > 200_000);
    assert_eq!(recording.remarks, Vec::<String>::new());
    let cut = read_from(Slowly(&file[..file.len() - 1]), usize::MAX).expect("most of it");
    assert_eq!(cut.packets.len(), tap.packets().len() - 1);
    assert_eq!(cut.remarks, [format!("the file is damaged or cut off after byte {}", file.len() - 32 - 1_003 - 1)]);
}

#[test]
fn of_a_file_that_never_ends_so_much_is_read_and_that_is_said() {
    let file = tap().to_pcapng();
    let packet = &file[file.len() - 36..];
    let mut endless = Cursor::new(file.clone()).chain(Again { bytes: packet.to_vec(), at: 0, read: 0 });
    let recording = read_from(&mut endless, 1_000).expect("a capture");
    // A key log of 20 bytes, packets of 7 and 4, then more of 4, up to the one that is one too many.
    assert_eq!(recording.packets.iter().map(|packet| packet.bytes.len()).sum::<usize>(), 983);
    let remark = &recording.remarks[0];
    assert!(remark.starts_with("1000 bytes of packets, which is the most that is held, lie before byte"), "{remark}");
    let read = endless.get_ref().1.read;
    assert!(read < 200_000, "{read} bytes were read of a file of which a thousandth is held");
}

/// The same bytes for ever.
struct Again {
    bytes: Vec<u8>,
    at: usize,
    read: usize,
}

impl Read for Again {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for byte in &mut *into {
            *byte = self.bytes[self.at % self.bytes.len()];
            self.at += 1;
        }
        self.read += into.len();
        Ok(into.len())
    }
}

/// A reader that notes how much it was asked for at once.
struct Asked<'a> {
    file: &'a [u8],
    most_bytes: &'a AtomicUsize,
}

impl Read for Asked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.most_bytes.fetch_max(buffer.len(), Ordering::Relaxed);
        self.file.read(buffer)
    }
}

#[test]
fn a_block_that_says_how_long_it_is_is_not_believed() {
    let mut file = tap().to_pcapng();
    // A packet's block of 31 MiB, of which a few bytes are there.
    file.extend([6, 0, 0, 0]);
    file.extend((31_u32 << 20).to_le_bytes());
    file.extend([0; 20]);
    let most_bytes = AtomicUsize::new(0);
    let recording = read_from(Asked { file: &file, most_bytes: &most_bytes }, usize::MAX).expect("a capture");
    assert_eq!(recording.packets, tap().packets());
    assert!(recording.remarks.iter().any(|remark| remark.contains("damaged")), "{:?}", recording.remarks);
    assert!(most_bytes.into_inner() <= 128 << 10);
    // One that is as long as it says is read.
    let mut long = tap().to_pcapng();
    let (text_bytes, mut block) = (1_u32 << 20, Vec::new());
    block.extend([10, 0, 0, 0]);
    block.extend((text_bytes + 20).to_le_bytes());
    block.extend(0x544c_534b_u32.to_le_bytes());
    block.extend(text_bytes.to_le_bytes());
    block.extend(b"CLIENT_RANDOM 22 33\n".iter().cycle().take(text_bytes as usize));
    block.extend((text_bytes + 20).to_le_bytes());
    long.extend(block);
    assert!(read(&long).expect("a capture").key_log.len() > 1 << 20);
}
