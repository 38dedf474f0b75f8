//! What the core asks of the chip round it.

use crate::machine::access::Width;
use crate::machine::memory::Memory;

/// Nobody answers at this address (or not to this access): the core takes a load or store prohibited exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFault;

/// The core's interrupt inputs: bit `n` is input `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterruptLines {
    /// Inputs that are high now. Those of level-sensitive interrupts are pending for as long.
    pub levels: u32,
    /// Inputs that have risen since the core last asked. Those of edge-triggered interrupts are pending until software
    /// clears them; the NMI is one of them.
    pub edges: u32,
}

/// Everything round the core that is not direct memory: registers and interrupt lines.
///
/// `cycle` is the core's cycle at the instruction that asks. Every method that is given memory may move its windows and
/// write its bytes (DMA, a cache that shows other flash); the core notices.
///
/// The core asks [`interrupts`](Self::interrupts) and [`next_event_cycle`](Self::next_event_cycle) again after every
/// call of the other methods, and when the cycle that `next_event_cycle` named has come; not in between.
pub trait Bus {
    /// A load from an address that is not readable direct memory. Always naturally aligned.
    fn load(&mut self, memory: &mut Memory, address: u32, width: Width, cycle: u64) -> Result<u32, BusFault>;

    /// A store to an address that is not writable direct memory. Always naturally aligned.
    fn store(
        &mut self,
        memory: &mut Memory,
        address: u32,
        width: Width,
        value: u32,
        cycle: u64,
    ) -> Result<(), BusFault>;

    /// The interrupt inputs now.
    fn interrupts(&mut self, cycle: u64) -> InterruptLines;

    /// The cycle at which [`interrupts`](Self::interrupts) may next change although the core touches nothing. `u64::MAX`
    /// for never.
    fn next_event_cycle(&mut self, cycle: u64) -> u64;

    /// Asked after every access: should [`super::Lx106::run`] return [`super::Stop::Requested`] after this instruction?
    fn stop_requested(&mut self) -> bool {
        false
    }
}
