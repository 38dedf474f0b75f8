//! A scenario whose root is somebody else's authority, or why there is no such scenario.

use blame::Error;
use clock::UnixTime;
use pki::Authority;
use pki::spec::{Certificate, Moment, Profile};
use scenario::device::Clock;
use scenario::{Date, Scenario};

use crate::bench;

/// The certificate whose place the authority takes.
const ROOT: &str = "root";

/// An hour: chains begin to be minted so long after an authority has begun.
const HOUR_S: i64 = 3_600;

/// `scenario` with `authority` in the place of its root; its other keys are those of `seed`.
///
/// A scenario that says nothing of its date is moved to one at which the authority is valid.
///
/// # Errors
///
/// The reason why it is not applicable under this authority, in a sentence.
pub fn under(authority: &Authority, scenario: &Scenario, seed: u64) -> blame::Result<Scenario> {
    if let Some(root) = scenario.pki.0.get(ROOT).filter(|root| **root != Certificate::default()) {
        return Err(Error::author(format!("the root itself is bent (`pki.root`: {})", fields(root).join(", "))));
    }
    handed_out(scenario)?;
    let intermediates = intermediates(scenario);
    if let Some(most) = authority.path_length().filter(|most| intermediates > *most) {
        return Err(Error::author(format!(
            "the chain has {intermediates} authorities below the root, and this one allows {most} (pathLenConstraint)"
        )));
    }
    let mut scenario = scenario.clone();
    scenario.date = date(authority, &scenario)?;
    scenario.pki.0.insert(ROOT.to_owned(), authority.specification());
    bench::mint(&scenario, seed).map_err(|error| Error::author(format!("nothing can be minted so: {error}")))?;
    Ok(scenario)
}

/// The fields that a scenario gives of a certificate.
fn fields(certificate: &Certificate) -> Vec<String> {
    let table = toml::Table::try_from(certificate).unwrap_or_default();
    table.keys().cloned().collect()
}

/// Refuses what would put the authority's key into other hands: a device's, a broker's, a file's.
fn handed_out(scenario: &Scenario) -> blame::Result<()> {
    let (device, broker) = (&scenario.device, &scenario.broker);
    let first = |names: &[String]| names.first().is_some_and(|name| name == ROOT);
    let is_root = |name: &Option<String>| name.as_deref() == Some(ROOT);
    if is_root(&device.key_of) || (device.key_of.is_none() && first(&device.certificates)) {
        return Err(Error::author("the device would be given the authority's private key"));
    }
    let later = broker.afterwards.as_ref().and_then(|afterwards| afterwards.certificates.as_deref());
    let shown = [broker.certificates.as_slice(), later.unwrap_or_default()];
    let mut shown = shown.into_iter().chain(broker.tenants.values().map(Vec::as_slice));
    if is_root(&broker.key_of) || (broker.key_of.is_none() && shown.any(first)) {
        return Err(Error::author("the broker would use the authority's private key as its own"));
    }
    let shares = |(_, certificate): &(&String, &Certificate)| certificate.key_of.as_deref() == Some(ROOT);
    match scenario.pki.0.iter().find(shares) {
        Some((name, _)) => Err(Error::author(format!("`pki.{name}` would carry the authority's key"))),
        None => Ok(()),
    }
}

/// How many authorities stand between the root and the leaf of the longest chain that anybody shows.
fn intermediates(scenario: &Scenario) -> u32 {
    let issuer_of = |name: &str| {
        let certificate = scenario.pki.0.get(name);
        let is_root = certificate.is_some_and(|certificate| Profile::of(name, certificate) == Profile::Root);
        match certificate.and_then(|certificate| certificate.issuer.as_deref()) {
            Some("self") => name.to_owned(),
            None if is_root => name.to_owned(),
            issuer => issuer.unwrap_or(ROOT).to_owned(),
        }
    };
    let below = |leaf: &str| {
        let (mut name, mut count) = (leaf.to_owned(), 0);
        // A chain that goes in circles has no root.
        while name != ROOT && count <= 64 {
            let issuer = issuer_of(&name);
            if issuer == name {
                return 0;
            }
            count += 1;
            name = issuer;
        }
        u32::try_from(count).unwrap_or(0).saturating_sub(1)
    };
    let shown = scenario.broker.certificates_used().map(|(_, name)| name);
    shown.chain(scenario.device.certificates.iter().map(String::as_str)).map(below).max().unwrap_or(0)
}

/// When the scenario takes place: when it says, or at a date at which the authority is valid.
fn date(authority: &Authority, scenario: &Scenario) -> blame::Result<Date> {
    let is_valid = |time: UnixTime| (authority.not_before()..=authority.not_after()).contains(&time);
    if is_valid(scenario.date()) {
        return Ok(scenario.date);
    }
    let told = clock::calendar::Date::from_unix_time(scenario.date());
    if scenario.date != Date::default() {
        return Err(Error::author(format!("it takes place on {told}, when this authority is not valid")));
    }
    let is_fixed = |moment: &Option<Moment>| matches!(moment, Some(Moment::Absolute(_)));
    let is_dated = |certificate: &Certificate| {
        certificate.pem.is_some() || is_fixed(&certificate.not_before) || is_fixed(&certificate.not_after)
    };
    if matches!(scenario.device.clock, Clock::Other(_)) || scenario.pki.0.values().any(is_dated) {
        return Err(Error::author(format!("its dates are fixed around {told}, when this authority is not valid")));
    }
    let moved = UnixTime::from_seconds(authority.not_before().seconds.saturating_add(HOUR_S));
    if is_valid(moved) { Ok(Date(moved)) } else { Err(Error::author("this authority is valid for less than an hour")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 1;
    /// 2026-11-29.
    const TODAY: UnixTime = UnixTime::from_seconds(1_795_910_400);

    /// Somebody's authority, which has begun on the day before `TODAY`.
    fn authority(fields: &str) -> Authority {
        let spec = toml::from_str(&format!("[root]\nsubject = 'CN=Their test root'\nnot_before = '-1d'\n{fields}"));
        let minted = pki::mint(&spec.expect("a specification"), 7, TODAY).expect("it can be minted");
        let root = &minted.certificates[ROOT];
        Authority::read(&root.pem(), &root.key_pem(), TODAY).expect("an authority")
    }

    fn scenario(text: &str) -> Scenario {
        let text =
            format!("title = 't'\nspecification = {{ demands = 'either', rule = 'RFC 1 §1', quote = 'q' }}\n{text}\n");
        Scenario::parse("x/y", "x.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
    }

    #[test]
    fn a_chain_is_minted_under_it_when_it_is_valid() {
        let authority = authority("");
        let changed = under(&authority, &scenario(""), SEED).expect("it applies");
        assert!(changed.date() > authority.not_before() && changed.date() < TODAY);
        let minted = pki::mint(&changed.pki, SEED, changed.date()).expect("it can be minted");
        assert_eq!(minted.certificates["leaf"].issuer, "CN=Their test root");
        // One that was valid all along moves nothing.
        let old = self::authority("not_after = '+10d'\nkey = 'rsa2048'");
        assert!(under(&old, &scenario("date = '2026-11-29T00:00:00Z'"), SEED).is_ok());
    }

    #[test]
    fn what_is_not_applicable_says_why() {
        let (ours, short) = (authority(""), authority("path_length = 0"));
        let chain = "pki.sub.ca = true\npki.leaf.issuer = 'sub'\nbroker.certificates = ['leaf', 'sub']";
        assert!(under(&ours, &scenario(chain), SEED).is_ok());
        for (authority, text, words) in [
            (&ours, "pki.root.key = 'rsa2048'", "the root itself is bent (`pki.root`: key)"),
            (&ours, "pki.root = { not_after = '-1d', path_length = 0 }", "not_after, path_length"),
            (&ours, "pki.twin = { key_of = 'root' }", "`pki.twin` would carry"),
            (&ours, "device.certificates = ['root']", "the device would be given"),
            (&ours, "broker.certificates = ['root']", "the broker would use"),
            (&ours, "broker.key_of = 'root'", "the broker would use"),
            (&ours, "pki.leaf.signature = 'md5'", "cannot sign so"),
            (&ours, "date = '2026-01-02T00:00:00Z'", "takes place on 2026-01-02"),
            (&ours, "pki.leaf.not_after = '2026-02-01T00:00:00Z'", "fixed around 2026-01-01"),
            (&ours, "device.clock = '2026-02-01T00:00:00Z'", "fixed around 2026-01-01"),
            (&short, chain, "the chain has 1 authorities below the root, and this one allows 0"),
        ] {
            let why = under(authority, &scenario(text), SEED).expect_err(text);
            assert!(why.to_string().contains(words), "{text}: {why}");
        }
        // Whoever shows the root behind the leaf shows what everybody may see.
        assert!(under(&ours, &scenario("broker.certificates = ['leaf', 'root']"), SEED).is_ok());
        // A stranger stays one.
        let stranger = "pki.stranger.profile = 'root'\npki.leaf.issuer = 'stranger'";
        assert!(under(&short, &scenario(stranger), SEED).is_ok());
    }
}
