//! What is wrong with a specification of certificates.

use std::fmt;

/// A fault of the specification's author: which certificate, which field, what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The certificate's name under `[pki]`.
    pub certificate: String,
    /// The field, as it is written in a scenario.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl Error {
    pub(crate) fn new(
        certificate: &str,
        field: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { certificate: certificate.to_owned(), field, problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, field, problem, remedy } = self;
        write!(f, "pki.{certificate}.{field}: {problem}: {remedy}")
    }
}

impl std::error::Error for Error {}
