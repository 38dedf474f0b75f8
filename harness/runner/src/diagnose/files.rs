//! The files that somebody gives to `diagnose`: authorities, chains, keys, a password. Each error names the file and the
//! remedy, and none quotes what a file holds.

use std::path::Path;

use blame::Error;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A device has room for so many authorities at most; a system's whole bundle has more than a hundred.
pub const AUTHORITIES_MAX: usize = 16;
/// Nobody sends longer chains in good faith.
pub const CHAIN_MAX: usize = 10;
/// MQTT 3.1.1 §3.1.3.5: a password's length has two bytes.
const PASSWORD_BYTES_MAX: usize = 65_535;

/// Certificates of a PEM file, DER, in their order.
///
/// # Errors
///
/// What is wrong with the file, and what to do.
pub fn certificates(option: &str, file: &Path, most: usize) -> blame::Result<Vec<Vec<u8>>> {
    let text = text(option, file)?;
    let wrong = |why: &str| refusal(option, file, why);
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.map_err(|error| {
            wrong(&format!(
                "its PEM breaks off or is damaged ({error}): copy the file whole, with its BEGIN and END lines"
            ))
        })?;
        match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => found.push(block.contents),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                return Err(wrong("this is a certificate request: have it signed by an authority first"));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        return Err(wrong(without_certificates(&text)));
    }
    if found.len() > most {
        let count = found.len();
        return Err(wrong(&format!(
            "{count} certificates are more than the {most} that a device holds: give those that it has"
        )));
    }
    for (index, der) in found.iter().enumerate() {
        if X509Certificate::from_der(der).is_err() {
            return Err(wrong(&format!(
                "its certificate {} is none: `openssl x509 -in FILE -noout -text` says where it breaks",
                index + 1
            )));
        }
    }
    Ok(found)
}

fn without_certificates(text: &str) -> &'static str {
    if text.contains("PRIVATE KEY-----") {
        return "there is a private key in it and no certificate: are the two files swapped?";
    }
    if text.contains("BEGIN PKCS7") {
        return "this is PKCS #7: `openssl pkcs7 -in FILE -print_certs -out ca.pem` makes PEM of it";
    }
    if text.as_bytes().first() == Some(&0x30) {
        return "this is DER: `openssl x509 -inform der -in FILE -out ca.pem` makes PEM of it";
    }
    "there is no certificate in it: give PEM, with its BEGIN and END lines"
}

/// The private key of a PEM file, as text that `pki` reads; nothing else of the file.
///
/// # Errors
///
/// What is wrong with the file, and what to do.
pub fn key(option: &str, file: &Path) -> blame::Result<String> {
    let text = text(option, file)?;
    let wrong = |why: &str| refusal(option, file, why);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong("the key is encrypted: `openssl pkey -in FILE -out plain.key` takes the password off"));
    }
    const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let mut blocks = text.split("-----BEGIN ").skip(1).filter_map(|block| {
        let label =
            LABELS.iter().find(|label| block.strip_prefix(**label).is_some_and(|rest| rest.starts_with("-----")))?;
        let end = format!("-----END {label}-----");
        let length = block.find(&end)? + end.len();
        block.get(..length).map(|block| format!("-----BEGIN {block}\n"))
    });
    match (blocks.next(), blocks.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(wrong("there are several private keys in it: which one is meant?")),
        (None, _) if text.contains("BEGIN CERTIFICATE") => {
            Err(wrong("there is a certificate in it and no private key: are the two files swapped?"))
        }
        (None, _) if text.as_bytes().first() == Some(&0x30) => {
            Err(wrong("this is DER: `openssl pkey -inform der -in FILE -out device.key` makes PEM of it"))
        }
        (None, _) => Err(wrong("there is no private key in it: give PEM, PKCS #8, PKCS #1 or SEC 1")),
    }
}

/// The password in a file: its first line.
///
/// # Errors
///
/// What is wrong with the file, and what to do.
pub fn password(option: &str, file: &Path) -> blame::Result<String> {
    let text = text(option, file)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(refusal(option, file, "its first line is empty: the password stands there"));
    }
    if line.len() > PASSWORD_BYTES_MAX {
        return Err(refusal(option, file, "its first line is longer than MQTT's longest password, 65535 bytes"));
    }
    Ok(line.to_owned())
}

/// A file's text.
///
/// # Errors
///
/// If it cannot be read, or is longer than such a file is.
pub fn text(option: &str, file: &Path) -> blame::Result<String> {
    let bytes = host::read(file, &host::limit::GIVEN).map_err(|error| refusal(option, file, &error.to_string()))?;
    // What is DER is no text, and is recognised by its first byte.
    Ok(String::from_utf8(bytes).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned()))
}

fn refusal(option: &str, file: &Path, why: &str) -> Error {
    Error::usage(format!("{option} {}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written(contents: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), contents).expect("written");
        file
    }

    #[test]
    fn what_is_no_authority_is_refused_with_its_remedy() {
        let minted = pki::mint(&pki::spec::Certificates::default(), 1, clock::UnixTime::from_seconds(1_800_000_000));
        let minted = minted.unwrap_or_else(|error| panic!("{error}"));
        let (root, leaf) = (&minted.certificates["root"], &minted.certificates["leaf"]);
        let both = written(format!("{}{}", leaf.pem(), root.pem()).as_bytes());
        assert_eq!(
            certificates("--ca", both.path(), 2).map_err(|why| why.message),
            Ok(vec![leaf.der.clone(), root.der.clone()])
        );
        let der = root.der.clone();
        let cut = root.pem();
        for (contents, words) in [
            (leaf.key_pem().into_bytes(), "swapped"),
            (der, "-inform der"),
            (b"hello".to_vec(), "BEGIN and END"),
            (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".to_vec(), "request"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(), "its certificate 1 is none"),
            (cut.as_bytes()[..cut.len() / 2].to_vec(), "copy the file whole"),
            (format!("{0}{0}{0}", root.pem()).into_bytes(), "more than the 2"),
        ] {
            let file = written(&contents);
            let why = certificates("--ca", file.path(), 2).expect_err(words);
            assert!(why.message.contains(words), "{}", why.message);
            assert_eq!(why.blame, blame::Blame::Usage);
        }
        #[cfg(unix)]
        assert!(certificates("--ca", Path::new("/dev/zero"), 2).expect_err("endless").message.contains("a device"));
        let why = certificates("--ca", Path::new("no/such.pem"), 2).expect_err("not there");
        assert!(why.message.starts_with("--ca no/such.pem: "), "{}", why.message);
    }

    #[test]
    fn a_key_is_taken_out_of_its_file_and_never_quoted() {
        let minted = pki::mint(&pki::spec::Certificates::default(), 1, clock::UnixTime::from_seconds(1_800_000_000));
        let minted = minted.unwrap_or_else(|error| panic!("{error}"));
        let client = &minted.certificates["client"];
        let file = written(format!("{}{}", client.pem(), client.key_pem()).as_bytes());
        assert_eq!(key("--client-key", file.path()).map_err(|why| why.message), Ok(client.key_pem()));
        for (contents, words) in [
            (client.pem(), "swapped"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET\n".to_owned(), "takes the password off"),
            (format!("{0}{0}", client.key_pem()), "several"),
            ("SECRET".to_owned(), "no private key"),
        ] {
            let file = written(contents.as_bytes());
            let why = key("--client-key", file.path()).expect_err(words).message;
            assert!(why.contains(words) && !why.contains("SECRET"), "{why}");
        }
    }

    #[test]
    fn a_password_is_a_files_first_line() {
        let file = written(b"open sesame\r\nsomething else\n");
        assert_eq!(password("--password-file", file.path()).map_err(|why| why.message), Ok("open sesame".into()));
        assert!(password("--password-file", written(b"\n").path()).is_err());
    }
}
