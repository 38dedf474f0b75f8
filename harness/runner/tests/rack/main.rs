//! The rack without a board: emulated chips behind pseudo-terminals, each a process of its own, and faults in all of them.
#![cfg(unix)]

mod discipline;
mod faults;
mod labgrid;
mod own_network;
mod stand;
mod stopped;
#[path = "../support/mod.rs"]
mod support;
mod through_probe_rs;
