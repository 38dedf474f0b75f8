//! Suites and versions that rustls does not have, as OpenSSL and GnuTLS spoke them when `fixtures/record*.py` listened.

mod support;

use capture::read;
use capture::transcript::{Conversation, Said};
use outcome::Stage;
use support::agrees_with_tshark;

/// A fixture as a capture.
fn capture_of(name: &str) -> Vec<u8> {
    support::fixture(name).tap.to_pcapng()
}

fn conversation(file: &[u8]) -> Conversation {
    let mut transcript = read(file, "").expect("our own file");
    assert_eq!(transcript.conversations.len(), 1);
    transcript.conversations.remove(0)
}

fn details(conversation: &Conversation, said: &str) -> Vec<String> {
    let lines = conversation.lines.iter().filter(|line| line.said.to_string() == said);
    lines.map(|line| line.details.clone()).collect()
}

#[test]
fn every_cipher_is_opened_to_the_last_packet() {
    for (name, chosen) in [
        ("tls1_0_3des_ede_cbc_sha", "1.0 · TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA · record limit 16384"),
        ("tls1_0_aes256_cbc_sha", "1.0 · TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("tls1_0_camellia256_cbc_sha", "1.0 · TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
        ("tls1_0_rc4_128_md5", "1.0 · TLS_RSA_WITH_RC4_128_MD5 · record limit 16384"),
        ("tls1_1_aes128_cbc_sha", "1.1 · TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("tls1_2_3des_ede_cbc_sha_etm", "1.2 · TLS_RSA_WITH_3DES_EDE_CBC_SHA · record limit 16384"),
        ("tls1_2_aes128_cbc_sha", "1.2 · TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("tls1_2_aes128_cbc_sha_etm", "1.2 · TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("tls1_2_aria128_gcm", "1.2 · TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"),
        ("tls1_2_aria256_gcm", "1.2 · TLS_RSA_WITH_ARIA_256_GCM_SHA384"),
        ("tls1_2_camellia128_cbc_sha256_etm", "1.2 · TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
        ("tls1_2_camellia128_gcm", "1.2 · TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256 · record limit 16384"),
        ("tls1_2_camellia256_cbc_sha384", "1.2 · TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"),
        ("tls1_2_camellia256_gcm", "1.2 · TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384 · record limit 16384"),
        ("tls1_2_client_certificate", "1.2 · TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        ("tls1_2_dhe_aes256_cbc_sha256_etm", "1.2 · TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
        ("tls1_2_ecdhe_aes256_cbc_sha384", "1.2 · TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("tls1_2_ecdsa_aes128_ccm", "1.2 · TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
        ("tls1_2_ecdsa_aes256_ccm8", "1.2 · TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
        ("tls1_2_null_sha256", "1.2 · TLS_RSA_WITH_NULL_SHA256"),
        ("tls1_2_rc4_128_sha", "1.2 · TLS_ECDHE_RSA_WITH_RC4_128_SHA · record limit 16384"),
        ("tls1_3_client_certificate", "1.3 · TLS_AES_256_GCM_SHA384 · x25519"),
    ] {
        let file = capture_of(name);
        let conversation = conversation(&file);
        // tshark 4.0 shows ARIA encrypted.
        if !chosen.contains("ARIA") {
            agrees_with_tshark(&file, name, &conversation);
        }
        assert_eq!(details(&conversation, "ServerHello"), [chosen], "{name}");
        let told: Vec<String> = conversation.lines.iter().map(|line| line.said.to_string()).collect();
        let mqtt_at = told.iter().position(|said| said == "CONNECT").unwrap_or_else(|| panic!("{name}: {told:#?}"));
        let mqtt = ["CONNECT", "CONNACK", "PUBLISH", "PINGREQ", "PINGRESP", "DISCONNECT", "alert", "FIN"];
        assert_eq!(told[mqtt_at..], mqtt, "{name}");
        assert_eq!(details(&conversation, "PUBLISH"), ["t · \"hi\" · qos 0"]);
        assert_eq!(conversation.facts.stage, Some(Stage::Goodbye));
        assert!(conversation.facts.is_handshake_complete && !conversation.facts.has_gaps, "{name}");
        assert!(conversation.lines.iter().all(|line| line.said != Said::BadRecord), "{name}");
    }
}

#[test]
fn what_is_between_the_hellos_and_finished_is_told() {
    let dhe = conversation(&capture_of("tls1_2_dhe_aes256_cbc_sha256_etm"));
    assert_eq!(details(&dhe, "ServerKeyExchange"), ["dhe 2048 bits · rsa_pss_rsae_sha256"]);
    let mutual = conversation(&capture_of("tls1_2_client_certificate"));
    let requests = details(&mutual, "CertificateRequest");
    assert!(requests[0].starts_with("any authority · ecdsa_secp256r1_sha256"), "{requests:?}");
    assert_eq!(details(&mutual, "Certificate").len(), 2);
    assert_eq!(details(&mutual, "CertificateVerify"), ["ecdsa_secp256r1_sha256"]);
    let mutual = conversation(&capture_of("tls1_3_client_certificate"));
    assert_eq!(details(&mutual, "CertificateRequest").len(), 1);
    assert_eq!(details(&mutual, "Certificate").len(), 2);
    assert_eq!(details(&mutual, "CertificateVerify"), ["ecdsa_secp256r1_sha256"; 2]);
}
