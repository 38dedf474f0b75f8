//! A page as Markdown, GitHub's.

use std::fmt::Write as _;

use super::Block;

/// The page as Markdown.
pub fn markdown(title: &str, blocks: &[Block]) -> String {
    let mut out = format!("# {}\n", escaped(title));
    for block in blocks {
        out.push('\n');
        let _ = match block {
            Block::Heading(words) => writeln!(out, "## {}", escaped(words)),
            Block::Part(words) => writeln!(out, "### {}", escaped(words)),
            Block::Paragraph(words) => writeln!(out, "{}", escaped(words)),
            Block::Table(head, rows) => {
                let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
                out.push_str(&row(head.iter().map(|cell| (*cell).to_owned()).collect()));
                out.push_str(&row(head.iter().map(|_| "---".to_owned()).collect()));
                for cells in rows {
                    out.push_str(&row(cells.iter().map(|cell| escaped(cell)).collect()));
                }
                Ok(())
            }
            Block::List(items) => {
                for item in items {
                    let _ = writeln!(out, "- {}", escaped(item));
                }
                Ok(())
            }
            Block::Code(lines) => {
                let lines = terminal::clean::text(lines);
                // CommonMark §4.5: a fence is longer than what it encloses.
                let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                let fence = "`".repeat(longest.max(2) + 1);
                writeln!(out, "{fence}\n{}\n{fence}", lines.trim_end())
            }
        };
    }
    out
}

/// Text from elsewhere, so that it stays text and in its line.
fn escaped(text: &str) -> String {
    report::markdown::escaped(&terminal::clean::line(text))
}
