//! `cargo xtask hil`: scenarios on a board.

mod execute;
mod filing;
mod good_broker;
mod refusal;
mod select;
mod set_up;
mod site;
mod tell;

use std::path::Path;
use std::sync::Arc;

use crate::cli::Hil;
use crate::exit::{self, Exit};
pub(crate) use execute::{listen_for_interruption, progress};
pub(crate) use filing::{Bench, Compared};
pub use refusal::Refusal;
pub(crate) use select::Pair;
use select::{Selection, Work};
use site::Site;
use tell::ReportContext;

/// Runs the command.
///
/// # Errors
///
/// If nothing could be run at all; what becomes of single scenarios is in the table and in the exit code.
pub fn run(root: &Path, arguments: &Hil) -> Result<Exit, Refusal> {
    // Before anything else: who is stopped while boards are looked for still leaves a report.
    let interrupted = if arguments.list { Arc::default() } else { listen_for_interruption()? };
    let mut selection = Selection::new(root, arguments)?;
    if arguments.list {
        say(&selection.list());
        return Ok(exit::AS_EXPECTED);
    }
    say(&selection.leave_out_unbuilt());
    if selection.stacks.is_empty() {
        return Ok(exit::AS_EXPECTED);
    }
    let site = Site::choose(root, arguments, &mut selection)?;
    let work = Work::new(arguments, &selection, &site)?;
    let (bench, headline) = Bench::set_up(root, arguments, &selection, &site)?;
    good_broker::check(&bench, &selection, &site, &work)?;
    let context = ReportContext::new(&headline, arguments, &selection, &bench);
    let done = execute::run(root, arguments, &interrupted, &site, &work, &bench, &context)?;
    tell::tell(arguments, &site, &work, &bench, &context, done)
}

/// Prints to standard output, coloured only on a terminal.
pub(crate) fn say(text: &str) {
    terminal::out!("{text}");
}
