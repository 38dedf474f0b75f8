//! What can be changed about a broker so that more devices get along with it, what it costs, and how it is written down for
//! each program. What a change does is done to a twin of the broker, and tried there.

use explain::chain::Certificate;
use explain::chain::flaws::{Flaw, Mends};
use pki::spec::KeyKind;
use serde::Serialize;

use super::probe::{Broker, ClientCertificate};
use super::setup::Setup;
use super::twin::{Leaf, Twin};

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// What is dialled, an address, stands in the leaf as iPAddress.
    AddressAsIp,
    /// It stands there as dNSName too.
    AddressAsDns,
    /// What is dialled, a name, stands in the leaf as dNSName.
    NameAsDns,
    /// The leaf has a P-256 key.
    LeafP256,
    /// The leaf has an RSA key of 2048 bits.
    LeafRsa2048,
    /// All certificates are signed with SHA-256.
    Sha256,
    /// The leaf is issued anew, valid now, for servers, as version 3.
    Renew,
    /// The broker sends its chain whole and in order.
    WholeChain,
    /// TLS 1.2 is spoken.
    Tls12,
    /// TLS 1.1 is spoken.
    Tls11,
    /// TLS 1.0 is spoken.
    Tls10,
    /// The suites of today are accepted: ECDHE with AES-GCM and ChaCha20.
    ModernSuites,
    /// Suites with ECDHE and CBC are accepted.
    CbcSuites,
    /// Suites without forward secrecy are accepted: the key exchange of RSA.
    RsaKeyExchange,
    /// Keys are agreed on in P-256 too.
    GroupP256,
    /// Clients without a certificate are let in.
    NoClientCertificate,
}

impl Change {
    /// What it costs in security: 0 is nothing. Ties between sets of changes are decided by the sum.
    pub const fn cost(self) -> u32 {
        match self {
            Self::AddressAsIp
            | Self::NameAsDns
            | Self::LeafP256
            | Self::Sha256
            | Self::Renew
            | Self::WholeChain
            | Self::ModernSuites
            | Self::GroupP256 => 0,
            Self::AddressAsDns | Self::LeafRsa2048 | Self::Tls12 => 1,
            Self::CbcSuites => 2,
            Self::RsaKeyExchange => 8,
            Self::Tls11 => 16,
            Self::Tls10 => 17,
            Self::NoClientCertificate => 32,
        }
    }

    /// What it is, in a sentence.
    pub fn words(self, dialled: &str) -> String {
        match self {
            Self::AddressAsIp => format!("put {dialled} into the certificate as iPAddress"),
            Self::AddressAsDns => format!(
                "put {dialled} into the certificate as dNSName, for libraries that know no iPAddress; no public authority may sign that"
            ),
            Self::NameAsDns => format!("put {dialled} into the certificate as dNSName"),
            Self::LeafP256 => "give the broker a P-256 key and a certificate for it".into(),
            Self::LeafRsa2048 => "give the broker an RSA key of 2048 bits and a certificate for it".into(),
            Self::Sha256 => "have its certificates signed with SHA-256".into(),
            Self::Renew => "have its certificate issued anew: valid now, version 3, for servers".into(),
            Self::WholeChain => {
                "send the chain whole and in order: the broker's certificate first, then each issuer, without the root"
                    .into()
            }
            Self::Tls12 => "speak TLS 1.2 too".into(),
            Self::Tls11 => "speak TLS 1.1 too: obsolete (RFC 8996), on a listener of its own".into(),
            Self::Tls10 => "speak TLS 1.0 too: obsolete (RFC 8996), on a listener of its own".into(),
            Self::ModernSuites => "accept ECDHE with AES-GCM and ChaCha20".into(),
            Self::CbcSuites => "accept ECDHE with AES-CBC too".into(),
            Self::RsaKeyExchange => {
                "accept the RSA key exchange, without forward secrecy, on a listener of its own".into()
            }
            Self::GroupP256 => "agree on keys in P-256 too".into(),
            Self::NoClientCertificate => {
                "let clients without a certificate in, and have them log in by password".into()
            }
        }
    }

    /// Whether two of them contradict each other.
    pub const fn excludes(self, other: Self) -> bool {
        matches!((self, other), (Self::LeafP256, Self::LeafRsa2048) | (Self::LeafRsa2048, Self::LeafP256))
    }

    /// Makes it to a twin.
    pub fn apply(self, twin: &mut Twin, dialled: &str) {
        let leaf: &mut Leaf = &mut twin.leaf;
        match self {
            Self::AddressAsIp => leaf.names.push(format!("ip:{dialled}")),
            Self::AddressAsDns | Self::NameAsDns => leaf.names.push(format!("dns:{dialled}")),
            Self::LeafP256 => leaf.key = "p256",
            Self::LeafRsa2048 => leaf.key = "rsa2048",
            Self::Sha256 => twin.digests.iter_mut().for_each(|digest| *digest = "sha256"),
            Self::Renew => {
                *leaf = Leaf {
                    names: leaf.names.clone(),
                    key: leaf.key,
                    common_name: leaf.common_name.clone(),
                    ..Leaf::default()
                }
            }
            Self::WholeChain => twin.sends_whole_chain = true,
            Self::Tls12 => twin.speak("1.2"),
            Self::Tls11 => twin.speak("1.1"),
            Self::Tls10 => twin.speak("1.0"),
            Self::ModernSuites => twin.accept(&MODERN),
            Self::CbcSuites => twin.accept(&CBC),
            Self::RsaKeyExchange => twin.accept(&RSA),
            Self::GroupP256 => twin.groups.push("secp256r1".into()),
            Self::NoClientCertificate => twin.demands_certificate = false,
        }
    }
}

const MODERN: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];
const CBC: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
];
const RSA: [&str; 3] =
    ["TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"];

/// The changes that could matter to this broker; what is as it should be is not changed.
pub fn candidates(setup: &Setup, broker: &Broker, chain: &[Certificate], flaws: &[Flaw]) -> Vec<Change> {
    let mut found = Vec::new();
    let mut add = |matters: bool, change| {
        if matters {
            found.push(change);
        }
    };
    let Some(leaf) = chain.first() else { return found };
    let dialled = setup.checked_name();
    match dialled.parse() {
        Ok(address) => {
            add(!leaf.has_address(address), Change::AddressAsIp);
            add(!leaf.has_dns_name(dialled), Change::AddressAsDns);
        }
        Err(_) => add(!leaf.is_named(dialled), Change::NameAsDns),
    }
    add(leaf.kind != Some(KeyKind::P256), Change::LeafP256);
    add(leaf.kind != Some(KeyKind::Rsa2048), Change::LeafRsa2048);
    for (mends, change) in
        [(Mends::Sha256, Change::Sha256), (Mends::Renew, Change::Renew), (Mends::WholeChain, Change::WholeChain)]
    {
        add(flaws.iter().any(|flaw| flaw.mends == Some(mends)), change);
    }
    let speaks = |version: &str| broker.versions.iter().any(|known| known == version);
    add(!speaks("1.2"), Change::Tls12);
    add(!speaks("1.1"), Change::Tls11);
    add(!speaks("1.0"), Change::Tls10);
    let lacks = |suites: &[&str]| {
        !broker.has_more_suites && !suites.iter().any(|suite| broker.suites.iter().any(|known| known == suite))
    };
    add(broker.has_old_versions && lacks(&MODERN), Change::ModernSuites);
    add(lacks(&CBC), Change::CbcSuites);
    add(lacks(&RSA), Change::RsaKeyExchange);
    add(!broker.groups.is_empty() && !broker.groups.iter().any(|group| group == "secp256r1"), Change::GroupP256);
    add(broker.client_certificate == ClientCertificate::Demanded && setup.own.is_none(), Change::NoClientCertificate);
    found
}
