//! What is read at most, and how much of what is in it: the tables are rendered from the numbers that readers go by.

use host::limit;

use super::markdown;

/// Files, by their bytes.
pub(super) fn files() -> String {
    let rows = limit::ALL.map(|limit| vec![limit.what.to_owned(), limit.size(), limit.remedy.to_owned()]);
    markdown(&["file", "at most", "if it is larger"], &rows)
}

/// What is in them: counts, depths and sums.
pub(super) fn contents() -> String {
    use crate::diagnose::{conf, files};
    use crate::dialect::{log, patch};
    use crate::journal;
    use emulator::image;
    let rows = [
        ("folder of scenarios", count(host::DEPTH_MAX, "folders in one another")),
        ("folder of scenarios", count(host::FILES_MAX, "files")),
        ("scenario", count(pki::CERTIFICATES_MAX, "certificates")),
        ("scenario", count(pki::FILLER_NAMES_MAX.into(), "dNSNames that fill up one of them")),
        ("scenario", count(scenario::STEPS_MAX, "steps of its sweep")),
        ("scenario", bytes(scenario::mosquitto::CONF_BYTES_MAX, "of a mosquitto.conf")),
        ("dialect", count(patch::KEY_DEPTH_MAX, "parts of a key")),
        ("dialect", count(log::RULES_MAX, "rules for log lines")),
        ("dialect", bytes(log::PROGRAM_BYTES_MAX, "of a rule's regular expression, compiled")),
        ("log line", bytes(log::LINE_BYTES_MAX, "that rules look at")),
        ("ELF file", count(image::SEGMENTS_MAX, "segments")),
        ("ELF file", bytes(image::SEGMENTS_BYTES_MAX, "in all of them")),
        ("list of an image's parts", count(firmware_image::build::PARTS_MAX, "parts")),
        ("capture", bytes(capture::pcapng::BLOCK_BYTES_MAX, "of one block")),
        ("JSON report", count(report::json::ROWS_MAX, "rows")),
        ("journal", bytes(journal::LINE_BYTES_MAX, "of one line")),
        ("journal", count(journal::DAMAGES_MAX, "damaged lines")),
        ("chain given to `diagnose`", count(files::CHAIN_MAX, "certificates")),
        ("authorities given to `diagnose`", count(files::AUTHORITIES_MAX, "certificates")),
        ("mosquitto.conf given to `diagnose`", count(conf::LINES_MAX, "lines")),
        ("mosquitto.conf given to `diagnose`", count(conf::FILES_MAX, "files of a folder that it names")),
    ];
    markdown(&["in a", "at most"], &rows.map(|(file, most)| vec![file.to_owned(), most]))
}

fn count(number: usize, what: &str) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("{} {what}", groups.join(","))
}

fn bytes(number: usize, what: &str) -> String {
    let size = match number {
        bytes if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    };
    format!("{size} {what}")
}
