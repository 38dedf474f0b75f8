//! What is wrong with a scenario file, and what to do about it.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A fault of the scenario's author, with its place and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    text: String,
    span: Range<usize>,
}

impl Problem {
    pub(crate) fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', "; ");
        let remedy: &str = if message.starts_with("unknown field") {
            "see `scenarios/README.md` for the keys of each table"
        } else if message.starts_with("missing field") {
            "every scenario has `title` and `[specification]` with `demands`, `rule` and `quote`"
        } else {
            "see `scenarios/README.md` for the grammar"
        };
        Self::new(file, text, error.span().unwrap_or(0..0), message, remedy)
    }

    /// A problem of any file in TOML, at these bytes of its text.
    pub fn new(
        file: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let start = span.start.min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        let span = start..span.end.min(text.len()).max(start);
        Self { file: file.into(), line, message: message.into(), remedy: remedy.into(), text: text.into(), span }
    }

    /// A problem of any file in TOML, at a key: the path of tables that lead to it, and itself.
    pub fn at_key(
        file: &str,
        text: &str,
        path: &[&str],
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Complaint::at(path, message, remedy).located(file, text)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snippet =
            Snippet::source(&self.text).path(&self.file).annotation(AnnotationKind::Primary.span(self.span.clone()));
        let report = [
            Level::ERROR.primary_title(&self.message).element(snippet),
            Level::HELP.secondary_title(&self.remedy).elements(Vec::<annotate_snippets::Element<'_>>::new()),
        ];
        // The snippet replaces ASCII's control characters and bidirectional ones, and leaves those of ISO 8859 (U+009C).
        f.write_str(&terminal::clean::text(&Renderer::plain().render(&report)))
    }
}

impl std::error::Error for Problem {}

/// A problem whose place is known only as a path of keys.
#[derive(Debug)]
pub(crate) struct Complaint {
    path: Vec<String>,
    message: String,
    remedy: String,
}

impl Complaint {
    pub(crate) fn at(path: &[&str], message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The same, of keys that stand below the tables `path`.
    pub(crate) fn below(self, path: &[&str]) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).chain(self.path).collect();
        Self { path, ..self }
    }

    /// Finds the line: that of the key, else that of the innermost table on the way to it that the file has.
    pub(crate) fn located(self, file: &str, text: &str) -> Problem {
        let mut span = 0..0;
        if let Ok(table) = toml::de::DeTable::parse(text) {
            let mut table = Some(table.into_inner());
            for key in &self.path {
                let Some((found, value)) = table.and_then(|mut table| table.remove_entry(key.as_str())) else { break };
                span = found.span().start..value.span().end.max(found.span().end);
                table = match value.into_inner() {
                    toml::de::DeValue::Table(inner) => Some(inner),
                    _ => None,
                };
            }
        }
        // A table's span is its whole body: point at its first line.
        let end = text[span.start..span.end].find('\n').map_or(span.end, |offset| span.start + offset);
        Problem::new(file, text, span.start..end, self.message, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U+009C ends a command to a terminal (ECMA-48 §8.3.143); U+202E reverses what follows.
    #[test]
    fn nothing_that_a_terminal_obeys_is_quoted() {
        let text = "name = 'a\u{9c}b\u{202e}c'\nkey\n";
        let told = Problem::new("a.toml", text, 0..4, "it is wrong", "correct it").to_string();
        assert!(told.contains(r"name = 'a\u{9c}b"), "{told}");
        assert!(!told.contains(['\u{9c}', '\u{202e}']), "{told:?}");
    }
}
