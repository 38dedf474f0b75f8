//! The bench's end of the serial line: slipmux both ways, and a line that damages what passes.
//!
//! Damage is done to the bytes of IP frames as they are on the line, escapes and closing `END` included, so that the
//! device's framing meets what a noisy line or an overrun UART makes of it. Diagnostic and configuration frames are
//! spared: through them the bench gives its orders and hears its witness, and a bench that damages its own orders has
//! tested nothing.

use wire::slip;
use wire::slipmux::{self, Decoder, Frame, FrameError};

use crate::Direction;
use crate::dice::Dice;

/// Streams of chance of the serial line, apart from those of the LAN.
const FIRST_STREAM: u64 = 1 << 32;

/// Content of a frame, unescaped; more than any MTU here.
const FRAME_BYTES_MAX: usize = 4_096;

/// One way in which the serial line misbehaves. Positions count bytes of IP frames travelling one way, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SerialFault {
    /// Bits of one byte are flipped.
    Flip {
        /// Which way it travels.
        direction: Direction,
        /// Which byte.
        at_byte: u64,
        /// The bits.
        flip: u8,
    },
    /// One bit of each byte is flipped with these odds.
    FlipRate {
        /// Which way the bytes travel.
        direction: Direction,
        /// Bytes damaged in a million.
        per_million: u32,
    },
    /// Bytes are lost in a row, as by a UART that overruns.
    Drop {
        /// Which way they travel.
        direction: Direction,
        /// The first byte lost.
        at_byte: u64,
        /// How many.
        count: u64,
    },
    /// Each byte is lost with these odds.
    DropRate {
        /// Which way the bytes travel.
        direction: Direction,
        /// Bytes lost in a million.
        per_million: u32,
    },
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

/// Both directions of one serial line.
#[derive(Debug)]
pub struct SerialLine {
    decoder: Decoder,
    from_device: Wear,
    to_device: Wear,
}

impl SerialLine {
    /// A line with `faults`, whose chance comes from `seed`.
    pub fn new(faults: Vec<SerialFault>, seed: u64) -> Self {
        Self {
            decoder: Decoder::new(FRAME_BYTES_MAX),
            from_device: Wear::new(&faults, Direction::FromDevice, seed),
            to_device: Wear::new(&faults, Direction::ToDevice, seed),
        }
    }

    /// Takes bytes of the board.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for &byte in bytes {
            let frame = self.from_device.pass(byte).and_then(|byte| self.decoder.push(byte));
            heard.extend(frame.map(|frame| match frame {
                Ok(Frame::Ip(packet)) => Heard::Ip(packet),
                Ok(Frame::Diagnostic(text)) => Heard::Diagnostic(text),
                Ok(Frame::Configuration(message)) => Heard::Configuration(message),
                Err(FrameError::Noise(bytes)) => Heard::Noise(bytes),
                Err(error) => Heard::Damaged(error),
            }));
        }
        heard
    }

    /// The board was reset or fell silent: gives out what is left of an unfinished frame.
    pub fn fall_silent(&mut self) -> Option<Heard> {
        self.from_device.between_frames();
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
struct Wear {
    faults: Vec<(SerialFault, Dice)>,
    place: Place,
    /// Bytes of IP frames so far.
    passed: u64,
}

impl Wear {
    fn new(faults: &[SerialFault], way: Direction, seed: u64) -> Self {
        let concerned = faults.iter().enumerate().filter(|(_, fault)| match **fault {
            SerialFault::Flip { direction, .. }
            | SerialFault::FlipRate { direction, .. }
            | SerialFault::Drop { direction, .. }
            | SerialFault::DropRate { direction, .. } => direction == way,
        });
        let concerned = concerned.map(|(index, fault)| (fault.clone(), Dice::new(seed, FIRST_STREAM + index as u64)));
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
        self.faults.iter_mut().try_fold(byte, |byte, (fault, dice)| damage(fault, dice, at, byte))
    }
}

fn damage(fault: &SerialFault, dice: &mut Dice, at: u64, byte: u8) -> Option<u8> {
    match *fault {
        SerialFault::Flip { at_byte, flip, .. } if at_byte == at => Some(byte ^ flip),
        SerialFault::FlipRate { per_million, .. } if dice.below(1_000_000) < u64::from(per_million) => {
            Some(byte ^ 1 << dice.below(8))
        }
        SerialFault::Drop { at_byte, count, .. } if at >= at_byte && at - at_byte < count => None,
        SerialFault::DropRate { per_million, .. } if dice.below(1_000_000) < u64::from(per_million) => None,
        _ => Some(byte),
    }
}

#[cfg(test)]
mod tests;
