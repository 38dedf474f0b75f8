//! A chip that goes on from where another one was: after a boot that was kept, or in the middle of a run.

use std::sync::Arc;

use super::past::{Done, Key, Limits, Replay, Step};
use super::{Emulated, Past, Phase};
use crate::Fault;

impl Emulated {
    /// The same chip, whose runs can be kept at any instant ([`Self::keep`]).
    #[must_use]
    pub fn noting(self) -> Self {
        Self { is_noting: true, ..self }
    }

    /// The same chip, which has behind it what `past` has: whoever flashes and resets it, and does what was done then, hears
    /// what was heard then, and the chip itself goes on only from there. What comes after is the same, to the byte and to
    /// the nanosecond, as if it had run all the way.
    #[must_use]
    pub fn continuing(self, past: Arc<Past>) -> Self {
        Self { past: Some(past), ..self }
    }

    /// The run until now, to be continued from here ([`Self::continuing`]).
    ///
    /// `None` of a chip that does not note its runs ([`Self::noting`]) or has not begun one, that can go on no more, that
    /// has a mask ROM or a flash of its image's, or in which more has been said than is kept (64 MiB).
    pub fn keep(&self) -> Option<Arc<Past>> {
        let Phase::Noted(recorder) = &self.phase else { return None };
        let (key, snapshot) = (self.key()?, self.chip.snapshot()?);
        self.halted_at.is_none().then(|| Arc::new(recorder.clone().finish(key, snapshot)))
    }

    /// What this chip's run begins with, if that was kept.
    pub(super) fn kept(&self) -> Option<Arc<Past>> {
        let key = self.key()?;
        let past = self.past.as_ref().filter(|past| past.is_of(&key)).map(Arc::clone);
        // A boot that is not run cannot be noted.
        past.or_else(|| self.boots.as_ref().filter(|_| !self.is_noting)?.find(&key))
    }

    /// Runs through a real mask ROM, or from a flash of the image's own, are not kept: a snapshot of such a chip needs these
    /// beside it.
    fn key(&self) -> Option<Key> {
        if self.rom.is_some() || self.own_flash.is_some() {
            return None;
        }
        let image = self.image.clone()?;
        Some(Key { chip: self.model.chip.name, seed: self.seed, image, flash: self.flash_content.clone() })
    }

    /// The replay is over: the chip goes on from its end.
    fn go_on(&mut self, replay: &Replay) -> Result<(), Fault> {
        let restored = self.chip.restore(replay.past.snapshot());
        restored.map_err(|error| Fault::Bench(format!("a run that was kept is none: {error}")))?;
        if let Some(image) = &self.image {
            self.chip.know_symbols(image);
        }
        self.chip.use_fast_path(self.fast);
        self.skipped = self.chip.instructions_retired();
        Ok(())
    }

    /// The bench does otherwise than in the run that was kept: the chip runs after all, up to where it has been heard.
    fn catch_up(&mut self, replay: &Replay) -> Result<(), Fault> {
        self.load()?;
        self.start();
        for done in &replay.done {
            match done {
                Done::Looked(deadline) => {
                    self.hear(*deadline);
                }
                Done::Sent(port, bytes) => self.tell(*port, bytes),
            }
        }
        Ok(())
    }

    /// The bench speaks, or wants to hear more than was kept: from now on, the chip itself is heard.
    pub(super) fn become_live(&mut self) -> Result<(), Fault> {
        match std::mem::replace(&mut self.phase, Phase::Live) {
            Phase::Live => Ok(()),
            Phase::Noted(recorder) => {
                self.phase = Phase::Noted(recorder);
                Ok(())
            }
            Phase::Boot(recorder) => {
                if let (Some(boots), Some(key), Some(snapshot)) = (&self.boots, self.key(), self.chip.snapshot()) {
                    boots.keep(recorder.finish(key, snapshot));
                }
                Ok(())
            }
            Phase::Replayed(replay) if replay.is_over() => self.go_on(&replay),
            Phase::Replayed(replay) => self.catch_up(&replay),
        }
    }

    /// Notes a step, if steps are noted and it is not too much.
    pub(super) fn note(&mut self, step: impl FnOnce() -> Step) {
        let (recorder, limits) = match &mut self.phase {
            Phase::Boot(recorder) => (recorder, Limits::BOOT),
            Phase::Noted(recorder) => (recorder, Limits::RUN),
            Phase::Live | Phase::Replayed(_) => return,
        };
        // What halts was no boot.
        if self.halted_at.is_some() || !recorder.note(step(), &limits) {
            self.phase = Phase::Live;
        }
    }
}
