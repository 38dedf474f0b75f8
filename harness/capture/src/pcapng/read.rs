//! From a file to its packets, whoever wrote it.

use std::fmt;
use std::io::{Cursor, Read};

use clock::{Instant, UnixTime};
use pcap_parser::pcapng::{Block, InterfaceDescriptionBlock, OptionCode, PcapNGOption, SecretsType};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Linktype, PcapBlockOwned, PcapError};
use wire::at::Spoken;

use super::{at, link};
use crate::tap::Packet;
use crate::text::{count, size};

/// What a capture file holds.
#[derive(Clone, Debug)]
pub struct Recording {
    /// From where the packets' times count.
    pub origin: Origin,
    /// The file's comment: scenario, seed and image, if it is one of ours.
    pub comment: Option<String>,
    /// The NSS key log inside the file, if any.
    pub key_log: String,
    /// IP packets in the order of the file.
    pub packets: Vec<Packet>,
    /// What device and modem said to each other, in the order of the file.
    pub spoken: Vec<(Instant, Spoken)>,
    /// What could not be read, one sentence each.
    pub remarks: Vec<String>,
    /// To how many bytes the recorder cut packets, if it did.
    pub cut_bytes: Option<usize>,
}

/// From where the times of a recording count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the moment at which the device was powered: one of our captures.
    PowerOn(UnixTime),
    /// From the first packet, which passed at this second.
    FirstPacket(UnixTime),
}

impl Origin {
    /// The calendar time from which instants count.
    pub const fn time(self) -> UnixTime {
        match self {
            Self::PowerOn(time) | Self::FirstPacket(time) => time,
        }
    }
}

/// Why a file cannot be read at all. Files that are damaged further on are read up to the damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The file begins neither like pcapng nor like pcap.
    NotACapture,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACapture => f.write_str("not a capture: the file begins neither like pcapng nor like pcap"),
        }
    }
}

impl std::error::Error for ReadError {}

/// What is read of the file at first; a block that is larger makes it more.
const BUFFER_BYTES: usize = 64 << 10;
/// The largest block that is read: a key log of 16 MiB fits.
pub const BLOCK_BYTES_MAX: usize = 32 << 20;

/// What is missing where there is no next block.
enum Without {
    Bytes,
    Room,
    /// The file ends, or goes on with what is no block.
    Block,
}

impl Without {
    fn of(error: PcapError<&[u8]>) -> Self {
        match error {
            PcapError::Incomplete(_) => Self::Bytes,
            PcapError::BufferTooSmall => Self::Room,
            _ => Self::Block,
        }
    }
}

/// Reads a pcapng or pcap file that is in memory: what it holds is bounded by its own length.
///
/// # Errors
/// If the file is no capture at all.
pub fn read(file: &[u8]) -> Result<Recording, ReadError> {
    read_from(file, usize::MAX)
}

/// Reads a pcapng or pcap file of any length, block by block. Once `packet_bytes_max` bytes of packets are held, what comes
/// after them is left unread, and a remark says so.
///
/// # Errors
/// If the file is no capture at all.
pub fn read_from(mut file: impl Read + Send, packet_bytes_max: usize) -> Result<Recording, ReadError> {
    // The library looks at what its first read brings, which may be a single byte.
    let mut beginning = Vec::new();
    let is_read = file.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut beginning);
    is_read.map_err(|_| ReadError::NotACapture)?;
    let whole = Cursor::new(beginning).chain(file);
    let mut blocks = pcap_parser::create_reader(BUFFER_BYTES, whole).map_err(|_| ReadError::NotACapture)?;
    let mut buffer_bytes = BUFFER_BYTES;
    let mut reading = Reading { packet_bytes_max, ..Reading::default() };
    loop {
        let next = blocks.next().map_err(Without::of).map(|(length, block)| {
            reading.block(block);
            length
        });
        let length = match next {
            Ok(length) => length,
            Err(why @ (Without::Bytes | Without::Room)) => {
                let held_bytes = blocks.data().len();
                if blocks.refill().is_err() {
                    reading.remarks.push(format!("the disk refused what is after byte {}", blocks.consumed()));
                    break;
                }
                if matches!(why, Without::Room) && blocks.data().len() == held_bytes {
                    // A length that is stated is not believed: there is more room only once what there is is full.
                    if held_bytes < buffer_bytes || buffer_bytes == BLOCK_BYTES_MAX {
                        return reading.damaged(blocks.consumed());
                    }
                    buffer_bytes *= 2;
                    blocks.grow(buffer_bytes);
                }
                continue;
            }
            Err(Without::Block) if blocks.data().is_empty() => break,
            Err(Without::Block) => return reading.damaged(blocks.consumed()),
        };
        if reading.is_full() {
            reading.remarks.push(format!(
                "{} of packets, which is the most that is held, lie before byte {} of the file: what comes after it is not \
                 read. Cut out the interesting part with `editcap`, or a device of it with `tshark -Y 'ip.addr == …' -w FILE`",
                size(packet_bytes_max),
                blocks.consumed() + length
            ));
            break;
        }
        blocks.consume(length);
    }
    Ok(reading.finish())
}

/// A packet's time in nanoseconds since 1970; 128 bits, because a file may claim anything.
type UnixNanos = i128;
const NANOS: i128 = 1_000_000_000;

#[derive(Default)]
struct Reading {
    /// Those of the pcapng section that is being read.
    interfaces: Vec<Interface>,
    is_big_endian: bool,
    /// Of a legacy file: what its frames are, and how long a tick of their times lasts.
    legacy: Option<(Linktype, i128)>,
    packet_bytes_max: usize,
    /// How many bytes of packets, and of what device and modem said, are held.
    packet_bytes: usize,
    power_on: Option<UnixTime>,
    comment: Option<String>,
    key_log: String,
    packets: Vec<(UnixNanos, Vec<u8>)>,
    spoken: Vec<(UnixNanos, Vec<u8>)>,
    /// By link type, with how many frames of it.
    frames_without_ip: Vec<(Linktype, usize)>,
    /// Frames that the recorder cut short, and the longest that is left of one.
    cut_frames: usize,
    cut_bytes: usize,
    remarks: Vec<String>,
}

impl Reading {
    fn block(&mut self, block: PcapBlockOwned<'_>) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let nanos_per_tick = if header.is_nanosecond_precision() { 1 } else { 1_000 };
                // The upper half of the field may hold the length of a frame check sequence (draft-ietf-opsawg-pcap §4).
                self.legacy = Some((Linktype(header.network.0 & 0xffff), nanos_per_tick));
            }
            PcapBlockOwned::Legacy(frame) => {
                let Some((linktype, nanos_per_tick)) = self.legacy else { return };
                let at = i128::from(frame.ts_sec) * NANOS + i128::from(frame.ts_usec) * nanos_per_tick;
                self.frame(at, linktype, frame.data, frame.origlen);
            }
            PcapBlockOwned::NG(block) => self.pcapng_block(&block),
        }
    }

    fn pcapng_block(&mut self, block: &Block<'_>) {
        match block {
            Block::SectionHeader(section) => {
                self.is_big_endian = section.big_endian();
                self.interfaces.clear();
                self.comment = self.comment.take().or_else(|| comment(&section.options));
            }
            Block::InterfaceDescription(block) => {
                let interface = Interface::new(block, self.is_big_endian);
                if self.interfaces.is_empty() && interface.offset_s != 0 && self.packets.is_empty() {
                    self.power_on = Some(UnixTime::from_seconds(interface.offset_s));
                }
                self.interfaces.push(interface);
            }
            Block::DecryptionSecrets(block) if block.secrets_type == SecretsType::TlsKeyLog => {
                // The parser hands out the data with its padding.
                let data = block.data.get(..block.secrets_len as usize).unwrap_or(block.data);
                self.packet_bytes += data.len();
                self.key_log.push_str(&String::from_utf8_lossy(data));
                self.key_log.push('\n');
            }
            Block::EnhancedPacket(block) => match self.interfaces.get(block.if_id as usize) {
                Some(interface) => {
                    let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
                    let at = interface.unix_nanos(ticks);
                    if interface.is_modem {
                        self.packet_bytes += block.packet_data().len();
                        self.spoken.push((at, block.packet_data().to_vec()));
                    } else {
                        self.frame(at, interface.linktype, block.packet_data(), block.origlen);
                    }
                }
                None => self.skipped(Linktype::NULL),
            },
            Block::SimplePacket(block) => match self.interfaces.first() {
                // A simple packet has no time: it happens with the one before it.
                Some(interface) => {
                    let at = self.packets.last().map_or(0, |(at, _)| *at);
                    self.frame(at, interface.linktype, block.packet_data(), block.origlen);
                }
                None => self.skipped(Linktype::NULL),
            },
            _ => {}
        }
    }

    const fn is_full(&self) -> bool {
        self.packet_bytes > self.packet_bytes_max
    }

    /// The file is no capture from there on: none at all, if that is its beginning.
    fn damaged(mut self, at_byte: usize) -> Result<Recording, ReadError> {
        if at_byte == 0 {
            return Err(ReadError::NotACapture);
        }
        self.remarks.push(format!("the file is damaged or cut off after byte {at_byte}"));
        Ok(self.finish())
    }

    /// A frame of which `wire_bytes` passed, and perhaps fewer are here.
    fn frame(&mut self, at: UnixNanos, linktype: Linktype, frame: &[u8], wire_bytes: u32) {
        if frame.len() < wire_bytes as usize {
            self.cut_frames += 1;
            self.cut_bytes = self.cut_bytes.max(frame.len());
        }
        match link::ip_packet(linktype, frame) {
            Some(packet) => {
                self.packet_bytes += packet.len();
                self.packets.push((at, packet.to_vec()));
            }
            None => self.skipped(linktype),
        }
    }

    fn skipped(&mut self, linktype: Linktype) {
        match self.frames_without_ip.iter_mut().find(|(known, _)| *known == linktype) {
            Some((_, frames)) => *frames += 1,
            None => self.frames_without_ip.push((linktype, 1)),
        }
    }

    fn finish(mut self) -> Recording {
        for (linktype, frames) in std::mem::take(&mut self.frames_without_ip) {
            // In one of our captures the packets that these frames carry stand beside them.
            if self.power_on.is_some() && linktype == link::RADIOTAP {
                continue;
            }
            self.remarks.push(format!(
                "{} without an IP packet skipped{}",
                count(frames, "frame"),
                link::told(linktype)
            ));
        }
        if self.cut_frames > 0 {
            let packets = count(self.cut_frames, "packet");
            let cut = format!("{packets} were cut at {} bytes: record with `tcpdump -s 0`", self.cut_bytes);
            self.remarks.push(cut);
        }
        let (origin, zero) = match self.power_on {
            Some(power_on) => (Origin::PowerOn(power_on), i128::from(power_on.seconds) * NANOS),
            None => {
                let earliest = self.packets.iter().map(|(at, _)| *at).min();
                let zero = earliest.unwrap_or_default();
                let seconds = i64::try_from(zero / NANOS).unwrap_or_default();
                (Origin::FirstPacket(UnixTime::from_seconds(seconds)), zero)
            }
        };
        let instant = |at: UnixNanos| Instant::from_nanos(u64::try_from((at - zero).max(0)).unwrap_or(u64::MAX));
        Recording {
            origin,
            comment: self.comment,
            key_log: self.key_log,
            spoken: self
                .spoken
                .iter()
                .filter_map(|(at, frame)| Some((instant(*at), Spoken::of_frame(frame)?)))
                .collect(),
            packets: self.packets.into_iter().map(|(at, bytes)| Packet { at: instant(at), bytes }).collect(),
            remarks: self.remarks,
            cut_bytes: (self.cut_frames > 0).then_some(self.cut_bytes),
        }
    }
}

fn comment(options: &[PcapNGOption<'_>]) -> Option<String> {
    let option = options.iter().find(|option| option.code == OptionCode::Comment)?;
    Some(String::from_utf8_lossy(option.as_bytes().ok()?).into_owned())
}

/// What of an interface description its packets need.
struct Interface {
    linktype: Linktype,
    ticks_per_s: i128,
    offset_s: i64,
    /// It has no packets: device and modem talk.
    is_modem: bool,
}

impl Interface {
    /// The crate's own decoding of these options knows neither big-endian offsets nor binary resolutions.
    fn new(block: &InterfaceDescriptionBlock<'_>, is_big_endian: bool) -> Self {
        let option =
            |code: OptionCode| block.options.iter().find(|option| option.code == code).map(|option| option.value());
        let resolution = option(OptionCode::IfTsresol).and_then(|value| value.first()).copied().unwrap_or(6);
        let offset = option(OptionCode::IfTsoffset).and_then(|value| value.first_chunk::<8>()).copied();
        Self {
            linktype: block.linktype,
            ticks_per_s: match resolution {
                decimal @ 0..=19 => 10_i128.pow(u32::from(decimal)),
                binary @ 0x80..=0xbf => 1 << (binary & 0x7f),
                _ => 1_000_000,
            },
            offset_s: match (offset, is_big_endian) {
                (Some(bytes), false) => i64::from_le_bytes(bytes),
                (Some(bytes), true) => i64::from_be_bytes(bytes),
                (None, _) => 0,
            },
            is_modem: block.linktype == at::LINKTYPE
                && option(OptionCode::IfName).is_some_and(|name| name.starts_with(at::INTERFACE.as_bytes())),
        }
    }

    fn unix_nanos(&self, ticks: u64) -> UnixNanos {
        i128::from(self.offset_s) * NANOS + i128::from(ticks) * NANOS / self.ticks_per_s
    }
}
