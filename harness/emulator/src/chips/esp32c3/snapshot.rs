//! The chip's state, as a snapshot keeps it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chip::ESP32C3;
use serde::{Deserialize, Serialize};

use crate::cores::riscv::HartState;
use crate::machine::debug::Transport;
use crate::machine::event::Event;
use crate::machine::memory::Layout;
use crate::machine::snapshot::{Snapshot, SnapshotError};

use super::Esp32c3;
use super::debugging::Debugging;
use super::loading::Boots;
use super::soc::Soc;

/// Everything but the bytes in memory. Whoever adds a field to [`Esp32c3`] decides here whether it is the chip's or its
/// owner's.
#[derive(Serialize, Deserialize)]
struct State<'a> {
    hart: HartState,
    memory: Layout,
    soc: Cow<'a, Soc>,
    boots: Cow<'a, Boots>,
    jtag: Cow<'a, Option<Box<Transport>>>,
    debugging: Cow<'a, Debugging>,
    events: Cow<'a, [Event]>,
    halted: bool,
    rom_is_modelled: bool,
    told_events: usize,
    told_output: [usize; 3],
    rtt_due: u64,
    told_radio_frames: usize,
    told_overflow: [u64; 2],
    told_exceptions: Cow<'a, BTreeMap<(u32, u8), u32>>,
}

impl Esp32c3 {
    /// The chip now.
    pub fn snapshot(&self) -> Snapshot {
        let state = State {
            hart: self.hart.state(),
            memory: self.memory.layout(),
            soc: Cow::Borrowed(&self.soc),
            boots: Cow::Borrowed(&self.boots),
            jtag: Cow::Borrowed(&self.jtag),
            debugging: Cow::Borrowed(&self.debugging),
            events: Cow::Borrowed(&self.events),
            halted: self.halted,
            rom_is_modelled: self.rom_is_modelled,
            told_events: self.told_events,
            told_output: self.told_output,
            rtt_due: self.rtt_due,
            told_radio_frames: self.told_radio_frames,
            told_overflow: self.told_overflow,
            told_exceptions: Cow::Borrowed(&self.told_exceptions),
        };
        // Nothing in it can fail to be written.
        let state = postcard::to_allocvec(&state).unwrap_or_default();
        Snapshot::new(ESP32C3.name, state, self.memory.backing())
    }

    /// Goes on from a snapshot. Symbols, breakpoints and whether the fast path is used stay this chip's.
    ///
    /// # Errors
    ///
    /// If it is of another chip, or its state is none. The chip is then as it was.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let state: State<'_> = snapshot.state_of(ESP32C3.name)?;
        if state.rom_is_modelled != self.rom_is_modelled {
            return Err(SnapshotError::OtherRom);
        }
        let mut soc = state.soc.into_owned();
        soc.adopt(state.memory.store_count())?;
        snapshot.restore_memory(state.memory, &mut self.memory)?;
        self.hart.set_state(&state.hart);
        self.soc = soc;
        self.boots = state.boots.into_owned();
        self.jtag = state.jtag.into_owned();
        // A debugger without pins is this chip's owner's.
        let without_pins = self.debugging.without_pins;
        self.debugging = state.debugging.into_owned();
        self.debugging.without_pins = without_pins;
        self.settle_breaks();
        self.events = state.events.into_owned();
        self.halted = state.halted;
        self.told_events = state.told_events;
        self.told_output = state.told_output;
        self.rtt_due = state.rtt_due;
        self.told_radio_frames = state.told_radio_frames;
        self.told_overflow = state.told_overflow;
        self.told_exceptions = state.told_exceptions.into_owned();
        Ok(())
    }
}
