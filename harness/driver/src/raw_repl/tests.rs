use super::*;

const BOOT: &[u8] = b"ESP-ROM:esp32c3\r\nMicroPython v1.27.0 on 2025-12-09; ESP32C3\r\nType \"help()\"\r\n>>> ";

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// A REPL that waits for a program.
fn ready() -> RawRepl {
    let mut repl = RawRepl::new();
    repl.hear(at(1), BOOT);
    assert_eq!(repl.take_output(), [CTRL_A]);
    repl.hear(at(2), b"\r\nraw REPL; CTRL-B to exit\r\n>");
    assert_eq!(repl.take_events(), [Event::Banner("MicroPython v1.27.0 on 2025-12-09; ESP32C3".into()), Event::Ready]);
    assert_eq!(repl.poll_at(), None);
    repl
}

#[test]
fn a_program_is_run_and_what_it_prints_is_told_apart_from_its_exception() {
    let mut repl = ready();
    repl.run(at(3), "print(1)\n");
    assert_eq!(repl.take_output(), b"print(1)\n\x04");
    // Byte by byte, as a slow line has it.
    for byte in b"OK1\r\nhalf\x04Traceback:\r\nOSError: 5\r\n\x04>" {
        repl.hear(at(4), &[*byte]);
    }
    let said = repl.take_events();
    let line = |text: &str| Event::Line(text.into());
    assert_eq!(said, [line("1"), line("half"), Event::Finished("Traceback:\nOSError: 5".into()), Event::Ready]);
}

#[test]
fn whoever_does_not_come_to_a_prompt_is_interrupted_and_then_given_up() {
    let mut repl = RawRepl::new();
    repl.hear(at(1), b"main.py runs\r\n");
    let first = repl.poll_at().expect("a limit");
    repl.poll(first);
    assert_eq!(repl.take_output(), b"\r\x03\x03");
    let second = repl.poll_at().expect("another");
    repl.poll(second);
    let [Event::Fault(Fault::Silent { awaited, said, .. })] = &repl.take_events()[..] else { panic!("a fault") };
    assert_eq!((*awaited, said.as_str()), ("prompt `>>> `", "main.py runs"));
    assert_eq!(repl.poll_at(), None);
    repl.hear(at(30_000), BOOT);
    assert!(repl.take_events().is_empty() && repl.take_output().is_empty(), "it is over");
}

#[test]
fn a_device_that_starts_anew_or_speaks_out_of_turn_ends_it() {
    let mut repl = ready();
    repl.run(at(3), "x");
    repl.hear(at(4), b"OKGuru Meditation\r\nESP-ROM:esp32c3\r\n>>> ");
    let events = repl.take_events();
    assert!(
        matches!(&events[..], [_, Event::Fault(Fault::Restarted { line })] if line == "ESP-ROM:esp32c3"),
        "{events:?}"
    );
    let mut repl = ready();
    repl.run(at(3), "x");
    repl.hear(at(4), b"NO");
    assert!(matches!(&repl.take_events()[..], [Event::Fault(Fault::OutOfTurn { said, .. })] if said == "N"));
}

#[test]
fn whoever_floods_is_read_in_bounds() {
    let mut repl = ready();
    repl.run(at(3), "x");
    repl.hear(at(4), b"OK");
    repl.hear(at(4), &vec![b'a'; 1 << 20]);
    assert!(repl.begun.len() <= LINE_BYTES_MAX);
    repl.hear(at(4), b"\x04");
    repl.hear(at(4), &vec![b'b'; 1 << 20]);
    assert!(repl.error.len() <= ERROR_BYTES_MAX);
    repl.hear(at(4), b"\x04>");
    assert!(matches!(&repl.take_events()[..], [Event::Line(_), Event::Finished(_), Event::Ready]));
}
