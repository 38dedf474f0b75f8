//! A twin of a broker: a scripted one with the same versions, suites, groups and demands, and a chain of the same shape under an
//! authority of the bench. What is changed about it shows what a change would do to the broker itself.

use std::fmt::{self, Write as _};

use clock::UnixTime;
use pki::spec::Digest;
use scenario::Scenario;
use scenario::broker::Engine;

use explain::chain::{self, Certificate, Unreadable};

use super::change::Change;
use super::probe::{Broker, ClientCertificate};
use super::setup::Setup;

/// The leaf of a twin.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its names, as the grammar writes them.
    pub names: Vec<String>,
    /// Its common name.
    pub common_name: String,
    /// Its key, as the grammar writes it.
    pub key: &'static str,
    /// From when until when it is valid; absent: now.
    pub dates: Option<(String, String)>,
    /// Whether it is for servers, where it says so.
    pub is_for_servers: bool,
    /// Its version.
    pub version: u32,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            common_name: String::new(),
            key: "p256",
            dates: None,
            is_for_servers: true,
            version: 3,
        }
    }
}

/// A twin.
#[derive(Clone, Debug)]
pub struct Twin {
    /// Its own certificate.
    pub leaf: Leaf,
    /// The keys of its intermediates, the leaf's issuer first.
    pub intermediates: Vec<&'static str>,
    /// The key of its root.
    pub root: &'static str,
    /// The digests of the leaf and of the intermediates.
    pub digests: Vec<&'static str>,
    /// Whether it sends all intermediates in order, and nothing else.
    pub sends_whole_chain: bool,
    /// What it sends otherwise.
    sent: Vec<String>,
    /// Its versions.
    pub versions: Vec<String>,
    /// Its suites; empty: all.
    pub suites: Vec<String>,
    /// Its groups; empty: all.
    pub groups: Vec<String>,
    /// Whether it wants a certificate.
    pub demands_certificate: bool,
    /// The key of the devices' own certificate, if they show one.
    client: Option<&'static str>,
}

/// Why a broker has no twin here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTwin {
    /// Its certificate was not seen.
    NoCertificate,
    /// A key of this kind is in its chain, or in the devices' own certificate.
    Key(String),
    /// The devices' own certificate cannot be read.
    OwnCertificate(Unreadable),
}

impl fmt::Display for NoTwin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("the bench was shown no certificate"),
            Self::Key(key) => write!(f, "{key} cannot be made here"),
            Self::OwnCertificate(why) => why.fmt(f),
        }
    }
}

impl Twin {
    /// The twin of a broker that was asked.
    ///
    /// # Errors
    ///
    /// What about it cannot be made again.
    pub fn of(
        setup: &Setup,
        broker: &Broker,
        chain: &[Certificate],
        authorities: &[Certificate],
    ) -> Result<Self, NoTwin> {
        let (leaf, above) = chain.split_first().ok_or(NoTwin::NoCertificate)?;
        let kind = |certificate: &Certificate| {
            certificate.kind.map(pki::spec::KeyKind::name).ok_or_else(|| NoTwin::Key(certificate.key.clone()))
        };
        // Which authorities the broker trusts cannot be seen: the twin trusts whoever has signed the devices' own certificate. If
        // the broker does not, stacks fare otherwise with the twin, and nothing is said of them.
        let is_asked = broker.client_certificate != ClientCertificate::NotAsked;
        let own = setup.own.as_ref().filter(|_| is_asked).and_then(|own| own.chain.first());
        let client = own.map(|der| kind(&Certificate::read(der).map_err(NoTwin::OwnCertificate)?)).transpose()?;
        let digest = |certificate: &Certificate| match certificate.digest {
            Some(Digest::Md5) => "md5",
            Some(Digest::Sha1) => "sha1",
            Some(Digest::Sha384) => "sha384",
            Some(Digest::Sha512) => "sha512",
            Some(Digest::Sha256) | None => "sha256",
        };
        // In the order of issuing, whatever the order of sending.
        let (mut intermediates, mut digests, mut order) = (Vec::new(), vec![digest(leaf)], vec![0; chain.len()]);
        let mut child = leaf;
        while let Some(index) =
            above.iter().position(|next| next.raw_names.1 == child.raw_names.0 && !next.is_self_issued)
        {
            if order[index + 1] != 0 {
                break;
            }
            child = &above[index];
            intermediates.push(kind(child)?);
            digests.push(digest(child));
            order[index + 1] = intermediates.len();
        }
        let root = authorities.iter().find(|root| root.raw_names.1 == child.raw_names.0);
        let sent = chain.iter().enumerate().map(|(index, certificate)| match (index, order[index]) {
            (0, _) => "leaf".to_owned(),
            (_, 0) if certificate.is_self_issued => "root".to_owned(),
            (_, 0) => "stranger".to_owned(),
            (_, place) => format!("sub{place}"),
        });
        let sent = sent.collect();
        if root.is_none() {
            // An intermediate that is not sent is the twin's too.
            intermediates.push("p256");
            digests.push("sha256");
        }
        Ok(Self {
            leaf: Leaf {
                names: leaf.names.clone(),
                common_name: leaf.common_name.clone().unwrap_or_default(),
                key: kind(leaf)?,
                dates: Some((chain::day(leaf.not_before), chain::day(leaf.not_after))),
                is_for_servers: leaf.is_for_servers != Some(false),
                version: leaf.version,
            },
            root: root.map_or(Ok("p256"), kind)?,
            intermediates,
            digests,
            sends_whole_chain: false,
            sent,
            versions: broker.versions.clone(),
            suites: known(broker.suites.iter().chain(&broker.suites_of_tls_1_3), Engine::Openssl.cipher_suites()),
            groups: known(broker.groups.iter(), Engine::Openssl.groups()),
            demands_certificate: client.is_some() || broker.client_certificate == ClientCertificate::Demanded,
            client,
        })
    }

    /// Speaks one version more.
    pub fn speak(&mut self, version: &str) {
        self.versions.push(version.to_owned());
        // A broker that spoke none of these versions has no suites for them.
        if !self.suites.is_empty() && !self.suites.iter().any(|suite| suite.contains("_WITH_")) {
            self.accept(&["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
        }
    }

    /// Accepts these suites too.
    pub fn accept(&mut self, suites: &[&str]) {
        for suite in suites {
            if !self.suites.iter().any(|known| known == suite) {
                self.suites.push((*suite).to_owned());
            }
        }
    }

    /// The twin after these changes.
    #[must_use]
    pub fn after(&self, changes: &[Change], dialled: &str) -> Self {
        let mut twin = self.clone();
        changes.iter().for_each(|change| change.apply(&mut twin, dialled));
        twin
    }

    /// The scenario in which the devices of `setup` meet it.
    ///
    /// # Errors
    ///
    /// If the grammar refuses it.
    pub fn scenario(&self, setup: &Setup, today: UnixTime) -> blame::Result<Scenario> {
        let mut scenario = Scenario::parse("identity/given", "twin", &self.text()).map_err(blame::Error::bench)?;
        let given = setup.scenario(&super::verifier::Expected::Undecided(String::new()), today)?;
        scenario.date = given.date;
        scenario.network = given.network;
        scenario.device = given.device;
        scenario.device.trusts = vec!["root".into()];
        scenario.device.certificates = self.client.iter().map(|_| "client".to_owned()).collect();
        // Its passwords are its own business.
        scenario.device.plan.mqtt.user_name = None;
        scenario.device.plan.mqtt.password = None;
        Ok(scenario)
    }

    fn text(&self) -> String {
        let quoted = |items: &[String]| toml::Value::from(items.to_vec()).to_string();
        let mut text = String::from(
            "title = \"A twin of the broker\"\nspecification = { demands = \"either\", rule = \"RFC 9525 §6\", quote = \"x\" }\n",
        );
        let _ = writeln!(text, "[pki.root]\nkey = \"{}\"\n[pki.stranger]\nprofile = \"root\"", self.root);
        for (index, key) in self.intermediates.iter().enumerate() {
            let issuer =
                if index + 1 == self.intermediates.len() { "root".to_owned() } else { format!("sub{}", index + 2) };
            let digest = self.digests.get(index + 1).copied().unwrap_or("sha256");
            let _ = writeln!(
                text,
                "[pki.sub{}]\nca = true\nkey = \"{key}\"\nissuer = \"{issuer}\"\nsignature = \"{digest}\"",
                index + 1
            );
        }
        if let Some(key) = self.client {
            let _ = writeln!(text, "[pki.client]\nkey = \"{key}\"\nissuer = \"root\"");
        }
        let issuer = if self.intermediates.is_empty() { "root" } else { "sub1" };
        let leaf = &self.leaf;
        let _ = writeln!(
            text,
            "[pki.leaf]\nissuer = \"{issuer}\"\nkey = \"{}\"\nsubject = {}\nversion = {}",
            leaf.key,
            toml::Value::from(if leaf.common_name.is_empty() {
                String::new()
            } else {
                format!("CN={}", leaf.common_name.replace(',', "\\,"))
            }),
            leaf.version
        );
        let _ = writeln!(text, "signature = \"{}\"", self.digests.first().copied().unwrap_or("sha256"));
        if leaf.version == 3 {
            let _ = writeln!(text, "names = {}", quoted(&leaf.names));
            if !leaf.is_for_servers {
                text.push_str("extended_key_usage = [\"client_auth\"]\n");
            }
        }
        if let Some((from, until)) = &leaf.dates {
            let _ = writeln!(text, "not_before = \"{from}\"\nnot_after = \"{until}\"");
        }
        let whole: Vec<String> = std::iter::once("leaf".to_owned())
            .chain((1..=self.intermediates.len()).map(|index| format!("sub{index}")))
            .collect();
        let sent = if self.sends_whole_chain { &whole } else { &self.sent };
        let _ = writeln!(
            text,
            "[broker]\nengine = \"openssl\"\nversions = {}\ncipher_suites = {}\ngroups = {}\ncertificates = {}",
            quoted(&self.versions),
            quoted(&self.suites),
            quoted(&self.groups),
            quoted(sent)
        );
        if self.demands_certificate {
            text.push_str("client_certificates = { request = \"required\", trusts = [\"root\"] }\n");
        }
        text
    }
}

fn known<'a>(names: impl Iterator<Item = &'a String>, known: &[&str]) -> Vec<String> {
    names.filter(|name| known.contains(&name.as_str())).cloned().collect()
}
