//! What was said, step by step, for a diagram: a rung for each thing that one side says to another.

use serde::{Deserialize, Serialize};

/// The steps of a run, in the order of their times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ladder {
    /// The steps.
    pub steps: Vec<Step>,
    /// So many more were left out from the middle: a device that connects a hundred times says the same each time.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// One thing that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Step {
    /// When, in microseconds since power-on.
    pub at_us: u64,
    /// Who said it: `device`, `broker`, `dns`, `sntp`, `modem`.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What: `ClientHello`, `alert`, `FIN`.
    pub said: String,
    /// The particulars.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// What stands in the margin: `the fault`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Which connection it belongs to, from 1; absent for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<usize>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}
