//! Configures the device: from a scenario and its certificates to the plan that the firmware is told.
//!
//! Most of a plan is what the scenario says ([`scenario::device::Device::plan`]). Filled in here is what has to be looked
//! up: addresses of the LAN, certificates and keys, numbers of the IANA registries, the date.

use base16ct::lower::encode_string;
use blame::Error;
use control::{Blob, Clock, Network, Plan, Tls, Trust, Wifi};
use pki::Minted;
use scenario::device::{self, Device, Encoding, ServerName};
use scenario::{Scenario, lan};
use sha1::{Digest as _, Sha1};
use wire::tls::{CipherSuite, NamedGroup};

/// Where certificates come from, by their names under `[pki]`.
pub trait Issued {
    /// A certificate in DER.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    fn der(&self, name: &str) -> blame::Result<Vec<u8>>;

    /// A certificate as text.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    fn pem(&self, name: &str) -> blame::Result<String>;

    /// The private key to it, as text.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    fn key_pem(&self, name: &str) -> blame::Result<String>;
}

impl Issued for Minted {
    fn der(&self, name: &str) -> blame::Result<Vec<u8>> {
        Ok(certificate(self, name)?.der.clone())
    }

    fn pem(&self, name: &str) -> blame::Result<String> {
        Ok(certificate(self, name)?.pem())
    }

    fn key_pem(&self, name: &str) -> blame::Result<String> {
        Ok(certificate(self, name)?.key_pem())
    }
}

/// Names in the place of certificates: enough to compare what two devices are given, and nothing need be minted.
pub struct NamesAlone;

impl Issued for NamesAlone {
    fn der(&self, name: &str) -> blame::Result<Vec<u8>> {
        Ok(name.into())
    }

    fn pem(&self, name: &str) -> blame::Result<String> {
        // ASCII, as a certificate's text is.
        Ok(encode_string(name.as_bytes()))
    }

    fn key_pem(&self, name: &str) -> blame::Result<String> {
        self.pem(name)
    }
}

/// The plan for `device` in the world of `scenario`.
///
/// # Errors
///
/// A sentence about a word that the scenario uses and the bench does not know.
pub fn plan(scenario: &Scenario, device: &Device, issued: &dyn Issued) -> blame::Result<Plan> {
    Ok(Plan {
        network: Network {
            ipv4: lan::DEVICE_IPV4,
            ipv4_prefix_bits: lan::IPV4_PREFIX_BITS,
            ipv4_gateway: lan::GATEWAY_IPV4,
            ipv6: Some(lan::DEVICE_IPV6),
            ipv6_gateway: Some(lan::GATEWAY_IPV6),
            dns: lan::DNS_IPV4.into(),
            mtu_bytes: scenario.network.mtu_bytes,
            wifi: None,
        },
        broker_host: device.dials.clone(),
        broker_port: device.port,
        link: device.link,
        tls: device.tls.then(|| tls(device, issued)).transpose()?,
        clock: match &device.clock {
            device::Clock::Set => Clock::Set(scenario.date().seconds),
            device::Clock::Unset => Clock::Unset,
            device::Clock::Sntp => Clock::Sntp(lan::SNTP_NAME.into()),
            device::Clock::Other(date) => Clock::Set(date.0.seconds),
        },
        ..device.plan.clone()
    })
}

/// The wireless network that a device with a radio is told to join.
pub fn wifi(scenario: &Scenario) -> Wifi {
    let wifi = &scenario.wifi;
    Wifi {
        ssid: wifi.ssid.clone(),
        passphrase: Some(wifi.passphrase.clone()).filter(|passphrase| !passphrase.is_empty()),
        power_save: wifi.power_save,
        join_timeout_ms: wifi.join_timeout_ms,
        lease_timeout_ms: wifi.lease_timeout_ms,
    }
}

fn tls(device: &Device, issued: &dyn Issued) -> blame::Result<Tls> {
    Ok(Tls {
        server_name: match &device.server_name {
            ServerName::AsDialled => Some(device.dials.clone()),
            ServerName::None => None,
            ServerName::Other(name) => Some(name.clone()),
        },
        trust: match &device.trust {
            Trust::Authorities => Trust::Authorities,
            Trust::SelfSigned => Trust::SelfSigned,
            Trust::Fingerprint(name) => Trust::Fingerprint(encode_string(&Sha1::digest(issued.der(name)?))),
            Trust::KnownKey(name) => Trust::KnownKey(Blob::Pem(issued.pem(name)?)),
        },
        authorities: blob(&device.trusts, device.trusts_as, issued)?,
        client_certificate: blob(&device.certificates, Encoding::Pem, issued)?,
        client_key: device
            .key_of
            .as_ref()
            .or(device.certificates.first())
            .map(|name| issued.key_pem(name).map(Blob::Pem))
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
fn numbers(names: &[String], kind: &str, find: impl Fn(&str) -> Option<u16>) -> blame::Result<Vec<u16>> {
    names
        .iter()
        .map(|name| find(name).ok_or_else(|| Error::author(format!("IANA has registered no {kind} called `{name}`"))))
        .collect()
}

fn blob(names: &[String], encoding: Encoding, issued: &dyn Issued) -> blame::Result<Option<Blob>> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut pem = String::new();
    let mut der_hex = String::new();
    for name in names {
        pem.push_str(&issued.pem(name)?);
        der_hex.push_str(&encode_string(&issued.der(name)?));
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

fn certificate<'a>(minted: &'a Minted, name: &str) -> blame::Result<&'a pki::MintedCertificate> {
    minted.certificates.get(name).ok_or_else(|| Error::author(format!("no certificate `{name}` was minted")))
}
