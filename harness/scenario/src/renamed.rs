//! Keys that are called otherwise now: old files keep working, and their authors are told what to write.
//!
//! One mechanism for whatever people keep in files of their own: scenarios, dialects and boards' files (TOML), and
//! reports (JSON). A key is renamed before anything is read, so the types know the new name alone.

use std::borrow::Cow;
use std::fmt;

use toml::de::{DeTable, DeValue};

/// A key that is called otherwise now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The tables that lead to it; `*` is any key. Lists of tables on the way are looked through.
    pub path: &'static [&'static str],
    /// What it was called.
    pub was: &'static str,
    /// What it is called.
    pub is: &'static str,
}

/// Of scenarios.
pub const IN_SCENARIOS: &[Renamed] =
    // `lose` in `network.faults` is the odds of losing any packet.
    &[Renamed { path: &["network"], was: "lose", is: "lost_packets" }];

/// Of `dialect.toml`.
pub const IN_DIALECTS: &[Renamed] = &[];

/// Of boards' files.
pub const IN_BOARDS: &[Renamed] = &[];

/// Of reports in JSON.
pub const IN_REPORTS: &[Renamed] = &[];

/// A file says an old name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The name that it says.
    pub was: &'static str,
    /// What to do about it.
    pub remedy: Remedy,
}

/// What to do about an old name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The line as it is to be written.
    Write(String),
    /// Nothing is to be written in its place, for this reason.
    TakeOut(&'static str),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, was, remedy } = self;
        write!(f, "warning: {file}:{line}: ")?;
        match remedy {
            Remedy::Write(write) => write!(f, "`{was}` is called otherwise now; write\n    {write}"),
            Remedy::TakeOut(because) => write!(f, "`{was}` says nothing any more: {because}; take it out"),
        }
    }
}

/// Renames the keys of a file in TOML.
pub fn in_toml(table: &mut DeTable<'_>, renamed: &[Renamed], file: &str, text: &str) -> Vec<Notice> {
    let mut notices = Vec::new();
    for one in renamed {
        in_tables(table, one.path, &mut |table| {
            if table.contains_key(one.is) {
                return;
            }
            let Some((key, value)) = table.remove_entry(one.was) else { return };
            let span = key.span();
            notices.push(notice(one, file, text, span.start));
            table.insert(toml::Spanned::new(span, Cow::Borrowed(one.is)), value);
        });
    }
    notices
}

/// Takes a key out of a file in TOML that says nothing any more, and what it said.
pub fn take_out<'t>(
    table: &mut DeTable<'t>,
    was: &'static str,
    because: &'static str,
    file: &str,
    text: &str,
) -> Option<(Notice, DeValue<'t>)> {
    let (key, value) = table.remove_entry(was)?;
    let line = text.get(..key.span().start).unwrap_or_default().matches('\n').count() + 1;
    let notice = Notice { file: file.to_owned(), line, was, remedy: Remedy::TakeOut(because) };
    Some((notice, value.into_inner()))
}

fn in_tables(table: &mut DeTable<'_>, path: &[&str], rename: &mut dyn FnMut(&mut DeTable<'_>)) {
    let Some((first, rest)) = path.split_first() else { return rename(table) };
    for (key, value) in table.iter_mut() {
        if *first == "*" || key.get_ref() == first {
            in_value(value.get_mut(), rest, rename);
        }
    }
}

fn in_value(value: &mut DeValue<'_>, path: &[&str], rename: &mut dyn FnMut(&mut DeTable<'_>)) {
    match value {
        DeValue::Table(table) => in_tables(table, path, rename),
        DeValue::Array(entries) => entries.iter_mut().for_each(|entry| in_value(entry.get_mut(), path, rename)),
        _ => {}
    }
}

/// Renames the keys of a file in JSON; the text as it is if it says no old name, or is no JSON.
pub fn in_json<'t>(text: &'t str, renamed: &[Renamed], file: &str) -> (Cow<'t, str>, Vec<Notice>) {
    let mut notices = Vec::new();
    let is_in = |one: &&Renamed| text.contains(&format!("\"{}\"", one.was));
    let said: Vec<&Renamed> = renamed.iter().filter(is_in).collect();
    let Some(mut value) = (!said.is_empty()).then(|| serde_json::from_str(text).ok()).flatten() else {
        return (text.into(), notices);
    };
    for one in said {
        in_objects(&mut value, one.path, &mut |object| {
            if !object.contains_key(one.is)
                && let Some(value) = object.remove(one.was)
            {
                object.insert(one.is.to_owned(), value);
                let at = text.find(&format!("\"{}\"", one.was)).unwrap_or_default();
                if notices.iter().all(|before: &Notice| before.was != one.was) {
                    notices.push(notice(one, file, text, at));
                }
            }
        });
    }
    (if notices.is_empty() { text.into() } else { value.to_string().into() }, notices)
}

type Object = serde_json::Map<String, serde_json::Value>;

fn in_objects(value: &mut serde_json::Value, path: &[&str], rename: &mut dyn FnMut(&mut Object)) {
    match (value, path.split_first()) {
        (serde_json::Value::Array(entries), _) => {
            entries.iter_mut().for_each(|entry| in_objects(entry, path, rename));
        }
        (serde_json::Value::Object(object), None) => rename(object),
        (serde_json::Value::Object(object), Some((first, rest))) => {
            let inner = object.iter_mut().filter(|(key, _)| *first == "*" || key == first);
            inner.for_each(|(_, value)| in_objects(value, rest, rename));
        }
        _ => {}
    }
}

/// So much of a line is shown on either side of a key.
const ROUND_CHARS: usize = 100;

fn notice(one: &Renamed, file: &str, text: &str, at: usize) -> Notice {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let renamed = text.get(at..).and_then(|rest| {
        let quote = if rest.starts_with(['"', '\'']) { 1 } else { 0 };
        let (before, after) = (text.get(start..at + quote)?, rest.get(quote..)?.strip_prefix(one.was)?);
        Some((before, after.lines().next().unwrap_or_default()))
    });
    let write = match renamed {
        // A report may be one long line: what stands round the key is enough.
        Some((before, after)) => {
            let from = before.char_indices().rev().nth(ROUND_CHARS).map_or(0, |(at, _)| at);
            let after: String = after.chars().take(ROUND_CHARS).collect();
            format!("{}{}{after}", before.get(from..).unwrap_or(before), one.is)
        }
        None => line.chars().take(2 * ROUND_CHARS).collect(),
    };
    Notice {
        file: file.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        was: one.was,
        // It goes to a terminal.
        remedy: Remedy::Write(write.trim().chars().filter(|c| !c.is_control() || *c == '\t').collect()),
    }
}

#[cfg(test)]
mod tests;
