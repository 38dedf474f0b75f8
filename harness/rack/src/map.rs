//! The hardware map: `ci/rack/*.toml`, one board a file, its name the file's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use blame::Error;
use chip::Chip;
use scenario::{Problem, renamed};
use serde::Deserialize;

/// The folder, below the workspace's root.
pub const FOLDER: &str = "ci/rack";
/// What said how a board reaches its broker, before the rest of its file did.
const LINK: &str = "link";
/// What `probe` says of a board that the bench makes itself.
pub const EMULATED: &str = "emulated";

/// A board of the rack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What everybody calls it: the file's name without `.toml`.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// What the file says.
    pub facts: Facts,
}

/// What a board's file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The chip.
    #[serde(with = "chip::by_name")]
    pub chip: &'static Chip,
    /// The debug probe: `VID:PID[-INTERFACE][:SERIAL]` as `cargo xtask boards --scan` prints it, or `emulated`.
    pub probe: String,
    /// The firmware's serial port by a name that stays: a path such as those in `/dev/serial/by-id`.
    #[serde(default)]
    pub serial: Option<PathBuf>,
    /// Bits a second on it.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// Where a board with a network of its own finds its broker: this machine. A board without reaches it over its serial
    /// ports.
    #[serde(default)]
    pub lan: Option<Lan>,
    /// The serial port at which the board has its modem.
    #[serde(default)]
    pub modem: Option<PathBuf>,
    /// How its power is switched.
    #[serde(default)]
    pub power: Power,
    /// A program that resets its USB port, with arguments. Without one: `usbreset` (usbutils), on the probe's USB device.
    #[serde(default)]
    pub usb_reset: Vec<String>,
    /// The program that holds its probe, with arguments. Without one: this bench's own.
    #[serde(default)]
    pub flasher: Vec<String>,
    /// The certificate of the authority that its firmware trusts, where that is not the bench's own: brokers' chains are
    /// minted under it.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// The private key to it, unencrypted.
    #[serde(default)]
    pub authority_key: Option<PathBuf>,
    /// How long each thing may take, where the bench's own limits do not fit.
    #[serde(default)]
    pub limits: Limits,
    /// What is connected to it: for people, and for scenarios that ask for it.
    #[serde(default)]
    pub fixtures: Vec<String>,
    /// Wiring notes, for people.
    #[serde(default)]
    pub notes: String,
    /// Whether it takes part.
    #[serde(default = "yes")]
    pub alive: bool,
    /// Why it does not.
    #[serde(default)]
    pub because: Option<String>,
}

/// Where a board with a network of its own finds its broker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lan {
    /// This machine's address in the board's network: there the scenarios' brokers listen.
    pub address: IpAddr,
    /// The name under which the board dials it, if it dials a name: its own network has to resolve it.
    #[serde(default)]
    pub name: Option<String>,
    /// The port that the board dials. Without one: the scenario's own.
    #[serde(default)]
    pub port: Option<u16>,
}

/// How a board's power is switched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// A USB hub that can switch its ports, as `uhubctl` calls it: `1-1`.
    #[serde(default)]
    pub hub: Option<String>,
    /// The port of that hub.
    #[serde(default)]
    pub port: Option<u16>,
    /// A program that takes the power away, with arguments.
    #[serde(default)]
    pub off: Vec<String>,
    /// A program that gives it back, with arguments.
    #[serde(default)]
    pub on: Vec<String>,
}

/// How long each thing may take, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Attaching to the chip.
    #[serde(default)]
    pub attach_s: Option<u16>,
    /// Flashing an image.
    #[serde(default)]
    pub flash_s: Option<u16>,
    /// Letting the chip go.
    #[serde(default)]
    pub reset_s: Option<u16>,
    /// Erasing the whole flash.
    #[serde(default)]
    pub erase_s: Option<u16>,
    /// For a serial port to come back after it went away.
    #[serde(default)]
    pub port_s: Option<u16>,
}

fn default_baud() -> u32 {
    115_200
}

fn yes() -> bool {
    true
}

impl Entry {
    /// The files of the authority that its firmware trusts and of the key to it, if it names any: below the map's folder,
    /// unless they say where they lie themselves.
    pub fn authority(&self) -> Option<(PathBuf, PathBuf)> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let (certificate, key) = (self.facts.authority.as_ref()?, self.facts.authority_key.as_ref()?);
        Some((folder.join(certificate), folder.join(key)))
    }
}

impl Facts {
    /// How the device reaches its broker, in words.
    pub fn network(&self) -> &'static str {
        match (&self.lan, &self.modem) {
            (Some(_), _) => "lan",
            (None, Some(_)) => "serial, modem",
            (None, None) => "serial",
        }
    }

    /// Whether the bench makes this board itself.
    pub fn is_emulated(&self) -> bool {
        self.probe == EMULATED
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.hub, self.port) {
            (Some(hub), Some(port)) => write!(f, "hub {hub} port {port}"),
            _ if !self.off.is_empty() => write!(f, "relay {}", self.off.first().map_or("", String::as_str)),
            _ => f.write_str("none"),
        }
    }
}

/// Where the folder of the map is: the one that is given, else that of the workspace at `root`.
pub fn folder(root: &Path, given: Option<&PathBuf>) -> PathBuf {
    given.cloned().unwrap_or_else(|| root.join(FOLDER))
}

/// Reads every board of `folder`; a folder that is not there has none. Boards come in the order of their names.
///
/// # Errors
///
/// Every wrong file with its line and a remedy, all at once.
pub fn read(folder: &Path) -> blame::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for file in listed(folder)? {
        match read_one(&file) {
            Ok(entry) => entries.push(entry),
            Err(error) => problems.push(error.message),
        }
    }
    problems.extend(doubles(&entries));
    if problems.is_empty() { Ok(entries) } else { Err(Error::author(problems.join("\n\n"))) }
}

fn listed(folder: &Path) -> blame::Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Error::authors_file(folder, error);
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for item in listing {
        let file = item.map_err(failed)?.path();
        if file.extension().is_some_and(|ending| ending == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read_one(file: &Path) -> blame::Result<Entry> {
    let shown = file.display().to_string();
    let text = host::text(file, &host::limit::BOARD).map_err(|error| Error::authors_file(file, error))?;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        let why = "a board's name has letters, digits, `_` and `-`: rename the file";
        return Err(Error::authors_file(file, why));
    }
    let facts = parse(&shown, &text).map_err(Error::author)?;
    Ok(Entry { name, file: file.to_owned(), facts })
}

/// What a file with this text says.
///
/// # Errors
///
/// With the line and a remedy.
pub fn parse(file: &str, text: &str) -> Result<Facts, Box<Problem>> {
    let of_toml = |error: toml::de::Error| {
        let message = error.message().trim().replace('\n', "; ");
        let remedy = "see `ci/README.md` for the keys of a board's file";
        Problem::new(file, text, error.span().unwrap_or(0..0), message, remedy)
    };
    let mut written = toml::de::DeTable::parse(text).map_err(of_toml)?;
    let notices = renamed::in_toml(written.get_mut(), renamed::IN_BOARDS, file, text);
    notices.iter().for_each(|notice| terminal::errln!("{notice}"));
    let link = renamed::take_out(written.get_mut(), LINK, "`[lan]` and `modem` say what it said", file, text);
    let facts = Facts::deserialize(toml::Deserializer::from(written)).map_err(of_toml)?;
    if let Some((notice, said)) = link {
        let is_said_otherwise = match said.as_str() {
            Some("serial") => facts.lan.is_none(),
            Some("lan") => facts.lan.is_some(),
            Some("modem") => facts.lan.is_none() && (facts.modem.is_some() || facts.is_emulated()),
            _ => false,
        };
        if !is_said_otherwise {
            let message = "this says otherwise than the rest of the file";
            let remedy = "write `[lan]` with this machine's `address` for a board with a network of its own, `modem = \"…\"` for \
                          one with a modem, and take `link` out";
            return Err(Problem::at_key(file, text, &[LINK], message, remedy).into());
        }
        terminal::errln!("{notice}");
    }
    check(&facts).map_err(|(path, message, remedy)| Problem::at_key(file, text, path, message, remedy))?;
    Ok(facts)
}

type Objection = (&'static [&'static str], String, &'static str);

fn check(facts: &Facts) -> Result<(), Objection> {
    if facts.probe.is_empty() {
        return Err((&["probe"], "this names no debug probe".into(), "`cargo xtask boards --scan` prints selectors"));
    }
    if facts.serial.is_none() && !facts.is_emulated() {
        let remedy = "`serial = \"/dev/serial/by-id/…\"`; `cargo xtask boards --scan` writes the whole file";
        return Err((&["probe"], "a board with a probe has a serial port too".into(), remedy));
    }
    if facts.baud == 0 {
        return Err((&["baud"], "no port has 0 bits a second".into(), "leave it out for 115200"));
    }
    if facts.lan.is_some() && facts.is_emulated() {
        let message = "an emulated board has no network of its own".into();
        return Err((&["lan"], message, "leave `[lan]` out: it reaches its broker over its serial ports"));
    }
    if facts.power.hub.is_some() != facts.power.port.is_some() {
        let message = "a hub without a port, or a port without a hub, switches nothing".into();
        return Err((&["power"], message, "`uhubctl` lists both: `hub = \"1-1\"` and `port = 3`"));
    }
    if facts.power.off.is_empty() != facts.power.on.is_empty() {
        let message = "power that can only be switched one way".into();
        return Err((
            &["power"],
            message,
            "give both programs: `off = [\"relay\", \"off\"]` and `on = [\"relay\", \"on\"]`",
        ));
    }
    if facts.power.hub.as_deref().is_some_and(|hub| !is_hub(hub)) {
        let message = "this is no place of a hub".into();
        return Err((&["power", "hub"], message, "`uhubctl` prints places such as `1-1` or `2-1.4`"));
    }
    if facts.authority.is_some() != facts.authority_key.is_some() {
        let message = "an authority signs with its key, and a key is some certificate's".into();
        let remedy = "give both: `authority = \"ca.pem\"` and `authority_key = \"ca.key\"`, below the map's folder";
        return Err((if facts.authority.is_some() { &["authority"] } else { &["authority_key"] }, message, remedy));
    }
    if !facts.alive && facts.because.as_deref().is_none_or(|why| why.trim().is_empty()) {
        return Err((&["alive"], "a board that is out of order has a reason".into(), "add `because = \"…\"`"));
    }
    if facts.alive && facts.because.is_some() {
        return Err((
            &["because"],
            "a reason for what is not so".into(),
            "add `alive = false`, or take the reason away",
        ));
    }
    Ok(())
}

/// `1-1.4`: bus, dash, ports.
fn is_hub(place: &str) -> bool {
    place.split_once('-').is_some_and(|(bus, ports)| {
        let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        number(bus) && ports.split('.').all(number)
    })
}

/// Boards that claim the same probe or port: one of them would be flashed in the place of the other.
fn doubles(entries: &[Entry]) -> Vec<String> {
    let mut claims: BTreeMap<String, &Entry> = BTreeMap::new();
    let mut problems = Vec::new();
    for entry in entries.iter().filter(|entry| entry.facts.alive) {
        let facts = &entry.facts;
        let probe = (!facts.is_emulated()).then(|| format!("the probe {}", facts.probe));
        let ports = [&facts.serial, &facts.modem];
        let ports = ports.into_iter().flatten().map(|port| format!("the serial port {}", port.display()));
        for claim in probe.into_iter().chain(ports) {
            if let Some(other) = claims.get(&claim) {
                problems.push(format!(
                    "{}: {claim} is claimed by {} too: give each board its own (a selector with a serial number tells \
                     probes of one kind apart), or set `alive = false` in one of the files",
                    entry.file.display(),
                    other.file.display()
                ));
            } else {
                claims.insert(claim, entry);
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
