use std::path::Path;

use board::{Fault, Heard, Image, Instant, Past, PortId, RadioFrame};

use super::*;

const SEED: u64 = 0x5eed;

/// A chip whose runs are kept at certain instants.
struct Keeper {
    board: Emulated,
    /// When, in ascending order; those that have passed are gone.
    at: Vec<Instant>,
    kept: Vec<Arc<Past>>,
}

impl Board for Keeper {
    fn target(&self) -> Target {
        self.board.target()
    }

    fn flash(&mut self, image: &Image) -> Result<(), Fault> {
        self.board.flash(image)
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.board.reset()
    }

    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault> {
        let heard = self.board.listen(deadline)?;
        if self.at.first().is_some_and(|at| heard.at >= *at) {
            self.at.retain(|at| heard.at < *at);
            self.kept.push(self.board.keep().expect("it notes its run"));
        }
        Ok(heard)
    }

    fn send(&mut self, port: PortId, bytes: &[u8]) -> Result<(), Fault> {
        self.board.send(port, bytes)
    }

    fn send_air(&mut self, frame: RadioFrame) -> Result<(), Fault> {
        self.board.send_air(frame)
    }
}

fn stack() -> Stack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let stacks = crate::stack::released(&root).expect("the released stacks");
    stacks.into_iter().find(|stack| stack.name == "esp32c3_mbedtls").expect("it is released")
}

fn scenario(name: &str, more: &str) -> Scenario {
    let text =
        format!("title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 9846 §2', quote = 'q' }}\n{more}\n");
    Scenario::parse(name, "x.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

fn chip() -> Emulated {
    Emulated::of(&chip::ESP32C3, SEED).expect("it is emulated")
}

fn told(trial: Trial) -> (String, Vec<u8>) {
    (trial.judged.transcript, trial.pcapng)
}

/// The runs of `scenario` until each of these parts of it, in thousandths; and what the whole of it was.
fn kept(scenario: &Scenario, stack: &Stack, parts: &[u64]) -> (Vec<Arc<Past>>, (String, Vec<u8>), u64) {
    let mut board = chip();
    let whole = on(&mut board, scenario, stack, SEED).expect("the bench can");
    let took_ns = whole.judged.account.took_ms * 1_000_000;
    let at = parts.iter().map(|part| Instant::ZERO + clock::Duration::from_nanos(took_ns / 1_000 * part)).collect();
    let mut keeper = Keeper { board: chip().noting(), at, kept: Vec::new() };
    let noted = on(&mut keeper, scenario, stack, SEED).expect("the bench can");
    let whole = told(whole);
    assert!(told(noted) == whole, "noting a run changes nothing");
    (keeper.kept, whole, board.instructions_retired())
}

/// TLS sessions of both libraries, a modem between, connections one after another, and losses drawn from the seed: none of
/// it is copied, and all of it is as it was.
#[test]
fn a_run_goes_on_from_any_instant() {
    let stack = stack();
    for scenario in [
        scenario("x/loses", "network.loss_percent = 5"),
        scenario("x/modem", "device.link = 'modem'"),
        scenario(
            "x/resumes",
            "device = { repeats = 2, keeps_session = true }\n\
             broker = { engine = 'openssl', versions = ['1.2'], resumption = true, session_tickets = 1 }",
        ),
    ] {
        let parts = [3, 97, 211, 389, 500, 683, 871, 959];
        let (kept, whole, retired) = kept(&scenario, &stack, &parts);
        assert!(kept.len() > 3, "{}: {kept:?}", scenario.name);
        let (mut before, mut continued) = (retired, 0);
        for past in kept {
            let words = format!("{} from {past:?}", scenario.name);
            let mut board = chip().continuing(past);
            let again = on(&mut board, &scenario, &stack, SEED).expect("the bench can");
            assert_eq!(again.judged.transcript, whole.0, "{words}");
            assert!(again.pcapng == whole.1, "{words}: other packets");
            // All of it was past.
            if board.instructions_retired() == 0 {
                continue;
            }
            assert_eq!(board.instructions_retired(), retired, "{words}");
            let executed = board.instructions_executed();
            assert!(executed < before, "{words}: {executed} instructions executed, and {before} from earlier on");
            (before, continued) = (executed, continued + 1);
        }
        assert!(continued >= 3, "{}: {continued}", scenario.name);
    }
}

/// Whatever the bench does otherwise than it did: what is heard is what the chip does then.
#[test]
fn a_past_that_was_another_is_no_past() {
    let stack = stack();
    let (kept, ..) = kept(&scenario("x/a", ""), &stack, &[500]);
    for other in [
        scenario("x/b", "device.mqtt.client_id = 'another'"),
        scenario("x/b", "broker.versions = ['1.2']"),
        scenario("x/b", "network.delay_ms = 7"),
    ] {
        let cold = told(on(&mut chip(), &other, &stack, SEED).expect("the bench can"));
        let mut board = chip().continuing(Arc::clone(&kept[0]));
        let warm = told(on(&mut board, &other, &stack, SEED).expect("the bench can"));
        assert_eq!(warm.0, cold.0);
        assert!(warm.1 == cold.1, "other packets");
    }
    // Nor is one of another seed.
    let cold = told(on(&mut chip(), &scenario("x/a", ""), &stack, SEED).expect("the bench can"));
    let other = Emulated::of(&chip::ESP32C3, SEED + 1).expect("it is emulated");
    let mut board = other.continuing(Arc::clone(&kept[0]));
    let warm = told(on(&mut board, &scenario("x/a", ""), &stack, SEED).expect("the bench can"));
    assert!(warm.1 != cold.1, "the device's keys are those of its seed");
    assert_eq!(board.instructions_executed(), board.instructions_retired());
}
