//! The rack: real boards, described in a map, one holder each, recovered when they no longer answer.
//!
//! The bench drives a board of the rack as it drives an emulated chip; what is here is what boards need and chips do
//! not: a file that says where they are ([`map`]), a lock ([`lock`]), limits, a recovery ladder ([`recovery`]), a queue
//! that they share ([`queue`], [`pool`]), and what silicon may do otherwise than the emulator ([`silicon`]).
//!
//! This crate does not know what is done on a board: whoever has work for a pool of boards hands it in ([`pool::Work`]).

pub mod boards;
pub mod dated;
pub mod doctor;
pub mod emulated;
pub mod lock;
pub mod map;
pub mod pool;
pub mod program;
pub mod quarantine;
pub mod queue;
pub mod recovery;
pub mod scan;
pub mod silicon;
pub mod slot;
pub mod switch;
pub mod usb;
pub mod wedged;

/// The environment variable that names the program which holds debug probes; xtask builds it when a command needs it.
pub const PROBE: &str = "SHAKEDOWN_PROBE";
