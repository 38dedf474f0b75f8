//! The ladder diagram: one line for each side, one rung for each thing that was said, time downwards.
//!
//! Distances are the device's own time: a quarter of a point for each millisecond, as long as that leaves room for
//! words. A pause that is too long for the page is cut, and says so.

use maud::{Markup, html};

use crate::model::{Ladder, Step};

/// Points for each millisecond.
const SCALE: f64 = 0.25;
/// A rung needs so much room for its words,
const GAP_MIN: f64 = 34.0;
/// and a pause gets no more than this before it is cut.
const GAP_MAX: f64 = 110.0;
/// Where the first line stands: times are to its left.
const LEFT: f64 = 58.0;
/// Room at the right of the last line.
const RIGHT: f64 = 30.0;
/// Where the first rung is.
const TOP: f64 = 52.0;
/// So many characters of particulars have room beside a rung.
const DETAILS_MAX: usize = 46;

/// Sides in the order in which they stand.
const ORDER: [&str; 5] = ["device", "modem", "dns", "sntp", "broker"];

/// The diagram.
pub fn svg(ladder: &Ladder) -> Markup {
    let lanes = lanes(&ladder.steps);
    let width = if lanes.len() > 3 { 420.0 } else { 340.0 };
    let spread = (width - LEFT - RIGHT) / (lanes.len().saturating_sub(1).max(1)) as f64;
    let x_of = |name: &str| LEFT + spread * lanes.iter().position(|lane| lane == name).unwrap_or(0) as f64;
    let (places, cuts) = places(&ladder.steps);
    let bottom = places.last().copied().unwrap_or(TOP) + 26.0;
    let several = ladder.steps.iter().filter_map(|step| step.connection).max().unwrap_or(0) > 1;
    html! {
        svg viewBox={ "0 0 " (width) " " (round(bottom)) } width=(width) height=(round(bottom)) role="img"
            aria-label={ "Ladder diagram of " (ladder.steps.len()) " steps; the transcript has them as text" } {
            @for lane in &lanes {
                line.lane x1=(round(x_of(lane))) x2=(round(x_of(lane))) y1="22" y2=(round(bottom)) {}
                text.name x=(round(x_of(lane))) y="15" text-anchor="middle" { (lane) }
            }
            @for (from, to, pause_us) in cuts { (cut(from, to, pause_us)) }
            @for (index, (step, y)) in ladder.steps.iter().zip(&places).enumerate() {
                @if several && is_first_of_connection(&ladder.steps, index) {
                    text.connection x=(LEFT + 4.0) y=(round(y - 25.0)) { "connection " (step.connection.unwrap_or(0)) }
                }
                (rung(step, *y, x_of(&step.from), x_of(&step.to)))
            }
        }
        @if ladder.left_out > 0 { p { (ladder.left_out) " more in the middle are left out: the packets have them." } }
    }
}

/// The sides that said or heard something.
fn lanes(steps: &[Step]) -> Vec<String> {
    let mut lanes: Vec<String> = Vec::new();
    for name in steps.iter().flat_map(|step| [&step.from, &step.to]) {
        if !lanes.contains(name) && lanes.len() < 8 {
            lanes.push(name.clone());
        }
    }
    lanes.sort_by_key(|lane| ORDER.iter().position(|known| known == lane).unwrap_or(ORDER.len()));
    lanes
}

/// Where each rung is, and where the time between two was cut: from, to, and how long it was in microseconds.
fn places(steps: &[Step]) -> (Vec<f64>, Vec<(f64, f64, u64)>) {
    let (mut places, mut cuts) = (Vec::with_capacity(steps.len()), Vec::new());
    let mut y = TOP;
    let mut before: Option<&Step> = None;
    for step in steps {
        if let Some(before) = before {
            let pause_us = step.at_us.saturating_sub(before.at_us);
            // A difference of f64s that no run is long enough to make inexact.
            let wanted = pause_us as f64 / 1_000.0 * SCALE;
            let gap = wanted.clamp(GAP_MIN, GAP_MAX);
            if wanted > GAP_MAX {
                cuts.push((y, y + gap, pause_us));
            }
            y += gap;
        }
        places.push(y);
        before = Some(step);
    }
    (places, cuts)
}

fn is_first_of_connection(steps: &[Step], index: usize) -> bool {
    let connection = steps.get(index).and_then(|step| step.connection);
    connection.is_some() && !steps.iter().take(index).any(|step| step.connection == connection)
}

/// The sign of a pause that was cut.
fn cut(from: f64, to: f64, pause_us: u64) -> Markup {
    let middle = (from + to) / 2.0 - 8.0;
    html! {
        text.cut x="4" y=(round(middle)) { "⋮" }
        text.cut x=(LEFT + 8.0) y=(round(middle)) { "⋮ " (duration(pause_us)) }
    }
}

fn rung(step: &Step, y: f64, from: f64, to: f64) -> Markup {
    let (left, right) = (from.min(to), from.max(to));
    let direction = if to >= from { -7.0 } else { 7.0 };
    let class = match (&step.mark, step.said.as_str()) {
        (Some(_), _) => "rung mark",
        (None, "alert" | "RST" | "FIN") => "rung end",
        _ => "rung",
    };
    let details: String = step.details.chars().take(DETAILS_MAX).collect();
    let is_cut = details.len() < step.details.len();
    // Words begin at the left end of their rung; those of the last lines would leave the page.
    let words_at = left + 6.0;
    html! {
        g class=(class) {
            title { (duration(step.at_us)) ": " (step.from) " to " (step.to) ": " (step.said) " " (step.details) }
            text.time x=(LEFT - 10.0) y=(round(y + 4.0)) text-anchor="end" { (milliseconds(step.at_us)) }
            line x1=(round(left)) x2=(round(right)) y1=(round(y)) y2=(round(y)) {}
            polygon points={ (round(to)) "," (round(y)) " " (round(to + direction)) "," (round(y - 4.0)) " " (round(to + direction)) "," (round(y + 4.0)) } {}
            text.said x=(round(words_at)) y=(round(y - 5.0)) { (step.said) @if let Some(mark) = &step.mark { "  ← " (mark) } }
            @if !details.is_empty() { text.details x=(round(words_at)) y=(round(y + 12.0)) { (details) @if is_cut { "…" } } }
        }
    }
}

/// Milliseconds since power-on, as transcripts have them.
fn milliseconds(us: u64) -> String {
    (us / 1_000).to_string()
}

fn duration(us: u64) -> String {
    let ms = us / 1_000;
    if ms >= 10_000 { format!("{}.{} s", ms / 1_000, ms % 1_000 / 100) } else { format!("{ms} ms") }
}

/// A tenth of a point is finer than any screen.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_us: u64) -> Step {
        Step { at_us, from: "device".into(), to: "broker".into(), said: "x".into(), ..Step::default() }
    }

    #[test]
    fn distances_are_times_as_far_as_the_page_goes() {
        let (places, cuts) = places(&[step(0), step(0), step(240_000), step(640_000), step(60_640_000)]);
        let gaps: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(gaps, [GAP_MIN, 60.0, 100.0, GAP_MAX]);
        assert_eq!(cuts.len(), 1, "only the minute is cut");
        assert_eq!(duration(cuts[0].2), "60.0 s");
    }

    #[test]
    fn hostile_times_and_sides_make_a_picture_all_the_same() {
        let mut steps = vec![step(u64::MAX), step(0), step(u64::MAX)];
        steps.extend((0..50).map(|index| Step { from: format!("<{index}>"), to: "broker".into(), ..step(index) }));
        let text = svg(&Ladder { steps, left_out: usize::MAX }).into_string();
        assert!(!text.contains("<0>") && !text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
