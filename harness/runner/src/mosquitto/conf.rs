//! mosquitto.conf(5) as people write it, moved to where a bench without root can run it.
//!
//! Paths go below the run's folder, ports to free ones of the loopback; every other line stays as it stands. The files
//! that a configuration names are made by the bench.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use blame::Error;
use pki::{Minted, MintedCertificate};
use scenario::Scenario;
use scenario::broker::Request;
use scenario::device::Version;
use scenario::mosquitto::line::{Setting, setting};
use scenario::mosquitto::options::{Role, Treatment};

use crate::mosquitto::Programs;

/// The group ffdhe2048 of RFC 7919 appendix A.1, for `dhparamfile`: as good as any that people generate.
const DH_PARAMETERS: &str = include_str!("ffdhe2048.pem");

/// A configuration where it can be run.
#[derive(Clone, Debug, Default)]
pub struct Relocated {
    /// Its text.
    pub text: String,
    /// The listeners' addresses, by their ports in the original.
    pub ports: BTreeMap<u16, SocketAddr>,
    /// What has to be there before mosquitto starts.
    pub files: Vec<(Role, PathBuf)>,
}

/// The configuration of `scenario`, moved below `folder`; `free_port` is asked for a port for each listener.
///
/// # Errors
///
/// If a line cannot be moved: its author's fault, with the line; or if there is no free port.
pub fn relocated(
    scenario: &Scenario,
    folder: &Path,
    free_port: &mut dyn FnMut(u16) -> io::Result<u16>,
) -> blame::Result<Relocated> {
    let told = scenario.mosquitto.clone().unwrap_or_default();
    let original = told.conf.unwrap_or_else(|| generated(scenario));
    let mut moved = Relocated::default();
    for (index, line) in original.lines().enumerate() {
        moved.line(line, folder, free_port).map_err(|error| error.about(format_args!("line {} of conf", index + 1)))?;
    }
    for line in &told.options {
        moved.line(line, folder, free_port).map_err(|error| error.about(format_args!("`{line}`")))?;
    }
    // What the bench reads: that it runs, and what it has to say of its clients.
    moved.text.push_str("log_dest stderr\nlog_type all\n");
    if moved.ports.contains_key(&scenario.device.port) {
        return Ok(moved);
    }
    let port = scenario.device.port;
    Err(Error::author(format!("the device dials port {port}, and the configuration has no listener there")))
}

impl Relocated {
    fn line(
        &mut self,
        line: &str,
        folder: &Path,
        free_port: &mut dyn FnMut(u16) -> io::Result<u16>,
    ) -> blame::Result<()> {
        let Some(Setting { option, value, treatment }) = setting(line).map_err(Error::author)? else {
            return Ok(());
        };
        let _ = match treatment {
            Treatment::Kept | Treatment::OneOf(_) | Treatment::FileName => writeln!(self.text, "{option} {value}"),
            Treatment::LeftOut => Ok(()),
            Treatment::LogDestination if value.is_empty() => Ok(()),
            Treatment::LogDestination => {
                let here = below(folder, value)?;
                let written = writeln!(self.text, "{option} file {}", here.display());
                self.files.push((Role::Written, here));
                written
            }
            Treatment::Path(role) => {
                let here = below(folder, value)?;
                // mosquitto appends file names to `persistence_location` without a separator.
                let end = if role == Role::Folder { "/" } else { "" };
                let written = writeln!(self.text, "{option} {}{end}", here.display());
                self.files.push((role, here));
                written
            }
            Treatment::Listener => {
                let port = value.parse().map_err(|_| Error::author(format!("`{value}` is no port")))?;
                let here = free_port(port).map_err(|error| Error::bench(format!("no free port: {error}")))?;
                self.ports.insert(port, SocketAddr::from((Ipv4Addr::LOCALHOST, here)));
                match option {
                    "listener" => writeln!(self.text, "listener {here} {}", Ipv4Addr::LOCALHOST),
                    _ => writeln!(self.text, "port {here}\nbind_address {}", Ipv4Addr::LOCALHOST),
                }
            }
        };
        Ok(())
    }
}

/// `path` below `folder`, from which it cannot escape.
fn below(folder: &Path, path: &str) -> blame::Result<PathBuf> {
    let mut here = folder.join("files");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => here.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::author(format!("`{path}` leads out of its folder")));
            }
        }
    }
    Ok(here)
}

/// What `[broker]` says, in mosquitto's words.
fn generated(scenario: &Scenario) -> String {
    let broker = &scenario.broker;
    let mut conf = format!("per_listener_settings true\nlistener {}\n", scenario.device.port);
    let _ = writeln!(conf, "allow_anonymous {}", broker.mqtt.allow_anonymous);
    if !broker.mqtt.users.is_empty() {
        conf.push_str("password_file passwords\n");
    }
    if broker.tls {
        conf.push_str("certfile server.crt\nkeyfile server.key\n");
        // The lowest that is allowed, since mosquitto 2.0.
        if let Some(version) = broker.versions.iter().min() {
            let _ = writeln!(conf, "tls_version {}", tls_version(*version));
        }
        if broker.client_certificates.request == Request::Required {
            conf.push_str("cafile ca.crt\nrequire_certificate true\n");
        }
        if broker.client_certificates.identity_is_user_name {
            conf.push_str("use_identity_as_username true\n");
        }
    }
    conf
}

const fn tls_version(version: Version) -> &'static str {
    match version {
        Version::Tls10 => "tlsv1.0",
        Version::Tls11 => "tlsv1.1",
        Version::Tls12 => "tlsv1.2",
        Version::Tls13 => "tlsv1.3",
    }
}

/// Makes the files that `configuration` names.
///
/// # Errors
///
/// If the disk or mosquitto_passwd(1) refuses.
pub fn write_files(
    scenario: &Scenario,
    minted: &Minted,
    configuration: &Relocated,
    programs: &Programs,
) -> blame::Result<()> {
    let broker = &scenario.broker;
    for (role, path) in &configuration.files {
        let failed = |error: io::Error| Error::file(path, error);
        let folder = if *role == Role::Folder { Some(path.as_path()) } else { path.parent() };
        folder.map(fs::create_dir_all).transpose().map_err(failed)?;
        match role {
            Role::Chain => fs::write(path, chain(scenario, minted)).map_err(failed)?,
            Role::Key => fs::write(path, key(scenario, minted)).map_err(failed)?,
            Role::Authorities => fs::write(path, pem(minted, &broker.client_certificates.trusts)).map_err(failed)?,
            Role::DhParameters => fs::write(path, DH_PARAMETERS).map_err(failed)?,
            Role::Passwords => {
                let users = broker.mqtt.users.iter().map(|(name, password)| format!("{name}:{password}\n"));
                fs::write(path, users.collect::<String>()).map_err(failed)?;
                hash_passwords(path, &programs.passwords)?;
            }
            Role::Folder | Role::Written => {}
        }
    }
    Ok(())
}

/// These certificates, PEM.
pub fn pem(minted: &Minted, names: &[String]) -> String {
    names.iter().filter_map(|name| minted.certificates.get(name)).map(MintedCertificate::pem).collect()
}

/// What the broker sends, PEM.
pub fn chain(scenario: &Scenario, minted: &Minted) -> String {
    pem(minted, &scenario.broker.certificates)
}

/// The broker's key, PEM; empty if it has none.
pub fn key(scenario: &Scenario, minted: &Minted) -> String {
    let broker = &scenario.broker;
    let name = broker.key_of.as_ref().or(broker.certificates.first());
    name.and_then(|name| minted.certificates.get(name)).map(MintedCertificate::key_pem).unwrap_or_default()
}

/// Replaces passwords by their hashes, as mosquitto wants them (mosquitto_passwd(1), `-U`).
fn hash_passwords(file: &Path, program: &Path) -> blame::Result<()> {
    let output = Command::new(program)
        .arg("-U")
        .arg(file)
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::file(program, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::bench(format!("{} does not take {}: {said}", program.display(), file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(more: &str) -> Scenario {
        let text = format!(
            "title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 9525 §6', quote = 'q' }}\n\
             [broker]\nreal = 'mosquitto'\n{more}"
        );
        Scenario::parse("mqtt/x", "x.toml", &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn move_it(more: &str) -> blame::Result<Relocated> {
        relocated(&scenario(more), Path::new("/run"), &mut |port| Ok(port + 40_000))
    }

    #[test]
    fn paths_and_ports_are_moved_and_the_rest_stays() {
        let moved = move_it(
            "[mosquitto]\nconf = '''\nper_listener_settings true\npid_file /run/mosquitto/mosquitto.pid\n\
             log_dest file /var/log/mosquitto/mosquitto.log\n# a comment\nuser root\ninclude_dir /etc/conf.d\nlistener 1883\nlistener 8883 0.0.0.0\n\
             certfile  /etc/mosquitto/certs/server.crt\nrequire_certificate true\ntls_version tlsv1.2\n'''\n",
        )
        .unwrap();
        let lines: Vec<&str> = moved.text.lines().collect();
        assert!(lines.contains(&"pid_file /run/files/run/mosquitto/mosquitto.pid"), "{lines:#?}");
        assert!(lines.contains(&"log_dest file /run/files/var/log/mosquitto/mosquitto.log"), "{lines:#?}");
        assert!(lines.contains(&"certfile /run/files/etc/mosquitto/certs/server.crt"), "{lines:#?}");
        assert!(lines.contains(&"listener 41883 127.0.0.1") && lines.contains(&"listener 48883 127.0.0.1"));
        for kept in ["per_listener_settings true", "require_certificate true", "tls_version tlsv1.2"] {
            assert!(lines.contains(&kept), "{kept}");
        }
        assert!(!moved.text.contains("user ") && !moved.text.contains("include_dir"), "{lines:#?}");
        assert_eq!(moved.ports[&8883], "127.0.0.1:48883".parse().unwrap());
    }

    #[test]
    fn no_path_leads_out_of_the_runs_folder_and_no_file_is_promised_that_nobody_makes() {
        for path in ["../../etc/passwd", "/..", "a/../b"] {
            assert!(below(Path::new("/run"), path).unwrap_err().message.contains("leads out"), "{path}");
        }
        assert!(move_it("[mosquitto]\nconf = 'listener 1883'\n").unwrap_err().message.contains("8883"));
    }

    #[test]
    fn a_configuration_is_written_from_the_brokers_table() {
        let moved = move_it("versions = ['1.2']\nclient_certificates = { request = 'required' }\n").unwrap();
        let roles: Vec<Role> = moved.files.iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, [Role::Chain, Role::Key, Role::Authorities]);
        assert!(moved.text.contains("tls_version tlsv1.2\n") && moved.text.contains("require_certificate true\n"));
    }
}
