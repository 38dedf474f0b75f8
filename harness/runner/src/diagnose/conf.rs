//! `--conf`: somebody's own mosquitto.conf, run here and asked as any other broker is. Files that it reads are copied, files that
//! it writes are moved, into a folder of the run's; what would load code, dial somebody or serve others is struck. Each of these
//! is told. A line stays on its line, so that mosquitto's own complaints fit the file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use blame::Error;
use host::folder::Folder;
use host::own_network::Endpoint;
use host::whole_file;
use scenario::mosquitto::options::{self, Role, Treatment};

use super::files;
use crate::mosquitto::conf::Relocated;
use crate::mosquitto::{self, Mosquitto};
use crate::server::{self, FreePorts};

/// The longest that people have holds a tenth of that, most of it comments.
pub const LINES_MAX: usize = 10_000;
/// So many files are read of a folder that a configuration names.
pub const FILES_MAX: usize = 256;

/// Options that name a file which a scenario's configuration may not name, and somebody's own may.
const READ: [&str; 3] = ["acl_file", "psk_file", "crlfile"];

/// What cannot be run here, by the beginnings of its options.
const STRUCK: [(&str, &str); 8] = [
    ("plugin", "a plugin is code: what it decides about logins and topics is not seen here"),
    ("global_plugin", "a plugin is code: what it decides about logins and topics is not seen here"),
    ("auth_", "a plugin is code: what it decides about logins and topics is not seen here"),
    ("tls_engine", "an engine is code, and its keys are elsewhere"),
    ("tls_keyform", "an engine is code, and its keys are elsewhere"),
    ("http_dir", "nothing is served but MQTT"),
    ("websockets_", "nothing is served but MQTT over TCP"),
    ("psk_hint", "of pre-shared keys nothing is asked"),
];

/// A mosquitto that runs with a configuration of somebody's own.
pub struct Running {
    /// It; it ends when this is dropped.
    _mosquitto: Mosquitto,
    /// The listener's port in the configuration.
    pub port: u16,
    /// Where that is here.
    pub endpoint: Endpoint,
    /// What was made of the configuration.
    pub notes: Vec<String>,
}

/// Starts it; its log and the configuration as it was run go into `artefacts`.
///
/// # Errors
///
/// What is wrong with the file, by line; what is missing here.
pub fn start(file: &Path, port: Option<u16>, artefacts: &Path) -> blame::Result<Running> {
    let programs = mosquitto::installed().map_err(|missing| Error::bench(missing.reason))?;
    let started = server::on_free_ports("mosquitto", |free| {
        let own = Folder::new("mosquitto").map_err(Error::bench)?;
        let mut moving = Moving::new(file, own.path(), free);
        moving.file(file)?;
        let port = moving.listener(port)?;
        let Moving { moved, notes, free, .. } = moving;
        drop(free);
        let mosquitto = Mosquitto::run(own, &moved, artefacts, &programs, mosquitto::own_network())?;
        let endpoint = mosquitto.endpoint(port)?;
        Ok(Running { _mosquitto: mosquitto, port, endpoint, notes })
    });
    started.map_err(|why| {
        why.or_refused(|words| Error::authors_file(file, format!("mosquitto does not take it: {words}")))
    })
}

/// A configuration on its way into a folder.
struct Moving<'a> {
    conf: &'a Path,
    folder: &'a Path,
    moved: Relocated,
    notes: Vec<String>,
    free: FreePorts,
    /// The ports of listeners with a certificate, in their order.
    with_tls: Vec<u16>,
    /// The listener whose lines these are.
    current: Option<u16>,
    /// These lines are a bridge's.
    is_bridge: bool,
    /// These lines are of a listener that is struck.
    is_struck: bool,
    copies: usize,
}

impl<'a> Moving<'a> {
    fn new(conf: &'a Path, folder: &'a Path, free: FreePorts) -> Self {
        Self {
            conf,
            folder,
            moved: Relocated::default(),
            notes: Vec::new(),
            free,
            with_tls: Vec::new(),
            current: None,
            is_bridge: false,
            is_struck: false,
            copies: 0,
        }
    }

    fn file(&mut self, file: &Path) -> blame::Result<()> {
        let text = files::text("--conf", file)?;
        if text.lines().count() > LINES_MAX {
            return Err(Error::authors_file(file, format!("more than {LINES_MAX} lines")));
        }
        let websockets = websockets(&text);
        for (index, line) in text.lines().enumerate() {
            let at = format!("{}:{}", file.display(), index + 1);
            let line = self.line(line.trim(), &at, websockets.contains(&index))?;
            self.moved.text.push_str(&line);
            self.moved.text.push('\n');
        }
        Ok(())
    }

    /// What stands in the line's place.
    fn line(&mut self, line: &str, at: &str, is_websockets: bool) -> blame::Result<String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(String::new());
        }
        let (option, value) = line.split_once(' ').map_or((line, ""), |(option, value)| (option, value.trim()));
        let wrong = |why: String| Error::author(format!("{at}: {why}"));
        if matches!(option, "listener" | "port") {
            let port = value.split(' ').next().unwrap_or_default();
            (self.is_bridge, self.is_struck) = (false, is_websockets || port == "0");
            if self.is_struck {
                self.note(at, "the listener is struck: nothing is asked but MQTT over TCP");
                return Ok(String::new());
            }
            let port: u16 = port.parse().map_err(|_| wrong(format!("`{port}` is no port")))?;
            let here = self.free.take().map_err(Error::bench)?;
            self.moved.ports.insert(port, SocketAddr::from((Ipv4Addr::LOCALHOST, here)));
            self.current = Some(port);
            return Ok(format!("listener {here} {}", Ipv4Addr::LOCALHOST));
        }
        if option == "connection" {
            self.is_bridge = true;
            self.note(at, "the bridge is struck: nobody is dialled");
        }
        if self.is_bridge || self.is_struck {
            return Ok(String::new());
        }
        if let Some((_, why)) = STRUCK.iter().find(|(begin, _)| option.starts_with(begin)) {
            self.note(at, &format!("`{option}` is struck: {why}"));
            return Ok(String::new());
        }
        if READ.contains(&option) {
            return self.copied(option, value, at);
        }
        if option == "capath" {
            return self.authorities(value, at);
        }
        if option == "include_dir" {
            return self.included(value, at).map(|()| String::new());
        }
        match options::treatment(option) {
            None => {
                self.note(at, &format!("`{option}` is struck: the bench does not know it"));
                Ok(String::new())
            }
            Some(Treatment::LeftOut) => Ok(String::new()),
            Some(Treatment::Path(Role::Folder | Role::Written)) => Ok(self.written(option, value, at)),
            Some(Treatment::LogDestination) => match value.split_once(' ') {
                Some(("file", file)) => Ok(self.written("log_dest file", file.trim(), at)),
                _ => Ok(String::new()),
            },
            Some(Treatment::Path(role)) => {
                if let (Role::Chain, Some(port)) = (role, self.current) {
                    self.with_tls.push(port);
                }
                self.copied(option, value, at)
            }
            Some(Treatment::FileName) if value.contains(['/', '\\']) || value.starts_with('.') => {
                Err(wrong(format!("`{option}` is the name of a file, without a folder")))
            }
            Some(_) if line.contains(char::is_control) => Err(wrong("a control character in it".into())),
            Some(_) => Ok(line.to_owned()),
        }
    }

    fn note(&mut self, at: &str, words: &str) {
        self.notes.push(format!("{at}: {words}"));
    }

    /// A file that mosquitto reads.
    fn copied(&mut self, option: &str, value: &str, at: &str) -> blame::Result<String> {
        let source = self.path(value);
        let text = files::text(&format!("{at}: {option}"), &source)?;
        let here = self.copy(&text)?;
        self.note(at, &format!("{} is read in a copy", source.display()));
        Ok(format!("{option} {}", here.display()))
    }

    fn copy(&mut self, text: &str) -> blame::Result<PathBuf> {
        self.copies += 1;
        let here = self.folder.join(format!("copy_{}", self.copies));
        whole_file::write_private(&here, text.as_bytes()).map_err(Error::bench)?;
        Ok(here)
    }

    /// A folder of authorities becomes one file of them.
    fn authorities(&mut self, value: &str, at: &str) -> blame::Result<String> {
        let folder = self.path(value);
        let mut all = String::new();
        for file in listed(&folder).map_err(|error| unreadable(at, &folder, &error))? {
            all.push_str(&files::text(at, &file)?);
            all.push('\n');
        }
        let here = self.copy(&all)?;
        self.note(at, &format!("the authorities in {} are read as one file", folder.display()));
        Ok(format!("cafile {}", here.display()))
    }

    /// mosquitto.conf(5): files that end with `.conf`, in the order of their names.
    fn included(&mut self, value: &str, at: &str) -> blame::Result<()> {
        let folder = self.path(value);
        let files = listed(&folder).map_err(|error| unreadable(at, &folder, &error))?;
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "conf")) {
            self.note(at, &format!("{} stands here", file.display()));
            // One more folder in there would be read again and again.
            if files::text(at, file)?.lines().any(|line| line.trim().starts_with("include_dir")) {
                return Err(Error::authors_file(file, "`include_dir` in a file of one"));
            }
            self.file(file)?;
        }
        Ok(())
    }

    /// A file or folder that mosquitto writes.
    fn written(&mut self, option: &str, value: &str, at: &str) -> String {
        let name: String = value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(64).collect();
        let here = self.folder.join(format!("written_{name}"));
        self.note(at, &format!("{} is not touched: a folder of the run's is written", self.path(value).display()));
        if option == "persistence_location" {
            // mosquitto appends file names to it without a separator.
            let _ = fs::create_dir(&here);
            return format!("{option} {}/", here.display());
        }
        format!("{option} {}", here.display())
    }

    /// As mosquitto would find it if it were started where the configuration lies.
    fn path(&self, value: &str) -> PathBuf {
        self.conf.parent().unwrap_or_else(|| Path::new(".")).join(value)
    }

    /// The port that is dialled; then the configuration is whole.
    fn listener(&mut self, wanted: Option<u16>) -> blame::Result<u16> {
        // What the bench reads: that it runs, and what it has to say of its clients.
        self.moved.text.push_str("log_dest stderr\nlog_type all\n");
        let with_tls = self.with_tls.iter().map(u16::to_string).collect::<Vec<String>>().join(", ");
        match (wanted, self.with_tls.first()) {
            (Some(port), _) if self.moved.ports.contains_key(&port) => Ok(port),
            (None, Some(port)) => Ok(*port),
            (wanted, _) => {
                let what = wanted
                    .map_or_else(|| "listener with a `certfile`".into(), |port| format!("listener on port {port}"));
                let others = if with_tls.is_empty() { "none has TLS".into() } else { format!("with TLS: {with_tls}") };
                Err(Error::authors_file(self.conf, format!("there is no {what} ({others})")))
            }
        }
    }
}

/// The lines that begin a listener for WebSockets.
fn websockets(text: &str) -> Vec<usize> {
    let mut begins: BTreeMap<usize, bool> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("listener" | "port") => {
                begins.insert(index, false);
            }
            Some("protocol") if words.next() == Some("websockets") => {
                if let Some(mut last) = begins.last_entry() {
                    last.insert(true);
                }
            }
            _ => {}
        }
    }
    begins.into_iter().filter(|(_, is)| *is).map(|(index, _)| index).collect()
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .take(FILES_MAX)
        .collect();
    files.sort();
    Ok(files)
}

fn unreadable(at: &str, folder: &Path, error: &io::Error) -> Error {
    Error::author(format!("{at}: {}: {error}", folder.display()))
}
