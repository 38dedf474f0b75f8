//! udev rules: whether some let this user at debug probes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Finding, Machine};

const ABOUT: &str = "udev rules";
/// Where udev reads rules (udev(7)).
const FOLDERS: [&str; 4] = ["etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"];
/// `uaccess` is acted upon in 73-seat-late.rules: whoever sets it later sets it for nobody.
const SEAT_LATE: u32 = 73;
/// No rules file is longer, in bytes.
const RULES_BYTES_MAX: u64 = 1 << 20;
const REMEDY: &str = "sudo cp ci/udev/*.rules /etc/udev/rules.d/\n\
                      sudo udevadm control --reload && sudo udevadm trigger, and plug the boards in anew";

/// Whether Espressif's USB devices are mentioned, and early enough.
pub(super) fn rules(machine: &Machine) -> Vec<Finding> {
    if !FOLDERS.iter().any(|folder| machine.system_root.join(folder).is_dir()) {
        return vec![Finding::lacking(
            ABOUT,
            "this machine has no udev",
            "permissions are up to whoever makes its devices",
        )];
    }
    let mut late = None;
    for folder in FOLDERS {
        for (name, text) in files(&machine.system_root.join(folder)) {
            let text_lower = text.to_lowercase();
            if !vendors().iter().any(|(_, vendor)| text_lower.contains(vendor)) {
                continue;
            }
            let number = name.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse::<u32>().ok());
            let by_group = text.contains("GROUP") || text.contains("MODE");
            if text.contains("uaccess") && !by_group && number.is_none_or(|number| number >= SEAT_LATE) {
                late = Some(name);
            } else {
                return vec![Finding::well(ABOUT, format!("/{folder}/{name} lets people at Espressif's USB devices"))];
            }
        }
    }
    match late {
        Some(name) => {
            let words = format!("{name} is read after 73-seat-late.rules, where `uaccess` is acted upon");
            vec![Finding::ill(ABOUT, words, "give it a number below 73: 69-…")]
        }
        None => {
            let whose: Vec<String> =
                vendors().into_iter().map(|(maker, vendor)| format!("{maker}'s USB devices ({vendor})")).collect();
            vec![Finding::ill(ABOUT, format!("no rule mentions {}", whose.join(" or ")), REMEDY)]
        }
    }
}

/// Who makes chips that are USB devices themselves, with their USB vendor in hexadecimal, each once.
fn vendors() -> BTreeSet<(&'static str, String)> {
    let devices = chip::CHIPS.iter().flat_map(|chip| chip.usb.iter().map(|usb| (chip.maker, usb.vendor)));
    devices.map(|(maker, vendor)| (maker, format!("{vendor:04x}"))).collect()
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<(String, String)> = listing
        .flatten()
        .filter(|item| item.metadata().is_ok_and(|file| file.len() <= RULES_BYTES_MAX))
        .filter_map(|item| {
            let name = item.file_name().into_string().ok().filter(|name| name.ends_with(".rules"))?;
            Some((name, fs::read_to_string(item.path()).ok()?))
        })
        .collect();
    files.sort();
    files
}
