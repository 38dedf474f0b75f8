//! nginx or HAProxy in front of a broker of this machine: the proxy ends TLS, and a real mosquitto behind it speaks plain MQTT.
//! Both are in one network, of their own where this machine permits that.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blame::Error;
use board::Board;
use clock::UnixTime;
use host::folder::Folder;
use host::own_network::Endpoint;
use pki::Minted;
use scenario::broker::{ClientCertificates, Request};
use scenario::{Date, Scenario};

use crate::bench;
use crate::controls::tools::{self, Missing, Nginx};
use crate::mosquitto::relay::Relay;
use crate::mosquitto::{self, Met, Mosquitto, conf};
use crate::privileges::User;
use crate::server::{self, Server};
use crate::stack::Stack;

/// What nginx says once its sockets listen (`ngx_os_status`, after `ngx_init_cycle`).
const NGINX_RUNS: &str = "getrlimit(";

/// A proxy, with its program.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// nginx with its stream module.
    Nginx(Nginx),
    /// HAProxy in TCP mode.
    Haproxy(PathBuf),
}

/// What a proxy is told of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Of nginx: directives of a `server` block. Of HAProxy: words of a `bind` line.
    pub words: Vec<String>,
}

impl Proxy {
    /// nginx, if it is installed with its stream module.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn nginx() -> Result<Self, Missing> {
        tools::nginx().map(Self::Nginx)
    }

    /// HAProxy, if it is installed.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn haproxy() -> Result<Self, Missing> {
        tools::haproxy().map(Self::Haproxy)
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Nginx(_) => "nginx",
            Self::Haproxy(_) => "HAProxy",
        }
    }

    /// Runs `scenario` with `stack` on `board`, this proxy and a real mosquitto behind it; configurations and logs go into
    /// `folder`. The run's date is `today`, as in [`mosquitto::meet`].
    ///
    /// # Errors
    ///
    /// If the bench cannot do its part, or the proxy does not take its configuration.
    pub fn meet(
        &self,
        tls: &Tls,
        scenario: &Scenario,
        stack: &Stack,
        board: &mut dyn Board,
        (seed, today): (u64, UnixTime),
        folder: &Path,
    ) -> blame::Result<Met> {
        let programs = match mosquitto::installed() {
            Ok(programs) => programs,
            Err(missing) => return Ok(Met::Missing(missing)),
        };
        let scenario = Scenario { date: Date(today), ..scenario.clone() };
        let minted = bench::mint(&scenario, seed)?;
        let mut behind = scenario.clone();
        behind.broker.tls = false;
        behind.broker.client_certificates = ClientCertificates::default();
        let port = scenario.device.port;
        bench::in_time(|| {
            let mosquitto = Mosquitto::start(&behind, &minted, &folder.join("mosquitto"), &programs)?;
            let upstream = mosquitto.endpoint(port)?;
            let running = self.start(tls, &scenario, &minted, &upstream, folder)?;
            let relay = Box::new(Relay::new([(port, running.endpoint.clone())].into()));
            let evidence = bench::late_apart(bench::run_with(&scenario, &minted, relay, stack, board, seed))?;
            let mut log = mosquitto.finish();
            log.extend(running.server.finish().lines().map(|line| format!("{}: {line}", self.name())));
            Ok(evidence.map(|evidence| Met::Held(Box::new(evidence), log)))
        })
    }

    fn start(
        &self,
        tls: &Tls,
        scenario: &Scenario,
        minted: &Minted,
        upstream: &Endpoint,
        folder: &Path,
    ) -> blame::Result<Running> {
        let failed = |error: io::Error| self.unprepared(&error);
        let refused = |words: &str| Error::bench(format!("{} does not take its configuration: {words}", self.name()));
        let own = Folder::new("proxy").map_err(failed)?;
        let files = Files::write(scenario, minted, own.path()).map_err(failed)?;
        match self {
            Self::Nginx(nginx) => {
                let started = server::on_free_ports("nginx", |_| {
                    let (endpoint, listener) = beside(upstream).map_err(failed)?;
                    let text = nginx_conf(nginx, tls, &files, endpoint.address, upstream.address, own.path());
                    self.write("nginx.conf", &text, own.path(), folder)?;
                    let command = self.command(&nginx.program, "nginx.conf", own.path());
                    let log = folder.join("nginx.log");
                    drop(listener);
                    let server = upstream.within(move || Server::start(command, log, Some(NGINX_RUNS)))?;
                    Ok((endpoint, server))
                });
                let (endpoint, server) = started.map_err(|why| why.or_refused(refused))?;
                Ok(Running { server, endpoint, _folder: own })
            }
            Self::Haproxy(program) => {
                let text = haproxy_conf(tls, &files, upstream.address);
                let (endpoint, listener) = beside(upstream).map_err(failed)?;
                self.write("haproxy.cfg", &text, own.path(), folder)?;
                let mut checked = self.command(program, "haproxy.cfg", own.path());
                checked.arg("-c").stdin(handed(&listener).map_err(failed)?);
                let output = checked.output().map_err(failed)?;
                if !output.status.success() {
                    let words = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
                    return Err(refused(&words));
                }
                let mut command = self.command(program, "haproxy.cfg", own.path());
                command.arg("-db").stdin(handed(&listener).map_err(failed)?);
                drop(listener);
                let log = folder.join("haproxy.log");
                let server = upstream.within(move || Server::start(command, log, None));
                let server = server.map_err(|why| why.or_refused(refused))?;
                Ok(Running { server, endpoint, _folder: own })
            }
        }
    }

    /// Writes the configuration, for the proxy and for people. All that the proxy reads is then its user's.
    fn write(&self, name: &str, text: &str, own: &Path, folder: &Path) -> blame::Result<()> {
        let failed = |error: io::Error| self.unprepared(&error);
        for folder in [own, folder] {
            fs::write(folder.join(name), text).map_err(failed)?;
        }
        User::in_roots_place(own).map_or(Ok(()), |user| user.owns(own)).map_err(failed)
    }

    fn unprepared(&self, error: &io::Error) -> Error {
        Error::bench(format!("{} cannot be prepared: {error}", self.name()))
    }

    /// The command that reads the configuration `name` in `own`.
    fn command(&self, program: &Path, name: &str, own: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(own).env_clear().stdin(Stdio::null());
        match self {
            Self::Nginx(_) => command.arg("-p").arg(own).args(["-e", "stderr", "-c"]),
            Self::Haproxy(_) => command.arg("-f"),
        };
        command.arg(own.join(name));
        if let Some(user) = User::in_roots_place(own) {
            user.runs(&mut command);
        }
        command
    }
}

/// A proxy that runs.
struct Running {
    server: Server,
    /// Behind the server: it ends with the thread that started it, which is its network's.
    endpoint: Endpoint,
    /// Last: nobody uses it any more.
    _folder: Folder,
}

/// A free port in the network of `upstream`, with a listener that holds it.
fn beside(upstream: &Endpoint) -> io::Result<(Endpoint, TcpListener)> {
    let (address, listener) = upstream.within(server::listener)?;
    Ok((upstream.beside(address), listener))
}

/// The standard input of a server whose listener this is.
fn handed(listener: &TcpListener) -> io::Result<Stdio> {
    #[cfg(unix)]
    return Ok(std::os::fd::OwnedFd::from(listener.try_clone()?).into());
    #[cfg(not(unix))]
    Err(io::Error::other(format!("{listener:?} cannot be handed to a program here")))
}

/// What a proxy reads.
struct Files {
    chain: PathBuf,
    key: PathBuf,
    /// Both in one, as HAProxy has it.
    both: PathBuf,
    /// The authorities of its clients, if it demands a certificate of them.
    clients: Option<PathBuf>,
}

impl Files {
    fn write(scenario: &Scenario, minted: &Minted, folder: &Path) -> io::Result<Self> {
        let (chain, key) = (conf::chain(scenario, minted), conf::key(scenario, minted));
        let write = |name: &str, text: &str| -> io::Result<PathBuf> {
            let file = folder.join(name);
            fs::write(&file, text)?;
            Ok(file)
        };
        let demands = scenario.broker.client_certificates.request == Request::Required;
        let authorities = || conf::pem(minted, &scenario.broker.client_certificates.trusts);
        Ok(Self {
            chain: write("broker.pem", &chain)?,
            key: write("broker.key", &key)?,
            both: write("broker_and_key.pem", &format!("{chain}{key}"))?,
            clients: demands.then(|| write("clients.pem", &authorities())).transpose()?,
        })
    }
}

fn nginx_conf(
    nginx: &Nginx,
    tls: &Tls,
    files: &Files,
    address: SocketAddr,
    upstream: SocketAddr,
    own: &Path,
) -> String {
    let module =
        nginx.module.as_ref().map_or_else(String::new, |module| format!("load_module {};\n", module.display()));
    let mut words: String = tls.words.iter().map(|line| format!("        {line}\n")).collect();
    if let Some(clients) = &files.clients {
        words.push_str(&format!(
            "        ssl_verify_client on;\n        ssl_client_certificate {};\n",
            clients.display()
        ));
    }
    format!(
        "{module}# One process, which ends with the bench.\ndaemon off;\nmaster_process off;\npid {}/nginx.pid;\n\
         error_log stderr info;\nevents {{ worker_connections 64; }}\n\
         stream {{\n    server {{\n        listen {address} ssl;\n        ssl_certificate {};\n        \
         ssl_certificate_key {};\n{words}        proxy_pass {upstream};\n    }}\n}}\n",
        own.display(),
        files.chain.display(),
        files.key.display()
    )
}

fn haproxy_conf(tls: &Tls, files: &Files, upstream: SocketAddr) -> String {
    let mut words: String = tls.words.iter().map(|word| format!(" {word}")).collect();
    if let Some(clients) = &files.clients {
        words.push_str(&format!(" verify required ca-file {}", clients.display()));
    }
    format!(
        "global\n    log stderr format raw local0\ndefaults\n    mode tcp\n    log global\n    option tcplog\n    \
         timeout connect 5s\n    timeout client 1h\n    timeout server 1h\nlisten broker\n    \
         # The bench hands its listener over as standard input.\n    bind fd@0 ssl crt {}{words}\n    server mqtt {upstream}\n",
        files.both.display()
    )
}
