//! Firmware that was not made for this bench logs where its makers like: on UART0, on USB-Serial-JTAG, on both. `hil` hears
//! all of it, tells it apart, and understands it by the rules of a dialect.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use runner::exit;
use runner::products::Product;
use tempfile::TempDir;

use support::{elf_of, root};

/// What the bare program says on UART0, in less than its FIFO takes.
const LOG: &str = "E (31) wifi: caf\u{e9}\r\n\nI (52) tls: connecting\r\nE (88) tls: failed -0x2700 X509_EXPIRED\r\n";

/// Turns the RTC's watchdog off, and says what stands behind it on UART0, and nothing anywhere else.
///
/// ```text
///       lui  a3, 0x60008      # RTC_CNTL
///       lui  a4, 0x50d84
///       addi a4, a4, -0x55f
///       sw   a4, 0xa8(a3)     # WDTWPROTECT: 0x50d83aa1
///       sw   zero, 0x90(a3)   # WDTCONFIG0
///       lui  a0, 0x60000      # UART0's FIFO
///       lui  a1, 0x40380
///       addi a1, a1, 0x40     # what it says
/// next: lbu  a2, 0(a1)
///       beqz a2, done
///       sw   a2, 0(a0)
///       addi a1, a1, 1
///       j    next
/// done: wfi
///       j    done
/// ```
const PROGRAM: [u32; 16] = [
    0x6000_86b7,
    0x50d8_4737,
    0xaa17_0713,
    0x0ae6_a423,
    0x0806_a823,
    0x6000_0537,
    0x4038_05b7,
    0x0405_8593,
    0x0005_c603,
    0x0006_0863,
    0x00c5_2023,
    0x0015_8593,
    0xff1f_f06f,
    0x1050_0073,
    0xffdf_f06f,
    0,
];
/// Where it lies, in the internal RAM for instructions.
const RAM: u32 = 0x4038_0000;

/// The program as an ELF file with one segment.
fn elf(says: &str) -> Vec<u8> {
    let mut code: Vec<u8> = PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect();
    code.extend(says.bytes());
    code.resize(code.len().next_multiple_of(4) + 4, 0);
    elf_of(RAM, &code)
}

fn bench() -> Command {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_runner"));
    bench.env("SHAKEDOWN_ROOT", root()).stdin(std::process::Stdio::null());
    bench
}

/// An image, run through one scenario, with these rules for its log or with none: exit code, and what was said.
fn hil(image: &Path, rules: Option<&str>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut bench = bench();
    bench.args(["hil", "--image", &image.display().to_string(), "not_yet_valid_leaf", "--show"]);
    bench.args(["--captures", &path("captures"), "--artefacts", &path("artefacts")]);
    if let Some(rules) = rules {
        fs::write(path("dialect.toml"), format!("stack = 'its own'\n{rules}")).expect("a file");
        bench.args(["--dialect", &path("dialect.toml")]);
    }
    let output = bench.output().expect("the bench starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    (output.status.code(), said)
}

fn program(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("logs_on_uart0.elf");
    fs::write(&file, elf(LOG)).expect("a file");
    file
}

const RULES: &str = "\
[[log]]
line = 'tls: connecting'
means = 'stage'
stage = 'hello'
[[log]]
line = 'tls: failed (?<code>-0x[0-9a-f]+) (?<name>[A-Z0-9_]+)'
means = 'failed'
";

#[test]
fn a_firmware_that_logs_on_uart0_alone_is_understood() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let (_, said) = hil(&program(&folder), Some(RULES));
    assert!(said.contains("device     X509_EXPIRED (-0x2700)"), "{said}");
    assert!(said.contains("ending     device failed at hello"), "{said}");
    for line in LOG.lines().filter(|line| !line.is_empty()) {
        assert_eq!(said.matches(&format!("uart0      {line} (at ")).count(), 1, "{line}: {said}");
    }
}

#[test]
fn without_rules_its_log_is_shown_with_what_to_do() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let (code, said) = hil(&program(&folder), None);
    assert_eq!(code, Some(i32::from(exit::OTHERWISE.code)), "{said}");
    assert!(said.contains("uart0      E (88) tls: failed -0x2700 X509_EXPIRED (at "), "{said}");
    let remedy =
        "no hello from the firmware, but text on uart0: if it was not made for this bench, `--dialect FILE.toml`";
    assert!(said.contains(&format!("on logs_on_uart0: {remedy}")), "{said}");
    assert!(!said.contains("nothing happened before the limit") && !said.contains("limit of 120 s"), "{said}");
}

/// MicroPython's prompt is on both consoles: each line is told with its own, and neither is cut into the other.
#[rstest]
#[case::v1_22("micropython_1_22_esp32c3", "MicroPython v1.22.2 on ")]
#[case::v1_27("micropython_1_27_esp32c3", "MicroPython v1.27.0 on ")]
fn a_product_is_heard_on_both_consoles(#[case] name: &str, #[case] banner: &str) {
    let product = Product::by_name(name).expect("it is pinned");
    if let Err(missing) = product.read() {
        assert!(!missing.required, "{}: {}", product.title, missing.reason);
        return eprintln!("{}: {}", product.title, missing.reason);
    }
    let done = "[[log]]\nline = 'Type \"help'\nmeans = 'done'\n";
    let (_, said) = hil(&product.path().expect("it is there"), Some(done));
    for console in ["console   ", "uart0     "] {
        for line in ["ESP-ROM:esp32c3-api1-20210207 (at ", banner] {
            assert_eq!(said.matches(&format!("\n{console} {line}")).count(), 1, "{console} {line}: {said}");
        }
    }
    assert!(said.contains("ending     connected and did its work"), "{said}");
}

/// A program that logs with defmt over RTT, and on no port.
#[test]
fn what_is_logged_over_rtt_is_heard() {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulator/tests/programs/defmt_rtt.elf");
    let rules = "[[log]]\nline = 'ERROR handshake: Alert .* description: (?<alert>\\d+)'\nmeans = 'failed'\nname = 'ALERT'\n\
        stage = 'certificate'\n";
    let (_, said) = hil(&image, Some(rules));
    assert!(said.contains("rtt        0.000 INFO connecting to broker.test:8883 (at 1 ms)"), "{said}");
    assert!(said.contains("device     ALERT\n"), "{said}");
    let output =
        bench().args(["emulate", &image.display().to_string(), "--until-ms", "200"]).output().expect("it starts");
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("0.003 ERROR handshake: Alert { level: 2, description: 42 }\n"), "{shown}{told}");
    assert!(shown.trim_end().ends_with("0.405 done"), "{shown}");
    assert_eq!(output.status.code(), Some(i32::from(exit::AS_EXPECTED.code)), "{told}");
}
