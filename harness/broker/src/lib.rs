//! A TLS MQTT broker without I/O that enacts one scenario.
//!
//! A [`Broker`] is built from the `[broker]` table of a scenario, minted certificates, a seed and a date. It gives a
//! [`Connection`] for each client that dials: bytes and an instant go in, [`Action`]s, [`Event`]s and the next deadline
//! come out. The same inputs give the same outputs, byte for byte: keys, randoms and signatures follow from the seed.
//!
//! Below MQTT lies an *engine*, which turns the bytes of the wire into those of the session and back. There are three:
//! rustls, OpenSSL for what rustls has buried, and none at all (MQTT in the clear).
//!
//! This crate does not know boards, sockets, processes or wall time.

mod client_hello_buffer;
mod connection;
mod engine;
mod error;
mod event;
mod libssl;
mod outbox;
mod registry;
mod security;
mod session;
mod suppress_alerts;
mod tls;
mod watch;

pub use connection::Connection;
pub use error::Error;
pub use event::{Event, Happening, Secured};
pub use network::{Action, Close};

use clock::{Instant, UnixTime};
use registry::Registry;
use security::Security;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tls::ConnectionRng;

/// Which OpenSSL the broker has, in its own words: captures of the engine on OpenSSL are repeatable with the same one.
pub fn openssl_version() -> &'static str {
    libssl::version()
}

/// A broker that enacts one scenario.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    /// What connections share from the second one on, if that is different.
    later: Option<Arc<Shared>>,
    /// What the broker does once it has misbehaved often enough.
    without_misbehaviour: Arc<scenario::broker::Broker>,
    accepted: u32,
}

/// What all connections of a broker share.
#[derive(Debug)]
struct Shared {
    script: Arc<scenario::broker::Broker>,
    /// `None` if the broker speaks no TLS, or none that anybody knows.
    tls: Option<Security>,
    registry: Arc<Mutex<Registry>>,
    seed: u64,
    date: UnixTime,
}

impl Broker {
    /// A broker for a run that takes place at `date`.
    ///
    /// # Errors
    ///
    /// An [`Error`] that names the field if the script asks for what cannot be: a certificate that does not exist, or
    /// versions that none of the cipher suites belongs to.
    pub fn new(
        script: &scenario::broker::Broker,
        minted: &pki::Minted,
        seed: u64,
        date: UnixTime,
    ) -> Result<Self, Error> {
        let speaks = |script: &scenario::broker::Broker| script.tls && !script.versions.is_empty();
        let registry: Arc<Mutex<Registry>> = Arc::default();
        let share = |script: &scenario::broker::Broker, tls| {
            let (script, registry) = (Arc::new(script.clone()), Arc::clone(&registry));
            Arc::new(Shared { script, tls, registry, seed, date })
        };
        let tls = speaks(script).then(|| Security::new(script, minted, seed)).transpose()?;
        let later = match script.later() {
            Some(later) => {
                let tls = speaks(&later).then(|| Security::after(tls.as_ref(), &later, minted, seed)).transpose()?;
                Some(share(&later, tls))
            }
            None => None,
        };
        let shared = share(script, tls);
        Ok(Self { shared, later, without_misbehaviour: Arc::new(without_misbehaviour(script)), accepted: 0 })
    }

    /// Accepts a client's TCP connection.
    pub fn accept(&mut self, now: Instant, peer: SocketAddr) -> Connection {
        let misbehaves = self.shared.script.misbehaves_times.is_none_or(|times| self.accepted < times);
        let shared = self.later.as_ref().filter(|_| self.accepted > 0).unwrap_or(&self.shared);
        self.accepted = self.accepted.saturating_add(1);
        let script = if misbehaves { &shared.script } else { &self.without_misbehaviour };
        let rng = ConnectionRng::new(shared.seed, self.accepted);
        Connection::accept(Arc::clone(shared), Arc::clone(script), self.accepted, rng, now, peer)
    }

    /// The TLS secrets of all connections so far as NSS key log text, with which a capture is decrypted
    /// (draft-ietf-tls-keylogfile).
    pub fn key_log(&self) -> String {
        let shared = [Some(&self.shared), self.later.as_ref()];
        shared.into_iter().flatten().filter_map(|shared| shared.tls.as_ref()).map(Security::key_log).collect()
    }
}

impl Shared {
    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The script without its misbehaviour: certificates and rules of entry stay.
fn without_misbehaviour(script: &scenario::broker::Broker) -> scenario::broker::Broker {
    let good = scenario::broker::Broker::default();
    scenario::broker::Broker {
        on_missing_name: good.on_missing_name,
        on_unknown_name: good.on_unknown_name,
        on_accept: None,
        on_client_hello: None,
        on_server_hello: None,
        on_server_flight: None,
        on_finished: None,
        goodbye: good.goodbye,
        mqtt: scenario::broker::Mqtt {
            allow_anonymous: script.mqtt.allow_anonymous,
            users: script.mqtt.users.clone(),
            publish: script.mqtt.publish.clone(),
            ..good.mqtt
        },
        ..script.clone()
    }
}
