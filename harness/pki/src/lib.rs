//! Mints certificate chains, good and crooked, deterministically: the same specification, seed and date give the same
//! bytes on every machine.
//!
//! [`spec`] is the grammar in which a scenario says what is to be minted: the `[pki.*]` tables of a scenario file.
//!
//! This crate knows certificates, keys, seeds and dates (RFC 5280). It does not know scenarios, TLS or brokers.

mod authority;
mod defaults;
mod der;
mod derive;
mod encode;
mod error;
mod given;
mod key;
mod mint;
mod plan;
pub mod spec;

pub use authority::{Authority, Refusal};
pub use defaults::Defaults;
pub use error::Error;
pub use key::{CannotSign, KeyPair, Scheme};
pub use mint::{Minted, MintedCertificate, mint, to_pem};
pub use plan::{CERTIFICATES_MAX, FILLER_NAMES_MAX, check};
