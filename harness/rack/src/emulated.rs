//! Boards that the bench makes itself, because the map says `probe = "emulated"`: each a process of its own, which ends
//! with this one.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use blame::{Error, Result};
use chip::Chip;

/// What the process says when its board can be reached.
const READY: &str = "ready";
/// How long a board may take to answer on its control socket.
const CONTROL_MAX: Duration = Duration::from_secs(10);
/// How long it may take to end by itself.
const END_MAX: Duration = Duration::from_secs(2);

/// A virtual board's process. Dropped, it ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    /// Starts the board `name`, as a process of `program`, which is this one.
    ///
    /// # Errors
    ///
    /// If the process does not come up.
    pub fn start(program: &Path, name: &str, chip: &Chip, seed: u64) -> Result<Self> {
        // Not below the workspace: the names of sockets have at most 107 bytes (unix(7)).
        let folder = std::env::temp_dir().join(format!("shakedown-{}-{name}", std::process::id()));
        let failed = |error: std::io::Error| Error::bench(format!("the emulated board {name} does not start: {error}"));
        own_folder(&folder).map_err(failed)?;
        let mut command = Command::new(program);
        command
            .arg("virtual-board")
            .args(["--board", chip.name])
            .arg("--serial")
            .arg(folder.join("serial"))
            .arg("--modem")
            .arg(folder.join("modem"));
        command
            .arg("--control")
            .arg(folder.join("control"))
            .arg("--jtag")
            .arg(folder.join("jtag"))
            .arg("--seed")
            .arg(format!("{seed:x}"));
        // Its standard input is a pipe that nobody writes to: it ends with us, however we end.
        command.arg("--until-input-ends").stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(failed)?;
        let output = child.stdout.take();
        let process = Self { child, folder };
        let mut line = String::new();
        let read = output.map(|output| BufReader::new(output).read_line(&mut line));
        match read {
            Some(Ok(_)) if line.trim() == READY => Ok(process),
            _ => {
                let said = line.trim().escape_debug();
                Err(Error::bench(format!("the emulated board {name} does not start: it said `{said}`")))
            }
        }
    }

    /// The firmware's serial port.
    pub fn serial(&self) -> PathBuf {
        self.folder.join("serial")
    }

    /// The port at which it would have its modem.
    pub fn modem(&self) -> PathBuf {
        self.folder.join("modem")
    }

    /// The socket of its JTAG port.
    pub fn jtag(&self) -> PathBuf {
        self.folder.join("jtag")
    }

    /// Its control socket.
    pub fn control(&self) -> PathBuf {
        self.folder.join("control")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input is its end; it says goodbye to its ports then.
        drop(self.child.stdin.take());
        let until = Instant::now() + END_MAX;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder that was not there, or is not any more, for nobody else: what lies in it is obeyed.
fn own_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // Of a process of the same number, which was killed.
            std::fs::remove_dir_all(folder)?;
            builder.create(folder)
        }
        made => made,
    }
}

/// `cargo xtask virtual-board`: the other side of it. With `until_input_ends` it ends with standard input.
///
/// # Errors
///
/// If a name is taken, or a pseudo-terminal cannot be had.
#[cfg(unix)]
pub fn run(settings: board::virtual_board::Settings, until_input_ends: bool) -> Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let stop = Arc::new(AtomicBool::new(false));
    let (serial, control) = (settings.serial.clone(), settings.control.clone());
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::usage(format!("{error}: name another place, or move it away")),
        _ => Error::file(&serial, error),
    };
    let mut board = board::VirtualBoard::new(settings).map_err(failed)?;
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(Error::bench)?;
    if until_input_ends {
        let flag = Arc::clone(&stop);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            flag.store(true, Ordering::SeqCst);
        });
    }
    terminal::outln!("{READY}");
    if !until_input_ends {
        terminal::errln!("serial port {}, until Ctrl-C", serial.display());
    }
    let result = board.run(&stop).map_err(failed);
    drop(board);
    // Whoever made the folder may have been killed. One with something in it is somebody's.
    if let Some(folder) = control.parent().filter(|_| until_input_ends) {
        let _ = std::fs::remove_dir(folder);
    }
    result
}

/// Elsewhere there are no pseudo-terminals.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub fn run(_: board::virtual_board::Settings, _: bool) -> Result<()> {
    Err(Error::bench("virtual boards need Unix"))
}

/// The program that holds a virtual board's probe without probe-rs, and the selector for it.
///
/// # Errors
///
/// If this program lies where no JSON could say.
pub fn direct_flasher(program: &Path, control: &Path) -> Result<(Vec<String>, String)> {
    let program = program.to_str().ok_or_else(|| Error::bench("this program's path is not Unicode"))?;
    Ok((vec![program.to_owned(), "virtual-probe".into()], format!("control:{}", control.display())))
}

/// `runner virtual-probe`.
///
/// # Errors
///
/// If standard output is gone.
#[cfg(unix)]
pub fn hold_probe() -> Result<()> {
    board::virtual_board::probe::serve().map_err(Error::bench)
}

/// `cargo xtask virtual-control`: says `words` to the board that listens at `socket`, and prints its answer.
///
/// # Errors
///
/// The board's words of failure.
#[cfg(unix)]
pub fn control(socket: &Path, words: &str) -> Result<()> {
    let answer = board::virtual_board::ask_within(socket, words, CONTROL_MAX).map_err(Error::bench)?;
    if !answer.is_empty() {
        terminal::outln!("{answer}");
    }
    Ok(())
}

/// Elsewhere there are no virtual boards.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub fn control(_: &Path, _: &str) -> Result<()> {
    Err(Error::bench("virtual boards need Unix"))
}

/// Elsewhere there are no virtual boards.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub fn hold_probe() -> Result<()> {
    Err(Error::bench("virtual boards need Unix"))
}
