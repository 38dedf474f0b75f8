//! Extensions in DER (RFC 5280 §4.2).

use super::Signed;
use crate::der::{self, tag};
use crate::key::KeyPair;
use crate::spec::{Extension, Flaw, Name, NameConstraints, Subtree};
use sha1::{Digest as _, Sha1};
use std::net::IpAddr;

/// All extensions of a certificate, each as a SEQUENCE.
pub(super) fn extensions(signed: &Signed<'_>) -> Vec<Vec<u8>> {
    let spec = &signed.plan.spec;
    let mut extensions = Vec::new();
    let others = ORDER.into_iter().filter(|kind| !spec.extensions_first.contains(kind));
    for kind in spec.extensions_first.iter().copied().chain(others) {
        if spec.without.contains(&kind) {
            continue;
        }
        let Some(value) = value(kind, signed) else { continue };
        let critical =
            spec.critical.contains(&kind) || (critical_by_itself(kind, signed) && !spec.not_critical.contains(&kind));
        let extension = extension(arcs(kind), critical, &value);
        if spec.duplicate.contains(&kind) {
            extensions.push(extension.clone());
        }
        extensions.push(extension);
    }
    for unknown in &spec.unknown_extensions {
        let value = der::element(tag::OCTET_STRING, &vec![b'.'; usize::from(unknown.length)]);
        extensions.push(extension(&unknown.oid.0, unknown.critical, &value));
    }
    extensions
}

const ORDER: [Extension; 9] = [
    Extension::SubjectKeyIdentifier,
    Extension::AuthorityKeyIdentifier,
    Extension::BasicConstraints,
    Extension::KeyUsage,
    Extension::ExtendedKeyUsage,
    Extension::SubjectAlternativeName,
    Extension::NameConstraints,
    Extension::RevocationList,
    Extension::MustStaple,
];

const fn arcs(kind: Extension) -> &'static [u64] {
    match kind {
        Extension::SubjectKeyIdentifier => &[2, 5, 29, 14],
        Extension::KeyUsage => &[2, 5, 29, 15],
        Extension::SubjectAlternativeName => &[2, 5, 29, 17],
        Extension::BasicConstraints => &[2, 5, 29, 19],
        Extension::NameConstraints => &[2, 5, 29, 30],
        Extension::RevocationList => &[2, 5, 29, 31],
        Extension::AuthorityKeyIdentifier => &[2, 5, 29, 35],
        Extension::ExtendedKeyUsage => &[2, 5, 29, 37],
        Extension::MustStaple => &[1, 3, 6, 1, 5, 5, 7, 1, 24],
    }
}

fn critical_by_itself(kind: Extension, signed: &Signed<'_>) -> bool {
    match kind {
        Extension::BasicConstraints => signed.plan.ca,
        Extension::KeyUsage | Extension::NameConstraints => true,
        // RFC 5280 §4.2.1.6: then the extension is all there is of a name.
        Extension::SubjectAlternativeName => signed.plan.subject.0.is_empty(),
        _ => false,
    }
}

/// Extension: identifier, criticality unless it is the default, value in an OCTET STRING.
fn extension(arcs: &[u64], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::object_identifier(arcs)];
    if critical {
        parts.push(der::boolean(true));
    }
    parts.push(der::element(tag::OCTET_STRING, value));
    der::sequence(&parts)
}

/// What the extension of that kind says; `None` if the certificate has nothing to say there.
fn value(kind: Extension, signed: &Signed<'_>) -> Option<Vec<u8>> {
    let plan = signed.plan;
    match kind {
        Extension::BasicConstraints => Some(basic_constraints(signed)),
        Extension::KeyUsage => Some(der::named_bits(plan.key_usage.iter().map(|usage| usage.bit()))),
        Extension::ExtendedKeyUsage => {
            let purposes: Vec<_> =
                plan.extended_key_usage.iter().map(|usage| der::object_identifier(&usage.0.0)).collect();
            (!purposes.is_empty()).then(|| der::sequence(&purposes))
        }
        Extension::SubjectAlternativeName => {
            let names: Vec<_> = plan.names.iter().map(general_name).collect();
            (!names.is_empty()).then(|| der::sequence(&names))
        }
        Extension::NameConstraints => plan.spec.name_constraints.as_ref().map(name_constraints),
        Extension::SubjectKeyIdentifier => Some(der::element(tag::OCTET_STRING, &key_identifier(signed.key))),
        Extension::AuthorityKeyIdentifier => {
            let identifier = signed.issuer_key_identifier.clone();
            let identifier = identifier.unwrap_or_else(|| key_identifier(signed.issuer_key));
            Some(der::sequence(&[der::element(tag::implicit(0), &identifier)]))
        }
        Extension::RevocationList => plan.spec.revocation_list.as_ref().map(|address| {
            let full_name = der::constructed(tag::explicit(0), &[der::element(tag::implicit(6), address.as_bytes())]);
            der::sequence(&[der::sequence(&[der::constructed(tag::explicit(0), &[full_name])])])
        }),
        // RFC 7633: the feature status_request (RFC 6066 §8) is TLS extension 5.
        Extension::MustStaple => plan.spec.must_staple.unwrap_or(false).then(|| der::sequence(&[der::integer(5)])),
    }
}

fn basic_constraints(signed: &Signed<'_>) -> Vec<u8> {
    let mut parts = Vec::new();
    if signed.plan.ca || signed.has(Flaw::ExplicitDefault) {
        parts.push(der::boolean(signed.plan.ca));
    }
    parts.extend(signed.plan.spec.path_length.map(|length| der::integer(i64::from(length))));
    der::sequence(&parts)
}

/// GeneralName (RFC 5280 §4.2.1.6).
fn general_name(name: &Name) -> Vec<u8> {
    match name {
        Name::Email(address) => der::element(tag::implicit(1), address.as_bytes()),
        Name::Dns(name) => der::element(tag::implicit(2), name.as_bytes()),
        Name::Uri(uri) => der::element(tag::implicit(6), uri.as_bytes()),
        Name::Ip(address) => der::element(tag::implicit(7), &octets(*address)),
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// NameConstraints (RFC 5280 §4.2.1.10).
fn name_constraints(constraints: &NameConstraints) -> Vec<u8> {
    let subtrees = |number, subtrees: &[Subtree]| {
        let parts: Vec<_> = subtrees.iter().map(|subtree| der::sequence(&[general_subtree(subtree)])).collect();
        (!parts.is_empty()).then(|| der::constructed(tag::explicit(number), &parts))
    };
    let parts = [subtrees(0, &constraints.permitted), subtrees(1, &constraints.excluded)];
    der::sequence(&parts.into_iter().flatten().collect::<Vec<_>>())
}

fn general_subtree(subtree: &Subtree) -> Vec<u8> {
    match subtree {
        Subtree::Email(address) => der::element(tag::implicit(1), address.as_bytes()),
        Subtree::Dns(name) => der::element(tag::implicit(2), name.as_bytes()),
        Subtree::Uri(host) => der::element(tag::implicit(6), host.as_bytes()),
        Subtree::Ip { address, prefix_bits } => {
            let mut network = octets(*address);
            let mask: Vec<u8> = (0..network.len())
                .map(|index| {
                    let bits = usize::from(*prefix_bits).saturating_sub(8 * index).min(8);
                    !(0xffu16 >> bits) as u8
                })
                .collect();
            network.extend(mask);
            der::element(tag::implicit(7), &network)
        }
    }
}

/// The SHA-1 digest of the public key's bits (RFC 5280 §4.2.1.2, first method).
fn key_identifier(key: &KeyPair) -> Vec<u8> {
    Sha1::digest(key.public_key_bits()).to_vec()
}
