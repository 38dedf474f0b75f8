//! The engine on rustls, and what makes it repeatable; the randomness and the key log serve every engine.

mod clients;
mod configuration;
pub(crate) mod connection_rng;
mod engine;
mod groups;
mod key_log;
mod server_hello;
mod signing;
mod suites;
mod tap;
mod tickets;

pub(crate) use clients::filler;
pub(crate) use configuration::Configuration;
pub(crate) use connection_rng::ConnectionRng;
pub(crate) use engine::TlsEngine;
pub(crate) use key_log::Log;
