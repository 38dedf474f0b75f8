//! Sets a transcript in columns, for eyes and for snapshots.

use std::fmt::Write;

use crate::pcapng::Origin;
use crate::text::count;
use crate::transcript::{Conversation, Line, Transcript, Who};

/// No line is longer than this, as far as its words allow.
const COLUMNS_MAX: usize = 110;
/// Where marks stand, if the line leaves room.
const MARK_COLUMN: usize = 78;
/// Where the details begin: after the time, who, and what.
const DETAILS_COLUMN: usize = 37;
const SEPARATOR: &str = " · ";
/// More connections than these are folded, where the style says so.
const UNFOLDED_MAX: usize = 8;

/// How a transcript is set.
pub struct Style<'a> {
    /// What the one who opened the connection is called.
    pub client: &'a str,
    /// What the one who was called is called.
    pub server: &'a str,
    /// A heading with the addresses over each connection, even if there is only one.
    pub always_headings: bool,
    /// Whether connections that nobody would read are left out: of many, only the first two and the last are set.
    pub folds: bool,
    /// What stands in the margin of a line, say `the fault`; the first number counts conversations, from 0.
    pub mark: &'a dyn Fn(usize, &Line) -> Option<String>,
}

impl Style<'_> {
    /// The bench's own runs: device and broker.
    pub const BENCH: Self =
        Self { client: "device", server: "broker", always_headings: false, folds: false, mark: &|_, _| None };
    /// Captures whose ends are unknown.
    pub const FOREIGN: Self =
        Self { client: "client", server: "server", always_headings: true, folds: false, mark: &|_, _| None };
}

/// Sets a capture from any tool, the way our own are set. The ends of our own are device and broker, those of others client
/// and server.
pub fn show(transcript: &Transcript) -> String {
    let mut text = String::new();
    for line in transcript.comment.iter().flat_map(|comment| comment.lines()) {
        let _ = writeln!(text, "{}", crate::text::clean(line, COLUMNS_MAX));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let style = match transcript.origin {
        Origin::PowerOn(_) => Style::BENCH,
        Origin::FirstPacket(_) => Style::FOREIGN,
    };
    text.push_str(&render(transcript, &style));
    for remark in transcript.remarks.iter() {
        let _ = write!(text, "\nnot read: {remark}");
    }
    if !transcript.remarks.is_empty() {
        text.push('\n');
    }
    if transcript.conversations.is_empty() {
        text.push_str("no TCP connection in this capture\n");
    }
    text
}

/// Sets a whole transcript: each conversation under its heading, lookups where they happened between them.
pub fn render(transcript: &Transcript, style: &Style<'_>) -> String {
    let mut text = String::new();
    line(&mut text, "ms", "who", "said", "", None);
    let mut lookups = transcript.lookups.iter().peekable();
    let mut modem = transcript.modem.iter().peekable();
    let several = transcript.conversations.len() > 1;
    let last = transcript.conversations.len().saturating_sub(1);
    let folded = if style.folds && last >= UNFOLDED_MAX { 2..last } else { 0..0 };
    for (index, conversation) in transcript.conversations.iter().enumerate() {
        while let Some(lookup) = lookups.next_if(|lookup| lookup.at <= conversation.began) {
            if !folded.contains(&index) {
                while let Some(said) = modem.next_if(|said| said.at <= lookup.at) {
                    entry(&mut text, said, style, (style.mark)(index, said));
                }
                entry(&mut text, lookup, style, (style.mark)(index, lookup));
            }
        }
        if folded.contains(&index) {
            if index == folded.start {
                let _ = writeln!(text, "\n({} more are in the packets)\n", count(folded.len(), "connection"));
            }
            while modem.next_if(|said| said.at <= conversation.began).is_some() {}
            continue;
        }
        while let Some(said) = modem.next_if(|said| said.at <= conversation.began) {
            entry(&mut text, said, style, (style.mark)(index, said));
        }
        if several || style.always_headings {
            let _ = writeln!(text, "\n{}", heading(index, conversation));
        }
        if conversation.lines.is_empty() {
            line(&mut text, "", "", "", "(nothing but acknowledgements)", None);
        }
        for said in &conversation.lines {
            while let Some(before) = modem.next_if(|before| before.at <= said.at) {
                entry(&mut text, before, style, (style.mark)(index, before));
            }
            entry(&mut text, said, style, (style.mark)(index, said));
        }
        for (name, segments) in [style.client, style.server].into_iter().zip(conversation.repeated) {
            if segments > 0 {
                let again = count(segments as usize, "segment");
                line(&mut text, "", "", "", &format!("({name} sent {again} again)"), None);
            }
        }
        for remark in &conversation.remarks {
            line(&mut text, "", "", "", &format!("({remark})"), None);
        }
    }
    for said in modem {
        entry(&mut text, said, style, (style.mark)(transcript.conversations.len().saturating_sub(1), said));
    }
    for lookup in lookups {
        entry(&mut text, lookup, style, (style.mark)(last, lookup));
    }
    text
}

fn heading(index: usize, conversation: &Conversation) -> String {
    format!("connection {}   {} to {}", index + 1, conversation.client, conversation.server)
}

fn entry(text: &mut String, said: &Line, style: &Style<'_>, mark: Option<String>) {
    let who = match said.who {
        Who::Client => style.client,
        Who::Server => style.server,
        Who::Dns => "dns",
        Who::Sntp => "sntp",
        Who::Modem => "modem",
    };
    line(text, &said.at.as_millis().to_string(), who, &said.said.to_string(), &said.details, mark);
}

fn line(text: &mut String, ms: &str, who: &str, said: &str, details: &str, mark: Option<String>) {
    let mut rows = wrapped(details, COLUMNS_MAX - DETAILS_COLUMN).into_iter();
    let first = rows.next().unwrap_or_default();
    // Runs of more than 100 s take a column of the gap, so that what follows still stands in line.
    let time = format!("{:<7}", format!("{ms:>5}"));
    let mut row = format!("{time}{who:<7}  {said:<19}  {first}");
    for next in rows {
        let _ = writeln!(text, "{}", row.trim_end());
        row = format!("{:DETAILS_COLUMN$}{next}", "");
    }
    if let Some(mark) = mark {
        row = format!("{:<MARK_COLUMN$}  ← {mark}", row.trim_end());
    }
    let _ = writeln!(text, "{}", row.trim_end());
}

/// Breaks details between their parts, and parts that are too long for a row between their words.
fn wrapped(details: &str, columns_max: usize) -> Vec<String> {
    let parts = details.split(SEPARATOR).flat_map(|part| {
        let is_long = columns(part) > columns_max;
        joined(part.split(if is_long { " " } else { SEPARATOR }).map(str::to_string), " ", columns_max)
    });
    joined(parts, SEPARATOR, columns_max)
}

/// As many pieces in a row as it takes.
fn joined(pieces: impl Iterator<Item = String>, separator: &str, columns_max: usize) -> Vec<String> {
    let mut rows: Vec<String> = vec![];
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if columns(row) + columns(separator) + columns(&piece) <= columns_max => {
                row.push_str(separator);
                row.push_str(&piece);
            }
            _ => rows.push(piece),
        }
    }
    rows
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Said;
    use clock::Instant;

    #[test]
    fn long_details_are_broken_between_their_parts() {
        let parts: Vec<String> = (0..9).map(|index| format!("part number {index}")).collect();
        let said = Line {
            at: Instant::from_micros(12_999),
            who: Who::Client,
            said: Said::Fin,
            details: crate::text::dotted(parts),
        };
        let mut text = String::new();
        entry(&mut text, &said, &Style::BENCH, Some("the fault".into()));
        assert_eq!(
            text,
            "   12  device   FIN                  part number 0 · part number 1 · part number 2 · part number 3\n\
             \x20                                    part number 4 · part number 5 · part number 6 · part number 7\n\
             \x20                                    part number 8                              ← the fault\n"
        );
    }
}
