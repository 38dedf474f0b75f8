//! The library itself: which one it is, and its randomness.
//!
//! OpenSSL has one source of randomness for the process. It is replaced by one that draws from whatever [`ConnectionRng`] has
//! entered the thread, as for rustls: the bytes of a connection follow from the seed, whatever other threads do. Outside
//! of a connection there is no randomness, and OpenSSL fails rather than give bytes that nobody can repeat.
//!
//! [`ConnectionRng`]: crate::tls::ConnectionRng

use super::foreign::{RAND_set_rand_method, RandMethod};
use crate::error::Error;
use crate::tls::connection_rng;
use openssl::provider::Provider;
use std::ffi::{c_int, c_uchar, c_void};
use std::sync::OnceLock;

static METHOD: RandMethod = RandMethod {
    seed: Some(seed),
    bytes: Some(bytes),
    cleanup: None,
    add: Some(add),
    pseudorand: Some(bytes),
    status: Some(status),
};

extern "C" fn bytes(octets: *mut c_uchar, count: c_int) -> c_int {
    let Ok(count) = usize::try_from(count) else { return 0 };
    if count == 0 {
        return 1;
    }
    if octets.is_null() {
        return 0;
    }
    // SAFETY: OpenSSL passes a buffer of `count` octets that it alone uses (RAND_bytes(3)); they may be uninitialised,
    // so they are written before a slice is made of them.
    let octets = unsafe {
        octets.write_bytes(0, count);
        std::slice::from_raw_parts_mut(octets, count)
    };
    c_int::from(connection_rng::with_entered(|rng| rng.fill(octets)).is_some())
}

/// What others would add to the randomness is not wanted.
extern "C" fn seed(_octets: *const c_void, _count: c_int) -> c_int {
    1
}

extern "C" fn add(_octets: *const c_void, _count: c_int, _entropy: f64) -> c_int {
    1
}

extern "C" fn status() -> c_int {
    1
}

/// The providers, which stay for as long as the process.
struct Loaded {
    _default: Provider,
    /// RC4 lives there; not every system has it.
    _legacy: Option<Provider>,
}

/// Makes the library ready. To be called before anything else of it.
///
/// # Errors
///
/// If the library refuses, which a complete one does not.
pub(super) fn initialise() -> Result<(), Error> {
    static LOADED: OnceLock<Result<Loaded, Error>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        openssl::init();
        // SAFETY: the method is a static, so it outlives the library's use of it.
        if unsafe { RAND_set_rand_method(&raw const METHOD) } != 1 {
            let remedy = "use an OpenSSL from 3.0 that was built without `no-deprecated`";
            return Err(Error::new("engine", "this OpenSSL keeps its own randomness", remedy));
        }
        let default = Provider::load(None, "default").map_err(|error| {
            Error::new("engine", format!("this OpenSSL has no provider `default` ({error})"), "repair its installation")
        })?;
        Ok(Loaded { _default: default, _legacy: Provider::try_load(None, "legacy", true).ok() })
    });
    loaded.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// Which OpenSSL this is, in its own words.
pub(crate) fn version() -> &'static str {
    openssl::version::version()
}
