//! From what a scenario says of a certificate to what is in it: the profile's fields where the scenario is silent.

use crate::defaults::Defaults;
use crate::error::Error;
use crate::given;
use crate::spec::{
    Certificate, Certificates, Digest, ExtendedKeyUsage, KeyKind, KeyUsage, Moment, Name, Profile, Subject,
};

/// The most certificates of one scenario: more than any chain needs.
pub const CERTIFICATES_MAX: usize = 64;

/// The latest X.509 version.
const VERSION_MAX: u8 = 3;

/// The most dNSNames that fill up a certificate.
pub const FILLER_NAMES_MAX: u16 = 10_000;

/// One certificate, all its fields decided.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    /// The certificate whose key signs this one; itself if it is self-signed.
    pub(crate) issuer: String,
    pub(crate) issuer_name_as: Option<String>,
    pub(crate) subject: Subject,
    pub(crate) names: Vec<Name>,
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
    pub(crate) key: KeyKind,
    pub(crate) signature: Digest,
    pub(crate) version: u8,
    pub(crate) ca: bool,
    pub(crate) key_usage: Vec<KeyUsage>,
    pub(crate) extended_key_usage: Vec<ExtendedKeyUsage>,
    /// What needs no default.
    pub(crate) spec: Certificate,
}

/// Checks what can be checked of a specification before anything is minted.
///
/// # Errors
///
/// What its author has to mend: a certificate that is not there, a field that contradicts another.
pub fn check(certificates: &Certificates) -> Result<(), Error> {
    plans(certificates).map(drop)
}

/// Decides all certificates, sorted by name.
pub(crate) fn plans(certificates: &Certificates) -> Result<Vec<Plan>, Error> {
    let count = certificates.names().count();
    if count > CERTIFICATES_MAX {
        let name = certificates.names().last().unwrap_or_default();
        let problem = format!("{count} certificates");
        return Err(Error::new(name, "issuer", problem, format!("a scenario has at most {CERTIFICATES_MAX}")));
    }
    let nothing = Certificate::default();
    let plans: Vec<Plan> = certificates
        .names()
        .map(|name| plan(name, certificates.0.get(name).unwrap_or(&nothing)))
        .collect::<Result<_, _>>()?;
    for plan in &plans {
        given::check_alone(&plan.name, &plan.spec)?;
        check_references(plan, &plans)?;
    }
    Ok(plans)
}

fn plan(name: &str, spec: &Certificate) -> Result<Plan, Error> {
    if name == "self" || name.is_empty() {
        return Err(Error::new(name, "issuer", "the name is taken: it means the certificate itself", "choose another"));
    }
    let key = spec.key.unwrap_or_default();
    let defaults = Defaults::of(Profile::of(name, spec), name, key);
    let version = spec.version.unwrap_or(defaults.version);
    if !(1..=VERSION_MAX).contains(&version) {
        return Err(Error::new(name, "version", format!("there is no X.509 version {version}"), "write 1, 2 or 3"));
    }
    let filler_names = spec.filler_names.unwrap_or(defaults.filler_names);
    if filler_names > FILLER_NAMES_MAX {
        let remedy = format!("write at most {FILLER_NAMES_MAX}");
        return Err(Error::new(name, "filler_names", "more names than a certificate can hold in TLS", remedy));
    }
    let fillers =
        (0..filler_names).map(|index| Name::Dns(format!("{index:05}.one-of-many-other-tenants.test.example")));
    let own_names = spec.names.clone().unwrap_or(defaults.names);
    let issuer = spec.issuer.clone().unwrap_or(defaults.issuer);
    Ok(Plan {
        name: name.to_owned(),
        issuer: if issuer == "self" { name.to_owned() } else { issuer },
        issuer_name_as: spec.issuer_name_as.clone(),
        subject: spec.subject.clone().unwrap_or(defaults.subject),
        names: fillers.chain(own_names).collect(),
        not_before: spec.not_before.unwrap_or(defaults.not_before),
        not_after: spec.not_after.unwrap_or(defaults.not_after),
        key,
        signature: spec.signature.unwrap_or(defaults.signature),
        version,
        ca: spec.ca.unwrap_or(defaults.ca),
        key_usage: spec.key_usage.clone().unwrap_or(defaults.key_usage),
        extended_key_usage: spec.extended_key_usage.clone().unwrap_or(defaults.extended_key_usage),
        spec: spec.clone(),
    })
}

fn check_references(plan: &Plan, plans: &[Plan]) -> Result<(), Error> {
    let references = [
        ("issuer", Some(&plan.issuer)),
        ("issuer_name_as", plan.issuer_name_as.as_ref()),
        ("key_of", plan.spec.key_of.as_ref()),
    ];
    for (field, target) in references {
        let Some(target) = target else { continue };
        if !plans.iter().any(|other| other.name == *target) {
            let problem = format!("there is no certificate `{target}`");
            return Err(Error::new(&plan.name, field, problem, format!("add a table `[pki.{target}]`")));
        }
    }
    if let Some(target) = &plan.spec.key_of {
        if plan.spec.key.is_some() {
            let problem = format!("the kind of key follows from `key_of = \"{target}\"`");
            return Err(Error::new(&plan.name, "key", problem, "leave out one of the two"));
        }
        if plans.iter().any(|other| other.name == *target && other.spec.key_of.is_some()) {
            let problem = format!("`{target}` has no key of its own either");
            return Err(Error::new(&plan.name, "key_of", problem, "name the certificate whose `key_of` is absent"));
        }
    }
    Ok(())
}
