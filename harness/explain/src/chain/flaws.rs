//! What in a chain some device minds, and who.

use std::net::IpAddr;

use clock::UnixTime;
use serde::Serialize;

use super::{Certificate, day};

/// What takes a flaw away, whatever is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mends {
    /// The certificate is issued anew: valid now, for servers, as version 3.
    Renew,
    /// It is signed with SHA-256.
    Sha256,
    /// The chain is sent whole and in order.
    WholeChain,
}

/// A flaw of a chain, and who minds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The certificate, from 0 for the leaf.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// Which devices mind it.
    pub minded_by: &'static str,
    /// What takes it away, if something does.
    #[serde(skip)]
    pub mends: Option<Mends>,
}

/// Every flaw of the chain that some device minds, for what is `dialled`, `now`, under `authorities`.
pub fn flaws(chain: &[Certificate], authorities: &[Certificate], dialled: &str, now: UnixTime) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, certificate) in chain.iter().enumerate() {
        each(&mut flaws, at, certificate, now);
    }
    if let Some(leaf) = chain.first() {
        of_leaf(&mut flaws, leaf, dialled);
    }
    of_order(&mut flaws, chain, authorities);
    flaws
}

fn each(flaws: &mut Vec<Flaw>, at: usize, certificate: &Certificate, now: UnixTime) {
    let mut add = |what: String, minded_by, mends| flaws.push(Flaw { at, what, minded_by, mends });
    let renew = Some(Mends::Renew);
    if certificate.not_after < now.seconds {
        add(format!("it ended on {}", day(certificate.not_after)), "all that look at dates", renew);
    }
    if certificate.not_before > now.seconds {
        add(format!("it begins on {}", day(certificate.not_before)), "all that look at dates", renew);
    }
    let key = certificate.key.as_str();
    let mut minds_key = |minded_by| add(format!("its key is {key}"), minded_by, None);
    match key {
        "RSA-768" | "RSA-1024" => minds_key("Mbed TLS (2048 bits at least)"),
        "RSA-8192" => minds_key("BearSSL (4096 bits at most), and devices with small buffers"),
        "P-384" | "P-521" => minds_key("images whose library was built without that curve (Tasmota, Meshtastic)"),
        "Ed25519" => minds_key("BearSSL and Mbed TLS, which have no Ed25519"),
        key if key.starts_with("brainpool") || key.starts_with("EC ") || key.starts_with("a key of") => {
            minds_key("most devices");
        }
        _ => {}
    }
    let is_root = certificate.is_self_issued;
    match certificate.signature.as_str() {
        "MD5" | "SHA-1" if !is_root => add(
            format!("it is signed with {}", certificate.signature),
            "Mbed TLS 3, rustls, OpenSSL at its usual level",
            Some(Mends::Sha256),
        ),
        "RSASSA-PSS" if !is_root => add(
            "it is signed with RSASSA-PSS".into(),
            "BearSSL, Mbed TLS without MBEDTLS_X509_RSASSA_PSS_SUPPORT",
            Some(Mends::Sha256),
        ),
        _ => {}
    }
    if certificate.version < 3 {
        add(format!("it is X.509 version {}", certificate.version), "BearSSL, if it is to sign others", renew);
    }
}

fn of_leaf(flaws: &mut Vec<Flaw>, leaf: &Certificate, dialled: &str) {
    let mut add = |what: String, minded_by, mends| flaws.push(Flaw { at: 0, what, minded_by, mends });
    let renew = Some(Mends::Renew);
    match dialled.parse::<IpAddr>() {
        Ok(address) => {
            let (as_address, as_name) = (leaf.has_address(address), leaf.has_dns_name(dialled));
            if !as_address {
                add(
                    format!("{dialled} is not in it as iPAddress"),
                    "all that go by RFC 9525: Mbed TLS 3, mosquitto, rustls",
                    None,
                );
            }
            if !as_name {
                add(
                    format!("{dialled} is not in it as dNSName"),
                    "BearSSL and Mbed TLS before 3.5, which know no iPAddress",
                    None,
                );
            }
        }
        Err(_) if leaf.is_named(dialled) => {}
        Err(_) => add(format!("{dialled} is not among its dNSNames"), "all that look at names", None),
    }
    if leaf.names.is_empty() {
        add("it has no subjectAltName".into(), "rustls, Go, browsers, BearSSL where the common name differs", None);
    }
    if leaf.is_for_servers == Some(false) {
        add("its extended key usage is not for servers".into(), "Mbed TLS, OpenSSL, rustls", renew);
    }
    if leaf.is_authority {
        add("it says that it is an authority".into(), "rustls", renew);
    }
    if !leaf.key_usage.is_empty() && !leaf.key_usage.iter().any(|usage| usage == "Digital Signature") {
        add("its key usage lacks digitalSignature".into(), "Mbed TLS and BearSSL with ECDHE", renew);
    }
}

fn of_order(flaws: &mut Vec<Flaw>, chain: &[Certificate], authorities: &[Certificate]) {
    for (at, pair) in chain.windows(2).enumerate() {
        let [certificate, next] = pair else { continue };
        if certificate.raw_names.0 != next.raw_names.1 {
            let what = format!("what follows it is not its issuer ({}), but {}", certificate.issuer, next.subject);
            let mends = Some(Mends::WholeChain);
            flaws.push(Flaw { at, what, minded_by: "BearSSL, and all that do not sort chains", mends });
        }
    }
    if let (Some(last), true) = (chain.last(), chain.len() > 1)
        && last.is_self_issued
    {
        let what = "the root is sent too".into();
        let minded_by = "nobody but small buffers: it need not be sent";
        flaws.push(Flaw { at: chain.len() - 1, what, minded_by, mends: None });
    }
    let Some(last) = chain.last().filter(|_| !authorities.is_empty()) else { return };
    let is_trusted = |certificate: &Certificate| {
        authorities
            .iter()
            .any(|root| root.raw_names.1 == certificate.raw_names.0 || root.raw_names.1 == certificate.raw_names.1)
    };
    if !chain.iter().any(is_trusted) {
        let what = format!("its issuer ({}) is neither sent nor among the authorities", last.issuer);
        let mends = Some(Mends::WholeChain);
        flaws.push(Flaw { at: chain.len() - 1, what, minded_by: "all that verify chains", mends });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn told(text: &str, chain: &[&str], dialled: &str) -> Vec<String> {
        let (chain, root) = (read(text, chain), read(text, &["root"]));
        flaws(&chain, &root, dialled, NOW).into_iter().map(|flaw| format!("{}: {}", flaw.at, flaw.what)).collect()
    }

    #[test]
    fn a_good_chain_has_no_flaw_and_each_flaw_is_told() {
        assert_eq!(told("", &["leaf"], "broker.test"), [""; 0]);
        let sub = "sub.ca = true\nleaf.issuer = 'sub'\n";
        assert_eq!(told(sub, &["leaf", "sub"], "broker.test"), [""; 0]);
        for (text, chain, dialled, words) in [
            (sub, &["leaf"][..], "broker.test", "0: its issuer (CN="),
            (sub, &["leaf", "sub", "root"], "broker.test", "2: the root is sent too"),
            (sub, &["sub", "leaf"], "broker.test", "0: what follows it is not its issuer"),
            ("leaf.not_after = '-1d'", &["leaf"], "broker.test", "0: it ended on 2027-01-14"),
            ("leaf.not_before = '+1d'", &["leaf"], "broker.test", "0: it begins on 2027-01-16"),
            ("leaf.names = ['ip:192.0.2.10']", &["leaf"], "192.0.2.10", "0: 192.0.2.10 is not in it as dNSName"),
            ("leaf.names = ['dns:192.0.2.10']", &["leaf"], "192.0.2.10", "0: 192.0.2.10 is not in it as iPAddress"),
            ("leaf.names = []", &["leaf"], "broker.test", "0: it has no subjectAltName"),
            ("", &["leaf"], "other.test", "0: other.test is not among its dNSNames"),
            ("leaf.key = 'p384'", &["leaf"], "broker.test", "0: its key is P-384"),
            ("leaf.key = 'rsa1024'", &["leaf"], "broker.test", "0: its key is RSA-1024"),
            ("leaf.signature = 'sha1'\nroot.key = 'rsa2048'", &["leaf"], "broker.test", "0: it is signed with SHA-1"),
            ("leaf.extended_key_usage = ['client_auth']", &["leaf"], "broker.test", "0: its extended key usage"),
            ("leaf.version = 1", &["leaf"], "broker.test", "0: it is X.509 version 1"),
        ] {
            let told = told(text, chain, dialled);
            assert!(told.iter().any(|flaw| flaw.starts_with(words)), "{text} {chain:?}: {told:?}");
        }
    }

    #[test]
    fn what_mends_a_flaw_does_not_hang_on_a_strangers_name() {
        let text = "sub.ca = true\nsub.subject = 'CN=it ended'\nleaf.issuer = 'sub'\n";
        let (chain, root) = (read(text, &["leaf", "root"]), read(text, &["root"]));
        let flaws = flaws(&chain, &root, "broker.test", NOW);
        assert!(flaws.iter().any(|flaw| flaw.what.contains("it ended")), "{flaws:?}");
        let mends: Vec<Mends> = flaws.iter().filter_map(|flaw| flaw.mends).collect();
        assert_eq!(mends, [Mends::WholeChain]);
    }
}
