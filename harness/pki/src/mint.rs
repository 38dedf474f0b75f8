//! From plans to certificates.

use crate::encode::{self, Signed};
use crate::error::Error;
use crate::given;
use crate::key::{CannotDerive, KeyPair, Scheme};
use crate::plan::{self, Plan};
use crate::spec::{Certificates, Digest, KeyKind};
use clock::UnixTime;
use clock::calendar::Date;
use pem::LineEnding;
use std::collections::BTreeMap;

/// Certificates and keys by name.
#[derive(Clone, Debug)]
pub struct Minted {
    /// Sorted by name; `root`, `leaf` and `client` are always there.
    pub certificates: BTreeMap<String, MintedCertificate>,
}

/// A certificate with its key, and the fields of it that a transcript tells.
#[derive(Clone, Debug)]
pub struct MintedCertificate {
    /// The certificate. It may be anything but DER, if the scenario wants that.
    pub der: Vec<u8>,
    /// The private key that belongs to it.
    pub key: KeyPair,
    /// The subject as text (RFC 4514).
    pub subject: String,
    /// The subject in DER: what a CertificateRequest names authorities with (RFC 9846 §4.3.4).
    pub subject_der: Vec<u8>,
    /// The issuer as text.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// Until when it is valid.
    pub not_after: UnixTime,
    /// What it says that its key is to be called by (RFC 5280 §4.2.1.2), if somebody else has made it.
    pub(crate) key_identifier: Option<Vec<u8>>,
}

impl MintedCertificate {
    /// The certificate as text between BEGIN and END lines (RFC 7468 §5).
    pub fn pem(&self) -> String {
        to_pem("CERTIFICATE", &self.der)
    }

    /// The private key as PKCS#8 in DER (RFC 5958).
    pub fn key_pkcs8_der(&self) -> &[u8] {
        self.key.pkcs8_der()
    }

    /// The private key as text between BEGIN and END lines (RFC 7468 §10).
    pub fn key_pem(&self) -> String {
        to_pem("PRIVATE KEY", self.key.pkcs8_der())
    }
}

/// The text of an object between BEGIN and END lines (RFC 7468).
pub fn to_pem(label: &'static str, der: &[u8]) -> String {
    // The label is one of ours and the length fits: encoding cannot fail, and an empty text would be noticed.
    pem::encode_string(label, LineEnding::LF, der).unwrap_or_default()
}

/// Mints the certificates of a specification, for a run that takes place at `date`.
///
/// The same specification, seed and date give the same bytes.
///
/// # Errors
///
/// An [`Error`] that names the certificate and the field if the specification contradicts itself.
pub fn mint(certificates: &Certificates, seed: u64, date: UnixTime) -> Result<Minted, Error> {
    let plans = plan::plans(certificates)?;
    let mut given = BTreeMap::new();
    for (plan, text) in plans.iter().filter_map(|plan| Some((plan, plan.spec.pem.as_ref()?))) {
        given.insert(plan.name.clone(), given::read(&plan.name, text)?);
    }
    let keys = keys(&plans, &given, seed)?;
    let mut minted = given.clone();
    for plan in plans.iter().filter(|plan| plan.spec.pem.is_none()) {
        let certificate = mint_one(plan, &plans, &keys, &given, seed, date)?;
        minted.insert(plan.name.clone(), certificate);
    }
    Ok(Minted { certificates: minted })
}

fn keys(
    plans: &[Plan],
    given: &BTreeMap<String, MintedCertificate>,
    seed: u64,
) -> Result<BTreeMap<String, KeyPair>, Error> {
    let mut keys: BTreeMap<String, KeyPair> =
        given.iter().map(|(name, certificate)| (name.clone(), certificate.key.clone())).collect();
    for plan in plans.iter().filter(|plan| plan.spec.key_of.is_none() && plan.spec.pem.is_none()) {
        let broken = |why: CannotDerive| {
            Error::new(&plan.name, "key", why.to_string(), "report this: it is a fault of the bench")
        };
        let mut chosen = None;
        for candidate in KeyPair::candidates(plan.key, seed, &plan.name) {
            let candidate = candidate.map_err(broken)?;
            if keys.values().all(|key| key.spki_der() != candidate.spki_der()) {
                chosen = Some(candidate);
                break;
            }
        }
        let chosen = chosen.ok_or_else(|| {
            let problem = format!("the stock of {} keys is used up", plan.key);
            Error::new(&plan.name, "key", problem, "use another kind, or share a key with `key_of`")
        })?;
        keys.insert(plan.name.clone(), chosen);
    }
    for plan in plans {
        if let Some(shared) = plan.spec.key_of.as_ref().and_then(|other| keys.get(other)) {
            keys.insert(plan.name.clone(), shared.clone());
        }
    }
    Ok(keys)
}

fn mint_one(
    plan: &Plan,
    plans: &[Plan],
    keys: &BTreeMap<String, KeyPair>,
    given: &BTreeMap<String, MintedCertificate>,
    seed: u64,
    date: UnixTime,
) -> Result<MintedCertificate, Error> {
    let missing =
        |field| Error::new(&plan.name, field, "no such certificate", "report this: it is a fault of the bench");
    let find = |name: &str| plans.iter().find(|other| other.name == name);
    let key = keys.get(&plan.name).ok_or_else(|| missing("key_of"))?;
    let issuer_key = keys.get(&plan.issuer).ok_or_else(|| missing("issuer"))?;
    let issuer_name = plan.issuer_name_as.as_ref().unwrap_or(&plan.issuer);
    let issuer_subject = &find(issuer_name).ok_or_else(|| missing("issuer_name_as"))?.subject;
    // The octets of a certificate that somebody else has made stay as they are.
    let (issuer, issuer_name) = match given.get(issuer_name) {
        Some(given) => (given.subject.clone(), given.subject_der.clone()),
        None => (issuer_subject.to_string(), encode::name(issuer_subject)),
    };
    if given.get(&plan.issuer).is_some_and(|given| given.key_pkcs8_der().is_empty()) {
        let problem = format!("`{}` is given without its private key, and signs nothing here", plan.issuer);
        return Err(Error::new(&plan.name, "issuer", problem, "paste its key after it, or name one that is minted"));
    }
    let issuer_key_identifier = given.get(&plan.issuer).and_then(|given| given.key_identifier.clone());

    let not_before = writable(plan, "not_before", plan.not_before.resolve(date))?;
    let not_after = writable(plan, "not_after", plan.not_after.resolve(date))?;
    let signed = Signed { plan, key, issuer_key, issuer_key_identifier, issuer_name, seed, not_before, not_after };
    let scheme = scheme(issuer_key.kind(), plan.signature);
    let der = encode::certificate(&signed, scheme).map_err(|_| {
        let problem = format!("the {} key of `{}` cannot sign so", issuer_key.kind(), plan.issuer);
        Error::new(&plan.name, "signature", problem, "use sha256, or give the issuer another `key`")
    })?;
    Ok(MintedCertificate {
        der,
        key: key.clone(),
        subject: plan.subject.to_string(),
        subject_der: encode::name(&plan.subject),
        issuer,
        not_before: not_before.to_unix_time(),
        not_after: not_after.to_unix_time(),
        key_identifier: None,
    })
}

/// How an issuer with a key of this kind signs.
fn scheme(kind: KeyKind, digest: Digest) -> Scheme {
    match kind {
        KeyKind::Ed25519 => Scheme::Ed25519,
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => Scheme::Ecdsa(digest),
        _ => Scheme::RsaPkcs1(digest),
    }
}

fn writable(plan: &Plan, field: &'static str, time: UnixTime) -> Result<Date, Error> {
    // Beyond this, a year would not have four digits; compared as seconds, because years of any i64 are not computable.
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    if (FIRST..=LAST).contains(&time.seconds) {
        return Ok(Date::from_unix_time(time));
    }
    let problem = "the date lies outside of the years 1 to 9999";
    Err(Error::new(&plan.name, field, problem, "write a date that four digits of a year can tell"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_lines_of_64_characters() {
        let text = to_pem("CERTIFICATE", &[0; 100]);
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\nAAAA") && text.ends_with("-----END CERTIFICATE-----\n"));
        assert!(text.lines().all(|line| line.len() <= 64));
        let read = x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()).next().expect("a block").expect("PEM");
        assert_eq!(read.contents, [0; 100]);
    }
}
