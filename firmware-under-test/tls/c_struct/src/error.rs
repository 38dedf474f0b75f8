//! Why a header is not translated.

use std::fmt;

/// What is wrong with a header: its author's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// A declaration of a kind that this crate does not read.
    NotUnderstood {
        /// The number of its line, from 1.
        line: usize,
        /// It, without its `;`.
        declaration: String,
    },
    /// A declaration that does not end before its struct does.
    NoSemicolon {
        /// The number of its line, from 1.
        line: usize,
        /// It.
        behind: String,
    },
    /// There is no struct of that name.
    NoSuchStruct(String),
}

impl HeaderError {
    pub(crate) fn not_understood(line: usize, declaration: &str) -> Self {
        Self::NotUnderstood { line, declaration: declaration.trim().to_owned() }
    }
}

/// To be printed behind the header's name and a colon, as compilers do.
impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderstood { line, declaration } => write!(f, "{line}: this is not understood: `{declaration}`"),
            Self::NoSemicolon { line, behind } => write!(f, "{line}: no `;` behind `{behind}`"),
            Self::NoSuchStruct(name) => write!(f, " there is no `typedef struct {{ … }} {name};`"),
        }
    }
}

impl std::error::Error for HeaderError {}
