//! Keys and certificates from real randomness: what the bench mints for scenarios has keys that everybody knows.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use blame::Error;
use clock::UnixTime;
use clock::calendar::Date;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::controls;

const DAY_S: i64 = 86_400;

/// The kind of all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256.
    P256,
    /// RSA of 2048 bits.
    Rsa2048,
}

impl Kind {
    /// What it is called.
    pub const fn words(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::Rsa2048 => "RSA of 2048 bits",
        }
    }

    /// Why it is chosen.
    pub const fn why(self) -> &'static str {
        match self {
            Self::P256 => "small, quick on small chips, and every library since 2012 has it.",
            Self::Rsa2048 => {
                "among the chosen stacks is one without ECDSA; handshakes take longer, and certificates are larger."
            }
        }
    }
}

/// A certificate and its key, in PEM.
pub struct Pair {
    /// Whose it is.
    pub name: String,
    /// The certificate.
    pub certificate: String,
    /// The key, PKCS #8. It is never printed.
    pub key: String,
}

/// All of them.
pub struct Issued {
    /// The authority.
    pub authority: Pair,
    /// The broker.
    pub broker: Pair,
    /// The clients.
    pub clients: Vec<Pair>,
}

/// Makes keys and certificates for these hosts and clients, valid from yesterday for so many days.
///
/// # Errors
///
/// A sentence.
pub fn issue(kind: Kind, hosts: &[String], clients: &[String], days: u16) -> blame::Result<Issued> {
    let today = controls::today();
    let day = |offset: i64| {
        let date = Date::from_unix_time(UnixTime::from_seconds(today.seconds + offset * DAY_S));
        date_time_ymd(i32::try_from(date.year).unwrap_or(2037), date.month, date.day)
    };
    let params = |name: &str, until| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = day(-1);
        params.not_after = until;
        params
    };
    let failed = |error: rcgen::Error| Error::bench(error);
    let first = hosts.first().map(String::as_str).unwrap_or_default();
    let authority_key = key(kind)?;
    // A year that 32-bit clocks reach.
    let mut root = params(&format!("Authority of {first}"), date_time_ymd(2037, 12, 31));
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = root.self_signed(&authority_key).map_err(failed)?.pem();
    let authority = Pair { name: "ca".into(), certificate, key: authority_key.serialize_pem() };
    let issuer = Issuer::new(root, authority_key);
    let signed = |name: &str, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose, bits: Vec<KeyUsagePurpose>| {
        let key = key(kind)?;
        let mut leaf = params(name, day(i64::from(days) - 1));
        leaf.subject_alt_names = names;
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.extended_key_usages = vec![usage];
        leaf.key_usages = bits;
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &issuer).map_err(failed)?.pem();
        Ok::<Pair, Error>(Pair { name: name.to_owned(), certificate, key: key.serialize_pem() })
    };
    let mut bits = vec![KeyUsagePurpose::DigitalSignature];
    if kind == Kind::Rsa2048 {
        // For the key exchange of RSA, which old devices have alone.
        bits.push(KeyUsagePurpose::KeyEncipherment);
    }
    let broker = signed(first, names(hosts)?, ExtendedKeyUsagePurpose::ServerAuth, bits)?;
    let client = |name: &String| {
        signed(name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth, vec![KeyUsagePurpose::DigitalSignature])
    };
    let clients = clients.iter().map(client).collect::<Result<_, _>>()?;
    Ok(Issued { authority, broker, clients })
}

/// Each name as dNSName; each address as iPAddress, and as dNSName for libraries that know no other.
fn names(hosts: &[String]) -> blame::Result<Vec<SanType>> {
    let mut names = Vec::new();
    for host in hosts {
        if let Ok(address) = host.parse::<IpAddr>() {
            names.push(SanType::IpAddress(address));
        }
        names.push(SanType::DnsName(
            host.as_str().try_into().map_err(|error: rcgen::Error| Error::usage(format!("{host}: {error}")))?,
        ));
    }
    Ok(names)
}

fn key(kind: Kind) -> blame::Result<KeyPair> {
    match kind {
        Kind::P256 => KeyPair::generate().map_err(Error::bench),
        Kind::Rsa2048 => {
            // No library that is linked here makes RSA keys from the system's randomness in a reasonable time.
            let output = Command::new("openssl")
                .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
                .stdin(Stdio::null())
                .output()
                .map_err(|error| {
                    Error::bench(format!("openssl: {error}: it makes RSA keys (`apt-get install openssl`)"))
                })?;
            let text = String::from_utf8_lossy(&output.stdout);
            KeyPair::from_pem(&text).map_err(|_| Error::bench("openssl genpkey made no key"))
        }
    }
}
