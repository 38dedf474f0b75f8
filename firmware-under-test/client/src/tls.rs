//! What the client needs of a TLS library.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use outcome::{AlertDescription, FailureClass, Stage};

/// Where a session's records go to and come from. Nothing here waits.
pub trait Wire {
    /// Takes bytes that have arrived: `Ok(0)` if there are none yet.
    ///
    /// # Errors
    /// If no more will come.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, WireEnd>;

    /// Hands bytes over; returns how many were taken, which may be none.
    ///
    /// # Errors
    /// If none will ever be taken again.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, WireEnd>;

    /// To be called when the handshake enters a stage. Saying one twice, or an earlier one, does no harm.
    fn enter(&mut self, stage: Stage);
}

/// Why a wire carries no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireEnd {
    /// The peer closed its side in good order (TCP FIN).
    Closed,
    /// The connection is gone (TCP RST).
    Reset,
}

/// A TLS library.
pub trait Stack {
    /// One connection's worth of it.
    type Session: Session;

    /// The library and its version: `Mbed TLS 3.6.5`.
    fn name(&self) -> String;

    /// Prepares a session as the plan says. If that keeps sessions ([`control::Tls::keeps_session`]), it offers to resume
    /// the last one of this stack's that can be, and leaves its own behind.
    ///
    /// # Errors
    /// In the library's words, if it rejects certificates, keys or settings, or if memory is short.
    fn open(&mut self, plan: &control::Tls) -> Result<Self::Session, Failure>;

    /// Prepares the question that is put to the broker first, if the plan wants one
    /// ([`control::Tls::probes_fragment_length`]).
    ///
    /// # Errors
    /// [`Failure::unsupported`] if the library has no such question, or could not do the rest of the plan.
    fn probe(&mut self, plan: &control::Tls) -> Result<Option<Box<dyn Probe>>, Failure> {
        if plan.probes_fragment_length {
            return Err(Failure::unsupported("it asks a broker nothing before it connects"));
        }
        Ok(None)
    }
}

/// Whether the broker would honour the plan's max_fragment_length: asked on a connection of its own.
pub trait Probe {
    /// Goes on as far as the bytes at hand allow; the answer when it is there. What the peer is to hear at the end has
    /// been written by then.
    fn ask(&mut self, wire: &mut dyn Wire) -> Option<bool>;
}

/// One TLS connection.
pub trait Session {
    /// Goes on with the handshake as far as the bytes at hand allow; `true` when it is complete.
    ///
    /// # Errors
    /// In the library's words. What it wants the peer to know (an alert) has been written by then.
    fn handshake(&mut self, wire: &mut dyn Wire) -> Result<bool, Failure>;

    /// How long the library lets a handshake take in all, in milliseconds, however well it goes; `None`: for ever.
    fn handshake_ms_max(&self) -> Option<u32> {
        None
    }

    /// What was agreed. Asked once, when the handshake is complete.
    fn agreed(&self) -> Agreed;

    /// Takes decrypted bytes: `Ok(0)` if none have arrived.
    ///
    /// # Errors
    /// In the library's words, the peer's goodbye included.
    fn read(&mut self, wire: &mut dyn Wire, into: &mut [u8]) -> Result<usize, Failure>;

    /// Encrypts and hands over; returns how many bytes were taken. After `Ok(0)` the same bytes are to be offered
    /// again.
    ///
    /// # Errors
    /// In the library's words.
    fn write(&mut self, wire: &mut dyn Wire, bytes: &[u8]) -> Result<usize, Failure>;

    /// Says goodbye (close_notify), if that can be done without waiting.
    fn close(&mut self, wire: &mut dyn Wire);
}

/// What a handshake came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The protocol version as on the wire.
    pub version: u16,
    /// The cipher suite's name in the library's words.
    pub cipher_suite: String,
    /// What the check of the chain found and the plan let pass.
    pub verify_flags: u32,
    /// The flags' names.
    pub verify_flag_names: Vec<String>,
    /// Whether an earlier session was resumed, and so no certificate shown.
    pub is_resumed: bool,
}

/// A library's error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error it is.
    pub class: FailureClass,
    /// The fatal alert of the peer that it is about, if it is about one.
    pub alert_received: Option<AlertDescription>,
    /// The library's number for it.
    pub code: i32,
    /// The library's name for it.
    pub name: String,
    /// What the check of the chain found; 0 if none was judged.
    pub verify_flags: u32,
    /// The flags' names.
    pub verify_flag_names: Vec<String>,
}

impl Failure {
    /// What a library says of a plan that it has no means to carry out: the bench takes it as *not applicable*, with
    /// `what` as the reason.
    pub fn unsupported(what: &str) -> Self {
        Self { class: FailureClass::Unsupported, name: String::from(what), ..Self::default() }
    }
}
