//! For a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::table::{Cell, Table, Weight};

/// No column is narrower: `connects` and a blank.
const CELL_COLUMNS: usize = 9;

/// The table, coloured for whoever can show it; the stacks' names stand above it, as they are longer than their columns.
pub fn render(table: &Table) -> String {
    let mut out = String::new();
    let name_columns = table.rows.iter().map(|row| row.scenario.len()).max().unwrap_or(0);
    for (index, stack) in table.stacks.iter().enumerate() {
        let _ = writeln!(out, "{:name_columns$}  {}{stack}", "", "│        ".repeat(index));
    }
    for row in &table.rows {
        let mut line = format!("{:name_columns$}  ", row.scenario);
        for cell in &row.cells {
            let style = style(cell.weight());
            let word = cell.word();
            let padding = " ".repeat(CELL_COLUMNS.saturating_sub(word.len()));
            let _ = write!(line, "{style}{word}{style:#}{padding}");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
    summary(&mut out, table);
    out
}

fn style(weight: Weight) -> Style {
    match weight {
        Weight::Empty => AnsiColor::BrightBlack.on_default(),
        Weight::Good => Style::new(),
        Weight::Wrong => AnsiColor::Yellow.on_default().bold(),
        Weight::Insecure => AnsiColor::BrightWhite.on(AnsiColor::Red).bold(),
    }
}

fn summary(out: &mut String, table: &Table) {
    let width = table.stacks.iter().map(String::len).max().unwrap_or(0);
    for (column, stack) in table.stacks.iter().enumerate() {
        let is_excused = |row: &&super::table::Row| matches!(row.cells.get(column), Some(Cell::NotApplicable(_)));
        let excused = table.rows.iter().filter(is_excused).count();
        let (insecure, red) = (table.count(column, Weight::Insecure), style(Weight::Insecure));
        let accepts = if insecure > 0 {
            format!("{red}{insecure} ACCEPTS what it must refuse{red:#}")
        } else {
            "accepts nothing that it must refuse".into()
        };
        let _ = writeln!(
            out,
            "{stack:width$}  {accepts} · {} otherwise wrong · {} good · {excused} not applicable",
            table.count(column, Weight::Wrong),
            table.count(column, Weight::Good),
        );
    }
}
