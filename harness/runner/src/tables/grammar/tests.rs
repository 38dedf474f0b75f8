use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use scenario::{Numbers, Scenario};

const SOURCE: &str = "
pub struct A {
    /// Where: see [`B`]
    /// or not.
    #[serde(default)]
    pub dials: Option<String>,
    #[serde(skip)]
    pub name: String,
    /// How many.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    #[serde(default)]
    pub words: Vec<Rule>,
    #[serde(skip)]
    patch: Patch,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = \"snake_case\")]
pub enum B {
    /// Nothing.
    #[default]
    None,
    #[serde(rename = \"1.2\")]
    Tls12,
    /// Late.
    DelayMs(u32),
    /// After so many records.
    AlertAfter(u8, super::Alert),
    /// Waits.
    Idle {
        /// How long.
        ms: u32,
        #[serde(rename = \"qos_max\", default)]
        qos: u8,
    },
}

#[derive(Deserialize)]
#[serde(tag = \"fault\", rename_all = \"snake_case\")]
pub enum C {
    /// Never.
    Never {},
    /// Late.
    Late {
        /// By how much.
        by_ms: u8,
        /// How often.
        times: Option<u8>,
    },
}
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn fields_and_variants_are_read_with_their_comments() {
    let Ok(Some(Shape::Struct(fields))) = source::find(SOURCE, "A") else { panic!("a struct") };
    let read: Vec<(&str, String, bool)> =
        fields.iter().map(|field| (field.name.as_str(), words(&field.kind), field.is_required)).collect();
    assert_eq!(
        read,
        [
            ("dials", "text".to_owned(), false),
            ("hosts", "table of list of text by name".to_owned(), true),
            ("words", "list of `Rule`".to_owned(), false),
        ]
    );
    assert_eq!(fields[0].means, "Where: see `B` or not.");
    let Ok(Some(Shape::Enum(variants))) = source::find(SOURCE, "B") else { panic!("an enum") };
    assert_eq!(
        variants.iter().map(|variant| written("", "B", variant)).collect::<Vec<_>>(),
        [
            "\"none\"",
            "\"1.2\"",
            "{ delay_ms = 0 to 4294967295 }",
            "{ alert_after = [0 to 255, Alert] }",
            "{ idle = { ms = 0 to 4294967295, qos_max = optional 0 to 255 } }"
        ]
    );
    let Ok(Some(Shape::Enum(variants))) = source::find(SOURCE, "C") else { panic!("an enum") };
    assert_eq!(
        variants.iter().map(|variant| written("", "C", variant)).collect::<Vec<_>>(),
        ["{ fault = \"never\" }", "{ fault = \"late\", by_ms = 0 to 255, times = optional 0 to 255 }"]
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
    for (file, name, before) in [
        ("scenario/src/lib.rs", "Scenario", ""),
        ("scenario/src/broker/afterwards.rs", "Afterwards", "[broker.afterwards]\n"),
        ("scenario/src/sweep.rs", "Sweep", "[sweep]\n"),
        ("scenario/src/twin.rs", "Twin", "[twin]\n"),
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
        let Ok(Shape::Struct(fields)) = shape(&root(), file, name) else { panic!("{name}") };
        let keys: BTreeSet<String> = fields.into_iter().map(|field| field.name).collect();
        assert_eq!(keys, accepted(before), "{name}");
    }
}

/// Its keys are those of three types; each is on the page once.
#[test]
fn the_keys_of_the_device_are_those_that_are_read() {
    let mut keys: Vec<String> = Vec::new();
    for (argument, told) in [
        ("scenario/src/device.rs Device", false),
        ("control/src/order.rs Plan", true),
        ("control/src/order.rs Tls", true),
    ] {
        let table = table(&root(), argument, told).unwrap_or_else(|error| panic!("{error}"));
        keys.extend(table.lines().skip(2).filter_map(|row| row.split('`').nth(1)).map(str::to_owned));
    }
    // What stands in a table of its own.
    keys.push("mqtt".into());
    assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len(), "{keys:?}");
    assert_eq!(keys.iter().cloned().collect::<BTreeSet<_>>(), accepted("[device]\n"));
    assert!(keys.contains(&"keeps_session".to_owned()) && !keys.contains(&"authorities".to_owned()), "{keys:?}");
}

/// What the pages show is what a reader can write: every default, written out, changes nothing.
#[test]
fn every_default_that_is_shown_is_one_that_can_be_written() {
    let mut tried = 0;
    for (file, name) in [
        ("scenario/src/lib.rs", "Scenario"),
        ("scenario/src/device.rs", "Device"),
        ("control/src/order.rs", "Plan"),
        ("control/src/order.rs", "Tls"),
        ("control/src/order.rs", "Mqtt"),
        ("scenario/src/network.rs", "Network"),
        ("network/src/modem/behaviour.rs", "ModemBehaviour"),
        ("scenario/src/broker.rs", "Broker"),
        ("scenario/src/broker/clients.rs", "ClientCertificates"),
        ("scenario/src/broker/mqtt.rs", "Mqtt"),
    ] {
        let told = matches!(name, "Plan" | "Tls");
        let rendered = table(&root(), &format!("{file} {name}"), told).unwrap_or_else(|error| panic!("{error}"));
        let place = defaults::table_of(file, name).expect(name);
        for line in rendered.lines().skip(2) {
            let cells: Vec<&str> =
                line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
            let [key, _, default, ..] = cells.as_slice() else { panic!("{line}") };
            if default.is_empty() || *default == "required" {
                continue;
            }
            let path = if place.is_empty() { (*key).to_owned() } else { format!("{place}.{key}") };
            let written = defaults::scenario(&format!("{path} = {default}"));
            let written = written.unwrap_or_else(|| panic!("`{path} = {default}` cannot be written"));
            assert_eq!(format!("{written:?}"), format!("{:?}", defaults::scenario("").expect("it is empty")), "{path}");
            tried += 1;
        }
    }
    assert!(tried > 50, "only {tried} defaults are shown");
}

/// Each range is tried at both ends, and just outside of them.
#[test]
fn ranges_are_those_that_scenarios_are_checked_against() {
    for range in scenario::RANGES {
        let path = format!("{}{}{}", range.table, if range.table.is_empty() { "" } else { "." }, range.key);
        let parse = |number: i64| {
            let text = match range.table {
                "broker.mqtt.publish" => format!("broker.mqtt.publish = [{{ topic = 't', {} = {number} }}]", range.key),
                "device.mqtt.acts" => {
                    format!("device.mqtt.acts = [{{ subscribe = {{ topic = 't', {} = {number} }} }}]", range.key)
                }
                "device.mqtt.will" => {
                    format!("device.mqtt.will = {{ topic = 't', payload = 'p', {} = {number} }}", range.key)
                }
                "wifi.access_points" => {
                    format!("{} = [{{ ssid = 's', passphrase = '12345678', {} = {number} }}]", range.table, range.key)
                }
                "wifi.faults" if range.key == "channel" => format!(
                    "wifi.faults = [{{ fault = 'channel_switch', when = {{ after = 'joined' }}, announced = true, \
                     channel = {number} }}]"
                ),
                "wifi.faults" => format!("wifi.faults = [{{ fault = 'loss', {} = {number} }}]", range.key),
                "modem" => format!("device.link = 'modem'\n{path} = {number}"),
                "broker.on_server_hello" => format!("broker.versions = ['1.2']\n{path} = {number}"),
                // Of these only OpenSSL has any.
                "broker" if ["security_level", "dh_bits"].contains(&range.key) => {
                    format!("broker.engine = 'openssl'\n{path} = {number}")
                }
                _ => format!("{path} = {number}"),
            };
            defaults::scenario(&text).is_some()
        };
        let (good, bad): (Vec<i64>, Vec<i64>) = match &range.numbers {
            Numbers::From(least, most) => (vec![*least, *most], vec![*least - 1, *most + 1]),
            Numbers::OneOf(numbers) => {
                let near = numbers.iter().flat_map(|number| [number - 1, number + 1]);
                (numbers.to_vec(), near.filter(|number| !numbers.contains(number)).collect())
            }
        };
        for number in good {
            assert!(parse(number), "{path} = {number} is refused");
        }
        for number in bad {
            assert!(!parse(number), "{path} = {number} is not refused");
        }
    }
}

/// Of whatever may be left out, the pages say what holds then: a default, or it is a table of its own, or its absence is
/// what is meant (`Option`).
#[test]
fn every_key_that_may_be_left_out_has_its_default_on_the_page() {
    let page = std::fs::read_to_string(root().join("scenarios/README.md")).expect("the page");
    let mut tried = 0;
    for line in page.lines().filter_map(|line| line.strip_prefix("<!-- table: ")?.strip_suffix(" -->")) {
        let Some((kind @ ("grammar" | "device-keys"), argument)) = line.split_once(' ') else { continue };
        let (file, name) = argument.split_once(' ').expect(argument);
        let Ok(Shape::Struct(fields)) = shape(&root(), file, name) else { continue };
        let rendered = table(&root(), argument, kind == "device-keys").unwrap_or_else(|error| panic!("{error}"));
        for row in rendered.lines().skip(2) {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let field = fields.iter().find(|field| code(&field.name) == cells[0]).expect(row);
            // Such a table is on the page with its own defaults.
            let is_table = matches!(&field.kind, Kind::Named(_) | Kind::ByName(_));
            assert!(cells.len() == 4 || field.is_option, "{argument}: {row}");
            assert!(!cells[2].is_empty() || field.is_option || is_table, "{argument}: {row}");
            tried += 1;
        }
    }
    assert!(tried > 150, "only {tried} keys are on the page");
}

/// What a certificate is by its profile is shown for each of them, and can be written.
#[test]
fn a_certificate_s_defaults_are_shown_by_profile() {
    let rendered = table(&root(), "pki/src/spec.rs Certificate", false).unwrap_or_else(|error| panic!("{error}"));
    let row = |key: &str| rendered.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).expect(key);
    for (key, part) in [
        ("ca", "| true or false | root, intermediate: `true`; server, client: `false` |"),
        ("names", "root, intermediate, client: `[]`; server: `[\"dns:broker.test\"]`"),
        ("not_after", "`\"+3650d\"`; server, client: `\"+335d\"`"),
        ("issuer", "root: `\"self\"`; intermediate, server, client: `\"root\"`"),
        ("signature", "| `\"sha256\"` |"),
        ("version", "| number, 1 to 3 | `3` |"),
        ("filler_names", "| number, 0 to 10000 | `0` |"),
        ("flaws", "| `[]` |"),
        ("path_length", "| number, 0 to 255 |  |"),
    ] {
        assert!(row(key).contains(part), "{}", row(key));
    }
}

/// The ranges that are shown in the values of enums are tried at both ends, and just outside of them.
#[test]
fn ranges_of_faults_are_those_that_scenarios_are_checked_against() {
    let mut tried = 0;
    for (file, name, table) in [
        ("network/src/fault.rs", "Fault", "network.faults"),
        ("network/src/serial.rs", "SerialFault", "network.serial_faults"),
    ] {
        for variant in variants(file, name) {
            let Payload::Table(fields) = &variant.payload else { continue };
            for field in fields {
                let Kind::Number { least, most } = field.kind else { continue };
                let parse = |number: i64| {
                    let others = fields.iter().filter(|other| other.name != field.name && other.is_required);
                    let others = others.map(|other| format!(", {} = {}", other.name, sample(other)));
                    let written =
                        format!("{} = {{ {} = {number}{} }}", variant.name, field.name, others.collect::<String>());
                    defaults::scenario(&format!("{table} = [{{ {written} }}]")).is_some()
                };
                let (key, name) = (&field.name, &variant.name);
                assert!(parse(least) && parse(most), "{name} {key}: an end of {least} to {most} is refused");
                assert!(!parse(least - 1), "{name} {key}: {} is not refused", least - 1);
                assert!(most == i64::MAX || !parse(most + 1), "{name} {key}: {} is not refused", most + 1);
                tried += 1;
            }
        }
    }
    assert!(tried > 20, "only {tried}");
}

fn variants(file: &str, name: &str) -> Vec<Variant> {
    let Ok(Shape::Enum(variants)) = shape(&root(), file, name) else { panic!("{name}") };
    variants
}

/// A value that a key of a fault can have.
fn sample(field: &Field) -> String {
    match (&field.kind, field.name.as_str()) {
        (Kind::Number { least, .. }, "flip") => (*least).max(1).to_string(),
        (Kind::Number { .. }, "channel") => "6".into(),
        (Kind::Number { least, .. }, _) => least.to_string(),
        (Kind::Switch, _) => "true".into(),
        (Kind::Text, _) => "'t'".into(),
        (_, "from") => "'device'".into(),
        (_, "message") => "'message_1'".into(),
        (_, "when") => "{ after = 'joined' }".into(),
        (kind, key) => panic!("{key}: {kind:?}"),
    }
}

/// What is called optional in the value of an enum can be left out, and nothing else can.
#[test]
fn keys_of_enums_are_optional_where_the_page_says_so() {
    let (mut optional, mut required) = (0, 0);
    for (file, name, table) in [
        ("network/src/fault.rs", "Fault", "network.faults"),
        ("network/src/serial.rs", "SerialFault", "network.serial_faults"),
        ("access_point/src/misbehaviour.rs", "Misbehaviour", "wifi.faults"),
        ("network/src/ethernet/fault.rs", "AddressFault", "wifi.address_faults"),
        ("control/src/order.rs", "Act", "device.mqtt.acts"),
    ] {
        for variant in variants(file, name) {
            let Payload::Table(fields) = &variant.payload else { continue };
            let parse = |without: &str| {
                let keys = fields.iter().filter(|field| field.name != without);
                let keys = keys.map(|field| format!("{} = {}", field.name, sample(field)));
                let written = match &variant.tag {
                    Some(tag) => {
                        let all = std::iter::once(format!("{tag} = '{}'", variant.name)).chain(keys);
                        format!("{{ {} }}", all.collect::<Vec<_>>().join(", "))
                    }
                    None => format!("{{ {} = {{ {} }} }}", variant.name, keys.collect::<Vec<_>>().join(", ")),
                };
                defaults::scenario(&format!("{table} = [{written}]")).is_some()
            };
            assert!(parse(""), "{name}: {} is refused", variant.name);
            for field in fields {
                assert_eq!(parse(&field.name), !field.is_required, "{name}: {} without {}", variant.name, field.name);
                *if field.is_required { &mut required } else { &mut optional } += 1;
            }
        }
    }
    assert!(optional > 10 && required > 40, "only {optional} and {required}");
}
