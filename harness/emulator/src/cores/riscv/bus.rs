//! What the hart asks of the chip round it.

use crate::machine::access::Width;
use crate::machine::memory::Memory;

/// Nobody answers at this address (or not to this access): the hart takes an access fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFault;

/// Everything round the hart that is not direct memory: registers, interrupt lines, vendor CSRs.
///
/// `cycle` is the hart's cycle at the instruction that asks. Device time is settled lazily: a device computes from
/// `cycle` where it would be by now. Every method may move `memory`'s windows and write its bytes (DMA, an MMU table);
/// the hart notices.
///
/// The hart asks [`interrupt`](Self::interrupt) and [`next_event_cycle`](Self::next_event_cycle) again after every
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

    /// A CSR that the hart does not have itself; `None` makes the instruction illegal.
    fn csr_read(&mut self, csr: u16, cycle: u64) -> Option<u32> {
        let _ = (csr, cycle);
        None
    }

    /// A write to a CSR that the hart does not have itself; `false` makes the instruction illegal.
    fn csr_write(&mut self, csr: u16, value: u32, cycle: u64) -> bool {
        let _ = (csr, value, cycle);
        false
    }

    /// The interrupt that the controller presents now, as the number for `mcause` and the vector table; enables,
    /// priorities and threshold already applied.
    fn interrupt(&mut self, cycle: u64) -> Option<u8>;

    /// The cycle at which [`interrupt`](Self::interrupt) may next change although the hart touches nothing: a timer's
    /// alarm, a byte arriving. `u64::MAX` for never.
    fn next_event_cycle(&mut self, cycle: u64) -> u64;

    /// Asked after every access: should [`super::Hart::run`] return [`super::Stop::Requested`] after this instruction
    /// (a software reset, output that the owner waits for)?
    fn stop_requested(&mut self) -> bool {
        false
    }
}
