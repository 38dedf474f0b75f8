//! What is run: scenarios by their names, stacks by the chip, and of both the pairs that go together.

use std::fmt::Write as _;
use std::path::Path;

use chip::Chip;
use scenario::Scenario;
use scenario::library;

use super::Refusal;
use super::site::Site;
use crate::cli::Hil;
use crate::controls::{self, ControlRun};
use crate::exit;
use crate::stack::{self, Applicability, Stack};
use crate::unattended::options::UnattendedOptions;

/// What the command line names.
pub(super) struct Selection {
    pub(super) chip: &'static Chip,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) stacks: Vec<Stack>,
    /// Those that were not selected too.
    pub(super) all_stacks: Vec<Stack>,
}

impl Selection {
    /// # Errors
    ///
    /// If a pattern matches nothing, or a file or a name is wrong.
    pub(super) fn new(root: &Path, arguments: &Hil) -> Result<Self, Refusal> {
        let folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
        let scenarios = library::select(library::read(&folder)?, &arguments.patterns)?;
        if scenarios.is_empty() {
            return Err(Refusal::new(exit::NOTHING_SELECTED, format!("{} holds no scenario", folder.display())));
        }
        let image = arguments.image.iter().map(|image| image.to_string_lossy().into_owned());
        let chip = arguments.board.chip_of(&image.collect::<Vec<_>>());
        let all_stacks = match &arguments.image {
            Some(elf) => {
                let is_authority_given = arguments.own_authority.authority.is_some();
                let options = UnattendedOptions { is_authority_given, ..arguments.unattended.of_seed(arguments.seed) };
                stack::own(root, elf, arguments.dialect.as_deref(), chip, &options)
            }
            None => stack::known(root),
        }?;
        let mut stacks = stack::select(all_stacks.clone(), &arguments.stack, chip)?;
        let is_named = arguments.products || arguments.image.is_some() || !arguments.stack.is_empty();
        stacks.retain(|stack| is_named || !stack.is_product());
        if stacks.is_empty() {
            return Err(Refusal::new(exit::NOTHING_SELECTED, no_stack_for(chip)));
        }
        Ok(Self { chip, scenarios, stacks, all_stacks })
    }

    /// Leaves out the stacks whose images are not there, and says which, a line each.
    pub(super) fn leave_out_unbuilt(&mut self) -> String {
        let told = |stack: &Stack| Some(format!("{}: not run: {}\n", stack.name, stack.is_missing()?));
        let missing = self.stacks.iter().filter_map(told).collect();
        self.stacks.retain(|stack| stack.is_missing().is_none());
        missing
    }

    /// As `--list` prints it.
    pub(super) fn list(&self) -> String {
        list(&self.scenarios, &self.stacks)
    }

    /// The stacks that are not asked everything, in a line; empty if there are none.
    pub(super) fn not_asked(&self) -> String {
        not_asked(&self.scenarios, &self.stacks)
    }
}

/// What to give where a chip has no stack of this bench.
fn no_stack_for(chip: &Chip) -> String {
    format!(
        "the bench has no stack of its own for the {title}: give a product's image, `cargo xtask hil --board {chip} --image \
         FILE.bin` (`cargo xtask products install --list` names them), or other firmware with `--dialect FILE.toml`, or run \
         it on the terminal, `cargo xtask emulate FILE.bin`",
        title = chip.title
    )
}

/// One scenario on one stack.
pub(crate) struct Pair<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) stack: &'a Stack,
}

/// All that is run.
pub(super) struct Work<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    /// Controls are asked along with all stacks, and not if somebody wants to know about some of them.
    pub(super) controls: Vec<ControlRun<'a>>,
}

impl<'a> Work<'a> {
    /// What is selected, as far as it is this machine's share.
    ///
    /// # Errors
    ///
    /// If that is nothing.
    pub(super) fn new(arguments: &Hil, selection: &'a Selection, site: &Site) -> Result<Self, Refusal> {
        let mut pairs = pairs(&selection.scenarios, &selection.stacks);
        if pairs.is_empty() {
            let names: Vec<&str> = selection.stacks.iter().map(|stack| stack.name.as_str()).collect();
            let words = format!(
                "none of the stacks is asked any of these scenarios: `scenarios` in the dialect.toml of {} does not name \
                 them",
                names.join(", ")
            );
            return Err(Refusal::new(exit::NOTHING_SELECTED, words));
        }
        let is_ours = |scenario: &str, stack: &str| arguments.shard.is_none_or(|shard| shard.holds(scenario, stack));
        pairs.retain(|pair| is_ours(&pair.scenario.name, &pair.stack.name));
        if arguments.rack.quarantine_verify {
            keep_quarantined(&mut pairs, site)?;
        }
        let all = arguments.image.is_none()
            && arguments.stack.is_empty()
            && site.boards.is_none()
            && site.authority.is_none();
        let mut controls = if all { controls::runs(&selection.scenarios) } else { Vec::new() };
        controls.retain(|run| is_ours(&run.scenario.name, &run.stack()));
        Ok(Self { pairs, controls })
    }

    /// How many runs that is.
    pub(super) fn len(&self) -> usize {
        self.pairs.len() + self.controls.len()
    }

    /// Scenario and stack of each run.
    pub(super) fn names(&self) -> Vec<(&'a str, String)> {
        let pairs = self.pairs.iter().map(|pair| (pair.scenario.name.as_str(), pair.stack.name.clone()));
        pairs.chain(self.controls.iter().map(|run| (run.scenario.name.as_str(), run.stack()))).collect()
    }
}

/// Leaves what is in quarantine alone.
fn keep_quarantined(pairs: &mut Vec<Pair<'_>>, site: &Site) -> Result<(), Refusal> {
    match &site.boards {
        Some(boards) => boards.keep(pairs),
        None => pairs.clear(),
    }
    if !pairs.is_empty() {
        return Ok(());
    }
    let where_it_counts =
        if site.boards.is_none() { ": a quarantine is for real boards (`--on hardware`)" } else { "" };
    Err(Refusal::new(exit::NOTHING_SELECTED, format!("nothing of this is in quarantine{where_it_counts}")))
}

/// What is run: scenario by scenario, each on every stack that is asked it.
fn pairs<'a>(scenarios: &'a [Scenario], stacks: &'a [Stack]) -> Vec<Pair<'a>> {
    let asked = |pair: &Pair<'_>| pair.stack.applicability(pair.scenario) != Applicability::NotAsked;
    let on_all = |scenario| stacks.iter().map(move |stack| Pair { scenario, stack });
    scenarios.iter().flat_map(on_all).filter(asked).collect()
}

/// The stacks that are not asked everything, in a line; empty if there are none.
fn not_asked(scenarios: &[Scenario], stacks: &[Stack]) -> String {
    let told = stacks.iter().filter_map(|stack| {
        let is_left_out = |scenario: &&Scenario| stack.applicability(scenario) == Applicability::NotAsked;
        let number = scenarios.iter().filter(is_left_out).count();
        (number > 0).then(|| format!("{} {number}", stack.name))
    });
    match told.collect::<Vec<_>>() {
        told if told.is_empty() => String::new(),
        told => format!("not asked, as `scenarios` in their dialect.toml says: {}\n", told.join(", ")),
    }
}

fn list(scenarios: &[Scenario], stacks: &[Stack]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        let marks: Vec<&str> = scenario.catalogue.iter().chain(&scenario.documents).map(String::as_str).collect();
        let _ = writeln!(text, "{:width$}  {}  [{}]", scenario.name, scenario.title, marks.join(" "));
    }
    let width = stacks.iter().map(|stack| stack.name.len()).max().unwrap_or(0);
    text.push_str("\nstacks:\n");
    for stack in stacks {
        let asked = scenarios.iter().filter(|scenario| stack.applicability(scenario) == Applicability::Applies);
        let _ = writeln!(text, "{:width$}  {}  [{} of these scenarios]", stack.name, stack.title, asked.count());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// On a clean clone the image with somebody's closed driver is not there: its stack is known, named, and left out.
    #[test]
    fn what_is_not_built_is_not_run_and_the_command_is_said() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware-under-test/esp32c3_wifi");
        let root = tempfile::tempdir().expect("there is room for a temporary folder");
        let folder = root.path().join("firmware-under-test");
        fs::create_dir_all(folder.join("images")).expect("a folder");
        fs::create_dir_all(folder.join("esp32c3_wifi")).expect("a folder");
        for file in ["Cargo.toml", "dialect.toml"] {
            fs::copy(sources.join(file), folder.join("esp32c3_wifi").join(file)).expect("a copy");
        }
        let stacks = stack::known(root.path()).unwrap_or_else(|why| panic!("{why}"));
        let mut selection =
            Selection { chip: &chip::ESP32C3, scenarios: Vec::new(), all_stacks: stacks.clone(), stacks };
        assert_eq!(selection.leave_out_unbuilt(), "esp32c3_wifi: not run: cargo xtask firmware build esp32c3_wifi\n");
        assert_eq!((selection.stacks.len(), selection.all_stacks.len()), (0, 1));
    }
}
