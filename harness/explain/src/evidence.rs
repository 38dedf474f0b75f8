//! What a transcript shows, besides how it ended: explanations name what of it they need, so that none tells of what was not there.

use std::collections::BTreeSet;

use control::Trust;
use scenario::Scenario;
use serde::Deserialize;

/// Something that is seen in a transcript, or known of its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The device sent a hello: the wire was seen at all.
    ClientHello,
    /// The hello has a server name (SNI).
    ServerName,
    /// The broker answered the hello.
    ServerHello,
    /// The broker showed a certificate.
    ServerCertificate,
    /// The broker asked for a certificate.
    CertificateRequest,
    /// The device showed a certificate.
    ClientCertificate,
    /// The certificate has an iPAddress.
    IpName,
    /// A dNSName of the certificate is what the device dialled, letter by letter.
    NameAsDns,
    /// A URI of the certificate is what the device dialled, bare.
    NameAsUri,
    /// The certificate has no alternative names, and its common name is what the device dialled.
    NameAsCommonName,
    /// The certificate is signed on a curve that is not among the groups of the hello: by the hash, P-384 or P-521.
    UnofferedCurve,
    /// The device checks a fingerprint or a known key, and no chain.
    Pin,
}

impl Evidence {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 12] = [
        Self::ClientHello,
        Self::ServerName,
        Self::ServerHello,
        Self::ServerCertificate,
        Self::CertificateRequest,
        Self::ClientCertificate,
        Self::IpName,
        Self::NameAsDns,
        Self::NameAsUri,
        Self::NameAsCommonName,
        Self::UnofferedCurve,
        Self::Pin,
    ];
}

/// What a transcript shows.
pub fn of_transcript(transcript: &str) -> BTreeSet<Evidence> {
    let messages = messages(transcript);
    let find = |who: &str, said: &str| {
        messages
            .iter()
            .find(|message| message.who == who && message.said == said)
            .map(|message| message.details.as_str())
    };
    let mut seen = BTreeSet::new();
    let mut add = |is_seen: bool, evidence: Evidence| {
        if is_seen {
            seen.insert(evidence);
        }
    };
    let hello = find("device", "ClientHello");
    let leaf = find("broker", "Certificate");
    let server_name = hello.and_then(|hello| hello.split(" · ").find_map(|part| part.strip_prefix("sni ")));
    add(hello.is_some(), Evidence::ClientHello);
    add(server_name.is_some(), Evidence::ServerName);
    add(find("broker", "ServerHello").is_some(), Evidence::ServerHello);
    add(leaf.is_some_and(|leaf| leaf != "none"), Evidence::ServerCertificate);
    add(find("broker", "CertificateRequest").is_some(), Evidence::CertificateRequest);
    add(find("device", "Certificate").is_some_and(|own| !own.starts_with("none")), Evidence::ClientCertificate);
    if let Some(leaf) = leaf {
        let names: Vec<&str> = leaf.split_whitespace().collect();
        let has = |name: &str| names.contains(&name);
        let is_named = |kind: &str| names.iter().any(|name| name.starts_with(kind));
        let dialled = server_name.or_else(|| find("device", "query").and_then(|query| query.split_whitespace().nth(2)));
        let has_alternatives = ["DNS:", "IP:", "URI:", "email:"].into_iter().any(is_named);
        add(is_named("IP:"), Evidence::IpName);
        if let Some(dialled) = dialled {
            add(has(&format!("DNS:{dialled}")), Evidence::NameAsDns);
            add(has(&format!("URI:{dialled}")), Evidence::NameAsUri);
            add(!has_alternatives && has(&format!("CN={dialled}")), Evidence::NameAsCommonName);
        }
        let lacks = |group: &str| hello.is_some_and(|hello| !hello.split_whitespace().any(|word| word == group));
        let is_signed_with = |hash: &str| has(&format!("ecdsa-with-{hash}"));
        let beyond = is_signed_with("SHA384") && lacks("secp384r1") || is_signed_with("SHA512") && lacks("secp521r1");
        add(beyond, Evidence::UnofferedCurve);
    }
    seen
}

/// What is known of a scenario and no wire shows.
pub fn of_scenario(scenario: &Scenario) -> BTreeSet<Evidence> {
    let is_pin = matches!(scenario.device.trust, Trust::Fingerprint(_) | Trust::KnownKey(_));
    is_pin.then_some(Evidence::Pin).into_iter().collect()
}

/// A line of a transcript with what it goes on with below.
struct Message<'a> {
    who: &'a str,
    said: &'a str,
    details: String,
}

/// The lines between `ms who said` and the end of the wire's part.
fn messages(transcript: &str) -> Vec<Message<'_>> {
    let mut messages: Vec<Message<'_>> = Vec::new();
    for line in transcript.lines() {
        let mut words = line.split_whitespace();
        let is_continued = line.starts_with("          ") && !messages.is_empty();
        if is_continued {
            if let Some(last) = messages.last_mut() {
                last.details.push(' ');
                last.details.push_str(line.trim());
            }
            continue;
        }
        let is_timed = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        if let (true, Some(who), Some(said)) = (is_timed, words.next(), words.next()) {
            let details = words.collect::<Vec<&str>>().join(" ");
            messages.push(Message { who, said, details });
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSCRIPT: &str = "\
   ms  who      said
   15  device   query                dns A broker.test
   26  device   ClientHello          sni broker.test · up to 1.2 · secp256r1 x25519
                                     45 suites
   26  broker   ServerHello          1.2 · TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
   26  broker   Certificate          2 certificates · CN=broker.test · IP:192.0.2.10 DNS:broker.test · P-256
                                     ecdsa-with-SHA384 · by CN=sub  ← the fault
   26  broker   CertificateRequest   by CN=root
   29  device   Certificate          none
   34  device   FIN

device     BR_ERR_X509_NOT_TRUSTED (62)";

    #[test]
    fn what_is_there_is_seen_and_nothing_else() {
        let seen = of_transcript(TRANSCRIPT);
        let expected = [
            Evidence::ClientHello,
            Evidence::ServerName,
            Evidence::ServerHello,
            Evidence::ServerCertificate,
            Evidence::CertificateRequest,
            Evidence::IpName,
            Evidence::NameAsDns,
            Evidence::UnofferedCurve,
        ];
        assert_eq!(seen, expected.into_iter().collect());
        let other =
            TRANSCRIPT.replace("IP:192.0.2.10 DNS:broker.test", "URI:broker.test").replace("secp256r1", "secp384r1");
        let seen = of_transcript(&other);
        assert!(seen.contains(&Evidence::NameAsUri) && !seen.contains(&Evidence::UnofferedCurve), "{seen:?}");
        assert!(of_transcript("device     accepted").is_empty());
    }
}
