//! A page that needs nothing else: the table, and behind every cell why.

use std::fmt::Write as _;

use report::html::escaped;

use super::table::{Cell, Ran, Row, Table, Weight};

const STYLE: &str = include_str!("matrix.css");

/// The page.
pub fn render(table: &Table) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Shakedown: every scenario on every stack</title>\n",
    );
    let _ = writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>");
    let _ = writeln!(out, "<h1>Every scenario on every stack</h1>");
    introduction(&mut out, table);
    let _ = writeln!(
        out,
        "<label class=\"only\"><input type=\"checkbox\" id=\"only\"> Only scenarios in which something is wrong</label>"
    );
    let _ = writeln!(out, "<main>");
    grid(&mut out, table);
    let _ = writeln!(out, "<h2>What happened, and what helps</h2>");
    for row in &table.rows {
        section(&mut out, table, row);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn introduction(out: &mut String, table: &Table) {
    let _ = writeln!(out, "<ul class=\"sums\">");
    for (column, stack) in table.stacks.iter().enumerate() {
        let (insecure, wrong) = (table.count(column, Weight::Insecure), table.count(column, Weight::Wrong));
        let good = table.count(column, Weight::Good);
        let accepts = match insecure {
            0 => String::new(),
            some => format!("<b class=\"insecure\">{some} accepted against the rule</b> "),
        };
        let wrong = if wrong > 0 { format!("<b class=\"wrong\">{wrong} wrong</b> ") } else { String::new() };
        let _ = writeln!(out, "<li><code>{}</code> {accepts}{wrong}<span>{good} good</span></li>", escaped(stack));
    }
    let _ = writeln!(out, "</ul>");
}

fn grid(out: &mut String, table: &Table) {
    let _ = write!(out, "<div class=\"wide\"><table>\n<thead><tr><th>scenario</th>");
    for stack in &table.stacks {
        let _ = write!(out, "<th class=\"stack\"><span>{}</span></th>", escaped(stack));
    }
    let _ = writeln!(out, "</tr></thead>\n<tbody>");
    let mut folder = "";
    for row in &table.rows {
        let (here, name) = row.scenario.split_once('/').unwrap_or(("", &row.scenario));
        if here != folder {
            folder = here;
            let columns = table.stacks.len() + 1;
            let _ = writeln!(out, "<tr class=\"folder\"><th colspan=\"{columns}\">{}</th></tr>", escaped(folder));
        }
        let class = if row.weight() >= Weight::Wrong { "" } else { " class=\"fine\"" };
        let link = anchor(&row.scenario);
        let title = escaped(&row.title);
        let _ = write!(out, "<tr{class}><th title=\"{title}\"><a href=\"#{link}\">{}</a></th>", escaped(name));
        for (cell, stack) in row.cells.iter().zip(&table.stacks) {
            let words = match cell {
                Cell::Ran(ran) => escaped(&ran.reviewed.phrase),
                Cell::NotApplicable(why) => escaped(why),
                Cell::Empty => "not run".into(),
            };
            let _ = write!(
                out,
                "<td class=\"{}\" data-stack=\"{}\" title=\"{words}\">{}</td>",
                class_of(cell),
                escaped(stack),
                cell_word(cell, &link)
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn cell_word(cell: &Cell, link: &str) -> String {
    match cell {
        Cell::Empty => String::new(),
        other => format!("<a href=\"#{link}\">{}</a>", other.word()),
    }
}

fn section(out: &mut String, table: &Table, row: &Row) {
    let class = if row.weight() >= Weight::Wrong { "" } else { " fine" };
    let _ = writeln!(
        out,
        "<section class=\"scenario{class}\" id=\"{}\">\n<h3>{}</h3>\n<p>{}.</p>",
        anchor(&row.scenario),
        escaped(&row.scenario),
        escaped(row.title.trim_end_matches('.'))
    );
    let _ = writeln!(
        out,
        "<p class=\"rule\">The device must {} ({}): {}</p>",
        row.demand,
        escaped(&row.rule),
        match row.quote.as_str() {
            "" => escaped(&row.paraphrase).to_string(),
            quote => format!("<q>{}</q>", escaped(quote)),
        }
    );
    for group in groups(table, row) {
        let _ = writeln!(out, "<details{}>", if group.weight >= Weight::Wrong { " open" } else { "" });
        let names: Vec<String> = group.stacks.iter().map(|stack| format!("<code>{}</code>", escaped(stack))).collect();
        let _ = writeln!(
            out,
            "<summary><b class=\"{}\">{}</b> {}</summary>\n{}</details>",
            group.class,
            group.word,
            names.join(" "),
            group.body
        );
    }
    let _ = writeln!(out, "<p class=\"back\"><a href=\"#\">to the table</a></p>\n</section>");
}

/// Stacks of which the same is to be told.
struct Group<'a> {
    weight: Weight,
    class: &'static str,
    word: &'static str,
    stacks: Vec<&'a str>,
    body: String,
    /// What must be the same.
    told: String,
}

fn groups<'a>(table: &'a Table, row: &Row) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (cell, stack) in row.cells.iter().zip(&table.stacks) {
        let told = match cell {
            Cell::Empty => continue,
            Cell::NotApplicable(why) => format!("<p>Not applicable: {}.</p>\n", escaped(why.trim_end_matches('.'))),
            Cell::Ran(ran) => explanation(ran),
        };
        let evidence = match cell {
            Cell::Ran(ran) => evidence(stack, ran),
            _ => String::new(),
        };
        match groups.iter_mut().find(|group| group.told == told) {
            Some(group) => {
                group.stacks.push(stack);
                group.body.push_str(&evidence);
            }
            None => groups.push(Group {
                weight: cell.weight(),
                class: class_of(cell),
                word: cell.word(),
                stacks: vec![stack],
                body: format!("{told}{evidence}"),
                told,
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.weight));
    groups
}

fn explanation(ran: &Ran) -> String {
    let reviewed = &ran.reviewed;
    let mut told = format!("<p>{} — {}.</p>\n", escaped(&reviewed.phrase), escaped(&reviewed.conformity.to_string()));
    if ran.explanations.is_empty() {
        return told;
    }
    told.push_str("<dl>\n");
    for explanation in &ran.explanations {
        let _ = writeln!(
            told,
            "<dt>cause</dt><dd>{}</dd>\n<dt>in source</dt><dd class=\"source\">{}</dd>\n<dt>remedy</dt><dd \
             class=\"remedy\">{}</dd>",
            escaped(&explanation.cause),
            escaped(&explanation.source),
            escaped(&explanation.remedy)
        );
    }
    told.push_str("</dl>\n");
    told
}

fn evidence(stack: &str, ran: &Ran) -> String {
    if ran.evidence.is_empty() {
        return String::new();
    }
    let mut told = format!("<figure><figcaption>{}</figcaption><pre>", escaped(stack));
    for (place, words) in &ran.evidence {
        let line = place.rsplit_once(':').map_or("", |(_, line)| line);
        let _ = writeln!(told, "<span>{line}</span> {}", escaped(words));
    }
    if let Some(words) = &ran.reviewed.platform {
        let _ = writeln!(told, "platform says {}", escaped(words));
    }
    let file = ran.evidence.first().and_then(|(place, _)| place.rsplit_once(':')).map_or("", |(file, _)| file);
    let _ = writeln!(told, "</pre><p class=\"file\">{}</p></figure>", escaped(file));
    told
}

const fn class_of(cell: &Cell) -> &'static str {
    match cell {
        Cell::Empty => "empty",
        Cell::NotApplicable(_) => "na",
        Cell::Ran(ran) => match ran.reviewed.conformity {
            outcome::Conformity::Conforms | outcome::Conformity::NotOffered => "good",
            outcome::Conformity::Allowed => "allowed",
            outcome::Conformity::AcceptsWhatItMustRefuse => "insecure",
            outcome::Conformity::RefusesWhatItMustAccept
            | outcome::Conformity::SucceedsWhereItMustFail
            | outcome::Conformity::Breaks
            | outcome::Conformity::NeverMet
            | outcome::Conformity::Undecided => "wrong",
        },
    }
}

/// The name of a scenario as the name of a place on the page.
fn anchor(scenario: &str) -> String {
    scenario.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
