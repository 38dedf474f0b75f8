//! What a script asks for that cannot be.

use std::fmt;

/// A fault of the scenario's author: the field of `[broker]`, what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The field, as it is written in a scenario.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl Error {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field, problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broker.{}: {}: {}", self.field, self.problem, self.remedy)
    }
}

impl std::error::Error for Error {}
