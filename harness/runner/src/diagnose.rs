//! `cargo xtask diagnose`: which devices get along with a broker, and why the others do not.
//!
//! The broker is somebody's own and runs somewhere. The bench asks it what it is, by connections of its own; then each chosen
//! stack dials it from an emulated chip, whose clock is now. What a device does is explained as `explain` explains it;
//! webpki, which no device uses, says who connects and must not.

mod advice;
mod change;
pub(crate) mod conf;
mod exchange;
pub(crate) mod files;
mod lines;
mod offline;
mod page;
mod probe;
mod setup;
pub(crate) mod target;
mod text;
mod twin;
mod verifier;

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use blame::Error;
use clap::Args;
use serde::Serialize;

use crate::exit::{self, Exit};
use crate::hil::Refusal;
use crate::lan::recorder::Recorder;
use crate::stack::{self, Stack};
use explain::chain::flaws::{Flaw, flaws};
use explain::{chain, explanations};
use host::own_network::Endpoint;
use host::whole_file;

use crate::{bench, controls, suite};

pub(crate) use exchange::secret;
use exchange::{Meeting, Met, Outcome, Verdict};
use setup::{DialBy, Own, Setup};
use target::{Place, Speaks};
use verifier::Expected;

const EXAMPLES: &str = "\
Examples:
  cargo xtask diagnose --broker plant.example:8883 --ca ca.pem
  cargo xtask diagnose --broker 10.0.0.5:8883 --ca ca.pem --stack 'esp_idf*' --stack nodemcu_3
  cargo xtask diagnose --broker plant.example:8883 --ca ca.pem --dial-by address
  cargo xtask diagnose --broker 10.0.0.5:8883 --ca ca.pem --username meter --password-file meter.password
  cargo xtask diagnose --broker 10.0.0.5:8883 --ca ca.pem --client-cert dev.pem --client-key dev.key
  cargo xtask diagnose --dialled plant.example --chain fullchain.pem --ca ca.pem        a chain that nobody serves yet
  cargo xtask diagnose --dialled 10.0.0.5 --conf /etc/mosquitto/mosquitto.conf --ca ca.pem      a mosquitto that is run here
  cargo xtask diagnose --broker 10.0.0.5:8883 --ca ca.pem --report json=out.json,markdown=out.md,html=out.html

Every client has a random identifier (`shakedown-…`), a clean session and no will; nothing is published without --topic.

Exit codes: 0 every chosen stack that has to connect does, and none that must not; 1 otherwise, or the broker cannot be
reached; 2 usage; 3 the bench failed; 4 no stack fits";

/// Which devices get along with a broker of yours, and why the others do not.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Diagnose {
    /// A running broker, MQTT over TLS: a name or an address, and its port
    #[arg(long, value_name = "HOST:PORT", value_parser = target::place, required_unless_present_any = ["chain", "conf"])]
    pub broker: Option<Place>,
    /// No broker, but its chain, leaf first: PEM
    #[arg(long, value_name = "FULLCHAIN.pem", conflicts_with = "broker", requires = "dialled")]
    pub chain: Option<PathBuf>,
    /// No running broker, but a mosquitto's configuration: it is run here, without its plugins and bridges
    #[arg(long, value_name = "mosquitto.conf", conflicts_with_all = ["broker", "chain"], requires = "dialled")]
    pub conf: Option<PathBuf>,
    /// With --conf: the listener that devices dial [default: the first with a certificate]
    #[arg(long, value_name = "PORT", requires = "conf", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// With --chain or --conf: what devices dial
    #[arg(long, value_name = "NAME|ADDRESS", conflicts_with = "broker", value_parser = target::host)]
    pub dialled: Option<String>,
    /// With --chain: the leaf's private key, so that handshakes can be completed
    #[arg(long, value_name = "FILE", requires = "chain")]
    pub key: Option<PathBuf>,
    /// The authorities on the devices: PEM
    #[arg(long, value_name = "CA.pem")]
    pub ca: PathBuf,
    /// The devices' certificate, with its chain: PEM
    #[arg(long, value_name = "FILE.pem", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// Its private key, unencrypted: PEM
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// The devices' user name
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// A file whose first line is their password
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// The name for SNI and for the check of the certificate [default: what is dialled]
    #[arg(long, value_name = "NAME", value_parser = target::host)]
    pub server_name: Option<String>,
    /// What devices dial [default: as HOST is written]
    #[arg(long, value_enum)]
    pub dial_by: Option<DialBy>,
    /// Publish one message here once connected
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only stacks of this name, with `*` for anything (repeatable) [default: all]
    #[arg(long, value_name = "PATTERN")]
    pub stack: Vec<String>,
    /// Write reports: json=FILE, markdown=FILE, html=FILE, several with commas between
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',', value_parser = crate::reports::options::report)]
    pub report: Vec<crate::reports::options::Report>,
    /// Where packets go, of the bench's own connections and of each stack's [default: target/diagnose/]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
    /// Write the secrets of the bench's own connections beside their packets: they open the login
    #[arg(long)]
    pub with_secrets: bool,
    /// The pause between the bench's own connections, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub pause_ms: u64,
    /// Look for no changes
    #[arg(long)]
    pub no_advice: bool,
    /// How many stacks dial side by side
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub jobs: u8,
}

/// All that was found out.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// The version of this shape: 1.
    pub schema: u32,
    /// The broker, as it was given.
    pub asked: String,
    /// What devices dial.
    pub dialled: String,
    /// What the broker is.
    pub broker: Option<probe::Broker>,
    /// Its chain, leaf first.
    pub chain: Vec<chain::Certificate>,
    /// What in it some device minds.
    pub flaws: Vec<Flaw>,
    /// What a device has to do.
    pub expected: Expected,
    /// What each stack does.
    pub stacks: Vec<Verdict>,
    /// What to change.
    pub advice: Option<advice::Advice>,
    /// What else is to be said.
    pub notes: Vec<String>,
}

impl Diagnosis {
    fn exit(&self) -> Exit {
        let is = |outcome| self.stacks.iter().any(|verdict| verdict.outcome == outcome);
        if is(Outcome::BenchFailed) {
            return exit::BENCH_FAILED;
        }
        let fails = [Outcome::Refuses, Outcome::IsRefused, Outcome::Fails].into_iter().any(is);
        let must_not = self.stacks.iter().any(|verdict| verdict.must_not);
        match &self.expected {
            _ if must_not => exit::OTHERWISE,
            Expected::Refuses(_) => exit::AS_EXPECTED,
            _ if fails => exit::OTHERWISE,
            _ => exit::AS_EXPECTED,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// What cannot be read, reached or done, with its remedy.
pub fn run(root: &Path, arguments: &Diagnose) -> Result<Exit, Refusal> {
    explanations::check().map_err(Refusal::bench_failed)?;
    let stacks =
        stack::matching("--stack", stack::of_libraries(root).map_err(Refusal::bench_failed)?, &arguments.stack)?;
    if let (Some(chain), Some(dialled)) = (&arguments.chain, &arguments.dialled) {
        return offline(arguments, chain, dialled, &stacks);
    }
    let artefacts = arguments.artefacts.clone().unwrap_or_else(|| root.join("target/diagnose"));
    let own = match &arguments.conf {
        Some(file) => Some(conf::start(file, arguments.port, &artefacts.join("own"))?),
        None => None,
    };
    let place = match (&arguments.broker, &own, &arguments.dialled) {
        (Some(place), ..) => place.clone(),
        (None, Some(own), Some(dialled)) => Place { host: dialled.clone(), port: own.port },
        _ => return Err(Refusal::new(exit::USAGE, "--broker is missing")),
    };
    let place = &place;
    let setup = setup(arguments, place, own.as_ref().map(|own| &own.endpoint))?;
    terminal::errln!("{}", announcement(arguments.pause_ms, stacks.len(), &setup));
    let mut recorder = Recorder::new(controls::today(), "connections of the bench's own".into());
    let pause = Duration::from_millis(arguments.pause_ms);
    let (broker, key_log) = probe::ask_all(&setup, pause, &mut recorder, &mut |question| {
        terminal::errln!("  {question}");
    })?;
    let (shown, authorities) =
        (chain::Certificate::read_all(&broker.chain), chain::Certificate::read_all(&setup.authorities));
    let expected = verifier::judge(&broker.chain, &setup.authorities, setup.checked_name())?;
    let flaws = flaws(&shown, &authorities, setup.checked_name(), controls::today());
    let bench_packets = recorder.to_pcapng();
    let certificate = certificate_line(&bench_packets, &key_log);
    let all = stacks;
    let stacks = hold(&setup, &expected, certificate.as_deref(), &all, arguments)?;
    let mut diagnosis = Diagnosis {
        schema: 1,
        asked: arguments.conf.as_ref().map_or_else(|| place.to_string(), |file| file.display().to_string()),
        dialled: setup.dialled.clone(),
        chain: shown,
        flaws,
        expected,
        stacks: Vec::new(),
        advice: None,
        notes: own.iter().flat_map(|own| own.notes.clone()).chain(notes(&broker, &setup)).collect(),
        broker: Some(broker),
    };
    file(&artefacts, &bench_packets, arguments.with_secrets.then_some(key_log.as_str()), stacks, &mut diagnosis)
        .map_err(|error| Refusal::bench_failed(format!("{}: {error}", artefacts.display())))?;
    if !arguments.no_advice {
        diagnosis.advice = Some(
            advise(&setup, &diagnosis, &authorities, all, &artefacts.join("tried"))
                .unwrap_or_else(|error| advice::none(error.message)),
        );
    }
    finish(&diagnosis, arguments)
}

/// Judges a chain that nobody serves.
fn offline(arguments: &Diagnose, file: &Path, dialled: &str, stacks: &[Stack]) -> Result<Exit, Refusal> {
    let usage = |why: String| Refusal::new(exit::USAGE, why);
    let given = offline::Given::read(file, arguments.key.as_deref())?;
    let authorities = files::certificates("--ca", &arguments.ca, files::AUTHORITIES_MAX)?;
    let setup = offline::setup(dialled, authorities);
    let expected = verifier::judge(&given.chain, &setup.authorities, dialled)?;
    let mut scenario = setup.scenario(&expected, controls::today())?;
    given.put_into(&mut scenario).map_err(|error| error.about(format_args!("--chain {}", file.display())))?;
    let minted = bench::mint(&scenario, 0).map_err(|_| {
        usage(format!(
            "--chain {}: the chain or its key cannot be used: does the key belong to the first certificate?",
            file.display()
        ))
    })?;
    let meeting = Meeting { setup: &setup, scenario: &scenario, minted: &minted, expected: &expected, shown: None };
    let boots = board::Boots::new();
    let met = side_by_side(stacks, arguments, &|stack| given.show(&meeting, stack, &boots), &mut |_| {});
    let shown = chain::Certificate::read_all(&given.chain);
    let authorities = chain::Certificate::read_all(&setup.authorities);
    let how = if given.has_key() {
        "by whole handshakes"
    } else {
        "without the leaf's key: by each library's own verification, up to the broker's signature"
    };
    let diagnosis = Diagnosis {
        schema: 1,
        asked: file.display().to_string(),
        dialled: dialled.to_owned(),
        broker: None,
        flaws: flaws(&shown, &authorities, dialled, controls::today()),
        chain: shown,
        expected,
        stacks: met.into_iter().map(|met| met.verdict).collect(),
        advice: None,
        notes: vec![format!("judged {how}")],
    };
    finish(&diagnosis, arguments)
}

/// Prints what was found out, and writes the reports.
fn finish(diagnosis: &Diagnosis, arguments: &Diagnose) -> Result<Exit, Refusal> {
    let told = text::render(diagnosis);
    terminal::outln!("{}", told.trim_end());
    reported(diagnosis, &arguments.report)?;
    Ok(diagnosis.exit())
}

/// Lets each stack do `one`, side by side; `told` hears of each as it is done.
fn side_by_side(
    stacks: &[Stack],
    arguments: &Diagnose,
    one: &(dyn Fn(&Stack) -> Met + Sync),
    told: &mut dyn FnMut(&Met),
) -> Vec<Met> {
    let panicked = |stack: &Stack, words: &str| exchange::bench_failed(stack, format!("the bench panicked: {words}"));
    suite::run(stacks, usize::from(arguments.jobs), &AtomicBool::new(false), &one, &panicked, told)
}

fn announcement(pause_ms: u64, stacks: usize, setup: &Setup) -> String {
    let most = probe::connections_max();
    let mut told =
        format!("At most {most} connections to {}, one at a time, {pause_ms} ms apart:\n", setup.broker.address);
    for (question, connections) in probe::QUESTIONS {
        told.push_str(&format!("  {connections:2}  {question}\n"));
    }
    told.push_str(&format!("Then {stacks} stacks dial it, mostly once each, as clients `shakedown-…`."));
    told
}

/// The devices' side, and whether anybody is there to be asked.
fn setup(arguments: &Diagnose, place: &Place, at: Option<&Endpoint>) -> Result<Setup, Refusal> {
    let usage = |why: String| Refusal::new(exit::USAGE, why);
    let authorities = files::certificates("--ca", &arguments.ca, files::AUTHORITIES_MAX)?;
    let own = match (&arguments.client_cert, &arguments.client_key) {
        (Some(certificate), Some(key)) => Some(Own {
            chain: files::certificates("--client-cert", certificate, files::CHAIN_MAX)?,
            key: files::key("--client-key", key)?,
        }),
        _ => None,
    };
    let password = arguments.password_file.as_ref().map(|file| files::password("--password-file", file)).transpose()?;
    let dial = || at.map_or_else(|| place.dial(), |endpoint| target::dial_at(place, endpoint));
    let (broker, stream) = dial()?;
    let is_address = place.host.parse::<std::net::IpAddr>().is_ok();
    let (dialled, server_name) = match (arguments.dial_by, is_address, &arguments.server_name) {
        (Some(DialBy::Address), ..) => (broker.address.ip().to_string(), arguments.server_name.clone()),
        (Some(DialBy::Name), true, None) => {
            return Err(usage(
                "--dial-by name: the broker was given by its address: `--server-name NAME` says which name".into(),
            ));
        }
        (Some(DialBy::Name), true, Some(name)) => (name.clone(), None),
        _ => (place.host.clone(), arguments.server_name.clone()),
    };
    let setup = Setup {
        dialled,
        port: place.port,
        broker,
        server_name,
        authorities,
        own,
        user_name: arguments.username.clone(),
        password,
        topic: arguments.topic.clone(),
    };
    look(place, &dial, stream)?;
    Ok(setup)
}

/// Whether it speaks TLS there.
fn look(
    place: &Place,
    dial: &dyn Fn() -> Result<(Endpoint, TcpStream), Refusal>,
    stream: TcpStream,
) -> Result<(), Refusal> {
    use wire::tls::ProtocolVersion;
    let versions = [ProtocolVersion::TLS_1_3, ProtocolVersion::TLS_1_2];
    let mut randomness = [0; 64];
    exchange::random(&mut randomness)?;
    let hello = probe::hello::Offer::everything(&versions, None).record(&randomness);
    let mut speaks = target::speaks(stream, &hello);
    if matches!(speaks, Speaks::Closes(_) | Speaks::Nothing)
        && let Ok((_, again)) = dial()
        && let Ok(connect) = exchange::client_id()
        && let Ok(connect) = probe::login::connect(&connect, None, None)
        && target::speaks_plain_mqtt(again, &connect)
    {
        speaks = Speaks::PlainMqtt;
    }
    speaks.refusal(place).map_or(Ok(()), Err)
}

/// Lets all stacks meet the broker.
fn hold(
    setup: &Setup,
    expected: &Expected,
    shown: Option<&str>,
    stacks: &[Stack],
    arguments: &Diagnose,
) -> blame::Result<Vec<Met>> {
    let scenario = setup.scenario(expected, controls::today())?;
    // It is told without the certificates' text, in which a key may stand.
    let minted = bench::mint(&scenario, 0)
        .map_err(|fault| Error::usage(format!("the certificates that were given: {fault}")))?;
    let meeting = Meeting { setup, scenario: &scenario, minted: &minted, expected, shown };
    let mut told = |met: &Met| terminal::errln!("  {}: {}", met.verdict.stack, met.verdict.words);
    Ok(side_by_side(stacks, arguments, &|stack| meeting.hold(stack), &mut told))
}

/// The broker's certificate as transcripts tell it, from the bench's own connection.
fn certificate_line(pcapng: &[u8], key_log: &str) -> Option<String> {
    use capture::transcript::{Said, Who};
    let transcript = capture::read(pcapng, key_log).ok()?;
    let is_shown = |line: &&capture::transcript::Line| {
        line.who == Who::Server && line.said == Said::Handshake(wire::tls::HandshakeType::CERTIFICATE)
    };
    transcript
        .conversations
        .iter()
        .flat_map(|conversation| &conversation.lines)
        .find(is_shown)
        .map(|line| line.details.clone())
}

fn notes(broker: &probe::Broker, setup: &Setup) -> Vec<String> {
    let mut notes = Vec::new();
    if setup.topic.is_none() {
        notes
            .push("nothing was published: a broker that lets a device in may still refuse its topics (--topic)".into());
    }
    if broker.chain.is_empty() {
        notes.push("the bench's own client was shown no certificate: what is said of the chain is said of none".into());
    }
    if !broker.other_chain.is_empty() {
        notes.push("the broker has a second certificate, for clients that take the other kind of key: what is said of the chain is said of the first".into());
    }
    notes
}

/// The smallest set of changes, tried on a twin of the broker.
fn advise(
    setup: &Setup,
    diagnosis: &Diagnosis,
    authorities: &[chain::Certificate],
    stacks: Vec<Stack>,
    folder: &Path,
) -> blame::Result<advice::Advice> {
    let Some(broker) = &diagnosis.broker else { return Ok(advice::none("nothing is served".into())) };
    if broker.connack.is_some_and(|code| code != 0) {
        return Ok(advice::none(format!("the login is {}: no change to TLS helps", broker.login)));
    }
    let twin = match twin::Twin::of(setup, broker, &diagnosis.chain, authorities) {
        Ok(twin) => twin,
        Err(why) => return Ok(advice::none(format!("the broker has no twin here: {why}"))),
    };
    terminal::errln!("looking for the smallest set of changes, on a twin of the broker");
    let candidates = change::candidates(setup, broker, &diagnosis.chain, &diagnosis.flaws);
    let outcome = |stack: &Stack| diagnosis.stacks.iter().find(|verdict| verdict.stack == stack.name);
    let asked = stacks.into_iter().filter_map(|stack| match outcome(&stack)?.outcome {
        Outcome::NotAsked | Outcome::BenchFailed => None,
        outcome => Some((stack, outcome == Outcome::Connects)),
    });
    advice::advise(setup, &twin, &candidates, &asked.collect::<Vec<_>>(), folder)
}

/// Writes the packets: each file for its owner alone.
fn file(
    folder: &Path,
    bench: &[u8],
    key_log: Option<&str>,
    stacks: Vec<Met>,
    diagnosis: &mut Diagnosis,
) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    whole_file::write_private(&folder.join("bench.pcapng"), bench)?;
    if let Some(secrets) = key_log {
        whole_file::write_private(&folder.join("bench.keys"), secrets.as_bytes())?;
    }
    for met in stacks {
        let mut verdict = met.verdict;
        if !met.pcapng.is_empty() {
            let file = folder.join(format!("{}.pcapng", verdict.stack));
            whole_file::write_private(&file, &met.pcapng)?;
            verdict.packets = Some(file.display().to_string());
        }
        diagnosis.stacks.push(verdict);
    }
    Ok(())
}

fn reported(diagnosis: &Diagnosis, reports: &[crate::reports::options::Report]) -> blame::Result<()> {
    use crate::reports::options::ReportKind;
    let (title, blocks) = page::of(diagnosis);
    for report in reports {
        let contents = match report.kind {
            ReportKind::Json => serde_json::to_string_pretty(diagnosis).map_err(Error::bench)? + "\n",
            ReportKind::Markdown => page::markdown(&title, &blocks),
            ReportKind::Html => page::html(&title, &blocks),
            ReportKind::Junit => return Err(Error::usage("--report: of a diagnosis there is json, markdown and html")),
        };
        whole_file::write(&report.file, contents).map_err(|error| Error::file(&report.file, error))?;
    }
    Ok(())
}
