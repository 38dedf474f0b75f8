//! Traces that a process has drafted, for all cores in it that run the same code.
//!
//! Hundreds of chips run the same image; what one of them has drafted the others need not. A trace is known by the address at
//! which it begins and by its [grounds](super::grounds): a core takes it if it would draft the same, which it finds out by
//! comparing bytes. What is in here does not change, and whether something is in here changes no result.

use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use translate::versions::{OnHost, Versions};

use super::by_address::AddressHasher;
use super::draft::FrontEnd;
use super::grounds::Grounds;
use super::op::Op;

/// When there is more than this, in bytes, all is forgotten; who uses some keeps that. An image's traces take some 10 MiB.
const BYTES_MAX: usize = 128 << 20;

/// So many traces that begin at the same address are remembered, the newest ones: each image has its own.
const VERSIONS_MAX: usize = 16;

/// A trace as it was drafted: nothing in it is one core's.
pub(super) struct Drafted {
    /// No other trace of the process has this number: whoever has the same trace has the same number.
    pub(super) number: u64,
    pub(super) ops: Vec<Op>,
    /// The address of the instruction of each operation; of a stub, where it leads.
    pub(super) addresses: Vec<u32>,
    /// What each operation does.
    pub(super) kinds: Vec<u8>,
    /// How many operations there are without the stubs at the end.
    pub(super) length: u32,
    /// Branches and the link: the operation, counted from the first, and the address to which it leads.
    pub(super) exits: Vec<(u32, u32)>,
    /// What it was drafted of. `None` if it is one core's.
    pub(super) grounds: Option<Grounds>,
}

impl Drafted {
    /// A number that no trace has.
    pub(super) fn new_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Where it leads, if this operation is a branch or the link.
    pub(super) fn leads_to(&self, op: u32) -> Option<u32> {
        self.exits.iter().find(|(exit, _)| *exit == op).map(|&(_, target)| target)
    }
}

impl OnHost for Drafted {
    fn size_bytes(&self) -> usize {
        let lists =
            size_of_val(&*self.ops) + size_of_val(&*self.addresses) + self.kinds.len() + size_of_val(&*self.exits);
        size_of::<Self>() + lists + self.grounds.as_ref().map_or(0, Grounds::size_bytes)
    }
}

/// Traces of one instruction set, by content.
pub(in crate::cores) struct SharedTraces {
    /// Many look while few keep.
    contents: RwLock<Contents>,
}

type Contents = Versions<Drafted, BuildHasherDefault<AddressHasher>>;

impl Default for SharedTraces {
    fn default() -> Self {
        Self { contents: RwLock::new(Versions::new(VERSIONS_MAX, BYTES_MAX)) }
    }
}

impl SharedTraces {
    /// The trace that begins at `start`, if this front end would draft one that is here. What it was drafted of is then
    /// remembered as code.
    pub(super) fn find(&self, start: u32, front_end: &mut impl FrontEnd) -> Option<Arc<Drafted>> {
        let contents = self.contents();
        // The newest are the likeliest.
        let mut there = contents.at(start).iter().rev();
        there.find(|drafted| drafted.grounds.as_ref().is_some_and(|grounds| grounds.hold(front_end))).cloned()
    }

    /// Keeps a trace that begins at `start`, if it can be anybody's; or gives the same one that was kept meanwhile.
    pub(super) fn keep(&self, start: u32, drafted: Drafted) -> Arc<Drafted> {
        if drafted.grounds.is_none() {
            return Arc::new(drafted);
        }
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = contents.at(start).iter().find(|one| one.grounds == drafted.grounds) {
            return same.clone();
        }
        let drafted = Arc::new(drafted);
        contents.put(start, drafted.clone());
        drafted
    }

    fn contents(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::fast::draft::Draft;
    use crate::cores::fast::grounds::ReadAs;
    use crate::cores::fast::{HandedOn, Tables};
    use crate::machine::memory::Memory;

    /// An instruction set of which every instruction is one byte, and ends its trace; everywhere is the same byte.
    struct Everywhere(u8);

    impl FrontEnd for Everywhere {
        type Circumstances = ();

        fn shared() -> &'static SharedTraces {
            unreachable!("nobody asks")
        }

        fn handed_on() -> &'static HandedOn<()> {
            unreachable!("nobody asks")
        }

        fn circumstances(&self) {}

        fn memory(&mut self) -> (&mut Memory, &mut Tables) {
            unreachable!("nobody asks")
        }

        fn setting(&self) -> u8 {
            0
        }

        fn add(&mut self, pc: u32, draft: &mut Draft) -> Option<u32> {
            draft.has_read(pc, &[self.0], ReadAs::Instruction);
            None
        }

        fn stops_at(&self, _: u32) -> bool {
            false
        }

        fn shows(&mut self, _: u32, bytes: &[u8], _: ReadAs) -> bool {
            bytes == [self.0]
        }

        fn remember_as_code(&mut self, _: u32, _: u32) {}
    }

    fn drafted(start: u32, byte: u8) -> Drafted {
        let mut draft = Draft::default();
        draft.fill(start, &mut Everywhere(byte));
        draft.finish()
    }

    #[test]
    fn the_same_trace_is_kept_once() {
        let shared = SharedTraces::default();
        assert!(shared.find(8, &mut Everywhere(1)).is_none());
        let one = shared.keep(8, drafted(8, 1));
        assert_eq!(shared.keep(8, drafted(8, 1)).number, one.number);
        assert_eq!(shared.find(8, &mut Everywhere(1)).map(|found| found.number), Some(one.number));
        assert!(shared.find(8, &mut Everywhere(2)).is_none() && shared.find(9, &mut Everywhere(1)).is_none());
    }

    #[test]
    fn of_many_traces_at_one_address_the_newest_are_remembered() {
        let shared = SharedTraces::default();
        let numbers: Vec<u64> = (0..50).map(|byte| shared.keep(8, drafted(8, byte)).number).collect();
        let found = (0..50).map(|byte| shared.find(8, &mut Everywhere(byte)).map(|found| found.number));
        let expected = numbers.iter().enumerate().map(|(n, &number)| (n >= 50 - VERSIONS_MAX).then_some(number));
        assert!(found.eq(expected));
    }
}
