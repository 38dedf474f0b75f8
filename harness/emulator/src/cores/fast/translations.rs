//! Every trace that was made, and how they lead to each other.

use std::sync::Arc;

use super::by_address::ByAddress;
use super::draft::{Draft, FrontEnd};
use super::handlers::handler;
use super::host_code::Unit;
use super::op::{JUMP_COUNT, Jump, Op, SINK};
use super::shared::Drafted;

/// When there are this many operations, all are dropped and made anew: code that is still in use comes back at once.
const OPERATIONS_MAX: usize = 1 << 18;

/// Every trace made so far.
pub(super) struct Translations {
    pub(super) ops: Vec<Op>,
    /// The address of the instruction of each operation; of a stub or a trace's first operation, where it leads.
    addresses: Vec<u32>,
    /// Where each computed jump led the last time; zero for what has not jumped.
    pub(super) targets: Vec<u32>,
    pub(super) traces: ByAddress<Trace>,
    /// The first operation of each trace, ascending, with the trace's address.
    beginnings: Vec<(u32, u32)>,
    /// Branches and links that lead to traces, with the traces' addresses.
    links: Vec<(u32, u32)>,
    pub(super) units: Vec<Unit>,
    jumps: Vec<Jump>,
    /// The slots of `jumps` in use, so that few are cleared when few traces were made.
    jumps_used: Vec<u32>,
    draft: Draft,
    /// How many traces somebody else in the process had drafted.
    shared: usize,
}

/// A trace that has been made.
pub(super) struct Trace {
    pub(super) drafted: Arc<Drafted>,
    /// Its first operation.
    pub(super) first: u32,
    /// The operation that stands for it: the first, or one that runs host code.
    pub(super) entry: u32,
    /// How many translations of the process that begin here were looked at.
    pub(super) translations_seen: usize,
}

impl Translations {
    pub(super) fn new() -> Self {
        Self {
            ops: Vec::new(),
            addresses: Vec::new(),
            targets: Vec::new(),
            traces: ByAddress::default(),
            beginnings: Vec::new(),
            links: Vec::new(),
            units: Vec::new(),
            jumps: (0..JUMP_COUNT).map(Jump::empty).collect(),
            jumps_used: Vec::new(),
            draft: Draft::default(),
            shared: 0,
        }
    }

    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub(super) fn addresses(&self) -> &[u32] {
        &self.addresses
    }

    pub(super) fn jumps(&self) -> &[Jump] {
        &self.jumps
    }

    /// Whether there is no trace.
    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What it takes of the host's memory besides drafts and host code, which others have too, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        let exits: usize = self.units.iter().map(|unit| size_of_val(&*unit.exits)).sum();
        self.ops.capacity() * size_of::<Op>()
            + (self.addresses.capacity() + self.targets.capacity()) * size_of::<u32>()
            + self.traces.capacity() * size_of::<(u32, Trace)>()
            + (self.beginnings.capacity() + self.links.capacity()) * size_of::<(u32, u32)>()
            + self.jumps.capacity() * size_of::<Jump>()
            + self.units.capacity() * size_of::<Unit>()
            + exits
    }

    /// Drops every trace.
    pub(super) fn clear(&mut self) {
        self.ops.clear();
        self.addresses.clear();
        self.targets.clear();
        self.traces.clear();
        self.beginnings.clear();
        self.links.clear();
        self.units.clear();
        for slot in self.jumps_used.drain(..) {
            self.jumps[slot as usize] = Jump::empty(slot as usize);
        }
    }

    /// The operation that stands for the trace that begins at `pc`, if there is nothing more to do for it.
    pub(super) fn find(&self, pc: u32) -> Option<u32> {
        let jump = self.jumps[Jump::slot(pc)];
        (jump.pc == pc).then_some(jump.op)
    }

    /// The operation that stands for the trace that begins at `pc`, which is made if need be; where `with_host_code`, host
    /// code that the process has of it takes its place.
    ///
    /// Numbers of operations from before the call may be void after it, if [`Self::is_full`] was true.
    pub(super) fn translate(&mut self, pc: u32, front_end: &mut impl FrontEnd, with_host_code: bool) -> u32 {
        self.make(pc, front_end);
        if with_host_code {
            self.take_from_cache(pc, front_end);
        }
        let entry = self.traces[&pc].entry;
        self.remember(pc, entry);
        entry
    }

    /// Makes the trace that begins at `pc`, if there is none.
    pub(super) fn make(&mut self, pc: u32, front_end: &mut impl FrontEnd) {
        if self.traces.contains_key(&pc) {
            return;
        }
        let drafted = self.drafted(pc, front_end);
        let first = self.ops.len() as u32;
        self.ops.extend_from_slice(&drafted.ops);
        self.addresses.extend_from_slice(&drafted.addresses);
        self.targets.resize(self.ops.len(), 0);
        self.beginnings.push((first, pc));
        self.traces.insert(pc, Trace { drafted, first, entry: first, translations_seen: 0 });
    }

    fn drafted<F: FrontEnd>(&mut self, pc: u32, front_end: &mut F) -> Arc<Drafted> {
        if let Some(drafted) = F::shared().find(pc, front_end) {
            self.shared += 1;
            return drafted;
        }
        self.draft.fill(pc, front_end);
        F::shared().keep(pc, self.draft.finish())
    }

    /// All of this was made by another core.
    pub(super) fn are_of_another(&mut self) {
        self.shared = self.traces.len();
    }

    /// How many traces somebody else in the process had drafted, since there is this core.
    pub(super) fn shared_count(&self) -> usize {
        self.shared
    }

    /// The address of the trace of which an operation is part.
    pub(super) fn trace_of(&self, op: u32) -> Option<u32> {
        let after = self.beginnings.partition_point(|&(first, _)| first <= op);
        Some(self.beginnings[after.checked_sub(1)?].1)
    }

    /// Puts an operation at the end, which from now on stands for the trace that begins at `pc`.
    pub(super) fn replace_entry(&mut self, pc: u32, kind: u8, immediate: u32) {
        let entry = self.ops.len() as u32;
        self.ops.push(Op { handler: handler(kind), immediate, rd: SINK, rs1: SINK, rs2: SINK, before: 0 });
        self.addresses.push(pc);
        self.targets.push(0);
        if let Some(trace) = self.traces.get_mut(&pc) {
            trace.entry = entry;
        }
        for &(branch, _) in self.links.iter().filter(|(_, target)| *target == pc) {
            self.ops[branch as usize].immediate = entry.wrapping_sub(branch);
        }
        self.remember(pc, entry);
    }

    fn remember(&mut self, pc: u32, op: u32) {
        let slot = Jump::slot(pc);
        if self.jumps[slot].is_empty(slot) {
            self.jumps_used.push(slot as u32);
        }
        self.jumps[slot] = Jump { pc, op };
    }

    /// Whether the owner should [`clear`](Self::clear) before translating more.
    pub(super) fn is_full(&self) -> bool {
        self.ops.len() > OPERATIONS_MAX
    }

    /// Makes the branch of an unlinked exit go on to a trace.
    pub(super) fn link(&mut self, branch: u32, trace: u32) {
        self.ops[branch as usize].immediate = trace.wrapping_sub(branch);
        self.links.push((branch, self.addresses[trace as usize]));
    }

    pub(super) fn targets_mut(&mut self) -> &mut [u32] {
        &mut self.targets
    }

    pub(super) fn units(&self) -> &[Unit] {
        &self.units
    }
}
