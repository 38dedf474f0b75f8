//! What the broker shows, and what it asks for.

use crate::bench::{self, BOTH, Device, Ended, Tls};
use broker::Happening;
use rustls::{AlertDescription, CertificateError, Error};

#[test]
fn chains_are_sent_as_the_script_lists_them() {
    let pki = "sub.ca = true\nlow = { ca = true, issuer = 'sub' }\nleaf.issuer = 'low'";
    for (script, accepted) in [
        ("certificates = ['leaf', 'low', 'sub']", true),
        ("certificates = ['leaf', 'sub', 'low']", true),
        ("certificates = ['leaf', 'low', 'sub', 'root']", true),
        ("certificates = ['leaf', 'low']", false),
        ("certificates = ['leaf']", false),
    ] {
        for versions in BOTH {
            let (mut broker, minted) = bench::broker(pki, script);
            let device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
            assert_eq!(device.tls_error.is_none(), accepted, "{script}: {:?}", device.tls_error);
            if !accepted {
                let unknown_issuer = Error::InvalidCertificate(CertificateError::UnknownIssuer);
                assert_eq!(device.tls_error, Some(unknown_issuer));
                // The broker hears of it.
                assert!(
                    device.happened(|h| matches!(h, Happening::TlsFailed { alert: Some(alert), .. } if alert.0 == 48))
                );
                assert_eq!(device.ended, Some(Ended::Fin));
            }
        }
    }
}

#[test]
fn junk_may_follow_the_chain() {
    let (mut broker, minted) = bench::broker("", "versions = ['1.2']\njunk_after_certificates = true");
    let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
    let junk = b"this is no certificate";
    assert!(device.wire.windows(junk.len()).any(|window| window == junk));
}

#[test]
fn a_key_that_does_not_belong_to_the_certificate_is_noticed() {
    for versions in BOTH {
        let (mut broker, minted) = bench::broker("", "key_of = 'client'");
        let device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
        assert_eq!(device.tls_error, Some(Error::InvalidCertificate(CertificateError::BadSignature)));
    }
}

#[test]
fn schemes_that_nobody_offers_end_in_handshake_failure() {
    let script = "versions = ['1.2']\nsignature_schemes = ['rsa_pkcs1_sha1']";
    let (mut broker, minted) = bench::broker("leaf.key = 'rsa2048'", script);
    let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
    assert_eq!(device.tls_error, Some(Error::AlertReceived(AlertDescription::HandshakeFailure)));

    for (scheme, wire) in [("rsa_pss_rsae_sha384", [8, 5]), ("rsa_pkcs1_sha512", [6, 1])] {
        let script = format!("versions = ['1.2']\nsignature_schemes = ['{scheme}']");
        let (mut broker, minted) = bench::broker("leaf.key = 'rsa2048'", &script);
        let device = Device::dial_tls(&mut broker, &minted, &Tls::default());
        assert_eq!(device.tls_error, None, "{scheme}");
        // A signature of 256 bytes follows the scheme.
        let with_length = [&wire[..], &[1, 0]].concat();
        assert!(device.wire.windows(4).any(|window| window == with_length), "{scheme}");
    }
}

struct Case {
    pki: &'static str,
    script: &'static str,
    /// Which certificate the device shows, and whose key it has.
    client: Option<(&'static str, &'static str)>,
    /// The alert that it gets.
    alert: Option<AlertDescription>,
}

const HONEST: Option<(&str, &str)> = Some(("client", "client"));
const EVIL: &str = "evil = { profile = 'root' }\nclient.issuer = 'evil'";

const CASES: &[Case] = &[
    Case { pki: "", script: "request = 'required'", client: HONEST, alert: None },
    Case { pki: "", script: "request = 'optional'", client: None, alert: None },
    Case { pki: "", script: "request = 'none'", client: HONEST, alert: None },
    Case { pki: "", script: "request = 'required'\nannounce_fillers = 500", client: HONEST, alert: None },
    Case { pki: "client.key = 'rsa2048'", script: "request = 'required'", client: HONEST, alert: None },
    Case { pki: EVIL, script: "request = 'required'", client: HONEST, alert: Some(AlertDescription::UnknownCA) },
    Case {
        pki: "client.not_after = '-1d'",
        script: "request = 'required'",
        client: HONEST,
        alert: Some(AlertDescription::CertificateExpired),
    },
    Case {
        pki: "client.extended_key_usage = ['server_auth']",
        script: "request = 'required'",
        client: HONEST,
        alert: Some(AlertDescription::UnsupportedCertificate),
    },
    Case {
        pki: "",
        script: "request = 'required'",
        client: Some(("client", "leaf")),
        alert: Some(AlertDescription::DecryptError),
    },
    Case { pki: EVIL, script: "request = 'required'\nverify = false", client: HONEST, alert: None },
    Case {
        pki: "client.key = 'rsa2048'",
        script: "request = 'required'\nsignature_schemes = ['rsa_pss_rsae_sha512']",
        client: HONEST,
        alert: None,
    },
    Case { pki: "client.version = 1", script: "request = 'required'\nverify = false", client: HONEST, alert: None },
];

#[test]
fn client_certificates_are_judged() {
    for Case { pki, script, client, alert } in CASES {
        for versions in BOTH {
            let (mut broker, minted) = bench::broker(pki, &format!("[client_certificates]\n{script}"));
            let device = Device::dial_tls(&mut broker, &minted, &Tls { versions, client: *client, ..Tls::default() });
            assert_eq!(device.tls_error, alert.map(Error::AlertReceived), "{pki} {script} {versions:?}");
            let secured = device.happened(|h| matches!(h, Happening::Secured(_)));
            assert_eq!(secured, alert.is_none(), "{pki} {script}");
        }
    }
}

#[test]
fn a_device_without_certificate_is_refused_as_its_version_demands() {
    for (versions, alert) in
        [(BOTH[0], AlertDescription::HandshakeFailure), (BOTH[1], AlertDescription::CertificateRequired)]
    {
        let (mut broker, minted) = bench::broker("", "client_certificates.request = 'required'");
        let device = Device::dial_tls(&mut broker, &minted, &Tls { versions, ..Tls::default() });
        assert_eq!(device.tls_error, Some(Error::AlertReceived(alert)));
        assert_eq!(device.ended, Some(Ended::Fin));
    }
}

#[test]
fn a_device_with_the_wrong_kind_of_key_for_the_request_cannot_answer_it() {
    // An ECDSA key cannot sign with RSA: rustls sends no certificate, and is refused for that.
    let script = "client_certificates = { request = 'required', signature_schemes = ['rsa_pss_rsae_sha256'] }";
    let (mut broker, minted) = bench::broker("", script);
    let device = Device::dial_tls(&mut broker, &minted, &Tls { client: HONEST, ..Tls::default() });
    assert!(!device.happened(|h| matches!(h, Happening::LoggedIn { .. })));
    assert_eq!(device.ended, Some(Ended::Fin));
}

#[test]
fn identities_can_stand_in_for_user_names() {
    for (subject, code) in [("CN=sensor-7", 0), ("O=nobody", 4)] {
        let script = "client_certificates = { request = 'required', identity_is_user_name = true }";
        let (mut broker, minted) = bench::broker(&format!("client.subject = '{subject}'"), script);
        let tls = Tls { client: Some(("client", "client")), ..Tls::default() };
        let mut device = Device::dial_tls(&mut broker, &minted, &tls);
        device.say(&wire::mqtt::Packet::Connect(wire::mqtt::Connect {
            client_id: "device",
            clean_session: true,
            ..Default::default()
        }));
        assert_eq!(device.take_heard(), [0x20, 2, 0, code]);
        let named =
            device.happened(|h| matches!(h, Happening::LoggedIn { user_name: Some(name), .. } if name == "sensor-7"));
        assert_eq!(named, code == 0);
    }
}
