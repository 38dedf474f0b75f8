//! Guest code as host code.
//!
//! An instruction set's front end describes the code that it runs most often as a [`Region`] of the intermediate form
//! ([`form`]), in which nothing is left of the instruction set but the numbers of registers. A back end ([`BackEnd`], which
//! the crate `host_code` is) makes host code of it. What a process has compiled is shared by all that run the same code
//! ([`Cache`]).
//!
//! **Host code decides nothing.** It executes operations that are certain, and leaves at a numbered exit *before* the first
//! one that is not: an access that the page table ([`memory`]) does not let through, a branch that leads out of the region,
//! an edge for which there is no time. Whoever called it does that operation in its own way. So host code needs no meaning
//! of its own for devices, faults, interrupts and deadlines, and a process without a back end gives the same results, slowly.
//!
//! **Time** is counted in instructions. The caller says for how many there is time; each edge between two blocks takes
//! what its instructions were. Blocks themselves are short, and their caller has left room for the longest.

mod cache;
mod code;
pub mod form;
pub mod memory;
pub mod versions;

pub use cache::{Cache, Source, Translation};
pub use code::{BackEnd, Code, Entry, Left};
pub use form::Region;
