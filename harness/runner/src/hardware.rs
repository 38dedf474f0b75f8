//! Which board: a connected one from the hardware map, or the emulated chip.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::cli::On;

/// The hardware map: what is plugged in where, on this machine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HardwareMap {
    #[serde(default, rename = "board")]
    boards: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The kind of board.
    chip: String,
    /// The serial port at which it is found.
    serial_port: String,
}

/// The file, below the workspace's root.
const MAP: &str = "ci/hardware-map.toml";

/// The first line of a run: which board it is, and why.
///
/// # Errors
///
/// If a real board was asked for and there is none.
pub fn choose(root: &Path, on: On) -> Result<String, String> {
    if on == On::Emulator {
        return Ok("On an emulated ESP32-C3".into());
    }
    let map = read(root)?;
    let connected = map.boards.iter().find(|entry| entry.chip == "esp32c3" && Path::new(&entry.serial_port).exists());
    match (on, connected) {
        (On::Hardware, None) => Err(format!("no board: {MAP} names no ESP32-C3 that is connected")),
        (On::Hardware, Some(entry)) => Err(format!(
            "{} is connected, but this version cannot drive a real board: run with `--on emulator`",
            entry.serial_port
        )),
        (_, Some(entry)) => Ok(format!(
            "On an emulated ESP32-C3 ({} is connected, but this version cannot drive a real board)",
            entry.serial_port
        )),
        (_, None) => Ok("On an emulated ESP32-C3 (no board is connected)".into()),
    }
}

fn read(root: &Path) -> Result<HardwareMap, String> {
    let file = root.join(MAP);
    match fs::read_to_string(&file) {
        Ok(text) => toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(HardwareMap::default()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_that_is_not_there_is_the_benchs_failure() {
        let nowhere = Path::new("nowhere");
        assert!(choose(nowhere, On::Hardware).unwrap_err().contains("no board"));
        assert!(choose(nowhere, On::Auto).unwrap().contains("emulated"));
    }
}
