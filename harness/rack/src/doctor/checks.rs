//! What is looked at, one by one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use host::own_network::OwnNetwork;

use super::{Finding, Machine};
use crate::quarantine::{self, Expired, Quarantine};
use crate::{PROBE, lock, map, scan};

/// Less than that is too little for a night's packets, in bytes.
const DISK_BYTES_MIN: u64 = 1 << 30;
/// How long the program that holds probes may take to list them.
const LIST_MAX: Duration = Duration::from_secs(20);

/// Whether map and quarantine can be read, and whether the map's ports keep their names.
pub(super) fn map(machine: &Machine) -> Vec<Finding> {
    const ABOUT: &str = "hardware map";
    let mut findings = Vec::new();
    match map::read(&machine.map) {
        Err(error) => findings.push(Finding::ill(ABOUT, error.message, "mend the file")),
        Ok(entries) if entries.is_empty() => {
            let words = format!("{} names no board", machine.map.display());
            findings.push(Finding::lacking(ABOUT, words, "plug a board in: cargo xtask boards --scan"));
        }
        Ok(entries) => {
            let alive = entries.iter().filter(|entry| entry.facts.alive).count();
            findings.push(Finding::well(ABOUT, format!("{} board(s), {alive} alive", entries.len())));
            for entry in entries.iter().filter(|entry| entry.facts.alive) {
                for port in [&entry.facts.serial, &entry.facts.modem].into_iter().flatten() {
                    let shown = port.display();
                    if is_unstable(port) {
                        let words = format!("{}: {shown} is another board's name after the next reboot", entry.name);
                        findings.push(Finding::ill(
                            ABOUT,
                            words,
                            "name it by /dev/serial/by-id: cargo xtask boards --scan",
                        ));
                    }
                    if !under(&machine.system_root, port).exists() {
                        let words = format!("{}: there is no {shown}", entry.name);
                        let remedy = "plug it in, or set `alive = false` and `because` in its file";
                        findings.push(Finding::ill(ABOUT, words, remedy));
                    }
                }
            }
        }
    }
    if let Err(error) = Quarantine::read(&machine.workspace.join(quarantine::FILE), Expired::Refused) {
        findings.push(Finding::ill("quarantine", error.message, "see the remedy above"));
    }
    findings
}

fn is_unstable(port: &Path) -> bool {
    port.parent() == Some(Path::new("/dev"))
        && port
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| ["ttyUSB", "ttyACM"].iter().any(|kind| name.starts_with(kind)))
}

fn under(root: &Path, path: &Path) -> std::path::PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// This process' user and groups.
#[cfg(unix)]
pub(super) fn user() -> (u32, Vec<u32>) {
    let groups = rustix::process::getgroups().unwrap_or_default();
    let own = rustix::process::getgid();
    (rustix::process::getuid().as_raw(), groups.into_iter().chain([own]).map(|group| group.as_raw()).collect())
}

#[cfg(not(unix))]
pub(super) fn user() -> (u32, Vec<u32>) {
    (0, Vec::new())
}

/// Whether this user may read and write the USB serial ports.
#[cfg(unix)]
pub(super) fn ports(machine: &Machine) -> Vec<Finding> {
    use std::os::unix::fs::MetadataExt as _;
    const ABOUT: &str = "serial ports";
    let ports = scan::ports(&machine.system_root);
    if ports.is_empty() {
        return vec![Finding::lacking(ABOUT, "no USB serial port is plugged in", "emulated boards need none")];
    }
    let mut findings = Vec::new();
    for port in ports {
        let file = machine.system_root.join("dev").join(&port.tty);
        let Ok(metadata) = fs::metadata(&file) else {
            let words = format!("/dev/{} is not there, though the kernel knows it", port.tty);
            findings.push(Finding::ill(ABOUT, words, "hand the device on to this container: --device or /dev"));
            continue;
        };
        let is_own = metadata.uid() == machine.user;
        let bits = if is_own {
            metadata.mode() >> 6
        } else if machine.groups.contains(&metadata.gid()) {
            metadata.mode() >> 3
        } else {
            metadata.mode()
        };
        findings.push(if machine.user == 0 || bits & 0o6 == 0o6 {
            Finding::well(ABOUT, format!("/dev/{} ({}:{}) can be opened", port.tty, port.vendor, port.product))
        } else {
            let group = group_name(&machine.system_root, metadata.gid());
            let words = format!("/dev/{} may be opened by its owner and the group {group}, not by you", port.tty);
            Finding::ill(ABOUT, words, format!("sudo usermod -aG {group} $USER, and log in anew"))
        });
    }
    findings
}

#[cfg(not(unix))]
pub(super) fn ports(_: &Machine) -> Vec<Finding> {
    vec![Finding::lacking("serial ports", "this system's ports are not looked at", "use Linux for a rack")]
}

#[cfg(unix)]
fn group_name(root: &Path, number: u32) -> String {
    let groups = fs::read_to_string(root.join("etc/group")).unwrap_or_default();
    let name = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| number.to_string())
}

/// Whether the debug probes can be listed and opened.
pub(super) fn probes(machine: &Machine) -> Vec<Finding> {
    const ABOUT: &str = "debug probes";
    if !machine.system_root.join("sys/bus/usb").is_dir() {
        return vec![Finding::lacking(ABOUT, "this machine has no USB (no /sys/bus/usb)", "emulated boards need none")];
    }
    let Ok(program) = std::env::var(PROBE) else {
        let remedy = "cargo build -p probe; `cargo xtask` builds it when a command needs it";
        return vec![Finding::lacking(ABOUT, "the program that holds them is not built", remedy)];
    };
    match board::flasher::list(&[program, "serve".into()], LIST_MAX) {
        Err(fault) => vec![Finding::ill(ABOUT, fault.to_string(), fault.kind.remedy())],
        Ok(probes) if probes.is_empty() => {
            vec![Finding::lacking(ABOUT, "none is plugged in", "emulated boards need none")]
        }
        Ok(probes) => probes
            .into_iter()
            .map(|probe| match probe.accessible {
                true => Finding::well(ABOUT, format!("{} ({})", probe.selector, probe.name)),
                false => {
                    let words = format!("you may not open {} ({})", probe.selector, probe.name);
                    Finding::ill(ABOUT, words, "see udev rules above")
                }
            })
            .collect(),
    }
}

/// A program that opens every port that is plugged in, to see whether it is a modem.
pub(super) fn modem_manager(machine: &Machine) -> Vec<Finding> {
    let is_there = ["usr/sbin/ModemManager", "usr/bin/ModemManager"];
    if is_there.iter().any(|path| machine.system_root.join(path).exists()) {
        let remedy = "sudo systemctl disable --now ModemManager, or ENV{ID_MM_DEVICE_IGNORE}=\"1\" in the udev rules";
        return vec![Finding::lacking("ModemManager", "it talks to every serial port that is plugged in", remedy)];
    }
    Vec::new()
}

/// Programs of this machine.
pub(super) fn programs(machine: &Machine) -> Vec<Finding> {
    let entries = map::read(&machine.map).unwrap_or_default();
    let alive = || entries.iter().filter(|entry| entry.facts.alive);
    let needs_hub = alive().any(|entry| entry.facts.power.hub.is_some());
    let needs_usb = alive().any(|entry| !entry.facts.is_emulated() && entry.facts.usb_reset.is_empty());
    let wanted = [
        ("hubs", "uhubctl", needs_hub, "sudo apt-get install uhubctl (2.5 or later on Linux 6)"),
        ("USB reset", "usbreset", needs_usb, "sudo apt-get install usbutils"),
        ("mosquitto", "mosquitto", false, "sudo apt-get install mosquitto, for scenarios with a real broker"),
        ("git", "git", true, "sudo apt-get install git"),
    ];
    wanted
        .into_iter()
        .filter_map(|(about, program, is_needed, remedy)| match (machine.finds_program)(program) {
            Some(path) => Some(Finding::well(about, path.display().to_string())),
            None if is_needed => {
                Some(Finding::ill(about, format!("{program} is not installed, and the map needs it"), remedy))
            }
            // Nobody misses a hub's program without a hub.
            None if about == "hubs" || about == "USB reset" => None,
            None => Some(Finding::lacking(about, format!("{program} is not installed"), remedy)),
        })
        .collect()
}

/// Whether boards can be locked.
pub(super) fn locks() -> Vec<Finding> {
    const ABOUT: &str = "locks";
    let folder = lock::folder();
    let holder = lock::Holder::this("the doctor");
    vec![match lock::take(&folder, "doctor", &holder, Duration::from_secs(5)) {
        Ok(_) => Finding::well(ABOUT, folder.display().to_string()),
        Err(why) => Finding::ill(ABOUT, why.to_string(), "name a folder that you may write to in SHAKEDOWN_LOCKS"),
    }]
}

/// Whether a real broker, which a scenario configures, can be kept from this machine's network.
pub(super) fn own_network(machine: &Machine) -> Vec<Finding> {
    const ABOUT: &str = "network";
    if (machine.finds_program)("mosquitto").is_none() {
        return Vec::new();
    }
    vec![match OwnNetwork::new() {
        Ok(_) => Finding::well(ABOUT, "the mosquitto of a scenario has one of its own"),
        Err(why) => Finding::lacking(
            ABOUT,
            format!("the mosquitto of a scenario has none of its own, and is on the loopback of this machine: {why}"),
            "run the bench as root in a container or virtual machine of its own, or read a stranger's scenario first",
        ),
    }]
}

/// Whether a night's packets have room.
#[cfg(unix)]
pub(super) fn disk(machine: &Machine) -> Vec<Finding> {
    const ABOUT: &str = "disk";
    vec![match rustix::fs::statvfs(&machine.workspace) {
        Ok(disk) => disk_of(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::ill(ABOUT, format!("{}: {error}", machine.workspace.display()), "look at the disk"),
    }]
}

#[cfg(not(unix))]
pub(super) fn disk(_: &Machine) -> Vec<Finding> {
    Vec::new()
}

/// The finding about so many free bytes.
#[cfg(unix)]
pub(super) fn disk_of(free_bytes: u64) -> Finding {
    let words = format!("{} MiB free", free_bytes >> 20);
    if free_bytes < DISK_BYTES_MIN {
        Finding::ill("disk", words, "make room: cargo clean, old reports, old packets below target/shakedown")
    } else {
        Finding::well("disk", words)
    }
}

/// What runs here, for whoever reads a report.
pub(super) fn versions(machine: &Machine) -> Vec<Finding> {
    let kernel = fs::read_to_string(machine.system_root.join("proc/sys/kernel/osrelease")).unwrap_or_default();
    let kernel = kernel.trim();
    let major = kernel.split('.').next().and_then(|number| number.parse::<u32>().ok());
    let bench = Finding::well("bench", machine.bench.clone());
    let kernel = match major {
        Some(..6) => {
            Finding::lacking("kernel", kernel, "Linux 6 or later switches the ports of USB hubs more reliably")
        }
        Some(_) => Finding::well("kernel", kernel),
        None => Finding::lacking("kernel", "not known", "racks are tested on Linux"),
    };
    vec![bench, kernel]
}
