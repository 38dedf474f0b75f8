//! A tap on a run's network, and what can be read from it.
//!
//! While a run lasts, a [`Tap`] records IP packets and TLS secrets; [`pcapng`] writes them to a file that every
//! Wireshark decrypts by itself, and reads such files back, from any tool.
//!
//! This crate does not know scenarios, boards or brokers: what it tells is a function of the recorded bytes.

mod conversation;
mod decrypt;
mod details;
pub mod hexadecimal;
mod lookup;
pub mod modem;
mod offer;
pub mod pcapng;
mod secrets;
pub mod similarity;
mod stream;
mod tap;
mod text;
pub mod transcript;
mod typeset;

pub use offer::{CutOffer, NoHello, Offer};
pub use stream::Side;
pub use tap::{Packet, Tap};
pub use transcript::{Transcript, read, read_from};
pub use typeset::{Style, render, show};
