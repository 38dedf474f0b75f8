//! The engine on rustls, and what makes it repeatable; the randomness and the key log serve every engine.

pub(crate) mod ambient;
mod clients;
mod configuration;
mod engine;
mod groups;
mod key_log;
mod server_hello;
mod signing;
mod suites;
mod tap;
mod tickets;

pub(crate) use ambient::Ambient;
pub(crate) use clients::filler;
pub(crate) use configuration::Configuration;
pub(crate) use engine::TlsEngine;
pub(crate) use key_log::Log;
