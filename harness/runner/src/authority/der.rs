//! Certificates and keys in DER, which other tools write by themselves: made the text that is read here.

use x509_parser::asn1_rs::{Any, FromDer as _, Tag};

/// A certificate's text, if these bytes are a SEQUENCE that begins with one, as its DER does (RFC 5280 §4.1).
pub(super) fn certificate(bytes: &[u8]) -> Option<String> {
    let (_, first) = Any::from_der(content(bytes)?).ok()?;
    (first.header.tag() == Tag::Sequence).then(|| pki::to_pem("CERTIFICATE", bytes))
}

/// A private key's text, by what stands behind its version: PKCS#8 (RFC 5958 §2), PKCS#1 (RFC 8017 §A.1.2) or SEC 1 (RFC 5915
/// §3).
pub(super) fn key(bytes: &[u8]) -> Option<String> {
    let (behind, version) = Any::from_der(content(bytes)?).ok()?;
    let (_, second) = Any::from_der(behind).ok()?;
    let label = match (version.header.tag(), second.header.tag()) {
        (Tag::Integer, Tag::Sequence) => "PRIVATE KEY",
        (Tag::Integer, Tag::Integer) => "RSA PRIVATE KEY",
        (Tag::Integer, Tag::OctetString) => "EC PRIVATE KEY",
        _ => return None,
    };
    Some(pki::to_pem(label, bytes))
}

/// What is in a SEQUENCE that takes all of `bytes`.
fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (rest, whole) = Any::from_der(bytes).ok()?;
    (rest.is_empty() && whole.header.tag() == Tag::Sequence).then_some(whole.data)
}

#[cfg(test)]
mod tests {
    use clock::UnixTime;
    use pki::spec::Certificates;

    use super::*;

    #[test]
    fn an_authority_in_der_is_read_as_one_in_pem() {
        for kind in ["p256", "rsa2048"] {
            let text = format!("[root]\nkey = '{kind}'");
            let specification: Certificates = toml::from_str(&text).expect("a specification");
            let minted = pki::mint(&specification, 7, UnixTime::from_seconds(1_795_910_400)).expect("it can be minted");
            let root = &minted.certificates["root"];
            assert_eq!(certificate(&root.der), Some(root.pem()));
            assert_eq!(key(root.key_pkcs8_der()), Some(root.key_pem()));
            // One is not taken for the other, and text for neither.
            assert_eq!((key(&root.der), certificate(root.key_pkcs8_der())), (None, None));
            assert_eq!((certificate(root.pem().as_bytes()), key(root.key_pem().as_bytes())), (None, None));
        }
        for bytes in [&[0x30][..], &[0x30, 0x82, 1], &[0x30, 3, 2, 1, 0, 4], &[]] {
            assert_eq!((certificate(bytes), key(bytes)), (None, None));
        }
        assert!(key(&[0x30, 6, 2, 1, 1, 4, 1, 9]).is_some_and(|text| text.contains("EC PRIVATE KEY")));
        assert!(key(&[0x30, 6, 2, 1, 0, 2, 1, 9]).is_some_and(|text| text.contains("RSA PRIVATE KEY")));
    }
}
