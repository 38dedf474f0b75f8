//! Where it is run: on the boards of a rack or on emulated chips, and under whose authority.

use std::collections::BTreeMap;
use std::path::Path;

use pki::Authority;

use super::select::Selection;
use super::{Refusal, say};
use crate::authority::Foreign;
use crate::cli::Hil;
use crate::exit;
use crate::on_boards::{self, Boards};

/// Boards, and what the certificates hang on.
pub(super) struct Site {
    /// Real ones; without them, emulated chips.
    pub(super) boards: Option<Boards>,
    /// In words: `On an emulated ESP32-C3`.
    pub(super) words: String,
    /// Somebody's own authority.
    pub(super) authority: Option<Authority>,
    /// Why scenarios are not applicable under it, by their names.
    pub(super) foreign: BTreeMap<String, String>,
}

impl Site {
    /// As the command line says; scenarios are moved under the authority that it names.
    ///
    /// # Errors
    ///
    /// If there is no such board or authority.
    pub(super) fn choose(root: &Path, arguments: &Hil, selection: &mut Selection) -> Result<Self, Refusal> {
        let authority = arguments.own_authority.read()?;
        if authority.is_some() && arguments.accept && arguments.captures.is_none() {
            let why = "what was reviewed here is under the bench's own authority: `--accept` with `--authority` needs a \
                       folder of its own, `--captures DIR`";
            return Err(Refusal::new(exit::USAGE, why));
        }
        let (boards, words) = on_boards::choose::choose(root, arguments, selection.chip, authority.as_ref())?;
        // On real boards, each has its own.
        let of_the_run = authority.as_ref().filter(|_| boards.is_none());
        let foreign = Foreign::new(std::mem::take(&mut selection.scenarios), of_the_run, arguments.seed);
        say(&foreign.told(of_the_run));
        selection.scenarios = foreign.scenarios;
        Ok(Self { boards, words, authority, foreign: foreign.reasons })
    }
}
