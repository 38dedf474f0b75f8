//! Which TLS library speaks for the broker, and what it has.

use serde::Deserialize;

use super::{Broker, OnClientHello, OnFinished, OnServerHello, Request};
use crate::device::Version;
use crate::problem::Complaint;

/// The TLS library of the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// rustls: TLS 1.2 and 1.3 as they should be.
    #[default]
    Rustls,
    /// OpenSSL: TLS 1.0 to 1.3, with every cipher suite of the past that it can be built with.
    Openssl,
}

impl Engine {
    /// The library as a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rustls => "rustls",
            Self::Openssl => "openssl",
        }
    }

    /// The other one.
    const fn other(self) -> Self {
        match self {
            Self::Rustls => Self::Openssl,
            Self::Openssl => Self::Rustls,
        }
    }

    /// The cipher suites that it has, by their IANA names. Those of rustls all need ECDHE: it has no other key exchange.
    pub const fn cipher_suites(self) -> &'static [&'static str] {
        match self {
            Self::Rustls => RUSTLS_SUITES,
            Self::Openssl => OPENSSL_SUITES,
        }
    }

    /// The groups that it has, by their IANA names.
    pub const fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Rustls => &["x25519", "secp256r1", "secp384r1", "secp521r1"],
            Self::Openssl => &[
                "x25519",
                "secp256r1",
                "secp384r1",
                "secp521r1",
                "x448",
                "secp256k1",
                "brainpoolP256r1",
                "brainpoolP384r1",
                "brainpoolP512r1",
            ],
        }
    }
}

/// Refuses what the broker's library cannot do.
pub(super) fn check(broker: &Broker) -> Result<(), Complaint> {
    let engine = broker.engine;
    let refuse = |key: &'static str, problem: String| {
        Err(Complaint::at(
            &["broker", key],
            problem,
            format!("set `engine = \"{}\"` in `[broker]`, or remove this", engine.other().name()),
        ))
    };
    for (key, names, known, others) in [
        ("cipher_suites", &broker.cipher_suites, engine.cipher_suites(), engine.other().cipher_suites()),
        ("groups", &broker.groups, engine.groups(), engine.other().groups()),
    ] {
        for name in names {
            if !known.contains(&name.as_str()) {
                let problem = format!("{} has no `{name}`", engine.name());
                if others.contains(&name.as_str()) {
                    return refuse(key, problem);
                }
                return Err(Complaint::at(&["broker", key], problem, format!("use one of {}", known.join(", "))));
            }
        }
    }
    match engine {
        Engine::Rustls => {
            if broker.versions.iter().any(|version| matches!(version, Version::Tls10 | Version::Tls11)) {
                return refuse("versions", "rustls has no TLS 1.0 and 1.1".into());
            }
            let preset = Broker::default();
            for (key, is_preset) in [
                ("security_level", broker.security_level == preset.security_level),
                ("dh_bits", broker.dh_bits == preset.dh_bits),
                ("extended_main_secret", broker.extended_main_secret),
            ] {
                if !is_preset {
                    return refuse(key, format!("rustls has no `{key}`"));
                }
            }
            if broker.on_finished == Some(OnFinished::HelloRequest) {
                return refuse("on_finished", "rustls does not renegotiate".into());
            }
        }
        Engine::Openssl => {
            if matches!(broker.on_finished, Some(OnFinished::Alert(_) | OnFinished::EmptyRecords(_))) {
                return refuse("on_finished", "OpenSSL sends no such record under its keys".into());
            }
            if broker.on_client_hello == Some(OnClientHello::DowngradeSentinel) {
                return refuse(
                    "on_client_hello",
                    "OpenSSL sends the sentinel when it is due, and not otherwise".into(),
                );
            }
            if broker.on_server_hello.is_some() {
                return refuse("on_server_hello", "OpenSSL's ServerHello is its own".into());
            }
            if broker.junk_after_certificates {
                return refuse("junk_after_certificates", "OpenSSL sends certificates only".into());
            }
            if broker.record_bytes_max.is_some_and(|bytes| bytes < 512) {
                return refuse("record_bytes_max", "OpenSSL's records have room for 512 bytes or more".into());
            }
        }
    }
    match broker.on_server_hello {
        None => {}
        Some(_) if broker.versions != [Version::Tls12] || broker.client_certificates.request != Request::None => {
            return Err(Complaint::at(
                &["broker", "on_server_hello"],
                "a ServerHello can be changed in TLS 1.2 alone, and where no client signs the handshake",
                "set `versions = [\"1.2\"]`, and ask for no client certificate",
            ));
        }
        Some(OnServerHello::MaxFragmentLengthBytes(bytes)) if ![512, 1_024, 2_048, 4_096].contains(&bytes) => {
            return Err(Complaint::at(
                &["broker", "on_server_hello"],
                "RFC 6066 §4 knows no such length",
                "agree to 512, 1024, 2048 or 4096",
            ));
        }
        Some(_) => {}
    }
    if broker.security_level > 5 {
        let problem = "there is no such level (SSL_CTX_set_security_level(3))";
        return Err(Complaint::at(&["broker", "security_level"], problem, "give a number from 0 to 5"));
    }
    if !Broker::DH_BITS.contains(&broker.dh_bits) {
        let known: Vec<String> = Broker::DH_BITS.iter().map(u16::to_string).collect();
        let problem = "neither RFC 2409 nor RFC 3526 has a group of that size";
        return Err(Complaint::at(&["broker", "dh_bits"], problem, format!("use one of {}", known.join(", "))));
    }
    Ok(())
}

const RUSTLS_SUITES: &[&str] = &[
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// What OpenSSL 3.6 has when it is built with `enable-weak-ssl-ciphers` and Camellia, but for keys that nobody mints (DSS)
/// and secrets that nobody shares (PSK, SRP).
const OPENSSL_SUITES: &[&str] = &[
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
    "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CCM",
    "TLS_DHE_RSA_WITH_AES_128_CCM_8",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CCM",
    "TLS_DHE_RSA_WITH_AES_256_CCM_8",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA",
    "TLS_DH_anon_WITH_AES_128_CBC_SHA",
    "TLS_DH_anon_WITH_AES_128_CBC_SHA256",
    "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
    "TLS_DH_anon_WITH_AES_256_CBC_SHA",
    "TLS_DH_anon_WITH_AES_256_CBC_SHA256",
    "TLS_DH_anon_WITH_AES_256_GCM_SHA384",
    "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256",
    "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256",
    "TLS_DH_anon_WITH_RC4_128_MD5",
    "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_NULL_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_NULL_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",
    "TLS_ECDH_anon_WITH_AES_256_CBC_SHA",
    "TLS_ECDH_anon_WITH_NULL_SHA",
    "TLS_ECDH_anon_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CCM",
    "TLS_RSA_WITH_AES_128_CCM_8",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CCM",
    "TLS_RSA_WITH_AES_256_CCM_8",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_ARIA_128_GCM_SHA256",
    "TLS_RSA_WITH_ARIA_256_GCM_SHA384",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256",
    "TLS_RSA_WITH_NULL_MD5",
    "TLS_RSA_WITH_NULL_SHA",
    "TLS_RSA_WITH_NULL_SHA256",
    "TLS_RSA_WITH_RC4_128_MD5",
    "TLS_RSA_WITH_RC4_128_SHA",
];
