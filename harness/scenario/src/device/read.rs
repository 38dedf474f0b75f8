//! Reads the `[device]` table: each key goes to the type that owns it.
//!
//! What the firmware is told as it is written belongs to `control`, and is read into its [`Plan`] and [`Tls`] without a
//! word in between: a new field of theirs is a new key of `[device]`. What has to be looked up first (certificates by
//! their names, numbers by theirs, dates) belongs to [`Device`].

use std::sync::LazyLock;

use control::{Link, Mqtt, Plan, Tls};
use serde::Deserialize;
use serde::de::Error as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::Device;
use crate::fields;
use crate::problem::Complaint;

/// The plan of a device of which a file says nothing: it connects, listens to one topic, publishes a reading and leaves.
/// What a plan has to have beside that are placeholders, which the bench fills in.
const DEFAULT: &str = r#"
broker_host = ""
broker_port = 0
network = { ipv4 = "0.0.0.0", ipv4_prefix_bits = 0, ipv4_gateway = "0.0.0.0", dns = "0.0.0.0", mtu_bytes = 0 }
tls = {}

[mqtt]
client_id = "shakedown"
keep_alive_s = 60
clean_session = true
acts = [
    { subscribe = { topic = "device/commands", qos = 1 } },
    { publish = { topic = "device/readings", payload = "21.5", qos = 1 } },
]
"#;

/// Fields of a plan that the bench fills in, so that they are no keys of `[device]`: addresses, certificates, numbers.
const FILLED_IN: &[&str] = &[
    "network",
    "broker_host",
    "broker_port",
    "authorities",
    "client_certificate",
    "client_key",
    "version_min",
    "version_max",
];

/// Why there is no device.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// A value is not what its key has.
    Toml(toml::de::Error),
    /// A key that nobody knows.
    Key(Complaint),
}

impl From<toml::de::Error> for Unreadable {
    fn from(error: toml::de::Error) -> Self {
        Self::Toml(error)
    }
}

/// The keys of `[device]`.
fn keys() -> Vec<&'static str> {
    fields::of::<Device>().iter().copied().chain(told_keys()).chain(["mqtt"]).collect()
}

/// The keys of `[device]` that the firmware is told as they are written: fields of [`Plan`] and [`Tls`].
pub fn told_keys() -> Vec<&'static str> {
    let own = fields::of::<Device>();
    let plan = fields::of::<Plan>().iter().chain(fields::of::<Tls>()).copied();
    plan.filter(|key| !FILLED_IN.contains(key) && !own.contains(key) && *key != "mqtt").collect()
}

impl Device {
    /// Reads the table `written`.
    pub(crate) fn read(written: Spanned<DeValue<'_>>) -> Result<Self, Unreadable> {
        let span = written.span();
        let DeValue::Table(written) = written.into_inner() else {
            let text = Spanned::new(span.clone(), DeValue::Boolean(false));
            return Ok(Self::deserialize(ValueDeserializer::from(text))?);
        };
        let (own_keys, tls_keys, known) = (fields::of::<Self>(), fields::of::<Tls>(), keys());
        let (mut own, mut plan) = (DeTable::new(), DEFAULT_PLAN.clone());
        for (key, value) in written {
            let name = key.get_ref().to_string();
            if !known.contains(&name.as_str()) {
                return Err(Unreadable::Key(unknown(&["device"], &name, &known)));
            }
            if own_keys.contains(&name.as_str()) {
                own.insert(key, value);
            } else if name == "mqtt" {
                overlay(&mut plan, "mqtt", value, fields::of::<Mqtt>())?;
            } else if tls_keys.contains(&name.as_str()) {
                table_of(&mut plan, "tls").insert(key, value);
            } else {
                plan.insert(key, value);
            }
        }
        let mut device = Self::deserialize(Deserializer::from(Spanned::new(span.clone(), own)))?;
        device.plan = told(plan, span)?;
        device.security = device.plan.tls.take().unwrap_or_default();
        if let Link::Modem(modem) = &mut device.link
            && modem.reader == control::ModemReader::default()
        {
            modem.reader = device.modem_reader;
        }
        Ok(device)
    }
}

/// The default plan.
pub(super) fn default() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| {
        let plan = told(DEFAULT_PLAN.clone(), 0..0);
        let plan = plan.unwrap_or_else(|error| unreachable!("{DEFAULT}: {error:?}"));
        Plan { tls: None, ..plan }
    });
    PLAN.clone()
}

/// [`DEFAULT`], which is parsed once for all scenarios.
static DEFAULT_PLAN: LazyLock<DeTable<'static>> = LazyLock::new(|| {
    let plan = DeTable::parse(DEFAULT).map(Spanned::into_inner);
    plan.unwrap_or_else(|error| unreachable!("{DEFAULT}: {error}"))
});

/// Reads what the firmware is told. Firmware passes over keys that it does not know; a scenario's author is told of them.
fn told(plan: DeTable<'_>, span: std::ops::Range<usize>) -> Result<Plan, Unreadable> {
    let mut ignored = None;
    let plan = serde_ignored::deserialize(Deserializer::from(Spanned::new(span, plan)), |path| {
        ignored.get_or_insert_with(|| path.to_string());
    })?;
    match ignored {
        None => Ok(plan),
        Some(path) => {
            let mut path: Vec<&str> = std::iter::once("device").chain(path.split(['.', '?'])).collect();
            path.retain(|part| !part.is_empty() && *part != "tls");
            let key = path.last().copied().unwrap_or_default().to_owned();
            Err(Unreadable::Key(Complaint::at(&path, format!("unknown field `{key}`"), SEE)))
        }
    }
}

/// Puts the keys of a table that is written over those of the default.
fn overlay<'i>(
    plan: &mut DeTable<'i>,
    name: &str,
    written: Spanned<DeValue<'i>>,
    known: &[&'static str],
) -> Result<(), Unreadable> {
    let DeValue::Table(written) = written.into_inner() else {
        return Err(Unreadable::Toml(toml::de::Error::custom(format!("`device.{name}` is a table"))));
    };
    for (key, value) in written {
        if !known.contains(&key.get_ref().as_ref()) {
            return Err(Unreadable::Key(unknown(&["device", name], key.get_ref(), known)));
        }
        table_of(plan, name).remove(key.get_ref().as_ref());
        table_of(plan, name).insert(key, value);
    }
    Ok(())
}

/// The table of this name in the default plan, which has it.
fn table_of<'t, 'i>(plan: &'t mut DeTable<'i>, name: &str) -> &'t mut DeTable<'i> {
    match plan.get_mut(name).map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => table,
        _ => unreachable!("the default plan has a table `{name}`"),
    }
}

const SEE: &str = "see `scenarios/README.md` for the keys of each table";

fn unknown(path: &[&str], key: &str, known: &[&str]) -> Complaint {
    let expected: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    let path: Vec<&str> = path.iter().copied().chain([key]).collect();
    Complaint::at(&path, format!("unknown field `{key}`, expected one of {}", expected.join(", ")), SEE)
}
