//! The top of the page: what it is about, in numbers, and what ran where.

use maud::{Markup, html};

use crate::model::{Board, Image, Part, Run};
use crate::weight::Weight;

/// The whole in a line.
pub fn verdict(run: &Run) -> String {
    let totals = &run.totals;
    let mut words = Vec::new();
    for (number, what) in [
        (totals.otherwise + totals.silent, "otherwise"),
        (totals.bench_failed, "the bench failed"),
        (totals.not_run, "not run"),
        (totals.denied, "denied"),
        (totals.as_expected, "as expected"),
        (totals.new, "new"),
    ] {
        if number > 0 {
            words.push(format!("{number} {what}"));
        }
    }
    if words.is_empty() { "nothing was run".into() } else { words.join(", ") }
}

/// Title, numbers, and what ran where.
pub fn head(run: &Run) -> Markup {
    let totals = &run.totals;
    let colour = |what: &str| match what {
        "as expected" => Weight::Good,
        "new" => Weight::New,
        "otherwise" | "silent" => Weight::Otherwise,
        "the bench failed" => Weight::BenchFailed,
        "not run" => Weight::NotRun,
        "accepted against the rule" => Weight::Insecure,
        "denied" => Weight::Denied,
        "flaky" => Weight::Wrong,
        _ => Weight::NotApplicable,
    };
    html! {
        header {
            h1 { "Shakedown" }
            @for part in &run.parts {
                @for (_, told) in part.products() { p { strong { (told) } } }
                p { (part.headline) " · seed " code { (part.seed) } " · " time datetime=(part.started) { (part.started) }
                    @if let Some(shard) = &part.shard { " · share " (shard.index) " of " (shard.of) }
                    @if part.interruption.is_some() { " · " b.otherwise { "interrupted" } }
                }
            }
            ul.numbers {
                @for (number, what) in totals.endings() {
                    @if number > 0 { li class=(colour(what).name()) { b { (number) } " " (what) } }
                }
            }
            @if totals.among().iter().any(|(number, _)| *number > 0) {
                p.among { "among them" }
                ul.numbers {
                    @for (number, what) in totals.among() {
                        @if number > 0 { li class=(colour(what).name()) { b { (number) } " " (what) } }
                    }
                }
            }
            @for part in &run.parts { (about(part)) }
        }
    }
}

fn about(part: &Part) -> Markup {
    html! {
        details.about {
            summary { "What ran, where and with what" }
            dl {
                dt { "command" } dd { code { "cargo xtask " (part.command.join(" ")) } }
                dt { "bench" } dd { (part.bench_version) @for (name, version) in &part.tools { ", " (name) " " (version) } }
                dt { "host" } dd { (part.host.name.as_deref().unwrap_or("unnamed")) ", " (part.host.os) " on " (part.host.architecture)
                    ", " (part.jobs) " job(s), " (seconds(part.took_ms)) }
                @for board in &part.boards { dt { "board" } dd { (about_board(board)) } }
                @for image in &part.images { dt { "image" } dd { (about_image(image)) } }
                @for stack in &part.stacks {
                    @if stack.name != stack.image { dt { "stack" } dd { code { (stack.name) } ": " (stack.title) ", on " code { (stack.image) } } }
                }
            }
        }
    }
}

fn about_board(board: &Board) -> Markup {
    html! {
        code { (board.name) } ": " (board.kind) ", " (board.target) " " (board.identity)
        @if let Some(why) = &board.out_of_order { " · " b.failed { "out of order" } " " (why) }
        @if !board.log.is_empty() { ul { @for line in &board.log { li { (line) } } } }
    }
}

fn about_image(image: &Image) -> Markup {
    let loaded: u64 = image.sections.iter().filter(|section| section.is_loaded).map(|section| section.bytes).sum();
    html! {
        code { (image.name) } " " (image.version) ", "
        // Of a flash image nobody knows which of it is loaded.
        @if loaded > 0 { (loaded.div_ceil(1024)) " KiB on the chip, " }
        "sha256 "
        code { (image.sha256.chars().take(12).collect::<String>()) "…" }
        @if !image.made_of.is_empty() {
            ", made of "
            @for (index, (name, version)) in image.made_of.iter().enumerate() {
                @if index > 0 { ", " } (name) " " (version)
            }
        }
    }
}

/// Search and filter. Without script there is nothing that they could do.
pub fn filter() -> Markup {
    html! {
        form.filter role="search" hidden {
            label { "Search " input #search type="search" placeholder="scenario, stack, words   ( / )" autocomplete="off"; }
            label { input #only type="checkbox"; " only what needs somebody" }
            output #shown aria-live="polite" {}
        }
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}
