//! What the tests of the rack stand on: a folder with a map, virtual boards, and `hil` as a process.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use report::model::Run;
use tempfile::TempDir;

pub use crate::support::{ends_with, root, words};

/// The program under test.
pub const RUNNER: &str = env!("CARGO_BIN_EXE_runner");

/// A machine's rack, in a folder of its own.
pub struct Stand {
    folder: TempDir,
}

impl Stand {
    /// An empty rack.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("map")).expect("a folder");
        Self { folder }
    }

    /// A rack with emulated boards that the bench makes itself.
    pub fn of_emulated(names: &[&str]) -> Self {
        let stand = Self::new();
        for name in names {
            stand.describe(name, "chip = \"esp32c3\"\nprobe = \"emulated\"\n");
        }
        stand
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a board's file.
    pub fn describe(&self, name: &str, text: &str) {
        fs::write(self.path("map").join(format!("{name}.toml")), text).expect("a file");
    }

    /// The folder of locks.
    pub fn locks(&self) -> PathBuf {
        self.path("locks")
    }

    /// `hil --on hardware` on one released image, with everything that is written in the folder.
    pub fn hil(&self, words: &[&str]) -> Command {
        let mut command = self.hil_on_any(words);
        command.args(["--stack", "esp32c3_mbedtls"]);
        command
    }

    /// The same, whatever the image.
    pub fn hil_on_any(&self, words: &[&str]) -> Command {
        let mut command = Command::new(RUNNER);
        command
            .args(["hil", "--board", "esp32c3", "--on", "hardware"])
            .arg("--map")
            .arg(self.path("map"))
            .arg("--artefacts")
            .arg(self.path("artefacts"))
            .arg("--report")
            .arg(format!("json={}", self.path("report.json").display()))
            .args(words)
            .env("SHAKEDOWN_ROOT", root())
            .env("SHAKEDOWN_LOCKS", self.locks());
        command
    }

    /// The report of the last run.
    pub fn report(&self) -> Run {
        let text = fs::read_to_string(self.path("report.json")).expect("a report");
        report::json::read(&text).expect("a report")
    }

    /// A board of its own, with a file in the map that leads to it as to any other.
    pub fn board(&self, name: &str, more: &str) -> Board<'_> {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect("a folder");
        let (serial, control) = (folder.join("serial"), folder.join("control"));
        let mut process = Command::new(RUNNER)
            .arg("virtual-board")
            .arg("--serial")
            .arg(&serial)
            .arg("--control")
            .arg(&control)
            .arg("--until-input-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the runner starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        let words = |words: &str| format!("[{RUNNER:?}, \"virtual-control\", {control:?}, {words:?}]");
        let text = format!(
            "chip = \"esp32c3\"\nprobe = \"control:{}\"\nserial = {serial:?}\nflasher = [{RUNNER:?}, \"virtual-probe\"]\n\
             usb_reset = {}\n{more}\n[power]\noff = {}\non = {}\n",
            control.display(),
            words("usb_reset"),
            words("power off"),
            words("power on"),
        );
        self.describe(name, &text);
        Board { process, control, _stand: self }
    }
}

/// A virtual board's process. Dropped, it ends.
pub struct Board<'a> {
    process: Child,
    control: PathBuf,
    _stand: &'a Stand,
}

impl Board<'_> {
    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Says something to it, and has its answer.
    pub fn ask(&self, words: &str) -> String {
        board::virtual_board::ask_within(&self.control, words, std::time::Duration::from_secs(10)).expect(words)
    }
}

impl Drop for Board<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
