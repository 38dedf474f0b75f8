//! The grammar of scenario files, rendered from the types that read them: each field of a struct with its doc comment,
//! each variant of an enum with its one sentence.
//!
//! What is read is our own source as rustfmt leaves it: fields and variants stand four spaces deep, the closing brace
//! at the margin. A test compares the keys with those that serde names when it refuses one.

use std::path::Path;

use super::{Unrenderable, markdown, read};

/// A field of a struct, or a variant of an enum.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// As a scenario writes it.
    name: String,
    /// What follows the name: a field's type, a variant's payload.
    rest: String,
    /// The doc comment, its lines joined.
    means: String,
}

/// The table of `argument`, which is a file below `harness/` and the name of a type in it; of the fields of a struct, with
/// `only_device_keys` those alone that are keys of `[device]`.
pub(super) fn table(root: &Path, argument: &str, only_device_keys: bool) -> Result<String, Unrenderable> {
    let (file, name) = argument
        .split_once(' ')
        .ok_or_else(|| Unrenderable::new(argument, "write a file below harness/ and the name of a type"))?;
    let path = root.join("harness").join(file);
    let source = read(&path)?.ok_or_else(|| Unrenderable::new(path.display(), "there is no such file"))?;
    let rows =
        |entries: Vec<Entry>, value: &dyn Fn(&Entry) -> Vec<String>| entries.iter().map(value).collect::<Vec<_>>();
    if let Some(mut fields) = entries(&source, &format!("pub struct {name} {{"), field) {
        if only_device_keys {
            let keys = scenario::device::told_keys();
            fields.retain(|entry| keys.contains(&entry.name.as_str()));
        }
        let row = |entry: &Entry| vec![code(&entry.name), words(&entry.rest), entry.means.clone()];
        return Ok(markdown(&["key", "value", "meaning"], &rows(fields, &row)));
    }
    if let Some(variants) = entries(&source, &format!("pub enum {name} {{"), variant) {
        let row = |entry: &Entry| vec![code(&written(entry)), entry.means.clone()];
        return Ok(markdown(&["value", "meaning"], &rows(variants, &row)));
    }
    Err(Unrenderable::new(argument, "there is no such struct or enum"))
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

/// The entries of the type that begins with the line `head`.
fn entries(source: &str, head: &str, read_entry: fn(&str) -> Option<(String, String)>) -> Option<Vec<Entry>> {
    // A generic type has its parameters before the brace.
    let generic = head.replace(" {", "<");
    let mut lines = source.lines().skip_while(|line| *line != head && !line.starts_with(&generic));
    lines.next()?;
    let mut found: Vec<Entry> = Vec::new();
    let (mut means, mut attributes) = (Vec::new(), String::new());
    for line in lines.take_while(|line| *line != "}") {
        let Some(line) = line.strip_prefix("    ") else { continue };
        if let Some(comment) = line.strip_prefix("///") {
            means.push(comment.trim());
        } else if line.trim_start().starts_with("#[") {
            attributes.push_str(line);
        } else if let Some((name, rest)) = read_entry(line) {
            let renamed = attributes.split_once("rename = \"").and_then(|(_, rest)| rest.split_once('"'));
            let name = renamed.map_or(name, |(renamed, _)| renamed.to_owned());
            if !attributes.contains("serde(skip)") {
                // Links are for rustdoc.
                let means = means.join(" ").replace("[`", "`").replace("`]", "`");
                found.push(Entry { name, rest, means });
            }
            means.clear();
            attributes.clear();
        } else if let (Some(last), Some(field)) = (found.last_mut(), line.trim_start().strip_suffix(',')) {
            // A field of the variant above.
            let renamed = attributes.split_once("rename = \"").and_then(|(_, rest)| rest.split_once('"'));
            match (renamed, field.split_once(": ")) {
                (Some((name, _)), Some((_, kind))) => last.rest.push_str(&format!("{name}: {kind}")),
                _ => last.rest.push_str(field),
            }
            last.rest.push(',');
            means.clear();
            attributes.clear();
        } else {
            means.clear();
            attributes.clear();
        }
    }
    Some(found)
}

/// `pub name: Type,`
fn field(line: &str) -> Option<(String, String)> {
    let (name, kind) = line.strip_prefix("pub ")?.strip_suffix(',')?.split_once(": ")?;
    Some((name.to_owned(), kind.to_owned()))
}

/// `Name,`, `Name(Type),` or `Name {`
fn variant(line: &str) -> Option<(String, String)> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (name, rest) = line.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let rest = rest.trim_end_matches(',').trim_matches(['(', ')']).trim().trim_end_matches('{');
    Some((snake_case(name), rest.to_owned()))
}

/// As serde's `rename_all = "snake_case"` does it.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// A variant as a scenario writes it.
fn written(variant: &Entry) -> String {
    let Entry { name, rest, .. } = variant;
    if rest.is_empty() {
        return format!("\"{name}\"");
    }
    if !rest.contains(": ") {
        return format!("{{ {name} = {} }}", words(rest).replace('`', ""));
    }
    let fields: Vec<String> = rest
        .split_terminator(',')
        .filter_map(|field| field.split_once(": "))
        .map(|(name, kind)| format!("{} = {}", name.trim(), words(kind).replace('`', "")))
        .collect();
    format!("{{ {name} = {{ {} }} }}", fields.join(", "))
}

/// A type in words.
fn words(kind: &str) -> String {
    let inside = |outer: &str| kind.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(kind) = inside("Option<") {
        return words(kind);
    }
    if let Some(kind) = inside("Vec<") {
        return format!("list of {}", words(kind));
    }
    if let Some(kind) = inside("BTreeMap<String, ") {
        return format!("table of {} by name", words(kind));
    }
    if let Some(kind) = inside("OneOf<") {
        return format!("{}, or a list", words(kind));
    }
    if let Some(kind) = inside("toml::Spanned<") {
        return words(kind);
    }
    match kind {
        "toml::Table" => "table".into(),
        "String" | "IpAddr" => "text".into(),
        "bool" => "true or false".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "Duration" | "Instant" => "number".into(),
        // Types of other modules of the grammar are known by their last names.
        other => code(other.rsplit("::").next().unwrap_or(other).split('<').next().unwrap_or(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::Scenario;
    use std::collections::BTreeSet;

    const SOURCE: &str = "\
pub struct A {
    /// Where: see [`B`]
    /// or not.
    #[serde(default)]
    pub dials: Option<String>,
    #[serde(skip)]
    pub name: String,
    /// How many.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
}

pub enum B {
    /// Nothing.
    #[default]
    None,
    #[serde(rename = \"1.2\")]
    Tls12,
    /// Late.
    DelayMs(u32),
    /// Waits.
    Idle {
        /// How long.
        ms: u32,
        #[serde(rename = \"qos_max\", default)]
        qos: u8,
    },
}
";

    #[test]
    fn fields_and_variants_are_read_with_their_comments() {
        let fields = entries(SOURCE, "pub struct A {", field).unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].name.as_str(), fields[0].means.as_str()), ("dials", "Where: see `B` or not."));
        assert_eq!(words(&fields[1].rest), "table of list of text by name");
        let variants = entries(SOURCE, "pub enum B {", variant).unwrap();
        assert_eq!(
            variants.iter().map(written).collect::<Vec<_>>(),
            ["\"none\"", "\"1.2\"", "{ delay_ms = number }", "{ idle = { ms = number, qos_max = number } }"]
        );
    }

    /// The keys that serde would have accepted in the place of one that nobody knows.
    fn accepted(before: &str) -> BTreeSet<String> {
        let text = format!(
            "title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 1 §1', quote = 'q' }}\n{before}nobody = 0\n"
        );
        let problem = Scenario::parse("x/y", "x.toml", &text).expect_err("nobody knows that key");
        let (_, list) = problem.message.split_once("expected ").expect(&problem.message);
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_keys_are_those_that_serde_knows() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (file, name, before) in [
            ("scenario/src/lib.rs", "Scenario", ""),
            ("scenario/src/sweep.rs", "Sweep", "[sweep]\n"),
            ("control/src/order.rs", "Mqtt", "[device.mqtt]\n"),
            ("scenario/src/network.rs", "Network", "[network]\n"),
            ("network/src/modem/behaviour.rs", "ModemBehaviour", "[modem]\n"),
            ("scenario/src/broker.rs", "Broker", "[broker]\n"),
            ("scenario/src/broker/clients.rs", "ClientCertificates", "[broker.client_certificates]\n"),
            ("scenario/src/broker/mqtt.rs", "Mqtt", "[broker.mqtt]\n"),
            ("scenario/src/broker/mqtt.rs", "Message", "[[broker.mqtt.publish]]\n"),
            ("scenario/src/mosquitto.rs", "Mosquitto", "[mosquitto]\n"),
            ("pki/src/spec.rs", "Certificate", "[pki.leaf]\n"),
            ("pki/src/spec/extension.rs", "UnknownExtension", "[[pki.leaf.unknown_extensions]]\n"),
        ] {
            let source = std::fs::read_to_string(root.join("harness").join(file)).unwrap();
            let rendered = entries(&source, &format!("pub struct {name} {{"), field).expect(name);
            let keys: BTreeSet<String> = rendered.into_iter().map(|entry| entry.name).collect();
            assert_eq!(keys, accepted(before), "{name}");
        }
    }

    /// Its keys are those of three types; each is on the page once.
    #[test]
    fn the_keys_of_the_device_are_those_that_are_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut keys: Vec<String> = Vec::new();
        for (argument, told) in [
            ("scenario/src/device.rs Device", false),
            ("control/src/order.rs Plan", true),
            ("control/src/order.rs Tls", true),
        ] {
            let table = table(&root, argument, told).unwrap();
            keys.extend(table.lines().skip(2).filter_map(|row| row.split('`').nth(1)).map(str::to_owned));
        }
        // What stands in a table of its own, and what is no key but its contents.
        keys.push("mqtt".into());
        keys.retain(|key| key != "plan" && key != "security");
        assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len(), "{keys:?}");
        assert_eq!(keys.iter().cloned().collect::<BTreeSet<_>>(), accepted("[device]\n"));
        assert!(keys.contains(&"keeps_session".to_owned()) && !keys.contains(&"authorities".to_owned()), "{keys:?}");
    }
}
