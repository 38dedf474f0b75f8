//! What a transcript's last column says about each message. Random bytes are never shown.

mod certificate;
mod hello;
mod message;
mod mqtt;

pub(crate) use certificate::chain;
pub(crate) use hello::{client_hello, encrypted_extensions, server_hello};
pub(crate) use message::{certificate_request, certificate_verify, new_session_ticket, server_key_exchange};
pub(crate) use mqtt::{breach, packet};
