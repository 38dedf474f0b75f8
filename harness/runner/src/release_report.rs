//! `cargo xtask release-report`: two images meet the same brokers; what changed from one to the other.

mod elsewhere;
mod here;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use blame::Error;
use clap::Args;
use report::model::Run;
use report::release::Release;

use crate::chips::BoardOption;
use crate::exit::{self, Exit};
use crate::hil::{self, Refusal};
use crate::reports::{self, Report, ReportKind};
use host::whole_file;

const EXAMPLES: &str = "\
Examples:
  cargo xtask release-report --image old.elf --image new.elf                 every scenario with both
  cargo xtask release-report --image old.elf --image new.elf trust validity  some of them
  cargo xtask release-report --image old.elf --image new.elf --dialect mine.toml --report html=release.html
  cargo xtask release-report --image a.elf --image a.elf --old-stack nodemcu_2 --new-stack nodemcu_3
  cargo xtask release-report --image old.elf --image new.elf -- --on hardware --only left   on a board of the rack

Exit codes: 0 no outcome changed, 1 outcomes changed, 2 usage, 3 the bench failed, 4 nothing selected,
5 a security outcome got worse, 130 interrupted";

/// Hold two firmware images against each other.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReleaseReport {
    /// Only scenarios whose names contain one of these
    pub patterns: Vec<String>,
    /// The older image, then the newer one
    #[arg(long, value_name = "FILE.elf", required = true)]
    pub image: Vec<PathBuf>,
    /// The kind of board.
    #[command(flatten)]
    pub board: BoardOption,
    /// Words and profiles of both images [default: those of the released image of their names]
    #[arg(long, value_name = "FILE.toml")]
    pub dialect: Option<PathBuf>,
    /// The older image as this stack [default: as it is, and as every profile that both have]
    #[arg(long, value_name = "NAME", requires = "new_stack")]
    pub old_stack: Option<String>,
    /// The newer image as this stack
    #[arg(long, value_name = "NAME", requires = "old_stack")]
    pub new_stack: Option<String>,
    /// Of firmware that nobody tells what to do.
    #[command(flatten)]
    pub unattended: crate::unattended::options::UnattendedOptions,
    /// The seed of all randomness, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
    /// How many scenarios run side by side [default: all cores]
    #[arg(long)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// The folder of scenarios [default: scenarios/]
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// Write reports: json=FILE, markdown=FILE, html=FILE, several with commas between
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',', value_parser = reports::report)]
    pub report: Vec<Report>,
    /// Where the packets go [default: target/shakedown/release/]
    #[arg(long, value_name = "DIR")]
    pub artefacts: Option<PathBuf>,
    /// Options of `hil`, through which both images are run then: on the boards of a rack, say
    #[arg(last = true, value_name = "HIL OPTIONS", conflicts_with = "old_stack")]
    pub hil: Vec<String>,
}

/// The older image or the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// Runs the command.
///
/// # Errors
///
/// If nothing could be run at all.
pub fn run(root: &Path, arguments: &ReleaseReport) -> Result<Exit, Refusal> {
    let [old, new] = arguments.image.as_slice() else {
        return Err(Refusal::new(
            exit::USAGE,
            "two images are held against each other: --image OLD.elf --image NEW.elf",
        ));
    };
    if let Some(junit) = arguments.report.iter().find(|wanted| wanted.kind == ReportKind::Junit) {
        let words = format!("{}: a release is no test suite: write json, markdown or html", junit.file.display());
        return Err(Refusal::new(exit::USAGE, words));
    }
    let (old, new, interrupted) = if arguments.hil.is_empty() {
        here::run(root, arguments, old, new)?
    } else {
        through_hil(root, arguments, old, new)?
    };
    let release = firmware::release::hold_against(old, new);
    hil::say(&report::release::text(&release));
    write(arguments, &release).map_err(|why| Refusal::new(exit::BENCH_FAILED, why))?;
    Ok(sum(&release, interrupted))
}

/// Where packets and reports of both go.
fn artefacts(root: &Path, arguments: &ReleaseReport) -> PathBuf {
    arguments.artefacts.clone().unwrap_or_else(|| root.join("target/shakedown/release"))
}

/// Both runs through `hil`, and whether they were interrupted.
fn through_hil(root: &Path, arguments: &ReleaseReport, old: &Path, new: &Path) -> Result<(Run, Run, bool), Refusal> {
    // The one that is running hears Ctrl-C as well, and reports what was finished.
    let interrupted = hil::listen_for_interruption()?;
    let folder = artefacts(root, arguments);
    let run = |side: Side, elf: &Path| {
        elsewhere::run(root, arguments, side, elf, &folder).map_err(|(exit, why)| Refusal::new(exit, why))
    };
    let mut old = run(Side::Old, old)?;
    if interrupted.load(Ordering::SeqCst) {
        return Err(Refusal::new(exit::INTERRUPTED, "interrupted: the newer image was not run"));
    }
    let mut new = run(Side::New, new)?;
    report::release::align(&mut old, &mut new);
    Ok((old, new, interrupted.load(Ordering::SeqCst)))
}

impl Side {
    const fn folder(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

fn write(arguments: &ReleaseReport, release: &Release) -> blame::Result<()> {
    for wanted in &arguments.report {
        let text = match wanted.kind {
            ReportKind::Json => serde_json::to_string(release).map_err(Error::bench)?,
            ReportKind::Markdown => report::release::markdown(release),
            ReportKind::Html => report::html::write_release(release),
            ReportKind::Junit => continue,
        };
        whole_file::write(&wanted.file, text)
            .map_err(|error| Error::bench(format!("{}: {error}", wanted.file.display())))?;
    }
    Ok(())
}

fn sum(release: &Release, interrupted: bool) -> Exit {
    let has_failed = |run: &Run| run.totals.bench_failed > 0;
    if interrupted {
        exit::INTERRUPTED
    } else if release.is_worse() {
        exit::SECURITY_WORSE
    } else if has_failed(&release.old) || has_failed(&release.new) {
        exit::BENCH_FAILED
    } else if release.has_changed_outcomes() {
        exit::OTHERWISE
    } else {
        exit::AS_EXPECTED
    }
}
