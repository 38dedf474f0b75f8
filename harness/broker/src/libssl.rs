//! The engine on OpenSSL, for what rustls has buried: TLS 1.0 and 1.1, RSA and finite-field key exchange, CBC and worse,
//! max_fragment_length, renegotiation; and what makes it repeatable.

mod certificates;
mod clients;
mod configuration;
mod engine;
mod foreign;
mod groups;
mod library;
mod sessions;
mod tickets;

#[cfg(test)]
mod tests;

pub(crate) use configuration::Configuration;
pub(crate) use engine::OpensslEngine;
pub(crate) use library::version;
