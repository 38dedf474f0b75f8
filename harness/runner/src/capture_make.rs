//! `cargo xtask capture make`: the packets of a scenario on any stack, made anew on an emulated chip.

use std::path::{Path, PathBuf};

use blame::Error;
use board::Boots;
use chip::Chip;
use clap::Args;
use scenario::Scenario;

use crate::chips::BoardOption;
use crate::hil::Refusal;
use crate::stack::{self, Applicability, Stack};
use crate::trial::{self, Trial};
use crate::unattended::options::UnattendedOptions;
use crate::{exit, packets};
use host::whole_file;
use scenario::library::{self, Unusable};
use snapshot::Place;
use snapshot::not_applicable::Record;

/// Run a scenario and write its packets, with the TLS secrets inside.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask capture make validity/expired_leaf                           on the stack that its document is about
  cargo xtask capture make validity/expired_leaf --stack nodemcu_3         on another one
  cargo xtask capture make validity/expired_leaf --output expired.pcapng   into that file
  cargo xtask capture make expired_leaf --image mine.elf --stack mine      of your own firmware

The same image, scenario and seed give the same bytes on every machine. Look at them with Wireshark or
`cargo xtask capture show`.")]
pub struct Make {
    /// The scenario, or a part of its name that fits no other
    pub scenario: String,
    /// The stack: an image, or a profile of one [default: the one whose packets are kept in captures/]
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// The kind of board.
    #[command(flatten)]
    pub board: BoardOption,
    /// The file [default: target/captures/SCENARIO.STACK.pcapng]
    #[arg(long, value_name = "FILE.pcapng")]
    pub output: Option<PathBuf>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// The firmware [default: the released images]
    #[arg(long, value_name = "FILE.elf")]
    pub image: Option<PathBuf>,
    /// Words and profiles of that firmware [default: those of the released image of its name]
    #[arg(long, value_name = "FILE.toml", requires = "image")]
    pub dialect: Option<PathBuf>,
    /// Of firmware that nobody tells what to do.
    #[command(flatten)]
    pub unattended: UnattendedOptions,
    /// The seed of all randomness, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
}

/// Runs the command, and tells which file was written.
///
/// # Errors
///
/// If the scenario or the stack is not there, does not go with the other, or the bench cannot do its part.
pub fn run(root: &Path, arguments: &Make) -> Result<(), Refusal> {
    let folder = arguments.scenarios.clone().unwrap_or_else(|| root.join("scenarios"));
    let scenarios = library::read(&folder).map_err(|unusable| Refusal::new(exit::USAGE, unusable))?;
    let scenario = library::one(scenarios, &arguments.scenario).map_err(|unusable| match &unusable {
        Unusable::NoMatch(..) => Refusal::new(exit::NOTHING_SELECTED, unusable),
        _ => Refusal::new(exit::USAGE, unusable),
    })?;
    let chip = arguments.board.chip();
    let stacks = match &arguments.image {
        Some(elf) => {
            stack::own(root, elf, arguments.dialect.as_deref(), chip, &arguments.unattended.of_seed(arguments.seed))
        }
        None => stack::released(root),
    };
    let stack = choose(root, &scenario, stacks?, arguments.stack.as_ref(), chip)?;
    if let Applicability::NotApplicable(why) = stack.applicability(&scenario) {
        let why = format!("{} is not applicable on {}: {why}", scenario.name, stack.name);
        return Err(Refusal::new(exit::USAGE, why));
    }
    let Trial { judged, pcapng } =
        trial::on_emulator(&scenario, &stack, arguments.seed, &Boots::new()).map_err(Refusal::bench_failed)?;
    if let Some(why) = judged.not_applicable() {
        let why = format!("{} is not applicable on {}: {why}", scenario.name, stack.name);
        return Err(Refusal::new(exit::USAGE, why));
    }
    let place = Place::new(&root.join("target/captures"), &scenario.name, &stack.name);
    let file = arguments.output.clone().unwrap_or_else(|| place.capture());
    whole_file::write(&file, pcapng).map_err(|error| Refusal::bench_failed(format!("{}: {error}", file.display())))?;
    terminal::outln!("{}: {} on {stack}, {}", file.display(), scenario.name, judged.account);
    Ok(())
}

/// The stack of that name, or the one whose packets are kept.
fn choose(
    root: &Path,
    scenario: &Scenario,
    stacks: Vec<Stack>,
    wanted: Option<&String>,
    chip: &'static Chip,
) -> blame::Result<Stack> {
    if scenario.broker.real.is_some() {
        return Err(Error::usage(format!(
            "{} has a real broker, whose packets are never the same twice: `cargo xtask hil {0}` leaves \
             those of a run in target/shakedown/",
            scenario.name
        )));
    }
    let chosen = match wanted {
        Some(name) => stack::select(stacks, std::slice::from_ref(name), chip)?.into_iter().next(),
        None => {
            let is_excused = |stack: &Stack| {
                let record = Record::read(&root.join("captures"), &stack.name);
                record.is_ok_and(|record| record.reason(&scenario.name).is_some())
            };
            packets::stack_of(scenario, &stacks, &is_excused).cloned()
        }
    };
    chosen.ok_or_else(|| Error::usage(format!("no stack runs {}", scenario.name)))
}
