//! The words of the command line that are about the rack.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// What a run on real boards is told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "On real boards")]
pub struct Options {
    /// Only this board of the hardware map (repeatable) [default: all that are alive]
    #[arg(long = "only", value_name = "NAME")]
    pub boards: Vec<String>,
    /// The hardware map: one board a file [default: ci/rack/]
    #[arg(long, value_name = "DIR")]
    pub map: Option<PathBuf>,
    /// Wait so long for a board that somebody else holds
    #[arg(long = "wait", value_name = "SECONDS", default_value_t = 0)]
    pub wait_s: u64,
    /// Begin nothing new after so many minutes, so that there is a report before a job's own limit
    #[arg(long = "stop-after", value_name = "MINUTES")]
    pub stop_after_min: Option<u64>,
    /// Skip the health check that opens a run on each board
    #[arg(long)]
    pub no_health_check: bool,
    /// Run just what is in quarantine, entries past their day included [default list: ci/quarantine.toml]
    #[arg(long)]
    pub quarantine_verify: bool,
    /// The list of scenarios in quarantine
    #[arg(long, value_name = "FILE.toml")]
    pub quarantine: Option<PathBuf>,
}

impl Options {
    /// How long to wait for a board.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.wait_s)
    }

    /// How long new work is begun.
    pub fn limit(&self) -> Option<Duration> {
        self.stop_after_min.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)))
    }
}
