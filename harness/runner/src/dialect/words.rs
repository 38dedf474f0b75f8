//! From what a device reported to what its platform would have said.
//!
//! PubSubClient says `-2` to everything that comes before CONNACK, NodeMCU `-5`; MicroPython raises an `OSError` with
//! Mbed TLS's number. People search for these words, so transcripts have them beside the library's own.

use control::Failure;
use outcome::Stage;
use scenario::Problem;
use serde::Deserialize;

/// The name under which the client reports a CONNACK other than 0.
const CONNACK_REFUSED: &str = "CONNACK_REFUSED";

/// A rule `[[words]]`: everything that it says about a failure has to be true of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The first stage that it is about; absent: from the beginning.
    #[serde(default)]
    pub from: Option<Stage>,
    /// The last stage that it is about; absent: to the end.
    #[serde(default)]
    pub to: Option<Stage>,
    /// The code that the device reported, or a list of them.
    #[serde(default)]
    pub code: Option<OneOf<i32>>,
    /// The name that the device reported, or a list of them; with `*` at its end, the beginning of one.
    #[serde(default)]
    pub name: Option<OneOf<String>>,
    /// A verify flag that the device reported, or a list of which one has to be; with `*` at its end, its beginning.
    #[serde(default)]
    pub flag: Option<OneOf<String>>,
    /// The return code of the CONNACK that ended it, or a list of them.
    #[serde(default)]
    pub connack: Option<OneOf<u8>>,
    /// Whether an allocation had failed before.
    #[serde(default)]
    pub failed_allocation: Option<bool>,
    /// The platform's words, with [`PLACEHOLDERS`] in braces.
    pub says: toml::Spanned<String>,
}

/// One value, or a list of which one has to fit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOf<T> {
    /// This one.
    One(T),
    /// One of these.
    Any(Vec<T>),
}

impl<T> OneOf<T> {
    fn any(&self, fits: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::One(value) => fits(value),
            Self::Any(values) => values.iter().any(fits),
        }
    }
}

/// What may stand in braces, with its meaning.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("code", "the number that the device reported: `-9984`"),
    ("code_hex", "the same as Mbed TLS prints it: `-0x2700`"),
    ("name", "its name: `MBEDTLS_ERR_X509_CERT_VERIFY_FAILED`"),
    ("stage", "the stage in which it failed: `certificate`"),
    ("verify_flags", "the verify flags as a number: `0x1`"),
    ("flags", "the names of the verify flags, with spaces between"),
    ("failed_allocation_bytes", "the size of the first allocation that failed; needs `failed_allocation = true`"),
];

impl Rule {
    fn fits(&self, failure: &Failure) -> bool {
        let named = |wanted: &Option<OneOf<String>>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.any(|wanted| is_called(wanted, name)))
        };
        let has_flag = |wanted: &OneOf<String>| {
            failure.verify_flag_names.iter().any(|flag| wanted.any(|one| is_called(one, flag)))
        };
        let is_connack = |wanted: &OneOf<u8>| {
            failure.name == CONNACK_REFUSED && wanted.any(|wanted| i32::from(*wanted) == failure.code)
        };
        self.from.is_none_or(|from| from <= failure.stage)
            && self.to.is_none_or(|to| failure.stage <= to)
            && self.code.as_ref().is_none_or(|code| code.any(|code| *code == failure.code))
            && named(&self.name, &failure.name)
            && self.flag.as_ref().is_none_or(has_flag)
            && self.connack.as_ref().is_none_or(is_connack)
            && self.failed_allocation.is_none_or(|wanted| wanted == failure.failed_allocation_bytes.is_some())
    }
}

fn is_called(wanted: &str, name: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == name, |beginning| name.starts_with(beginning))
}

/// What the platform says of a failure: the first rule that fits.
pub fn say(rules: &[Rule], failure: &Failure) -> Option<String> {
    let rule = rules.iter().find(|rule| rule.fits(failure))?;
    fill(rule.says.get_ref(), &|placeholder| value(placeholder, failure)).ok()
}

fn value(placeholder: &str, failure: &Failure) -> Option<String> {
    Some(match placeholder {
        "code" => failure.code.to_string(),
        "code_hex" => {
            let sign = if failure.code < 0 { "-" } else { "" };
            format!("{sign}{:#x}", failure.code.unsigned_abs())
        }
        "name" => failure.name.clone(),
        "stage" => failure.stage.to_string(),
        "verify_flags" => format!("{:#x}", failure.verify_flags),
        "flags" => failure.verify_flag_names.join(" "),
        "failed_allocation_bytes" => failure.failed_allocation_bytes?.to_string(),
        _ => return None,
    })
}

/// Why words cannot be filled in.
enum Unfilled {
    /// A brace has no partner.
    Brace,
    /// Nobody knows what this placeholder stands for.
    Unknown(String),
}

/// `text` with what stands in braces replaced; two braces are one that is meant.
///
/// # Errors
///
/// What stands in braces and has no value; empty if a brace has no partner.
fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = brace.strip_prefix("{{") {
            filled.push('{');
            rest = after;
        } else if let Some(after) = brace.strip_prefix("}}") {
            filled.push('}');
            rest = after;
        } else {
            let inside = brace.strip_prefix('{').and_then(|brace| brace.split_once('}'));
            let (placeholder, after) = inside.ok_or(Unfilled::Brace)?;
            filled.push_str(&value(placeholder).ok_or_else(|| Unfilled::Unknown(placeholder.to_owned()))?);
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether every rule can ever be used.
///
/// # Errors
///
/// With the line of the first that cannot.
pub(super) fn check(rules: &[Rule], file: &str, text: &str) -> Result<(), Problem> {
    for rule in rules {
        let wrong = |message: String, remedy: String| Problem::new(file, text, rule.says.span(), message, remedy);
        let known: Vec<&str> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
        let is_known = |placeholder: &str| known.contains(&placeholder).then(String::new);
        let says = rule.says.get_ref();
        if says.trim().is_empty() {
            return Err(wrong("these words say nothing".into(), "write what the platform prints".into()));
        }
        match fill(says, &is_known) {
            Ok(_) => {}
            Err(Unfilled::Brace) => {
                return Err(wrong("a brace without its partner".into(), "double the braces that are meant".into()));
            }
            Err(Unfilled::Unknown(placeholder)) => {
                let remedy = format!("write one of {}, or double the braces", known.join(", "));
                return Err(wrong(format!("nobody knows what `{placeholder}` is"), remedy));
            }
        }
        if says.contains("{failed_allocation_bytes}") && rule.failed_allocation != Some(true) {
            let message = "these words need an allocation that failed, and the rule does not ask for one";
            return Err(wrong(message.into(), "add `failed_allocation = true`".into()));
        }
        if let (Some(from), Some(to)) = (rule.from, rule.to)
            && from > to
        {
            return Err(wrong(format!("{from} comes after {to}: no failure fits"), "swap `from` and `to`".into()));
        }
    }
    Ok(())
}
