//! The one door for text of strangers.
//!
//! A terminal obeys control characters: ESC and U+009B begin commands that move the cursor, set the title or answer as if
//! typed; BEL and BS, CR and VT act by themselves. Editors, browsers and terminals obey bidirectional controls
//! (Unicode Standard Annex #9 §2), with which a line reads otherwise than it is written; characters without a width hide
//! in names. All of them are shown as Rust escapes, `\u{1b}`: so nothing is lost, and nothing is obeyed.

use std::borrow::Cow;

/// A line: what breaks it is shown too, so that nobody's words begin a line of ours.
pub fn line(text: &str) -> Cow<'_, str> {
    cleaned(text, |c| !is_obeyed(c))
}

/// Lines: their ends (LF) and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    cleaned(text, |c| matches!(c, '\n' | '\t') || !is_obeyed(c))
}

/// A line, cut after `chars_max` characters of `text`.
pub fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", line(text.get(..end).unwrap_or(text))),
        None => line(text).into_owned(),
    }
}

/// Lines as [`text`] has them, but for colours, which are left out.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return self::text(text);
    }
    Cow::Owned(recoloured(text, |_| String::new()))
}

/// Text of ours with text of strangers in it, for a terminal: lines, tabs, and colours (SGR, ECMA-48 §8.3.117) but for
/// *concealed*.
pub fn styled(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return self::text(text);
    }
    Cow::Owned(recoloured(text, |colour| format!("\u{1b}[{colour}m")))
}

fn recoloured(text: &str, shown_colour: impl Fn(&str) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        shown += &self::text(before);
        match colour(after) {
            Some((colour, behind)) => {
                shown += &shown_colour(colour);
                rest = behind;
            }
            None => {
                shown += "\\u{1b}";
                rest = after;
            }
        }
    }
    shown += &self::text(rest);
    shown
}

/// The parameters of a colour behind ESC, and what follows it.
fn colour(behind_esc: &str) -> Option<(&str, &str)> {
    let (parameters, rest) = behind_esc.strip_prefix('[')?.split_once('m')?;
    let is_plain = parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
    let conceals = parameters.split(';').any(|one| one.trim_start_matches('0') == "8");
    (is_plain && !conceals && parameters.len() <= 20).then_some((parameters, rest))
}

fn cleaned(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if stays(c) => shown.push(c),
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c => shown.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(shown)
}

/// Whether something obeys this character, or nobody sees it. The format characters (Unicode's category Cf) that change
/// how their neighbours are set in writing, as the soft hyphen, stay.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let said = "a\x1b]0;title\x07\u{9b}2J\r\x08b\u{202e}c\u{2066}\u{feff}\n\td";
        let shown = "a\\u{1b}]0;title\\u{7}\\u{9b}2J\\r\\u{8}b\\u{202e}c\\u{2066}\\u{feff}";
        assert_eq!(line(said), format!("{shown}\\n\\td"));
        assert_eq!(text(said), format!("{shown}\n\td"));
        assert!(matches!(line("Straße 🦀 שלום"), Cow::Borrowed(_)), "languages stay as they are");
        assert_eq!(cut("Straße\n🦀", 7), "Straße\\n…");
        assert_eq!(cut("Straße", 6), "Straße");
    }

    #[test]
    fn of_what_a_terminal_obeys_colours_stay() {
        for stays in ["\x1b[1;31mred\x1b[0m\n", "\x1b[m", "plain\n\ttext", "\x1b[38;5;208morange"] {
            assert_eq!(styled(stays), stays);
            assert!(!plain(stays).contains('\u{1b}'));
        }
        for (goes, shown) in [
            ("\x1b[2Jx", "\\u{1b}[2Jx"),
            ("\x1b[8mhidden", "\\u{1b}[8mhidden"),
            ("\x1b[1;08mhidden", "\\u{1b}[1;08mhidden"),
            ("\x1b", "\\u{1b}"),
            ("\x1b]0;t\x07m", "\\u{1b}]0;t\\u{7}m"),
            ("\x1b[3\x1b[1mx", "\\u{1b}[3\x1b[1mx"),
            ("\r\u{9b}31m", "\\r\\u{9b}31m"),
        ] {
            assert_eq!(styled(goes), shown);
        }
    }
}
