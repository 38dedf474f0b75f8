//! The USB device of a debug probe, found by its identity just before it is reset: of two boards of one kind, only the
//! right one may be.

use std::fs;
use std::path::Path;

use blame::{Error, Result};

/// A USB device by what stays: vendor, product and, if the selector names one, serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    vendor: String,
    product: String,
    serial_number: Option<String>,
}

impl Identity {
    /// The device of a selector `VID:PID[-INTERFACE][:SERIAL]`; `None` if it is no such selector.
    pub fn of_selector(selector: &str) -> Option<Self> {
        let (vendor, rest) = selector.split_once(':')?;
        let (product, serial) = rest.split_once(':').map_or((rest, None), |(product, serial)| (product, Some(serial)));
        let product = product.split('-').next().unwrap_or(product);
        let is_id = |text: &str| text.len() == 4 && text.chars().all(|c| c.is_ascii_hexdigit());
        (is_id(vendor) && is_id(product)).then(|| Self {
            vendor: vendor.to_lowercase(),
            product: product.to_lowercase(),
            serial_number: serial.filter(|serial| !serial.is_empty()).map(str::to_owned),
        })
    }

    /// Where the device is now, as `usbreset` (usbutils) wants it: `BUS/DEVICE`.
    ///
    /// # Errors
    ///
    /// If it is not there, or if several devices answer to it.
    pub fn place(&self, root: &Path) -> Result<String> {
        let folder = root.join("sys/bus/usb/devices");
        let listing = fs::read_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        let places: Vec<String> = listing.flatten().filter_map(|item| self.place_of(&item.path())).collect();
        match places.as_slice() {
            [place] => Ok(place.clone()),
            [] => Err(Error::bench(format!("no USB device {}:{} is plugged in", self.vendor, self.product))),
            several => Err(Error::author(format!(
                "{} USB devices are {}:{}, and the probe's selector does not say which: add the serial number",
                several.len(),
                self.vendor,
                self.product
            ))),
        }
    }

    fn place_of(&self, device: &Path) -> Option<String> {
        let attribute = |name: &str| fs::read_to_string(device.join(name)).ok().map(|text| text.trim().to_owned());
        let same = attribute("idVendor")? == self.vendor
            && attribute("idProduct")? == self.product
            && (self.serial_number.is_none() || attribute("serial") == self.serial_number);
        let number = |name: &str| attribute(name)?.parse::<u16>().ok();
        let (bus, number) = (number("busnum")?, number("devnum")?);
        same.then(|| format!("{bus:03}/{number:03}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with two boards of one kind.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (place, serial, number) in [("1-1.2", "AA:BB", "7"), ("1-1.3", "CC:DD", "12")] {
            let device = root.path().join("sys/bus/usb/devices").join(place);
            fs::create_dir_all(&device).expect("a folder");
            let attributes =
                [("idVendor", "303a"), ("idProduct", "1001"), ("serial", serial), ("busnum", "1"), ("devnum", number)];
            for (name, text) in attributes {
                fs::write(device.join(name), format!("{text}\n")).expect("a file");
            }
        }
        fs::create_dir_all(root.path().join("sys/bus/usb/devices/1-1.2:1.0")).expect("an interface");
        root
    }

    fn place(selector: &str) -> Result<String> {
        Identity::of_selector(selector).expect("a selector").place(machine().path())
    }

    #[test]
    fn of_two_boards_of_one_kind_the_right_one_is_found() {
        assert_eq!(place("303a:1001:CC:DD"), Ok("001/012".into()));
        assert_eq!(place("303A:1001-0:AA:BB"), Ok("001/007".into()));
    }

    #[test]
    fn a_selector_that_fits_two_boards_resets_neither() {
        assert!(place("303a:1001").expect_err("two of them").message.contains("add the serial number"));
        assert!(place("303a:1001:EE").expect_err("none of them").message.contains("no USB device"));
    }

    #[test]
    fn what_is_no_selector_is_no_usb_device() {
        for text in ["", "emulated", "socket:/tmp/x", "303a", "303a:1", "../..:1001"] {
            assert_eq!(Identity::of_selector(text), None, "{text}");
        }
    }
}
