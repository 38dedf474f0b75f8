//! `explain --capture`: whoever is in a capture, and where it broke.

use std::fmt::Write as _;
use std::path::Path;

use blame::Error;
use capture::Transcript;
use capture::pcapng::Origin;
use capture::transcript::Conversation;

use super::breaking::{self, Around};
use super::client;
use super::paragraph::{heading, labelled};
use super::stacks::Stacks;
use crate::capture_file;
use crate::chain::Certificate;
use crate::chain::flaws::flaws;

/// So many connections are told one by one: a reconnecting device makes thousands.
const PRINTED_CONNECTIONS_MAX: usize = 20;

/// Reads and explains a capture file.
///
/// # Errors
///
/// A sentence that names the file, what is wrong with it, and the remedy.
pub fn read(file: &Path, keys: Option<&Path>, known: &Stacks, verbose: bool) -> blame::Result<String> {
    let (transcript, keys) = capture_file::read(file, keys)?;
    tell(&transcript, &keys, known, verbose).map_err(|error| error.about(file.display()))
}

/// Explains a capture: each client once, each connection by where it broke.
///
/// # Errors
///
/// What the bytes are not, and what to give instead.
pub fn explain(file: &[u8], key_log: &str, known: &Stacks, verbose: bool) -> blame::Result<String> {
    let transcript = capture::read(file, key_log).map_err(|error| Error::author(capture_file::no_capture(&error)))?;
    tell(&transcript, key_log, known, verbose)
}

fn tell(transcript: &Transcript, key_log: &str, known: &Stacks, verbose: bool) -> blame::Result<String> {
    if transcript.conversations.is_empty() {
        let what = remarks(transcript);
        return Err(Error::author(format!("no TCP connection in this capture{what}: {EMPTY_REMEDY}")));
    }
    let mut out = String::new();
    let mut told: Vec<(&str, Option<&str>)> = Vec::new();
    let mut shown: Vec<&[Vec<u8>]> = Vec::new();
    for (index, conversation) in transcript.conversations.iter().take(PRINTED_CONNECTIONS_MAX).enumerate() {
        heading(&mut out, &format!("Connection {}: {} to {}", index + 1, conversation.client, conversation.server));
        let facts = &conversation.facts;
        let stack = facts.offer.as_ref().and_then(|offer| known.likely(offer));
        ending(&mut out, conversation, Around { cut_bytes: transcript.cut_bytes, stack });
        if !facts.certificates.is_empty() && !shown.contains(&facts.certificates.as_slice()) {
            shown.push(&facts.certificates);
            server_chain(&mut out, conversation, transcript.origin);
        }
        let (Some(offer), Some(ja4)) = (&facts.offer, facts.ja4.as_deref()) else { continue };
        let hello = (ja4, facts.server_name.as_deref());
        if told.contains(&hello) {
            labelled(&mut out, "client", "the same as above");
        } else {
            told.push(hello);
            client::describe(&mut out, offer, known, verbose);
        }
    }
    let untold = transcript.conversations.len().saturating_sub(PRINTED_CONNECTIONS_MAX);
    if untold > 0 {
        let _ = writeln!(out, "\n{untold} further connections are not told: cut them out with `editcap` or tshark");
    }
    let fits = |conversation: &Conversation| conversation.facts.has_secrets;
    if !key_log.trim().is_empty() && !transcript.conversations.iter().any(fits) {
        let _ = writeln!(
            out,
            "\nkeys: no secret in the key log fits a connection of this capture: it is of another run, or of the other side \
             of a proxy. Record both at once: SSLKEYLOGFILE has to be set when the client or the server starts"
        );
    }
    for remark in &transcript.remarks {
        let _ = writeln!(out, "\nnot read: {remark}");
    }
    Ok(out)
}

const EMPTY_REMEDY: &str = "record on the interface that the device's packets pass, with a filter such as \
                            `tcp port 8883`, from before the device connects";

fn remarks(transcript: &Transcript) -> String {
    if transcript.remarks.is_empty() { String::new() } else { format!(" ({})", transcript.remarks.join("; ")) }
}

fn ending(out: &mut String, conversation: &Conversation, around: Around<'_>) {
    let story = breaking::tell(conversation, around);
    labelled(out, "ended", &story.ended);
    for message in &story.last_messages {
        labelled(out, "last message", message);
    }
    for sentence in &story.sentences {
        labelled(out, "", &format!("- {sentence}"));
    }
}

/// The server's chain, as far as it was seen, and whoever minds something in it.
fn server_chain(out: &mut String, conversation: &Conversation, origin: Origin) {
    let facts = &conversation.facts;
    let chain = Certificate::read_all(&facts.certificates);
    for (index, certificate) in chain.iter().enumerate() {
        labelled(out, &format!("chain {index}"), &certificate.to_string());
    }
    // Who dials an address has no server name to send (RFC 6066 §3).
    let address = conversation.server.ip().to_string();
    let dialled = facts.server_name.as_deref().unwrap_or(&address);
    let flaws = flaws(&chain, &[], dialled, origin.time().at(conversation.began));
    for flaw in &flaws {
        labelled(out, "minded", &format!("certificate {}: {}; by {}", flaw.at, flaw.what, flaw.minded_by));
    }
    if flaws.is_empty() {
        labelled(out, "minded", &format!("nothing in it, by no stack that dials {dialled} and trusts its root"));
    }
    labelled(
        out,
        "to try it",
        "on every stack: `cargo xtask diagnose --broker HOST:PORT --ca CA.pem`, or with the chain in a file \
         `diagnose --chain FULLCHAIN.pem --dialled NAME --ca CA.pem`",
    );
}
