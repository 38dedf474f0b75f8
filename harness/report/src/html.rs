//! A page that needs nothing else: no other file, no network, no server.
//!
//! What somebody has to see is in the page as it is. What many rows have and few are asked for (ladder, transcript, log,
//! packets) is in it compressed, scenario by scenario, and unfolded by a few lines of script when a row is opened: four
//! thousand rows stay a file of a few megabytes. Every word from elsewhere is escaped by the templates, and the page
//! forbids any script but its own.

mod detail;
mod grid;
mod head;
mod ladder;
mod notable;
mod packed;
mod release;
mod sections;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::history::{self, History};
use crate::model::Run;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

pub use release::write as write_release;

/// The page. With earlier runs, also how each row fared in them, and what changed since the last.
pub fn write(run: &Run, earlier: &[Run]) -> String {
    let past = History::new(earlier);
    let before = earlier.iter().max_by_key(|run| history::started(run));
    let changes = before.map(|before| history::changes(before, run)).unwrap_or_default();
    page(
        &format!("Shakedown: {}", head::verdict(run)),
        &html! {
            (head::head(run))
            (notable::notable(run, &changes))
            (head::filter())
            main {
                (grid::grid(run))
                (sections::sections(run, &past))
            }
            (packed::packed(run, &past))
        },
    )
}

/// Text from elsewhere, so that it stays text, between tags and in attributes with quotation marks.
pub fn escaped(text: &str) -> String {
    html! { (text) }.into_string()
}

/// A page with this title and body, our style and our script.
fn page(title: &str, body: &Markup) -> String {
    // Nothing is loaded, and nothing runs but the script whose hash this is (Content Security Policy Level 3, §6.7.2).
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(SCRIPT))
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The name of a place on the page: of a scenario, or of a row.
fn anchor(words: &[&str]) -> String {
    // Two names that differ must not meet in one place.
    let digest = Sha256::digest(words.join("\n"));
    let plain: String = words.join("-").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let short: String = plain.chars().take(80).collect();
    format!("{short}-{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}

/// The place of a row.
fn anchor_of(row: &crate::model::Row) -> String {
    anchor(&[&row.scenario, &row.stack, &row.board])
}

#[cfg(test)]
mod tests;
