//! Dresses the device: from a scenario and its certificates to the plan that the firmware is told.

use base16ct::lower::encode_string;
use control::{Act, Blob, Clock, Link, Manners, Modem, ModemReader, Mqtt, Network, Plan, Tls, Trust, Verify, Will};
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
        link: match device.link {
            device::Link::Ip => Link::Ip,
            device::Link::Modem => Link::Modem(Modem {
                reader: match device.modem_reader {
                    device::ModemReader::Correct => ModemReader::Correct,
                    device::ModemReader::LosesOnClose => ModemReader::LosesOnClose,
                },
            }),
        },
        tls: device.tls.then(|| tls(device, minted)).transpose()?,
        mqtt: mqtt(&device.mqtt),
        clock: match &device.clock {
            device::Clock::Set => Clock::Set(scenario.date().seconds),
            device::Clock::Unset => Clock::Unset,
            device::Clock::Sntp => Clock::Sntp(lan::SNTP_NAME.into()),
            device::Clock::Other(date) => Clock::Set(date.0.seconds),
        },
        heap_cap_bytes: device.heap_cap_bytes,
        heap_block_max_bytes: device.heap_block_max_bytes,
        failing_allocation: device.failing_allocation,
        connect_timeout_ms: device.connect_timeout_ms,
        handshake_timeout_ms: device.handshake_timeout_ms,
        reply_timeout_ms: device.reply_timeout_ms,
        reconnects: device.reconnects,
        reconnect_pause_ms: device.reconnect_pause_ms,
        repeats: device.repeats,
    })
}

fn tls(device: &Device, minted: &Minted) -> Result<Tls, String> {
    Ok(Tls {
        server_name: match &device.server_name {
            ServerName::AsDialled => Some(device.dials.clone()),
            ServerName::None => None,
            ServerName::Other(name) => Some(name.clone()),
        },
        sends_server_name: device.sends_server_name,
        checks_name: device.checks_name,
        checks_dates: device.checks_dates,
        trust: match &device.trust {
            device::Trust::Authorities => Trust::Authorities,
            device::Trust::SelfSigned => Trust::SelfSigned,
            device::Trust::Fingerprint(name) => {
                Trust::Fingerprint(encode_string(&Sha1::digest(&certificate(minted, name)?.der)))
            }
            device::Trust::KnownKey(name) => Trust::KnownKey(Blob::Pem(certificate(minted, name)?.pem())),
        },
        verify: match device.verify {
            device::Verify::Required => Verify::Required,
            device::Verify::Optional => Verify::Optional,
            device::Verify::None => Verify::None,
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
        alpn: device.alpn.clone(),
        max_fragment_length_bytes: device.max_fragment_length_bytes,
        receive_buffer_bytes: device.receive_buffer_bytes,
        send_buffer_bytes: device.send_buffer_bytes,
        probes_fragment_length: device.probes_fragment_length,
        client_hello: device.client_hello.clone(),
        keeps_session: device.keeps_session,
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

fn mqtt(mqtt: &device::Mqtt) -> Mqtt {
    Mqtt {
        client_id: mqtt.client_id.clone(),
        user_name: mqtt.user_name.clone(),
        password: mqtt.password.clone(),
        will: mqtt.will.as_ref().map(|will| Will {
            topic: will.topic.clone(),
            payload: will.payload.clone(),
            qos: will.qos,
            retain: will.retain,
        }),
        keep_alive_s: mqtt.keep_alive_s,
        clean_session: mqtt.clean_session,
        manners: match mqtt.manners {
            device::Manners::Plain => Manners::Plain,
            device::Manners::WaitsOut => Manners::WaitsOut,
            device::Manners::Piecemeal => Manners::Piecemeal,
        },
        acts: mqtt
            .acts
            .iter()
            .map(|act| match act.clone() {
                device::Act::Subscribe { topic, qos } => Act::Subscribe { topic, qos },
                device::Act::Publish { topic, payload, qos } => Act::Publish { topic, payload, qos },
                device::Act::Await { messages } => Act::Await { messages },
                device::Act::Idle { ms } => Act::Idle { ms },
            })
            .collect(),
    }
}
