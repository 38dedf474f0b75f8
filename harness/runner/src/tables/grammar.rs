//! The grammar of scenario files and dialects, rendered from the types that read them: each field of a struct with its
//! doc comment, type, default and range, each variant of an enum with its one sentence.
//!
//! Types and comments are read from our own source by `syn` ([`source`]); defaults are those of values that were read from
//! a file that says nothing of them ([`defaults`]); ranges are [`scenario::RANGES`], which a test tries at both ends.

mod defaults;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::{Unrenderable, markdown, read};
use defaults::Value;
use source::{Field, Kind, Payload, Shape, Variant};

/// The table of `argument`, which is a file below `harness/` and the name of a type in it; of the fields of a struct, with
/// `only_device_keys` those alone that are keys of `[device]`.
pub(super) fn table(root: &Path, argument: &str, only_device_keys: bool) -> Result<String, Unrenderable> {
    let (file, name) = argument
        .split_once(' ')
        .ok_or_else(|| Unrenderable::new(argument, "write a file below harness/ and the name of a type"))?;
    match shape(root, file, name)? {
        Shape::Struct(mut fields) => {
            if only_device_keys {
                let keys = scenario::device::told_keys();
                fields.retain(|field| keys.contains(&field.name.as_str()));
            }
            Ok(of_struct(root, file, name, &fields))
        }
        Shape::Enum(variants) => {
            let row = |variant: &Variant| vec![code(&written(file, name, variant)), variant.means.clone()];
            Ok(markdown(&["value", "meaning"], &variants.iter().map(row).collect::<Vec<_>>()))
        }
    }
}

fn shape(root: &Path, file: &str, name: &str) -> Result<Shape, Unrenderable> {
    let path = root.join("harness").join(file);
    let text = read(&path)?.ok_or_else(|| Unrenderable::new(path.display(), "there is no such file"))?;
    source::find(&text, name)
        .map_err(|why| Unrenderable::new(path.display(), why))?
        .ok_or_else(|| Unrenderable::new(format_args!("{file} {name}"), "there is no such struct or enum"))
}

fn of_struct(root: &Path, file: &str, name: &str, fields: &[Field]) -> String {
    let values = defaults::of(file, name);
    let spelling = |variant: &str, kind: &Kind| spelling(root, file, variant, kind);
    let default = |field: &Field| match values.as_ref().and_then(|values| values.get(&field.name)) {
        // What `control` demands of the bench, the bench does not demand of a scenario, if it has a default for it.
        None if field.is_required => "required".to_owned(),
        _ if field.is_required && !file.starts_with("control/") => "required".to_owned(),
        Some(value) => shown(value, field, &|variant| spelling(variant, &field.kind)),
        None => String::new(),
    };
    let has_defaults = fields.iter().any(|field| !default(field).is_empty());
    let row = |field: &Field| {
        let value = ranged(file, name, field);
        match has_defaults {
            true => vec![code(&field.name), value, default(field), field.means.clone()],
            false => vec![code(&field.name), value, field.means.clone()],
        }
    };
    let head: &[&str] =
        if has_defaults { &["key", "value", "default", "meaning"] } else { &["key", "value", "meaning"] };
    markdown(head, &fields.iter().map(row).collect::<Vec<_>>())
}

/// A default as the page shows it; empty where it is told by its absence, or by a table of its own.
fn shown(value: &Value, field: &Field, spelling: &dyn Fn(&str) -> Option<String>) -> String {
    match (value, &field.kind) {
        (Value::Several(values), _) => {
            let told: Vec<String> = values.iter().map(|(when, value)| format!("{when}: {}", code(value))).collect();
            told.join("; ")
        }
        // A variant of that name, and not the absence of a value.
        (Value::Absent, Kind::Named(_)) if !field.is_option => {
            spelling("None").map(|told| code(&format!("\"{told}\""))).unwrap_or_default()
        }
        (Value::Table(fields), Kind::ByName(_)) if fields.is_empty() => code("{}"),
        (value, _) => value.told(spelling).map(|told| code(&told)).unwrap_or_default(),
    }
}

/// A field's type in words, with the range that holds for it.
fn ranged(file: &str, name: &str, field: &Field) -> String {
    match (range(file, name, &field.name), &field.kind) {
        (Some(range), _) => format!("number, {range}"),
        (None, Kind::Number { least, most }) => format!("number, {}", from_to(*least, *most)),
        (None, kind) => words(kind),
    }
}

/// The numbers that a type holds; the largest that a file can write is no limit of anybody's.
fn from_to(least: i64, most: i64) -> String {
    match (least, most) {
        (i64::MIN, i64::MAX) => "of either sign".to_owned(),
        (_, i64::MAX) => format!("{least} or more"),
        _ => format!("{least} to {most}"),
    }
}

/// The range of its own that a key has, narrower than its type.
fn range(file: &str, name: &str, key: &str) -> Option<&'static scenario::Range> {
    let table = defaults::table_of(file, name)?;
    scenario::RANGES.iter().find(|range| range.table == table && range.key == key)
}

/// How a scenario writes the variant `variant` of the enum that a field of this kind holds; looked for in the field's own
/// file, then in those whose types other files use.
fn spelling(root: &Path, file: &str, variant: &str, kind: &Kind) -> Option<String> {
    let name = kind.innermost()?;
    if (name, variant) == ("Clock", "Set") {
        return Some("set".into());
    }
    [file, "scenario/src/device.rs", "scenario/src/broker.rs", "scenario/src/broker/misbehaviour.rs"]
        .into_iter()
        .chain([
            "scenario/src/broker/engine.rs",
            "scenario/src/broker/clients.rs",
            "scenario/src/network.rs",
            "control/src/order.rs",
        ])
        .chain(["scenario/src/device/values.rs", "network/src/config.rs", "network/src/modem/behaviour.rs"])
        .find_map(|file| match shape(root, file, name) {
            Ok(Shape::Enum(variants)) => variants.into_iter().find(|one| one.ident == variant),
            _ => None,
        })
        .map(|variant| variant.name)
        .filter(|name| !name.is_empty())
}

/// The words of names that claim something.
pub(super) fn claims() -> String {
    let rows: Vec<Vec<String>> = scenario::claims().map(|(words, means)| vec![code(words), means.to_owned()]).collect();
    markdown(&["words", "what has to be true"], &rows)
}

/// What may stand in braces in the words of a dialect.
pub(super) fn placeholders() -> String {
    let rows: Vec<Vec<String>> =
        crate::dialect::words::PLACEHOLDERS.iter().map(|(name, means)| vec![code(name), (*means).to_owned()]).collect();
    markdown(&["placeholder", "what stands there"], &rows)
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The variant of an enum as a scenario writes it; numbers as their ranges, with `optional` before what may be left out.
fn written(file: &str, of: &str, variant: &Variant) -> String {
    let name = &variant.name;
    let plain = |kind: &Kind| match kind {
        Kind::Number { least, most } => from_to(*least, *most),
        kind => words(kind).replace('`', ""),
    };
    let in_table = |key: &str, kind: &Kind| match range(file, of, key) {
        Some(range) => range.to_string(),
        None => plain(kind),
    };
    match &variant.payload {
        Payload::None => format!("\"{name}\""),
        Payload::One(kind) => format!("{{ {name} = {} }}", in_table(name, kind)),
        Payload::Several(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(plain).collect();
            format!("{{ {name} = [{}] }}", kinds.join(", "))
        }
        Payload::Table(fields) => {
            let fields = fields.iter().map(|field| {
                let optional = if field.is_required { "" } else { "optional " };
                format!("{} = {optional}{}", field.name, in_table(&field.name, &field.kind))
            });
            match &variant.tag {
                Some(tag) => {
                    let keys = std::iter::once(format!("{tag} = \"{name}\"")).chain(fields);
                    format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
                }
                None => format!("{{ {name} = {{ {} }} }}", fields.collect::<Vec<_>>().join(", ")),
            }
        }
    }
}

/// A type in words.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Switch => "true or false".into(),
        Kind::Number { .. } => "number".into(),
        Kind::Table => "table".into(),
        Kind::List(inner) => format!("list of {}", words(inner)),
        Kind::ByName(inner) => format!("table of {} by name", words(inner)),
        Kind::OneOrList(inner) => format!("{}, or a list", words(inner)),
        Kind::Named(name) => code(name),
    }
}
