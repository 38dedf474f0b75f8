//! Text in a column, for eyes.

use std::fmt::Write as _;

/// No line is longer than this, as far as its words allow.
const COLUMNS_MAX: usize = 100;
/// Where the text begins, after the label.
const TEXT_COLUMN: usize = 16;

/// A heading with an empty line before it.
pub fn heading(out: &mut String, words: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{words}");
}

/// A label and what belongs to it, broken between words.
pub fn labelled(out: &mut String, label: &str, text: &str) {
    let label = format!("  {label:<width$}", width = TEXT_COLUMN - 2);
    let below = " ".repeat(TEXT_COLUMN);
    // What has no space inside (a name, an address, a command) stays whole.
    let options = textwrap::Options::new(COLUMNS_MAX)
        .initial_indent(&label)
        .subsequent_indent(&below)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(text, options) {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Lines as they are, set in where the text of [`labelled`] begins.
pub fn verbatim(out: &mut String, lines: &str) {
    for line in lines.lines() {
        let _ = writeln!(out, "{:TEXT_COLUMN$}{line}", "");
    }
}

/// `one`, `one and two`, `one, two and three`.
pub fn listed(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_in_its_column() {
        let mut out = String::new();
        labelled(&mut out, "suites", &"word ".repeat(30));
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  suites        word word"), "{out}");
        assert!(lines[1].starts_with("                word"), "{out}");
        assert!(lines.iter().all(|line| line.len() <= COLUMNS_MAX));
    }

    #[test]
    fn lists_read_like_sentences() {
        let items = ["a".to_string(), "b".into(), "c".into()];
        assert_eq!(listed(&items, "or"), "a, b or c");
        assert_eq!(listed(&items[..1], "or"), "a");
    }
}
