//! `cargo xtask certificates`: an authority, a broker's and clients' certificates that all chosen stacks accept, with the
//! configuration of mosquitto and the lines for each product. Nothing is handed out that was not tried: each stack meets a
//! real mosquitto with exactly these files.

mod issue;
mod products;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use blame::Error;
use board::Emulated;
use clap::Args;
use pki::spec::Certificate;
use scenario::{Scenario, lan};

use crate::diagnose::target;
use crate::exit::{self, Exit};
use crate::hil::Refusal;
use crate::mosquitto;
use crate::stack::{self, Applicability, Stack};
use crate::trial::Tried;
use host::whole_file;
use report::model::How;

use crate::controls;

use issue::{Issued, Kind};

const EXAMPLES: &str = "\
Examples:
  cargo xtask certificates --for 'arduino*' --for 'esp_idf*' --host 10.0.0.5 --out certs/
  cargo xtask certificates --for '*' --host plant.example --host 10.0.0.5 --client meter-1 --client meter-2 --out certs/

Exit codes: 0 all stacks connect with them; 1 some do not, and nothing is kept; 2 usage; 3 the bench failed; 4 no stack fits";

/// Make certificates that all chosen stacks accept, verified on each of them with a real mosquitto.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Certificates {
    /// The stacks that have to accept them, with `*` for anything (repeatable)
    #[arg(long = "for", value_name = "PATTERN", required = true)]
    pub stacks: Vec<String>,
    /// What devices dial: a DNS name or an address (repeatable)
    #[arg(long, value_name = "NAME|ADDRESS", required = true, value_parser = target::host)]
    pub host: Vec<String>,
    /// A client with a certificate of its own (repeatable)
    #[arg(long, value_name = "NAME", value_parser = client)]
    pub client: Vec<String>,
    /// A folder that does not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How long the broker's and the clients' certificates are valid, in days
    #[arg(long, default_value_t = 397, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    pub days: u16,
}

/// A client's name becomes a file's and a user's.
fn client(text: &str) -> blame::Result<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_good = !text.is_empty() && text.len() <= 40 && text.chars().all(is_plain);
    if is_good { Ok(text.to_owned()) } else { Err(Error::usage("letters, digits, `-` and `_`, at most 40 of them")) }
}

/// How the broker is set up: the more modern first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    kind: Kind,
    /// The lowest version, as mosquitto writes it.
    version: &'static str,
    /// Its suites, where the usual ones do not do.
    ciphers: Option<&'static str>,
}

const PLANS: [Plan; 3] = [
    Plan { kind: Kind::P256, version: "tlsv1.2", ciphers: None },
    Plan { kind: Kind::Rsa2048, version: "tlsv1.2", ciphers: None },
    Plan {
        kind: Kind::Rsa2048,
        version: "tlsv1.1",
        ciphers: Some("ECDHE+AESGCM:ECDHE+AES:AES128-GCM-SHA256:AES128-SHA:AES256-SHA:@SECLEVEL=0"),
    },
];

/// The listener for devices that log in by password.
const BY_PASSWORD: u16 = lan::SECURE_MQTT_PORT;
/// The listener for devices that have a certificate.
const BY_CERTIFICATE: u16 = 8884;
/// Who logs in while it is tried.
const USER: &str = "device";

/// Runs the command.
///
/// # Errors
///
/// What cannot be made, with its remedy.
pub fn run(root: &Path, arguments: &Certificates) -> Result<Exit, Refusal> {
    let stacks =
        stack::matching("--for", stack::of_libraries(root).map_err(Refusal::bench_failed)?, &arguments.stacks)?;
    if let Err(missing) = mosquitto::installed() {
        return Err(Refusal::bench_failed(format!(
            "{}: certificates are tried before they are handed out",
            missing.reason
        )));
    }
    let out = std::path::absolute(&arguments.out).map_err(Refusal::bench_failed)?;
    // Whoever made the folder before has made what is in it.
    make_folder(&out).map_err(|error| {
        Refusal::new(
            exit::USAGE,
            format!("--out {}: {error}: nothing existing is overwritten; name a new folder", out.display()),
        )
    })?;
    let made = make(arguments, &stacks, &out);
    if !matches!(made, Ok(Some(_))) {
        // What was not accepted by all is of no use, and it is ours.
        let _ = fs::remove_dir_all(&out);
    }
    Ok(if made.map_err(Refusal::bench_failed)?.is_some() { exit::AS_EXPECTED } else { exit::OTHERWISE })
}

fn make_folder(out: &Path) -> std::io::Result<()> {
    if let Some(parent) = out.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(out)
}

/// The first plan with which all stacks connect, written down; `None` if there is none.
fn make(arguments: &Certificates, stacks: &[Stack], out: &Path) -> blame::Result<Option<Plan>> {
    let mut why_not: Vec<(Plan, Vec<String>)> = Vec::new();
    for plan in PLANS {
        let issued = issue::issue(plan.kind, &arguments.host, &arguments.client, arguments.days)?;
        terminal::errln!("trying {} and {}", plan.kind.words(), plan.version);
        let tries = Tries { arguments, plan, issued: &issued, folder: out.join("tried") };
        let lines = tries.all(stacks)?;
        let failures: Vec<String> = lines.iter().filter(|line| !line.connects).map(Line::words).collect();
        if failures.is_empty() {
            fs::remove_dir_all(out.join("tried")).map_err(|error| Error::file(&out.join("tried"), error))?;
            let explained = explain(arguments, plan, &why_not, &lines);
            write(arguments, plan, &issued, stacks, out, &explained)?;
            crate::hil::say(&explained);
            return Ok(Some(plan));
        }
        why_not.push((plan, failures));
    }
    let mut told = String::from("no certificates and settings that are known here are accepted by all of them:\n");
    for (plan, failures) in why_not {
        let _ = writeln!(told, "{}, {}: not {}", plan.kind.words(), plan.version, failures.join("; "));
    }
    terminal::errln!("{told}Choose fewer stacks by --for.");
    Ok(None)
}

/// What came of one stack with one host, on one listener.
struct Line {
    stack: String,
    host: String,
    port: u16,
    connects: bool,
    phrase: String,
}

impl Line {
    fn words(&self) -> String {
        format!("{} by {} on {}: {}", self.stack, self.host, self.port, self.phrase)
    }
}

struct Tries<'a> {
    arguments: &'a Certificates,
    plan: Plan,
    issued: &'a Issued,
    folder: PathBuf,
}

impl Tries<'_> {
    /// Each stack, by each host, on each listener that it can use.
    fn all(&self, stacks: &[Stack]) -> blame::Result<Vec<Line>> {
        let mut lines = Vec::new();
        for stack in stacks {
            for host in &self.arguments.host {
                for client in std::iter::once(None).chain(self.issued.clients.first().map(Some)) {
                    let scenario = self.scenario(host, client)?;
                    if let Some(line) = self.one(stack, host, &scenario)? {
                        terminal::errln!("  {}", line.words());
                        lines.push(line);
                    }
                }
            }
        }
        Ok(lines)
    }

    fn one(&self, stack: &Stack, host: &str, scenario: &Scenario) -> blame::Result<Option<Line>> {
        let port = scenario.device.port;
        let line =
            |connects, phrase| Some(Line { stack: stack.name.clone(), host: host.to_owned(), port, connects, phrase });
        if let Applicability::NotApplicable(why) = stack.applicability(scenario) {
            // Who has no place for a certificate logs in by password.
            return Ok(if port == BY_CERTIFICATE { None } else { line(false, why) });
        }
        let seed = crate::diagnose::secret()?;
        let mut board = Emulated::of(stack.chip(), seed).map_err(Error::bench)?;
        let met = mosquitto::meet(scenario, stack, &mut board, 0, controls::today(), &self.folder)?;
        let judged = match met.judged(scenario, stack, &board, 0)? {
            Tried::Run(trial) => trial.judged,
            Tried::NotApplicable(why) => return Err(Error::bench(why)),
        };
        if judged.unsupported.is_some() && port == BY_CERTIFICATE {
            return Ok(None);
        }
        let said = &judged.account.device_words;
        let phrase =
            if said.is_empty() { judged.account.phrase() } else { format!("{} ({said})", judged.account.phrase()) };
        Ok(line(judged.account.how == How::Connected, phrase))
    }

    /// A device that dials `host`, and mosquitto with the configuration that is handed out.
    fn scenario(&self, host: &str, client: Option<&issue::Pair>) -> blame::Result<Scenario> {
        let text = "title = \"Certificates that were just made\"\n\
                    specification = { demands = \"connect\", rule = \"RFC 9525 §6\", quote = \"x\" }\n\
                    broker.real = \"mosquitto\"\n";
        let mut scenario = Scenario::parse("identity/given", "certificates", text).map_err(Error::bench)?;
        let given = |pem: String| Certificate { pem: Some(pem), ..Certificate::default() };
        let mut put = |name: &str, pair: &issue::Pair| {
            scenario.pki.0.insert(name.to_owned(), given(format!("{}{}", pair.certificate, pair.key)));
        };
        put("authority", &self.issued.authority);
        put("broker", &self.issued.broker);
        if let Some(client) = client {
            put("own", client);
            scenario.device.certificates = vec!["own".into()];
        }
        scenario.device.dials = host.to_owned();
        scenario.device.trusts = vec!["authority".into()];
        scenario.device.port = if client.is_some() { BY_CERTIFICATE } else { BY_PASSWORD };
        if host.parse::<std::net::IpAddr>().is_err() {
            scenario.network.hosts.insert(host.to_owned(), vec![lan::BROKER_IPV4.into()]);
        }
        let password = format!("{:016x}", crate::diagnose::secret()?);
        if client.is_none() {
            scenario.device.plan.mqtt.user_name = Some(USER.into());
            scenario.device.plan.mqtt.password = Some(password.clone());
        }
        scenario.broker.mqtt.users.insert(USER.into(), password);
        scenario.broker.certificates = vec!["broker".into()];
        scenario.broker.client_certificates.trusts = vec!["authority".into()];
        let conf = mosquitto_conf(self.plan, Path::new("/"), true);
        scenario.mosquitto = Some(scenario::mosquitto::Mosquitto { conf: Some(conf), options: Vec::new() });
        Ok(scenario)
    }
}

/// The configuration, with its files in `folder`.
fn mosquitto_conf(plan: Plan, folder: &Path, has_clients: bool) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let listener = |port: u16, about: &str| {
        let (chain, key) = (path("broker.pem"), path("broker.key"));
        let ciphers = plan.ciphers.map_or_else(String::new, |ciphers| format!("ciphers {ciphers}\n"));
        let version = plan.version;
        format!(
            "\n# {about}\nlistener {port}\ncertfile {chain}\nkeyfile {key}\ntls_version {version}\n{ciphers}allow_anonymous false\n"
        )
    };
    let by_password = "Devices that log in by password: `mosquitto_passwd -c passwords NAME` makes the file.";
    let mut conf = format!("per_listener_settings true\n{}", listener(BY_PASSWORD, by_password));
    let _ = writeln!(conf, "password_file {}", path("passwords"));
    if has_clients {
        conf.push_str(&listener(
            BY_CERTIFICATE,
            "Devices with a certificate of their own, whose name is then the user.",
        ));
        let _ = writeln!(conf, "cafile {}\nrequire_certificate true\nuse_identity_as_username true", path("ca.pem"));
    }
    conf
}

/// What was chosen, why, and that it was tried.
fn explain(arguments: &Certificates, plan: Plan, why_not: &[(Plan, Vec<String>)], lines: &[Line]) -> String {
    let mut told = String::new();
    let _ = writeln!(told, "Key        {}: {}", plan.kind.words(), plan.kind.why());
    for (other, failures) in why_not {
        let _ = writeln!(told, "           not {} with {}: {}", other.kind.words(), other.version, failures.join("; "));
    }
    let _ = writeln!(told, "Signature  SHA-256: every stack checks it, and some check nothing older.");
    for host in &arguments.host {
        let _ = match host.parse::<std::net::IpAddr>() {
            Ok(_) => writeln!(
                told,
                "Name       {host} as iPAddress, as RFC 9525 has it, and as dNSName for BearSSL and Mbed TLS before 3.5, which know no \
                 iPAddress."
            ),
            Err(_) => {
                writeln!(told, "Name       {host} as dNSName; the common name counts for nobody who goes by RFC 9525.")
            }
        };
    }
    let _ = writeln!(
        told,
        "Chain      signed by the authority itself: no intermediate has to be sent, and small buffers hold it.\n\
         Dates      from yesterday, for devices whose clock is behind, {} days; the authority until 2037, before clocks of 32 \
         bits end.\n\
         Version    {} and later{}.",
        arguments.days,
        plan.version,
        if plan.ciphers.is_some() {
            ": obsolete (RFC 8996), for devices that have nothing better; put them on a network of their own"
        } else {
            ""
        }
    );
    let _ = writeln!(told, "Tried      each with a real mosquitto and these files:");
    for line in lines {
        let _ = writeln!(told, "           {}", line.words());
    }
    told
}

fn write(
    arguments: &Certificates,
    plan: Plan,
    issued: &Issued,
    stacks: &[Stack],
    out: &Path,
    explained: &str,
) -> blame::Result<()> {
    let failed = |file: &Path, error: std::io::Error| Error::file(file, error);
    let open = |name: &str, text: &str| {
        let file = out.join(name);
        whole_file::write(&file, text).map_err(|error| failed(&file, error))
    };
    let secret = |name: &str, text: &str| {
        let file = out.join(name);
        whole_file::write_private(&file, text.as_bytes()).map_err(|error| failed(&file, error))
    };
    open("ca.pem", &issued.authority.certificate)?;
    secret("ca.key", &issued.authority.key)?;
    open("broker.pem", &issued.broker.certificate)?;
    secret("broker.key", &issued.broker.key)?;
    for client in &issued.clients {
        open(&format!("{}.pem", client.name), &client.certificate)?;
        secret(&format!("{}.key", client.name), &client.key)?;
    }
    open("mosquitto.conf", &mosquitto_conf(plan, out, !issued.clients.is_empty()))?;
    open("EXPLANATION.txt", explained)?;
    let dialled = arguments.host.first().map(String::as_str).unwrap_or_default();
    for (product, text) in products::lines(stacks, dialled, &issued.authority.certificate) {
        open(&format!("devices/{product}.txt"), &text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_its_files_once_for_each_listener() {
        let conf = mosquitto_conf(PLANS[2], Path::new("/etc/x"), true);
        assert_eq!(conf.matches("certfile /etc/x/broker.pem").count(), 2);
        assert_eq!(conf.matches("tls_version tlsv1.1").count(), 2);
        assert!(conf.contains("listener 8884") && conf.contains("cafile /etc/x/ca.pem"));
        let plain = mosquitto_conf(PLANS[0], Path::new("/etc/x"), false);
        assert!(!plain.contains("8884") && !plain.contains("ciphers") && !plain.contains("allow_anonymous true"));
    }

    #[test]
    fn names_of_clients_are_names_of_files() {
        assert_eq!(client("meter-1"), Ok("meter-1".into()));
        for wrong in ["", "../x", "a b", &"a".repeat(41)] {
            assert!(client(wrong).is_err(), "{wrong}");
        }
    }
}
