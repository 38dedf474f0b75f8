//! The air round the emulated chip: access points that the command line names, and a small network behind them.

use std::path::PathBuf;

use access_point::{Description, Happening};
use blame::Error;
use capture::Tap;
use clock::{Instant, UnixTime};
use emulator::EmulatedChip;
use host::whole_file;
use network::{Dns, Lan, LanConfig, NoService, Sntp};
use scenario::lan;

use crate::cli::Emulate;
use crate::wifi::{Wifi, options};

/// What the network's clock shows at power-on: 2025-01-01T00:00:00Z, whenever the command is run.
const POWER_ON: UnixTime = UnixTime::from_seconds(1_735_689_600);

/// Access points, and an address, a resolver that knows no name, and the time behind them.
pub struct Surroundings {
    wifi: Wifi,
    lan: Lan<NoService>,
    networks: Vec<Description>,
    tap: Tap,
    capture: Option<PathBuf>,
}

impl Surroundings {
    /// As the command line says.
    ///
    /// # Errors
    ///
    /// A sentence about a network that cannot be.
    pub fn of(arguments: &Emulate) -> blame::Result<Self> {
        let networks: Vec<Description> = arguments.wifi.clone();
        let wifi = Wifi::new(networks.clone(), &arguments.fault, arguments.seed).map_err(Error::usage)?;
        let config = LanConfig {
            addresses: vec![lan::GATEWAY_IPV4.into()],
            dns: Some(Dns::new(vec![lan::DNS_IPV4.into()])),
            sntp: Some(Sntp::new(vec![lan::SNTP_IPV4.into()], POWER_ON)),
            ..LanConfig::default()
        };
        let mut tap = Tap::new(POWER_ON);
        tap.set_comment(options::comment(&networks));
        let lan = Lan::new(config, arguments.seed, NoService);
        Ok(Self { wifi, lan, networks, tap, capture: arguments.capture.clone() })
    }

    /// How far the chip may run: until `until`, or until something is due before.
    pub fn deadline(&mut self, now: Instant, until: Instant) -> Instant {
        let due = Instant::earliest(self.wifi.wants_to_act_at(now), self.lan.poll_at(now));
        due.map_or(until, |at| at.min(until))
    }

    /// Frames of the chip go to the air, and those of the air to the chip. What happens there goes to standard error.
    ///
    /// # Errors
    ///
    /// If the firmware looks for a network and the command line names none: a sentence with the remedy.
    pub fn exchange(&mut self, chip: &mut dyn EmulatedChip) -> blame::Result<()> {
        let now = chip.now();
        for frame in chip.take_radio_output() {
            self.wifi.hear(now, frame);
        }
        self.wifi.act(now, &mut self.lan);
        while let Some(frame) = self.wifi.say() {
            chip.radio_input(frame);
        }
        if self.capture.is_some() {
            for frame in self.wifi.take_overheard() {
                self.tap.frame(frame.at, &frame.bytes);
            }
            for packet in self.lan.take_tap() {
                self.tap.packet(packet.at, &packet.packet);
            }
        }
        for event in self.wifi.take_events() {
            match &event.what {
                Happening::LooksFor { ssid } if self.networks.is_empty() => return Err(Error::usage(looks_for(ssid))),
                Happening::LooksFor { ssid } => {
                    terminal::errln!("{} air: {}", event.at, looks_for(ssid));
                    continue;
                }
                _ => {}
            }
            terminal::errln!("{} air: {} {}", event.at, event.station, event.what);
        }
        Ok(())
    }

    /// Writes the capture, and says how it is read.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn finish(&self) -> blame::Result<()> {
        let Some(file) = &self.capture else { return Ok(()) };
        whole_file::write(file, self.tap.to_pcapng()).map_err(|error| Error::file(file, error))?;
        terminal::errln!("what was on the air, decrypted: {}", options::tshark_line(file, &self.networks));
        Ok(())
    }
}

/// What to give, for a firmware that knows its network already.
fn looks_for(ssid: &[u8]) -> String {
    let name = String::from_utf8_lossy(ssid);
    let is_plain = name.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '\'' | '\\'));
    let given = if is_plain { format!("'ssid={name},psk=…'") } else { "'ssid=…,psk=…'".to_owned() };
    format!(
        "the firmware looks for the network {name:?}, and there is none: give it with --wifi {given}, without psk= an open one"
    )
}
