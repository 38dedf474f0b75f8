//! Changes a ServerHello of rustls on its way to the device, with a handshake that goes on.
//!
//! Both sides hash the messages of the handshake, and compare at the end. So what is changed on the wire has to be
//! changed in what rustls hashes too: its cipher suites get a hash that recognises the message.

use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use scenario::broker::OnServerHello;
use std::sync::{Mutex, PoisonError};

use super::connection_rng;

/// ContentType handshake (RFC 5246 §6.2.1).
const HANDSHAKE: u8 = 22;
/// HandshakeType server_hello (RFC 5246 §7.4).
const SERVER_HELLO: u8 = 2;
/// RFC 6066 §4.
const MAX_FRAGMENT_LENGTH: u16 = 1;

/// A change, and the message as it was and as it is now.
pub(super) struct Change {
    what: OnServerHello,
    made: Mutex<Option<(Vec<u8>, Vec<u8>)>>,
}

impl Change {
    pub(super) fn new(what: OnServerHello) -> Self {
        Self { what, made: Mutex::default() }
    }

    /// What is to be hashed instead of this message, if it is the one.
    fn in_the_transcript(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_some() || message.first() != Some(&SERVER_HELLO) {
            return None;
        }
        let changed = changed(self.what, message)?;
        *made = Some((message.to_vec(), changed.clone()));
        Some(changed)
    }

    /// What is to be sent instead of these records, of which the first has the message.
    pub(super) fn on_the_wire(&self, records: &[u8]) -> Option<Vec<u8>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = made.as_ref()?;
        let (header, rest) = records.split_first_chunk::<5>()?;
        let [kind, major, minor, high, low] = *header;
        let (fragment, others) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        let following = fragment.strip_prefix(&before[..]).filter(|_| kind == HANDSHAKE)?;
        let length = u16::try_from(after.len() + following.len()).ok()?;
        Some([&[kind, major, minor], &length.to_be_bytes()[..], after, following, others].concat())
    }
}

/// The message with the change (RFC 5246 §7.4.1.3: version, random, session, suite, compression, extensions).
fn changed(what: OnServerHello, message: &[u8]) -> Option<Vec<u8>> {
    let body = message.get(4..)?;
    let session = usize::from(*body.get(34)?);
    let (fixed, extensions) = body.split_at_checked(35 + session + 3)?;
    let mut kept = Vec::new();
    let mut rest = extensions.get(2..).unwrap_or_default();
    let left_out = match what {
        OnServerHello::AddsExtension(number) | OnServerHello::LacksExtension(number) => number,
        OnServerHello::MaxFragmentLengthBytes(_) => MAX_FRAGMENT_LENGTH,
    };
    while let Some((header, following)) = rest.split_first_chunk::<4>() {
        let [kind_high, kind_low, high, low] = *header;
        let (data, others) = following.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        if u16::from_be_bytes([kind_high, kind_low]) != left_out {
            kept.extend_from_slice(header);
            kept.extend_from_slice(data);
        }
        rest = others;
    }
    match what {
        OnServerHello::AddsExtension(number) => {
            kept.extend_from_slice(&number.to_be_bytes());
            kept.extend_from_slice(&[0, 0]);
        }
        OnServerHello::LacksExtension(_) => {}
        OnServerHello::MaxFragmentLengthBytes(bytes) => {
            let code = match bytes {
                512 => 1,
                1_024 => 2,
                2_048 => 3,
                _ => 4,
            };
            kept.extend_from_slice(&MAX_FRAGMENT_LENGTH.to_be_bytes());
            kept.extend_from_slice(&[0, 1, code]);
        }
    }
    // Without extensions, their length is left out too (RFC 5246 §7.4.1.3).
    let length = u16::try_from(kept.len()).ok()?.to_be_bytes();
    let length = if kept.is_empty() { &[][..] } else { &length[..] };
    let body = [fixed, length, &kept].concat();
    let [_, high, middle, low] = u32::try_from(body.len()).ok()?.to_be_bytes();
    Some([&[SERVER_HELLO, high, middle, low][..], &body].concat())
}

/// A hash that follows the change of the connection that is being served.
pub(super) struct ChangedHash(pub(super) &'static dyn Hash);

impl Hash for ChangedHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(ChangedContext(self.0.start()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.0.hash(data)
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }
}

struct ChangedContext(Box<dyn Context>);

impl Context for ChangedContext {
    fn fork_finish(&self) -> Output {
        self.0.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.fork()))
    }

    fn finish(self: Box<Self>) -> Output {
        self.0.finish()
    }

    fn update(&mut self, data: &[u8]) {
        let changed = connection_rng::with_entered(|rng| rng.change.as_ref()?.in_the_transcript(data)).flatten();
        self.0.update(changed.as_deref().unwrap_or(data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TLS 1.2, an empty session, one suite, and the extensions renegotiation_info and extended_master_secret.
    fn hello(extensions: &[u8]) -> Vec<u8> {
        let fixed = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat();
        let extensions =
            if extensions.is_empty() { Vec::new() } else { [&[0, extensions.len() as u8], extensions].concat() };
        [&[2, 0, 0, (fixed.len() + extensions.len()) as u8], &fixed[..], &extensions].concat()
    }

    #[test]
    fn extensions_come_and_go() {
        let before = hello(&[0xff, 1, 0, 1, 0, 0, 23, 0, 0]);
        let after = |what| changed(what, &before);
        assert_eq!(after(OnServerHello::LacksExtension(0xff01)), Some(hello(&[0, 23, 0, 0])));
        assert_eq!(after(OnServerHello::AddsExtension(5)), Some(hello(&[0xff, 1, 0, 1, 0, 0, 23, 0, 0, 0, 5, 0, 0])));
        assert_eq!(
            after(OnServerHello::MaxFragmentLengthBytes(1_024)),
            Some(hello(&[0xff, 1, 0, 1, 0, 0, 23, 0, 0, 0, 1, 0, 1, 2]))
        );
        assert_eq!(changed(OnServerHello::LacksExtension(23), &hello(&[0, 23, 0, 0])), Some(hello(&[])));
        assert_eq!(changed(OnServerHello::LacksExtension(23), &before[..20]), None);
    }
}
