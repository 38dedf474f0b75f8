//! One stack meets the broker: on an emulated chip, whose network leads to it through the relay that real brokers use.

use std::collections::BTreeMap;
use std::sync::Arc;

use blame::Error;
use board::{Board as _, Emulated};
use pki::Minted;
use rustls::crypto::SecureRandom;
use scenario::Scenario;
use serde::Serialize;

use super::setup::Setup;
use super::verifier::Expected;
use crate::bench;
use crate::mosquitto::relay::Relay;
use crate::stack::{Applicability, Stack};
use explain::explanations;
use explain::reviewed::Reviewed;
use judge::Judged;
use report::model::How;

/// The seed of the network and of nothing secret: it stands in the packets' comment.
const NETWORK_SEED: u64 = 0x5eed;

/// What came of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It connected, and the broker let it in.
    Connects,
    /// It refused the broker.
    Refuses,
    /// The broker refused it, in TLS or by CONNACK.
    IsRefused,
    /// It failed in another way: the connection was lost, time was up, it crashed.
    Fails,
    /// It cannot be asked this.
    NotAsked,
    /// The bench could not do its part.
    BenchFailed,
}

/// Why, as `explain` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What is explained: a failure or a flag.
    pub about: String,
    /// The cause.
    pub cause: String,
    /// Library, file and function; empty if nothing is known.
    pub source: String,
    /// What to do.
    pub remedy: String,
}

/// A stack's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The stack.
    pub stack: String,
    /// What it is.
    pub title: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it connects although it has to refuse.
    pub must_not: bool,
    /// How it went and where, with the device's own words.
    pub words: String,
    /// What the platform prints, if that is something else.
    pub platform: Option<String>,
    /// Lines that prove it.
    pub evidence: Vec<String>,
    /// Causes and remedies.
    pub why: Vec<Why>,
    /// The file with its packets, without secrets.
    pub packets: Option<String>,
}

/// A verdict and the packets that it rests on.
pub struct Met {
    /// The verdict.
    pub verdict: Verdict,
    /// A pcapng file, without secrets; empty if nothing passed.
    pub pcapng: Vec<u8>,
}

/// What all stacks meet.
pub struct Meeting<'a> {
    /// The devices' side.
    pub setup: &'a Setup,
    /// The same as a scenario.
    pub scenario: &'a Scenario,
    /// Its certificates.
    pub minted: &'a Minted,
    /// What a device has to do.
    pub expected: &'a Expected,
    /// The certificate that the broker shows, as transcripts tell it; where a device's connection hides it.
    pub shown: Option<&'a str>,
}

impl Meeting<'_> {
    /// Lets `stack` meet the broker, in wall time.
    pub fn hold(&self, stack: &Stack) -> Met {
        if let Some(excused) = self.excuse(stack) {
            return excused;
        }
        self.run(stack).unwrap_or_else(|error| bench_failed(stack, error.message))
    }

    /// What is said of a stack that cannot be asked this.
    pub fn excuse(&self, stack: &Stack) -> Option<Met> {
        match stack.applicability(self.scenario) {
            Applicability::NotApplicable(why) => {
                Some(Met { verdict: verdict(stack, Outcome::NotAsked, why), pcapng: Vec::new() })
            }
            _ => None,
        }
    }

    fn run(&self, stack: &Stack) -> blame::Result<Met> {
        let mut board = Emulated::of(stack.chip(), secret()?).map_err(Error::bench)?;
        // One for each stack: a broker throws out who has an identifier when another comes with it.
        let mut scenario = self.scenario.clone();
        scenario.device.plan.mqtt.client_id = client_id()?;
        let scenario = &scenario;
        let evidence = bench::in_time(|| {
            let relay = Relay::new(BTreeMap::from([(self.setup.port, self.setup.broker.clone())]));
            let relay = Box::new(relay);
            bench::late_apart(bench::run_with(scenario, self.minted, relay, stack, &mut board, NETWORK_SEED))
        })?;
        let setting = stack.setting(&board.target(), NETWORK_SEED);
        let judged = judge::judge(scenario, &setting, &evidence).map_err(Error::bench)?;
        Ok(self.conclude(stack, judged, evidence.pcapng))
    }

    /// Whether devices have to refuse.
    pub fn has_to_refuse(&self) -> bool {
        matches!(self.expected, Expected::Refuses(_))
    }

    /// A verdict from what was judged.
    pub fn conclude(&self, stack: &Stack, judged: Judged, pcapng: Vec<u8>) -> Met {
        if let Some(why) = judged.unsupported {
            return Met { verdict: verdict(stack, Outcome::NotAsked, why), pcapng };
        }
        let outcome = match judged.account.how {
            How::Connected => Outcome::Connects,
            How::DeviceRefused => Outcome::Refuses,
            How::BrokerRefused => Outcome::IsRefused,
            How::Lost
            | How::NetworkRefused
            | How::GaveUp
            | How::DeviceFailed
            | How::Crashed
            | How::Waits
            | How::NoEnd => Outcome::Fails,
        };
        let mut verdict = verdict(stack, outcome, judged.account.phrase());
        verdict.must_not = outcome == Outcome::Connects && self.has_to_refuse();
        verdict.platform = judged.account.platform_words.as_deref().map(clean);
        self.explain(stack, &judged.transcript, &mut verdict);
        Met { verdict, pcapng }
    }

    fn explain(&self, stack: &Stack, transcript: &str, verdict: &mut Verdict) {
        let transcript = with_certificate(transcript, self.shown);
        let Some(mut reviewed) = Reviewed::parse(&transcript) else { return };
        reviewed.image.clone_from(&stack.firmware.name);
        if let Some(failure) = &reviewed.failure {
            verdict.words = format!("{}: {}", verdict.words, terminal::clean::line(&failure.words));
        }
        if reviewed.is_well() {
            return;
        }
        verdict.evidence = reviewed.evidence.iter().map(|(_, words)| clean(words)).collect();
        let unexplained = |about: String| Why {
            cause: format!("nobody has written down what `{about}` means here: scenarios/explanations/"),
            about,
            source: String::new(),
            remedy: String::new(),
        };
        verdict.why = explanations::explain(&reviewed)
            .into_iter()
            .map(|(about, found)| match found {
                Some(found) => Why { about, cause: found.cause, source: found.source, remedy: found.remedy },
                None => unexplained(about),
            })
            .collect();
    }
}

/// Text from elsewhere, without characters that a terminal obeys.
fn clean(text: &str) -> String {
    terminal::clean::line(text).into_owned()
}

/// What is said of a stack that the bench could not run.
pub fn bench_failed(stack: &Stack, why: String) -> Met {
    Met { verdict: verdict(stack, Outcome::BenchFailed, why), pcapng: Vec::new() }
}

fn verdict(stack: &Stack, outcome: Outcome, words: String) -> Verdict {
    Verdict {
        stack: stack.name.clone(),
        title: stack.title.clone(),
        outcome,
        must_not: false,
        words,
        platform: None,
        evidence: Vec::new(),
        why: Vec::new(),
        packets: None,
    }
}

/// In TLS 1.3 a device's connection hides the certificate, and the bench has seen it on a connection of its own: the same
/// line, behind the ServerHello, so that causes can be told from it.
fn with_certificate(transcript: &str, shown: Option<&str>) -> String {
    let is_said = |line: &str, word: &str| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|time| time.bytes().all(|byte| byte.is_ascii_digit()))
            && words.next() == Some("broker")
            && words.next() == Some(word)
    };
    let has = |word: &str| transcript.lines().any(|line| is_said(line, word));
    let Some(shown) = shown.filter(|_| has("ServerHello") && !has("Certificate")) else { return transcript.to_owned() };
    let mut out = String::with_capacity(transcript.len() + shown.len() + 64);
    let mut is_told = false;
    for line in transcript.lines() {
        out.push_str(line);
        out.push('\n');
        if !is_told && is_said(line, "ServerHello") {
            let time = line.split_whitespace().next().unwrap_or_default();
            out.push_str(&format!("{time:>5}  broker   Certificate          {shown}\n"));
            is_told = true;
        }
    }
    out
}

/// A number that nobody can guess, for a chip whose keys have to be secret: the broker is a real one, and so are the
/// passwords that it is told.
///
/// # Errors
///
/// If the system gives no random numbers.
pub fn secret() -> blame::Result<u64> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A client identifier that nobody else has: of 22 characters, since brokers need take no more than 23 (MQTT 3.1.1 §3.1.3.1).
///
/// # Errors
///
/// If the system gives no random numbers.
pub fn client_id() -> blame::Result<String> {
    let mut bytes = [0; 6];
    random(&mut bytes)?;
    Ok(format!("shakedown-{}", base16ct::lower::encode_string(&bytes)))
}

/// Fills `bytes` from the system's random number generator.
///
/// # Errors
///
/// If it gives none.
pub fn random(bytes: &mut [u8]) -> blame::Result<()> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let source: &dyn SecureRandom = provider.secure_random;
    source.fill(bytes).map_err(|_| Error::bench("the system gives no random numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_a_connection_hides_is_told_once_and_in_its_place() {
        let transcript = "\
   15  device   ClientHello          sni broker.test · 1.3
   26  broker   ServerHello          1.3 · TLS_AES_128_GCM_SHA256 · x25519
   26  broker   (encrypted)          900 bytes
ending     device refused at certificate — as the specification demands (x)";
        let told = with_certificate(transcript, Some("CN=x · DNS:broker.test"));
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[2], "   26  broker   Certificate          CN=x · DNS:broker.test");
        assert_eq!(lines.len(), 5);
        assert_eq!(with_certificate(&told, Some("CN=y")), told);
        assert_eq!(with_certificate(transcript, None), transcript);
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(secret(), secret());
    }
}
