//! What a fault needs and a device does not offer.

use outcome::Demand;
use scenario::broker::Broker;
use scenario::{Needs, Scenario};
use wire::tls::{CipherSuite, ClientHello, Extension, NamedGroup, ProtocolVersion, SignatureScheme};

/// What the fault of `scenario` needs, as a phrase, if nothing of it is in `hello`; `None` if something is, if the fault
/// needs nothing, or if there was no hello.
pub fn not_offered(scenario: &Scenario, hello: Option<&ClientHello>) -> Option<String> {
    let mark = scenario.fault.as_ref()?;
    let hello = hello?;
    match mark.needs {
        Some(needs) => missing(needs, &scenario.broker, hello),
        None if is_about_negotiation(scenario) => {
            Needs::ALL.into_iter().find_map(|needs| missing(needs, &scenario.broker, hello))
        }
        None => None,
    }
}

/// What the broker has on the list that `needs` names, as a phrase, if it has something there and nothing of it is offered.
pub(crate) fn missing(needs: Needs, broker: &Broker, hello: &ClientHello) -> Option<String> {
    let wanted = wanted(needs, broker);
    let is_offered = wanted.iter().any(|(_, number)| offers(needs, hello, *number));
    let names: Vec<String> = wanted.into_iter().map(|(name, _)| name).collect();
    (!names.is_empty() && !is_offered).then(|| names.join(" or "))
}

/// Whether what the broker takes in a handshake is all that has to be refused: the fault lies in the lists themselves, and
/// needs what stands there, whether or not its author says so.
fn is_about_negotiation(scenario: &Scenario) -> bool {
    let (broker, good) = (&scenario.broker, Broker::default());
    let otherwise_good = Broker {
        versions: good.versions.clone(),
        cipher_suites: Vec::new(),
        groups: Vec::new(),
        signature_schemes: Vec::new(),
        engine: good.engine,
        dh_bits: good.dh_bits,
        security_level: good.security_level,
        ..broker.clone()
    };
    // A suite needs the kind of key that goes with it.
    let has_a_key_alone = |name: &String| {
        scenario.pki.0.get(name).is_none_or(|certificate| {
            let mut without_key = certificate.clone();
            without_key.key = None;
            is_default(&without_key)
        })
    };
    scenario.specification.demands == Demand::Refuse
        && otherwise_good == good
        && scenario.pki.0.keys().all(has_a_key_alone)
        && is_default(&scenario.network)
        && is_default(&scenario.device)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What would do, with its number on the wire. A name that nobody knows has none, and cannot be offered.
pub(crate) fn wanted(needs: Needs, broker: &Broker) -> Vec<(String, Option<u16>)> {
    let named = |names: &[String], find: &dyn Fn(&str) -> Option<u16>| {
        names.iter().map(|name| (name.clone(), find(name))).collect()
    };
    let registered = |list: &[(u16, &str)], name: &str| {
        list.iter().find(|(_, registered)| *registered == name).map(|(number, _)| *number)
    };
    match needs {
        Needs::Versions => {
            let versions = broker.versions.iter().map(|version| ProtocolVersion(version.number()));
            versions.map(|version| (format!("TLS {version}"), Some(version.0))).collect()
        }
        Needs::CipherSuites => named(&broker.cipher_suites, &|name| CipherSuite::from_name(name).map(|suite| suite.0)),
        Needs::Groups => named(&broker.groups, &|name| registered(NamedGroup::REGISTERED, name)),
        Needs::SignatureSchemes => {
            named(&broker.signature_schemes, &|name| registered(SignatureScheme::REGISTERED, name))
        }
    }
}

/// Whether the hello offers what has that number on the list that `needs` names.
pub(crate) fn offers(needs: Needs, hello: &ClientHello, wanted: Option<u16>) -> bool {
    let Some(wanted) = wanted else { return false };
    match needs {
        Needs::Versions if lists_versions(hello) => hello.versions().contains(&ProtocolVersion(wanted)),
        // Up to TLS 1.2, whoever offers a version takes every earlier one that the server chooses (RFC 5246 §E.1).
        Needs::Versions => wanted <= hello.version.0,
        Needs::CipherSuites => hello.cipher_suites.contains(&CipherSuite(wanted)),
        // Who names no group takes any (RFC 8422 §4).
        Needs::Groups => hello.groups().is_empty() || hello.groups().contains(&NamedGroup(wanted)),
        // Who names no scheme takes SHA-1 (RFC 5246 §7.4.1.4.1).
        Needs::SignatureSchemes if hello.signature_schemes().is_empty() => SHA_1.contains(&wanted),
        Needs::SignatureSchemes => hello.signature_schemes().contains(&SignatureScheme(wanted)),
    }
}

/// rsa_pkcs1_sha1 and ecdsa_sha1 (RFC 9846 §4.3.3).
const SHA_1: [u16; 2] = [0x0201, 0x0203];

fn lists_versions(hello: &ClientHello) -> bool {
    hello.find(|extension| matches!(extension, Extension::SupportedVersions(_)).then_some(())).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(needs: &str, broker: &str) -> Scenario {
        let text = format!(
            "title = 'x'\n[specification]\ndemands = 'refuse'\nrule = 'RFC 9325 §4.1'\nquote = 'x'\n[fault]\n\
             who = 'broker'\nsaid = 'ServerHello'\nneeds = '{needs}'\n[broker]\nengine = 'openssl'\n{broker}\n"
        );
        Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn hello(extensions: Vec<Extension>) -> ClientHello {
        ClientHello {
            version: ProtocolVersion::TLS_1_2,
            session_id_bytes: 0,
            // TLS_RSA_WITH_AES_128_CBC_SHA
            cipher_suites: vec![CipherSuite(0x002f)],
            extension_types: None,
            extensions,
            malformed: Vec::new(),
            is_cut: false,
        }
    }

    #[test]
    fn what_is_not_in_the_hello_is_not_offered() {
        let versions = |list: &[u16]| Extension::SupportedVersions(list.iter().copied().map(ProtocolVersion).collect());
        let schemes =
            |list: &[u16]| Extension::SignatureAlgorithms(list.iter().copied().map(SignatureScheme).collect());
        let groups = |list: &[u16]| Extension::SupportedGroups(list.iter().copied().map(NamedGroup).collect());
        let old = "versions = ['1.0', '1.1']";
        let suites = "versions = ['1.2']\ncipher_suites = ['TLS_RSA_WITH_NULL_SHA256', 'TLS_RSA_WITH_AES_128_CBC_SHA']";
        let null = "versions = ['1.2']\ncipher_suites = ['TLS_RSA_WITH_NULL_SHA256']";
        let sha1 = "versions = ['1.2']\nsignature_schemes = ['rsa_pkcs1_sha1']";
        let group = "versions = ['1.2']\ngroups = ['secp256r1']";
        for (needs, broker, extensions, expected) in [
            // A hello of TLS 1.2 takes what is older; a list of versions means what it says.
            ("versions", old, vec![], None),
            ("versions", old, vec![versions(&[0x0304, 0x0303])], Some("TLS 1.0 or TLS 1.1")),
            ("versions", old, vec![versions(&[0x0303, 0x0302])], None),
            ("versions", "versions = ['1.3']", vec![], Some("TLS 1.3")),
            ("cipher_suites", null, vec![], Some("TLS_RSA_WITH_NULL_SHA256")),
            ("cipher_suites", suites, vec![], None),
            ("signature_schemes", sha1, vec![], None),
            ("signature_schemes", sha1, vec![schemes(&[0x0401])], Some("rsa_pkcs1_sha1")),
            ("signature_schemes", sha1, vec![schemes(&[0x0401, 0x0201])], None),
            ("groups", group, vec![], None),
            ("groups", group, vec![groups(&[29])], Some("secp256r1")),
            ("groups", group, vec![groups(&[29, 23])], None),
        ] {
            let told = not_offered(&scenario(needs, broker), Some(&hello(extensions.clone())));
            assert_eq!(told.as_deref(), expected, "{needs} of {broker} by {extensions:?}");
            assert_eq!(not_offered(&scenario(needs, broker), None), None);
        }
    }

    /// Authors forget `needs`: where the lists are all that is wrong, the fault needs what is on them.
    #[test]
    fn a_scenario_about_nothing_but_the_handshake_needs_what_its_broker_takes() {
        let told = |demands: &str, rest: &str| {
            let text = format!(
                "title = 'x'\n[specification]\ndemands = '{demands}'\nrule = 'RFC 9325 §4.1'\nquote = 'x'\n[fault]\n\
                 who = 'broker'\nsaid = 'ServerHello'\n[broker]\nengine = 'openssl'\n{rest}\n"
            );
            let scenario = Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"));
            let versions = vec![ProtocolVersion(0x0304), ProtocolVersion(0x0303)];
            not_offered(&scenario, Some(&hello(vec![Extension::SupportedVersions(versions)])))
        };
        let old = "versions = ['1.0']";
        let null = "versions = ['1.2']\ncipher_suites = ['TLS_RSA_WITH_NULL_SHA256']";
        assert_eq!(told("refuse", old).as_deref(), Some("TLS 1.0"));
        assert_eq!(told("refuse", null).as_deref(), Some("TLS_RSA_WITH_NULL_SHA256"));
        assert_eq!(
            told("refuse", &format!("{null}\n[pki.leaf]\nkey = 'rsa2048'")).as_deref(),
            Some("TLS_RSA_WITH_NULL_SHA256")
        );
        // Whatever else of the handshake is chosen, the fault lies there.
        for rest in
            ["groups = ['secp256r1']", "signature_schemes = ['rsa_pkcs1_sha1']", "dh_bits = 1024", "security_level = 1"]
        {
            assert_eq!(told("refuse", &format!("{old}\n{rest}")).as_deref(), Some("TLS 1.0"), "{rest}");
        }
        for rest in [
            "[pki.leaf]\nnot_after = '2025-12-31T00:00:00Z'",
            "[pki.leaf]\nkey = 'rsa2048'\nnames = []",
            "[device]\ntrusts = []",
            "[network]\nloss_percent = 1",
            "session_tickets = 1",
        ] {
            assert_eq!(told("refuse", &format!("{old}\n{rest}")), None, "{rest}: the fault lies there");
        }
        assert_eq!(told("fail", old), None, "nothing is to be refused");
        assert_eq!(told("refuse", "versions = ['1.2']"), None, "it is offered");
    }
}
