//! Defaults as they are: those of a scenario and a dialect that say nothing of them, by what `Debug` prints.
//!
//! A default that is copied from the source would be right as long as nobody computes one.

use std::collections::BTreeMap;

use clock::UnixTime;
use clock::calendar::Date;
use pki::Defaults;
use pki::spec::{Certificate, KeyKind, NameConstraints, Profile, UnknownExtension};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use scenario::Scenario;

use crate::dialect::Dialect;

/// Where a table of the grammar stands in a scenario.
struct Place {
    /// The file of its type, below harness/, and the type's name.
    of: (&'static str, &'static str),
    /// The table, as a scenario's path of keys; empty: the file itself.
    table: &'static str,
    /// What has to be written so that there is such a table at all; a key that is written here has its default in another
    /// of these texts, or none.
    texts: &'static [&'static str],
    /// The fields that lead to it.
    path: &'static [&'static str],
}

const PLACES: &[Place] = &[
    Place { of: ("scenario/src/lib.rs", "Scenario"), table: "", texts: &[""], path: &[] },
    Place {
        of: ("scenario/src/lib.rs", "Applies"),
        table: "applies",
        texts: &["applies = { reason = 'r' }"],
        path: &["applies"],
    },
    Place {
        of: ("scenario/src/lib.rs", "FaultMark"),
        table: "fault",
        texts: &["fault = { who = 'broker', said = 'FIN' }"],
        path: &["fault"],
    },
    Place {
        of: ("scenario/src/sweep.rs", "Sweep"),
        table: "sweep",
        texts: &["sweep = { heap_cap_bytes = [1] }", "sweep = { heap_block_max_bytes = [1] }"],
        path: &["sweep"],
    },
    Place {
        of: ("scenario/src/twin.rs", "Twin"),
        table: "twin",
        texts: &["twin = { date = '2026-01-02T00:00:00Z' }"],
        path: &["twin"],
    },
    Place { of: ("scenario/src/device.rs", "Device"), table: "device", texts: &[""], path: &["device"] },
    Place { of: ("control/src/order.rs", "Plan"), table: "device", texts: &[""], path: &["device", "plan"] },
    Place { of: ("control/src/order.rs", "Tls"), table: "device", texts: &[""], path: &["device", "security"] },
    Place {
        of: ("control/src/order.rs", "Mqtt"),
        table: "device.mqtt",
        texts: &[""],
        path: &["device", "plan", "mqtt"],
    },
    Place {
        of: ("control/src/order.rs", "Will"),
        table: "device.mqtt.will",
        texts: &["device.mqtt.will = { topic = 't', payload = 'p' }"],
        path: &["device", "plan", "mqtt", "will"],
    },
    Place { of: ("scenario/src/network.rs", "Network"), table: "network", texts: &[""], path: &["network"] },
    Place { of: ("scenario/src/wifi.rs", "Wifi"), table: "wifi", texts: &[""], path: &["wifi"] },
    Place {
        of: ("access_point/src/description.rs", "Description"),
        table: "wifi.access_points",
        texts: &["wifi.access_points = [{ ssid = 's' }]"],
        path: &["wifi", "access_points"],
    },
    Place {
        of: ("access_point/src/misbehaviour.rs", "Moment"),
        table: "wifi.faults.when",
        texts: &["wifi.faults = [{ fault = 'power_cut', when = { after = 'joined' } }]"],
        path: &["wifi", "faults", "when"],
    },
    Place { of: ("network/src/modem/behaviour.rs", "ModemBehaviour"), table: "modem", texts: &[""], path: &["modem"] },
    Place { of: ("scenario/src/broker.rs", "Broker"), table: "broker", texts: &[""], path: &["broker"] },
    Place {
        of: ("scenario/src/broker/clients.rs", "ClientCertificates"),
        table: "broker.client_certificates",
        texts: &[""],
        path: &["broker", "client_certificates"],
    },
    Place {
        of: ("scenario/src/broker/afterwards.rs", "Afterwards"),
        table: "broker.afterwards",
        texts: &["broker.afterwards = { forgets_sessions = true }", "broker.afterwards = { versions = ['1.2'] }"],
        path: &["broker", "afterwards"],
    },
    Place {
        of: ("scenario/src/mosquitto.rs", "Mosquitto"),
        table: "mosquitto",
        texts: &[
            "broker.real = 'mosquitto'\nmosquitto = { options = ['user x'] }",
            "broker.real = 'mosquitto'\nmosquitto = { conf = 'user x' }",
        ],
        path: &["mosquitto"],
    },
    Place {
        of: ("scenario/src/broker/mqtt.rs", "Mqtt"),
        table: "broker.mqtt",
        texts: &[""],
        path: &["broker", "mqtt"],
    },
    Place {
        of: ("scenario/src/broker/mqtt.rs", "Message"),
        table: "broker.mqtt.publish",
        texts: &["broker.mqtt.publish = [{ topic = 't' }]"],
        path: &["broker", "mqtt", "publish"],
    },
];

/// A value as `Debug` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing: `None`.
    Absent,
    /// A text, a number or a switch, as TOML writes it.
    Plain(String),
    /// A variant that carries nothing, by its name in the source.
    Word(String),
    /// A list.
    List(Vec<Value>),
    /// A table, by its keys.
    Table(BTreeMap<String, Value>),
    /// A variant with a table in it, by its name in the source.
    Variant(String, BTreeMap<String, Value>),
    /// Several, each with the words for when it is so.
    Several(Vec<(String, String)>),
}

/// The defaults of the type `name` in `file` below harness/, by its keys; `None` where nobody knows any.
pub(super) fn of(file: &str, name: &str) -> Option<BTreeMap<String, Value>> {
    if let ("runner/src/dialect.rs", "Profile") = (file, name) {
        let dialect = Dialect::parse("", "stack = 's'\n[profiles.p]\ntitle = 't'\nmodels = 'm'\n").ok()?;
        return table(read(&format!("{:?}", dialect.profiles.get("p")?)));
    }
    if file.starts_with("pki/") {
        return of_certificates(name);
    }
    let place = PLACES.iter().find(|place| place.of == (file, name))?;
    let mut values = BTreeMap::new();
    for text in place.texts {
        let mut value = read(&format!("{:?}", scenario(text)?));
        for field in place.path {
            value = table(value)?.remove(*field)?;
        }
        let is_written = |key: &String| text.contains(&format!("{key} ="));
        values.extend(table(value)?.into_iter().filter(|(key, _)| !is_written(key)));
    }
    Some(values)
}

/// The defaults of a type that writes itself as it is read.
fn of_certificates(name: &str) -> Option<BTreeMap<String, Value>> {
    let written = match name {
        "Certificate" => return Some(profiles()),
        "NameConstraints" => toml::Table::try_from(NameConstraints::default()),
        "UnknownExtension" => toml::Table::try_from(toml::from_str::<UnknownExtension>("oid = '1.2'").ok()?),
        _ => return None,
    };
    let values = written.ok()?.into_iter().filter(|(key, _)| key != "oid");
    Some(values.map(|(key, value)| (key, Value::Plain(value.to_string()))).collect())
}

/// What a certificate is where a scenario says nothing of it: one value, or several and whose they are.
fn profiles() -> BTreeMap<String, Value> {
    let mut keys: BTreeMap<String, Vec<(String, Vec<&str>)>> = BTreeMap::new();
    for profile in Profile::ALL {
        let defaults = toml::Table::try_from(Defaults::of(profile, "NAME", KeyKind::default())).unwrap_or_default();
        for (key, value) in defaults {
            let values = keys.entry(key).or_default();
            let value = value.to_string();
            match values.iter_mut().find(|(other, _)| *other == value) {
                Some((_, profiles)) => profiles.push(profile.name()),
                None => values.push((value, vec![profile.name()])),
            }
        }
    }
    // Every list that has no default of its own is empty.
    let lists = table(read(&format!("{:?}", Certificate::default()))).unwrap_or_default();
    let lists = lists.into_iter().filter(|(_, value)| matches!(value, Value::List(_)));
    let told = keys.into_iter().map(|(key, values)| match values.as_slice() {
        [(value, _)] => (key, Value::Plain(value.clone())),
        _ => (key, Value::Several(values.into_iter().map(|(value, of)| (of.join(", "), value)).collect())),
    });
    told.chain(lists).collect()
}

/// A scenario that says this, and else only what every scenario has to say.
pub(super) fn scenario(text: &str) -> Option<Scenario> {
    let text =
        format!("title = 't'\nspecification = {{ demands = 'refuse', rule = 'RFC 1 §1', quote = 'q' }}\n{text}\n");
    Scenario::parse("x/y", "x.toml", &text).ok()
}

/// The table of a scenario that the type `name` in `file` reads, as a path of keys.
pub(super) fn table_of(file: &str, name: &str) -> Option<&'static str> {
    match (file, name) {
        ("control/src/order.rs", "Act") => return Some("device.mqtt.acts"),
        ("scenario/src/broker/misbehaviour.rs", "OnServerHello") => return Some("broker.on_server_hello"),
        ("access_point/src/misbehaviour.rs", "Misbehaviour") => return Some("wifi.faults"),
        // Any certificate's table would do.
        ("pki/src/spec.rs", "Certificate") => return Some("pki.leaf"),
        _ => {}
    }
    PLACES.iter().find(|place| place.of == (file, name)).map(|place| place.table)
}

/// A table, or the first of a list of tables.
fn table(value: Value) -> Option<BTreeMap<String, Value>> {
    match value {
        Value::Table(fields) | Value::Variant(_, fields) => Some(fields),
        Value::List(values) => values.into_iter().next().and_then(table),
        _ => None,
    }
}

impl Value {
    /// As a file would write it; `None` for what is better told by its own table, or by its absence. `spelling` tells how
    /// a file writes a variant.
    pub(super) fn told(&self, spelling: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        match self {
            Self::Absent | Self::Table(_) | Self::Several(_) => None,
            Self::Plain(text) => Some(text.clone()),
            Self::Word(variant) => Some(format!("\"{}\"", spelling(variant)?)),
            Self::List(values) => {
                let values: Option<Vec<String>> = values.iter().map(|value| value.told(spelling)).collect();
                values.map(|values| format!("[{}]", values.join(", ")))
            }
            Self::Variant(variant, fields) => {
                let told = |(key, value): (&String, &Self)| Some(format!("{key} = {}", value.told(spelling)?));
                let fields: Option<Vec<String>> = fields.iter().map(told).collect();
                Some(format!("{{ {} = {{ {} }} }}", spelling(variant)?, fields?.join(", ")))
            }
        }
    }
}

/// Reads what `Debug` prints.
fn read(text: &str) -> Value {
    text.parse::<TokenStream>().map_or(Value::Absent, |tokens| value(&tokens.into_iter().collect::<Vec<_>>()))
}

fn value(tokens: &[TokenTree]) -> Value {
    match tokens {
        [TokenTree::Ident(word)] => match word.to_string().as_str() {
            "None" => Value::Absent,
            switch @ ("true" | "false") => Value::Plain(switch.to_owned()),
            word => Value::Word(word.to_owned()),
        },
        [TokenTree::Ident(name), TokenTree::Group(group)] => wrapped(&name.to_string(), group),
        [TokenTree::Group(group)] => grouped(group),
        // What is left are texts, numbers and signs.
        tokens => Value::Plain(tokens.iter().map(ToString::to_string).collect()),
    }
}

fn wrapped(name: &str, group: &proc_macro2::Group) -> Value {
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    match (name, group.delimiter()) {
        ("Some", _) => value(&inner),
        ("UnixTime", _) => {
            let seconds = fields(&inner).remove("seconds");
            let seconds = seconds.and_then(|value| value.told(&|_| None)).and_then(|text| text.parse().ok());
            let date = seconds.map(|seconds| Date::from_unix_time(UnixTime::from_seconds(seconds)));
            date.map_or(Value::Absent, |date| Value::Plain(format!("\"{date}\"")))
        }
        ("Date", Delimiter::Parenthesis) => value(&inner),
        // A table's name, or a variant with something in it: that is told in full, or not at all.
        (name, Delimiter::Brace) => Value::Variant(name.to_owned(), fields(&inner)),
        _ => Value::Table(BTreeMap::new()),
    }
}

fn grouped(group: &proc_macro2::Group) -> Value {
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    match group.delimiter() {
        Delimiter::Bracket => Value::List(split(&inner).iter().map(|tokens| value(tokens)).collect()),
        // A map without entries, or with: what is in it is nobody's default.
        _ => Value::Table(BTreeMap::new()),
    }
}

/// `name: value, …`
fn fields(tokens: &[TokenTree]) -> BTreeMap<String, Value> {
    let field = |tokens: &Vec<TokenTree>| match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(colon), rest @ ..] if colon.as_char() == ':' => {
            Some((name.to_string(), value(rest)))
        }
        _ => None,
    };
    split(tokens).iter().filter_map(field).collect()
}

/// What stands between commas.
fn split(tokens: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
    tokens.split(is_comma).filter(|part| !part.is_empty()).map(<[TokenTree]>::to_vec).collect()
}
