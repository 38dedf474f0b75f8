//! A device's words, made fit to be shown before anybody keeps them ([`terminal::clean`]).

use control::Report;
use serde_json::Value;
use terminal::clean;

/// A report of the device, with nothing in it that is obeyed or that begins a line of ours.
///
/// # Errors
///
/// If it is none.
pub fn report(payload: &[u8]) -> Result<Report, serde_json::Error> {
    // What is obeyed is escaped in JSON, or is not ASCII.
    if payload.is_ascii() && !payload.contains(&b'\\') {
        return Report::from_json(payload);
    }
    let mut value = serde_json::from_slice(payload)?;
    clean_texts(&mut value);
    serde_json::from_value(value)
}

fn clean_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean::line(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(clean_texts),
        Value::Object(values) => values.iter_mut().for_each(|(_, value)| clean_texts(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is on the device's console: lines, without the colours that platforms give them.
pub fn console(text: &str) -> String {
    clean::plain(&text.replace("\r\n", "\n")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_writes_no_line_of_a_transcript_and_moves_no_cursor() {
        let payload = br#"{"report":"refused","reason":"no\nending     device refused \u001b[2J\u202e"}"#;
        match report(payload).expect("a report") {
            Report::Refused { reason } => {
                assert_eq!(reason, "no\\nending     device refused \\u{1b}[2J\\u{202e}");
            }
            other => panic!("{other:?}"),
        }
        assert!(report(b"{\\}").is_err());
        assert_eq!(
            console("\x1b[0;32mI (24) boot: up\x1b[0m\r\nE \x1b]0;t\x07\u{9b}2J"),
            "I (24) boot: up\nE \\u{1b}]0;t\\u{7}\\u{9b}2J"
        );
    }
}
