//! The third kind of link: a real socket of this machine's loopback, for devices that are processes of this machine.
//!
//! The same scripted broker as behind an emulated chip, or a real one, listens on a free port of the loopback. A tap on
//! the socket records what passes as if it had passed in IP packets, so that every tool reads these captures too.
//!
//! Such a run is **not** byte-reproducible: its time is the wall's, and a real process decides what is said. What is
//! compared is the class of its outcome.

pub mod exchange;
pub mod loopback;
pub mod recorder;
pub(crate) mod rename;
