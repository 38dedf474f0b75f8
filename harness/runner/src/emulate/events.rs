//! What happened to the chip, as it is told on standard error: traces once a cause, and without the innards of register
//! accessors.

use std::collections::BTreeSet;

use emulator::backtrace::{Backtrace, Frame};
use emulator::event::{Event, EventKind};

/// Prints events, and knows which causes it has printed.
#[derive(Debug, Default)]
pub struct EventPrinter {
    causes: BTreeSet<String>,
    has_failed: bool,
}

impl EventPrinter {
    /// The event as text, with a trace if its cause is new.
    pub fn tell(&mut self, event: &Event) -> String {
        self.has_failed |= event.kind.is_failure_of_firmware();
        if !self.causes.insert(cause(&event.kind)) {
            return event.to_string();
        }
        format!("{event}\n{}", folded(&event.backtrace))
    }

    /// Whether the firmware has panicked, raised an exception, overflowed its stack or been reset by a watchdog.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }
}

/// Events with one cause: registers of one peripheral, exceptions of one kind.
fn cause(kind: &EventKind) -> String {
    match kind {
        EventKind::UnmodelledRegister { name, .. } => name.split(['.', '+']).next().unwrap_or_default().to_owned(),
        EventKind::Exception(exception) => exception.to_string(),
        other => other.to_string(),
    }
}

/// The trace without the inlined functions by which drivers reach registers: the caller says what it is about.
fn folded(backtrace: &Backtrace) -> Backtrace {
    let is_accessor = |frame: &Frame| {
        let file = frame.line.as_ref().map_or("", |line| line.file.as_str());
        let in_core = file.contains("/library/core/src/ptr") || file.contains("/core/src/ptr");
        let accessors = ["/vcell-", "/riscv-", "/volatile-register-", "generic.rs", "generic/raw.rs", "/reg.rs"];
        frame.inlined && (in_core || accessors.iter().any(|part| file.contains(part)))
    };
    let frames: Vec<Frame> = backtrace.frames.iter().skip_while(|frame| is_accessor(frame)).cloned().collect();
    if frames.is_empty() { backtrace.clone() } else { Backtrace { frames, method: backtrace.method } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Instant;
    use emulator::backtrace::Method;
    use emulator::symbols::SourceLine;

    fn frame(function: &str, file: &str, inlined: bool) -> Frame {
        let line = Some(SourceLine { file: file.to_owned(), line: 1 });
        Frame { address: 0x4200_0000, function: Some(function.to_owned()), line, inlined }
    }

    fn event(kind: EventKind) -> Event {
        let frames = vec![
            frame("read_volatile", "/rustc/1/library/core/src/ptr/mod.rs", true),
            frame("get", "/registry/vcell-0.1.3/src/lib.rs", true),
            frame("read", "/registry/esp32c3-0.33.0/src/generic.rs", true),
            frame("configure", "src/main.rs", false),
        ];
        Event {
            at: Instant::from_millis(1),
            pc: 0x4200_0000,
            kind,
            backtrace: Backtrace { frames, method: Method::StackScan },
        }
    }

    fn touch(name: &str) -> Event {
        event(EventKind::UnmodelledRegister { address: 0x6001_3000, name: name.to_owned(), written: None })
    }

    #[test]
    fn a_trace_begins_where_the_driver_does_and_stands_once_a_peripheral() {
        let mut events = EventPrinter::default();
        let first = events.tell(&touch("I2C0.CTR"));
        assert!(first.contains("configure") && !first.contains("read_volatile"), "{first}");
        assert!(!events.tell(&touch("I2C0.CLK_CONF")).contains("configure"));
        assert!(events.tell(&touch("RMT.SYS_CONF")).contains("configure"));
        assert!(!events.has_failed(), "an unmodelled register is not the firmware's failure");
    }

    #[test]
    fn a_watchdog_is_a_failure_and_a_reset_on_purpose_is_none() {
        let mut events = EventPrinter::default();
        events.tell(&event(EventKind::Reset { cause: "software reset".into(), is_failure: false }));
        assert!(!events.has_failed());
        events.tell(&event(EventKind::Reset { cause: "watchdog of timer group 0".into(), is_failure: true }));
        assert!(events.has_failed());
    }
}
