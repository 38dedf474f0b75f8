//! How quick the bench is, from the file that the benchmark wrote.

use std::path::Path;

use super::{Unrenderable, markdown};
use crate::figures::{COMMAND, Executor, FILE, ROWS, Results, Row};

/// The subjects of the few lines that the first page has, with the words for them there.
const FIRST_PAGE: [(&str, &str); 5] = [
    ("riscv_kernel_to_qemu", "instructions a second, QEMU `-icount` being 1"),
    ("p256_handshake", "a TLS handshake with P-256"),
    ("first_verdict", "first verdict of a process"),
    ("suite_job", "`identity/` and `validity/` on one stack, a scenario at a time"),
    ("chip_resident", "memory of a chip after a handshake"),
];
const FIRST_PAGE_EXECUTORS: [Executor; 2] = [Executor::Compiled, Executor::Threaded];

/// All of them.
pub(super) fn all(root: &Path) -> Result<String, Unrenderable> {
    let rows: Vec<(&Row, &str)> = ROWS.iter().map(|row| (row, row.what)).collect();
    table(root, &rows, &Executor::ALL)
}

/// A few.
pub(super) fn few(root: &Path) -> Result<String, Unrenderable> {
    let row = |(subject, words)| Some((ROWS.iter().find(|row| row.subject == subject)?, words));
    let rows: Vec<(&Row, &str)> = FIRST_PAGE.into_iter().filter_map(row).collect();
    table(root, &rows, &FIRST_PAGE_EXECUTORS)
}

fn table(root: &Path, rows: &[(&Row, &str)], executors: &[Executor]) -> Result<String, Unrenderable> {
    let Some(results) = Results::read(root).map_err(|why| Unrenderable::new(FILE, why))? else {
        return Ok(format!("Not measured yet: `{COMMAND}` measures, and `cargo xtask tables` renders what it wrote."));
    };
    let head: Vec<&str> = [""].into_iter().chain(executors.iter().map(|executor| executor.name())).collect();
    let cells = rows.iter().map(|(row, words)| {
        let figures = executors.iter().map(|executor| results.told(row, *executor));
        [(*words).to_owned()].into_iter().chain(figures).collect()
    });
    let table = markdown(&head, &cells.collect::<Vec<Vec<String>>>());
    Ok(format!("{table}\nMeasured {}.", results.measured_on()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_page_tells_is_measured() {
        for (subject, _) in FIRST_PAGE {
            let row = ROWS.iter().find(|row| row.subject == subject).expect(subject);
            assert!(FIRST_PAGE_EXECUTORS.iter().all(|executor| row.executors.contains(executor)), "{subject}");
        }
    }
}
