//! `explain --hex`: a hello that somebody pasted, alone or within a log.

use std::fmt::Write as _;

use blame::Error;
use capture::hexadecimal::{self, Block};
use capture::{CutOffer, NoHello, Offer};

use super::alerts;
use super::client;
use super::paragraph::labelled;
use super::stacks::Stacks;

/// The text of the argument, or of standard input if it is `-`.
///
/// # Errors
///
/// If standard input cannot be read.
pub fn text(argument: &str) -> blame::Result<String> {
    if argument != "-" {
        return Ok(argument.into());
    }
    let bytes = host::piped(std::io::stdin(), &host::limit::PASTED)
        .map_err(|error| Error::usage(format!("standard input: {error}")))?;
    // Logs of serial lines hold bytes that are no text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Says of pasted bytes who the client is and what would accept it, even if its hello breaks off; of a pasted alert, what it
/// means. Of a log with several dumps the first hello is taken, and alerts are told beside it.
///
/// # Errors
///
/// A sentence that says where the text is no hexadecimal, or what its bytes are instead of a hello.
pub fn explain(text: &str, known: &Stacks, verbose: bool) -> blame::Result<String> {
    let blocks = hexadecimal::blocks(text).map_err(Error::usage)?;
    let mut out = String::new();
    if let Some((_, offer)) = blocks.iter().find_map(|block| Some((block, Offer::find(&block.bytes).ok()?))) {
        client::describe(&mut out, &offer, known, verbose);
    } else if let Some((block, cut)) = blocks.iter().find_map(|block| Some((block, CutOffer::find(&block.bytes)?))) {
        client::describe_cut(&mut out, &cut, known, verbose);
        if let Some(missing) = &block.missing {
            labelled(&mut out, "cut at", &missing.to_string());
        }
    }
    let is_alone = out.is_empty();
    for (line, alert) in blocks.iter().filter_map(alert) {
        let place = if is_alone && blocks.len() == 1 { String::new() } else { format!(", in line {line}") };
        let _ = writeln!(
            out,
            "{}An alert{place}: {alert}.\nIf the client said it: {}.\nIf the server said it: {}.",
            if out.is_empty() { "" } else { "\n" },
            alerts::meaning(alert, true),
            alerts::meaning(alert, false)
        );
    }
    if out.is_empty() { Err(Error::usage(nothing(&blocks))) } else { Ok(out) }
}

fn alert(block: &Block) -> Option<(usize, outcome::AlertDescription)> {
    match Offer::find(&block.bytes) {
        Err(NoHello::Alert(alert)) => Some((block.line, alert)),
        _ => None,
    }
}

/// What the bytes are instead: of the piece of which that can be said.
fn nothing(blocks: &[Block]) -> String {
    let refused = |block: &Block| Some((block.bytes.len(), block.missing.clone(), Offer::find(&block.bytes).err()?));
    let mut refusals: Vec<_> = blocks.iter().filter_map(refused).collect();
    refusals.sort_by_key(|(_, _, why)| *why == NoHello::Unknown);
    match refusals.into_iter().next() {
        Some((bytes, None, why)) => format!("{bytes} bytes, but {why}"),
        Some((bytes, Some(missing), why)) => format!("{bytes} bytes, but {why}. {missing}"),
        None => "no bytes".into(),
    }
}
