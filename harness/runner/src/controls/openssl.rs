//! The control `openssl s_client` (openssl-s_client(1)), with the bytes of MQTT on its standard input.

use std::io;
use std::path::Path;
use std::time::Duration;

use blame::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time;

use crate::controls::login::Login;
use crate::controls::report::{ControlReport, Ended};
use crate::controls::task::{Task, Tls};
use host::process::{self, Group};

/// What is read at once, in bytes.
const READ_BYTES_MAX: usize = 4 * 1024;

/// Runs the control.
///
/// # Errors
///
/// If it cannot be started.
pub async fn run(program: &Path, task: &Task, tls: &Tls, limit: Duration) -> io::Result<ControlReport> {
    let mut command = command(program, task, tls);
    command.stdin(std::process::Stdio::piped());
    let mut group = Group::spawn(&mut command)?;
    let (Some(stdin), Some(stdout)) = (group.child.stdin.take(), group.child.stdout.take()) else {
        return Err(io::Error::other("a pipe is missing"));
    };
    let stderr = group.child.stderr.take();
    let talk = async {
        let (published, stderr) = tokio::join!(converse(task, stdin, stdout), process::kept(stderr));
        let status = group.child.wait().await;
        (published, stderr, status)
    };
    let (ended, words) = match time::timeout(limit, talk).await {
        Err(_) => (Ended::OutOfTime, String::new()),
        Ok((published, stderr, _)) => {
            let mut words = String::from_utf8_lossy(&stderr).into_owned();
            if let Err(error) = &published {
                words.push_str(&format!("\n(mqtt) {error}"));
            }
            (if published.is_ok() { Ended::Published } else { Ended::Failed }, words)
        }
    };
    let key_log = host::text(&tls.key_log_file, &host::limit::KEY_LOG).unwrap_or_default();
    Ok(ControlReport { ended, words, key_log })
}

fn command(program: &Path, task: &Task, tls: &Tls) -> Command {
    let mut command = process::command(program);
    // Quiet: standard output is the server's bytes and nothing else, and no letter is a command.
    command.args(["s_client", "-quiet", "-connect"]).arg(task.address.to_string());
    command.arg("-CAfile").arg(&tls.authorities_file).args(["-no-CApath", "-no-CAstore"]);
    // Without `-verify` it goes on whatever it finds.
    command.args(["-verify", "8", "-verify_return_error", "-verify_quiet"]);
    if task.dials_address() {
        command.arg("-noservername").arg("-verify_ip").arg(&task.dials);
    } else {
        command.arg("-servername").arg(&task.dials).arg("-verify_hostname").arg(&task.dials);
    }
    command.arg("-keylogfile").arg(&tls.key_log_file);
    if let Some(own) = &tls.own {
        // Of this file it takes the first certificate only.
        command.arg("-cert").arg(&own.chain_file).arg("-key").arg(&own.key_file);
        if let Some(intermediates) = &own.intermediates_file {
            command.arg("-cert_chain").arg(intermediates);
        }
    }
    command
}

/// Ends when the message is published and the connection closed, or with an error as soon as that cannot be.
async fn converse(task: &Task, mut stdin: ChildStdin, mut stdout: ChildStdout) -> blame::Result<()> {
    let (mut login, connect) = Login::new(task)?;
    // It reads its input once the handshake is complete, and closes it if there never is one.
    let lost = |error: io::Error| Error::bench(error);
    stdin.write_all(&connect).await.map_err(lost)?;
    let mut buffer = [0; READ_BYTES_MAX];
    while !login.is_done() {
        let count = stdout.read(&mut buffer).await.map_err(lost)?;
        if count == 0 {
            return Err(Error::bench("the connection ended"));
        }
        let answer = login.hear(buffer.get(..count).unwrap_or_default())?;
        stdin.write_all(&answer).await.map_err(lost)?;
    }
    // MQTT 3.1.1 [MQTT-3.14.4-2]: the broker closes after DISCONNECT, if the client has not, and the pipe with it.
    drop(stdin);
    while stdout.read(&mut buffer).await.map_err(lost)? > 0 {}
    Ok(())
}
