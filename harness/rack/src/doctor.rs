//! `cargo xtask doctor`: is this machine fit for a rack? A remedy for each finding.

mod checks;
mod udev;

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Args;

/// What is wrong with this machine, and what to do about it.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing keeps a rack from working, 1 something does")]
pub struct Doctor {
    /// The hardware map: one board a file [default: ci/rack/]
    #[arg(long, value_name = "DIR")]
    pub map: Option<PathBuf>,
    /// The root of the file system, for tests
    #[arg(long, hide = true, default_value = "/")]
    pub system_root: PathBuf,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// All is well.
    Well,
    /// Something is missing that not every rack needs.
    Lacking,
    /// No rack works so.
    Ill,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    /// How grave it is.
    pub gravity: Gravity,
    /// What was found.
    pub words: String,
    /// What to do about it; empty where all is well.
    pub remedy: String,
}

impl Finding {
    fn well(about: &'static str, words: impl Into<String>) -> Self {
        Self { about, gravity: Gravity::Well, words: words.into(), remedy: String::new() }
    }

    fn lacking(about: &'static str, words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, gravity: Gravity::Lacking, words: words.into(), remedy: remedy.into() }
    }

    fn ill(about: &'static str, words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, gravity: Gravity::Ill, words: words.into(), remedy: remedy.into() }
    }
}

/// What is looked at.
pub struct Machine {
    /// The bench and what it is linked with, each with its version.
    pub bench: String,
    /// The workspace.
    pub workspace: PathBuf,
    /// The folder of the hardware map.
    pub map: PathBuf,
    /// The root of the file system.
    pub system_root: PathBuf,
    /// The user and their groups, by number.
    pub user: u32,
    /// The groups.
    pub groups: Vec<u32>,
    /// Where programs are looked for.
    pub finds_program: fn(&str) -> Option<PathBuf>,
}

/// Everything that there is to look at, in the order in which a person would.
pub fn examine(machine: &Machine) -> Vec<Finding> {
    let mut findings = checks::map(machine);
    findings.extend(udev::rules(machine));
    findings.extend(checks::ports(machine));
    findings.extend(checks::probes(machine));
    findings.extend(checks::modem_manager(machine));
    findings.extend(checks::programs(machine));
    findings.extend(checks::own_network(machine));
    findings.extend(checks::locks());
    findings.extend(checks::disk(machine));
    findings.extend(checks::versions(machine));
    findings
}

/// Runs the command, for this version of the `bench`; returns whether a rack can work here.
pub fn run(root: &Path, bench: &str, arguments: &Doctor) -> bool {
    const MARKS: [(&str, Style); 3] = [
        ("✓", AnsiColor::Green.on_default()),
        ("~", AnsiColor::Yellow.on_default()),
        ("✗", AnsiColor::Red.on_default().bold()),
    ];
    let (user, groups) = checks::user();
    let machine = Machine {
        bench: bench.to_owned(),
        workspace: root.to_owned(),
        map: crate::map::folder(root, arguments.map.as_ref()),
        system_root: arguments.system_root.clone(),
        user,
        groups,
        finds_program: crate::program::find,
    };
    let findings = examine(&machine);
    for finding in &findings {
        let (mark, style) = MARKS.get(finding.gravity as usize).copied().unwrap_or(("?", Style::new()));
        terminal::outln!("{style}{mark}{style:#} {:14} {}", finding.about, finding.words);
        for line in finding.remedy.lines() {
            terminal::outln!("                 → {line}");
        }
    }
    let ill = findings.iter().filter(|finding| finding.gravity == Gravity::Ill).count();
    let lacking = findings.iter().filter(|finding| finding.gravity == Gravity::Lacking).count();
    terminal::outln!("\n{ill} to be mended, {lacking} that not every rack needs");
    ill == 0
}

#[cfg(test)]
mod tests;
