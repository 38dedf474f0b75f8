//! The chip's state, as a snapshot keeps it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chip::ESP8266;
use serde::{Deserialize, Serialize};

use super::Esp8266;
use super::loading::Boots;
use super::soc::Soc;
use crate::cores::lx106::CoreState;
use crate::machine::event::Event;
use crate::machine::memory::Layout;
use crate::machine::snapshot::{Snapshot, SnapshotError};

/// Everything but the bytes in memory. Whoever adds a field to [`Esp8266`] decides here whether it is the chip's or its
/// owner's.
#[derive(Serialize, Deserialize)]
struct State<'a> {
    core: CoreState,
    memory: Layout,
    soc: Cow<'a, Soc>,
    boots: Cow<'a, Boots>,
    events: Cow<'a, [Event]>,
    halted: bool,
    told_events: usize,
    told_output: [usize; 2],
    told_radio_frames: usize,
    told_overflow: [u64; 2],
    told_exceptions: Cow<'a, BTreeMap<(u32, u8), u32>>,
}

impl Esp8266 {
    /// The chip now.
    pub fn snapshot(&self) -> Snapshot {
        let state = State {
            core: self.core.state(),
            memory: self.memory.layout(),
            soc: Cow::Borrowed(&self.soc),
            boots: Cow::Borrowed(&self.boots),
            events: Cow::Borrowed(&self.events),
            halted: self.halted,
            told_events: self.told_events,
            told_output: self.told_output,
            told_radio_frames: self.told_radio_frames,
            told_overflow: self.told_overflow,
            told_exceptions: Cow::Borrowed(&self.told_exceptions),
        };
        // Nothing in it can fail to be written.
        let state = postcard::to_allocvec(&state).unwrap_or_default();
        Snapshot::new(ESP8266.name, state, self.memory.backing())
    }

    /// Goes on from a snapshot. Symbols and breakpoints stay this chip's.
    ///
    /// # Errors
    ///
    /// If it is of another chip, or its state is none. The chip is then as it was.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let state: State<'_> = snapshot.state_of(ESP8266.name)?;
        let mut soc = state.soc.into_owned();
        soc.adopt(state.memory.store_count())?;
        snapshot.restore_memory(state.memory, &mut self.memory)?;
        self.core.set_state(&state.core);
        self.soc = soc;
        self.boots = state.boots.into_owned();
        self.events = state.events.into_owned();
        self.halted = state.halted;
        self.told_events = state.told_events;
        self.told_output = state.told_output;
        self.told_radio_frames = state.told_radio_frames;
        self.told_overflow = state.told_overflow;
        self.told_exceptions = state.told_exceptions.into_owned();
        Ok(())
    }
}
