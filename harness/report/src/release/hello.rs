//! In what two hellos differ.

use super::{HelloChange, Was};
use crate::model::Hello;

/// Respect by respect; empty if they are the same.
pub fn changes(was: &Hello, is: &Hello) -> Vec<HelloChange> {
    let name = |hello: &Hello| hello.server_name.clone().unwrap_or_else(|| "no name".to_owned());
    let words = [("server name", name(was), name(is)), ("JA4", was.ja4.clone(), is.ja4.clone())];
    let lists = [
        ("versions", &was.versions, &is.versions),
        ("cipher suites", &was.cipher_suites, &is.cipher_suites),
        ("extensions", &was.extensions, &is.extensions),
        ("groups", &was.groups, &is.groups),
        ("signature schemes", &was.signature_schemes, &is.signature_schemes),
        ("ALPN", &was.alpn, &is.alpn),
    ];
    let words = words.into_iter().filter(|(_, was, is)| was != is).map(|(what, was, is)| HelloChange {
        what: what.to_owned(),
        value: Some(Was { was, is }),
        ..HelloChange::default()
    });
    let lists = lists.into_iter().filter(|(_, was, is)| was != is).map(|(what, was, is)| list(what, was, is));
    words.chain(lists).collect()
}

fn list(what: &str, was: &[String], is: &[String]) -> HelloChange {
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        of.iter().filter(|one| !from.contains(one)).cloned().collect()
    };
    let common = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter().filter(|one| other.contains(one)).cloned().collect()
    };
    HelloChange {
        what: what.to_owned(),
        value: None,
        added: missing(was, is),
        removed: missing(is, was),
        reordered: common(was, is) != common(is, was),
    }
}
