//! Readings as text.

use super::log::Found;
use super::occurrences::Occurrences;
use crate::paragraph::{heading, labelled};

/// So many readings are told whole; of further ones, what they are.
const WHOLE_MAX: usize = 3;
/// So many further readings are named.
const NAMED_MAX: usize = 8;
/// So many scenarios are named.
const SCENARIOS_MAX: usize = 6;

/// Tells what was found, the likeliest first.
pub fn tell(found: &[Found], is_log: bool, occurrences: &Occurrences) -> String {
    let mut out = String::new();
    let mut told: Vec<&str> = Vec::new();
    for (index, found) in found.iter().take(WHOLE_MAX).enumerate() {
        heading(&mut out, &format!("{}. {}", index + 1, title(found, is_log)));
        whole(&mut out, found, &mut told, occurrences);
    }
    let further = found.get(WHOLE_MAX..).unwrap_or_default();
    if !further.is_empty() {
        heading(&mut out, if is_log { "It also says" } else { "Less likely" });
        for found in further.iter().take(NAMED_MAX) {
            labelled(&mut out, "", &format!("- {}: {}", title(found, is_log), found.reading.means()));
        }
        if further.len() > NAMED_MAX {
            labelled(&mut out, "", &format!("- and {} more", further.len() - NAMED_MAX));
        }
    }
    out
}

fn title(found: &Found, is_log: bool) -> String {
    let reading = &found.reading;
    let code = match (reading.name.as_str(), reading.code.as_str()) {
        ("", code) => format!("`{code}`"),
        (name, code) if name.contains(code) => name.to_owned(),
        (name, code) => format!("{name} ({code})"),
    };
    let place = match (is_log, found.times) {
        (false, _) => String::new(),
        (true, 1) => format!("line {}: ", found.line),
        (true, times) => format!("line {} and {} more: ", found.line, times - 1),
    };
    format!("{place}{}: {code}", reading.library)
}

fn whole<'a>(out: &mut String, found: &'a Found, told: &mut Vec<&'a str>, occurrences: &Occurrences) {
    let reading = &found.reading;
    labelled(out, "means", reading.means());
    labelled(out, "comes up", reading.when());
    if !reading.printed_by.is_empty() {
        labelled(out, "printed by", &reading.printed_by);
    }
    labelled(out, "in source", &reading.source);
    if told.contains(&reading.topic()) && !reading.topic().is_empty() {
        labelled(out, "cause", "as above");
    } else {
        told.push(reading.topic());
        for (index, cause) in reading.causes().iter().enumerate() {
            out.push('\n');
            labelled(out, &format!("cause {}", index + 1), &cause.cause);
            labelled(out, "  told by", &cause.seen);
            labelled(out, "  do", &cause.remedy);
        }
    }
    here(out, &reading.met_as, occurrences);
}

/// In which scenarios it comes up here.
fn here(out: &mut String, names: &[String], occurrences: &Occurrences) {
    if names.is_empty() {
        return;
    }
    let met = occurrences.of(names);
    out.push('\n');
    if met.is_empty() {
        labelled(out, "here", "in no scenario: no device of the bench has said it");
        return;
    }
    let count = met.len();
    labelled(out, "here", &format!("in {count} scenario{}:", if count == 1 { "" } else { "s" }));
    for (scenario, occurrences) in met.iter().take(SCENARIOS_MAX) {
        let first = occurrences.first().map_or("", |occurrence| occurrence.ending.as_str());
        let mut stacks: Vec<&str> = occurrences.iter().map(|occurrence| occurrence.stack.as_str()).collect();
        stacks.dedup();
        labelled(out, "", &format!("{scenario} ({}): {first}", stacks.join(", ")));
    }
    if count > SCENARIOS_MAX {
        labelled(out, "", &format!("and {} more", count - SCENARIOS_MAX));
    }
}
