//! Hellos and their extensions.

use wire::tls::{
    CipherSuite, ClientHello, EncryptedExtensions, Extension, ExtensionType, Ja3, Ja4, ProtocolVersion, ServerHello,
    ServerHelloView, is_grease,
};

use crate::text::{bytes, clean, count, dotted, listed};

/// Name, versions, groups and suites that a client offers, what else is noteworthy, and its fingerprints.
pub fn client_hello(hello: &ClientHello) -> String {
    let Some(types) = &hello.extension_types else {
        let suites = listed(&hello.cipher_suites, 4);
        return dotted([up_to(hello.version), "no extensions".into(), suites, fingerprints(hello)]);
    };
    let mut versions = hello.versions();
    versions.reverse();
    let versions =
        if types.contains(&ExtensionType::SUPPORTED_VERSIONS) { listed(versions, 5) } else { up_to(hello.version) };
    let groups = hello.groups().iter().filter(|group| !is_grease(group.0));
    let offered = |suite: &&CipherSuite| !is_grease(suite.0) && !suite.is_signal();
    let suites = hello.cipher_suites.iter().filter(offered).count();
    let parts = [
        hello.server_name().map_or_else(|| "no sni".into(), |name| format!("sni {}", clean(name, 80))),
        versions,
        listed(groups, 6),
        count(suites, "suite"),
    ];
    let extras = hello.extensions.iter().filter_map(|extension| noteworthy(extension, types));
    // With tickets and in TLS 1.3 the number is make-believe.
    let by_number = hello.session_id_bytes > 0
        && hello.versions().iter().all(|version| *version < ProtocolVersion::TLS_1_3)
        && !hello.extensions.iter().any(|extension| matches!(extension, Extension::SessionTicket(1..)));
    let extras = extras.chain(by_number.then(|| "resumes by session id".to_owned()));
    let signals = hello.cipher_suites.contains(&CipherSuite::FALLBACK_SCSV).then(|| "fallback".to_string());
    dotted(
        parts.into_iter().chain(extras).chain(signals).chain(malformed(&hello.malformed)).chain([fingerprints(hello)]),
    )
}

fn up_to(version: ProtocolVersion) -> String {
    format!("up to {version}")
}

fn fingerprints(hello: &ClientHello) -> String {
    dotted([format!("ja3 {}", Ja3::of(hello).hash()), format!("ja4 {}", Ja4::of(hello))])
}

/// Extensions that change what a peer may do.
fn noteworthy(extension: &Extension, types: &[ExtensionType]) -> Option<String> {
    match extension {
        Extension::Alpn(protocols) => {
            Some(format!("alpn {}", listed(protocols.iter().map(|protocol| bytes(protocol, 20)), 4)))
        }
        Extension::MaxFragmentLength(bytes) => Some(format!("max fragment {bytes}")),
        Extension::RecordSizeLimit(bytes) => Some(format!("record limit {bytes}")),
        Extension::SessionTicket(1..) => Some("resumes by ticket".into()),
        // Without key exchange modes this is not from a client of TLS 1.3.
        Extension::PreSharedKey(_) if types.contains(&ExtensionType::PSK_KEY_EXCHANGE_MODES) => {
            Some("resumes by PSK".into())
        }
        Extension::Cookie(_) => Some("cookie".into()),
        Extension::RenegotiationInfo(1..) => Some("renegotiates".into()),
        _ => None,
    }
}

fn malformed(types: &[ExtensionType]) -> Option<String> {
    (!types.is_empty()).then(|| format!("malformed {}", listed(types, 4)))
}

/// What a server chose, and whether that is the session which the client named.
pub fn server_hello(hello: &ServerHello, view: &ServerHelloView<'_>, is_resumed: bool) -> String {
    let chosen = [
        hello.version.to_string(),
        hello.cipher_suite.to_string(),
        hello.group().map(|group| group.to_string()).unwrap_or_default(),
    ];
    let extras = hello.extensions.iter().filter_map(|extension| match extension {
        Extension::PreSharedKey(_) => Some("resumed by PSK".into()),
        Extension::SessionTicket(_) | Extension::RenegotiationInfo(_) => None,
        other => noteworthy(other, &hello.extension_types),
    });
    let extras = extras.chain(is_resumed.then(|| "the session is resumed".to_owned()));
    let downgrade =
        view.downgraded_from().filter(|could| *could > hello.version).map(|could| format!("could speak {could}"));
    let cut = hello.is_cut.then(|| "extensions break off".to_string());
    dotted(chosen.into_iter().chain(extras).chain(downgrade).chain(malformed(&hello.malformed)).chain(cut))
}

/// What a server adds under encryption.
pub fn encrypted_extensions(message: &EncryptedExtensions) -> String {
    let extras = message.extensions.iter().filter_map(|extension| noteworthy(extension, &message.extension_types));
    dotted(extras.chain(malformed(&message.malformed)))
}
