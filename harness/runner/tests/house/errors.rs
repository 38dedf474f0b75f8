//! Errors are types that say whose fault it is: no `Result<_, String>` outside of tests.

use super::{assert_none, code};

#[test]
fn errors_are_types() {
    let mut complaints = Vec::new();
    for (name, text) in code() {
        for line in with_string_errors(&text) {
            complaints.push(format!("{name}:{line}: an error that is a String says nothing of whose fault it is"));
        }
    }
    assert_none(&complaints);
}

/// The lines of a source, its unit tests left out, on which a `Result` with a `String` as its error begins, or a trait's error
/// type is one.
fn with_string_errors(text: &str) -> Vec<usize> {
    let text = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code);
    let line = |at: usize| 1 + text[..at].matches('\n').count();
    let results = text.match_indices("Result<").filter(|(at, begin)| {
        let arguments = arguments(&text[at + begin.len()..]);
        matches!(arguments.as_slice(), [_, error] if error.trim().trim_end_matches(',') == "String")
    });
    let types = ["type Err = String;", "type Error = String;"];
    let types = types.into_iter().flat_map(|one| text.match_indices(one));
    let mut lines: Vec<usize> = results.chain(types).map(|(at, _)| line(at)).collect();
    lines.sort_unstable();
    lines
}

/// The generic arguments that a text begins with, up to the `>` that ends them.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found, mut before) = (0_u32, 0, Vec::new(), ' ');
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' if depth > 0 => depth -= 1,
            '>' => {
                found.push(&text[from..at]);
                return found.into_iter().filter(|argument| !argument.trim().is_empty()).collect();
            }
            ',' if depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    Vec::new()
}

#[test]
fn an_error_that_is_a_string_is_found_however_the_result_is_written() {
    for (text, lines) in [
        ("fn a() -> Result<(), String> {}", vec![1]),
        ("fn a(\n) -> Result<\n    Vec<(u8, Option<String>)>,\n    String,\n> {}", vec![2]),
        ("type Meet = dyn Fn(&str) -> Result<Box<dyn Fn() -> u8>, String>;", vec![1]),
        ("impl FromStr for X {\n    type Err = String;\n}", vec![2]),
        ("fn a() -> Result<String, Error> {}\nfn b() -> blame::Result<String> {}", vec![]),
        ("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() -> Result<(), String> {}\n}", vec![]),
    ] {
        assert_eq!(with_string_errors(text), lines, "{text}");
    }
}
