//! What a cipher suite is made of, and what OpenSSL calls it.

use wire::tls::{CipherSuite, is_grease};

/// A suite in its parts, as its registered name tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// `RSA`, `ECDHE_ECDSA`, …; empty in TLS 1.3, where suites don't say.
    pub key_exchange: &'static str,
    /// `AES_128_CBC_SHA`, …
    pub cipher: &'static str,
}

impl Parts {
    /// The parts of a suite that has a name.
    pub fn of(suite: CipherSuite) -> Option<Self> {
        let name = suite.name().filter(|_| !suite.is_signal() && !is_grease(suite.0))?.strip_prefix("TLS_")?;
        let (key_exchange, cipher) = name.split_once("_WITH_").unwrap_or(("", name));
        Some(Self { key_exchange, cipher })
    }

    /// Only TLS 1.3 has it.
    pub const fn is_1_3(&self) -> bool {
        self.key_exchange.is_empty()
    }

    /// Keys are agreed on anew each time, so that who steals the broker's key cannot read what was recorded.
    pub fn has_forward_secrecy(&self) -> bool {
        self.is_1_3() || self.key_exchange.starts_with("ECDHE_") || self.key_exchange.starts_with("DHE_")
    }

    /// Encryption and authentication in one (RFC 5116), which exists from TLS 1.2.
    pub fn is_aead(&self) -> bool {
        ["_GCM", "_CCM", "CHACHA20_POLY1305"].iter().any(|mode| self.cipher.contains(mode))
    }

    /// Whether only TLS 1.2 and later have it: AEAD suites, and those with a hash of SHA-2 (RFC 5246 §A.5).
    pub fn wants_1_2(&self) -> bool {
        self.is_aead() || self.cipher.ends_with("SHA256") || self.cipher.ends_with("SHA384")
    }

    /// The cipher's family as people say it.
    pub fn family(&self) -> &'static str {
        const FAMILIES: [(&str, &str, &str); 13] = [
            ("AES", "_GCM", "AES-GCM"),
            ("AES", "_CCM", "AES-CCM"),
            ("AES", "_CBC", "AES-CBC"),
            ("CHACHA20", "", "ChaCha20-Poly1305"),
            ("CAMELLIA", "", "Camellia"),
            ("ARIA", "", "ARIA"),
            ("3DES", "", "3DES"),
            ("RC4", "", "RC4"),
            ("DES", "", "DES"),
            ("RC2", "", "RC2"),
            ("IDEA", "", "IDEA"),
            ("SEED", "", "SEED"),
            ("NULL", "", "no encryption"),
        ];
        let family =
            FAMILIES.iter().find(|(cipher, mode, _)| self.cipher.starts_with(cipher) && self.cipher.contains(mode));
        family.map_or("another cipher", |(_, _, words)| words)
    }

    /// Why no broker should choose it, if so.
    pub fn flaw(&self) -> Option<&'static str> {
        let (kx, cipher) = (self.key_exchange, self.cipher);
        match () {
            () if kx.contains("EXPORT") || cipher.contains("_40_") => Some("export ciphers"),
            () if kx.contains("anon") => Some("suites without authentication"),
            () if cipher.starts_with("NULL") => Some("suites without encryption"),
            () if cipher.starts_with("RC4") => Some("RC4 (RFC 7465)"),
            () if cipher.starts_with("3DES") => Some("3DES (Sweet32)"),
            () if ["DES", "RC2", "IDEA", "SEED"].iter().any(|old| cipher.starts_with(old)) => {
                Some("ciphers of the 1990s")
            }
            () if cipher.ends_with("_MD5") => Some("MD5"),
            () => None,
        }
    }

    /// Whether a broker with a certificate can choose it: no pre-shared keys, passwords or Kerberos.
    pub fn is_with_certificate(&self) -> bool {
        matches!(
            self.key_exchange,
            "" | "RSA" | "DHE_RSA" | "ECDHE_RSA" | "ECDHE_ECDSA" | "DHE_DSS" | "ECDH_RSA" | "ECDH_ECDSA"
        )
    }
}

/// What OpenSSL calls a suite; `None` for those that no broker should choose, and those without a certificate.
///
/// Its names are a history of their own (openssl-ciphers(1), "CIPHER SUITE NAMES"): a test compares them with what
/// an installed OpenSSL says.
pub fn openssl_name(suite: CipherSuite) -> Option<String> {
    let parts = Parts::of(suite).filter(|parts| parts.flaw().is_none() && parts.is_with_certificate())?;
    if parts.is_1_3() {
        return suite.name().map(str::to_string);
    }
    let key_exchange = match parts.key_exchange {
        "RSA" => String::new(),
        // The authentication of ARIA's commonest suites goes without saying.
        "ECDHE_RSA" if parts.cipher.starts_with("ARIA") => "ECDHE-".into(),
        other => format!("{}-", other.replace('_', "-")),
    };
    let cipher = parts
        .cipher
        .replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305")
        .replace("AES_", "AES")
        .replace("CAMELLIA_", "CAMELLIA")
        .replace("ARIA_", "ARIA")
        .replace("_CBC", "")
        .replace("CCM_8", "CCM8")
        .replace('_', "-");
    Some(key_exchange + &cipher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_the_name() {
        let parts = |id| Parts::of(CipherSuite(id)).expect("registered");
        let aes = parts(0x002f);
        assert_eq!((aes.key_exchange, aes.cipher, aes.family()), ("RSA", "AES_128_CBC_SHA", "AES-CBC"));
        assert!(!aes.has_forward_secrecy() && !aes.wants_1_2() && aes.flaw().is_none());
        assert!(parts(0x0005).flaw().is_some_and(|flaw| flaw.starts_with("RC4")));
        assert!(parts(0xc02f).has_forward_secrecy() && parts(0xc02f).wants_1_2());
        assert!(parts(0x1301).is_1_3());
        assert_eq!(Parts::of(CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV), None);
    }

    /// `openssl ciphers -stdname` prints both names of every suite that it has.
    #[test]
    fn openssl_calls_them_so() {
        let Ok(output) = std::process::Command::new("openssl")
            .args(["ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
            .output()
        else {
            eprintln!("openssl is not installed: not compared");
            return;
        };
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut compared = 0;
        for line in listed.lines() {
            let mut words = line.split_whitespace();
            let (Some(standard), Some("-"), Some(theirs)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Some(suite) = CipherSuite::from_name(standard) else { continue };
            if let Some(ours) = openssl_name(suite) {
                assert_eq!(ours, theirs, "{standard}");
                compared += 1;
            }
        }
        assert!(compared > 40, "only {compared} suites in:\n{listed}");
    }
}
