//! What is plugged in: USB serial ports by names that stay, and the debug probes beside them.
//!
//! Read from sysfs and `/dev/serial`, below a root that may be a folder of a test.

use std::fs;
use std::path::{Path, PathBuf};

use board::flasher::ProbeEntry;
use chip::Chip;

use crate::map::Facts;

/// No file of sysfs that is read here is longer, in bytes.
const ATTRIBUTE_BYTES_MAX: usize = 256;
/// How far a port is from its USB device in sysfs: interface, and for some drivers a port of its own.
const PARENTS_MAX: usize = 6;

/// A USB serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name by now: `ttyACM0`.
    pub tty: String,
    /// The best name that stays: in `/dev/serial/by-id`, else in `by-path`, else none.
    pub stable: Option<PathBuf>,
    /// The USB device's vendor, in hexadecimal.
    pub vendor: String,
    /// The USB device's product, in hexadecimal.
    pub product: String,
    /// The USB device's serial number.
    pub serial_number: Option<String>,
    /// Where it is plugged in: `1-1.4`.
    pub place: String,
}

/// A board that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its serial port.
    pub port: Port,
    /// What selects its debug probe, if it is known.
    pub probe: Option<String>,
}

/// The boards that are plugged in, in the order of their places.
pub fn scan(root: &Path, probes: &[ProbeEntry]) -> Vec<Found> {
    ports(root)
        .into_iter()
        .map(|port| {
            // A chip that is a debug probe itself.
            let own = port.chips().iter().any(|chip| chip.usb.iter().any(|usb| usb.is_probe));
            let serial = port.serial_number.as_ref();
            let known = probes.iter().find(|probe| serial.is_some() && probe.serial_number.as_ref() == serial);
            let probe = known.map(|probe| probe.selector.clone()).or_else(|| {
                let serial = serial.map_or_else(String::new, |serial| format!(":{serial}"));
                own.then(|| format!("{}:{}{serial}", port.vendor, port.product))
            });
            Found { port, probe }
        })
        .collect()
}

/// The USB serial ports below `root`, in the order of their places.
pub fn ports(root: &Path) -> Vec<Port> {
    let class = root.join("sys/class/tty");
    let Ok(listing) = fs::read_dir(&class) else { return Vec::new() };
    let mut ports: Vec<Port> = listing.flatten().filter_map(|item| port(root, &item.path())).collect();
    ports.sort_by(|a, b| (&a.place, &a.tty).cmp(&(&b.place, &b.tty)));
    ports
}

fn port(root: &Path, link: &Path) -> Option<Port> {
    let tty = link.file_name()?.to_str()?.to_owned();
    // Consoles and terminals have no device that is plugged in.
    let device = fs::canonicalize(link.join("device")).ok()?;
    let usb = device.ancestors().take(PARENTS_MAX).find(|folder| folder.join("idVendor").is_file())?;
    Some(Port {
        stable: stable(root, &tty),
        vendor: attribute(usb, "idVendor")?,
        product: attribute(usb, "idProduct")?,
        serial_number: attribute(usb, "serial"),
        place: usb.file_name()?.to_string_lossy().into_owned(),
        tty,
    })
}

/// A file of one line; nothing that a file of ours could not hold.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(ATTRIBUTE_BYTES_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// The name that udev gives the port for as long as it is this device, or in this place.
fn stable(root: &Path, tty: &str) -> Option<PathBuf> {
    ["by-id", "by-path"].into_iter().find_map(|kind| {
        let folder = root.join("dev/serial").join(kind);
        let mut names: Vec<PathBuf> = fs::read_dir(folder)
            .ok()?
            .flatten()
            .filter(|item| fs::read_link(item.path()).is_ok_and(|target| target.file_name() == Some(tty.as_ref())))
            .map(|item| Path::new("/dev/serial").join(kind).join(item.file_name()))
            .collect();
        names.sort();
        names.into_iter().next()
    })
}

impl Port {
    /// The chips that such a USB device may be.
    fn chips(&self) -> Vec<&'static Chip> {
        let number = |text: &str| u16::from_str_radix(text, 16).ok();
        number(&self.vendor).zip(number(&self.product)).into_iter().flat_map(|(v, p)| chip::at_usb(v, p)).collect()
    }
}

impl Found {
    /// A name for it.
    pub fn name(&self) -> String {
        let own = self.port.serial_number.as_deref().unwrap_or(&self.port.place);
        let end: String = own.chars().filter(char::is_ascii_alphanumeric).collect();
        let end: String = end.chars().skip(end.chars().count().saturating_sub(6)).collect();
        format!("board_{}", end.to_lowercase())
    }

    /// Whether the map's `facts` are about it.
    pub fn is(&self, facts: &Facts) -> bool {
        let same_probe = self.probe.as_ref().is_some_and(|probe| probe.eq_ignore_ascii_case(&facts.probe));
        same_probe || (self.port.stable.is_some() && self.port.stable == facts.serial)
    }

    /// The text of its file.
    pub fn file(&self) -> String {
        let port = &self.port;
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let serial = port.stable.clone().unwrap_or_else(|| Path::new("/dev").join(&port.tty));
        // A bridge may be in front of any of them that a probe can flash.
        let flashable = || chip::CHIPS.iter().copied().filter(|chip| chip.probe_target.is_some()).collect();
        let known = Some(port.chips()).filter(|chips| !chips.is_empty()).unwrap_or_else(flashable);
        let names: Vec<&str> = known.iter().map(|chip| chip.name).collect();
        let (chip, others) = match names.as_slice() {
            [] => ("", String::new()),
            [only] => (*only, String::new()),
            [first, others @ ..] => (*first, format!(" It may be {}", others.join(", "))),
        };
        let unstable =
            if port.stable.is_some() { "" } else { "# LOOK HERE: this name changes; udev gives no better one\n" };
        let probe = self.probe.as_deref().map_or_else(
            || "# LOOK HERE: which debug probe? `probe list` names them\nprobe = \"\"\n".to_owned(),
            |probe| format!("probe = {}\n", quoted(probe)),
        );
        format!(
            "# Written by `cargo xtask boards --scan`: USB {}:{} in {}.\n\
             # LOOK HERE: is it this chip?{others}\nchip = {}\n{probe}{unstable}serial = {}\n\
             # How its power is switched, if it can be: `uhubctl` lists hubs and ports.\n\
             # [power]\n# hub = \"{}\"\n# port = {}\n",
            port.vendor,
            port.product,
            port.place,
            quoted(chip),
            quoted(&serial.to_string_lossy()),
            port.place.rsplit_once('.').map_or("1-1", |(hub, _)| hub),
            port.place.rsplit(['.', '-']).next().unwrap_or("1"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;
    use std::os::unix::fs::symlink;

    /// A machine with an ESP32-C3 at a hub, a UART bridge without a serial number, and a console.
    pub(crate) fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let usb = root.path().join("sys/devices/pci0/usb1/1-1");
        for (place, tty, vendor, product, serial) in [
            ("1-1.4", "ttyACM0", "303a", "1001", Some("DC:DA:0C:D3:FE:D8")),
            ("1-1.2", "ttyUSB0", "10c4", "ea60", None),
        ] {
            let device = usb.join(place);
            let interface = device.join(format!("{place}:1.0"));
            fs::create_dir_all(interface.join("tty").join(tty)).expect("a folder");
            fs::write(device.join("idVendor"), format!("{vendor}\n")).expect("a file");
            fs::write(device.join("idProduct"), format!("{product}\n")).expect("a file");
            if let Some(serial) = serial {
                fs::write(device.join("serial"), format!("{serial}\n")).expect("a file");
            }
            let class = root.path().join("sys/class/tty").join(tty);
            fs::create_dir_all(&class).expect("a folder");
            symlink(&interface, class.join("device")).expect("a link");
        }
        fs::create_dir_all(root.path().join("sys/class/tty/console")).expect("a folder");
        let by_id = root.path().join("dev/serial/by-id");
        fs::create_dir_all(&by_id).expect("a folder");
        symlink("../../ttyACM0", by_id.join("usb-Espressif_USB_JTAG_DC:DA-if00")).expect("a link");
        root
    }

    #[test]
    fn what_is_plugged_in_is_found_with_names_that_stay() {
        let machine = machine();
        let found = scan(machine.path(), &[]);
        let names: Vec<String> = found.iter().map(Found::name).collect();
        assert_eq!(names, ["board_112", "board_d3fed8"]);
        assert_eq!(found[0].probe, None);
        assert_eq!(found[1].probe.as_deref(), Some("303a:1001:DC:DA:0C:D3:FE:D8"));
        let stable = found[1].port.stable.as_deref();
        assert_eq!(stable, Some(Path::new("/dev/serial/by-id/usb-Espressif_USB_JTAG_DC:DA-if00")));
    }

    #[test]
    fn the_file_that_is_written_can_be_read_and_is_about_that_board() {
        let machine = machine();
        let found = scan(machine.path(), &[]);
        let facts = map::parse("board.toml", &found[1].file()).expect("a good file");
        assert!(found[1].is(&facts) && !found[0].is(&facts));
        // What is not known is an error until somebody fills it in.
        let problem = map::parse("board.toml", &found[0].file()).expect_err("no probe");
        assert!(problem.to_string().contains("names no debug probe"), "{problem}");
        assert!(found[0].file().contains("LOOK HERE: this name changes"));
    }

    #[test]
    fn a_probe_that_is_listed_is_taken_as_it_is_listed() {
        let machine = machine();
        let probe = ProbeEntry {
            name: "ESP JTAG".into(),
            selector: "303a:1001-2:DC:DA:0C:D3:FE:D8".into(),
            serial_number: Some("DC:DA:0C:D3:FE:D8".into()),
            accessible: true,
        };
        let found = scan(machine.path(), &[probe]);
        assert_eq!(found[1].probe.as_deref(), Some("303a:1001-2:DC:DA:0C:D3:FE:D8"));
    }

    #[test]
    fn a_machine_without_sysfs_has_nothing_plugged_in() {
        assert_eq!(scan(Path::new("nowhere"), &[]), []);
    }
}
