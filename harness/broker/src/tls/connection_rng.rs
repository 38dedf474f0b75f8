//! What a connection's cryptography draws on while a TLS library works for it.
//!
//! rustls wants its source of randomness as `&'static`, one for all connections of the process, which would make the
//! bytes of a connection depend on what other connections did. So the static source draws from whatever [`ConnectionRng`]
//! has entered the thread, and each connection enters its own before it calls rustls. Outside of that there is no
//! randomness at all, and rustls fails rather than give bytes that nobody can repeat. OpenSSL's source of randomness is
//! made the same way (`libssl/library.rs`).

use super::server_hello::Change;
use super::tap::Writer;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use rustls::crypto::{GetRandomFailed, SecureRandom};
use scenario::broker::OnServerHello;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

/// One connection's randomness, and the encrypter with which it writes at present.
pub(crate) struct ConnectionRng {
    randomness: ChaCha20Rng,
    /// The server's random is to end in the downgrade sentinel.
    sentinel_is_due: bool,
    /// What is changed in ServerHello, as long as it has not been.
    pub(super) change: Option<Change>,
    pub(super) writer: Option<Arc<Mutex<Writer>>>,
}

thread_local! {
    static ENTERED: RefCell<Option<ConnectionRng>> = const { RefCell::new(None) };
}

impl ConnectionRng {
    /// The rng of connection number `connection` of the broker with this seed.
    pub(crate) fn new(seed: u64, connection: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"shakedown broker");
        hash.update(seed.to_be_bytes());
        hash.update(connection.to_be_bytes());
        Self {
            randomness: ChaCha20Rng::from_seed(hash.finalize().into()),
            sentinel_is_due: false,
            change: None,
            writer: None,
        }
    }

    /// Fills `octets` from this connection's randomness.
    pub(crate) fn fill(&mut self, octets: &mut [u8]) {
        self.randomness.fill_bytes(octets);
    }

    /// Lets the next random of a server end in what RFC 9846 §4.2.3 has a server of TLS 1.3 say when it is made to
    /// speak TLS 1.2.
    pub(crate) fn pretend_downgrade(&mut self) {
        self.sentinel_is_due = true;
    }

    /// Lets the next ServerHello be another one.
    pub(crate) fn change_server_hello(&mut self, change: OnServerHello) {
        self.change = Some(Change::new(change));
    }

    fn fill_for_rustls(&mut self, octets: &mut [u8]) {
        const SENTINEL: &[u8; 8] = b"DOWNGRD\x01";
        self.fill(octets);
        // The first 32 octets that a server draws are its random.
        if octets.len() == 32 && std::mem::take(&mut self.sentinel_is_due) {
            octets[24..].copy_from_slice(SENTINEL);
        }
    }

    /// Runs `work`, which may call a TLS library, with the rng in `slot` entered.
    pub(crate) fn during<R>(slot: &mut Option<Self>, work: impl FnOnce() -> R) -> R {
        /// Puts things back even when `work` unwinds.
        struct Guard<'a> {
            slot: &'a mut Option<ConnectionRng>,
            outer: Option<ConnectionRng>,
        }
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                *self.slot = ENTERED.replace(self.outer.take());
            }
        }
        let outer = ENTERED.replace(slot.take());
        let _guard = Guard { slot, outer };
        work()
    }
}

/// Does something with the rng that has entered this thread, if one has.
pub(crate) fn with_entered<R>(work: impl FnOnce(&mut ConnectionRng) -> R) -> Option<R> {
    ENTERED.with_borrow_mut(|entered| entered.as_mut().map(work))
}

/// The static source that rustls is given.
#[derive(Debug)]
pub(super) struct EnteredRandomness;

impl SecureRandom for EnteredRandomness {
    fn fill(&self, octets: &mut [u8]) -> Result<(), GetRandomFailed> {
        with_entered(|rng| rng.fill_for_rustls(octets)).ok_or(GetRandomFailed)
    }
}
