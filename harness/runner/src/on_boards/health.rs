//! The health check that opens a run on each board: the healthy control of the collection, which a board in good health
//! cannot fail.
//!
//! A board that fails it would fail everything after it, and every one of those rows would blame the firmware.

use blame::Error;
use rack::slot::{Failure, Slot};
use scenario::Scenario;

use super::run_one;
use crate::stack::Stack;
use report::model::How;

/// The scenario's name and text, as it stands in the collection.
const GOLDEN: (&str, &str) =
    ("identity/san_dns_dialled_by_name", include_str!("../../../../scenarios/identity/san_dns_dialled_by_name.toml"));
/// The same for a board with a network of its own that dials no name.
const GOLDEN_BY_ADDRESS: (&str, &str) = (
    "identity/san_ip_dialled_by_address",
    include_str!("../../../../scenarios/identity/san_ip_dialled_by_address.toml"),
);
/// How often it is tried: a board that wedges over it and recovers gets another chance.
const TRIES: usize = 3;

/// Runs the check on the board, with the image of `stack`.
///
/// # Errors
///
/// Why the board is not fit to take part.
pub fn check(slot: &mut Slot, stack: &Stack, seed: u64) -> blame::Result<()> {
    let (name, golden) = if slot.lan().is_some_and(|lan| lan.name.is_none()) { GOLDEN_BY_ADDRESS } else { GOLDEN };
    let scenario = Scenario::parse(name, "the health check", golden).map_err(Error::bench)?;
    // As the library is: a profile may not be asked this, or excuse itself from it.
    let plain = stack.as_it_is();
    let mut last = String::new();
    for _ in 0..TRIES {
        match run_one(slot, &scenario, &plain, seed) {
            Ok(trial) if trial.judged.account.how == How::Connected => {
                slot.is_healthy();
                return Ok(());
            }
            Ok(trial) => {
                last = format!("the health check failed: {}", trial.judged.account.phrase());
                slot.note(&last);
                slot.refresh(plain.image()).map_err(|error| error.about(format!("{last}; then")))?;
            }
            Err(Failure::Passing(why)) => last = why,
            Err(Failure::Bench(why)) => return Err(Error::bench(format!("the health check could not be run: {why}"))),
            Err(Failure::Wedged(why)) => return Err(Error::bench(format!("wedged in the health check: {why}"))),
        }
    }
    Err(Error::bench(last))
}
