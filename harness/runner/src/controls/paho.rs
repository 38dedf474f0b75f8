//! The control Paho for Python: a script of ours over the pinned package, in the environment of
//! `cargo xtask controls install`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use crate::controls::task::Task;
use host::process;

/// The script.
const SCRIPT: &str = include_str!("paho_client.py");

/// The packages of its environment, with their hashes.
pub const REQUIREMENTS: &str = include_str!("paho_requirements.txt");

/// The folder of its environment, below the workspace's root.
pub const ENVIRONMENT: &str = "target/controls/paho";

/// The Python of this machine, of which environments are made.
pub fn system_python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

/// The Python of its environment, below `environment`.
pub fn python(environment: &Path) -> PathBuf {
    if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python") }
}

/// The command that publishes the message of `task`. The script and what it is told lie in the run's folder.
///
/// # Errors
///
/// If the disk refuses.
pub fn command(python: &Path, task: &Task) -> io::Result<Command> {
    let script = task.folder.join("paho_client.py");
    let told = task.folder.join("paho_client.json");
    fs::write(&script, SCRIPT)?;
    let own = task.tls.as_ref().and_then(|tls| tls.own.as_ref());
    let words = json!({
        "host": task.dials,
        "port": task.address.port(),
        "client_id": task.client_id,
        "user_name": task.user_name,
        "password": task.password,
        "keep_alive_s": task.keep_alive_s,
        "clean_session": task.clean_session,
        "topic": task.topic,
        "payload": task.payload,
        "authorities": task.tls.as_ref().map(|tls| &tls.authorities_file),
        "certificate": own.map(|own| &own.chain_file),
        "key": own.map(|own| &own.key_file),
        "key_log": task.tls.as_ref().map(|tls| &tls.key_log_file),
    });
    fs::write(&told, format!("{words:#}\n"))?;
    let mut command = process::command(python);
    // Isolated: neither the user's packages nor the environment's variables count.
    command.arg("-I").arg(&script).arg(&told);
    Ok(command)
}
