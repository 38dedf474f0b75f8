//! What a broker is, by asking it: a bounded number of connections of the bench's own, one after the other with a pause
//! between them. Each asks one thing; what is listed in order of preference is found by offering less and less.

pub mod answer;
pub mod hello;
pub mod login;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use wire::tls::{CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

use super::setup::Setup;
use crate::lan::recorder::Recorder;
use answer::{Answer, Refusal, ask};
use hello::Offer;
use login::{Client, Shown};

/// A name that no broker has (RFC 2606 §2).
const FOREIGN_NAME: &str = "shakedown.invalid";
/// So many suites of TLS 1.2 and below are asked for.
const SUITES_MAX: usize = 24;
/// So many groups, and so many schemes.
const OTHERS_MAX: usize = 8;
/// The fragments that are asked for, in bytes: as small devices do.
const FRAGMENT_BYTES: usize = 1_024;
/// How RFC 6066 §4 codes that.
const FRAGMENT_CODE: u8 = 2;

/// The questions, with the connections that each takes at most.
pub const QUESTIONS: [(&str, usize); 8] = [
    ("a login as the devices have it, twice: its chain, resumption, ALPN, CONNACK", 2),
    ("versions: TLS 1.0 to 1.3, one at a time", 4),
    ("suites of TLS 1.2 and below, in the order of its preference", SUITES_MAX + 1),
    ("suites of TLS 1.3", hello::SUITES_OF_TLS_1_3.len()),
    ("groups", OTHERS_MAX),
    ("signature schemes", OTHERS_MAX),
    ("without a server name, and with a foreign one", 2),
    ("max_fragment_length", 1),
];

/// How many connections are made at most.
pub fn connections_max() -> usize {
    QUESTIONS.iter().map(|(_, connections)| connections).sum()
}

/// What a broker is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Broker {
    /// The connections that were made to find out.
    pub connections: usize,
    /// The versions that it speaks.
    pub versions: Vec<String>,
    /// How it refuses the others.
    pub other_versions: Vec<(String, String)>,
    /// Suites of TLS 1.2 and below, in the order in which it chooses.
    pub suites: Vec<String>,
    /// There are more, which were not asked for.
    pub has_more_suites: bool,
    /// Whether the order is the broker's own; `None` if it cannot be told.
    pub prefers_its_own_order: Option<bool>,
    /// Suites of TLS 1.3, in the order in which it chooses.
    pub suites_of_tls_1_3: Vec<String>,
    /// Groups, in the order in which it chooses.
    pub groups: Vec<String>,
    /// The field of its DHE, in bits, if it has one.
    pub dhe_bits: Option<usize>,
    /// The schemes with which it signs, in the order in which it chooses.
    pub schemes: Vec<String>,
    /// Its chain, DER, leaf first.
    #[serde(skip)]
    pub chain: Vec<Vec<u8>>,
    /// Another chain, which it shows to clients that take the other kind of key.
    #[serde(skip)]
    pub other_chain: Vec<Vec<u8>>,
    /// What it does without a server name.
    pub without_name: String,
    /// What it does with a name that is not its own.
    pub with_foreign_name: String,
    /// Whether it asks clients for a certificate, and whether it takes none for an answer.
    pub client_certificate: ClientCertificate,
    /// Whether it chooses `mqtt` by ALPN.
    pub alpn: bool,
    /// Tickets that it sends in TLS 1.3.
    pub tickets: u32,
    /// Whether it resumes sessions.
    pub resumes: Option<bool>,
    /// Whether it agrees to a max_fragment_length of 1024 bytes.
    pub agrees_to_fragments: Option<bool>,
    /// Bytes of the largest record in its first flight; with that agreement.
    pub record_bytes: (usize, usize),
    /// Whether it staples an OCSP response.
    pub staples: bool,
    /// The version and the suite of the login.
    pub login_in: Option<String>,
    /// What came of the login: CONNACK, or why there was none.
    pub login: String,
    /// The code of its CONNACK, if one came.
    #[serde(skip)]
    pub connack: Option<u8>,
    /// How it refuses a hello with which it cannot agree.
    pub refuses_by: Vec<String>,
    /// Whether it shows a chain to whom offers TLS 1.3 alone: then only a login tells of it.
    #[serde(skip)]
    pub has_old_versions: bool,
}

/// Whether a broker asks for certificates of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificate {
    /// It does not.
    #[default]
    NotAsked,
    /// It asks, and lets who has none pass, or has been shown one.
    Asked,
    /// It asks, and breaks off where there is none.
    Demanded,
}

/// Asks the broker of `setup`; pauses between connections. `heard` is told of each question before it is asked.
///
/// # Errors
///
/// If the devices' own key cannot be used.
pub fn ask_all(
    setup: &Setup,
    pause: Duration,
    recorder: &mut Recorder,
    heard: &mut dyn FnMut(&str),
) -> blame::Result<(Broker, String)> {
    let client = Client::new(setup)?;
    let mut asker = Asker { setup, pause, recorder, broker: Broker::default(), refusals: BTreeSet::new() };
    heard(QUESTIONS[0].0);
    asker.log_in(&client);
    heard(QUESTIONS[1].0);
    let highest = asker.versions();
    if let Some(version) = highest {
        heard(QUESTIONS[2].0);
        asker.suites(version);
    }
    if asker.speaks(ProtocolVersion::TLS_1_3) {
        heard(QUESTIONS[3].0);
        asker.suites_of_tls_1_3();
    }
    heard(QUESTIONS[4].0);
    asker.groups(highest);
    heard(QUESTIONS[5].0);
    asker.schemes();
    heard(QUESTIONS[6].0);
    asker.names(highest);
    heard(QUESTIONS[7].0);
    asker.fragments(highest);
    asker.broker.refuses_by = asker.refusals.into_iter().collect();
    Ok((asker.broker, client.take_key_log()))
}

struct Asker<'a> {
    setup: &'a Setup,
    pause: Duration,
    recorder: &'a mut Recorder,
    broker: Broker,
    refusals: BTreeSet<String>,
}

impl Asker<'_> {
    fn next(&mut self) {
        if self.broker.connections > 0 {
            thread::sleep(self.pause);
        }
        self.broker.connections += 1;
    }

    fn ask(&mut self, offer: &Offer) -> Answer {
        self.next();
        let answer = ask(&self.setup.broker, offer, self.recorder);
        if let Some(refusal) = answer.refusal {
            self.refusals.insert(refusal.to_string());
        }
        self.see(&answer.chain);
        answer
    }

    fn see(&mut self, chain: &[Vec<u8>]) {
        let broker = &mut self.broker;
        if chain.is_empty() {
            return;
        }
        if broker.chain.is_empty() {
            broker.chain = chain.to_vec();
        } else if broker.chain.first() != chain.first() && broker.other_chain.is_empty() {
            broker.other_chain = chain.to_vec();
        }
    }

    fn server_name(&self) -> Option<String> {
        let name = self.setup.checked_name();
        // RFC 6066 §3: no address is a server name.
        name.parse::<std::net::IpAddr>().is_err().then(|| name.to_owned())
    }

    fn everything(&self, versions: &[ProtocolVersion]) -> Offer {
        Offer::everything(versions, self.server_name().as_deref())
    }

    fn speaks(&self, version: ProtocolVersion) -> bool {
        self.broker.versions.contains(&version.to_string())
    }

    fn log_in(&mut self, client: &Client) {
        self.next();
        let first = client.log_in(self.setup, self.recorder);
        self.tell_login(&first);
        // Whoever was not let in has no session to resume.
        if first.version.is_some() && first.failure.is_none() {
            self.next();
            self.broker.resumes = Some(client.log_in(self.setup, self.recorder).resumed);
        }
    }

    fn tell_login(&mut self, shown: &Shown) {
        self.see(&shown.chain);
        let broker = &mut self.broker;
        broker.client_certificate = match (shown.asks_for_certificate, &shown.failure, &self.setup.own) {
            (false, ..) => ClientCertificate::NotAsked,
            (true, Some(_), None) if shown.connack.is_none() => ClientCertificate::Demanded,
            (true, ..) => ClientCertificate::Asked,
        };
        broker.alpn = shown.alpn;
        broker.tickets = shown.tickets;
        broker.staples = shown.staples;
        broker.schemes = shown.scheme.map(|scheme| SignatureScheme(scheme).to_string()).into_iter().collect();
        broker.login_in = shown
            .version
            .zip(shown.suite)
            .map(|(version, suite)| format!("TLS {}, {}", ProtocolVersion(version), CipherSuite(suite)));
        broker.connack = shown.connack;
        broker.login = match (shown.connack, &shown.failure) {
            (Some(0), _) => "accepted (CONNACK 0)".into(),
            (Some(code), _) => format!("refused by CONNACK {}", wire::mqtt::ConnectCode(code)),
            (None, Some(why)) => format!("not reached: {why}"),
            (None, None) => "not reached".into(),
        };
    }

    /// Asks for each version alone; the highest below TLS 1.3 that it speaks.
    fn versions(&mut self) -> Option<ProtocolVersion> {
        let all =
            [ProtocolVersion::TLS_1_3, ProtocolVersion::TLS_1_2, ProtocolVersion::TLS_1_1, ProtocolVersion::TLS_1_0];
        let mut highest = None;
        for version in all {
            let answer = self.ask(&self.everything(&[version]));
            match (&answer.hello, answer.refusal) {
                (Some(hello), _) if hello.version == version => {
                    self.broker.versions.push(version.to_string());
                    if version < ProtocolVersion::TLS_1_3 {
                        highest = highest.or(Some(version));
                        self.broker.record_bytes.0 = self.broker.record_bytes.0.max(answer.record_bytes);
                        self.broker.has_old_versions = true;
                    }
                }
                (Some(hello), _) => {
                    self.broker.other_versions.push((version.to_string(), format!("answers {}", hello.version)))
                }
                (None, Some(refusal)) => self.broker.other_versions.push((version.to_string(), refusal.to_string())),
                (None, None) => self.broker.other_versions.push((version.to_string(), Refusal::Silence.to_string())),
            }
        }
        highest
    }

    fn suites(&mut self, version: ProtocolVersion) {
        let mut offer = self.everything(&[version]);
        let chosen = self.eliminate(
            &mut offer,
            SUITES_MAX,
            |offer| &mut offer.suites,
            |answer| answer.hello.as_ref().map(|hello| hello.cipher_suite.0),
        );
        self.broker.has_more_suites = chosen.len() == SUITES_MAX;
        if let [first, second, ..] = chosen[..] {
            let mut reversed = self.everything(&[version]);
            reversed.suites = vec![second, first];
            let again = self.ask(&reversed).hello.map(|hello| hello.cipher_suite.0);
            self.broker.prefers_its_own_order = again.map(|again| again == first);
        }
        self.broker.suites = chosen.iter().map(|suite| CipherSuite(*suite).to_string()).collect();
    }

    fn suites_of_tls_1_3(&mut self) {
        let mut offer = self.everything(&[ProtocolVersion::TLS_1_3]);
        let most = hello::SUITES_OF_TLS_1_3.len();
        let chosen = self.eliminate(
            &mut offer,
            most,
            |offer| &mut offer.suites,
            |answer| answer.hello.as_ref().map(|hello| hello.cipher_suite.0),
        );
        self.broker.suites_of_tls_1_3 = chosen.iter().map(|suite| CipherSuite(*suite).to_string()).collect();
    }

    fn groups(&mut self, highest: Option<ProtocolVersion>) {
        let version = if self.speaks(ProtocolVersion::TLS_1_3) { Some(ProtocolVersion::TLS_1_3) } else { highest };
        let Some(version) = version else { return };
        let mut offer = self.everything(&[version]);
        let is_ephemeral = |suite: &u16| {
            CipherSuite(*suite).name().is_some_and(|name| name.starts_with("TLS_ECDHE") || !name.contains("_WITH_"))
        };
        offer.suites.retain(is_ephemeral);
        let chosen = self.eliminate(
            &mut offer,
            OTHERS_MAX,
            |offer| &mut offer.groups,
            |answer| {
                let named = match answer.exchange.as_ref().map(|exchange| &exchange.exchange) {
                    Some(KeyExchange::Ecdhe(group)) => Some(*group),
                    _ => answer.hello.as_ref().and_then(wire::tls::ServerHello::group),
                };
                named.map(|group| group.0)
            },
        );
        self.broker.groups = chosen.iter().map(|group| NamedGroup(*group).to_string()).collect();
    }

    fn schemes(&mut self) {
        if !self.speaks(ProtocolVersion::TLS_1_2) {
            return;
        }
        let mut offer = self.everything(&[ProtocolVersion::TLS_1_2]);
        offer.suites.retain(|suite| CipherSuite(*suite).name().is_some_and(|name| name.contains("DHE")));
        let chosen = self.eliminate(
            &mut offer,
            OTHERS_MAX,
            |offer| &mut offer.schemes,
            |answer| answer.exchange.as_ref().and_then(|exchange| exchange.scheme).map(|scheme| scheme.0),
        );
        if !chosen.is_empty() {
            self.broker.schemes = chosen.iter().map(|scheme| SignatureScheme(*scheme).to_string()).collect();
        }
    }

    /// Offers less and less: each time without what the broker chose before.
    fn eliminate(
        &mut self,
        offer: &mut Offer,
        most: usize,
        list: fn(&mut Offer) -> &mut Vec<u16>,
        chosen: impl Fn(&Answer) -> Option<u16>,
    ) -> Vec<u16> {
        let mut found = Vec::new();
        while found.len() < most && !list(offer).is_empty() {
            let answer = self.ask(offer);
            if let Some(KeyExchange::Dhe { prime_bits }) = answer.exchange.as_ref().map(|exchange| &exchange.exchange) {
                self.broker.dhe_bits = Some(*prime_bits);
            }
            // Whoever chooses what was not offered would be asked for ever.
            let Some(choice) = chosen(&answer).filter(|choice| list(offer).contains(choice)) else { break };
            list(offer).retain(|other| *other != choice);
            found.push(choice);
        }
        found
    }

    fn names(&mut self, highest: Option<ProtocolVersion>) {
        // In TLS 1.3 the certificate is hidden, and an older hello shows it.
        let version = highest.unwrap_or(ProtocolVersion::TLS_1_3);
        let expected = self.broker.chain.first().cloned();
        let told = |answer: &Answer| match (answer.refusal, answer.chain.first()) {
            (Some(refusal), _) if answer.hello.is_none() => format!("refuses: {refusal}"),
            (_, Some(leaf)) if Some(leaf) == expected.as_ref() => "shows the same certificate".into(),
            (_, Some(_)) => "shows another certificate".into(),
            (_, None) => "goes on; its certificate is hidden in TLS 1.3".into(),
        };
        let without = self.ask(&Offer::everything(&[version], None));
        self.broker.without_name = told(&without);
        let foreign = self.ask(&Offer::everything(&[version], Some(FOREIGN_NAME)));
        self.broker.with_foreign_name = told(&foreign);
    }

    fn fragments(&mut self, highest: Option<ProtocolVersion>) {
        let Some(version) = highest else { return };
        let offer = Offer { fragment_code: Some(FRAGMENT_CODE), ..self.everything(&[version]) };
        let answer = self.ask(&offer);
        let Some(hello) = &answer.hello else { return };
        let agrees = hello.extensions.contains(&wire::tls::Extension::MaxFragmentLength(FRAGMENT_BYTES as u16));
        self.broker.agrees_to_fragments = Some(agrees);
        self.broker.record_bytes.1 = answer.record_bytes;
    }
}
