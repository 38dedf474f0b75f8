//! The control `mosquitto_pub` (mosquitto_pub(1)).

use std::path::Path;

use tokio::process::Command;

use crate::controls::task::Task;
use host::process;

/// The shortest keep-alive that it takes, in seconds (`client_config_load` in mosquitto's client/client_shared.c).
const KEEP_ALIVE_S_MIN: u16 = 5;

/// The command that publishes the message of `task`.
pub fn command(program: &Path, task: &Task) -> Command {
    let mut command = process::command(program);
    command.args(["-d", "-V", "mqttv311", "-q", "1"]);
    command.arg("-h").arg(&task.dials).arg("-p").arg(task.address.port().to_string());
    command.arg("-t").arg(&task.topic).arg("-m").arg(&task.payload);
    if !task.client_id.is_empty() {
        command.arg("-i").arg(&task.client_id);
    }
    if !task.clean_session {
        command.arg("-c");
    }
    if task.keep_alive_s >= KEEP_ALIVE_S_MIN {
        command.arg("-k").arg(task.keep_alive_s.to_string());
    }
    if let Some(user_name) = &task.user_name {
        command.arg("-u").arg(user_name);
    }
    if let Some(password) = &task.password {
        command.arg("-P").arg(password);
    }
    if let Some(tls) = &task.tls {
        command.arg("--cafile").arg(&tls.authorities_file);
        if let Some(own) = &tls.own {
            command.arg("--cert").arg(&own.chain_file).arg("--key").arg(&own.key_file);
        }
    }
    command
}
