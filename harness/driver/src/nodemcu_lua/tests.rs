use control::{Blob, Mqtt, Tls};
use proptest::prelude::*;

use super::*;
use crate::fixture;
use crate::progress::MARKS_MAX;

fn plan() -> Plan {
    let acts = vec![
        Act::Subscribe { topic: "orders".into(), qos: 1 },
        Act::Publish { topic: "t".into(), payload: "p".into(), qos: 0 },
        Act::Await { messages: 1 },
    ];
    let tls = Tls { authorities: Some(Blob::Pem("-----BEGIN X-----\nAAAA\n".into())), ..Tls::default() };
    let plan = fixture::plan();
    Plan { tls: Some(tls), mqtt: Mqtt { acts, ..plan.mqtt }, ..plan }
}

/// A device that echoes each line and says what it is told to.
struct Device {
    session: Session,
    now_ms: u64,
    typed: Vec<String>,
}

impl Device {
    fn new(plan: &Plan) -> Self {
        let mut device = Self { session: Session::new(plan), now_ms: 0, typed: Vec::new() };
        device.says("\r\nNodeMCU custom build\r\nlua: cannot open init.lua\r\n> ");
        device
    }

    fn says(&mut self, text: &str) {
        self.now_ms += 1;
        self.session.hear(Instant::from_millis(self.now_ms), text.as_bytes());
    }

    /// Echoes and runs lines without a word until one contains `last`.
    fn runs_until(&mut self, last: &str) {
        for _ in 0..200 {
            let typed = String::from_utf8(self.session.take_output()).expect("text");
            let Some(line) = typed.strip_suffix('\n') else {
                panic!("`{last}` is awaited, and this was typed: {typed:?}")
            };
            assert!(line.len() < 250 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
            self.typed.push(line.to_owned());
            self.says(&format!("{line}\r\n> "));
            if line.contains(last) {
                return;
            }
        }
        panic!("`{last}` was never typed: {:#?}", self.typed);
    }

    fn reports(&mut self) -> Vec<Report> {
        let of = |said| match said {
            Said::Report(report) => Some(report),
            _ => None,
        };
        self.session.take_said().into_iter().filter_map(of).collect()
    }
}

/// Until it has been told to dial.
fn dialled(plan: &Plan) -> Device {
    let mut device = Device::new(plan);
    device.runs_until("_a(0,100,1,_j)");
    assert!(device.session.take_output().is_empty(), "it has no address yet");
    device.says("\u{1e}joined 192.0.2.2\r\n");
    device.runs_until("_c.connect");
    device.says("\u{1e}dialled true true\r\n");
    device
}

fn failure(reports: &[Report]) -> Vec<&control::Failure> {
    reports
        .iter()
        .filter_map(|report| match report {
            Report::Failed(failure) => Some(failure),
            _ => None,
        })
        .collect()
}

#[test]
fn a_plan_is_typed_line_by_line_and_told_as_callbacks_come() {
    let mut device = dialled(&plan());
    let typed = device.typed.join("\n");
    assert!(typed.contains("_w={ssid=\"a \\\"home\\\"\\010\\004\",pwd=\"correct horse\"}"), "{typed}");
    assert!(typed.contains("file.writeline(\"-----BEGIN X-----\")\nfile.writeline(\"AAAA\")\n"), "{typed}");
    assert!(typed.contains("_r(\"script\",pcall(dofile,\"trust.lua\"))"), "{typed}");
    assert!(typed.contains("_c=mqtt.Client(\"device\",0,\"\",\"\",0)"), "{typed}");
    assert!(typed.contains("pcall(_c.connect,_c,_h,8883,1,_k,_f)"), "{typed}");
    device.says("\u{1e}connack\r\n");
    device.runs_until("_c:subscribe(\"orders\",1,");
    device.says("\u{1e}done\r\n");
    device.runs_until("_c:publish(\"t\",_p,0,0,");
    // A message comes before its time, and counts all the same.
    device.says("\u{1e}message 3 or ders\r\n\u{1e}done\r\n");
    device.runs_until("pcall(_c.close,_c)");
    device.says("\u{1e}closed\r\n");
    let reports = device.reports();
    let stages: Vec<&str> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(stage.name()),
            _ => None,
        })
        .collect();
    assert_eq!(stages, ["join", "clock", "resolve", "hello", "subscribe", "exchange", "exchange", "goodbye"]);
    let message =
        |report: &Report| matches!(report, Report::Message { topic, payload_bytes: 3, .. } if topic == "or ders");
    assert!(reports.iter().any(message), "{reports:?}");
    assert!(matches!(reports.last(), Some(Report::Done { complete: true, .. })), "{reports:?}");
}

#[test]
fn a_failure_has_its_number_and_the_block_that_the_heap_had_not() {
    let mut device = dialled(&plan());
    device.says("E:M 544\r\n\u{1e}failed -5\r\n");
    let reports = device.reports();
    let [failure] = failure(&reports)[..] else { panic!("{reports:?}") };
    assert_eq!((failure.code, failure.failed_allocation_bytes, failure.stage), (-5, Some(544), Stage::Hello));
    assert!(matches!(reports.last(), Some(Report::Done { complete: false, .. })), "{reports:?}");
}

#[test]
fn who_gives_up_closes_pauses_and_dials_again_and_is_not_told_of_its_own_close() {
    let mut device = dialled(&Plan { reconnects: 1, handshake_timeout_ms: 1_000, ..plan() });
    assert!(device.typed.join("\n").contains("_a(1,1000,0,_g)"));
    device.says("\u{1e}gaveup\r\n\u{1e}offline\r\n");
    device.runs_until("_a(2,1000,0,");
    assert!(device.session.take_output().is_empty(), "it pauses");
    device.says("\u{1e}offline\r\n\u{1e}paused\r\n");
    device.runs_until("_c.connect");
    device.says("\u{1e}gaveup\r\n");
    let reports = device.reports();
    let classes: Vec<FailureClass> = failure(&reports).iter().map(|failure| failure.class).collect();
    assert_eq!(classes, [FailureClass::TimedOut; 2]);
    assert!(matches!(reports.last(), Some(Report::Done { complete: false, .. })), "{reports:?}");
}

#[test]
fn a_lost_connection_and_a_network_that_is_not_there_are_failures() {
    let mut device = dialled(&plan());
    device.says("\u{1e}connack\r\n\u{1e}offline\r\n");
    assert_eq!(failure(&device.reports())[0].class, FailureClass::PeerClosed);
    let mut nowhere = Device::new(&plan());
    nowhere.runs_until("_a(0,100,1,_j)");
    nowhere.says("\u{1e}nonetwork 3\r\n");
    let reports = nowhere.reports();
    assert_eq!((failure(&reports)[0].class, failure(&reports)[0].stage), (FailureClass::NoNetwork, Stage::Join));
}

#[test]
fn a_line_that_lua_refuses_is_the_benchs_fault_and_want_of_memory_is_the_devices() {
    let mut device = Device::new(&plan());
    device.says("x\r\nstdin:1: unexpected symbol near 'x'\r\n> ");
    assert!(matches!(device.session.take_said().last(), Some(Said::Fault(fault)) if fault.is_of_bench()));
    let mut full = dialled(&plan());
    full.says("> x\r\nlua: stdin:1: not enough memory\r\n> ");
    assert_eq!(failure(&full.reports())[0].class, FailureClass::Memory);
}

#[test]
fn memory_is_taken_until_no_more_is_free() {
    let device = dialled(&Plan { heap_cap_bytes: Some(20_480), ..plan() });
    assert!(device.typed.join("\n").contains("while node.heap()>20480 do"));
}

/// What a hostile device may say: words of the protocol in any order, marks of ours, and anything else.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"> ",
        b">> ",
        b"\r\n",
        b"\r\n> ",
        b"\x1ejoined x\r\n",
        b"\x1econnack\r\n",
        b"\x1edone\r\n",
        b"\x1epaused\r\n",
        b"\x1egaveup\r\n",
        b"\x1eoffline\r\n",
        b"\x1efailed 99999999999\r\n",
        b"\x1emessage 99999999999 \r\n",
        b"\x1edialled false x\r\n",
        b"\x1eclosed\r\n",
        b"E:M 99999999999\r\n",
        b"stdin:1: not enough memory\r\n",
        b"\xff\xfe",
    ];
    let word = prop_oneof![
        4 => proptest::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    /// Whatever it says, it is typed nothing but lines of its plan, and told in bounds.
    #[test]
    fn no_device_makes_the_driver_say_what_is_not_in_its_plan(said in said(), piece in 1_usize..50) {
        let plan = Plan { reconnects: 2, ..plan() };
        let acts = plan.mqtt.acts.iter().flat_map(program::act);
        let known: Vec<String> = program::PRELUDE.iter().map(|line| (*line).to_owned())
            .chain(program::join(&plan)).chain(program::set_up(&plan)).chain(program::connect(&plan))
            .chain([1_000, 2_000].into_iter().flat_map(|ms| program::connect_again(&plan, ms)))
            .chain(acts).chain(program::goodbye()).collect();
        let mut session = Session::new(&plan);
        let (mut typed, mut told) = (Vec::new(), 0);
        for (index, bytes) in said.chunks(piece).enumerate() {
            session.hear(Instant::from_millis(index as u64), bytes);
            typed.extend(session.take_output());
            told += session.take_said().len();
        }
        for line in String::from_utf8_lossy(&typed).lines() {
            prop_assert!(known.iter().any(|known| known == line), "{line}");
        }
        prop_assert!(told <= 4 * said.len() + 16);
    }
}

#[test]
fn a_flood_of_marks_is_not_kept() {
    let mut device = dialled(&plan());
    device.reports();
    device.says(&"\u{1e}message 1 t\r\n".repeat(20_000));
    assert!(device.reports().len() <= MARKS_MAX as usize);
}
