use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// A machine in a folder: one ESP32-C3 plugged in at `/dev/ttyACM0`, which belongs to whoever runs the test.
fn files() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let usb = root.path().join("sys/devices/usb1/1-1");
    let interface = usb.join("1-1:1.0");
    fs::create_dir_all(&interface).expect("a folder");
    for (name, text) in [("idVendor", "303a\n"), ("idProduct", "1001\n"), ("serial", "DC:DA\n")] {
        fs::write(usb.join(name), text).expect("a file");
    }
    let class = root.path().join("sys/class/tty/ttyACM0");
    fs::create_dir_all(&class).expect("a folder");
    symlink(&interface, class.join("device")).expect("a link");
    for folder in ["dev", "etc/udev/rules.d", "proc/sys/kernel", "sys/bus/usb", "map"] {
        fs::create_dir_all(root.path().join(folder)).expect("a folder");
    }
    fs::write(root.path().join("dev/ttyACM0"), "").expect("a file");
    fs::write(root.path().join("etc/udev/rules.d/69-probes.rules"), "ATTRS{idVendor}==\"303a\", TAG+=\"uaccess\"\n")
        .expect("a file");
    fs::write(root.path().join("proc/sys/kernel/osrelease"), "6.12.1\n").expect("a file");
    root
}

/// Its machine: a user who owns nothing, and has no group.
fn machine(root: &Path) -> Machine {
    Machine {
        bench: "1.0 with OpenSSL 3.6".into(),
        workspace: root.to_owned(),
        map: root.join("map"),
        system_root: root.to_owned(),
        user: u32::MAX - 1,
        groups: Vec::new(),
        finds_program: |name| Some(Path::new("/usr/bin").join(name)),
    }
}

/// What is found about something, at its worst.
fn about(machine: &Machine, about: &str) -> Finding {
    let findings = examine(machine).into_iter().filter(|finding| finding.about == about);
    findings.max_by_key(|finding| finding.gravity).unwrap_or_else(|| panic!("nothing about {about}"))
}

fn mode(root: &Path, mode: u32) {
    fs::set_permissions(root.join("dev/ttyACM0"), fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn every_finding_that_is_not_well_has_a_remedy() {
    let root = files();
    mode(root.path(), 0o600);
    let mut machine = machine(root.path());
    machine.finds_program = |_| None;
    let findings = examine(&machine);
    for finding in &findings {
        assert_eq!(finding.gravity == Gravity::Well, finding.remedy.is_empty(), "{finding:?}");
    }
    assert!(findings.iter().any(|finding| finding.gravity == Gravity::Ill));
}

#[test]
fn a_port_that_its_group_may_open_needs_a_group_and_not_root() {
    use std::os::unix::fs::MetadataExt as _;
    let root = files();
    mode(root.path(), 0o660);
    let gid = fs::metadata(root.path().join("dev/ttyACM0")).expect("the port").gid();
    fs::write(root.path().join("etc/group"), format!("tty:x:{}:\ndialout:x:{gid}:\n", gid + 1)).expect("a file");
    let mut machine = machine(root.path());
    let finding = about(&machine, "serial ports");
    assert_eq!(finding.gravity, Gravity::Ill);
    assert!(finding.remedy.contains("usermod -aG dialout"), "{finding:?}");
    machine.groups = vec![gid];
    assert_eq!(about(&machine, "serial ports").gravity, Gravity::Well);
}

#[test]
fn rules_that_come_too_late_or_not_at_all_are_told_apart() {
    let root = files();
    let machine = machine(root.path());
    assert_eq!(about(&machine, "udev rules").gravity, Gravity::Well);
    let rules = root.path().join("etc/udev/rules.d");
    fs::rename(rules.join("69-probes.rules"), rules.join("99-probes.rules")).expect("it is ours");
    assert!(about(&machine, "udev rules").words.contains("after 73-seat-late"));
    fs::remove_file(rules.join("99-probes.rules")).expect("it is ours");
    assert!(about(&machine, "udev rules").words.contains("no rule"));
}

#[test]
fn a_board_that_is_not_plugged_in_or_whose_name_changes_is_named() {
    let root = files();
    let file = root.path().join("map/door.toml");
    fs::write(&file, "chip = \"esp32c3\"\nprobe = \"303a:1001\"\nserial = \"/dev/ttyACM0\"\n").expect("a file");
    let machine = machine(root.path());
    assert!(about(&machine, "hardware map").words.contains("another board's name"));
    fs::write(&file, "chip = \"esp32c3\"\nprobe = \"303a:1001\"\nserial = \"/dev/serial/by-id/x\"\n").expect("a file");
    assert!(about(&machine, "hardware map").words.contains("there is no /dev/serial/by-id/x"));
    fs::write(&file, "chip = 1\n").expect("a file");
    assert!(about(&machine, "hardware map").words.contains("door.toml:1"));
}

#[test]
fn a_hub_in_the_map_makes_its_program_needed() {
    let root = files();
    let mut machine = machine(root.path());
    machine.finds_program = |_| None;
    assert!(!examine(&machine).iter().any(|finding| finding.about == "hubs"), "nobody needs it");
    let text = "chip = \"esp32c3\"\nprobe = \"emulated\"\n[power]\nhub = \"1-1\"\nport = 1\n";
    fs::write(root.path().join("map/door.toml"), text).expect("a file");
    assert_eq!(about(&machine, "hubs").gravity, Gravity::Ill);
}

#[test]
fn little_room_and_an_old_kernel_are_told() {
    assert_eq!(checks::disk_of(100 << 20).gravity, Gravity::Ill);
    assert_eq!(checks::disk_of(100 << 30).gravity, Gravity::Well);
    let root = files();
    fs::write(root.path().join("proc/sys/kernel/osrelease"), "5.10.0\n").expect("a file");
    assert_eq!(about(&machine(root.path()), "kernel").gravity, Gravity::Lacking);
}

#[test]
fn a_program_that_takes_ports_is_told() {
    let root = files();
    fs::create_dir_all(root.path().join("usr/sbin")).expect("a folder");
    fs::write(root.path().join("usr/sbin/ModemManager"), "").expect("a file");
    assert!(about(&machine(root.path()), "ModemManager").remedy.contains("ID_MM_DEVICE_IGNORE"));
}
