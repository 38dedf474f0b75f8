//! A diagnosis as a page: for a browser, and as Markdown for a pull request or a ticket.

mod html;
mod markdown;

use super::Diagnosis;
use super::advice::Advice;
use super::exchange::{Outcome, Verdict};
use super::text;
use super::verifier::RULES;

pub use html::html;
pub use markdown::markdown;

/// A piece of a page. All text in it may be somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading of a section.
    Heading(String),
    /// One of a part of a section.
    Part(String),
    /// A paragraph.
    Paragraph(String),
    /// A table, with a heading for each column.
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// A list.
    List(Vec<String>),
    /// Lines as they are written into a file.
    Code(String),
}

/// The page of a diagnosis, and its title.
pub fn of(diagnosis: &Diagnosis) -> (String, Vec<Block>) {
    let title = format!("Diagnosis of {}, dialled as {}", diagnosis.asked, diagnosis.dialled);
    let mut blocks = vec![Block::Paragraph(text::summary(diagnosis))];
    let must_not: Vec<String> =
        diagnosis.stacks.iter().filter(|verdict| verdict.must_not).map(|verdict| verdict.stack.clone()).collect();
    if !must_not.is_empty() {
        blocks.push(Block::Paragraph(format!(
            "Connect although they have to refuse: {}. By the rules:",
            must_not.join(", ")
        )));
        blocks.push(Block::List(RULES.iter().map(|rule| (*rule).to_owned()).collect()));
    }
    if let Some(advice) = &diagnosis.advice {
        of_advice(&mut blocks, advice);
    }
    blocks.push(Block::Heading("Stacks".into()));
    let rows = diagnosis.stacks.iter().map(|verdict| {
        vec![verdict.stack.clone(), verdict.title.clone(), outcome(verdict).to_owned(), verdict.words.clone()]
    });
    blocks.push(Block::Table(vec!["stack", "what it is", "outcome", "how it went"], rows.collect()));
    causes(&mut blocks, &diagnosis.stacks);
    of_broker(&mut blocks, diagnosis);
    (title, blocks)
}

fn outcome(verdict: &Verdict) -> &'static str {
    match verdict.outcome {
        Outcome::Connects if verdict.must_not => "connects, and must not",
        Outcome::Connects => "connects",
        Outcome::Refuses => "refuses the broker",
        Outcome::IsRefused => "is refused",
        Outcome::Fails => "fails",
        Outcome::NotAsked => "cannot be asked",
        Outcome::BenchFailed => "the bench failed",
    }
}

fn of_advice(blocks: &mut Vec<Block>, advice: &Advice) {
    blocks.push(Block::Heading("The smallest set of changes".into()));
    blocks.extend(advice.why_none.iter().map(|why| Block::Paragraph(format!("None: {why}."))));
    if !advice.changes.is_empty() {
        blocks.push(Block::List(advice.changes.clone()));
    }
    for (names, words) in [
        (&advice.gained, "connect too after it"),
        (&advice.hopeless, "connect after none of the changes that were tried"),
        (&advice.unlike, "fare otherwise with the broker's twin: nothing is said of them"),
    ] {
        if !names.is_empty() {
            blocks.push(Block::Paragraph(format!("{} {words}.", names.join(", "))));
        }
    }
    for lines in &advice.lines {
        let run = lines.run.as_deref().unwrap_or("not run");
        blocks.push(Block::Part(lines.program.into()));
        blocks.push(Block::Code(lines.lines.join("\n")));
        blocks.push(Block::Paragraph(format!("{}; {run}", lines.source)));
    }
    // Those whose configuration stays as it is were run with the changed certificates all the same.
    let unchanged = advice.runs.iter().filter(|run| !advice.lines.iter().any(|lines| lines.program == run.program));
    blocks.extend(unchanged.map(|run| Block::Paragraph(format!("{}: {}", run.program, run.words))));
}

/// Each cause once, with all stacks that it holds for.
fn causes(blocks: &mut Vec<Block>, stacks: &[Verdict]) {
    for (at, verdict) in stacks.iter().enumerate().filter(|(_, verdict)| !verdict.why.is_empty()) {
        let same = |other: &&Verdict| other.why == verdict.why;
        if stacks.iter().take(at).any(|other| same(&other)) {
            continue;
        }
        let names: Vec<&str> = stacks.iter().filter(same).map(|other| other.stack.as_str()).collect();
        blocks.push(Block::Part(names.join(", ")));
        for why in &verdict.why {
            blocks.push(Block::Paragraph(why.cause.clone()));
            if !why.remedy.is_empty() {
                blocks.push(Block::Paragraph(format!("What to do: {}", why.remedy)));
            }
            if !why.source.is_empty() {
                blocks.push(Block::Paragraph(format!("In source: {}", why.source)));
            }
        }
        if !verdict.evidence.is_empty() {
            blocks.push(Block::Code(verdict.evidence.join("\n")));
        }
    }
}

fn of_broker(blocks: &mut Vec<Block>, diagnosis: &Diagnosis) {
    blocks.push(Block::Heading(if diagnosis.broker.is_some() { "The broker" } else { "The chain" }.into()));
    if let Some(broker) = &diagnosis.broker {
        let rows = text::of_broker(broker).into_iter().map(|(label, words)| vec![label.to_owned(), words]);
        blocks.push(Block::Table(vec!["", "found"], rows.collect()));
    }
    let certificates = diagnosis.chain.iter().enumerate();
    let rows = certificates.map(|(at, certificate)| vec![at.to_string(), certificate.to_string()]);
    blocks.push(Block::Table(vec!["", "certificate"], rows.collect()));
    if !diagnosis.flaws.is_empty() {
        let row = |flaw: &explain::chain::flaws::Flaw| {
            vec![flaw.at.to_string(), flaw.what.clone(), flaw.minded_by.to_owned()]
        };
        blocks.push(Block::Table(vec!["certificate", "flaw", "minded by"], diagnosis.flaws.iter().map(row).collect()));
    }
    blocks.push(Block::Paragraph(text::verifier(&diagnosis.expected)));
    if !diagnosis.notes.is_empty() {
        blocks.push(Block::List(diagnosis.notes.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a broker says stays text.
    #[test]
    fn nothing_in_a_page_is_obeyed() {
        let words = "<script>alert(1)</script> | [x](javascript:y) `z` \u{1b}[31m **b**";
        let blocks = [
            Block::Heading(words.into()),
            Block::Part(words.into()),
            Block::Paragraph(words.into()),
            Block::Table(vec!["a"], vec![vec![words.into()]]),
            Block::List(vec![words.into()]),
            Block::Code(format!("{words}\n```\n# x")),
        ];
        let page = html(words, &blocks);
        assert!(!page.contains("<script") && !page.contains('\u{1b}') && page.contains("&lt;script&gt;"), "{page}");
        let text = markdown(words, &blocks);
        assert!(!text.contains('\u{1b}'), "{text}");
        // Code is fenced by more ticks than it has, and nothing else is a tag, a link or a column.
        let (before, code) = text.split_once("````\n").expect("a fence");
        assert!(
            !before.replace("\\<", "").contains('<') && !before.contains(" [x](") && code.contains("\n````\n"),
            "{text}"
        );
        let row = before.lines().find(|line| line.starts_with("| \\<script")).expect("a row");
        assert_eq!(row.replace("\\|", "").matches('|').count(), 2, "{row}");
    }
}
