//! Where the programs of this machine are that controls and real brokers need.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scenario::controls::Control;

use crate::controls::paho;

/// Names, with commas between, of what has to be there: what is missing is then the bench's failure and no longer a
/// reason to leave something out. CI, which installs them all, sets it.
pub const REQUIRED: &str = "SHAKEDOWN_REQUIRED_TOOLS";

/// Folders that hold servers and that are not on everybody's search path.
const SERVERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// A program, or a product, that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Why, and the remedy.
    pub reason: String,
    /// Whether it has to be there.
    pub required: bool,
}

/// The program of `control`; `None` for the one that is inside the bench.
///
/// # Errors
///
/// If it is not there.
pub fn of_control(control: Control, root: &Path) -> Result<Option<PathBuf>, Missing> {
    let (name, remedy) = match control {
        Control::Rustls => return Ok(None),
        Control::MosquittoPub => ("mosquitto_pub", "apt-get install mosquitto-clients"),
        Control::Openssl => ("openssl", "apt-get install openssl"),
        Control::Paho => {
            let python = paho::python(&root.join(paho::ENVIRONMENT));
            return if python.exists() {
                Ok(Some(python))
            } else {
                Err(missing("paho", "cargo xtask controls install"))
            };
        }
    };
    find(name, remedy).map(Some)
}

/// The broker mosquitto.
///
/// # Errors
///
/// If it is not there.
pub fn mosquitto() -> Result<PathBuf, Missing> {
    find("mosquitto", "apt-get install mosquitto")
}

/// The program that writes mosquitto's password files.
///
/// # Errors
///
/// If it is not there.
pub fn mosquitto_passwd() -> Result<PathBuf, Missing> {
    find("mosquitto_passwd", "apt-get install mosquitto")
}

/// nginx that proxies streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// The program.
    pub program: PathBuf,
    /// The file of its stream module, where that is no part of the program.
    pub module: Option<PathBuf>,
}

/// nginx, with the module that proxies streams.
///
/// # Errors
///
/// If one of them is not there.
pub fn nginx() -> Result<Nginx, Missing> {
    let remedy = "apt-get install nginx libnginx-mod-stream";
    let program = find("nginx", remedy)?;
    // `nginx -V` says how it was built, on standard error.
    let output = Command::new(&program).arg("-V").env_clear().stdin(Stdio::null()).output();
    let built = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    let mut words = built.split_whitespace();
    if words.clone().any(|word| word == "--with-stream") && words.clone().any(|word| word == "--with-stream_ssl_module")
    {
        return Ok(Nginx { program, module: None });
    }
    let folder = words.find_map(|word| word.strip_prefix("--modules-path=")).map(PathBuf::from);
    let module = folder.map(|folder| folder.join("ngx_stream_module.so")).filter(|file| file.is_file());
    module
        .map(|module| Nginx { program, module: Some(module) })
        .ok_or_else(|| missing("nginx", "apt-get install libnginx-mod-stream"))
}

/// HAProxy.
///
/// # Errors
///
/// If it is not there.
pub fn haproxy() -> Result<PathBuf, Missing> {
    find("haproxy", "apt-get install haproxy")
}

fn find(name: &str, remedy: &str) -> Result<PathBuf, Missing> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SERVERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION))
        .find(|file| file.is_file())
        .ok_or_else(|| missing(name, remedy))
}

/// Whether [`REQUIRED`] names it.
pub fn is_required(name: &str) -> bool {
    env::var(REQUIRED).is_ok_and(|names| names.split(',').any(|wanted| wanted.trim() == name))
}

fn missing(name: &str, remedy: &str) -> Missing {
    Missing { reason: format!("{name} is not installed (`{remedy}`)"), required: is_required(name) }
}
