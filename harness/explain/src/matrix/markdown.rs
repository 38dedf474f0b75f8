//! For a pull request: the table, then why what is wrong is wrong.

use std::fmt::Write as _;

use super::table::{Cell, Table, Weight};

/// The table. Markdown has no colours: red is a sign.
pub fn render(table: &Table) -> String {
    let mut out = String::from("| scenario |");
    for stack in &table.stacks {
        let _ = write!(out, " `{}` |", escaped(stack));
    }
    let _ = writeln!(out, "\n|---|{}", "---|".repeat(table.stacks.len()));
    for row in &table.rows {
        let _ = write!(out, "| `{}` |", escaped(&row.scenario));
        for cell in &row.cells {
            let word = match cell.weight() {
                Weight::Insecure => format!("🔴 **{}**", cell.word()),
                Weight::Wrong => format!("🟠 {}", cell.word()),
                Weight::Empty | Weight::Good => cell.word().to_owned(),
            };
            let _ = write!(out, " {word} |");
        }
        out.push('\n');
    }
    findings(&mut out, table);
    out
}

fn findings(out: &mut String, table: &Table) {
    for (weight, title) in
        [(Weight::Insecure, "Accepts what it must refuse"), (Weight::Wrong, "Refuses what it must accept, or breaks")]
    {
        let mut lines = String::new();
        for row in &table.rows {
            for (cell, stack) in row.cells.iter().zip(&table.stacks).filter(|(cell, _)| cell.weight() == weight) {
                let Cell::Ran(ran) = cell else { continue };
                let rule = escaped(&row.rule);
                let _ = writeln!(lines, "- `{}` on `{stack}`: {} ({rule}).", row.scenario, escaped(&row.title));
                for explanation in &ran.explanations {
                    let _ =
                        writeln!(lines, "  {} *Remedy:* {}", escaped(&explanation.cause), escaped(&explanation.remedy));
                }
            }
        }
        if !lines.is_empty() {
            let _ = write!(out, "\n### {title}\n\n{lines}");
        }
    }
}

/// Text from elsewhere, so that it stays in its cell.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '<' | '[' | '\\' => escaped.extend(['\\', character]),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
