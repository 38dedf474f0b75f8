//! A page for a browser: one file, no script, nothing fetched.

use std::fmt::Write as _;

use super::Block;

const STYLE: &str = include_str!("page.css");

/// The page as HTML.
pub fn html(title: &str, blocks: &[Block]) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    for block in blocks {
        let _ = match block {
            Block::Heading(words) => writeln!(out, "<h2>{}</h2>", escaped(words)),
            Block::Part(words) => writeln!(out, "<h3>{}</h3>", escaped(words)),
            Block::Paragraph(words) => writeln!(out, "<p>{}</p>", escaped(words)),
            Block::Table(head, rows) => writeln!(
                out,
                "<div class=\"wide\"><table>\n<thead>{}</thead>\n<tbody>\n{}</tbody></table></div>",
                row("th", head.iter().copied()),
                rows.iter().map(|cells| row("td", cells.iter().map(String::as_str))).collect::<String>()
            ),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("<li>{}</li>\n", escaped(item)));
                writeln!(out, "<ul>\n{}</ul>", items.collect::<String>())
            }
            Block::Code(lines) => {
                writeln!(out, "<pre>{}</pre>", report::html::escaped(&terminal::clean::text(lines)))
            }
        };
    }
    out.push_str("</html>\n");
    out
}

fn row<'a>(tag: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
    format!("<tr>{cells}</tr>\n")
}

/// Text from elsewhere, so that it stays text and in its line.
fn escaped(text: &str) -> String {
    report::html::escaped(&terminal::clean::line(text))
}
