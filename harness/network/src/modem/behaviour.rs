//! What a modem is, and how it misbehaves.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::TRANSFER_BYTES_MAX;

/// Everything that a modem is told before it is powered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemConfig {
    /// Its address in the LAN.
    pub address: Ipv4Addr,
    /// The length of its prefix, in bits.
    pub prefix_bits: u8,
    /// Its router.
    pub gateway: Ipv4Addr,
    /// The name server that it asks.
    pub dns: Ipv4Addr,
    /// The longest IP packet that it sends.
    pub mtu_bytes: usize,
    /// What it does.
    pub behaviour: ModemBehaviour,
}

impl ModemConfig {
    /// A good modem at `address`.
    pub fn new(address: Ipv4Addr, prefix_bits: u8, gateway: Ipv4Addr, dns: Ipv4Addr) -> Self {
        Self { address, prefix_bits, gateway, dns, mtu_bytes: 1_500, behaviour: ModemBehaviour::default() }
    }
}

/// What a modem does: an A7670 or SIM7600. The default modem is a good one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename = "Modem", deny_unknown_fields, default)]
pub struct ModemBehaviour {
    /// Whether it echoes commands even after ATE0.
    pub echoes: bool,
    /// What AT+CIPOPEN does.
    pub on_open: OnOpen,
    /// What AT+CIPSEND does.
    pub on_send: OnSend,
    /// The most that one AT+CIPSEND takes, in bytes.
    pub send_bytes_max: u16,
    /// The most that one AT+CIPRXGET=2 gives, in bytes.
    pub read_bytes_max: u16,
    /// How it tells that data has arrived.
    pub on_data: OnData,
    /// When it tells that the broker has closed.
    pub on_close: OnClose,
    /// It falls silent for a while.
    pub stall: Option<Stall>,
    /// It loses its network after the device has read so many bytes.
    pub network_closes_after_bytes: Option<u32>,
    /// It resets itself after the device has read so many bytes.
    pub resets_after_bytes: Option<u32>,
    /// How many links, counted from link 0, are taken after a reset.
    pub links_taken_after_reset: u8,
    /// Bytes of data that are lost on the line to the device.
    pub loses: Option<LostBytes>,
}

impl Default for ModemBehaviour {
    fn default() -> Self {
        Self {
            echoes: false,
            on_open: OnOpen::Connects,
            on_send: OnSend::Takes,
            send_bytes_max: TRANSFER_BYTES_MAX,
            read_bytes_max: TRANSFER_BYTES_MAX,
            on_data: OnData::Tells,
            on_close: OnClose::Tells,
            stall: None,
            network_closes_after_bytes: None,
            resets_after_bytes: None,
            links_taken_after_reset: 0,
            loses: None,
        }
    }
}

impl ModemBehaviour {
    /// Whether there can be such a modem.
    ///
    /// # Errors
    ///
    /// The key whose value no modem of this kind can have, and why.
    pub fn check(&self) -> Result<(), Impossible> {
        for (key, bytes) in [("send_bytes_max", self.send_bytes_max), ("read_bytes_max", self.read_bytes_max)] {
            if !(1..=TRANSFER_BYTES_MAX).contains(&bytes) {
                return Err(Impossible {
                    key,
                    why: "no such modem moves so much, or so little, at once",
                    remedy: "give a number from 1 to 1500",
                });
            }
        }
        if self.on_send == OnSend::TakesAtMost(0) {
            return Err(Impossible {
                key: "on_send",
                why: "nothing at all would be sent",
                remedy: "give the number of bytes that it takes at once",
            });
        }
        if self.links_taken_after_reset > 9 {
            return Err(Impossible {
                key: "links_taken_after_reset",
                why: "links are numbered from 0 to 9, and one has to be free",
                remedy: "give a number from 0 to 9",
            });
        }
        Ok(())
    }
}

/// Why there can be no such modem: the fault of whoever wrote it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
    /// What to write instead.
    pub remedy: &'static str,
}

/// What AT+CIPOPEN does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOpen {
    /// It opens a connection.
    #[default]
    Connects,
    /// It answers ERROR.
    Error,
    /// It answers OK, and nothing comes of it.
    Silence,
}

/// What AT+CIPSEND does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSend {
    /// It asks for the data and sends all of it.
    #[default]
    Takes,
    /// It sends the first so many bytes of the data, and says so.
    TakesAtMost(u16),
    /// The first time, it waits for the data without having asked for it: the prompt is missing.
    NoPrompt,
}

/// How a modem tells that data has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnData {
    /// Once, when there was none before.
    #[default]
    Tells,
    /// It does not tell: its notices are lost.
    Silence,
    /// Twice in a row.
    TellsTwice,
}

/// When a modem tells that the broker has closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// A little later, whatever else is going on.
    #[default]
    Tells,
    /// If data is waiting: between the next AT+CIPRXGET=2 and its answer.
    BeforeAnAnswer,
}

/// A modem that falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// How many bytes the device has read before.
    pub after_bytes: u32,
    /// How long it lasts, in milliseconds.
    pub ms: u32,
}

/// Bytes of data that are lost on the line to the device, as by a UART that overruns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostBytes {
    /// The first one, counted from 0 over all that the device reads.
    pub at_byte: u32,
    /// How many.
    pub count: u32,
}
