//! A headless Chromium, spoken to in the DevTools protocol over a pair of pipes (`--remote-debugging-pipe`: JSON, each
//! message with a zero byte at its end, on the file descriptors 3 and 4).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing that a test asks takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub struct Browser {
    child: Child,
    requests: File,
    answers: Receiver<Value>,
    session: Value,
    last_id: u64,
    /// What the page did unasked: requests, errors, violations of its policy.
    pub events: Vec<Value>,
    _folder: TempDir,
}

impl Browser {
    /// Starts one; `None` where there is none.
    pub fn start() -> Option<Self> {
        let program = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
            let paths = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
        })?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A shell opens the pipes, as no child of Rust's own gets descriptors 3 and 4. It is given words, not text.
        let script = "mkfifo \"$1/in\" \"$1/out\" && exec \"$2\" --headless=new --no-sandbox --disable-gpu \
                      --disable-dev-shm-usage --no-first-run --user-data-dir=\"$1/profile\" --remote-debugging-pipe \
                      about:blank 3<\"$1/in\" 4>\"$1/out\"";
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(folder.path())
            .arg(program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let (inward, outward) = (folder.path().join("in"), folder.path().join("out"));
        while !outward.exists() {
            assert!(matches!(child.try_wait(), Ok(None)), "the shell could not make pipes");
            std::thread::yield_now();
        }
        let requests = OpenOptions::new().write(true).open(inward).expect("the pipe to the browser");
        let outward = File::open(outward).expect("the pipe from the browser");
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(outward).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, requests, answers, session: Value::Null, last_id: 0, events: Vec::new(), _folder: folder };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Asks the browser for something.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": parameters });
        if !self.session.is_null() {
            request["sessionId"] = self.session.clone();
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.requests.write_all(&bytes).expect("the browser listens");
        loop {
            let message = self.next();
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next(&mut self) -> Value {
        self.answers.recv_timeout(PATIENCE).expect("the browser answers")
    }

    /// Opens a file, at a place in it, and waits until it is loaded.
    pub fn open(&mut self, file: &Path, place: &str) {
        let url = format!("file://{}#{place}", file.display());
        // Another place of the same page would not be another load.
        self.ask("Page.navigate", json!({ "url": "about:blank" }));
        self.wait_for("Page.loadEventFired");
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": url }));
        self.wait_for("Page.loadEventFired");
    }

    /// Waits for an event of the protocol that came since the last page was opened, or comes.
    pub fn wait_for(&mut self, event: &str) {
        if let Some(index) = self.events.iter().position(|message| message["method"] == event) {
            self.events.remove(index);
            return;
        }
        loop {
            let message = self.next();
            if message["method"] == event {
                return;
            }
            self.events.push(message);
        }
    }

    /// The value of an expression on the page; of a promise, what it becomes.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self
            .ask("Runtime.evaluate", json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression on the page is true. Asked again and again, since a navigation forgets whoever
    /// waits for a promise, and a browser without a screen may draw no frame that a promise could wait for.
    pub fn wait_until(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.value(&format!("Boolean({expression})")) != true {
            assert!(Instant::now() < until, "never came true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes a picture of the whole page, if somebody wants to see some: `SHAKEDOWN_PICTURES=DIR`.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("SHAKEDOWN_PICTURES") else { return };
        let picture = self.ask("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let bytes = STANDARD.decode(picture["data"].as_str().expect("Base64")).expect("Base64");
        std::fs::write(Path::new(&folder).join(name), bytes).expect("the picture can be written");
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if key.len() == 1 && kind == "keyDown" { key } else { "" };
            self.ask("Input.dispatchKeyEvent", json!({ "type": kind, "key": key, "text": text }));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its own process group, and so with all of its helpers.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}
