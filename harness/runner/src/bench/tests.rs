//! A board that nobody has, with a firmware that was not made for this bench.

use super::*;
use crate::stack;
use crate::unattended::options::UnattendedOptions;
use board::{Image, Target};

/// Prints its lines at their times, and listens to nobody.
struct Printer {
    lines: Vec<(u64, &'static str)>,
    said: usize,
}

impl Board for Printer {
    fn target(&self) -> Target {
        Target { chip: &chip::ESP32C3, emulated: true }
    }

    fn flash(&mut self, _: &Image) -> Result<(), Fault> {
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn listen(&mut self, deadline: Instant) -> Result<board::Heard, Fault> {
        let heard = |at, bytes: &str| board::Heard {
            at,
            ports: chip::ESP32C3.bench_port().map(|port| (port, bytes.as_bytes().to_vec())).into_iter().collect(),
            air: Vec::new(),
            incidents: Vec::new(),
        };
        match self.lines.get(self.said) {
            Some((at_ms, line)) if Instant::from_millis(*at_ms) <= deadline => {
                self.said += 1;
                Ok(heard(Instant::from_millis(*at_ms), &format!("{line}\r\n")))
            }
            _ => Ok(board::Heard { at: deadline, ports: Vec::new(), air: Vec::new(), incidents: Vec::new() }),
        }
    }

    fn send(&mut self, _: PortId, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }
}

/// What the bench makes of these lines, by these rules.
fn judged(rules: &str, lines: &[(u64, &'static str)]) -> judge::Judged {
    judged_on(rules, &mut Printer { lines: lines.to_vec(), said: 0 })
}

/// What the bench makes of what this board says, by these rules.
fn judged_on(rules: &str, board: &mut dyn Board) -> judge::Judged {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("it can be written");
        file
    };
    let dialect = file("mine.toml", &format!("stack = 'mine'\n{rules}"));
    // No instruction of it is executed here, but it has to be one.
    let released = concat!(env!("CARGO_MANIFEST_DIR"), "/../../firmware-under-test/images/esp32c3_mbedtls.elf");
    let elf = folder.path().join("mine.elf");
    std::fs::copy(released, &elf).expect("a released image");
    let stacks = stack::own(folder.path(), &elf, Some(&dialect), &chip::ESP32C3, &UnattendedOptions::default())
        .unwrap_or_else(|why| panic!("{why}"));
    let stack = stacks.first().expect("the image as it is");
    let text = "title = 'A test'\nspecification = { demands = 'connect', rule = 'RFC 1 §1', quote = 'q' }\n";
    let scenario = Scenario::parse("x/y", "y.toml", text).unwrap_or_else(|problem| panic!("{problem}"));
    let evidence = run(&scenario, stack, board, 1).unwrap_or_else(|fault| panic!("{fault}"));
    judge::judge(&scenario, &stack.setting(&board.target(), 1), &evidence).unwrap_or_else(|why| panic!("{why}"))
}

const RULES: &str = "\
[[log]]
line = 'tls: connecting'
means = 'stage'
stage = 'hello'
[[log]]
line = 'tls: failed (?<code>-0x[0-9a-f]+) (?<name>[A-Z0-9_]+)'
means = 'failed'
[[log]]
line = 'published'
means = 'done'
[[words]]
name = 'X509_*'
says = 'errno {code}'
";

#[test]
fn the_log_of_a_strangers_firmware_tells_its_outcome() {
    let judged = judged(
        RULES,
        &[(20, "boot 1.0"), (11_000, "I tls: connecting to broker"), (11_400, "E tls: failed -0x2700 X509_BAD")],
    );
    assert_eq!(judged.account.device_words, "X509_BAD (-0x2700)");
    assert_eq!(judged.account.platform_words.as_deref(), Some("errno -9984"));
    assert_eq!(judged.account.stage, outcome::Stage::Hello);
    assert!(judged.transcript.contains("stages     hello 11000 ms"), "{}", judged.transcript);
    assert!(judged.transcript.contains("console    boot 1.0 (at 20 ms)"), "{}", judged.transcript);
    // Nobody told of its heap.
    assert!(!judged.transcript.contains("heap"), "{}", judged.transcript);
    assert_eq!(judged.account.took_ms, 11_900, "the run is over when its log says so");
}

#[test]
fn words_that_begin_like_a_packet_are_not_lost() {
    // Two characters and a line's end make a length that a packet could have.
    let judged = judged(RULES, &[(100, "load"), (200, "tls: failed -0x2700 X509_BAD")]);
    assert_eq!(judged.account.device_words, "X509_BAD (-0x2700)");
}

#[test]
fn a_line_that_says_done_is_the_end_and_success() {
    let judged = judged(RULES, &[(100, "tls: connecting"), (900, "published")]);
    assert_eq!(judged.account.phrase(), "connected and did its work");
}

#[test]
fn without_rules_a_firmware_that_says_no_hello_is_none_for_this_bench() {
    let judged = judged("", &[(100, "tls: connecting"), (900, "published")]);
    let remedy =
        "no hello from the firmware, but text on console: if it was not made for this bench, `--dialect FILE.toml`";
    assert!(judged.transcript.contains(remedy), "{}", judged.transcript);
    assert_eq!(judged.account.phrase(), "stopped at the bench's limit of 10 s at boot");
}

/// Asks who is there, without ending the line, echoes what is typed, and publishes for `root` alone.
#[derive(Default)]
struct Console {
    typed: Vec<u8>,
    to_say: Vec<&'static str>,
    has_asked: bool,
}

impl Board for Console {
    fn target(&self) -> Target {
        Target { chip: &chip::ESP32C3, emulated: true }
    }

    fn flash(&mut self, _: &Image) -> Result<(), Fault> {
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.to_say = vec!["login: "];
        Ok(())
    }

    fn listen(&mut self, deadline: Instant) -> Result<board::Heard, Fault> {
        let port = chip::ESP32C3.bench_port().expect("it has one");
        let ports = self.to_say.drain(..).map(|text| (port, text.as_bytes().to_vec())).collect::<Vec<_>>();
        let at = if ports.is_empty() { deadline } else { Instant::from_millis(20) };
        Ok(board::Heard { at, ports, air: Vec::new(), incidents: Vec::new() })
    }

    fn send(&mut self, _: PortId, bytes: &[u8]) -> Result<(), Fault> {
        self.typed.extend(bytes);
        if !std::mem::replace(&mut self.has_asked, true) {
            self.to_say = vec!["root\r\n", "ready\r\n"];
        } else {
            self.to_say = vec!["published\r\n"];
        }
        Ok(())
    }
}

#[test]
fn prompts_are_answered_whether_their_lines_end_or_not_and_once() {
    let rules = "\
[[log]]
line = 'login: '
means = 'prompt'
types = \"root\\r\"
[[log]]
line = '^ready'
means = 'prompt'
types = \"go\\r\"
[[log]]
line = 'published'
means = 'done'
";
    let mut console = Console::default();
    let judged = judged_on(rules, &mut console);
    assert_eq!(String::from_utf8_lossy(&console.typed), "root\rgo\r");
    assert_eq!(judged.account.phrase(), "connected and did its work");
}

#[test]
fn this_machine_may_be_late_for_half_of_what_a_device_waits() {
    let timeouts = |handshake_ms| Timeouts { network_ms: 0, connect_ms: 10_000, handshake_ms, reply_ms: 10_000 };
    for (handshake_ms, late_ms) in [(10_000, 2_000), (3_000, 1_500), (1_000, 500), (50, 100), (0, 2_000)] {
        assert_eq!(late_max(&timeouts(handshake_ms)), Duration::from_millis(late_ms), "{handshake_ms} ms");
    }
}
