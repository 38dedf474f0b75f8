//! A line of mosquitto.conf(5), read and checked.

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

/// What `line` sets; `None` if it is blank or a comment.
///
/// # Errors
///
/// Why no scenario may say so, as a sentence.
pub fn setting(line: &str) -> Result<Option<Setting<'_>>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.contains(char::is_control) {
        return Err("a control character in a line of a configuration".into());
    }
    let (word, value) = line.split_once(' ').unwrap_or((line, ""));
    let value = value.trim();
    let Some((option, treatment)) = options::ALLOWED.iter().find(|(name, _)| *name == word).copied() else {
        return Err(format!(
            "`{word}` is no option that a scenario may set: none may load code, dial somebody, or name files that the \
             bench does not make"
        ));
    };
    let value = match treatment {
        Treatment::Kept | Treatment::LeftOut => value,
        Treatment::OneOf(values) if values.contains(&value) => value,
        Treatment::OneOf(values) => return Err(format!("`{option}` may be {} here", values.join(" or "))),
        Treatment::FileName if is_file_name(value) => value,
        Treatment::FileName => {
            return Err(format!("`{option}` is the name of a file, without a folder: `mosquitto.db`"));
        }
        Treatment::Path(_) => path(value)?,
        Treatment::Listener => port(value)?,
        Treatment::LogDestination => match value.split_once(' ') {
            Some(("file", file)) => path(file.trim())?,
            _ if ["stderr", "stdout", "none", "topic"].contains(&value) => "",
            _ => {
                return Err(format!(
                    "a log goes to `file`, `stderr`, `stdout`, `topic` or `none`, and not to `{value}`"
                ));
            }
        },
    };
    Ok(Some(Setting { option, value, treatment }))
}

fn is_file_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(is_plain) && !text.starts_with('.')
}

/// A path of whatever machine, which names something and leads nowhere above itself.
fn path(text: &str) -> Result<&str, String> {
    let mut parts = text.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").peekable();
    if parts.peek().is_none() {
        return Err("a path that names nothing".into());
    }
    if parts.any(|part| part == ".." || part.contains(':')) {
        return Err(format!("`{text}` leads out of its folder"));
    }
    Ok(text)
}

fn port(value: &str) -> Result<&str, String> {
    let port = value.split(' ').next().unwrap_or_default();
    match port.parse::<u16>() {
        Ok(0) => Err("a listener on a socket of the file system is nobody's that dials".into()),
        Ok(_) => Ok(port),
        Err(_) => Err(format!("`{port}` is no port")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mosquitto::options::Role;

    fn refused(line: &str) -> String {
        setting(line).expect_err(line)
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
