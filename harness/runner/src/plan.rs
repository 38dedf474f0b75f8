//! Configures the device: from a scenario and its certificates to the plan that the firmware is told.
//!
//! Most of a plan is what the scenario says ([`scenario::device::Device::plan`]). Filled in here is what has to be looked
//! up: addresses of the LAN, certificates and keys, numbers of the IANA registries, the date.

use base16ct::lower::encode_string;
use control::{Blob, Clock, Network, Plan, Tls, Trust};
use pki::Minted;
use scenario::device::{self, Device, Encoding, ServerName};
use scenario::{Scenario, lan};
use sha1::{Digest as _, Sha1};
use wire::tls::{CipherSuite, NamedGroup};

/// The plan for the device of `scenario`.
///
/// # Errors
///
/// A sentence about a word that the scenario uses and the bench does not know.
pub fn plan(scenario: &Scenario, minted: &Minted) -> Result<Plan, String> {
    let device = &scenario.device;
    Ok(Plan {
        network: Network {
            ipv4: lan::DEVICE_IPV4,
            ipv4_prefix_bits: lan::IPV4_PREFIX_BITS,
            ipv4_gateway: lan::GATEWAY_IPV4,
            ipv6: Some(lan::DEVICE_IPV6),
            ipv6_gateway: Some(lan::GATEWAY_IPV6),
            dns: lan::DNS_IPV4.into(),
            mtu_bytes: scenario.network.mtu_bytes,
        },
        broker_host: device.dials.clone(),
        broker_port: device.port,
        link: device.link,
        tls: device.tls.then(|| tls(device, minted)).transpose()?,
        clock: match &device.clock {
            device::Clock::Set => Clock::Set(scenario.date().seconds),
            device::Clock::Unset => Clock::Unset,
            device::Clock::Sntp => Clock::Sntp(lan::SNTP_NAME.into()),
            device::Clock::Other(date) => Clock::Set(date.0.seconds),
        },
        ..device.plan.clone()
    })
}

fn tls(device: &Device, minted: &Minted) -> Result<Tls, String> {
    Ok(Tls {
        server_name: match &device.server_name {
            ServerName::AsDialled => Some(device.dials.clone()),
            ServerName::None => None,
            ServerName::Other(name) => Some(name.clone()),
        },
        trust: match &device.trust {
            Trust::Authorities => Trust::Authorities,
            Trust::SelfSigned => Trust::SelfSigned,
            Trust::Fingerprint(name) => {
                Trust::Fingerprint(encode_string(&Sha1::digest(&certificate(minted, name)?.der)))
            }
            Trust::KnownKey(name) => Trust::KnownKey(Blob::Pem(certificate(minted, name)?.pem())),
        },
        authorities: blob(&device.trusts, device.trusts_as, minted)?,
        client_certificate: blob(&device.certificates, Encoding::Pem, minted)?,
        client_key: device
            .key_of
            .as_ref()
            .or(device.certificates.first())
            .map(|name| Ok::<_, String>(Blob::Pem(certificate(minted, name)?.key_pem())))
            .transpose()?,
        version_min: device.versions.iter().min().map(|version| version.number()),
        version_max: device.versions.iter().max().map(|version| version.number()),
        cipher_suites: numbers(&device.cipher_suites, "cipher suite", |name| {
            CipherSuite::from_name(name).map(|suite| suite.0)
        })?,
        groups: numbers(&device.groups, "group", |name| {
            NamedGroup::REGISTERED.iter().find(|(_, registered)| *registered == name).map(|(number, _)| *number)
        })?,
        ..device.security.clone()
    })
}

/// Names by the IANA registries to numbers on the wire.
fn numbers(names: &[String], kind: &str, find: impl Fn(&str) -> Option<u16>) -> Result<Vec<u16>, String> {
    names
        .iter()
        .map(|name| find(name).ok_or_else(|| format!("IANA has registered no {kind} called `{name}`")))
        .collect()
}

fn blob(names: &[String], encoding: Encoding, minted: &Minted) -> Result<Option<Blob>, String> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut pem = String::new();
    let mut der_hex = String::new();
    for name in names {
        let certificate = certificate(minted, name)?;
        pem.push_str(&certificate.pem());
        der_hex.push_str(&encode_string(&certificate.der));
    }
    Ok(Some(match encoding {
        Encoding::Pem => Blob::Pem(pem),
        Encoding::Der => Blob::DerHex(der_hex),
        Encoding::BareBase64 => {
            Blob::Pem(pem.lines().filter(|line| !line.starts_with("-----")).flat_map(|line| [line, "\n"]).collect())
        }
        Encoding::TruncatedPem => {
            pem.truncate(pem.len() * 2 / 3);
            Blob::Pem(pem)
        }
        Encoding::PemWithByteOrderMark => Blob::Pem(format!("\u{feff}{}", pem.replace('\n', "\r\n"))),
    }))
}

fn certificate<'a>(minted: &'a Minted, name: &str) -> Result<&'a pki::MintedCertificate, String> {
    minted.certificates.get(name).ok_or_else(|| format!("no certificate `{name}` was minted"))
}
