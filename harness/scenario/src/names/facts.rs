//! What a scenario's content says, as the claims of names ask for it.

use std::sync::LazyLock;

use access_point::Description;
use clock::UnixTime;
use control::Act;
use network::{AddressFault, Direction, Fault, Port, Teardown};
use outcome::AlertDescription;
use pki::spec::{Certificate, KeyKind, Moment, Name, Profile};

use crate::Scenario;
use crate::broker::{
    Goodbye, OnAccept, OnClientHello, OnConnect, OnFinished, OnMissingName, OnPing, OnPublish, OnServerFlight,
    OnSubscribe, Then,
};
use crate::device::{ServerName, Version};
use crate::network::Sntp;

/// The longest way to a root that is followed: a scenario may make its authorities sign each other in a circle.
const ISSUERS_MAX: usize = 64;

static NOTHING_SAID: LazyLock<Certificate> = LazyLock::new(Certificate::default);

fn certificate<'s>(s: &'s Scenario, name: &str) -> &'s Certificate {
    s.pki.0.get(name).unwrap_or(&NOTHING_SAID)
}

/// Every certificate of the scenario, those included that it does not mention.
fn all(s: &Scenario) -> impl Iterator<Item = (&str, &Certificate)> {
    s.pki.names().map(|name| (name, certificate(s, name))).collect::<Vec<_>>().into_iter()
}

/// Whether a certificate that the scenario describes is so.
pub(super) fn some_certificate(s: &Scenario, is_so: fn(&Certificate) -> bool) -> bool {
    s.pki.0.values().any(is_so)
}

/// The name of the first certificate that the broker sends.
fn leaf(s: &Scenario) -> &str {
    s.broker.certificates.first().map_or("leaf", String::as_str)
}

/// The alternative names of the first certificate that the broker sends.
pub(super) fn leaf_names(s: &Scenario) -> Vec<Name> {
    let spec = certificate(s, leaf(s));
    spec.names.clone().unwrap_or_else(|| match Profile::of(leaf(s), spec) {
        Profile::Server => vec![Name::Dns("broker.test".into())],
        Profile::Root | Profile::Intermediate | Profile::Client => Vec::new(),
    })
}

/// Whether one of the dNSNames of the first certificate that the broker sends is so.
pub(super) fn some_dns_name(s: &Scenario, is_so: fn(&str) -> bool) -> bool {
    leaf_names(s).iter().any(|name| matches!(name, Name::Dns(name) if is_so(name)))
}

/// Whether the broker's certificate, or its absence, leaves out the name or address that the device dials.
pub(super) fn is_wrong_name(s: &Scenario) -> bool {
    let wanted = match &s.device.server_name {
        ServerName::Other(name) => name,
        ServerName::AsDialled | ServerName::None => &s.device.dials,
    };
    !leaf_names(s).iter().any(|name| match name {
        Name::Dns(name) => name.eq_ignore_ascii_case(wanted),
        Name::Ip(address) => wanted.parse() == Ok(*address),
        Name::Uri(_) | Name::Email(_) => false,
    })
}

fn issuer<'s>(s: &'s Scenario, name: &'s str) -> &'s str {
    let spec = certificate(s, name);
    match spec.issuer.as_deref() {
        Some("self") => name,
        Some(issuer) => issuer,
        None if Profile::of(name, spec) == Profile::Root => name,
        None => "root",
    }
}

/// Whether none of those that stand above the broker's certificate, nor itself, is an anchor of the device.
pub(super) fn is_unknown_ca(s: &Scenario) -> bool {
    let mut name = leaf(s);
    for _ in 0..ISSUERS_MAX {
        if s.device.trusts.iter().any(|trusted| trusted == name) {
            return false;
        }
        name = issuer(s, name);
    }
    true
}

/// Whether somebody who is no root signed for himself.
pub(super) fn is_self_signed(s: &Scenario) -> bool {
    all(s).any(|(name, spec)| Profile::of(name, spec) != Profile::Root && issuer(s, name) == name)
}

/// The kind of a certificate's key.
fn key(s: &Scenario, name: &str) -> KeyKind {
    let spec = certificate(s, name);
    let owner = spec.key_of.as_deref().map_or(spec, |owner| certificate(s, owner));
    owner.key.unwrap_or_default()
}

/// Whether the broker's or the device's certificate has a key of the kind of that name.
pub(super) fn has_key(s: &Scenario, kind: &str) -> bool {
    let shown = s.broker.certificates.iter().chain(&s.device.certificates);
    shown.into_iter().any(|name| key(s, name).name() == kind)
}

/// Whether every certificate from the broker's to its root has a key of the kind of that name.
pub(super) fn chain_has_keys(s: &Scenario, kind: &str) -> bool {
    let mut name = leaf(s);
    for _ in 0..ISSUERS_MAX {
        if key(s, name).name() != kind {
            return false;
        }
        if issuer(s, name) == name {
            return true;
        }
        name = issuer(s, name);
    }
    false
}

/// Whether `word` is the name of a kind of key.
pub(super) fn is_key_kind(word: &str) -> bool {
    use KeyKind::{BrainpoolP256r1, Ed25519, P256, P384, P521, Rsa768, Rsa1024, Rsa2048, Rsa3072, Rsa4096, Rsa8192};
    [P256, P384, P521, BrainpoolP256r1, Ed25519, Rsa768, Rsa1024, Rsa2048, Rsa3072, Rsa4096, Rsa8192]
        .iter()
        .any(|kind| kind.name() == word)
}

/// Whether some certificate begins only after `date`.
pub(super) fn some_begins_after(s: &Scenario, date: UnixTime) -> bool {
    some_moment(s, |spec| spec.not_before, |moment| moment.seconds > date.seconds)
}

/// Whether some certificate ends before `date`.
pub(super) fn some_ends_before(s: &Scenario, date: UnixTime) -> bool {
    some_moment(s, |spec| spec.not_after, |moment| moment.seconds < date.seconds)
}

/// Whether some certificate ends in that year.
pub(super) fn some_ends_in_year(s: &Scenario, year: &str) -> bool {
    some_moment(
        s,
        |spec| spec.not_after,
        |moment| clock::calendar::Date::from_unix_time(moment).year.to_string() == year,
    )
}

fn some_moment(s: &Scenario, field: impl Fn(&Certificate) -> Option<Moment>, is_so: impl Fn(UnixTime) -> bool) -> bool {
    s.pki.0.values().filter_map(field).any(|moment| is_so(moment.resolve(s.date())))
}

/// Whether device and broker can only agree on this version.
pub(super) fn leaves_only(s: &Scenario, version: Version) -> bool {
    s.broker.versions == [version] || s.device.versions == [version]
}

/// Whether device and broker have no version in common.
pub(super) fn has_no_common_version(s: &Scenario) -> bool {
    let offered = |version: &&Version| s.device.versions.is_empty() || s.device.versions.contains(version);
    s.broker.versions.iter().find(offered).is_none()
}

/// Whether all suites that the broker accepts have `part` in their names.
pub(super) fn suites_have(s: &Scenario, part: &str) -> bool {
    !s.broker.cipher_suites.is_empty() && s.broker.cipher_suites.iter().all(|suite| suite.contains(part))
}

/// Whether the device's first group is not among the broker's, and a later one is.
pub(super) fn is_retried(s: &Scenario) -> bool {
    match s.device.groups.split_first() {
        Some((first, later)) => {
            !s.broker.groups.contains(first) && later.iter().any(|group| s.broker.groups.contains(group))
        }
        None => false,
    }
}

/// Whether somebody sends FIN before his time.
pub(super) fn sends_fin(s: &Scenario) -> bool {
    let broker = &s.broker;
    broker.on_accept == Some(OnAccept::Fin)
        || matches!(broker.on_client_hello, Some(OnClientHello::Fin | OnClientHello::WarningThenFin(_)))
        || matches!(
            broker.on_server_flight,
            Some(OnServerFlight::FinAfterBytes(_) | OnServerFlight::AlertAfterRecords(..))
        )
        || broker.on_finished == Some(OnFinished::Fin)
        || broker.goodbye == Goodbye::Fin
        || [broker.on_missing_name, broker.on_unknown_name]
            .iter()
            .any(|on| matches!(on, OnMissingName::Fin | OnMissingName::WarningThenFin))
        || is_cut(s, &[Teardown::Fin, Teardown::Close])
}

/// Whether somebody sends RST.
pub(super) fn resets(s: &Scenario) -> bool {
    let broker = &s.broker;
    broker.on_accept == Some(OnAccept::Reset)
        || broker.on_client_hello == Some(OnClientHello::Reset)
        || matches!(broker.on_server_flight, Some(OnServerFlight::ResetAfterBytes(_)))
        || broker.on_finished == Some(OnFinished::Reset)
        || broker.goodbye == Goodbye::Reset
        || s.network.port == Port::Closed
        || is_cut(s, &[Teardown::Reset])
}

/// Whether somebody falls silent who should speak.
pub(super) fn falls_silent(s: &Scenario) -> bool {
    let (broker, mqtt) = (&s.broker, &s.broker.mqtt);
    broker.on_accept == Some(OnAccept::Silence)
        || broker.on_client_hello == Some(OnClientHello::Silence)
        || matches!(broker.on_server_flight, Some(OnServerFlight::SilenceAfterBytes(_)))
        || broker.on_finished == Some(OnFinished::Silence)
        || mqtt.on_connect == OnConnect::Silence
        || mqtt.then == Then::Silence
        || mqtt.on_subscribe == OnSubscribe::Silence
        || mqtt.on_publish == OnPublish::Silence
        || mqtt.on_ping == OnPing::Silence
}

/// Whether the resolver or the time server does not answer.
pub(super) fn server_is_silent(s: &Scenario) -> bool {
    let is_dhcp = |fault: &AddressFault| matches!(fault, AddressFault::DhcpSilent { .. });
    s.network.resolver == crate::network::Resolver::Silent
        || s.network.sntp == Sntp::Silent
        || s.wifi.address_faults.iter().any(is_dhcp)
        || falls_silent(s)
}

/// Whether an access point of the name that the device looks for is so.
pub(super) fn some_network(s: &Scenario, is_so: impl Fn(&Description) -> bool) -> bool {
    s.wifi.access_points().iter().any(|one| one.ssid == s.wifi.ssid && is_so(one))
}

/// How many access points have the name that the device looks for.
pub(super) fn networks_of_that_name(s: &Scenario) -> usize {
    s.wifi.access_points().iter().filter(|one| one.ssid == s.wifi.ssid).count()
}

/// Whether something goes wrong once on the air, or with an address.
pub(super) fn goes_wrong_on_air_once(s: &Scenario) -> bool {
    some_network(s, |one| one.faults.iter().any(|fault| fault.times() == Some(1)))
        || s.wifi.address_faults.iter().any(|fault| fault.times() == Some(1))
}

/// Whether packets vanish without a word.
pub(super) fn is_black_hole(s: &Scenario) -> bool {
    is_cut(s, &[Teardown::BlackHole]) || some_fault(s, |fault| matches!(fault, Fault::Outage { until: None, .. }))
}

/// Whether the network cuts a connection in one of these ways.
fn is_cut(s: &Scenario, how: &[Teardown]) -> bool {
    s.network.cuts().any(|cut| how.contains(&cut.how))
}

/// Whether something of this kind goes wrong with packets or streams, in whichever form it is written.
pub(super) fn some_fault(s: &Scenario, is_so: impl Fn(&Fault) -> bool) -> bool {
    s.network.faults(s.device.port).iter().any(|one| is_so(&one.fault))
}

/// Whether so many packets in a hundred are lost, in both directions.
pub(super) fn loses_percent(s: &Scenario, percent: &str) -> bool {
    [Direction::FromDevice, Direction::ToDevice].iter().all(|way| {
        some_fault(s, |fault| {
            matches!(fault, Fault::Lose { direction, per_mille } if direction == way && u64::from(*per_mille) == 10 * number(percent))
        })
    })
}

/// Whether the broker sends the alert of that name.
pub(super) fn sends_alert(s: &Scenario, name: &str) -> bool {
    let sent = match (&s.broker.on_client_hello, &s.broker.on_finished) {
        (
            Some(
                OnClientHello::Alert(alert)
                | OnClientHello::SplitAlert(alert)
                | OnClientHello::Warning(alert)
                | OnClientHello::WarningThenFin(alert),
            ),
            _,
        )
        | (_, Some(OnFinished::Alert(alert))) => Some(alert.0),
        _ => None,
    };
    let sent = match s.broker.on_server_flight {
        Some(OnServerFlight::AlertAfterRecords(_, alert)) => Some(alert.0),
        _ => sent,
    };
    let by_name = [s.broker.on_missing_name, s.broker.on_unknown_name].contains(&OnMissingName::Alert);
    sent.is_some() && sent == AlertDescription::from_name(name) || by_name && name == "unrecognized_name"
}

/// Whether the broker sends a warning.
pub(super) fn warns(s: &Scenario) -> bool {
    use OnClientHello::{Warning, WarningFlood, WarningThenFin};
    matches!(s.broker.on_client_hello, Some(Warning(_) | WarningThenFin(_) | WarningFlood(_)))
        || [s.broker.on_missing_name, s.broker.on_unknown_name]
            .iter()
            .any(|on| matches!(on, OnMissingName::Warning | OnMissingName::WarningThenFin))
}

/// Whether the broker sends close_notify where a handshake should be.
pub(super) fn closes_tls(s: &Scenario) -> bool {
    s.broker.on_client_hello == Some(OnClientHello::CloseNotify)
        || s.broker.on_finished == Some(OnFinished::CloseNotify)
}

/// Whether the broker, or the network, holds the broker's answer back for so many seconds.
pub(super) fn is_delayed_by(s: &Scenario, seconds: &str) -> bool {
    let ms = seconds.parse::<u32>().ok().and_then(|seconds| seconds.checked_mul(1_000));
    let held = match s.broker.on_client_hello {
        Some(OnClientHello::DelayMs(ms)) => Some(ms),
        _ => None,
    };
    let is_held = |fault: &Fault| matches!(fault, Fault::Stall { after_bytes: 0, pause } if ms.map(u128::from) == Some(pause.as_millis()));
    ms.is_some() && ms == held || some_fault(s, is_held)
}

/// Whether the broker answers CONNECT with this return code.
pub(super) fn answers_with_code(s: &Scenario, code: &str) -> bool {
    let refused_by_name = [s.broker.on_missing_name, s.broker.on_unknown_name].contains(&OnMissingName::LoginRefused);
    match s.broker.mqtt.on_connect {
        OnConnect::Code(sent) => sent.to_string() == code,
        _ => refused_by_name && code == "5",
    }
}

/// Whether messages of this quality of service pass.
pub(super) fn has_quality(s: &Scenario, quality: &str) -> bool {
    let acts = s.device.plan.mqtt.acts.iter().filter_map(|act| match act {
        Act::Subscribe { qos, .. } | Act::Publish { qos, .. } => Some(*qos),
        Act::Await { .. } | Act::Idle { .. } => None,
    });
    acts.chain(s.broker.mqtt.publish.iter().map(|message| message.qos)).any(|qos| qos.to_string() == quality)
}

/// Whether the broker publishes a message whose payload has so many bytes.
pub(super) fn publishes_bytes(s: &Scenario, bytes: u64) -> bool {
    s.broker.mqtt.publish.iter().any(|message| message.payload_bytes.map(u64::from) == Some(bytes))
}

/// Whether `word` is a number.
pub(super) fn is_number(word: &str) -> bool {
    word.len() <= 9 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that `word` is; none is larger than nine digits.
pub(super) fn number(word: &str) -> u64 {
    word.parse().unwrap_or(u64::MAX)
}
