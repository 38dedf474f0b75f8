//! The certificate script of source document 002, with and without its alternative names: OpenSSL, where it is installed,
//! runs its commands, and what scenarios specify is what comes out.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use clock::UnixTime;
use pki::Minted;
use pki::spec::Certificates;
use std::path::{Path, PathBuf};
use std::process::Command;
use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::prelude::*;

/// Within the validity of the certificates in the document.
const DATE: UnixTime = UnixTime::from_seconds(1_746_878_400);

/// The script's variables, the asterisks taken from the certificates that its author posted.
const AUTHORITY: &str = "/C=RO/ST=Cluj/L=Cluj/O=UTCN OU=CS/CN=MQTTCA/emailAddress=.";
const ORGANIZATION: &str = "/C=RO/ST=Cluj/L=Cluj/O=UTCN/OU=CS";

/// What the third certificate of the script is specified by.
const CLIENT: &str = "
    key = 'rsa2048'
    subject = 'C=RO,ST=Cluj,L=Cluj,O=UTCN,OU=CS,CN=ESP8266,EMAIL=.'
    version = 1
    not_before = '2025-05-02T10:08:31Z'
    not_after = '2026-05-02T10:08:31Z'
";

fn minted(scenario: &str) -> Minted {
    let path = format!("{}/../../scenarios/identity/{scenario}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let mut scenario: toml::Table = text.parse().expect(&path);
    let mut specification: Certificates = scenario.remove("pki").expect("a table").try_into().expect(&path);
    specification.0.insert("client".to_owned(), toml::from_str(CLIENT).expect(CLIENT));
    pki::mint(&specification, 0x5eed, DATE).expect(&path)
}

/// A folder with the keys of minted certificates, in which OpenSSL works. It is gone with this value.
struct Workshop(PathBuf);

impl Workshop {
    fn new(name: &str, minted: &Minted) -> Self {
        let folder = std::env::temp_dir().join(format!("shakedown-script-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        for (file, certificate) in [("ca.key", "root"), ("server.key", "leaf"), ("client.key", "client")] {
            std::fs::write(folder.join(file), minted.certificates[certificate].key_pem()).expect("a file");
        }
        Self(folder)
    }

    fn openssl(&self, arguments: &str, subject: Option<&str>) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.0).args(arguments.split(' '));
        command.args(subject.map(|subject| ["-subj", subject]).into_iter().flatten());
        let output = command.output().expect("openssl starts");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A certificate that OpenSSL has made.
    fn made(&self, file: &str) -> Vec<u8> {
        let text = std::fs::read(self.0.join(file)).expect(file);
        parse_x509_pem(&text).expect(file).1.contents
    }

    fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Major and minor version of the installed OpenSSL.
fn installed_version() -> Option<(u32, u32)> {
    let output = Command::new("openssl").arg("version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split(' ').nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The fields of TBSCertificate (RFC 5280 §4.1), each in DER; the serial number, which is random, and the validity, which
/// OpenSSL counts from now, are told by their form.
fn fields(certificate: &[u8]) -> Vec<String> {
    let (_, whole) = Any::from_der(certificate).expect("DER");
    let (_, signed_part) = Any::from_der(whole.data).expect("DER");
    let mut fields = Vec::new();
    let mut rest = signed_part.data;
    while let Ok((after, field)) = Any::from_der(rest) {
        let der = &rest[..rest.len() - after.len()];
        fields.push(if field.tag().0 == 2 {
            "serial".to_owned()
        } else if let Ok((_, validity)) = Validity::from_der(der) {
            let seconds = validity.not_after.timestamp() - validity.not_before.timestamp();
            format!("{} days in {} octets", seconds / 86_400, der.len())
        } else {
            der.iter().map(|octet| format!("{octet:02x}")).collect()
        });
        rest = after;
    }
    fields
}

#[test]
fn the_script_of_document_002_makes_what_its_scenarios_say() {
    let Some(version) = installed_version() else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    if !((3, 0)..(3, 2)).contains(&version) {
        eprintln!("skipped: OpenSSL 3.2 made version 3 the least, 3.0 wrote key identifiers, and this is {version:?}");
        return;
    }
    for (scenario, subject, names) in [
        (
            "san_ip_and_dns_with_the_client_of_document_002_dialled_by_address",
            "/CN=raspberry/emailAddress=.",
            Some("subjectAltName=IP:192.0.2.10,DNS:raspberry"),
        ),
        ("no_san_with_the_client_of_document_002_dialled_by_address", "/CN=192.0.2.10/emailAddress=.", None),
    ] {
        let minted = minted(scenario);
        let workshop = Workshop::new(&subject[4..7], &minted);
        workshop.openssl("req -x509 -new -nodes -key ca.key -sha256 -days 3650 -out ca.crt", Some(AUTHORITY));
        let subject = format!("{ORGANIZATION}{subject}");
        let sign = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 365";
        if let Some(names) = names {
            std::fs::write(workshop.folder().join("names"), names).expect("a file");
            workshop.openssl(&format!("req -new -key server.key -out server.csr -addext {names}"), Some(&subject));
            workshop.openssl(&format!("x509 -req -in server.csr {sign} -out server.crt -extfile names"), None);
        } else {
            workshop.openssl("req -new -key server.key -out server.csr", Some(&subject));
            workshop.openssl(&format!("x509 -req -in server.csr {sign} -out server.crt"), None);
        }
        let subject = format!("{ORGANIZATION}/CN=ESP8266/emailAddress=.");
        workshop.openssl("req -new -key client.key -out client.csr", Some(&subject));
        workshop.openssl(&format!("x509 -req -in client.csr {sign} -out client.crt"), None);

        for (file, name) in [("ca.crt", "root"), ("server.crt", "leaf"), ("client.crt", "client")] {
            let theirs = fields(&workshop.made(file));
            assert_eq!(fields(&minted.certificates[name].der), theirs, "{file} of {scenario}");
        }
    }
}

#[test]
fn the_posted_certificates_were_made_by_the_script() {
    let minted = minted("san_ip_and_dns_with_the_client_of_document_002_dialled_by_address");
    for (ours, posted) in [("root", "document_ca"), ("client", "document_client")] {
        let [ours, posted] = [ours, posted].map(|name| &minted.certificates[name].der[..]);
        let [ours, posted] = [ours, posted].map(|der| X509Certificate::from_der(der).expect("DER").1);
        assert_eq!(ours.version(), posted.version());
        assert_eq!(ours.issuer().as_raw(), posted.issuer().as_raw());
        assert_eq!(ours.subject().as_raw(), posted.subject().as_raw());
        assert_eq!(ours.validity(), posted.validity());
        assert_eq!(ours.signature_algorithm, posted.signature_algorithm);
        let extensions = |certificate: &X509Certificate<'_>| -> Vec<(String, bool, usize)> {
            let each = certificate.extensions().iter();
            each.map(|extension| (extension.oid.to_id_string(), extension.critical, extension.value.len())).collect()
        };
        assert_eq!(extensions(&ours), extensions(&posted));
    }
}
