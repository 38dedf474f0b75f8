//! Why nothing was run, and the exit code that says so.

use std::fmt;

use blame::{Blame, Error};
use scenario::library::Unusable;

use crate::exit::{self, Exit};

/// Why nothing was run.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub exit: Exit,
    /// What to tell the person.
    pub words: String,
}

impl Refusal {
    pub(crate) fn new(exit: Exit, words: impl ToString) -> Self {
        Self { exit, words: words.to_string() }
    }

    /// What is the bench's own fault.
    pub(crate) fn bench_failed(why: impl fmt::Display) -> Self {
        Self::new(exit::BENCH_FAILED, format!("the bench failed: {why}"))
    }
}

impl From<Unusable> for Refusal {
    fn from(unusable: Unusable) -> Self {
        let exit = if matches!(unusable, Unusable::NoMatch(..)) { exit::NOTHING_SELECTED } else { exit::USAGE };
        Self::new(exit, unusable)
    }
}

/// The exit code follows from whose fault it is.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.blame {
            Blame::Bench => Self::bench_failed(error),
            blame => Self::new(Exit::of(blame), error),
        }
    }
}
