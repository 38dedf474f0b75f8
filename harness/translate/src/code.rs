//! What a back end is, and the host code that comes of a region.

use std::any::Any;

use crate::form::{Exit, Region};
use crate::memory::Page;

/// Makes host code. What comes of a region does the same on every host.
pub trait BackEnd: Send + Sync {
    /// Compiles a region. `None` if it is not whole ([`Region::is_whole`]), or if the host has no memory for it.
    fn compile(&self, region: &Region) -> Option<Code>;
}

/// The function of a region: registers, page table, backing bytes, time; the exit in the upper half of what it returns, and
/// in the lower the time that was left.
pub type Entry = unsafe extern "C" fn(*mut u32, *const Page, *mut u8, u32) -> u64;

/// The host code of one region.
pub struct Code {
    entry: Entry,
    size_bytes: usize,
    /// Whose memory the code lies in.
    _memory: Box<dyn Any + Send + Sync>,
}

/// Where host code left, and with how much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The region's exit.
    pub exit: Exit,
    /// Instructions for which there is time, counted from the beginning of the block that was left.
    pub budget: u32,
}

impl Code {
    /// Host code of `size_bytes` bytes that begins at `entry`, in memory that is there as long as `memory` is.
    ///
    /// # Safety
    ///
    /// Called as [`Self::run`] says, `entry` does what a region says and touches nothing else; its code stays where it is, and
    /// what it is, until `memory` is dropped.
    pub unsafe fn new(entry: Entry, size_bytes: usize, memory: Box<dyn Any + Send + Sync>) -> Self {
        Self { entry, size_bytes, _memory: memory }
    }

    /// Runs from the region's first block on.
    ///
    /// # Safety
    ///
    /// `registers` points to all registers that the region names; `pages` to [`crate::memory::PAGE_COUNT`] entries, of
    /// which each that is not zero leads into the bytes at `backing`, with all addresses of its page; nobody else uses
    /// registers or backing bytes until this returns. `budget` is less than 2^31.
    #[inline(always)]
    pub unsafe fn run(&self, registers: *mut u32, pages: *const Page, backing: *mut u8, budget: u32) -> Left {
        // SAFETY: the caller's contract is all that host code relies on.
        let both = unsafe { (self.entry)(registers, pages, backing, budget) };
        Left { exit: (both >> 32) as Exit, budget: both as u32 }
    }

    /// The host code's size in bytes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}
