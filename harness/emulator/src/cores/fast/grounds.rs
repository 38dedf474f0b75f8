//! What a trace was drafted of, so that another core can tell whether it would draft the same.
//!
//! The grounds of a draft are all that it depends on:
//!
//! - *the front end's setting* ([`FrontEnd::setting`]): what of the core's state it goes by, besides where code is;
//! - *the bytes read*, at their addresses as the core sees them: of instructions, which the core was allowed to execute, and of
//!   literals, which it was allowed to read besides. Which window shows them, and where the bytes lie behind it, a draft
//!   does not contain;
//! - *places to stop*: no instruction but the first may be one, and where a trace ends because there is one, there is one.
//!
//! There is nothing else: protection, windows and watchpoints decide what may be read, and that is asked anew of every core.
//! What an access of the *trace* may touch is the page table's to say, when it is executed. A draft for which something could not
//! be read (memory ends, protection forbids it) has no grounds, and is nobody else's.

use crate::machine::memory::PAGE_BYTES;

use super::draft::FrontEnd;

/// What bytes were read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cores) enum ReadAs {
    /// To execute them.
    Instruction,
    /// To know what an instruction loads: they may be executed and read.
    Literal,
}

/// What a trace was drafted of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grounds {
    setting: u8,
    instructions: Reads,
    literals: Reads,
    /// Where instructions begin, the first one too.
    beginnings: Vec<u32>,
    /// Where the trace ends for no other reason than that the core stops there.
    ends_at_stop: Option<u32>,
}

/// Bytes that were read: stretches of them, of which each is in one page, and what they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reads {
    stretches: Vec<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Reads {
    fn add(&mut self, address: u32, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        for at in (0..bytes.len() as u32).map(|n| address.wrapping_add(n)) {
            match self.stretches.last_mut() {
                Some((first, length)) if first.wrapping_add(*length) == at && !at.is_multiple_of(PAGE_BYTES) => {
                    *length += 1;
                }
                _ => self.stretches.push((at, 1)),
            }
        }
    }

    fn stretches(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut rest = &*self.bytes;
        self.stretches.iter().map(move |&(address, length)| {
            let (bytes, after) = rest.split_at(length as usize);
            rest = after;
            (address, bytes)
        })
    }

    fn are_there(&self, read_as: ReadAs, front_end: &mut impl FrontEnd) -> bool {
        self.stretches().all(|(address, bytes)| front_end.shows(address, bytes, read_as))
    }

    fn clear(&mut self) {
        self.stretches.clear();
        self.bytes.clear();
    }
}

impl Grounds {
    /// Those of a draft that has nothing yet.
    pub(super) fn begin(&mut self, setting: u8) {
        self.setting = setting;
        self.instructions.clear();
        self.literals.clear();
        self.beginnings.clear();
        self.ends_at_stop = None;
    }

    pub(super) fn add_instruction(&mut self, address: u32) {
        self.beginnings.push(address);
    }

    pub(super) fn has_instruction(&self, address: u32) -> bool {
        self.beginnings.contains(&address)
    }

    pub(super) fn add_read(&mut self, address: u32, bytes: &[u8], read_as: ReadAs) {
        match read_as {
            ReadAs::Instruction => self.instructions.add(address, bytes),
            ReadAs::Literal => self.literals.add(address, bytes),
        }
    }

    pub(super) fn end_at_stop(&mut self, address: u32) {
        self.ends_at_stop = Some(address);
    }

    /// Whether a front end would draft the same. If so, what was read is code here too.
    pub(super) fn hold(&self, front_end: &mut impl FrontEnd) -> bool {
        let holds = self.setting == front_end.setting()
            && self.instructions.are_there(ReadAs::Instruction, front_end)
            && self.literals.are_there(ReadAs::Literal, front_end)
            && !self.beginnings.iter().skip(1).any(|&address| front_end.stops_at(address))
            && self.ends_at_stop.is_none_or(|address| front_end.stops_at(address));
        if holds {
            for (address, bytes) in self.instructions.stretches().chain(self.literals.stretches()) {
                front_end.remember_as_code(address, bytes.len() as u32);
            }
        }
        holds
    }

    /// What they take of the host's memory, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        let reads = |reads: &Reads| size_of_val(&*reads.stretches) + reads.bytes.len();
        reads(&self.instructions) + reads(&self.literals) + size_of_val(&*self.beginnings)
    }
}
