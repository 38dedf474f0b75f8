//! OpenSSL, where it is installed, judges what webpki cannot: old keys, old versions, P-521, and private keys.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use clock::UnixTime;
use std::path::Path;
use std::process::Command;

/// 2026-01-01T00:00:00Z.
const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

fn openssl(folder: &Path, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Each row: a specification, and what OpenSSL says when it verifies `leaf` against `root`.
const CASES: &[(&str, &str)] = &[
    ("", "leaf.pem: OK"),
    ("root.key = 'p521'\nleaf.key = 'p521'", "leaf.pem: OK"),
    ("root.key = 'p384'\nleaf = { key = 'p521', signature = 'sha512' }", "leaf.pem: OK"),
    ("root.key = 'ed25519'\nleaf.key = 'ed25519'", "leaf.pem: OK"),
    ("root.key = 'rsa768'\nleaf.signature = 'sha1'", "leaf.pem: OK"),
    ("root.key = 'rsa1024'\nleaf.signature = 'md5'", "leaf.pem: OK"),
    ("root.key = 'rsa8192'", "leaf.pem: OK"),
    ("leaf.version = 1", "leaf.pem: OK"),
    ("leaf.signature = 'sha1'", "leaf.pem: OK"),
    ("leaf.not_after = '-1d'", "certificate has expired"),
    ("leaf.not_before = '+1d'", "certificate is not yet valid"),
    ("leaf.flaws = ['impossible_date']", "format error in certificate's notAfter field"),
    ("leaf.flaws = ['broken_signature']", "certificate signature failure"),
    ("leaf.extended_key_usage = ['client_auth']", "unsuitable certificate purpose"),
    ("leaf.issuer = 'self'", "self-signed certificate"),
    ("root.without = ['basic_constraints']\nroot.version = 1", "leaf.pem: OK"),
    ("root.key_usage = ['digital_signature']", "key usage does not include certificate signing"),
];

#[test]
fn openssl_agrees() {
    for (index, (specification, verdict)) in CASES.iter().enumerate() {
        let minted = pki::mint(&toml::from_str(specification).unwrap(), 7, DATE).expect(specification);
        let folder = std::env::temp_dir().join(format!("shakedown-pki-{}-{index}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, certificate) in &minted.certificates {
            std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.join(format!("{name}.key")), certificate.key_pem()).unwrap();
        }
        let date = DATE.seconds.to_string();
        let arguments =
            ["verify", "-auth_level", "0", "-attime", &date, "-purpose", "sslserver", "-CAfile", "root.pem"];
        let Some((_, text)) = openssl(&folder, &[&arguments[..], &["leaf.pem"]].concat()) else {
            eprintln!("skipped: openssl is not installed");
            return;
        };
        let public_of_certificate = openssl(&folder, &["x509", "-in", "leaf.pem", "-noout", "-pubkey"]).unwrap().1;
        let (key_is_good, public_of_key) = openssl(&folder, &["pkey", "-in", "leaf.key", "-pubout"]).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(text.contains(verdict), "{specification}: {text}");
        assert!(key_is_good && public_of_certificate == public_of_key, "{specification}: {public_of_key}");
    }
}
