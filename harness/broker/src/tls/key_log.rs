//! Keeps the secrets of all connections, so that a capture can be decrypted.

use rustls::KeyLog;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// The most that is kept: some ten thousand connections.
const TEXT_BYTES_MAX: usize = 8 << 20;

/// NSS key log text (draft-ietf-tls-keylogfile §2).
#[derive(Default)]
pub(crate) struct Log(Mutex<String>);

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

impl Log {
    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Log {
    /// Keeps a line that is complete but for its end.
    pub(crate) fn line(&self, line: &str) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() <= TEXT_BYTES_MAX {
            text.push_str(line);
            text.push('\n');
        }
    }
}

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() > TEXT_BYTES_MAX {
            return;
        }
        text.push_str(label);
        for octets in [client_random, secret] {
            text.push(' ');
            for octet in octets {
                // Writing to a string cannot fail.
                let _ = write!(text, "{octet:02x}");
            }
        }
        text.push('\n');
    }
}
