//! Stands the bench up, configures the device, watches, judges, files.
//!
//! The only crate that owns files, threads, sockets and exit codes. It does not know chips: it reaches the emulated
//! one through `board` like any other.

pub mod authority;
pub mod bench;
pub mod bisect;
pub mod builds;
pub mod capture_make;
pub mod certificates;
pub mod chips;
pub mod cli;
pub mod controls;
pub mod denial;
pub mod diagnose;
pub mod dialect;
pub mod emulate;
pub mod execution;
pub mod exit;
pub mod figures;
pub mod flashing;
pub mod hil;
pub mod image_source;
pub mod journal;
pub mod labgrid;
pub mod lan;
pub mod mask_rom;
pub mod mosquitto;
pub mod on_boards;
pub mod packets;
pub mod panics;
pub mod plan;
mod privileges;
pub mod product;
pub mod products;
pub mod proxy;
pub mod release_report;
pub mod released;
pub mod report_command;
pub mod reports;
mod server;
pub mod shard;
pub mod stack;
pub mod suite;
pub mod summary;
pub mod tables;
pub mod trial;
pub mod unattended;
pub mod verdict;
pub mod virtual_board;
pub mod wifi;
pub mod world;
