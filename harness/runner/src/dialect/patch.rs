//! What a profile changes in the plan that a device is told: a JSON merge patch (RFC 7396).
//!
//! TOML has no null, so what RFC 7396 removes with one is named in a list.
//!
//! A profile never turns a scenario into another one silently. Where a scenario asks for nothing, the profile's own way
//! counts. Where it asks for something ([`Patch::reconcile`]), lists and ranges of versions are intersected; what cannot
//! be intersected, or leaves nothing, is a [`Conflict`].

use std::fmt;

use blame::Error;
use control::Plan;
use serde_json::{Map, Value, json};

/// The tables of a plan whose keys are patched one by one.
const TABLES: [&str; 3] = ["network", "tls", "mqtt"];

/// What a profile fixes and a scenario asks for otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The key, as a scenario writes it: `device.groups`.
    pub key: String,
    /// What the profile does with it.
    pub fixed: Fixed,
}

/// What a profile does with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// It has a list or a range, with nothing of what the scenario asks for.
    Disjoint,
    /// It has no means to set it.
    Absent,
    /// It has one value, and the scenario asks for another.
    At {
        /// The profile's.
        is: String,
        /// The scenario's.
        wanted: String,
    },
}

impl fmt::Display for Conflict {
    /// What follows the profile's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.fixed {
            Fixed::Disjoint => write!(f, "has none of what the scenario asks for in `{key}`"),
            Fixed::Absent => write!(f, "has no means to set `{key}`, which the scenario asks for"),
            Fixed::At { is, wanted } => write!(f, "fixes `{key}` at {is}, and the scenario asks for {wanted}"),
        }
    }
}

/// A merge patch onto a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// Keys that are removed, then keys that are set.
    documents: Vec<Value>,
}

/// What a scenario and a profile come to together.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and never kept")]
pub enum Reconciled {
    /// The plan that is both.
    Plan(Plan),
    /// The first thing that was asked for and that the profile cannot be.
    Conflict(Conflict),
}

/// No key of a plan lies deeper, in tables.
pub const KEY_DEPTH_MAX: usize = 8;

/// Why a patch cannot be applied to a plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The key of the profile that is wrong: `plan` or `plan_without`.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Patch {
    /// A patch that leaves out the keys `without` (`tls.alpn`) and sets those of `plan`.
    ///
    /// # Errors
    ///
    /// If a plan knows no such key, or if a value is not what the plan has there.
    pub fn new(plan: &toml::Table, without: &[String]) -> Result<Self, Unfit> {
        // Each of them is walked down, again and again.
        if let Some(deep) = without.iter().find(|key| key.split('.').count() > KEY_DEPTH_MAX) {
            let beginning: String = deep.chars().take(40).collect();
            return Err(Unfit { key: "plan_without", message: format!("a plan has no key `{beginning}…`") });
        }
        let nulls = nulls(without);
        let unfit = |message| Unfit { key: "plan", message };
        let values = serde_json::to_value(plan).map_err(|error| unfit(error.to_string()))?;
        let specimen = specimen().map_err(|error| unfit(error.message))?;
        let known = json(&specimen).map_err(|error| unfit(error.message))?;
        if let Some(key) = unknown(&nulls, &known, "") {
            return Err(Unfit { key: "plan_without", message: format!("a plan has no key `{key}`") });
        }
        if let Some(key) = unknown(&values, &known, "") {
            return Err(unfit(format!("a plan has no key `{key}`")));
        }
        let patch = Self { documents: [nulls, values].into_iter().filter(|document| !is_empty(document)).collect() };
        match patch.apply(specimen) {
            Ok(_) => Ok(patch),
            Err(error) => Err(unfit(error.message)),
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The plan of a scenario under the profile, where `preset` is the plan that the scenario would have if it asked for
    /// nothing of its device: whatever differs was asked for.
    ///
    /// # Errors
    ///
    /// The first thing that was asked for and that the profile cannot be.
    pub fn reconcile(&self, asked: Plan, preset: &Plan) -> blame::Result<Reconciled> {
        let (wanted, preset) = (json(&asked)?, json(preset)?);
        let mut reconciled = json(&self.apply(asked)?)?;
        for path in self.paths() {
            let (Some(wants), before) = (wanted.pointer(&path), preset.pointer(&path)) else { continue };
            let Some(is) = reconciled.pointer_mut(&path) else { continue };
            // A device that is given no authority checks no chain: which one it would have had makes no difference.
            let is_idle = path == "/tls/authorities" && is.is_null();
            if Some(wants) == before || wants == is || is_idle {
                continue;
            }
            match intersection(&path, wants, is) {
                Ok(both) => *is = both,
                Err(fixed) => return Ok(Reconciled::Conflict(Conflict { key: key_of(&path), fixed })),
            }
        }
        let version = |path: &str| reconciled.pointer(path).and_then(Value::as_u64);
        if let (Some(min), Some(max)) = (version("/tls/version_min"), version("/tls/version_max"))
            && min > max
        {
            return Ok(Reconciled::Conflict(Conflict { key: "device.versions".into(), fixed: Fixed::Disjoint }));
        }
        serde_json::from_value(reconciled).map(Reconciled::Plan).map_err(Error::author)
    }

    /// What it changes, as JSON pointers (RFC 6901).
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for (key, value) in self.documents.iter().filter_map(Value::as_object).flatten() {
            match value {
                Value::Object(members) if TABLES.contains(&key.as_str()) => {
                    paths.extend(members.keys().map(|member| format!("/{key}/{member}")));
                }
                _ => paths.push(format!("/{key}")),
            }
        }
        paths
    }

    /// The plan with the patch applied, whatever the scenario asks for.
    ///
    /// # Errors
    ///
    /// If what results is no plan.
    pub fn apply(&self, plan: Plan) -> blame::Result<Plan> {
        if self.is_empty() {
            return Ok(plan);
        }
        let mut value = json(&plan)?;
        for document in &self.documents {
            let mut document = document.clone();
            if let (None, Some(members)) = (&plan.tls, document.as_object_mut()) {
                members.remove("tls");
            }
            value = merged(value, &document);
        }
        serde_json::from_value(value).map_err(Error::author)
    }
}

/// What a profile that fixes `is` leaves of what a scenario asks for at this path.
fn intersection(path: &str, wanted: &Value, is: &Value) -> Result<Value, Fixed> {
    match (path, wanted, is) {
        ("/tls/cipher_suites" | "/tls/groups" | "/tls/alpn", Value::Array(wanted), Value::Array(is)) => {
            let both: Vec<Value> = wanted.iter().filter(|one| is.contains(one)).cloned().collect();
            match (both.is_empty(), is.is_empty()) {
                (false, _) => Ok(Value::Array(both)),
                (true, false) => Err(Fixed::Disjoint),
                (true, true) => Err(Fixed::Absent),
            }
        }
        ("/tls/version_min", Value::Number(_), Value::Number(_)) => Ok(wanted.as_u64().max(is.as_u64()).into()),
        ("/tls/version_max", Value::Number(_), Value::Number(_)) => Ok(wanted.as_u64().min(is.as_u64()).into()),
        (_, _, Value::Null) => Err(Fixed::Absent),
        _ => Err(Fixed::At { is: is.to_string(), wanted: wanted.to_string() }),
    }
}

/// The key of a scenario that becomes the value at this path of a plan.
fn key_of(path: &str) -> String {
    match path {
        "/tls/version_min" | "/tls/version_max" => "device.versions".into(),
        "/tls/authorities" => "device.trusts".into(),
        "/tls/client_certificate" => "device.certificates".into(),
        "/tls/client_key" => "device.key_of".into(),
        _ => format!("device{}", path.replacen("/tls", "", 1).replace('/', ".")),
    }
}

/// RFC 7396 §2, `MergePatch`.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut members = match target {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (key, value) in patch {
        let before = members.remove(key).unwrap_or(Value::Null);
        if !value.is_null() {
            members.insert(key.clone(), merged(before, value));
        }
    }
    Value::Object(members)
}

/// A document with nulls at these paths, whose keys have dots between.
fn nulls(paths: &[String]) -> Value {
    let mut document = Map::new();
    for path in paths {
        let (tables, key) = path.rsplit_once('.').map_or(("", path.as_str()), |(tables, key)| (tables, key));
        let mut members = &mut document;
        for table in tables.split('.').filter(|table| !table.is_empty()) {
            let entry = members.entry(table).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                // The whole table was named before.
                *entry = Value::Object(Map::new());
            }
            let Value::Object(inner) = entry else { return Value::Null };
            members = inner;
        }
        members.insert(key.to_owned(), Value::Null);
    }
    Value::Object(document)
}

/// The first key of `patch`, with dots between, that `known` does not have. Only tables are looked into: below a list
/// or a choice stand values.
fn unknown(patch: &Value, known: &Value, path: &str) -> Option<String> {
    let (Value::Object(patch), Value::Object(known)) = (patch, known) else { return None };
    patch.iter().find_map(|(key, value)| {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match known.get(key) {
            None => Some(path),
            Some(known) => unknown(value, known, &path),
        }
    })
}

fn is_empty(document: &Value) -> bool {
    document.as_object().is_none_or(Map::is_empty)
}

fn json(plan: &Plan) -> blame::Result<Value> {
    serde_json::to_value(plan).map_err(Error::author)
}

/// A plan with every table, to try patches on.
fn specimen() -> blame::Result<Plan> {
    serde_json::from_value(json!({
        "network": {
            "ipv4": "192.0.2.20", "ipv4_prefix_bits": 24, "ipv4_gateway": "192.0.2.1", "dns": "192.0.2.1",
            "mtu_bytes": 1500,
        },
        "broker_host": "broker.test",
        "broker_port": 8883,
        "tls": {},
        "mqtt": { "client_id": "" },
    }))
    .map_err(Error::author)
}
