//! Slipmux: IP packets, diagnostics and configuration side by side on one serial line
//! (draft-bormann-t2trg-slipmux-03).
//!
//! A frame is told by its first byte: an IP packet is sent as it is (its version nibble tells it), `0x0a` opens a
//! diagnostic text, `0xa9` a configuration message, which ends with the 16-bit frame check sequence of RFC 1662 §C.2
//! over everything before it.
//!
//! Boot ROMs, boot loaders and panic handlers print onto the same line without any framing. Their words are not lost:
//! they come out as [`FrameError::Noise`].
//!
//! Why not the crate `slipmux` 0.4.1: its decoder drops what lies outside of frames, where our bench wants to read a
//! panic; takes `0x4f` and `0x6f` for unknown types (half-open ranges); takes boot text that begins with a letter
//! from `E` to `O` for an IP packet; and its growing frame handler has no bound. It serves the tests as an oracle.

use alloc::vec::Vec;
use core::fmt;

use crate::slip::{self, Meaning, Unescape};

/// First byte of a diagnostic frame (a line feed: a terminal shows the text on a line of its own).
pub const DIAGNOSTIC: u8 = 0x0a;
/// First byte of a configuration frame.
pub const CONFIGURATION: u8 = 0xa9;

/// What one frame carries. Whether the contents make sense is for the next layer to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An IPv4 or IPv6 packet whose length field agrees with the frame's length.
    Ip(Vec<u8>),
    /// Text meant for people: UTF-8, if the sender keeps to the draft.
    Diagnostic(Vec<u8>),
    /// A configuration message, its frame check sequence verified and removed.
    Configuration(Vec<u8>),
}

/// Why the bytes up to here are not a frame. The decoder has already found its feet again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Bytes outside of any frame, or of a type that the draft does not know: most often text printed raw by the boot
    /// ROM, the boot loader or a panic handler. Long noise comes line by line.
    Noise(Vec<u8>),
    /// A configuration frame whose frame check sequence is wrong; its payload as received, the sequence removed.
    BadChecksum(Vec<u8>),
    /// An IP packet whose length field does not agree with the frame that carried it.
    BadIpLength(Vec<u8>),
    /// A frame longer than this decoder accepts; its first bytes. The rest was dropped.
    TooLong(Vec<u8>),
    /// An escape that RFC 1055 does not define, inside a frame; the content before it. The rest was dropped.
    BadEscape(Vec<u8>),
    /// The sender gave the frame up (`ESC END`); the content before that.
    Aborted(Vec<u8>),
}

impl FrameError {
    /// The bytes that could be saved.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Noise(bytes)
            | Self::BadChecksum(bytes)
            | Self::BadIpLength(bytes)
            | Self::TooLong(bytes)
            | Self::BadEscape(bytes)
            | Self::Aborted(bytes) => bytes,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Noise(_) => "bytes outside of any frame",
            Self::BadChecksum(_) => "configuration frame with a wrong check sequence",
            Self::BadIpLength(_) => "IP packet whose length disagrees with its frame",
            Self::TooLong(_) => "frame longer than accepted",
            Self::BadEscape(_) => "frame with an undefined escape",
            Self::Aborted(_) => "frame aborted by its sender",
        };
        write!(f, "{what} ({} bytes kept)", self.bytes().len())
    }
}

impl core::error::Error for FrameError {}

/// Appends `frame` to `line`, ready to be sent.
pub fn encode(frame: &Frame, line: &mut Vec<u8>) {
    match frame {
        Frame::Ip(packet) => encode_ip(packet, line),
        Frame::Diagnostic(text) => encode_diagnostic(text, line),
        Frame::Configuration(payload) => encode_configuration(payload, line),
    }
}

/// Appends an IP packet as a frame.
pub fn encode_ip(packet: &[u8], line: &mut Vec<u8>) {
    slip::encode(packet, line);
}

/// Appends a diagnostic text as a frame.
pub fn encode_diagnostic(text: &[u8], line: &mut Vec<u8>) {
    line.reserve(text.len() + 3);
    line.extend_from_slice(&[slip::END, DIAGNOSTIC]);
    for &byte in text {
        slip::escape(byte, line);
    }
    line.push(slip::END);
}

/// Appends a configuration message as a frame, with its frame check sequence.
pub fn encode_configuration(payload: &[u8], line: &mut Vec<u8>) {
    line.reserve(payload.len() + 5);
    line.extend_from_slice(&[slip::END, CONFIGURATION]);
    let mut fcs = fcs_step(FCS_INITIAL, CONFIGURATION);
    for &byte in payload {
        fcs = fcs_step(fcs, byte);
        slip::escape(byte, line);
    }
    for byte in (!fcs).to_le_bytes() {
        slip::escape(byte, line);
    }
    line.push(slip::END);
}

const FCS_INITIAL: u16 = 0xffff;
/// What the sequence comes to when it has run over itself, complemented (RFC 1662 §C.2).
const FCS_GOOD: u16 = 0xf0b8;

/// One byte of the frame check sequence: polynomial x¹⁶+x¹²+x⁵+1, reflected (RFC 1662 §C.2).
fn fcs_step(fcs: u16, byte: u8) -> u16 {
    let mut fcs = fcs ^ u16::from(byte);
    for _ in 0..8 {
        fcs = if fcs & 1 == 1 { fcs >> 1 ^ 0x8408 } else { fcs >> 1 };
    }
    fcs
}

/// Noise is handed out in pieces of at most this length, so that a chatty boot loader is heard while it talks.
const NOISE_BYTES_MAX: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Just after an `END`, or at the very start.
    Between,
    /// Inside a frame whose first byte is of a known type.
    InFrame,
    /// Inside bytes that are no frame.
    InNoise,
    /// The frame is beyond saving: wait for `END`.
    Dropping,
}

/// Takes the line byte by byte and gives frames. Holds at most `frame_bytes_max` bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    frame_bytes_max: usize,
    state: State,
    unescape: Unescape,
    /// Content so far, type byte included.
    content: Vec<u8>,
}

impl Decoder {
    /// A decoder for frames of up to `frame_bytes_max` bytes of content (unescaped, type byte and check sequence
    /// included).
    pub const fn new(frame_bytes_max: usize) -> Self {
        Self { frame_bytes_max, state: State::Between, unescape: Unescape::new(), content: Vec::new() }
    }

    /// Takes the next byte of the line.
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame, FrameError>> {
        match self.state {
            State::Between if byte == slip::END => None,
            State::Between => {
                self.unescape = Unescape::new();
                self.state = if is_frame_type(byte) { State::InFrame } else { State::InNoise };
                match self.state {
                    State::InFrame => self.push_framed(byte),
                    _ => self.push_noise(byte),
                }
            }
            State::InFrame => self.push_framed(byte),
            State::InNoise => self.push_noise(byte),
            State::Dropping => {
                // An escaped END is never sent as the bare byte, so the bare byte always ends the frame.
                if byte == slip::END {
                    self.state = State::Between;
                }
                None
            }
        }
    }

    /// What has been received of a frame or of noise that is not complete yet.
    pub fn pending(&self) -> &[u8] {
        &self.content
    }

    /// The line fell silent (reset, end of run): gives up what is pending, as noise if there is any.
    pub fn flush(&mut self) -> Option<FrameError> {
        self.state = State::Between;
        let content = core::mem::take(&mut self.content);
        (!content.is_empty()).then_some(FrameError::Noise(content))
    }

    fn push_framed(&mut self, byte: u8) -> Option<Result<Frame, FrameError>> {
        match self.unescape.push(byte) {
            Meaning::Half => None,
            Meaning::Content(_) if self.content.len() >= self.frame_bytes_max => {
                self.give_up(State::Dropping, FrameError::TooLong)
            }
            Meaning::Content(content) => {
                self.content.push(content);
                if self.is_text_in_ip_clothing() {
                    self.state = State::InNoise;
                }
                None
            }
            Meaning::BadEscape(_) => self.give_up(State::Dropping, FrameError::BadEscape),
            Meaning::Abort => self.give_up(State::Between, FrameError::Aborted),
            Meaning::End => {
                self.state = State::Between;
                Some(finish(core::mem::take(&mut self.content)))
            }
        }
    }

    /// Noise is not escaped by whoever printed it, so only `END` means something.
    fn push_noise(&mut self, byte: u8) -> Option<Result<Frame, FrameError>> {
        if byte == slip::END {
            self.state = State::Between;
            return self.flush().map(Err);
        }
        self.content.push(byte);
        let line_is_over = byte == b'\n' || self.content.len() >= self.frame_bytes_max.min(NOISE_BYTES_MAX);
        line_is_over.then(|| Err(FrameError::Noise(core::mem::take(&mut self.content))))
    }

    fn give_up(&mut self, next: State, error: fn(Vec<u8>) -> FrameError) -> Option<Result<Frame, FrameError>> {
        self.state = next;
        Some(Err(error(core::mem::take(&mut self.content))))
    }

    /// `ESP-ROM:…` and `Guru Meditation` begin like IPv4 packets. They give themselves away as soon as their length
    /// field has come: two printable characters make a length of 8 KiB or more, longer than any frame here.
    fn is_text_in_ip_clothing(&self) -> bool {
        let length_field_ends_at = match self.content.first() {
            Some(0x45..=0x4f) => 4,
            Some(0x60..=0x6f) => 6,
            _ => return false,
        };
        self.content.len() == length_field_ends_at
            && self.content.iter().all(|&byte| is_text(byte))
            && ip_length(&self.content).is_some_and(|length| length > self.frame_bytes_max)
    }
}

fn finish(content: Vec<u8>) -> Result<Frame, FrameError> {
    match content.first() {
        Some(&DIAGNOSTIC) => Ok(Frame::Diagnostic(content[1..].to_vec())),
        Some(&CONFIGURATION) => finish_configuration(content),
        _ if ip_length(&content) == Some(content.len()) => Ok(Frame::Ip(content)),
        _ if content.iter().all(|&byte| is_text(byte)) => Err(FrameError::Noise(content)),
        _ => Err(FrameError::BadIpLength(content)),
    }
}

fn finish_configuration(mut content: Vec<u8>) -> Result<Frame, FrameError> {
    let fcs = content.iter().fold(FCS_INITIAL, |fcs, &byte| fcs_step(fcs, byte));
    let is_good = fcs == FCS_GOOD && content.len() >= 3;
    content.truncate(content.len().saturating_sub(2).max(1));
    content.remove(0);
    if is_good { Ok(Frame::Configuration(content)) } else { Err(FrameError::BadChecksum(content)) }
}

fn is_frame_type(byte: u8) -> bool {
    matches!(byte, DIAGNOSTIC | CONFIGURATION | 0x45..=0x4f | 0x60..=0x6f)
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0x1b)
}

/// The whole length, in bytes, that the header of an IP packet claims (RFC 791 §3.1, RFC 8200 §3).
fn ip_length(packet: &[u8]) -> Option<usize> {
    match packet.first()? >> 4 {
        4 => Some(usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]))),
        6 => Some(40 + usize::from(u16::from_be_bytes([*packet.get(4)?, *packet.get(5)?]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
