//! Stacks that are selected by patterns, on command lines that are about many of them.

use std::fmt;

use super::Stack;
use crate::exit;
use crate::hil::Refusal;

/// No stack fits a pattern: there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub struct NothingFits {
    option: &'static str,
    pattern: String,
    known: Vec<String>,
}

impl fmt::Display for NothingFits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { option, pattern, known } = self;
        write!(f, "{option} {pattern}: no stack fits; there are {}", known.join(", "))
    }
}

impl std::error::Error for NothingFits {}

impl From<NothingFits> for Refusal {
    fn from(error: NothingFits) -> Self {
        Self::new(exit::NOTHING_SELECTED, error)
    }
}

/// The stacks that fit one of the patterns of `option`; all, if there is none.
///
/// # Errors
///
/// If no stack fits one of the patterns.
pub fn matching(option: &'static str, stacks: Vec<Stack>, patterns: &[String]) -> Result<Vec<Stack>, NothingFits> {
    if let Some(pattern) = patterns.iter().find(|pattern| !stacks.iter().any(|stack| fits(pattern, &stack.name))) {
        let known = stacks.into_iter().map(|stack| stack.name).collect();
        return Err(NothingFits { option, pattern: pattern.clone(), known });
    }
    let is_wanted = |stack: &Stack| patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, &stack.name));
    Ok(stacks.into_iter().filter(is_wanted).collect())
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(tail) = name.strip_prefix(start) else { return false };
    (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| fits(rest, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in
            [("esp_idf*", "esp_idf_5_1"), ("*python*", "micropython_1_20"), ("*", "x"), ("a*b*c", "a1b2c")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        assert!(!fits("esp", "esp_idf_5_1") && !fits("a*b", "ba") && !fits("", "x"));
    }
}
