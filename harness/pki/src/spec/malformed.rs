//! A value of the grammar that is not of its form.

use std::fmt;

/// A value that its author has written in another form than it has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What was written.
    pub text: String,
    /// What it should have been, with the word before it: `no date`.
    pub is_no: &'static str,
    /// What to write instead.
    pub write: String,
}

impl Malformed {
    pub(super) fn new(text: &str, is_no: &'static str, write: impl Into<String>) -> Self {
        Self { text: text.to_owned(), is_no, write: write.into() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, is_no, write } = self;
        write!(f, "`{text}` is {is_no}: write {write}")
    }
}

impl std::error::Error for Malformed {}
