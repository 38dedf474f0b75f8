//! Controls: host clients in the device's place, on the `lan` link.
//!
//! "It works with mosquitto_pub" is what people say of a broker that their device refuses. So the scenarios of such a
//! story name the programs that worked, or did not, and the bench lets them meet the same broker. A run in wall time
//! with a process of this machine is not byte-reproducible: only the class of its outcome is compared, with
//! `captures/<scenario>.control_<name>.snap`. Packets, the control's own words and a whole transcript lie in the run's
//! artefacts.

pub mod install;
pub mod login;
pub mod mosquitto_pub;
pub mod openssl;
pub mod outcome;
pub mod paho;
pub mod report;
pub mod rustls_client;
pub mod task;
pub mod tools;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::outcome::{Conformity, Demand, Ending, Met};
use ::report::model::How;
use blame::Error;
use board::lateness::Late;
use broker::Broker;
use clock::UnixTime;
use host::process;
use judge::Account;
use scenario::Scenario;
use scenario::controls::{Control, Expected};
use tokio::net::TcpListener;

use self::outcome::Class;
use self::report::{ControlReport, Ended};
use self::task::Task;
use self::tools::Missing;
use crate::bench;
use crate::lan::exchange::{self, Counterpart, Held};
use crate::lan::loopback::{self, Moved};
use crate::mosquitto::{self, Mosquitto};
use crate::verdict::{OnRack, Verdict};
use snapshot::{Agreement, Place};

/// How long a control may take, by the wall.
const LIMIT_S: u32 = 20;
const LIMIT: Duration = Duration::from_secs(LIMIT_S as u64);

/// Where everything of one invocation lies.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The workspace.
    pub root: PathBuf,
    /// Reviewed snapshots.
    pub captures: PathBuf,
    /// Evidence of this run.
    pub artefacts: PathBuf,
    /// All randomness of the scripted broker and of the certificates' keys.
    pub seed: u64,
    /// Whether what happens now is right.
    pub accept: bool,
}

/// One control with one scenario.
#[derive(Clone, Copy, Debug)]
pub struct ControlRun<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The control.
    pub control: Control,
    /// What the scenario says of it.
    pub expected: Expected,
}

/// What is to be run, in the order of the scenarios.
pub fn runs(scenarios: &[Scenario]) -> Vec<ControlRun<'_>> {
    scenarios
        .iter()
        .flat_map(|scenario| {
            let controls = scenario.controls.0.iter();
            controls.map(move |(control, expected)| ControlRun { scenario, control: *control, expected: *expected })
        })
        .collect()
}

impl ControlRun<'_> {
    /// What the control is called where stacks have their names: in tables, and in the names of files.
    pub fn stack(&self) -> String {
        format!("control_{}", self.control)
    }

    /// Lets the control meet the broker, judges and files the evidence.
    pub fn hold(&self, setting: &Setting) -> Verdict {
        let stack = self.stack();
        let not_applicable = |why: String| Verdict::not_applicable(self.scenario, &stack, why);
        let missing = |missing: Missing| {
            if missing.required {
                Verdict::bench_failed(self.scenario, &stack, missing.reason)
            } else {
                not_applicable(missing.reason)
            }
        };
        if self.control == Control::Openssl && !self.scenario.device.tls {
            return not_applicable("openssl s_client speaks nothing but TLS".into());
        }
        let moved = match loopback::moved(self.scenario, today()) {
            Ok(moved) => moved,
            Err(why) => return not_applicable(why.message),
        };
        let program = match tools::of_control(self.control, &setting.root) {
            Ok(program) => program,
            Err(why) => return missing(why),
        };
        let mosquitto = match self.scenario.broker.real.map(|_| mosquitto::installed()).transpose() {
            Ok(programs) => programs,
            Err(why) => return missing(why),
        };
        let run = Run { of: *self, setting, program, mosquitto };
        match bench::in_time(|| run.exchange(&moved)).and_then(|(report, held)| run.file(&report, &held)) {
            Ok(verdict) => verdict,
            Err(why) => Verdict::bench_failed(self.scenario, &stack, why),
        }
    }
}

/// The date, by this machine's clock.
pub fn today() -> UnixTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UnixTime::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

struct Run<'a> {
    of: ControlRun<'a>,
    setting: &'a Setting,
    /// The control's program, unless it is inside the bench.
    program: Option<PathBuf>,
    /// The real broker's programs, where the scenario has one.
    mosquitto: Option<mosquitto::Programs>,
}

impl Run<'_> {
    /// The exchange itself; or by how much this machine was late in it.
    fn exchange(&self, moved: &Moved) -> blame::Result<Result<(ControlReport, Held), Late>> {
        let minted = bench::mint(&moved.scenario, self.setting.seed)?;
        let (counterpart, mosquitto) = match &self.mosquitto {
            Some(programs) => {
                let folder = self.folder().with_extension("mosquitto");
                let mosquitto = Mosquitto::start(&moved.scenario, &minted, &folder, programs)?;
                let endpoint = mosquitto.endpoint(self.of.scenario.device.port)?;
                (Counterpart::Real(endpoint), Some(mosquitto))
            }
            None => {
                let broker = Broker::new(&moved.scenario.broker, &minted, self.setting.seed, moved.scenario.date())
                    .map_err(Error::bench)?;
                (Counterpart::Scripted(broker), None)
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::bench)?;
        let failed = |error: io::Error| Error::bench(format!("the exchange on the loopback failed: {error}"));
        runtime.block_on(async {
            let listener = TcpListener::bind(SocketAddr::new(moved.address, 0)).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            let task = Task::new(&moved.scenario, &minted, address, &self.folder()).map_err(failed)?;
            let comment = format!("scenario {} control {}", self.of.scenario.name, self.of.control);
            let client = self.client(&task);
            let port = self.of.scenario.device.port;
            let (report, mut held) = exchange::run(counterpart, listener, port, moved.scenario.date(), comment, client)
                .await
                .map_err(failed)?;
            let report = report.map_err(|error| Error::bench(format!("{} cannot be run: {error}", self.of.control)))?;
            held.recorder.key_log(&report.key_log);
            let now = held.recorder.now();
            let log = mosquitto.map(Mosquitto::finish).unwrap_or_default();
            held.findings.extend(log.into_iter().map(|line| (now, line)));
            Ok(held.late.map_or(Ok((report, held)), Err))
        })
    }

    async fn client(&self, task: &Task) -> io::Result<ControlReport> {
        let Some(program) = &self.program else {
            let task = task.clone();
            let report = tokio::task::spawn_blocking(move || rustls_client::run(&task, LIMIT)).await;
            return report.map_err(io::Error::other);
        };
        let command = match (self.of.control, &task.tls) {
            (Control::Openssl, Some(tls)) => return openssl::run(program, task, tls, LIMIT).await,
            (Control::Paho, _) => paho::command(program, task)?,
            (Control::MosquittoPub | Control::Openssl | Control::Rustls, _) => mosquitto_pub::command(program, task),
        };
        let finished = process::run(command, LIMIT).await?;
        let key_log_file = task.tls.as_ref().map(|tls| &tls.key_log_file);
        Ok(ControlReport {
            ended: match finished.status {
                None => Ended::OutOfTime,
                Some(status) if status.success() => Ended::Published,
                Some(_) => Ended::Failed,
            },
            words: [finished.stdout, finished.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
            key_log: key_log_file.and_then(|file| host::text(file, &host::limit::KEY_LOG).ok()).unwrap_or_default(),
        })
    }

    /// The place of the evidence, and of the snapshot.
    fn place(&self, folder: &Path) -> Place {
        Place::new(folder, &self.of.scenario.name, &self.of.stack())
    }

    /// The folder of certificates, keys and whatever else a control is given.
    fn folder(&self) -> PathBuf {
        self.place(&self.setting.artefacts).capture().with_extension("files")
    }

    fn file(&self, report: &ControlReport, held: &Held) -> blame::Result<Verdict> {
        let pcapng = held.recorder.to_pcapng();
        let wire = capture::read(&pcapng, "").map_err(|error| Error::bench(format!("our own capture: {error}")))?;
        let class = Class::conclude(&wire, report)?;
        let account = self.account(class, held);
        let essence = self.essence(class, &account);
        let transcript = self.transcript(report, held, &wire, &essence);
        let failed = |error: io::Error| Error::bench(format!("the evidence cannot be filed: {error}"));
        let artefact = self.place(&self.setting.artefacts);
        fs::create_dir_all(artefact.folder()).map_err(failed)?;
        fs::write(artefact.capture(), &pcapng).map_err(failed)?;
        fs::write(artefact.capture().with_extension("txt"), &transcript).map_err(failed)?;
        fs::write(artefact.capture().with_extension("stderr"), terminal::clean::text(&report.words).as_bytes())
            .map_err(failed)?;
        let place = self.place(&self.setting.captures);
        if self.setting.accept {
            place.accept(&essence, None).map_err(failed)?;
        }
        let agreement = place.compare(&essence).map_err(failed)?;
        let ending = match &agreement {
            _ if !class.meets(self.of.expected) => {
                Ending::Otherwise(format!("the scenario says that {} {}", self.of.control, self.of.expected))
            }
            Agreement::Same => Ending::AsExpected,
            Agreement::None => Ending::New,
            Agreement::Differs(_) => Ending::Otherwise("what happened is not what the reviewed snapshot says".into()),
        };
        match ending {
            Ending::AsExpected => place.settle().map_err(failed)?,
            _ => place.propose(&essence).map_err(failed)?,
        }
        Ok(Verdict {
            scenario: self.of.scenario.name.clone(),
            stack: self.of.stack(),
            title: self.of.scenario.title.clone(),
            ending,
            denied: None,
            known: None,
            account: Some(account),
            transcript,
            difference: match agreement {
                Agreement::Differs(difference) => difference,
                _ => String::new(),
            },
            incidents: Vec::new(),
            rack: OnRack::default(),
        })
    }

    /// What is the same on every machine and every day.
    fn essence(&self, class: Class, account: &Account) -> String {
        let ControlRun { control, expected, .. } = self.of;
        let agrees = if class.meets(expected) { "as the scenario says" } else { "against what the scenario says" };
        let finding = match account.conformity {
            Conformity::AcceptsWhatItMustRefuse => format!(", and {} ({})", account.conformity, account.rule),
            _ => String::new(),
        };
        format!("control    {control}\nending     {class} — {agrees}{finding}")
    }

    fn transcript(&self, report: &ControlReport, held: &Held, wire: &capture::Transcript, essence: &str) -> String {
        let style = capture::Style { client: "control", ..capture::Style::BENCH };
        let mut text = format!(
            "scenario   {} on the loopback, in wall time: not byte-reproducible\n\n{}\n",
            self.of.scenario.name,
            capture::render(wire, &style).trim_end()
        );
        for line in report.words.lines().filter(|line| !line.trim().is_empty()) {
            let _ = write!(text, "\nsaid       {}", terminal::clean::line(line.trim_end()));
        }
        for (at, finding) in &held.findings {
            let finding = terminal::clean::line(finding);
            let _ = write!(text, "\nbroker     {finding} (at {} ms)", at.as_millis());
        }
        let _ = write!(text, "\n{essence}");
        text
    }

    fn account(&self, class: Class, held: &Held) -> Account {
        // A broker that is to be refused is to be refused by everybody; other demands are the device's.
        let demand = match (self.of.scenario.specification.demands, self.of.expected) {
            (Demand::Refuse, _) => Demand::Refuse,
            (_, Expected::Accepts) => Demand::Connect,
            (_, Expected::Refuses) => Demand::Fail,
        };
        let how = match class {
            Class::Accepted => How::Connected,
            Class::ControlRefused(..) => How::DeviceRefused,
            Class::BrokerRefused(..) => How::BrokerRefused,
            Class::Lost(_) | Class::Untold => How::Lost,
            Class::NeverDialled => How::DeviceFailed,
            Class::NoEnd(_) => How::NoEnd,
        };
        Account {
            summary: None,
            how,
            stage: class.stage(),
            limit_s: LIMIT_S,
            platform_words: None,
            cause: None,
            fault: None,
            leaked_bytes: None,
            heap_peak_bytes: None,
            device_log: Vec::new(),
            device_words: if class == Class::Accepted { String::new() } else { class.to_string() },
            conformity: Conformity::judge(demand, how.course(), Met::Met),
            demand,
            rule: self.of.scenario.specification.rule.clone(),
            took_ms: held.recorder.now().as_millis(),
        }
    }
}
