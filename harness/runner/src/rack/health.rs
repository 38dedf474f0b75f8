//! The health check that opens a run on each board: the healthy control of the collection, which a board in good health
//! cannot fail.
//!
//! A board that fails it would fail everything after it, and every one of those rows would blame the firmware.

use scenario::Scenario;

use crate::rack::bay::{Bay, Failure};
use crate::stack::Stack;
use crate::verdict::How;

/// The scenario, as it stands in the collection.
const GOLDEN: &str = include_str!("../../../../scenarios/identity/san_dns_dialled_by_name.toml");
/// Its name.
const NAME: &str = "identity/san_dns_dialled_by_name";
/// How often it is tried: a board that falls ill over it and is made well again gets another chance.
const TRIES: usize = 3;

/// Runs the check on the board, with the image of `stack`.
///
/// # Errors
///
/// Why the board is not fit to take part.
pub fn check(bay: &mut Bay, stack: &Stack, seed: u64) -> Result<(), String> {
    let scenario = Scenario::parse(NAME, "the health check", GOLDEN).map_err(|problem| problem.to_string())?;
    // As the library is: a profile may not be asked this, or excuse itself from it.
    let plain = stack.as_it_is();
    let mut last = String::new();
    for _ in 0..TRIES {
        match bay.run(&scenario, &plain, seed) {
            Ok(trial) if trial.judged.account.how == How::Connected => {
                bay.is_healthy();
                return Ok(());
            }
            Ok(trial) => {
                last = format!("the health check failed: {}", trial.judged.account.phrase());
                bay.note(&last);
                bay.refresh(plain.image()).map_err(|why| format!("{last}; {why}"))?;
            }
            Err(Failure::Passing(why)) => last = why,
            Err(Failure::Bench(why)) => return Err(format!("the health check could not be run: {why}")),
            Err(Failure::Wedged(why)) => return Err(format!("wedged in the health check: {why}")),
        }
    }
    Err(last)
}
