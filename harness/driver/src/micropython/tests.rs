use control::{Act, Mqtt};
use outcome::FailureClass;
use proptest::prelude::*;

use super::*;
use crate::fixture;
use crate::progress::MARKS_MAX;

fn plan() -> Plan {
    let acts = vec![Act::Publish { topic: "t".into(), payload: "p".into(), qos: 0 }];
    let plan = fixture::plan();
    Plan { mqtt: Mqtt { acts, ..plan.mqtt }, clock: control::Clock::Set(1_735_689_600), ..plan }
}

/// A device that answers each program as it is told.
struct Device {
    session: Session,
    now_ms: u64,
}

impl Device {
    fn new(plan: &Plan) -> Self {
        let mut device = Self { session: Session::new(plan), now_ms: 0 };
        device.says("MicroPython\r\n>>> ");
        assert_eq!(device.session.take_output(), b"\x01");
        device.says("\r\nraw REPL; CTRL-B to exit\r\n>");
        device
    }

    fn says(&mut self, text: &str) {
        self.now_ms += 1;
        self.session.hear(Instant::from_millis(self.now_ms), text.as_bytes());
    }

    /// The program that came, which is answered.
    fn answers(&mut self, printed: &str, exception: &str) -> String {
        let program = String::from_utf8(self.session.take_output()).expect("text");
        assert!(program.is_ascii() && program.ends_with('\u{4}'), "{program:?}");
        assert_eq!(program.matches(|c: char| c.is_ascii_control() && c != '\n').count(), 1, "{program:?}");
        self.says(&format!("OK{printed}\u{4}{exception}\u{4}>"));
        program
    }

    fn reports(&mut self) -> Vec<Report> {
        let of = |said| match said {
            Said::Report(report) => Some(report),
            _ => None,
        };
        self.session.take_said().into_iter().filter_map(of).collect()
    }
}

#[test]
fn a_plan_is_typed_step_by_step_and_told_as_it_is_done() {
    let mut device = Device::new(&plan());
    device.answers("", "");
    assert_eq!(
        device.answers("\u{1e}stage join\r\n", ""),
        "_join(\"a \\\"home\\\"\\U0000000a\\U00000004\", \"correct horse\", 30000, None)\n\u{4}"
    );
    assert!(device.answers("", "").starts_with("machine.RTC().datetime((2025, 1, 1, 0, 0, 0, 0, 0))\n"));
    let connect = device.answers(
        "\u{1e}stage resolve\r\n\u{1e}stage connect\r\n\u{1e}stage hello\r\n\u{1e}secured TLSv1.2 TLS-X\r\n\u{1e}stage \
         login\r\n\u{1e}connack False\r\n",
        "",
    );
    assert!(connect.contains("MQTTClient(\"device\", \"broker.test\", 8883, None, None, 0, ssl="), "{connect}");
    assert_eq!(device.answers("", ""), "_c.publish(\"t\", b\"p\", False, 0)\n\u{4}");
    device.answers("", "");
    let reports = device.reports();
    let stages: Vec<&str> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(stage.name()),
            _ => None,
        })
        .collect();
    assert_eq!(stages, ["join", "clock", "resolve", "connect", "hello", "login", "exchange", "goodbye"]);
    assert!(reports.iter().any(|report| matches!(report, Report::Secured { version: 0x0303, .. })), "{reports:?}");
    assert!(matches!(reports.last(), Some(Report::Done { complete: true, .. })), "{reports:?}");
}

#[test]
fn an_exception_is_a_failure_and_another_attempt_follows_if_there_is_one() {
    let mut device = Device::new(&Plan { reconnects: 1, ..plan() });
    for _ in 0..3 {
        device.answers("", "");
    }
    let words = "Traceback (most recent call last):\r\n  File \"<stdin>\", line 1, in <module>\r\nMQTTException: 5\r\n";
    device.answers("\u{1e}stage login\r\n", words);
    assert!(device.answers("\u{1e}stage login\r\n", words).starts_with("time.sleep_ms(1000)\n"));
    let reports = device.reports();
    let failed =
        |report: &&Report| matches!(report, Report::Failed(failure) if failure.class == FailureClass::PeerRefused);
    assert_eq!(reports.iter().filter(failed).count(), 2, "{reports:?}");
    assert!(matches!(reports.last(), Some(Report::Done { complete: false, .. })), "{reports:?}");
    assert!(device.session.take_output().is_empty());
}

/// The port for the ESP8266 names itself before anything is typed, and its `ussl` has no contexts.
#[test]
fn a_port_over_axtls_is_told_what_its_library_knows() {
    let mut session = Session::new(&plan());
    let banner = "MicroPython v1.12 on 2019-12-20; ESP module with ESP8266\r\n>>> ";
    session.hear(Instant::from_millis(1), banner.as_bytes());
    session.hear(Instant::from_millis(2), b"\r\nraw REPL; CTRL-B to exit\r\n>");
    let typed = String::from_utf8(session.take_output()).expect("text");
    assert!(typed.contains("ussl.wrap_socket") && !typed.contains("SSLContext"), "{typed}");
    assert_eq!(session.take_said(), [Said::Text(banner.lines().next().expect("a line").to_owned())]);
    // Its ROM is heard where it starts anew.
    session.hear(Instant::from_millis(3), b"OK\r\n ets Jan  8 2013,rst cause:4, boot mode:(3,7)\r\n");
    assert!(matches!(session.take_said().last(), Some(Said::Fault(Fault::Restarted { .. }))));
}

#[test]
fn a_prelude_that_fails_is_the_benchs_fault() {
    let mut device = Device::new(&plan());
    device.answers("", "ImportError: no module named 'umqtt'\r\n");
    let said = device.session.take_said();
    assert!(matches!(said.last(), Some(Said::Fault(fault)) if fault.is_of_bench()), "{said:?}");
}

#[test]
fn what_a_device_prints_is_no_report_unless_it_is_one_of_ours() {
    let mut device = Device::new(&plan());
    device.answers("", "");
    device.answers("\u{1e}stage nonsense\r\n\u{1e}secured\r\n\u{1e}message x\r\n\u{1e}what\r\n\u{1e}\r\nplain\r\n", "");
    let said = device.session.take_said();
    assert!(said.contains(&Said::Text("plain".into())) && said.contains(&Said::Text("what".into())), "{said:?}");
}

/// What a hostile device may say: words of the protocol in any order, marks of ours, and anything else.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b">>> ",
        b"raw REPL; CTRL-B to exit\r\n>",
        b"OK",
        b"\x04",
        b">",
        b"\x1estage login\r\n",
        b"\x1econnack x\n",
        b"\x1esecured a b c\n",
        b"\x1emessage 99999999999 \n",
        b"Traceback\r\n  File \"x\"\r\n",
        b"OSError: (-1, 'X')",
        b"MPY: soft reboot\r\n",
        b"MicroPython \n",
        b"MicroPython v1.12; ESP module with ESP8266\n",
        b"\xff\xfe",
    ];
    let word = prop_oneof![
        4 => proptest::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    /// Whatever it says, it is typed nothing but the programs of its plan, each once, and told in bounds.
    #[test]
    fn no_device_makes_the_driver_say_what_is_not_in_its_plan(said in said(), piece in 1_usize..50) {
        let plan = plan();
        let mut session = Session::new(&plan);
        let (mut typed, mut told) = (Vec::new(), 0);
        for (index, bytes) in said.chunks(piece).enumerate() {
            session.hear(Instant::from_millis(index as u64), bytes);
            typed.extend(session.take_output());
            told += session.take_said().len();
        }
        let is_of_plan = [Library::MbedTls, Library::AxTls].into_iter().any(|library| {
            let programs = [
                program::prelude(library), program::join(&plan), program::set_up(&plan), program::connect(&plan, 0),
                program::act(&plan.mqtt.acts[0], 0), program::GOODBYE.to_owned(),
            ];
            let whole: String = programs.iter().flat_map(|program| [program.as_str(), "\u{4}"]).collect();
            format!("\u{1}{whole}").as_bytes().starts_with(&typed)
        });
        prop_assert!(is_of_plan, "{}", String::from_utf8_lossy(&typed));
        prop_assert!(told <= 2 * said.len() + 16);
    }
}

#[test]
fn a_flood_of_marks_is_not_kept() {
    let mut device = Device::new(&plan());
    device.says("OK");
    device.says(&"\u{1e}stage login\r\n".repeat(20_000));
    assert_eq!(device.reports().len(), MARKS_MAX as usize);
}
