//! What a process has compiled, for all in it that run the same code.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;

use crate::code::{BackEnd, Code};
use crate::form::Region;
use crate::versions::{OnHost, Versions};

/// When there is more host code than this, in bytes, the cache forgets all of it; who uses some keeps that.
const BYTES_MAX: usize = 32 << 20;

/// So many regions that begin at the same address are remembered, the newest ones.
const VERSIONS_MAX: usize = 8;

/// So many regions wait for the compiler; what is asked for besides is not compiled.
const WAITING_MAX: usize = 64;

/// A page of the host, of which every region takes a whole number.
const HOST_PAGE_BYTES: usize = 4096;

/// Of what a front end has made a region. Each list but the last is by block.
pub struct Source {
    /// Where the block begins, as the front end counts.
    pub addresses: Vec<u32>,
    /// What the front end assumed besides: to which block this one jumps, where code computes that.
    pub expected: Vec<Option<u32>>,
    /// What it was described from: whoever has, at the same addresses, what has the same numbers, describes the same region.
    pub made_of: Vec<u64>,
    /// Where each exit of the region leaves: the block, and what of that the front end goes on with.
    pub exits: Vec<(u32, u32)>,
}

/// A region with its host code: the same for everybody whose own code gives the same region.
pub struct Translation {
    /// Of what it was made.
    pub source: Source,
    /// What was compiled.
    pub region: Region,
    /// What came of it.
    pub code: Code,
}

/// Translations by content. What is in here does not change, and whether something is in here changes no result.
#[derive(Default)]
pub struct Cache {
    back_end: OnceLock<Box<dyn BackEnd>>,
    /// What waits for the thread that compiles; `None` if the host has no thread for it.
    waiting: OnceLock<Option<SyncSender<(Source, Region)>>>,
    contents: Mutex<Contents>,
}

struct Contents {
    translations: Versions<Translation>,
    /// Instructions that were executed where somebody may want host code, by address, since something was compiled there.
    executed: HashMap<u32, u64>,
    /// Addresses for which somebody is compiling.
    in_work: HashSet<u32>,
}

impl Default for Contents {
    fn default() -> Self {
        let translations = Versions::new(VERSIONS_MAX, BYTES_MAX);
        Self { translations, executed: HashMap::new(), in_work: HashSet::new() }
    }
}

impl Cache {
    /// The cache of this process.
    pub fn of_this_process() -> &'static Self {
        static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);
        &CACHE
    }

    /// Has regions compiled by `back_end` from now on, if nobody compiles them yet. Without one, the cache stays empty.
    pub fn use_back_end(&self, back_end: Box<dyn BackEnd>) {
        // If there is one already, this one is not needed.
        let _ = self.back_end.set(back_end);
    }

    /// Whether anything can be compiled here.
    pub fn has_back_end(&self) -> bool {
        self.back_end.get().is_some()
    }

    /// The translations that begin at `address`. Which of them is of somebody's code, its source tells.
    pub fn at(&self, address: u32) -> Vec<Arc<Translation>> {
        self.contents().translations.at(address).to_vec()
    }

    /// How many translations begin at `address`.
    pub fn count_at(&self, address: u32) -> usize {
        self.contents().translations.at(address).len()
    }

    /// Notes that somebody has executed so many instructions at `address`; how many all have, since the last translation
    /// that begins there.
    pub fn note_executed(&self, address: u32, instructions: u64) -> u64 {
        let mut contents = self.contents();
        let executed = contents.executed.entry(address).or_default();
        *executed = executed.saturating_add(instructions);
        *executed
    }

    /// Compiles a region, in this thread, unless it is there already: then that may have been made of something else, though
    /// it begins at the same addresses. `None` without a back end, if another thread is compiling for the same address, or if
    /// the region cannot be compiled.
    pub fn compile(&self, source: Source, region: Region) -> Option<Arc<Translation>> {
        let back_end = self.back_end.get()?;
        let &first = source.addresses.first()?;
        {
            let mut contents = self.contents();
            let is_same = |one: &&Arc<Translation>| one.region == region && one.source.addresses == source.addresses;
            if let Some(same) = contents.translations.at(first).iter().find(is_same) {
                return Some(same.clone());
            }
            if !contents.in_work.insert(first) {
                return None;
            }
        }
        let code = back_end.compile(&region);
        let mut contents = self.contents();
        contents.in_work.remove(&first);
        contents.executed.remove(&first);
        let translation = Arc::new(Translation { source, region, code: code? });
        contents.translations.put(first, translation.clone());
        Some(translation)
    }

    /// As [`Self::compile`], in a thread that the cache has for that: whoever asks does not wait, and looks [there](Self::at)
    /// later. Where too many wait already, nothing comes of it, and who still wants it asks again.
    pub fn compile_later(&'static self, source: Source, region: Region) {
        let Some(&first) = source.addresses.first().filter(|_| self.has_back_end()) else { return };
        // Nobody asks for the same until as much has been executed once more.
        self.contents().executed.remove(&first);
        if let Some(waiting) = self.waiting.get_or_init(|| self.start_compiling()) {
            let _ = waiting.try_send((source, region));
        }
    }

    fn start_compiling(&'static self) -> Option<SyncSender<(Source, Region)>> {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        let compile = move || {
            for (source, region) in receiver {
                self.compile(source, region);
            }
        };
        thread::Builder::new().name("compiler of host code".into()).spawn(compile).ok()?;
        Some(sender)
    }

    /// Bytes of host code that are remembered.
    pub fn size_bytes(&self) -> usize {
        self.contents().translations.size_bytes()
    }

    fn contents(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnHost for Translation {
    fn size_bytes(&self) -> usize {
        self.code.size_bytes().next_multiple_of(HOST_PAGE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Left;
    use crate::form::{Block, End};
    use std::sync::mpsc::{Receiver, Sender};

    /// Says of each region that it has been asked for it, and compiles when it is told to.
    struct Asking {
        asked: Sender<u32>,
        may: Mutex<Receiver<()>>,
    }

    impl BackEnd for Asking {
        fn compile(&self, region: &Region) -> Option<Code> {
            let End::Leave(number) = region.blocks[0].end else { unreachable!("of these tests") };
            self.asked.send(number).unwrap();
            self.may.lock().unwrap().recv().unwrap();
            extern "C" fn leave(_: *mut u32, _: *const crate::memory::Page, _: *mut u8, budget: u32) -> u64 {
                budget.into()
            }
            // SAFETY: the function touches nothing, and is there as long as the program.
            Some(unsafe { Code::new(leave, 16, Box::new(())) })
        }
    }

    fn source(address: u32) -> Source {
        Source { addresses: vec![address], expected: vec![None], made_of: vec![0], exits: Vec::new() }
    }

    fn region(number: u32) -> Region {
        Region { blocks: vec![Block { operations: Vec::new(), end: End::Leave(number) }] }
    }

    /// A cache for as long as the process lives, what its back end is asked for, and how it is told to go on.
    fn cache() -> (&'static Cache, Receiver<u32>, Sender<()>) {
        let ((asked, is_asked), (go_on, may)) = (mpsc::channel(), mpsc::channel());
        let cache: &'static Cache = Box::leak(Box::default());
        cache.use_back_end(Box::new(Asking { asked, may: Mutex::new(may) }));
        (cache, is_asked, go_on)
    }

    #[test]
    fn who_asks_does_not_wait_and_finds_it_later() {
        let (cache, is_asked, go_on) = cache();
        assert_eq!(cache.note_executed(1, 10), 10);
        cache.compile_later(source(1), region(1));
        assert_eq!(is_asked.recv().unwrap(), 1);
        assert_eq!(cache.count_at(1), 0);
        assert_eq!(cache.note_executed(1, 10), 10, "counted anew");
        cache.compile_later(source(2), region(2));
        go_on.send(()).unwrap();
        // The second is begun when the first is there.
        assert_eq!(is_asked.recv().unwrap(), 2);
        let [translation] = cache.at(1).try_into().ok().unwrap();
        assert_eq!(translation.region, region(1));
        // SAFETY: `leave` touches nothing.
        let left = unsafe { translation.code.run(std::ptr::null_mut(), std::ptr::null(), std::ptr::null_mut(), 7) };
        assert_eq!(left, Left { exit: 0, budget: 7 });
        go_on.send(()).unwrap();
    }

    #[test]
    fn too_many_do_not_wait_either() {
        let (cache, is_asked, go_on) = cache();
        cache.compile_later(source(0), region(0));
        assert_eq!(is_asked.recv().unwrap(), 0);
        let too_many = WAITING_MAX as u32 + 10;
        (1..=too_many).for_each(|n| cache.compile_later(source(n), region(n)));
        (0..=too_many).for_each(|_| go_on.send(()).unwrap());
        let compiled: Vec<u32> = (0..WAITING_MAX).map(|_| is_asked.recv().unwrap()).collect();
        assert_eq!(compiled, (1..=WAITING_MAX as u32).collect::<Vec<_>>());
        // What nothing came of is asked for again.
        while cache.count_at(WAITING_MAX as u32) == 0 {
            thread::yield_now();
        }
        cache.compile_later(source(too_many), region(too_many));
        assert_eq!(is_asked.recv().unwrap(), too_many);
    }
}
