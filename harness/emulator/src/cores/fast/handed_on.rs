//! What a core has translated, handed on to the next one that runs the same.
//!
//! Hundreds of chips run the same image one after the other. A core that is done leaves all of its traces, linked and with their
//! host code, and the next takes them as they are. That is quicker than to look each of them up ([`super::shared`]) and to find
//! anew how they lead to each other.
//!
//! It may if everything is the same that a draft goes by: the core's [circumstances](FrontEnd::Circumstances), the windows, and
//! the bytes wherever something was decoded. So what the next core would translate is what it is given, and whether it is given
//! anything changes no result.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::machine::memory::{Decoded, Mapped, Memory};

use super::Execution;
use super::draft::FrontEnd;
use super::translations::Translations;

/// No more than this is kept, in bytes: the oldest goes. An image's traces take some 3 MiB, beside those that are shared.
const BYTES_MAX: usize = 128 << 20;

/// What cores of one instruction set have handed on, the newest last.
pub(in crate::cores) struct HandedOn<C> {
    bytes_max: usize,
    kept: Mutex<Vec<Kept<C>>>,
}

impl<C> Default for HandedOn<C> {
    fn default() -> Self {
        Self { bytes_max: BYTES_MAX, kept: Mutex::default() }
    }
}

/// What one core has translated.
pub(super) struct Kept<C> {
    pub(super) circumstances: C,
    /// Who was to execute it: host code is not for everybody.
    pub(super) execution: Execution,
    /// The windows through which it was read.
    pub(super) windows: Vec<Mapped>,
    pub(super) decoded: Decoded,
    pub(super) translations: Translations,
}

impl<C> Kept<C> {
    fn size_bytes(&self) -> usize {
        self.decoded.size_bytes() + self.translations.size_bytes()
    }
}

impl<C: PartialEq> HandedOn<C> {
    pub(super) fn keep(&self, kept: Kept<C>) {
        let mut all = self.all();
        all.push(kept);
        let mut bytes = 0;
        let newest = all.iter().rev().take_while(|kept| {
            bytes += kept.size_bytes();
            bytes <= self.bytes_max
        });
        let too_many = all.len() - newest.count();
        let gone: Vec<_> = all.drain(..too_many).collect();
        drop(all);
        drop(gone);
    }

    /// What a core in these circumstances would translate.
    pub(super) fn take(
        &self,
        circumstances: &C,
        execution: Execution,
        memory: &Memory,
    ) -> Option<(Decoded, Translations)> {
        let mut all = self.all();
        let is_the_same = |kept: &Kept<C>| {
            kept.execution == execution
                && kept.circumstances == *circumstances
                && kept.windows == memory.mapped()
                && memory.has(&kept.decoded)
        };
        let place = all.iter().rposition(is_the_same)?;
        let Kept { decoded, translations, .. } = all.remove(place);
        Some((decoded, translations))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Kept<C>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a core in the circumstances of this front end would translate, if it has been handed on. The bytes are then remembered as
/// code.
pub(super) fn take<F: FrontEnd>(front_end: &mut F, execution: Execution) -> Option<Translations> {
    let circumstances = front_end.circumstances();
    let (memory, tables) = front_end.memory();
    let (decoded, mut translations) = F::handed_on().take(&circumstances, execution, memory)?;
    tables.close_for_decoded(memory, decoded);
    translations.are_of_another();
    Some(translations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::fast::HOT_INSTRUCTIONS;
    use crate::machine::chip::Tier;
    use crate::machine::memory::PAGE_BYTES;

    const EXECUTION: Execution = Execution { tier: Tier::ThreadedCode, hot_instructions: HOT_INSTRUCTIONS };

    /// Some pages of memory, in each of which something was decoded.
    fn memory(pages: u32) -> Memory {
        let mut memory = Memory::new();
        memory.add_store(pages * PAGE_BYTES);
        for page in 0..pages {
            memory.mark_code(page * PAGE_BYTES, 2);
        }
        memory
    }

    fn kept(circumstances: u32, memory: &Memory) -> Kept<u32> {
        let decoded = memory.decoded().expect("nobody has written there");
        Kept { circumstances, execution: EXECUTION, windows: Vec::new(), decoded, translations: Translations::new() }
    }

    #[test]
    fn it_is_taken_once_and_the_newest_first() {
        let [small, large] = [1, 2].map(memory);
        let handed_on = HandedOn::default();
        handed_on.keep(kept(0, &small));
        handed_on.keep(kept(0, &large));
        handed_on.keep(kept(1, &small));
        let other = Execution { tier: Tier::HostCode, ..EXECUTION };
        assert!(handed_on.take(&0, other, &large).is_none(), "another tier");
        assert!(handed_on.take(&2, EXECUTION, &large).is_none(), "other circumstances");
        let pages = |taken: Option<(Decoded, Translations)>| taken.map(|(decoded, _)| decoded.pages().count());
        assert_eq!(pages(handed_on.take(&0, EXECUTION, &large)), Some(2));
        assert_eq!(pages(handed_on.take(&0, EXECUTION, &large)), Some(1));
        assert_eq!(pages(handed_on.take(&0, EXECUTION, &large)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let memory = memory(3);
        let each = kept(0, &memory).size_bytes();
        let handed_on = HandedOn { bytes_max: 5 * each + each / 2, ..HandedOn::default() };
        (0..20).for_each(|n| handed_on.keep(kept(n, &memory)));
        assert_eq!(handed_on.all().len(), 5);
        assert!((0..20).all(|n| handed_on.take(&n, EXECUTION, &memory).is_some() == (n >= 15)), "the oldest go");
    }
}
