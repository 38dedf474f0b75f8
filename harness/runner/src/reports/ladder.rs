//! A transcript as the steps of a ladder diagram.

use capture::Transcript;
use capture::transcript::{Line, Who};
use report::model::{Ladder, Step};
use scenario::Scenario;

use judge::wire_witness;

/// So many steps are kept from the beginning,
const FIRST_MAX: usize = 160;
/// and so many from the end: a device that connects a hundred times says the same each time.
const LAST_MAX: usize = 60;

/// The steps of a transcript, in the order of their times; where the scenario's fault is, is marked.
pub fn ladder(transcript: &Transcript, scenario: &Scenario) -> Ladder {
    let has_modem = !transcript.modem.is_empty();
    let mut steps: Vec<Step> = Vec::new();
    for (index, conversation) in transcript.conversations.iter().enumerate() {
        let connection = Some(index + 1);
        steps.extend(conversation.lines.iter().map(|line| step(line, other_end(line), connection, scenario)));
    }
    steps.extend(transcript.lookups.iter().map(|line| {
        let to = match line.who {
            Who::Client | Who::Modem if line.details.starts_with("dns") => "dns",
            Who::Client | Who::Modem => "sntp",
            // Whoever asked: through a modem, it is the modem.
            _ if has_modem => "modem",
            _ => "device",
        };
        step(line, to, None, scenario)
    }));
    steps.extend(transcript.modem.iter().map(|line| {
        let to = if line.who == Who::Modem { "device" } else { "modem" };
        step(line, to, None, scenario)
    }));
    // What was said at the same time stays in its order: the sort is stable.
    steps.sort_by_key(|step| step.at_us);
    let left_out = steps.len().saturating_sub(FIRST_MAX + LAST_MAX);
    if left_out > 0 {
        steps.drain(FIRST_MAX..FIRST_MAX + left_out);
    }
    Ladder { steps, left_out }
}

fn step(line: &Line, to: &str, connection: Option<usize>, scenario: &Scenario) -> Step {
    Step {
        at_us: line.at.as_nanos() / 1_000,
        from: name(line.who).to_owned(),
        to: to.to_owned(),
        said: line.said.to_string(),
        details: line.details.clone(),
        mark: wire_witness::mark(scenario, connection, line).map(str::to_owned),
        connection,
    }
}

const fn name(who: Who) -> &'static str {
    match who {
        Who::Client => "device",
        Who::Server => "broker",
        Who::Dns => "dns",
        Who::Sntp => "sntp",
        Who::Modem => "modem",
    }
}

/// To whom a line of a connection is said.
const fn other_end(line: &Line) -> &'static str {
    match line.who {
        Who::Client => "broker",
        _ => "device",
    }
}
