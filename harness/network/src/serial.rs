//! The bench's end of the serial line: slipmux both ways, and a line that damages what passes.
//!
//! Damage is done to the bytes of IP frames as they are on the line, escapes and closing `END` included, so that the
//! device's framing meets what a noisy line or an overrun UART makes of it. Diagnostic and configuration frames are
//! spared: through them the bench gives its orders and hears its witness, and a bench that damages its own orders has
//! tested nothing.

use serde::Deserialize;
use wire::slip;
use wire::slipmux::{self, Decoder, Frame, FrameError};

use crate::Direction;
use crate::fault::written;
use crate::rng::{Rng, place_among_alike, stream_of};

/// Content of a frame, unescaped; more than any MTU here.
const FRAME_BYTES_MAX: usize = 4_096;

/// One way in which the serial line misbehaves. Positions count bytes of IP frames travelling one way, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SerialFault {
    /// Bits of one byte are flipped.
    Flip {
        /// Which way it travels.
        #[serde(rename = "from")]
        direction: Direction,
        /// Which byte.
        at_byte: u64,
        /// The bits.
        #[serde(deserialize_with = "written::from_one")]
        flip: u8,
    },
    /// One bit of each byte is flipped with these odds.
    FlipRate {
        /// Which way the bytes travel.
        #[serde(rename = "from")]
        direction: Direction,
        /// Bytes damaged in a million.
        #[serde(deserialize_with = "written::per_million")]
        per_million: u32,
    },
    /// Bytes are lost in a row, as by a UART that overruns.
    Drop {
        /// Which way they travel.
        #[serde(rename = "from")]
        direction: Direction,
        /// The first byte lost.
        at_byte: u64,
        /// How many.
        #[serde(deserialize_with = "written::from_one")]
        count: u64,
    },
    /// Each byte is lost with these odds.
    DropRate {
        /// Which way the bytes travel.
        #[serde(rename = "from")]
        direction: Direction,
        /// Bytes lost in a million.
        #[serde(deserialize_with = "written::per_million")]
        per_million: u32,
    },
}

impl SerialFault {
    /// What the fault is, apart from its measure, and which way it works: what its random numbers hang on.
    fn kind(&self) -> (&'static str, Direction) {
        match *self {
            Self::Flip { direction, .. } => ("flip", direction),
            Self::FlipRate { direction, .. } => ("flip_rate", direction),
            Self::Drop { direction, .. } => ("drop", direction),
            Self::DropRate { direction, .. } => ("drop_rate", direction),
        }
    }
}

/// What was heard from the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole IP packet, for [`Lan::receive`](crate::Lan::receive).
    Ip(Vec<u8>),
    /// Text meant for people.
    Diagnostic(Vec<u8>),
    /// A message of the firmware to the bench.
    Configuration(Vec<u8>),
    /// Bytes outside of any frame: a boot loader or a panic handler talking.
    Noise(Vec<u8>),
    /// A frame that did not survive the line; its bytes are in the error.
    Damaged(FrameError),
}

/// Text without frames is handed out in pieces of at most this length, so that whoever prints no line feeds is heard.
const TEXT_BYTES_MAX: usize = 256;

/// Both directions of one serial line.
///
/// Whoever frames puts an `END` in front of each frame (RFC 1055). Up to the first one a line carries text, whatever it
/// begins with: a port on which a firmware only logs never carries anything else.
#[derive(Debug)]
pub struct SerialLine {
    decoder: Decoder,
    /// What has come of a line of text, until there is a frame.
    text: Option<Vec<u8>>,
    from_device: LineDamage,
    to_device: LineDamage,
}

impl SerialLine {
    /// A line with `faults`, whose random numbers come from `seed`.
    pub fn new(faults: Vec<SerialFault>, seed: u64) -> Self {
        Self {
            decoder: Decoder::new(FRAME_BYTES_MAX),
            text: Some(Vec::new()),
            from_device: LineDamage::new(&faults, Direction::FromDevice, seed),
            to_device: LineDamage::new(&faults, Direction::ToDevice, seed),
        }
    }

    /// Takes bytes of the board.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for &byte in bytes {
            let Some(byte) = self.from_device.pass(byte) else { continue };
            if let Some(text) = &mut self.text {
                let is_over = byte == slip::END || byte == b'\n' || text.len() + 1 == TEXT_BYTES_MAX;
                text.extend((byte != slip::END).then_some(byte));
                if is_over && !text.is_empty() {
                    heard.push(Heard::Noise(std::mem::take(text)));
                }
                if byte != slip::END {
                    continue;
                }
                self.text = None;
            }
            heard.extend(self.decoder.push(byte).map(|frame| match frame {
                Ok(Frame::Ip(packet)) => Heard::Ip(packet),
                Ok(Frame::Diagnostic(text)) => Heard::Diagnostic(text),
                Ok(Frame::Configuration(message)) => Heard::Configuration(message),
                Err(FrameError::Noise(bytes)) => Heard::Noise(bytes),
                Err(error) => Heard::Damaged(error),
            }));
        }
        heard
    }

    /// Whether a fault that waits for its byte has come to it; others act all the time.
    pub fn has_reached(&self, fault: &SerialFault) -> bool {
        let (SerialFault::Flip { direction, at_byte, .. } | SerialFault::Drop { direction, at_byte, .. }) = fault
        else {
            return true;
        };
        let damage = match direction {
            Direction::FromDevice => &self.from_device,
            Direction::ToDevice => &self.to_device,
        };
        damage.passed > *at_byte
    }

    /// What of a line of text, or of a frame, has come so far: a prompt does not end its line.
    pub fn unended(&self) -> &[u8] {
        self.text.as_deref().unwrap_or_else(|| self.decoder.pending())
    }

    /// The board was reset or fell silent: gives out what is left of an unfinished frame.
    pub fn fall_silent(&mut self) -> Option<Heard> {
        self.from_device.between_frames();
        let text = self.text.replace(Vec::new()).filter(|text| !text.is_empty());
        if let Some(text) = text {
            return Some(Heard::Noise(text));
        }
        self.decoder.flush().map(|error| Heard::Noise(error.bytes().to_vec()))
    }

    /// Appends an IP packet for the board to `line`.
    pub fn say_ip(&mut self, packet: &[u8], line: &mut Vec<u8>) {
        self.say(line, |frame| slipmux::encode_ip(packet, frame));
    }

    /// Appends an order for the firmware to `line`.
    pub fn say_configuration(&mut self, message: &[u8], line: &mut Vec<u8>) {
        self.say(line, |frame| slipmux::encode_configuration(message, frame));
    }

    fn say(&mut self, line: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
        let mut frame = Vec::new();
        encode(&mut frame);
        self.to_device.between_frames();
        line.extend(frame.into_iter().filter_map(|byte| self.to_device.pass(byte)));
    }
}

/// Where in the stream of frames a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    BetweenFrames,
    InIp,
    InOther,
}

/// The faults of one direction.
#[derive(Debug)]
struct LineDamage {
    faults: Vec<(SerialFault, Rng)>,
    place: Place,
    /// Bytes of IP frames so far.
    passed: u64,
}

impl LineDamage {
    fn new(faults: &[SerialFault], way: Direction, seed: u64) -> Self {
        let concerned = faults.iter().enumerate().filter(|(_, fault)| fault.kind().1 == way).map(|(index, fault)| {
            let alike = place_among_alike(faults, index, SerialFault::kind);
            let (kind, _) = fault.kind();
            (fault.clone(), Rng::new(seed, stream_of(&format!("serial/{kind}/{way}/{alike}"))))
        });
        // What a board says before its first END is not framed.
        Self { faults: concerned.collect(), place: Place::InOther, passed: 0 }
    }

    fn between_frames(&mut self) {
        self.place = Place::BetweenFrames;
    }

    fn pass(&mut self, byte: u8) -> Option<u8> {
        let was = self.place;
        self.place = match (was, byte) {
            (_, slip::END) => Place::BetweenFrames,
            (Place::BetweenFrames, 0x45..=0x4f | 0x60..=0x6f) => Place::InIp,
            (Place::BetweenFrames, _) => Place::InOther,
            (place, _) => place,
        };
        if was != Place::InIp && self.place != Place::InIp {
            return Some(byte);
        }
        let at = self.passed;
        self.passed += 1;
        self.faults.iter_mut().try_fold(byte, |byte, (fault, rng)| damage(fault, rng, at, byte))
    }
}

fn damage(fault: &SerialFault, rng: &mut Rng, at: u64, byte: u8) -> Option<u8> {
    match *fault {
        SerialFault::Flip { at_byte, flip, .. } if at_byte == at => Some(byte ^ flip),
        SerialFault::FlipRate { per_million, .. } if rng.below(1_000_000) < u64::from(per_million) => {
            Some(byte ^ 1 << rng.below(8))
        }
        SerialFault::Drop { at_byte, count, .. } if at >= at_byte && at - at_byte < count => None,
        SerialFault::DropRate { per_million, .. } if rng.below(1_000_000) < u64::from(per_million) => None,
        _ => Some(byte),
    }
}

#[cfg(test)]
mod tests;
