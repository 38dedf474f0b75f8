//! gdb's end of a connection: packets that were thought of before, and all answers.

use std::collections::VecDeque;

use emulator::gdb::{Connection, ConnectionExt};

/// What gdb sends, and what it gets.
pub struct Wire {
    sent: VecDeque<u8>,
    pub received: Vec<u8>,
}

impl Wire {
    pub fn new<S: AsRef<str>>(packets: &[S]) -> Self {
        let mut sent = VecDeque::new();
        for packet in packets {
            let packet = packet.as_ref();
            let sum = packet.bytes().fold(0u8, u8::wrapping_add);
            sent.extend(format!("+${packet}#{sum:02x}").bytes());
        }
        Self { sent, received: Vec::new() }
    }

    /// The answers, one for each packet.
    #[allow(dead_code, reason = "each test file uses its part")]
    pub fn answers(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.received);
        text.split('$').skip(1).map(|answer| whole(answer.split('#').next().unwrap_or_default())).collect()
    }
}

impl Connection for &mut Wire {
    type Error = &'static str;

    fn write(&mut self, byte: u8) -> Result<(), Self::Error> {
        self.received.push(byte);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl ConnectionExt for &mut Wire {
    fn read(&mut self) -> Result<u8, Self::Error> {
        self.sent.pop_front().ok_or("gdb has gone")
    }

    fn peek(&mut self) -> Result<Option<u8>, Self::Error> {
        // gdb says nothing while the chip runs.
        Ok(None)
    }
}

/// An answer without its run lengths: behind `*` stands how often the character before it is repeated, from a space on for 3.
fn whole(answer: &str) -> String {
    let mut whole = String::new();
    let mut characters = answer.chars();
    while let Some(character) = characters.next() {
        match (character, whole.chars().next_back()) {
            ('*', Some(repeated)) => {
                let more = characters.next().map_or(0, |count| (count as usize).saturating_sub(29));
                whole.extend(std::iter::repeat_n(repeated, more));
            }
            _ => whole.push(character),
        }
    }
    whole
}
