//! The page table through which host code reaches the guest's memory.
//!
//! It has an entry for every page of the guest's address space. The front end's side fills it, with pages of which every
//! access is allowed and need be seen by nobody; what is not in it, host code leaves to its caller.

/// Pages of this size: 1 KiB.
pub const PAGE_SHIFT: u32 = 10;

/// How many pages a table has.
pub const PAGE_COUNT: usize = 1 << (32 - PAGE_SHIFT);

/// What loads, and what stores need to know of a page: zero where they must leave, or one more than what added to a guest
/// address (modulo 2^32) gives an offset into the backing bytes.
pub type Page = [u32; 2];

/// The entry of a [`Page`] for loads.
pub const READS: usize = 0;

/// The entry of a [`Page`] for stores.
pub const WRITES: usize = 1;
