//! A real mosquitto, started for one run on free ports of the loopback, with its files in the run's own folder.

pub mod conf;
pub mod relay;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use blame::Error;
use board::Board;
use clock::UnixTime;
use host::folder::Folder;
use host::own_network::{Endpoint, OwnNetwork};
use pki::Minted;
use scenario::{Date, Scenario};

use self::relay::Relay;
use crate::bench;
use crate::controls::tools::{self, Missing};
use crate::privileges::User;
use crate::server::{self, NotRunning, Server};
use crate::stack::Stack;
use crate::trial::{Trial, Tried};
use judge::{Account, Evidence};

/// What mosquitto says once its listeners are open (`mosquitto_main_loop` is next, src/mosquitto.c).
const RUNNING: &str = " running\n";

/// The programs that it takes, or what is missing.
///
/// # Errors
///
/// If mosquitto is not installed.
pub fn installed() -> Result<Programs, Missing> {
    Ok(Programs { broker: tools::mosquitto()?, passwords: tools::mosquitto_passwd()? })
}

/// mosquitto's programs on this machine.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The broker.
    pub broker: PathBuf,
    /// The writer of password files.
    pub passwords: PathBuf,
}

/// A mosquitto that runs, in a network of its own where this machine permits that (`doctor` says whether it does): nobody
/// reaches it but by way of the bench, and it reaches nobody. It is killed when this is dropped.
#[derive(Debug)]
pub struct Mosquitto {
    server: Server,
    ports: BTreeMap<u16, SocketAddr>,
    network: Option<Arc<OwnNetwork>>,
    /// Last: nobody uses it any more.
    _folder: Folder,
}

impl Mosquitto {
    /// Starts the broker of `scenario`. Its configuration and its log go into `folder`; what it needs besides, keys and
    /// hashes of passwords among it, is for no other user, and gone when it is.
    ///
    /// # Errors
    ///
    /// If mosquitto does not take its configuration, which is its author's fault, or the disk refuses.
    pub fn start(scenario: &Scenario, minted: &Minted, folder: &Path, programs: &Programs) -> blame::Result<Self> {
        Self::start_in(own_network(), scenario, minted, folder, programs)
    }

    /// As [`Self::start`], but in this machine's network: for whom it is more than the bench that dials it.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_here(scenario: &Scenario, minted: &Minted, folder: &Path, programs: &Programs) -> blame::Result<Self> {
        Self::start_in(None, scenario, minted, folder, programs)
    }

    fn start_in(
        network: Option<Arc<OwnNetwork>>,
        scenario: &Scenario,
        minted: &Minted,
        folder: &Path,
        programs: &Programs,
    ) -> blame::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let started = server::on_free_ports("mosquitto", |mut free| {
            // Not the folder of the run's artefacts: an ordinary user may not get through to it.
            let own = Folder::new("mosquitto").map_err(failed)?;
            let configuration = conf::relocated(scenario, own.path(), &mut |_| free.take())?;
            conf::write_files(scenario, minted, &configuration, programs)?;
            drop(free);
            Self::run(own, &configuration, folder, programs, network.clone())
        });
        started.map_err(|why| {
            let shown = folder.join("mosquitto.conf");
            why.or_refused(|words| Error::author(format!("mosquitto does not take {}: {words}", shown.display())))
        })
    }

    /// Where the listener for `port` of the configuration is.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn endpoint(&self, port: u16) -> blame::Result<Endpoint> {
        let address = self.ports.get(&port);
        let address = address.ok_or_else(|| Error::bench(format!("mosquitto has no listener for port {port}")))?;
        Ok(Endpoint::new(*address, self.network.clone()))
    }

    /// All listeners, by their ports in the configuration.
    pub fn endpoints(&self) -> BTreeMap<u16, Endpoint> {
        let endpoint = |(port, address): (&u16, &SocketAddr)| (*port, Endpoint::new(*address, self.network.clone()));
        self.ports.iter().map(endpoint).collect()
    }

    /// Ends it, and tells what it had to say, line by line, without times.
    pub fn finish(self) -> Vec<String> {
        self.server.finish().lines().map(without_time).collect()
    }

    /// Starts it with a configuration whose files are in `own`; the configuration and the log go into `artefacts`.
    ///
    /// # Errors
    ///
    /// What mosquitto says of it.
    pub(crate) fn run(
        own: Folder,
        conf: &conf::Relocated,
        artefacts: &Path,
        programs: &Programs,
        network: Option<Arc<OwnNetwork>>,
    ) -> Result<Self, NotRunning> {
        let file = own.path().join("mosquitto.conf");
        fs::create_dir_all(artefacts).map_err(failed)?;
        for file in [&file, &artefacts.join("mosquitto.conf")] {
            fs::write(file, &conf.text).map_err(failed)?;
        }
        let mut command = Command::new(&programs.broker);
        command.arg("-c").arg(file).current_dir(own.path()).env_clear().stdin(Stdio::null());
        if let Some(user) = User::in_roots_place(own.path()) {
            user.owns(own.path()).map_err(failed)?;
            user.runs(&mut command);
        }
        let log = artefacts.join("mosquitto.log");
        let start = move || Server::start(command, log, Some(RUNNING));
        let started = match &network {
            Some(network) => network.within(start),
            None => start(),
        };
        let server = started.map_err(|why| {
            why.in_words(|said| said.split("; ").map(without_time).collect::<Vec<String>>().join("; "))
        })?;
        Ok(Self { server, ports: conf.ports.clone(), network, _folder: own })
    }
}

/// A network for one broker and those in front of it, where this machine permits one.
pub(crate) fn own_network() -> Option<Arc<OwnNetwork>> {
    OwnNetwork::new().ok().map(Arc::new)
}

fn failed(error: io::Error) -> Error {
    Error::bench(format!("mosquitto cannot be prepared: {error}"))
}

/// What came of a run with a real broker.
#[derive(Debug)]
pub enum Met {
    /// Its evidence, and what mosquitto had to say.
    Held(Box<Evidence>, Vec<String>),
    /// It was not run: mosquitto is not there.
    Missing(Missing),
}

/// Runs `scenario` with `stack` on `board` and a real mosquitto as its broker, whose files go into `folder`.
///
/// mosquitto judges certificates of clients by this machine's clock. So the run's date is `today`, and certificates are
/// minted for it, with the seed's keys.
///
/// # Errors
///
/// If the bench cannot do its part.
pub fn meet(
    scenario: &Scenario,
    stack: &Stack,
    board: &mut dyn Board,
    seed: u64,
    today: UnixTime,
    folder: &Path,
) -> blame::Result<Met> {
    let programs = match installed() {
        Ok(programs) => programs,
        Err(missing) => return Ok(Met::Missing(missing)),
    };
    let scenario = Scenario { date: Date(today), ..scenario.clone() };
    let minted = bench::mint(&scenario, seed)?;
    bench::in_time(|| {
        let mosquitto = Mosquitto::start(&scenario, &minted, folder, &programs)?;
        let relay = Box::new(Relay::new(mosquitto.endpoints()));
        let evidence = bench::late_apart(bench::run_with(&scenario, &minted, relay, stack, board, seed))?;
        Ok(evidence.map(|evidence| Met::Held(Box::new(evidence), mosquitto.finish())))
    })
}

impl Met {
    /// What came of it, judged; what the broker has logged stands below the transcript.
    ///
    /// # Errors
    ///
    /// If a program is missing that has to be there, or our own capture cannot be read.
    pub fn judged(self, scenario: &Scenario, stack: &Stack, board: &dyn Board, seed: u64) -> blame::Result<Tried> {
        let (evidence, log) = match self {
            Self::Held(evidence, log) => (*evidence, log),
            Self::Missing(missing) if missing.required => return Err(Error::bench(missing.reason)),
            Self::Missing(missing) => return Ok(Tried::NotApplicable(missing.reason)),
        };
        let mut judged =
            judge::judge(scenario, &stack.setting(&board.target(), seed), &evidence).map_err(Error::bench)?;
        tell_log(&mut judged.transcript, &log);
        Ok(Tried::Run(Trial { judged, pcapng: evidence.pcapng }))
    }
}

/// Adds what a broker has logged to a run's transcript.
pub(crate) fn tell_log(transcript: &mut String, log: &[String]) {
    for line in log {
        transcript.push_str("\nmosquitto  ");
        transcript.push_str(line);
    }
}

/// What of a run with a real broker is the same every time: the snapshot's text.
pub fn essence(stack: &str, account: &Account) -> String {
    let words =
        if account.device_words.is_empty() { String::new() } else { format!("\ndevice     {}", account.device_words) };
    format!(
        "broker     mosquitto, in wall time: not byte-reproducible\nstack      {stack}{words}\nending     {account}"
    )
}

/// `1700000000: words` as mosquitto logs it.
fn without_time(line: &str) -> String {
    match line.split_once(": ") {
        Some((time, words)) if time.bytes().all(|byte| byte.is_ascii_digit()) => words.to_owned(),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_loses_its_time_and_nothing_else() {
        assert_eq!(without_time("1700000000: Client x: gone"), "Client x: gone");
        assert_eq!(without_time("Error: no"), "Error: no");
    }
}
