//! A chip that goes on from where another one was: after a beginning that was kept, or in the middle of a run.

use std::sync::Arc;

use super::past::{Done, Key, Limits, Recorder, Replay, Step};
use super::{Emulated, Past, Phase};
use crate::{Fault, FlashContent};

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
    /// `None` of a chip that does not note its runs ([`Self::noting`]) or has not begun one, that can go on no more, or in
    /// which more has been said than is kept (64 MiB).
    pub fn keep(&self) -> Option<Arc<Past>> {
        self.is_noting.then(|| self.until_now().map(Arc::new)).flatten()
    }

    fn until_now(&self) -> Option<Past> {
        let Phase::Noted(recorder) = &self.phase else { return None };
        let (key, snapshot) = (self.key()?, self.chip.snapshot()?);
        self.halted_at.is_none().then(|| recorder.finish(key, snapshot))
    }

    /// Keeps the run until now among the boots: others may go on from here.
    pub(super) fn keep_boot(&self) {
        if let Some(boots) = &self.boots
            && let Some(boot) = self.until_now()
        {
            boots.keep(boot);
        }
    }

    /// What this chip's run begins with, if that was kept, with what the bench has `done` behind it, and so that it can do
    /// `next`.
    pub(super) fn kept(&self, done: &[Done], next: Option<&Done>) -> Option<Replay> {
        let key = self.key()?;
        let fits = |past: &Arc<Past>| {
            let replay = past.is_of(&key).then(|| Replay::after(Arc::clone(past), done))??;
            next.is_none_or(|next| replay.allows(next)).then_some(replay)
        };
        self.past.as_ref().and_then(fits).or_else(|| self.boots.as_ref()?.find(&fits))
    }

    /// Notes a run that begins, or goes on after `past`, if anybody wants to keep it.
    pub(super) fn noted(&self, past: Option<&Past>) -> Phase {
        let limits = match (self.is_noting, &self.boots) {
            (true, _) => Limits::RUN,
            (false, Some(_)) => Limits::BOOT,
            (false, None) => return Phase::Live,
        };
        Phase::Noted(past.map_or_else(|| Recorder::new(limits), |past| Recorder::after(past, limits)))
    }

    /// What the run depends on.
    fn key(&self) -> Option<Key> {
        let loaded = self.flash_content.as_ref();
        let probed = loaded.map(|bytes| FlashContent { bytes: Arc::clone(bytes), size_bytes: 0 });
        Some(Key {
            chip: self.model.chip.name,
            seed: self.seed,
            image: self.image.clone()?,
            flash: self.own_flash.clone().or(probed),
            rom: self.rom.clone(),
        })
    }

    /// The replay is over: the chip goes on from its end.
    fn go_on(&mut self, replay: &Replay) -> Result<(), Fault> {
        let restored = self.chip.restore(replay.past.snapshot());
        restored.map_err(|error| Fault::Bench(format!("a run that was kept is none: {error}")))?;
        if let Some(image) = self.image.as_ref().filter(|image| !image.is_empty()) {
            self.chip.know_symbols(image);
        }
        self.chip.execute_by(self.tier);
        self.skipped = self.chip.instructions_retired();
        self.phase = self.noted(Some(&replay.past));
        Ok(())
    }

    /// The bench does otherwise than in any run that was kept: the chip runs after all, up to where it has been heard.
    fn catch_up(&mut self, done: &[Done]) -> Result<(), Fault> {
        if !self.is_loaded {
            self.load()?;
        }
        self.start();
        self.phase = self.noted(None);
        done.iter().for_each(|done| self.act_now(done));
        Ok(())
    }

    /// Sees to it that the bench can do `next`: in the beginning that is heard again, in another one in which it did all that
    /// it has done, or else on the chip itself.
    pub(super) fn settle(&mut self, next: &Done) -> Result<(), Fault> {
        match std::mem::replace(&mut self.phase, Phase::Live) {
            Phase::Replayed(replay) if replay.is_over() => self.go_on(&replay),
            Phase::Replayed(replay) if !replay.allows(next) => match self.kept(&replay.done, Some(next)) {
                Some(other) if other.is_over() => self.go_on(&other),
                Some(other) => {
                    self.phase = Phase::Replayed(other);
                    Ok(())
                }
                None => self.catch_up(&replay.done),
            },
            as_it_was => {
                self.phase = as_it_was;
                Ok(())
            }
        }
    }

    /// Notes a step, if steps are noted and it is not too much.
    pub(super) fn note(&mut self, step: impl FnOnce() -> Step) {
        // What halts was no boot.
        if let Phase::Noted(recorder) = &mut self.phase
            && (self.halted_at.is_some() || !recorder.note(step()))
        {
            self.phase = Phase::Live;
        }
    }
}
