//! The bench as a command: `cargo xtask …` ends here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use explain::matrix::Matrix;
use explain::snapshots::NotApplicable;
use runner::cli::{Authority, Capture, Cli, Command, Controls};
use runner::exit::Exit;
use runner::{
    authority, bisect, capture_make, certificates, controls, diagnose, emulate, exit, hil, panics, product, products,
    release_report, released, report_command, reports, stack,
};
use scenario::Scenario;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let root = root();
    panics::are_told();
    match panics::guarded(|| obey(&cli.command, &root)) {
        Ok(code) => ExitCode::from(code),
        Err((exit, words)) => {
            terminal::errln!("{}", words.trim_end());
            ExitCode::from(exit.code)
        }
    }
}

fn obey(command: &Command, root: &Path) -> Result<u8, (Exit, String)> {
    match command {
        Command::Hil(arguments) => {
            hil::run(root, arguments).map(|exit| exit.code).map_err(|refusal| (refusal.exit, refusal.words))
        }
        Command::Capture(Capture::Show { file, keys }) => {
            explain::capture_show::run(file, keys.as_deref()).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::Capture(Capture::Make(arguments)) => capture_make::run(root, arguments)
            .map(|()| exit::AS_EXPECTED.code)
            .map_err(|refusal| (refusal.exit, refusal.words)),
        Command::Explain(arguments) => {
            explain::run(root, arguments, &excluded(root)).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::Certificates(arguments) => {
            certificates::run(root, arguments).map(|exit| exit.code).map_err(|refusal| (refusal.exit, refusal.words))
        }
        Command::Diagnose(arguments) => {
            diagnose::run(root, arguments).map(|exit| exit.code).map_err(|refusal| (refusal.exit, refusal.words))
        }
        Command::Matrix(arguments) => matrix(root, arguments).map(|()| exit::AS_EXPECTED.code).map_err(refused),
        Command::Bisect(arguments) => bisect::run(root, arguments).map(|exit| exit.code),
        Command::ReleaseReport(arguments) => {
            release_report::run(root, arguments).map(|exit| exit.code).map_err(|refusal| (refusal.exit, refusal.words))
        }
        Command::Report(command) => report_command::run(command).map(|exit| exit.code),
        Command::Emulate(arguments) => emulate::run(root, arguments).map_err(refused),
        Command::Boards(arguments) => rack::boards::run(root, arguments).map(of).map_err(refused),
        Command::Doctor(arguments) => Ok(of(rack::doctor::run(root, &version(), arguments))),
        Command::VirtualBoard(arguments) => {
            runner::virtual_board::run(arguments).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::VirtualProbe => rack::emulated::hold_probe().map(|()| exit::AS_EXPECTED.code).map_err(refused),
        Command::VirtualControl { socket, words } => {
            rack::emulated::control(socket, &words.join(" ")).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::Firmware(command) => released::run(root, command),
        Command::Controls(Controls::Install) => {
            controls::install::run(root).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::Authority(Authority::Export(arguments)) => {
            authority::run(arguments).map(|()| exit::AS_EXPECTED.code).map_err(refused)
        }
        Command::Product(command) => product::run(root, command).map(|()| exit::AS_EXPECTED.code).map_err(refused),
        Command::Products(command) => products::install::run(command).map(|()| exit::AS_EXPECTED.code).map_err(refused),
        Command::Labgrid(command) => runner::labgrid::run(root, command),
        Command::Tables { check } => runner::tables::run(root, *check)
            .map(|current| if current { exit::AS_EXPECTED.code } else { exit::OTHERWISE.code })
            .map_err(|words| (exit::BENCH_FAILED, words.to_string())),
    }
}

/// Which scenarios are not run on which released stacks.
fn excluded(root: &Path) -> impl Fn(&[Scenario]) -> blame::Result<Vec<NotApplicable>> {
    |scenarios| {
        let stacks = stack::known(root)?;
        Ok(stack::not_applicable(&stacks, scenarios))
    }
}

/// `cargo xtask matrix`, of the reviewed snapshots or of a report.
fn matrix(root: &Path, arguments: &Matrix) -> blame::Result<()> {
    let run = arguments.report.as_deref().map(reports::read).transpose()?;
    explain::matrix::run(root, arguments, run, &excluded(root))
}

/// The code of a question that is answered by yes or no.
fn of(yes: bool) -> u8 {
    if yes { exit::AS_EXPECTED.code } else { exit::OTHERWISE.code }
}

/// The exit code of an error follows from whose fault it is.
fn refused(error: blame::Error) -> (exit::Exit, String) {
    (exit::Exit::of(error.blame), error.message)
}

/// The bench and the TLS library in it, each with its version.
fn version() -> String {
    format!("{} with {}", env!("CARGO_PKG_VERSION"), broker::openssl_version())
}

/// The workspace's root: told by xtask, else the first folder upwards that has `scenarios/`.
fn root() -> PathBuf {
    if let Some(root) = std::env::var_os("SHAKEDOWN_ROOT") {
        return root.into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors().find(|folder| folder.join("scenarios").is_dir()).map_or_else(|| here.clone(), PathBuf::from)
}
