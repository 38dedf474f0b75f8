//! A line of mosquitto.conf(5), read and checked.

use std::fmt;

use super::options::{self, Treatment};

/// What a line sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// The option.
    pub option: &'static str,
    /// What it is set to; of a listener the port alone, and of a log's destination the file alone.
    pub value: &'a str,
    /// What the bench makes of it.
    pub treatment: Treatment,
}

/// Why no scenario may say a line: the fault of the scenario's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// A control character.
    ControlCharacter,
    /// An option that is not on the list.
    Option(String),
    /// An option has a value that it may not have here.
    Value {
        /// The option.
        option: &'static str,
        /// What it may be.
        values: &'static [&'static str],
    },
    /// The value of this option is no plain name of a file.
    FileName(&'static str),
    /// A log that goes somewhere else.
    LogDestination(String),
    /// A path without a name in it.
    EmptyPath,
    /// A path that leads above its folder, or to another drive.
    PathOutside(String),
    /// Port 0: a socket of the file system.
    SocketOfFileSystem,
    /// What is no number of a port.
    Port(String),
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter => f.write_str("a control character in a line of a configuration"),
            Self::Option(word) => write!(
                f,
                "`{word}` is no option that a scenario may set: none may load code, dial somebody, or name files that \
                 the bench does not make"
            ),
            Self::Value { option, values } => write!(f, "`{option}` may be {} here", values.join(" or ")),
            Self::FileName(option) => {
                write!(f, "`{option}` is the name of a file, without a folder: `mosquitto.db`")
            }
            Self::LogDestination(value) => {
                write!(f, "a log goes to `file`, `stderr`, `stdout`, `topic` or `none`, and not to `{value}`")
            }
            Self::EmptyPath => f.write_str("a path that names nothing"),
            Self::PathOutside(path) => write!(f, "`{path}` leads out of its folder"),
            Self::SocketOfFileSystem => f.write_str("a listener on a socket of the file system is nobody's that dials"),
            Self::Port(port) => write!(f, "`{port}` is no port"),
        }
    }
}

impl std::error::Error for Forbidden {}

/// What `line` sets; `None` if it is blank or a comment.
///
/// # Errors
///
/// Why no scenario may say so.
pub fn setting(line: &str) -> Result<Option<Setting<'_>>, Forbidden> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.contains(char::is_control) {
        return Err(Forbidden::ControlCharacter);
    }
    let (word, value) = line.split_once(' ').unwrap_or((line, ""));
    let value = value.trim();
    let Some((option, treatment)) = options::ALLOWED.iter().find(|(name, _)| *name == word).copied() else {
        return Err(Forbidden::Option(word.to_owned()));
    };
    let value = match treatment {
        Treatment::Kept | Treatment::LeftOut => value,
        Treatment::OneOf(values) if values.contains(&value) => value,
        Treatment::OneOf(values) => return Err(Forbidden::Value { option, values }),
        Treatment::FileName if is_file_name(value) => value,
        Treatment::FileName => return Err(Forbidden::FileName(option)),
        Treatment::Path(_) => path(value)?,
        Treatment::Listener => port(value)?,
        Treatment::LogDestination => match value.split_once(' ') {
            Some(("file", file)) => path(file.trim())?,
            _ if ["stderr", "stdout", "none", "topic"].contains(&value) => "",
            _ => return Err(Forbidden::LogDestination(value.to_owned())),
        },
    };
    Ok(Some(Setting { option, value, treatment }))
}

fn is_file_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(is_plain) && !text.starts_with('.')
}

/// A path of whatever machine, which names something and leads nowhere above itself.
fn path(text: &str) -> Result<&str, Forbidden> {
    let mut parts = text.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").peekable();
    if parts.peek().is_none() {
        return Err(Forbidden::EmptyPath);
    }
    if parts.any(|part| part == ".." || part.contains(':')) {
        return Err(Forbidden::PathOutside(text.to_owned()));
    }
    Ok(text)
}

fn port(value: &str) -> Result<&str, Forbidden> {
    let port = value.split(' ').next().unwrap_or_default();
    match port.parse::<u16>() {
        Ok(0) => Err(Forbidden::SocketOfFileSystem),
        Ok(_) => Ok(port),
        Err(_) => Err(Forbidden::Port(port.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mosquitto::options::Role;

    fn refused(line: &str) {
        assert!(setting(line).is_err(), "{line}");
    }

    #[test]
    fn lines_are_read_as_mosquitto_reads_them() {
        let path = |value| Setting { option: "certfile", value, treatment: Treatment::Path(Role::Chain) };
        assert_eq!(setting("  certfile  /etc/mosquitto/a b.crt "), Ok(Some(path("/etc/mosquitto/a b.crt"))));
        assert_eq!(setting("# certfile x"), Ok(None));
        assert_eq!(setting(""), Ok(None));
        assert_eq!(setting("listener 8883 0.0.0.0").map(|setting| setting.map(|one| one.value)), Ok(Some("8883")));
        assert_eq!(
            setting("log_dest file /var/log/x").map(|setting| setting.map(|one| one.value)),
            Ok(Some("/var/log/x"))
        );
        assert_eq!(setting("log_dest stdout").map(|setting| setting.map(|one| one.value)), Ok(Some("")));
    }

    #[test]
    fn nothing_reaches_beyond_the_runs_folder_and_its_ports() {
        for path in ["../x", "/a/../../x", "a\\..\\x", "C:\\x", "", "/", "."] {
            refused(&format!("certfile {path}"));
            refused(&format!("log_dest file {path}"));
        }
        for name in ["/etc/cron.d/x", "a/b", ".hidden", "..", "", "a b", &"x".repeat(65)] {
            refused(&format!("persistence_file {name}"));
        }
        assert!(setting("persistence_file mosquitto.db").is_ok());
        for line in [
            "global_plugin x.so",
            "plugin_load x x.so",
            "connection away",
            "acl_file /etc/passwd",
            "protocol websockets",
            "log_dest syslog",
            "log_dest dlt",
            "listener 0 /tmp/socket",
            "listener 70000",
            "port -1",
            "nonsense",
            // What is not told apart by blanks is one word to mosquitto.
            "certfile\tx",
            "persistence_file x\u{b}y",
            "user\u{a0}root",
        ] {
            refused(line);
        }
    }
}
