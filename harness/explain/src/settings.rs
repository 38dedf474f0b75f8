//! What a broker must be told to accept a client, as a function of the client's hello.

use std::fmt::Write as _;

use blame::Error;
use wire::tls::{CipherSuite, ClientHello, Extension, ProtocolVersion, SignatureScheme};

use super::client::tls;
use super::paragraph::listed;
use super::suites::{Parts, openssl_name};

/// More suites than these in a configuration serve nobody.
const LISTED_SUITES_MAX: usize = 6;

/// What a broker must allow, and what it should not.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    hello: &'a ClientHello,
    /// The highest version that the client speaks.
    top: ProtocolVersion,
    /// The suites that a broker with a certificate can choose in good conscience, in the client's order of preference.
    usable: Vec<(CipherSuite, Parts)>,
    /// Why others are left out.
    flaws: Vec<&'static str>,
}

impl<'a> Settings<'a> {
    /// What this client needs.
    pub fn of(hello: &'a ClientHello) -> Self {
        let top = hello.versions().first().copied().unwrap_or(hello.version);
        let parts = || hello.cipher_suites.iter().filter_map(|suite| Some((*suite, Parts::of(*suite)?)));
        let speaks = |parts: &Parts| {
            if parts.is_1_3() {
                top >= ProtocolVersion::TLS_1_3
            } else {
                !parts.wants_1_2() || top >= ProtocolVersion::TLS_1_2
            }
        };
        let usable = parts()
            .filter(|(_, parts)| parts.flaw().is_none() && parts.is_with_certificate() && speaks(parts))
            .collect();
        let mut flaws: Vec<&'static str> = Vec::new();
        for flaw in parts().filter_map(|(_, parts)| parts.flaw()) {
            if !flaws.contains(&flaw) {
                flaws.push(flaw);
            }
        }
        Self { hello, top, usable, flaws }
    }

    /// The demands as sentences, the first that a broker is likely to miss first.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![self.version(), self.suites(), self.certificate()];
        sentences.extend([self.groups(), self.name(), self.fragments(), self.protocols()].into_iter().flatten());
        sentences
    }

    fn version(&self) -> String {
        let (top, versions) = (self.top, self.hello.versions());
        let lowest = versions.last().copied().unwrap_or(top);
        let rest = match top {
            ProtocolVersion::TLS_1_3 if lowest < top => format!("TLS 1.3, or one down to {}", tls(lowest)),
            ProtocolVersion::TLS_1_3 => "TLS 1.3, and nothing less".into(),
            ProtocolVersion::TLS_1_2 => "TLS 1.2: a broker of TLS 1.3 alone refuses".into(),
            old => format!(
                "{}: it is deprecated (RFC 8996), off by default in every current broker, and absent from rustls; OpenSSL \
                 3 speaks it at security level 0 only",
                tls(old)
            ),
        };
        format!("It must allow {rest}.")
    }

    fn suites(&self) -> String {
        let mut families: Vec<String> = Vec::new();
        for (_, parts) in &self.usable {
            let family = parts.family().to_string();
            if !families.contains(&family) {
                families.push(family);
            }
        }
        let flawed: Vec<String> = self.flaws.iter().map(ToString::to_string).collect();
        let flawed = match &flawed[..] {
            [] => String::new(),
            flawed => format!(" Not {}, though the client offers that too.", listed(flawed, "or")),
        };
        if families.is_empty() {
            return format!("No suite is left that a broker with a certificate should allow.{flawed}");
        }
        let old = if self.has_forward_secrecy() {
            ""
        } else {
            " with RSA key exchange, which gives no forward secrecy and which TLS 1.3, rustls and newer Go don't have"
        };
        format!("It must allow {}{old}.{flawed}", listed(&families, "or"))
    }

    fn has_forward_secrecy(&self) -> bool {
        self.usable.iter().any(|(_, parts)| parts.has_forward_secrecy())
    }

    /// Which key the broker's certificate may have.
    fn certificate(&self) -> String {
        let mut keys: Vec<String> = Vec::new();
        let schemes = self.hello.signature_schemes();
        let signs = |prefix: &str| {
            schemes.is_empty() || schemes.iter().filter_map(|scheme| scheme.name()).any(|name| name.starts_with(prefix))
        };
        let exchanges = |wanted: &[&str]| self.usable.iter().any(|(_, parts)| wanted.contains(&parts.key_exchange));
        let only_rsa_exchange = !self.has_forward_secrecy() && exchanges(&["RSA"]);
        if exchanges(&["RSA"]) || exchanges(&["DHE_RSA", "ECDHE_RSA", ""]) && signs("rsa_") {
            keys.push("an RSA key".into());
        }
        if exchanges(&["ECDHE_ECDSA", ""]) && signs("ecdsa_") {
            let curves: Vec<String> = self.curves().iter().map(ToString::to_string).collect();
            let on = if curves.is_empty() { String::new() } else { format!(" on {}", listed(&curves, "or")) };
            keys.push(format!("an ECDSA key{on}"));
        }
        if exchanges(&["ECDHE_ECDSA", ""]) && schemes.contains(&SignatureScheme(0x0807)) {
            keys.push("an Ed25519 key".into());
        }
        if keys.is_empty() {
            return "No certificate serves: the client offers no suite for any.".into();
        }
        let usage = if only_rsa_exchange { ", and keyEncipherment if it states a key usage" } else { "" };
        let sha1 = if schemes.is_empty() && self.top == ProtocolVersion::TLS_1_2 {
            " The client does not say which signatures it can check, so SHA-1 is understood (RFC 5246 §7.4.1.4.1): \
             OpenSSL 3 allows that at security level 0 only."
        } else {
            ""
        };
        format!("Its certificate must have {}{usage}.{sha1}", listed(&keys, "or"))
    }

    /// The curves among the client's groups for which it also checks signatures.
    fn curves(&self) -> Vec<&'static str> {
        const CURVES: [(u16, &str); 6] = [
            (23, "P-256"),
            (24, "P-384"),
            (25, "P-521"),
            (26, "brainpoolP256r1"),
            (27, "brainpoolP384r1"),
            (28, "brainpoolP512r1"),
        ];
        let offered = |number: u16| self.hello.groups().iter().any(|group| group.0 == number);
        CURVES.iter().filter(|(number, _)| offered(*number)).map(|(_, name)| *name).collect()
    }

    fn groups(&self) -> Option<String> {
        let wants = self.usable.iter().any(|(_, parts)| parts.is_1_3() || parts.key_exchange.starts_with("ECDHE"));
        let groups: Vec<String> = self
            .hello
            .groups()
            .iter()
            .filter(|group| group.name().is_some())
            .map(ToString::to_string)
            .take(LISTED_SUITES_MAX)
            .collect();
        (wants && !groups.is_empty()).then(|| format!("It must agree on keys in {}.", listed(&groups, "or")))
    }

    fn name(&self) -> Option<String> {
        let Some(name) = self.hello.server_name() else {
            return Some(
                "It must not depend on the server name (SNI), which the client does not send: a broker of many tenants, \
                 such as HiveMQ Cloud, completes the handshake at best and then answers CONNACK 5."
                    .into(),
            );
        };
        name.parse::<std::net::IpAddr>().is_ok().then(|| {
            "It must put up with an address as the server name, which RFC 6066 §3 forbids: some servers answer \
             unrecognized_name or illegal_parameter."
                .into()
        })
    }

    fn fragments(&self) -> Option<String> {
        let bytes = self.hello.find(|extension| match extension {
            Extension::MaxFragmentLength(bytes) | Extension::RecordSizeLimit(bytes) => Some(*bytes),
            _ => None,
        })?;
        (bytes < 1 << 14).then(|| {
            format!(
                "It must keep its records to {bytes} bytes: brokers on OpenSSL 1.1.1 and later do, rustls and Java \
                 don't unless told; the client may have no room for more."
            )
        })
    }

    fn protocols(&self) -> Option<String> {
        let names: Vec<String> =
            self.hello.alpn().iter().map(|name| format!("`{}`", name.escape_ascii())).take(LISTED_SUITES_MAX).collect();
        (!names.is_empty())
            .then(|| format!("If it insists on an application protocol (ALPN), it must be {}.", listed(&names, "or")))
    }

    /// Whether OpenSSL 3 has to be told to lower its standards.
    fn is_below_openssl_standards(&self) -> bool {
        let unsigned = self.hello.signature_schemes().is_empty() && self.has_forward_secrecy();
        self.top < ProtocolVersion::TLS_1_2 || self.top == ProtocolVersion::TLS_1_2 && unsigned
    }

    /// The best suites of TLS 1.2 and below, as OpenSSL calls them.
    fn listed_suites(&self) -> Vec<String> {
        let mut ranked: Vec<&(CipherSuite, Parts)> = self.usable.iter().filter(|(_, parts)| !parts.is_1_3()).collect();
        // The order of the client holds among equals.
        ranked.sort_by_key(|(_, parts)| (!parts.has_forward_secrecy(), !parts.is_aead()));
        let best = ranked.first().map(|(_, parts)| parts.has_forward_secrecy() && parts.is_aead());
        ranked
            .into_iter()
            .filter(|(_, parts)| best != Some(true) || parts.has_forward_secrecy() && parts.is_aead())
            .filter_map(|(suite, _)| openssl_name(*suite))
            .take(LISTED_SUITES_MAX)
            .collect()
    }

    /// The list of suites for OpenSSL and what is built on it; empty if every suite is of TLS 1.3.
    pub fn openssl_ciphers(&self) -> String {
        let mut words = self.listed_suites();
        if !words.is_empty() && self.is_below_openssl_standards() {
            words.push("@SECLEVEL=0".into());
        }
        words.join(":")
    }

    /// A listener for mosquitto 2 that accepts this client, with what is not default said aloud.
    pub fn mosquitto_conf(&self) -> blame::Result<String> {
        let version = match self.top {
            ProtocolVersion::TLS_1_3 if self.hello.versions().len() == 1 => "tlsv1.3",
            ProtocolVersion::TLS_1_3 | ProtocolVersion::TLS_1_2 => "tlsv1.2",
            ProtocolVersion::TLS_1_1 => "tlsv1.1",
            old => {
                return Err(Error::broker(format!(
                    "mosquitto 2 cannot be told to speak {}: put a proxy in front of it that can, for this client alone",
                    tls(old)
                )));
            }
        };
        if self.usable.is_empty() {
            return Err(Error::broker("no setting of mosquitto accepts this client, and none should"));
        }
        let mut conf = String::from("listener 8883\n");
        for (key, file) in [("cafile", "ca.crt"), ("certfile", "broker.crt"), ("keyfile", "broker.key")] {
            let _ = writeln!(conf, "{key} /etc/mosquitto/certs/{file}");
        }
        let _ = writeln!(conf, "tls_version {version}");
        let is_modern = self.usable.iter().any(|(_, parts)| parts.is_aead() && parts.has_forward_secrecy());
        if !is_modern || self.is_below_openssl_standards() {
            let _ = writeln!(conf, "ciphers {}", self.openssl_ciphers());
        }
        Ok(conf)
    }

    /// The same for a quick try with OpenSSL alone.
    pub fn openssl_command(&self) -> String {
        let ciphers = self.openssl_ciphers();
        let version = match self.top {
            ProtocolVersion::TLS_1_3 if self.hello.versions().len() == 1 => " -tls1_3",
            ProtocolVersion::TLS_1_1 => " -tls1_1",
            ProtocolVersion::TLS_1_0 => " -tls1",
            _ => "",
        };
        let ciphers = if ciphers.is_empty() { String::new() } else { format!(" -cipher '{ciphers}'") };
        format!("openssl s_server -accept 8883 -cert broker.crt -key broker.key{version}{ciphers}")
    }
}
