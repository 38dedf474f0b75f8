//! Which boards: those of the hardware map, or the emulated chip in this process.

use std::collections::BTreeMap;
use std::path::Path;

use blame::Error;
use board::hardware::Limits;
use chip::Chip;
use pki::Authority;
use rack::map::{self, Entry};
use rack::pool::Pool;
use rack::quarantine::{self, Expired, Quarantine};
use rack::slot::Setting;
use rack::{PROBE, lock};

use super::{Boards, Outcome};
use crate::authority;
use crate::cli::{Hil, On};
use crate::hil::Pair;
use crate::reports::Missed;

/// The boards of the run, if they are real ones, and in words what it runs on. Boards whose files name no authority of
/// their own have that `of_the_run`.
///
/// # Errors
///
/// If a real board was asked for and there is none, or if map or quarantine are wrong.
pub fn choose(
    root: &Path,
    arguments: &Hil,
    chip: &Chip,
    of_the_run: Option<&Authority>,
) -> blame::Result<(Option<Boards>, String)> {
    let options = &arguments.rack;
    if arguments.on == On::Emulator {
        return Ok((None, format!("On an emulated {}", chip.title)));
    }
    let folder = map::folder(root, options.map.as_ref());
    let entries = map::read(&folder)?;
    if let Some(unknown) = options.boards.iter().find(|name| !entries.iter().any(|entry| entry.name == **name)) {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let why = format!("{} has no board `{unknown}`; it has {}", folder.display(), names.join(", "));
        return Err(Error::usage(why));
    }
    let is_named = |entry: &&Entry| options.boards.contains(&entry.name);
    if let Some(other) = entries.iter().filter(is_named).find(|entry| entry.facts.chip != chip) {
        let why = format!("the board `{}` has the chip {}, and this run is for {chip}", other.name, other.facts.chip);
        return Err(Error::usage(why));
    }
    let wanted = |entry: &&Entry| {
        entry.facts.alive && entry.facts.chip == chip && (options.boards.is_empty() || is_named(entry))
    };
    let entries: Vec<Entry> = entries.iter().filter(wanted).cloned().collect();
    let is_connected = |entry: &Entry| entry.facts.serial.as_ref().is_some_and(|serial| serial.exists());
    let chosen: Vec<Entry> = match arguments.on {
        On::Hardware => entries,
        // Boards of our own making are no reason to leave virtual time.
        _ => entries.into_iter().filter(|entry| !entry.facts.is_emulated() && is_connected(entry)).collect(),
    };
    if chosen.is_empty() {
        return match arguments.on {
            On::Hardware => Err(Error::bench(none(&folder))),
            _ => Ok((None, format!("On an emulated {} (no board is connected)", chip.title))),
        };
    }
    if arguments.accept {
        let why = "snapshots are the emulator's: `--accept` goes with `--on emulator`; what a board does otherwise is a \
                   finding, unless `harness/rack/src/silicon.toml` says why it may";
        return Err(Error::usage(why));
    }
    let expired = if options.quarantine_verify { Expired::Verified } else { Expired::Refused };
    let file = options.quarantine.clone().unwrap_or_else(|| root.join(quarantine::FILE));
    let quarantine = Quarantine::read(&file, expired)?;
    let mut authorities = BTreeMap::new();
    for entry in &chosen {
        let own = entry.authority().map(|(certificate, key)| authority::read(&certificate, &key)).transpose();
        let own = own?;
        if let Some(authority) = own.or_else(|| of_the_run.cloned()) {
            authorities.insert(entry.name.clone(), authority);
        }
    }
    let names: Vec<&str> = chosen.iter().map(|entry| entry.name.as_str()).collect();
    let words = match names.as_slice() {
        [one] => format!("On the board {one}"),
        several => format!("On the boards {}", several.join(", ")),
    };
    let artefacts = arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown"));
    let program = std::env::current_exe()
        .map_err(|error| Error::bench(format!("this program does not know where it lies: {error}")))?;
    let pool = Pool {
        entries: chosen,
        limit: options.limit(),
        setting: Setting {
            locks: lock::folder(),
            why: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            patience: options.patience(),
            folder: artefacts.join("images"),
            flasher: std::env::var(PROBE).ok().map(|program| vec![program, "serve".into()]),
            program,
            seed: arguments.seed,
            limits: Limits::default(),
        },
    };
    let boards = Boards { pool, checks_health: !options.no_health_check, quarantine, authorities };
    Ok((Some(boards), words))
}

fn none(folder: &Path) -> String {
    format!(
        "no board: {} names none that is alive; `cargo xtask boards --scan` writes a file for what is plugged in",
        folder.display()
    )
}

impl Boards {
    /// Keeps only what is in quarantine.
    pub(crate) fn keep(&self, pairs: &mut Vec<Pair<'_>>) {
        pairs.retain(|pair| self.quarantine.mentions(&pair.scenario.name, &pair.stack.name));
    }
}

impl Outcome {
    /// Says of what was missed why.
    pub(crate) fn explain(&self, pairs: &[Pair<'_>], missed: &mut [Missed]) {
        for one in missed {
            let index =
                pairs.iter().position(|pair| pair.scenario.name == one.scenario && pair.stack.name == one.stack);
            if let Some(why) = index.and_then(|index| self.rack.missed.get(&index)) {
                one.why.clone_from(why);
            }
        }
    }

    /// Whether something was to be run and was not.
    pub(crate) fn is_incomplete(&self) -> bool {
        !self.rack.missed.is_empty()
    }

    /// What is to be told of the boards: those that were out of order, and what was done to them.
    pub(crate) fn told(&self) -> String {
        use std::fmt::Write as _;
        let mut words = String::new();
        for board in &self.rack.boards {
            if let Some(why) = &board.out_of_order {
                let _ = writeln!(words, "board {} left the run: {why}", board.name);
            }
            for line in &board.log {
                let _ = writeln!(words, "  {}: {line}", board.name);
            }
        }
        let mut reasons: Vec<&String> = self.rack.missed.values().collect();
        reasons.sort();
        reasons.dedup();
        for why in reasons {
            let count = self.rack.missed.values().filter(|one| *one == why).count();
            let _ = writeln!(words, "not run: {count}, as {why}");
        }
        words
    }
}
