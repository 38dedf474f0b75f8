//! Which traces become host code, and how it takes their place.
//!
//! What is hot shows where time runs out: after some thousands of instructions [`super::run`] comes back, and the trace
//! that used the last of them is as likely to be any other as it takes a part of the time. A trace that was met often
//! enough is compiled with those that it is linked to, and with those to which their computed jumps led last. What somebody
//! else in the process has compiled is taken when a trace is first entered, provided that one has the same traces: those that
//! the process [shares](super::shared).
//!
//! When that happens has no influence on results: host code executes what threaded code would. A process that has no back end
//! compiles nothing.

use std::sync::Arc;

use translate::{Cache, Source, Translation};

use super::draft::FrontEnd;
use super::op::{is_computed_jump, kind::HOST_CODE};
use super::region::describe;
use super::shared::Drafted;
use super::translations::{Trace, Translations};

/// A trace is compiled when all chips of a process together have executed so many instructions where it used the last of the
/// time. Compiling a region takes as long as threaded code takes for some millions of instructions.
pub(super) const HOT_INSTRUCTIONS: u64 = 4_000_000;

/// How often one looks what is executed. A prime, so that no loop is met at the same operation each time.
pub(super) const SAMPLE_INSTRUCTIONS: u64 = 4093;

/// No region has more traces, or operations, than this.
const TRACES_MAX: usize = 16;
const OPERATIONS_MAX: u32 = 512;

/// Host code in the place of a trace.
pub(super) struct Unit {
    pub(super) translation: Arc<Translation>,
    /// The operation at which threaded code goes on, by the exit's number.
    pub(super) exits: Vec<u32>,
}

impl Translations {
    /// Notes that a sample was taken at an operation. If all chips of the process together have executed `hot_instructions`
    /// there, its trace is compiled: beside those that run, and at once if somebody has said how many instructions that takes.
    /// If it has been compiled since this chip looked last, it is taken.
    pub(super) fn note_sample(&mut self, ran_out_at: u32, hot_instructions: u64) {
        let cache = Cache::of_this_process();
        if !cache.has_back_end() {
            return;
        }
        let Some(pc) = self.trace_of(ran_out_at) else { return };
        if self.traces.get(&pc).is_none_or(|trace| trace.entry != trace.first) || self.take_known(pc) {
            return;
        }
        if cache.note_executed(pc, SAMPLE_INSTRUCTIONS) < hot_instructions {
            return;
        }
        let addresses = self.linked_with(pc);
        let expected = self.expected_jumps(&addresses);
        let Some(traces) = self.traces_at(&addresses) else { return };
        let drafted: Vec<&Drafted> = traces.iter().map(|trace| &*trace.drafted).collect();
        let made_of = drafted.iter().map(|drafted| drafted.number).collect();
        let (region, exits) = describe(&drafted, &addresses, &expected);
        if hot_instructions == HOT_INSTRUCTIONS {
            return cache.compile_later(Source { addresses, expected, made_of, exits }, region);
        }
        // If the region is there already, it may have been made of other traces: its exits are these all the same.
        let operations = operations(&exits, &traces);
        if let Some(translation) = cache.compile(Source { addresses, expected, made_of, exits }, region) {
            self.install(pc, translation, operations);
        }
    }

    /// Takes host code for the trace that begins at `pc`, if the process has some of a region that is the same here.
    pub(super) fn take_from_cache(&mut self, pc: u32, front_end: &mut impl FrontEnd) {
        for translation in self.not_seen_yet(pc) {
            let Source { addresses, made_of, .. } = &translation.source;
            // Nothing may be gone past at which the core has to stop.
            let stops = |&address: &u32| address != pc && front_end.stops_at(address);
            if addresses.iter().any(stops) {
                continue;
            }
            let mut is_same = |(&address, &number): (&u32, &u64)| {
                self.make(address, front_end);
                self.traces[&address].drafted.number == number
            };
            if addresses.iter().zip(made_of).all(&mut is_same) && self.take(pc, &translation) {
                return;
            }
        }
    }

    /// The same, if all traces of the region have been made.
    fn take_known(&mut self, pc: u32) -> bool {
        self.not_seen_yet(pc).iter().any(|translation| self.take(pc, translation))
    }

    /// The translations of the process that begin at `pc` and were not looked at yet.
    fn not_seen_yet(&mut self, pc: u32) -> Vec<Arc<Translation>> {
        let cache = Cache::of_this_process();
        let Some(trace) = self.traces.get_mut(&pc).filter(|_| cache.has_back_end()) else { return Vec::new() };
        let count = cache.count_at(pc);
        match std::mem::replace(&mut trace.translations_seen, count) {
            seen if seen == count => Vec::new(),
            seen => cache.at(pc).into_iter().skip(seen).collect(),
        }
    }

    /// Takes a translation if it was made of the traces that are here.
    fn take(&mut self, pc: u32, translation: &Arc<Translation>) -> bool {
        let Source { addresses, made_of, exits, .. } = &translation.source;
        let Some(traces) = self.traces_at(addresses) else { return false };
        if !traces.iter().map(|trace| &trace.drafted.number).eq(made_of) {
            return false;
        }
        let operations = operations(exits, &traces);
        self.install(pc, Arc::clone(translation), operations);
        true
    }

    /// The traces that begin at these addresses, if all of them have been made.
    fn traces_at(&self, addresses: &[u32]) -> Option<Vec<&Trace>> {
        addresses.iter().map(|address| self.traces.get(address)).collect()
    }

    /// The trace that begins at `pc`, and those to which it and they are linked, nearest first.
    fn linked_with(&self, pc: u32) -> Vec<u32> {
        let mut addresses = vec![pc];
        let (mut next, mut operations) = (0, 0);
        while let Some(trace) = addresses.get(next).and_then(|address| self.traces.get(address)) {
            next += 1;
            operations += trace.drafted.length;
            let stubs = trace.first + trace.drafted.length..trace.first + trace.drafted.ops.len() as u32;
            let is_linked = |&&(n, _): &&(u32, u32)| {
                let branch = trace.first + n;
                !stubs.contains(&branch.wrapping_add(self.ops[branch as usize].immediate))
            };
            let linked = trace.drafted.exits.iter().filter(is_linked).map(|&(_, target)| target);
            for target in linked.chain(self.last_jump_of(trace)) {
                let fits = addresses.len() < TRACES_MAX && operations < OPERATIONS_MAX;
                if fits && !addresses.contains(&target) && self.traces.contains_key(&target) {
                    addresses.push(target);
                }
            }
        }
        addresses
    }

    /// Where the computed jump at the end of a trace led the last time.
    fn last_jump_of(&self, trace: &Trace) -> Option<u32> {
        // Behind the jump there is the operation that holds its return address.
        let n = trace.drafted.length.checked_sub(2)?;
        let target = self.targets[(trace.first + n) as usize];
        (is_computed_jump(trace.drafted.kinds[n as usize]) && target != 0).then_some(target)
    }

    /// For each of the traces at `addresses`, to which of them its computed jump led the last time.
    fn expected_jumps(&self, addresses: &[u32]) -> Vec<Option<u32>> {
        let block_at = |target| addresses.iter().position(|address| *address == target).map(|block| block as u32);
        let expected = |address| self.traces.get(address).and_then(|trace| self.last_jump_of(trace)).and_then(block_at);
        addresses.iter().map(expected).collect()
    }

    /// How many traces are host code.
    pub(super) fn host_code_count(&self) -> usize {
        self.units.len()
    }

    fn install(&mut self, pc: u32, translation: Arc<Translation>, exits: Vec<u32>) {
        let unit = self.units.len() as u32;
        self.units.push(Unit { translation, exits });
        self.replace_entry(pc, HOST_CODE, unit);
    }
}

/// The operations at which exits of a region of these traces leave.
fn operations(exits: &[(u32, u32)], traces: &[&Trace]) -> Vec<u32> {
    exits.iter().map(|&(block, operation)| traces[block as usize].first + operation).collect()
}
