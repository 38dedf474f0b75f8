//! What a profile changes in the plan that a device is told: a JSON merge patch (RFC 7396).
//!
//! TOML has no null, so what RFC 7396 removes with one is named in a list.

use control::Plan;
use serde_json::{Map, Value, json};

/// A merge patch onto a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// Keys that are removed, then keys that are set.
    documents: Vec<Value>,
}

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
        let nulls = nulls(without);
        let unfit = |message| Unfit { key: "plan", message };
        let values = serde_json::to_value(plan).map_err(|error| unfit(error.to_string()))?;
        let specimen = specimen().map_err(unfit)?;
        let known = json(&specimen).map_err(unfit)?;
        if let Some(key) = unknown(&nulls, &known, "") {
            return Err(Unfit { key: "plan_without", message: format!("a plan has no key `{key}`") });
        }
        if let Some(key) = unknown(&values, &known, "") {
            return Err(unfit(format!("a plan has no key `{key}`")));
        }
        let patch = Self { documents: [nulls, values].into_iter().filter(|document| !is_empty(document)).collect() };
        match patch.apply(specimen) {
            Ok(_) => Ok(patch),
            Err(message) => Err(unfit(message)),
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The plan with the patch applied.
    ///
    /// # Errors
    ///
    /// If what results is no plan.
    pub fn apply(&self, plan: Plan) -> Result<Plan, String> {
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
        serde_json::from_value(value).map_err(|error| error.to_string())
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

fn json(plan: &Plan) -> Result<Value, String> {
    serde_json::to_value(plan).map_err(|error| error.to_string())
}

/// A plan with every table, to try patches on.
fn specimen() -> Result<Plan, String> {
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
    .map_err(|error| error.to_string())
}
