//! A board with a network of its own (`[lan]` in its file): it meets the scenarios' brokers on a real socket of this machine,
//! and its serial port tells what it has to say.
//!
//! The network between is nobody's to bend, so scenarios about packets, resolvers and clocks say nothing about such a
//! board; and names, addresses and times are those of the place. What is compared is how a scenario ended.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use blame::Error;
use board::{Board as _, Hardware};
use broker::Broker;
use network::NoService;
use pki::Authority;
use rack::map::Lan;
use rack::slot::{Failure, Slot};
use scenario::Scenario;
use scenario::network::Network;
use tokio::sync::oneshot;

use crate::authority;
use crate::bench;
use crate::controls;
use crate::lan::exchange::{self, Counterpart};
use crate::lan::loopback::{self, Host};
use crate::mosquitto::{self, Mosquitto};
use crate::stack::Stack;
use crate::trial::{self, Trial, Tried};

/// Runs one scenario on a board with a network of its own.
///
/// # Errors
///
/// If it has no outcome; recovery has been tried by then.
pub fn run(
    slot: &mut Slot,
    scenario: &Scenario,
    stack: &Stack,
    seed: u64,
    authority: Option<&Authority>,
) -> Result<Tried, Failure> {
    let folder = slot.folder().to_owned();
    let lan = slot.lan().cloned();
    slot.with(stack.image(), |hardware| {
        let lan = lan.ok_or_else(|| Error::author("the board has no network of its own"))?;
        meet(hardware, &lan, scenario, stack, seed, &folder, authority)
    })
}

/// Runs `scenario` with `stack` on `board`, whose file has `lan`; a real broker's files go below `folder`.
///
/// # Errors
///
/// If the bench cannot do its part.
fn meet(
    board: &mut Hardware,
    lan: &Lan,
    scenario: &Scenario,
    stack: &Stack,
    seed: u64,
    folder: &Path,
    authority: Option<&Authority>,
) -> blame::Result<Tried> {
    if let Some(why) = silent_about(scenario) {
        return Ok(Tried::NotApplicable(why.into()));
    }
    let mut moved = match loopback::moved_to(scenario, controls::today(), &host(lan)) {
        Ok(moved) => moved,
        Err(error) => return Ok(Tried::NotApplicable(error.message)),
    };
    if let Some(authority) = authority {
        moved.scenario = match authority::under(authority, &moved.scenario, seed) {
            Ok(changed) => changed,
            Err(why) => return Ok(Tried::NotApplicable(format!("{}: {why}", authority::NOT_APPLICABLE))),
        };
    }
    let (met, stack) = match stack.trusts(&moved.scenario) {
        Ok(met) => met,
        Err(why) => return Ok(Tried::NotApplicable(why.0)),
    };
    let stack = &*stack;
    let here = SocketAddr::new(moved.address, lan.port.unwrap_or(scenario.device.port));
    let programs = match scenario.broker.real.map(|_| mosquitto::installed()).transpose() {
        Err(missing) if missing.required => return Err(Error::bench(missing.reason)),
        Err(missing) => return Ok(Tried::NotApplicable(missing.reason)),
        Ok(programs) => programs,
    };
    let target = board.target();
    trial::of_steps(&met, stack, &target, seed, &mut |scenario| {
        once(board, here, scenario, programs.as_ref(), stack, seed, folder)
    })
    .map(Tried::Run)
}

/// Why `scenario` says nothing about a board with a network of its own.
fn silent_about(scenario: &Scenario) -> Option<&'static str> {
    if scenario.network != Network::default() {
        return Some("it is about the network, and this board's own is a real one");
    }
    scenario.device.has_modem().then_some("it is about a modem, and this board has a network of its own")
}

fn host(lan: &Lan) -> Host {
    let (ipv4, ipv6) = match lan.address {
        IpAddr::V4(address) => (Some(address), None),
        IpAddr::V6(address) => (None, Some(address)),
    };
    Host { name: lan.name.clone(), ipv4, ipv6 }
}

fn once(
    board: &mut Hardware,
    here: SocketAddr,
    scenario: &Scenario,
    programs: Option<&mosquitto::Programs>,
    stack: &Stack,
    seed: u64,
    folder: &Path,
) -> blame::Result<Trial> {
    let minted = bench::mint(scenario, seed).map_err(Error::bench)?;
    let (counterpart, mosquitto) = match programs {
        Some(programs) => {
            let mosquitto = Mosquitto::start(scenario, &minted, &folder.join("mosquitto"), programs)?;
            let endpoint = mosquitto.endpoint(scenario.device.port)?;
            (Counterpart::Real(endpoint), Some(mosquitto))
        }
        None => {
            let broker = Broker::new(&scenario.broker, &minted, seed, scenario.date());
            (Counterpart::Scripted(broker.map_err(Error::bench)?), None)
        }
    };
    // Before the recording begins: it begins with the run.
    board.flash(stack.image()).map_err(Error::bench)?;
    let listener = listen(here)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::bench)?;
    let comment = format!("scenario {} seed {seed:x}", scenario.name);
    let target = board.target();
    let (evidence, held) = thread::scope(|scope| {
        let (send, receive) = oneshot::channel();
        let minted = &minted;
        scope.spawn(move || {
            let _ = send.send(bench::run_with(scenario, minted, Box::new(NoService), stack, board, seed));
        });
        runtime.block_on(async {
            let failed = |error: std::io::Error| Error::bench(format!("the meeting on {here} failed: {error}"));
            let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
            let port = scenario.device.port;
            exchange::run(counterpart, listener, port, scenario.date(), comment, receive).await.map_err(failed)
        })
    })?;
    let mut evidence =
        evidence.map_err(|_| Error::bench("the bench panicked over the board"))?.map_err(Error::bench)?;
    if let Some(late) = held.late {
        return Err(Error::bench(late));
    }
    evidence.pcapng = held.recorder.to_pcapng();
    evidence.broker_findings = held.findings;
    evidence.enacted.broker_misbehaved = held.has_misbehaved;
    let mut judged = judge::judge(scenario, &stack.setting(&target, seed), &evidence).map_err(Error::bench)?;
    mosquitto::tell_log(&mut judged.transcript, &mosquitto.map(Mosquitto::finish).unwrap_or_default());
    Ok(Trial { judged, pcapng: evidence.pcapng })
}

/// Listens where the board dials.
fn listen(address: SocketAddr) -> blame::Result<TcpListener> {
    let failed = |error: std::io::Error| {
        Error::author(format!(
            "the bench cannot listen at {address}, where the board dials ({error}): `address` in `[lan]` of its file has \
             to be one of this machine's, and the port nobody else's"
        ))
    };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
