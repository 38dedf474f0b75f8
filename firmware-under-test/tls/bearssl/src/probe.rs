//! `probeMaxFragmentLength` of the ESP8266 core: a hello that asks for a max_fragment_length, on a connection that is
//! given up when the ServerHello has answered.
//!
//! The hello is the core's own and not BearSSL's: no server name, and the same "random" bytes every time. Its reading is
//! as narrow as the core's: a ServerHello that shares its record with another message counts as a no, and so does one
//! with an extension of more than 32 bytes before the one that is looked for.

use alloc::vec::Vec;

use client::tls::{Probe, Wire};

use crate::names::FULL_LIST;

/// What the core sends as its random bytes, twice over.
const RANDOM_HALF: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18];
/// signature_algorithms, hash first (RFC 5246 §7.4.1.4.1): SHA-256, 224, 384, 512 and 1, with ECDSA and then with RSA.
const SIGNATURE_ALGORITHMS: [u8; 20] = [4, 3, 3, 3, 5, 3, 6, 3, 2, 3, 4, 1, 3, 1, 5, 1, 6, 1, 2, 1];
/// secp256r1, secp384r1, secp521r1, x25519 (RFC 8422 §5.1.1).
const GROUPS: [u8; 8] = [0, 23, 0, 24, 0, 25, 0, 29];
/// The largest extension that the core reads over, in bytes.
const EXTENSION_BYTES_MAX: usize = 32;
/// Warnings user_canceled and close_notify, a record each (RFC 5246 §7.2).
const GOODBYE: [u8; 14] = [0x15, 3, 3, 0, 2, 1, 90, 0x15, 3, 3, 0, 2, 1, 0];

/// The question, and as much of the answer as has come.
pub(crate) struct FragmentLengthProbe {
    hello: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
}

impl FragmentLengthProbe {
    /// The question for so many bytes; `None` if RFC 6066 §4 has no number for them.
    pub(crate) fn of(bytes: u16) -> Option<Self> {
        let code = match bytes {
            512 => 1,
            1024 => 2,
            2048 => 3,
            4096 => 4,
            _ => return None,
        };
        Some(Self { hello: hello(code), sent: 0, answer: Vec::new() })
    }
}

impl Probe for FragmentLengthProbe {
    fn ask(&mut self, wire: &mut dyn Wire) -> Option<bool> {
        while let Some(rest) = self.hello.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match wire.write(rest) {
                Ok(0) => return None,
                Ok(count) => self.sent += count,
                Err(_) => return Some(false),
            }
        }
        let mut bytes = [0; 64];
        let answer = loop {
            if let Some(answer) = read(&self.answer) {
                break answer;
            }
            match wire.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.answer.extend(bytes.iter().take(count)),
                Err(_) => break false,
            }
        };
        // The connection is given up either way.
        let _ = wire.write(&GOODBYE);
        Some(answer)
    }
}

/// An extension (RFC 5246 §7.4.1.4) whose contents are a list with its length in front, `width` bytes wide.
fn extension(number: u8, width: usize, list: &[u8]) -> Vec<u8> {
    let length = list.len() as u16;
    let inner = if width == 2 { length.to_be_bytes().to_vec() } else { alloc::vec![length as u8] };
    [&[0, number][..], &(length + width as u16).to_be_bytes(), &inner, list].concat()
}

/// The record.
fn hello(fragment_code: u8) -> Vec<u8> {
    let suites: Vec<u8> = FULL_LIST.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let extensions = [
        extension(13, 2, &SIGNATURE_ALGORITHMS),
        extension(10, 2, &GROUPS),
        // Points in the uncompressed form only.
        extension(11, 1, &[0]),
        alloc::vec![0, 1, 0, 1, fragment_code],
    ]
    .concat();
    let body = [
        &[3, 3][..],
        &RANDOM_HALF,
        &RANDOM_HALF,
        // No session.
        &[0],
        &(suites.len() as u16).to_be_bytes(),
        &suites,
        // The null compression.
        &[1, 0],
        &(extensions.len() as u16).to_be_bytes(),
        &extensions,
    ]
    .concat();
    let body_bytes = (body.len() as u32).to_be_bytes();
    let message = [&[1][..], body_bytes.get(1..).unwrap_or_default(), &body].concat();
    [&[0x16, 3, 3][..], &(message.len() as u16).to_be_bytes(), &message].concat()
}

/// Whether this is a ServerHello that agrees; `None` if more has to come.
fn read(bytes: &[u8]) -> Option<bool> {
    let header: &[u8; 5] = bytes.first_chunk()?;
    let [0x16, 3, 3, high, low] = *header else { return Some(false) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let record = bytes.get(5..5 + length)?;
    Some(agrees(record).unwrap_or(false))
}

/// `None` if there is no such extension, or something in it that the core does not read.
fn agrees(record: &[u8]) -> Option<bool> {
    let [2, length @ .., _, _] = *record.first_chunk::<6>()? else { return None };
    let length = u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize;
    let body = record.get(4..)?;
    if length != body.len() || !body.starts_with(&[3, 3]) {
        return None;
    }
    let session = usize::from(*body.get(34)?);
    let rest = body.get(35 + session..).filter(|_| session <= 32)?;
    // Cipher suite, compression method, length of all extensions.
    let [_, _, 0, _, _] = *rest.first_chunk::<5>()? else { return None };
    let mut extensions = rest.get(5..)?;
    while let Some([high, low, length @ ..]) = extensions.first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let contents = extensions.get(4..4 + length).filter(|_| length <= EXTENSION_BYTES_MAX)?;
        if (*high, *low) == (0, 1) {
            return Some(contents.len() == 1);
        }
        extensions = extensions.get(4 + length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ServerHello of TLS 1.2 with these extensions, and what follows it in its record.
    fn server_hello(extensions: &[u8], behind: &[u8]) -> Vec<u8> {
        let length = [&(extensions.len() as u16).to_be_bytes()[..], extensions].concat();
        let body = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0], &length].concat();
        let message = [&[2, 0][..], &(body.len() as u16).to_be_bytes(), &body, behind].concat();
        [&[0x16, 3, 3][..], &(message.len() as u16).to_be_bytes(), &message].concat()
    }

    #[test]
    fn the_hello_is_as_long_as_it_says() {
        let hello = hello(4);
        // 5 + 4 bytes of headers, version, random, no session, 45 suites, null compression, 51 bytes of extensions.
        assert_eq!(hello.len(), 5 + 4 + 2 + 32 + 1 + 2 + 90 + 2 + 2 + 51);
        assert_eq!(hello[..9], [0x16, 3, 3, 0, 186, 1, 0, 0, 182]);
        assert_eq!(hello[hello.len() - 5..], [0, 1, 0, 1, 4]);
    }

    #[test]
    fn only_the_extension_says_yes() {
        assert_eq!(read(&server_hello(&[0, 1, 0, 1, 4], &[])), Some(true));
        assert_eq!(read(&server_hello(&[0xff, 1, 0, 1, 0, 0, 1, 0, 1, 4], &[])), Some(true));
        assert_eq!(read(&server_hello(&[0xff, 1, 0, 1, 0], &[])), Some(false));
        assert_eq!(read(&server_hello(&[0, 1, 0, 2, 4, 4], &[])), Some(false));
        // A Certificate message in the same record.
        assert_eq!(read(&server_hello(&[0, 1, 0, 1, 4], &[11, 0, 0, 0])), Some(false));
        // Fatal handshake_failure.
        assert_eq!(read(&[0x15, 3, 3, 0, 2, 2, 40]), Some(false));
    }

    #[test]
    fn nothing_is_decided_before_the_record_is_whole_and_nothing_panics() {
        let whole = server_hello(&[0xff, 1, 0, 1, 0, 0, 1, 0, 1, 4], &[]);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None);
            let mut cut = whole[..end].to_vec();
            if end > 5 {
                // A record that ends here says yes only if the extension is there in full.
                cut[3..5].copy_from_slice(&((end - 5) as u16).to_be_bytes());
                assert_eq!(read(&cut), Some(false), "{end}");
            }
        }
    }
}
