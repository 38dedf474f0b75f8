//! How quick the bench is: which figures there are, and the file that holds those of one machine.
//!
//! `cargo bench -p emulator -- --write` measures all of them (`runner/benches/figures/`) and writes the file; the tables of
//! the pages are rendered from it ([`crate::tables`]). A file that lacks one of the figures, or has one that nobody knows, is
//! wrong: then it was written by another version of the benchmark, and its numbers may mean something else.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use blame::Error;
use scenario::Problem;
use serde::Deserialize;

/// The file, below the workspace's folder.
pub const FILE: &str = "harness/runner/benches/results.toml";
/// The command that measures everything and writes the file.
pub const COMMAND: &str = "cargo bench -p emulator -- --write";

const HEAD: &str = "\
# How quick the bench is, on one machine: what `cargo bench -p emulator -- --write` measured and wrote. What each figure is:
# harness/runner/src/figures.rs. `cargo xtask tables` renders the tables of README.md and harness/README.md from this.
";

/// Who executes the instructions of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// Code of this machine for what is executed most (`--execution compiled`).
    Compiled,
    /// Threaded code.
    Threaded,
    /// The plain interpreter.
    Interpreted,
    /// QEMU, with `-icount shift=0`.
    Qemu,
}

impl Executor {
    /// All, in the order of a table's columns.
    pub const ALL: [Self; 4] = [Self::Compiled, Self::Threaded, Self::Interpreted, Self::Qemu];

    /// As the names of figures have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Threaded => "threaded",
            Self::Interpreted => "interpreted",
            Self::Qemu => "qemu",
        }
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Millions of instructions of the guest, in a second of the host.
    MillionInstructionsPerSecond,
    /// Times as quick.
    Ratio,
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// 1024 bytes.
    Kib,
}

impl Unit {
    /// As the names of figures end.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::MillionInstructionsPerSecond => "million_instructions_per_s",
            Self::Ratio => "ratio",
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Kib => "kib",
        }
    }
}

impl fmt::Display for Unit {
    /// As it stands behind a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MillionInstructionsPerSecond => " M/s",
            Self::Ratio => " ×",
            Self::S => " s",
            Self::Ms => " ms",
            Self::Us => " µs",
            Self::Kib => " KiB",
        })
    }
}

/// One thing that is measured, for each that executes it.
#[derive(Debug)]
pub struct Row {
    /// What the names of its figures begin with.
    pub subject: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// Who was measured. Where it makes no difference that is threaded code, the default.
    pub executors: &'static [Executor],
}

impl Row {
    /// The name of a figure: `p256_handshake_threaded_ms`.
    pub fn figure(&self, executor: Executor) -> String {
        format!("{}_{}_{}", self.subject, executor.name(), self.unit.suffix())
    }
}

use Executor::{Compiled, Interpreted, Qemu, Threaded};

const TIERS: &[Executor] = &[Compiled, Threaded, Interpreted];
const QUICK_TIERS: &[Executor] = &[Compiled, Threaded];
const DEFAULT: &[Executor] = &[Threaded];

const fn row(subject: &'static str, what: &'static str, unit: Unit, executors: &'static [Executor]) -> Row {
    Row { subject, what, unit, executors }
}

/// Everything that is measured, in the order of the table.
pub const ROWS: &[Row] = &[
    row(
        "riscv_kernel",
        "SHA-256, bignum multiplication, byte fills on a hart: instructions a second",
        Unit::MillionInstructionsPerSecond,
        &[Compiled, Threaded, Interpreted, Qemu],
    ),
    row("riscv_kernel_to_qemu", "the same, QEMU `-icount shift=0` being 1, in one run", Unit::Ratio, TIERS),
    row(
        "lx106_kernel",
        "the same kernel on an LX106: instructions a second",
        Unit::MillionInstructionsPerSecond,
        TIERS,
    ),
    row("p256_handshake", "a handshake with P-256: Mbed TLS, ESP32-C3", Unit::Ms, TIERS),
    row("rsa2048_handshake", "with RSA-2048", Unit::Ms, TIERS),
    row("bearssl_p256_handshake", "with P-256: BearSSL, ESP32-C3", Unit::Ms, QUICK_TIERS),
    row("bearssl_rsa2048_handshake", "with RSA-2048", Unit::Ms, QUICK_TIERS),
    row("esp8266_p256_handshake", "with P-256: BearSSL, ESP8266", Unit::Ms, QUICK_TIERS),
    row("esp8266_rsa2048_handshake", "with RSA-2048", Unit::Ms, QUICK_TIERS),
    row("micropython_handshake", "with P-256: MicroPython 1.23's model, ESP32-C3", Unit::Ms, TIERS),
    row("boot", "boot of a released image to its first byte", Unit::Ms, DEFAULT),
    row("snapshot", "a snapshot of the booted chip", Unit::Us, DEFAULT),
    row("restore", "going back to it", Unit::Us, DEFAULT),
    row("snapshot_size", "its size in memory", Unit::Kib, DEFAULT),
    row(
        "first_verdict",
        "first verdict of a process that has translated nothing, its boot included",
        Unit::Ms,
        QUICK_TIERS,
    ),
    row("next_verdict", "the same scenario again in that process, its boot included", Unit::Ms, QUICK_TIERS),
    row("start_to_first_verdict", "`hil` from its start to its end, for one scenario", Unit::Ms, DEFAULT),
    row(
        "suite_job",
        "job-seconds of `identity/` and `validity/` on `esp32c3_mbedtls`, from nothing translated",
        Unit::S,
        QUICK_TIERS,
    ),
    row("chip_resident", "resident memory of one more chip after a handshake", Unit::Kib, TIERS),
    row(
        "translations_resident",
        "of which translations: what the plain interpreter does not take",
        Unit::Kib,
        QUICK_TIERS,
    ),
];

/// Every figure: its row, and who was measured; in the order of the table.
fn all() -> impl Iterator<Item = (&'static Row, Executor)> {
    ROWS.iter().flat_map(|row| row.executors.iter().map(move |executor| (row, *executor)))
}

/// The row of a subject and the executor that a figure's name is about.
pub fn of_name(name: &str) -> Option<(&'static Row, Executor)> {
    all().find(|(row, executor)| row.figure(*executor) == name)
}

/// Where and when something was measured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The day, as ISO 8601 has it.
    pub date: String,
    /// The commit, and whether the work tree differed from it.
    pub commit: String,
    /// The processor's name.
    pub cpu: String,
    /// How many of its threads there are.
    pub cores: u32,
    /// The memory, in GiB.
    pub memory_gib: u32,
    /// The operating system.
    pub os: String,
    /// The compiler of the bench.
    pub rustc: String,
    /// The QEMU that it is compared with.
    pub qemu: String,
}

/// The figures of one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Where and when.
    pub machine: Machine,
    by_name: BTreeMap<String, f64>,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    machine: Machine,
    figures: BTreeMap<String, f64>,
}

impl Results {
    /// Those of a whole run.
    ///
    /// # Errors
    ///
    /// The names of the figures that are missing, with what may be the reason.
    pub fn new(machine: Machine, by_name: BTreeMap<String, f64>) -> blame::Result<Self> {
        let missing: Vec<String> = missing(&by_name).collect();
        if missing.is_empty() {
            return Ok(Self { machine, by_name });
        }
        Err(Error::bench(format!(
            "nothing is written: {} was not measured (it takes qemu-system-riscv32, a back end for this machine, and no filter)",
            missing.join(", ")
        )))
    }

    /// Reads the file below `root`, if there is one.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read, or is wrong: file, line and remedy.
    pub fn read(root: &Path) -> blame::Result<Option<Self>> {
        match host::text(&root.join(FILE), &host::limit::MANIFEST) {
            Ok(text) => Self::parse(FILE, &text).map(Some).map_err(Error::bench),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::bench(format!("{FILE}: {error}"))),
        }
    }

    /// Reads the text of the file `file`.
    ///
    /// # Errors
    ///
    /// If it is no TOML, lacks a figure, or has one that nobody knows.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problem> {
        let remedy = format!("measure anew: `{COMMAND}`");
        let Written { machine, figures } = toml::from_str(text).map_err(|error| {
            let message = error.message().trim().replace('\n', "; ");
            Problem::new(file, text, error.span().unwrap_or(0..0), message, remedy.as_str())
        })?;
        let wrong = |path: &[&str], message: String| Problem::at_key(file, text, path, message, remedy.as_str());
        for (name, value) in &figures {
            if of_name(name).is_none() {
                return Err(wrong(&["figures", name], format!("nobody knows a figure `{name}`")));
            }
            if !(value.is_finite() && *value >= 0.0) {
                return Err(wrong(&["figures", name], format!("`{name}` was never measured to be {value}")));
            }
        }
        let first = missing(&figures).next();
        match first {
            Some(name) => Err(wrong(&["figures"], format!("the figure `{name}` is missing"))),
            None => Ok(Self { machine, by_name: figures }),
        }
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let Machine { date, commit, cpu, cores, memory_gib, os, rustc, qemu } = &self.machine;
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = format!("{HEAD}\n[machine]\n");
        for (key, value) in [("date", date), ("commit", commit), ("cpu", cpu)] {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
        let _ = writeln!(text, "cores = {cores}\nmemory_gib = {memory_gib}");
        for (key, value) in [("os", os), ("rustc", rustc), ("qemu", qemu)] {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
        text.push_str("\n[figures]\n");
        for (row, executor) in all() {
            let name = row.figure(executor);
            let _ = writeln!(text, "{name} = {}", three_digits(self.by_name[&name]));
        }
        text
    }

    /// A figure as the pages have it, with its unit; empty if that was not measured.
    pub fn told(&self, row: &Row, executor: Executor) -> String {
        let value = self.by_name.get(&row.figure(executor));
        value.map(|value| format!("{}{}", three_digits(*value), row.unit)).unwrap_or_default()
    }

    /// Where and when, in a sentence's part.
    pub fn measured_on(&self) -> String {
        let Machine { date, commit, cpu, cores, memory_gib, os, rustc, qemu } = &self.machine;
        format!("{date}, commit {commit}, {cpu}, {cores} cores, {memory_gib} GiB, {os}, {rustc}, {qemu}")
    }
}

/// The names that have no value.
fn missing<'a>(by_name: &'a BTreeMap<String, f64>) -> impl Iterator<Item = String> + 'a {
    all().map(|(row, executor)| row.figure(executor)).filter(|name| !by_name.contains_key(name))
}

/// A number to three digits, which is more than a second measurement agrees in.
pub fn three_digits(value: f64) -> String {
    match value {
        small if small < 1.0 => format!("{small:.3}"),
        small if small < 10.0 => format!("{small:.2}"),
        small if small < 100.0 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn results() -> Results {
        let machine = Machine {
            date: "2026-11-30".into(),
            commit: "0123abcd".into(),
            cpu: "a \"quoted\" CPU".into(),
            cores: 2,
            memory_gib: 24,
            os: "an OS".into(),
            rustc: "a compiler".into(),
            qemu: "a QEMU".into(),
        };
        let names = all().map(|(row, executor)| row.figure(executor));
        Results::new(machine, names.zip((1..).map(f64::from)).collect()).expect("all are there")
    }

    #[test]
    fn what_is_written_is_read() {
        let results = results();
        assert_eq!(Results::parse("results.toml", &results.to_toml()), Ok(results));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_line() {
        let text = results().to_toml();
        let line_of = |what: &str| 1 + text.lines().position(|line| line.starts_with(what)).expect(what);
        let refused = |text: &str| Results::parse("results.toml", text).expect_err("it is wrong");
        let changed = |from: &str, to: &str| refused(&text.replacen(from, to, 1));

        let unknown = changed("boot_threaded_ms", "boot_threaded_s");
        assert_eq!((unknown.file.as_str(), unknown.line), ("results.toml", line_of("boot_threaded_ms")));
        assert!(unknown.message.contains("`boot_threaded_s`"), "{unknown}");
        assert!(unknown.remedy.contains("cargo bench -p emulator"), "{unknown}");

        let gone: String =
            text.lines().filter(|line| !line.starts_with("boot_")).map(|line| format!("{line}\n")).collect();
        let missing = refused(&gone);
        assert_eq!(missing.line, line_of("[figures]"));
        assert!(missing.message.contains("`boot_threaded_ms` is missing"), "{missing}");

        assert_eq!(changed("cores = 2", "cores = 2\nkernels = 3").line, line_of("cores") + 1);
        assert!(changed("cores = 2\n", "").message.contains("cores"));
        for nonsense in ["-1", "nan", "inf", "'quick'"] {
            let wrong = refused(&text.replace("boot_threaded_ms = ", &format!("boot_threaded_ms = {nonsense} # ")));
            assert_eq!(wrong.line, line_of("boot_threaded_ms"), "{nonsense}: {wrong}");
        }
    }

    #[test]
    fn a_run_that_left_something_out_is_not_written() {
        let Results { machine, mut by_name } = results();
        by_name.remove("riscv_kernel_qemu_million_instructions_per_s");
        let why = Results::new(machine, by_name).expect_err("one is missing").message;
        assert!(why.contains("riscv_kernel_qemu_million_instructions_per_s was not measured"), "{why}");
    }

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for (row, executor) in all() {
            let name = row.figure(executor);
            let (found, found_executor) = of_name(&name).expect("it has this name");
            assert_eq!((found.subject, found.unit, found_executor), (row.subject, row.unit, executor), "{name}");
            assert!(names.insert(name));
        }
        assert!(of_name("p256_handshake_qemu_ms").is_none());
    }

    #[test]
    fn numbers_have_three_digits() {
        let told = [0.5218, 1.0, 9.876, 12.34, 123.4, 1_234.5].map(three_digits);
        assert_eq!(told, ["0.522", "1.00", "9.88", "12.3", "123", "1234"]);
    }
}
