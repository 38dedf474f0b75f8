//! SEGGER's RTT, as a debug probe listens to it: rings in the firmware's RAM, found by the symbol `_SEGGER_RTT`.
//!
//! (SEGGER, *J-Link / J-Trace User Guide*, chapter "RTT"; the structure of the crates `rtt-target` and `defmt-rtt`.) A probe
//! reads what lies between two offsets, and moves the one that is its own. The firmware's time does not pass while it
//! does. The host looks at the rings at each millisecond of the chip's time, and takes whole lines and whole frames alone:
//! so a chip needs nothing beside its RAM to go on from a snapshot. Channels towards the firmware are not served.

use std::sync::Arc;

use defmt_log::Table;

use super::memory::{Memory, NotDirect};

/// How the control block begins, once the firmware has set it up.
const IDENTITY: &[u8; 10] = b"SEGGER RTT";
const IDENTITY_BYTES: u32 = 16;
/// Of a channel: name, buffer, size, where the firmware writes, where the host reads, flags.
const CHANNEL_WORDS: u32 = 6;
/// More channels than anybody has.
const CHANNELS_MAX: u32 = 16;
/// A ring is a part of a small RAM.
const RING_BYTES_MAX: u32 = 256 << 10;
const NAME_BYTES_MAX: usize = 16;
/// The name of the channel on which frames of defmt come.
const DEFMT: &[u8] = b"defmt\0";

/// The RAM that the rings lie in.
pub(crate) trait Ram {
    /// Reads bytes.
    fn read(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect>;
    /// Writes a word.
    fn write_word(&mut self, address: u32, word: u32) -> Result<(), NotDirect>;
}

/// The host's side of RTT.
#[derive(Debug, Default)]
pub(crate) struct Rtt {
    control: Option<u32>,
    table: Option<Arc<Table>>,
    /// What has been heard, as text.
    output: Vec<u8>,
    /// How much of that somebody has been told of.
    told: usize,
}

impl Rtt {
    /// For a firmware whose control block is at `control`, and which logs by `table` if it uses defmt.
    pub fn new(control: Option<u32>, table: Option<Table>) -> Self {
        Self { control, table: table.map(Arc::new), ..Self::default() }
    }

    /// A line of the host's own.
    pub fn remark(&mut self, line: &str) {
        self.output.extend(line.bytes());
        self.output.push(b'\n');
    }

    /// Whether there is anything to look for.
    pub fn is_used(&self) -> bool {
        self.control.is_some()
    }

    /// What has been heard since the last call.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.told = 0;
        std::mem::take(&mut self.output)
    }

    /// Whether something has been heard that this was not yet asked about.
    pub fn has_news(&mut self) -> bool {
        let has_news = self.output.len() > self.told;
        self.told = self.output.len();
        has_news
    }

    /// Looks at the rings.
    pub fn poll(&mut self, ram: &mut dyn Ram) {
        let Some(control) = self.control else { return };
        // What cannot be read is not RTT, or not yet.
        let _ = self.look(control, ram);
    }

    fn look(&mut self, control: u32, ram: &mut dyn Ram) -> Result<(), NotDirect> {
        let mut identity = [0; IDENTITY.len()];
        ram.read(control, &mut identity)?;
        if identity != *IDENTITY {
            return Ok(());
        }
        let channels = word(ram, control.wrapping_add(IDENTITY_BYTES))?.min(CHANNELS_MAX);
        for channel in 0..channels {
            let at = control.wrapping_add(IDENTITY_BYTES + 8 + 4 * CHANNEL_WORDS * channel);
            self.drain(at, ram)?;
        }
        Ok(())
    }

    /// Takes what a ring holds.
    fn drain(&mut self, channel: u32, ram: &mut dyn Ram) -> Result<(), NotDirect> {
        let field = |n: u32| channel.wrapping_add(4 * n);
        let (name, buffer, size) = (word(ram, field(0))?, word(ram, field(1))?, word(ram, field(2))?);
        let (written, read) = (word(ram, field(3))?, word(ram, field(4))?);
        if size == 0 || size > RING_BYTES_MAX || written >= size || read >= size || written == read {
            return Ok(());
        }
        let mut ring = vec![0; size as usize];
        ram.read(buffer, &mut ring)?;
        ring.rotate_left(read as usize);
        let waiting = (written + size - read) % size;
        ring.truncate(waiting as usize);
        let is_full = waiting == size - 1;
        let taken = match self.table.clone().filter(|_| is_defmt(name, ram)) {
            Some(table) => self.take_frames(&table, &ring, is_full),
            None => self.take_lines(&ring, is_full),
        };
        ram.write_word(field(4), (read + taken) % size)
    }

    fn take_frames(&mut self, table: &Table, ring: &[u8], is_full: bool) -> u32 {
        let (lines, length) = table.lines(ring);
        for line in lines {
            self.remark(&line);
        }
        if length == 0 && is_full { ring.len() as u32 } else { length as u32 }
    }

    fn take_lines(&mut self, ring: &[u8], is_full: bool) -> u32 {
        let length = ring.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        // A line that is longer than the ring comes in pieces: its firmware may wait for room.
        let whole = if length == 0 && is_full { ring } else { ring.get(..length).unwrap_or_default() };
        self.output.extend(whole);
        whole.len() as u32
    }
}

impl Ram for Memory {
    fn read(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        self.read_slice(address, bytes)
    }

    fn write_word(&mut self, address: u32, word: u32) -> Result<(), NotDirect> {
        self.write_slice(address, &word.to_le_bytes())
    }
}

fn is_defmt(name: u32, ram: &dyn Ram) -> bool {
    let mut bytes = [0; NAME_BYTES_MAX];
    ram.read(name, &mut bytes).is_ok() && bytes.starts_with(DEFMT)
}

fn word(ram: &dyn Ram, address: u32) -> Result<u32, NotDirect> {
    let mut bytes = [0; 4];
    ram.read(address, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const BASE: u32 = 0x3fc8_0000;
    const RING: u32 = BASE + 0x100;

    struct Bytes(RefCell<Vec<u8>>);

    impl Ram for Bytes {
        fn read(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
            let ram = self.0.borrow();
            let at = address.checked_sub(BASE).ok_or(NotDirect { address })? as usize;
            bytes.copy_from_slice(ram.get(at..at + bytes.len()).ok_or(NotDirect { address })?);
            Ok(())
        }

        fn write_word(&mut self, address: u32, word: u32) -> Result<(), NotDirect> {
            let at = (address - BASE) as usize;
            self.0.get_mut()[at..at + 4].copy_from_slice(&word.to_le_bytes());
            Ok(())
        }
    }

    /// A control block with one channel, without a name.
    fn ram(size: u32, content: &[u8], read: u32, written: u32) -> Bytes {
        let mut bytes = vec![0; 0x400];
        bytes[..IDENTITY.len()].copy_from_slice(IDENTITY);
        for (n, word) in [1, 0, BASE, RING, size, written, read, 0].into_iter().enumerate() {
            bytes[16 + 4 * n..20 + 4 * n].copy_from_slice(&word.to_le_bytes());
        }
        bytes[0x100..0x100 + content.len()].copy_from_slice(content);
        Bytes(RefCell::new(bytes))
    }

    fn heard(mut ram: Bytes) -> (String, u32) {
        let mut rtt = Rtt::new(Some(BASE), None);
        rtt.poll(&mut ram);
        let read = word(&ram, BASE + 24 + 16).expect("it is there");
        (String::from_utf8(rtt.take_output()).expect("text"), read)
    }

    #[test]
    fn whole_lines_are_taken_and_the_hosts_offset_moves() {
        assert_eq!(heard(ram(16, b"one\ntwo\nthr", 0, 11)), ("one\ntwo\n".into(), 8));
        // Around the end of the ring, which begins with the end of what is in it.
        assert_eq!(heard(ram(8, b"e\n..thre", 4, 2)), ("three\n".into(), 2));
        assert_eq!(heard(ram(8, b"12345678", 0, 7)), ("1234567".into(), 7), "its firmware may wait for room");
        assert_eq!(heard(ram(8, b"1234\n", 5, 5)), (String::new(), 5));
    }

    #[test]
    fn what_is_no_ring_is_left_alone() {
        for (size, read, written) in
            [(0, 0, 1), (16, 16, 3), (16, 3, 0xffff_ffff), (0xffff_ffff, 0, 5), (0x301, 0, 0x300)]
        {
            assert_eq!(heard(ram(size, b"x\n", read, written)), (String::new(), read), "{size:#x} {read} {written:#x}");
        }
        let mut not_yet = ram(16, b"one\n", 0, 4);
        not_yet.0.get_mut()[3] = 0;
        assert_eq!(heard(not_yet).0, "");
    }
}
