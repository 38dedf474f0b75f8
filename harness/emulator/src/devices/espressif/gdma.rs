//! DMA: three channels between memory and peripherals, each with a list of descriptors for either direction.
//!
//! (Technical reference manual, chapter "GDMA Controller".) A transfer is over as soon as its peripheral asks for it. A
//! channel serves AES, SHA, and memory to memory; other peripherals of the model ask for nothing. Descriptors are three
//! words: size, length, flags and owner; the buffer; the next descriptor.

use serde::{Deserialize, Serialize};

use crate::machine::device::{Read, Write};
use crate::machine::memory::Memory;
use crate::machine::registers::RegisterFile;

const CHANNELS: u32 = 3;
/// The interrupts of each channel, and in them RAW, ST, ENA, CLR.
const INTERRUPTS_BYTES: u32 = 0x10;
const MISC_FIRST: u32 = 0x40;
const MISC_LAST: u32 = 0x48;
/// The channels' own registers.
const CHANNEL0: u32 = 0x70;
const CHANNEL_BYTES: u32 = 0xc0;
/// Within a channel: towards memory.
const IN_CONF0: u32 = 0x00;
const INFIFO_STATUS: u32 = 0x08;
const IN_LINK: u32 = 0x10;
const IN_SUC_EOF_DES_ADDR: u32 = 0x18;
const IN_DSCR: u32 = 0x20;
const IN_PERI_SEL: u32 = 0x30;
/// Within a channel: from memory.
const OUT_CONF0: u32 = 0x60;
const OUTFIFO_STATUS: u32 = 0x68;
const OUT_LINK: u32 = 0x70;
const OUT_EOF_DES_ADDR: u32 = 0x78;
const OUT_DSCR: u32 = 0x80;
const OUT_PERI_SEL: u32 = 0x90;

const IN_MEM_TRANS_EN: u32 = 1 << 4;
const IN_STOP: u32 = 1 << 21;
const IN_START: u32 = 1 << 22;
const IN_RESTART: u32 = 1 << 23;
const IN_PARK: u32 = 1 << 24;
const OUT_AUTO_WRBACK: u32 = 1 << 2;
const OUT_STOP: u32 = 1 << 20;
const OUT_START: u32 = 1 << 21;
const OUT_RESTART: u32 = 1 << 22;
const OUT_PARK: u32 = 1 << 23;
/// The bits of an address that a register holds.
pub(super) const ADDRESS: u32 = 0xf_ffff;
/// What they lack: the RAM that DMA reaches.
pub(super) const ADDRESS_BASE: u32 = 0x3fc0_0000;

const IN_DONE: u32 = 1 << 0;
const IN_SUC_EOF: u32 = 1 << 1;
const OUT_DONE: u32 = 1 << 3;
const OUT_EOF: u32 = 1 << 4;
const IN_DSCR_ERR: u32 = 1 << 5;
const OUT_DSCR_ERR: u32 = 1 << 6;
const IN_DSCR_EMPTY: u32 = 1 << 7;
const OUT_TOTAL_EOF: u32 = 1 << 8;

const DESCRIPTOR_EOF: u32 = 1 << 30;
const DESCRIPTOR_OWNER: u32 = 1 << 31;
/// Descriptors that one transfer goes through; a list may be a ring.
const DESCRIPTORS_MAX: usize = 4_096;
/// More than all of the chip's RAM.
const BYTES_MAX: usize = 0x8_0000;

/// Who is at the other end of a channel (`IN_PERI_SEL`, `OUT_PERI_SEL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Peripheral {
    Aes = 6,
    Sha = 7,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Channel {
    /// The descriptor that is next, towards memory and from it; none if the list has not been started, or is over.
    next_in: Option<u32>,
    next_out: Option<u32>,
    raw: u32,
}

/// The controller.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Gdma {
    channels: [Channel; CHANNELS as usize],
}

/// A register of a channel.
fn channel_register(offset: u32) -> Option<(usize, u32)> {
    let within = offset.checked_sub(CHANNEL0)?;
    let channel = within / CHANNEL_BYTES;
    (channel < CHANNELS).then_some((channel as usize, within % CHANNEL_BYTES))
}

fn register(channel: usize, register: u32) -> u32 {
    CHANNEL0 + channel as u32 * CHANNEL_BYTES + register
}

impl Gdma {
    /// Reads the word at `offset`.
    pub fn read(&self, offset: u32, registers: &RegisterFile) -> Read {
        if offset < INTERRUPTS_BYTES * CHANNELS {
            let raw = self.channels[(offset / INTERRUPTS_BYTES) as usize].raw;
            let enabled = registers.get(offset / INTERRUPTS_BYTES * INTERRUPTS_BYTES + 8);
            return match offset % INTERRUPTS_BYTES {
                0 => Read::Value(raw),
                4 => Read::Value(raw & enabled),
                8 => Read::Stored,
                _ => Read::Value(0),
            };
        }
        if (MISC_FIRST..=MISC_LAST).contains(&offset) {
            return Read::Stored;
        }
        let Some((n, register)) = channel_register(offset) else { return Read::Unmodelled };
        let channel = &self.channels[n];
        match register {
            // Nothing is ever on its way: the FIFOs are empty.
            INFIFO_STATUS | OUTFIFO_STATUS => Read::Stored,
            IN_LINK => {
                Read::Value(registers.get(offset) & !IN_PARK | if channel.next_in.is_none() { IN_PARK } else { 0 })
            }
            OUT_LINK => {
                Read::Value(registers.get(offset) & !OUT_PARK | if channel.next_out.is_none() { OUT_PARK } else { 0 })
            }
            _ => Read::Stored,
        }
    }

    /// Writes the word at `offset`. A channel that is to copy memory does so when both of its lists are started.
    pub fn write(&mut self, offset: u32, value: u32, registers: &mut RegisterFile, memory: &mut Memory) -> Write {
        if offset < INTERRUPTS_BYTES * CHANNELS {
            return match offset % INTERRUPTS_BYTES {
                8 => Write::Stored,
                12 => {
                    self.channels[(offset / INTERRUPTS_BYTES) as usize].raw &= !value;
                    Write::Done
                }
                _ => Write::Done,
            };
        }
        if (MISC_FIRST..=MISC_LAST).contains(&offset) {
            return Write::Stored;
        }
        let Some((n, register)) = channel_register(offset) else { return Write::Unmodelled };
        let first = (value & ADDRESS != 0).then_some(whole_address(value));
        match register {
            IN_CONF0 if value & 1 != 0 => self.channels[n].next_in = None,
            OUT_CONF0 if value & 1 != 0 => self.channels[n].next_out = None,
            IN_LINK if value & IN_STOP != 0 => self.channels[n].next_in = None,
            IN_LINK if value & (IN_START | IN_RESTART) != 0 => self.channels[n].next_in = first,
            OUT_LINK if value & OUT_STOP != 0 => self.channels[n].next_out = None,
            OUT_LINK if value & (OUT_START | OUT_RESTART) != 0 => self.channels[n].next_out = first,
            _ => return Write::Stored,
        }
        let commands = match register {
            IN_LINK => IN_STOP | IN_START | IN_RESTART,
            OUT_LINK => OUT_STOP | OUT_START | OUT_RESTART,
            _ => 0,
        };
        registers.set(offset, value & !commands);
        if registers.get(self::register(n, IN_CONF0)) & IN_MEM_TRANS_EN != 0 {
            self.copy_memory(n, registers, memory);
        }
        Write::Done
    }

    /// The channels whose interrupts are asserted, the first in bit 0.
    pub fn interrupts(&self, registers: &RegisterFile) -> u64 {
        let asserted = |n: usize| self.channels[n].raw & registers.get(n as u32 * INTERRUPTS_BYTES + 8) != 0;
        (0..CHANNELS as usize).map(|n| u64::from(asserted(n)) << n).sum()
    }

    /// `bytes` bytes for a peripheral, from the channel that is connected to it. `None` if there are not as many.
    pub fn take(
        &mut self,
        peripheral: Peripheral,
        bytes: usize,
        registers: &mut RegisterFile,
        memory: &mut Memory,
    ) -> Option<Vec<u8>> {
        let channel = (0..CHANNELS as usize).find(|n| {
            registers.get(register(*n, OUT_PERI_SEL)) & 0x3f == peripheral as u32
                && self.channels[*n].next_out.is_some()
        })?;
        let taken = self.gather(channel, bytes.min(BYTES_MAX), registers, memory);
        (taken.len() == bytes).then_some(taken)
    }

    /// Bytes from a peripheral, to the channel that is connected to it. Whether there was room for all.
    pub fn put(
        &mut self,
        peripheral: Peripheral,
        bytes: &[u8],
        registers: &mut RegisterFile,
        memory: &mut Memory,
    ) -> bool {
        let channel = (0..CHANNELS as usize).find(|n| {
            registers.get(register(*n, IN_PERI_SEL)) & 0x3f == peripheral as u32 && self.channels[*n].next_in.is_some()
        });
        channel.is_some_and(|channel| self.scatter(channel, bytes, registers, memory))
    }

    fn copy_memory(&mut self, n: usize, registers: &mut RegisterFile, memory: &mut Memory) {
        if self.channels[n].next_in.is_some() && self.channels[n].next_out.is_some() {
            let bytes = self.gather(n, BYTES_MAX, registers, memory);
            self.scatter(n, &bytes, registers, memory);
        }
    }

    /// Reads along the outgoing list, up to `bytes` or to its end.
    fn gather(&mut self, n: usize, bytes: usize, registers: &mut RegisterFile, memory: &mut Memory) -> Vec<u8> {
        let mut gathered = Vec::new();
        let writes_back = registers.get(register(n, OUT_CONF0)) & OUT_AUTO_WRBACK != 0;
        let channel = &mut self.channels[n];
        for _ in 0..DESCRIPTORS_MAX {
            let Some(at) = channel.next_out.filter(|_| gathered.len() < bytes) else { break };
            registers.set(register(n, OUT_DSCR), at);
            let Some((flags, buffer, next)) = descriptor(memory, at) else {
                channel.raw |= OUT_DSCR_ERR;
                channel.next_out = None;
                break;
            };
            let length = (flags >> 12 & 0xfff) as usize;
            let mut piece = vec![0; length.min(bytes - gathered.len())];
            if memory.read_slice(buffer, &mut piece).is_err() {
                channel.raw |= OUT_DSCR_ERR;
                channel.next_out = None;
                break;
            }
            gathered.extend(piece);
            if writes_back {
                let _ = memory.write_word(at, flags & !DESCRIPTOR_OWNER);
            }
            channel.raw |= OUT_DONE;
            channel.next_out = next;
            if flags & DESCRIPTOR_EOF != 0 {
                channel.raw |= OUT_EOF;
                registers.set(register(n, OUT_EOF_DES_ADDR), at);
            }
            if next.is_none() {
                channel.raw |= OUT_TOTAL_EOF;
            }
            if flags & DESCRIPTOR_EOF != 0 && bytes == BYTES_MAX {
                break;
            }
        }
        gathered
    }

    /// Writes along the incoming list. The last descriptor that is filled says that it is.
    fn scatter(&mut self, n: usize, bytes: &[u8], registers: &mut RegisterFile, memory: &mut Memory) -> bool {
        let mut rest = bytes;
        let channel = &mut self.channels[n];
        for _ in 0..DESCRIPTORS_MAX {
            let Some(at) = channel.next_in.filter(|_| !rest.is_empty()) else { break };
            registers.set(register(n, IN_DSCR), at);
            let Some((flags, buffer, next)) = descriptor(memory, at) else {
                channel.raw |= IN_DSCR_ERR;
                channel.next_in = None;
                return false;
            };
            let size = (flags & 0xfff) as usize;
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            let is_last = behind.is_empty();
            let filled = flags & 0xfff | (piece.len() as u32) << 12 | if is_last { DESCRIPTOR_EOF } else { 0 };
            if memory.write_slice(buffer, piece).is_err() || memory.write_word(at, filled).is_err() {
                channel.raw |= IN_DSCR_ERR;
                channel.next_in = None;
                return false;
            }
            rest = behind;
            channel.raw |= IN_DONE;
            channel.next_in = next;
            if is_last {
                channel.raw |= IN_SUC_EOF;
                registers.set(register(n, IN_SUC_EOF_DES_ADDR), at);
            }
        }
        if !rest.is_empty() {
            channel.raw |= IN_DSCR_EMPTY;
        }
        rest.is_empty()
    }
}

/// The whole address of what a register names by its low bits.
pub(super) const fn whole_address(low: u32) -> u32 {
    ADDRESS_BASE | low & ADDRESS
}

/// The descriptor at `at`: its first word, its buffer, and the next descriptor.
fn descriptor(memory: &Memory, at: u32) -> Option<(u32, u32, Option<u32>)> {
    let word = |n: u32| memory.read_word(at.wrapping_add(4 * n)).ok();
    let next = word(2)?;
    Some((word(0)?, word(1)?, (next != 0).then_some(next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;
    use crate::machine::memory::{Access, Window};

    const RAM: u32 = 0x3fc8_0000;

    fn bench() -> (Gdma, RegisterFile, Memory) {
        let mut memory = Memory::new();
        let store = memory.add_store(0x1_0000);
        let window = Window { address: RAM, length: 0x1_0000, store, offset: 0, access: Access::READ_WRITE };
        memory.map(window).expect("it fits");
        (Gdma::default(), RegisterFile::new(peripheral("DMA"), 0x1000), memory)
    }

    fn write_descriptor(memory: &mut Memory, at: u32, flags: u32, buffer: u32, next: u32) {
        for (n, word) in [flags, buffer, next].into_iter().enumerate() {
            memory.write_word(at + 4 * n as u32, word).expect("RAM");
        }
    }

    fn write(gdma: &mut Gdma, offset: u32, value: u32, registers: &mut RegisterFile, memory: &mut Memory) {
        if gdma.write(offset, value, registers, memory) == Write::Stored {
            registers.set(offset, value);
        }
    }

    #[test]
    fn memory_is_copied_from_a_list_to_a_list() {
        let (mut gdma, mut registers, mut memory) = bench();
        memory.write_slice(RAM + 0x1000, b"hello, ").expect("RAM");
        memory.write_slice(RAM + 0x2000, b"memory").expect("RAM");
        write_descriptor(&mut memory, RAM, DESCRIPTOR_OWNER | 7 << 12 | 7, RAM + 0x1000, RAM + 12);
        write_descriptor(&mut memory, RAM + 12, DESCRIPTOR_OWNER | DESCRIPTOR_EOF | 6 << 12 | 6, RAM + 0x2000, 0);
        write_descriptor(&mut memory, RAM + 24, DESCRIPTOR_OWNER | 4, RAM + 0x3000, RAM + 36);
        write_descriptor(&mut memory, RAM + 36, DESCRIPTOR_OWNER | 100, RAM + 0x3004, 0);
        write(&mut gdma, register(1, IN_CONF0), IN_MEM_TRANS_EN, &mut registers, &mut memory);
        write(&mut gdma, register(1, IN_LINK), IN_START | (RAM + 24) & ADDRESS, &mut registers, &mut memory);
        write(&mut gdma, register(1, OUT_LINK), OUT_START | RAM & ADDRESS, &mut registers, &mut memory);
        let mut copied = [0; 13];
        memory.read_slice(RAM + 0x3000, &mut copied).expect("RAM");
        assert_eq!(&copied, b"hello, memory");
        let last = memory.read_word(RAM + 36).expect("RAM");
        assert_eq!((last >> 12 & 0xfff, last >> 30), (9, 1), "its length, EOF, and the owner is the CPU");
        let Read::Value(raw) = gdma.read(0x10, &registers) else { panic!("raw interrupts are worked out") };
        let expected = IN_DONE | IN_SUC_EOF | OUT_DONE | OUT_EOF | OUT_TOTAL_EOF;
        assert_eq!(raw, expected);
        registers.set(0x18, IN_SUC_EOF);
        assert_eq!(gdma.interrupts(&registers), 1 << 1);
    }

    #[test]
    fn a_ring_or_a_list_that_leads_nowhere_ends() {
        let (mut gdma, mut registers, mut memory) = bench();
        registers.set(register(0, OUT_PERI_SEL), Peripheral::Sha as u32);
        // A ring of one descriptor without bytes.
        write_descriptor(&mut memory, RAM, DESCRIPTOR_OWNER, RAM + 0x1000, RAM);
        write(&mut gdma, register(0, OUT_LINK), OUT_START | RAM & ADDRESS, &mut registers, &mut memory);
        assert_eq!(gdma.take(Peripheral::Sha, 64, &mut registers, &mut memory), None);
        // A buffer that is not memory.
        write_descriptor(&mut memory, RAM, DESCRIPTOR_OWNER | 64 << 12, 0x1234, 0);
        write(&mut gdma, register(0, OUT_LINK), OUT_START | RAM & ADDRESS, &mut registers, &mut memory);
        assert_eq!(gdma.take(Peripheral::Sha, 64, &mut registers, &mut memory), None);
        let Read::Value(raw) = gdma.read(0, &registers) else { panic!("raw interrupts are worked out") };
        assert_eq!(raw & OUT_DSCR_ERR, OUT_DSCR_ERR);
        assert_eq!(gdma.take(Peripheral::Aes, 16, &mut registers, &mut memory), None, "nobody is connected");
    }
}
