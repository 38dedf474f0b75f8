//! What a firmware does by itself, where nobody tells it what to do (`driver = "none"`).

use scenario::{Problem, lan};
use serde::Deserialize;

use super::Dialect;

/// The table `[by_itself]`: what such a firmware was built to do. `cargo xtask product init IMAGE` writes it.
///
/// A scenario is moved there: the bench's network has this name, its broker this host's certificates, address and port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByItself {
    /// The broker that it dials: a name, or the literal of an IPv4 address.
    pub host: String,
    /// The port that it dials there.
    #[serde(default = "secure_port")]
    pub port: u16,
    /// Whether it speaks TLS there. MQTT in the clear is nothing that a certificate could be wrong about.
    #[serde(default = "yes")]
    pub tls: bool,
    /// The network that it joins; absent: the scenario's. Its passphrase is given with `--wifi`, and never written down.
    #[serde(default)]
    pub ssid: Option<String>,
    /// Where in the image the passphrase to that network lies, and how many bytes it has. Absent: `--wifi` says it, or the network
    /// is open.
    #[serde(default)]
    pub passphrase: Option<InImage>,
    /// Whether it asks for the time by SNTP.
    #[serde(default)]
    pub asks_time: bool,
    /// Whether it takes any certificate: it trusts anybody.
    #[serde(default)]
    pub trusts_anybody: bool,
}

/// A place in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InImage {
    /// Where it begins.
    pub at: usize,
    /// How long it is, in bytes.
    pub bytes: usize,
}

const fn secure_port() -> u16 {
    lan::SECURE_MQTT_PORT
}

const fn yes() -> bool {
    true
}

/// Whether the table makes sense, and stands where it belongs.
///
/// # Errors
///
/// With line and remedy.
pub(super) fn check(dialect: &Dialect, file: &str, text: &str) -> Result<(), Problem> {
    let wrong = |path: &[&str], message: String, remedy: &str| Problem::at_key(file, text, path, message, remedy);
    let is_unattended = dialect.driver == Some(driver::Kind::None);
    let Some(by_itself) = &dialect.by_itself else {
        if is_unattended {
            let remedy = "`cargo xtask product init IMAGE` writes a description with the table `[by_itself]`";
            return Err(wrong(
                &["driver"],
                "nobody tells it what to do, and it is not said what it does".into(),
                remedy,
            ));
        }
        return Ok(());
    };
    if !is_unattended {
        let remedy = "write `driver = \"none\"`, or leave the table `[by_itself]` out";
        return Err(wrong(&["by_itself"], "this is for firmware that nobody tells what to do".into(), remedy));
    }
    if !dialect.radio {
        let remedy = "write `radio = true`: its packets have no other way into the bench's network";
        return Err(wrong(&["driver"], "it has no network that the bench could be at".into(), remedy));
    }
    let ByItself { host, port, ssid, .. } = by_itself;
    let is_host = (1..=253).contains(&host.len()) && host.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_host || host.parse::<std::net::Ipv6Addr>().is_ok() {
        let remedy = "write the name or the IPv4 address that it dials, as it stands in the firmware";
        return Err(wrong(&["by_itself", "host"], format!("{host:?} is no host that can be dialled"), remedy));
    }
    if *port == 0 {
        let remedy = "write the port that it dials: 8883, most often";
        return Err(wrong(&["by_itself", "port"], "nobody listens at port 0".into(), remedy));
    }
    if ssid.as_ref().is_some_and(|ssid| ssid.is_empty() || ssid.len() > 32) {
        let remedy = "a network's name has 1 to 32 bytes (IEEE Std 802.11-2020 §9.4.2.2)";
        return Err(wrong(&["by_itself", "ssid"], "no network is called so".into(), remedy));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dialect, String> {
        Dialect::parse("mine.toml", &format!("stack = 'mine'\n{text}\n")).map_err(|problem| problem.to_string())
    }

    #[test]
    fn what_it_does_by_itself_has_defaults() {
        let dialect =
            read("driver = 'none'\nradio = true\nby_itself = { host = 'mqtt.example' }").expect("it is whole");
        let ByItself { port, tls, asks_time, trusts_anybody, .. } = dialect.by_itself.clone().expect("it says so");
        assert_eq!((port, tls, asks_time, trusts_anybody), (8883, true, false, false));
        assert!(dialect.abilities().speaks_tls && !dialect.abilities().asks_time);
    }

    #[test]
    fn what_cannot_be_says_what_to_write() {
        for (text, words) in [
            ("driver = 'none'\nradio = true", "it is not said what it does"),
            ("by_itself = { host = 'x' }", "for firmware that nobody tells"),
            ("driver = 'micropython'\nby_itself = { host = 'x' }", "for firmware that nobody tells"),
            ("driver = 'none'\nby_itself = { host = 'x' }", "no network that the bench could be at"),
            ("driver = 'none'\nradio = true\nby_itself = { host = '' }", "no host that can be dialled"),
            ("driver = 'none'\nradio = true\nby_itself = { host = 'a b' }", "no host that can be dialled"),
            ("driver = 'none'\nradio = true\nby_itself = { host = '2001:db8::1' }", "no host that can be dialled"),
            ("driver = 'none'\nradio = true\nby_itself = { host = 'x', port = 0 }", "port 0"),
            ("driver = 'none'\nradio = true\nby_itself = { host = 'x', ssid = '' }", "no network is called so"),
            ("driver = 'none'\nradio = true\nby_itself = { host = 'x', psk = 'secret' }", "unknown field"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(words) && problem.contains("mine.toml:"), "{text}: {problem}");
        }
    }
}
