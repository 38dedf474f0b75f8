//! The JSON Schema of a report, rendered from the model's types and committed beside them.

use std::borrow::Cow;
use std::path::Path;

use outcome::{Conformity, Demand, Ending, Stage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::model::Run;
use crate::release::Release;

/// Makes a type that stands in a schema for one that cannot describe itself: one of a list of words.
macro_rules! words {
    ($name:ident, $about:literal, $values:expr) => {
        pub struct $name;
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $about, "type": "string", "enum": words(&$values) })
            }
        }
    };
}

words!(
    DemandWord,
    "What the specification demands of the device.",
    [Demand::Connect, Demand::Refuse, Demand::Fail, Demand::Either]
);
words!(ConformityWord, "How what the device did compares with what the specification demands.", Conformity::ALL);
words!(
    StageWord,
    "How far the device came.",
    [
        Stage::Boot,
        Stage::Clock,
        Stage::Resolve,
        Stage::Connect,
        Stage::Hello,
        Stage::Certificate,
        Stage::KeyExchange,
        Stage::Finished,
        Stage::Login,
        Stage::Subscribe,
        Stage::Exchange,
        Stage::KeepAlive,
        Stage::Goodbye
    ]
);
words!(
    EndingWord,
    "How a run ended.",
    [
        Ending::AsExpected,
        Ending::New,
        Ending::Otherwise(String::new()),
        Ending::Silent,
        Ending::NotApplicable(String::new()),
        Ending::BenchFailed(String::new())
    ]
);

/// The keys of a row that say how it ended.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is of use")]
pub struct EndingWords {
    /// How it ended; absent if it was not run.
    ending: Option<EndingWord>,
    /// Why, if it ended otherwise, does not apply, or if the bench failed.
    reason: Option<String>,
}

/// What values are called in JSON.
fn words<T: Serialize>(values: &[T]) -> Vec<serde_json::Value> {
    values
        .iter()
        .map(|value| match serde_json::to_value(value).expect("a value of ours") {
            serde_json::Value::Object(tagged) => tagged["ending"].clone(),
            word => word,
        })
        .collect()
}

/// The committed files are what the types say. `SHAKEDOWN_UPDATE=1 cargo test -p report` writes them anew.
#[test]
fn the_committed_schemas_are_those_of_the_model() {
    is_committed("run.json", &schemars::schema_for!(Run));
    is_committed("release.json", &schemars::schema_for!(Release));
}

fn is_committed(name: &str, schema: &Schema) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    let rendered = format!("{:#}\n", schema.as_value());
    if std::env::var_os("SHAKEDOWN_UPDATE").is_some() {
        std::fs::write(&file, &rendered).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default().replace('\r', "");
    assert!(committed == rendered, "{} is out of date: SHAKEDOWN_UPDATE=1 cargo test -p report", file.display());
}
