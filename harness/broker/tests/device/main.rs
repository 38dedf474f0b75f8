//! The broker, met by a device that is not ours: rustls with ring's cryptography, in virtual time.

mod bench;
mod certificates;
mod cuts;
mod good;
mod hello;
mod hostile;
mod mqtt;
mod oracle;
mod repeatable;
