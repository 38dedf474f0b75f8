//! What one version of Mbed TLS does its own way.

use alloc::borrow::Cow;
use core::ffi::c_int;

use client::tls::Failure;
use control::Tls;

/// A version of Mbed TLS, as far as Rust can tell it from others. There is one in a program: two C libraries of one name
/// cannot be linked at once.
pub trait Version {
    /// Codes without their sign and the names that this version's headers give them, sorted by code.
    const ERRORS: &'static [(i32, &'static str)];
    /// Flags of the check of a chain and their names, lowest bit first.
    const VERIFY_FLAGS: &'static [(u32, &'static str)];

    /// `MBEDTLS_VERSION_NUMBER`: 0x03060500 is 3.6.5.
    ///
    /// To be asked of `shakedown_library_version` in the version's own crate: some linkers (GNU ld) take from an archive
    /// only what somebody before it has asked for, and the version's, with all of the C, comes before that of this crate.
    fn number() -> u32;

    /// The plan, if all of it can be done; with whatever follows from one of its fields for others.
    ///
    /// # Errors
    /// [`Failure::unsupported`] for a field that the library has no means to carry out.
    fn adapt(plan: &Tls) -> Result<Cow<'_, Tls>, Failure>;

    /// Whether a code means: a ticket has come, with which the session can be resumed, and there is more to read.
    fn brings_ticket(code: c_int) -> bool;
}
