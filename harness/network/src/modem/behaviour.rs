//! What a modem is, and how it misbehaves.

use std::net::Ipv4Addr;

use clock::Duration;

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
    /// When it tells that the peer has closed.
    pub on_close: OnClose,
    /// It falls silent for a while.
    pub stall: Option<Stall>,
    /// It loses the network after the device has read so many bytes.
    pub network_closes_after_bytes: Option<u32>,
    /// It resets itself after the device has read so many bytes.
    pub resets_after_bytes: Option<u32>,
    /// Links that are taken after a reset, counted from link 0.
    pub links_taken_after_reset: u8,
    /// Bytes of data that are lost on the serial line.
    pub loses: Option<LostBytes>,
}

impl ModemConfig {
    /// A good modem at `address`.
    pub const fn new(address: Ipv4Addr, prefix_bits: u8, gateway: Ipv4Addr, dns: Ipv4Addr) -> Self {
        Self {
            address,
            prefix_bits,
            gateway,
            dns,
            mtu_bytes: 1_500,
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

/// What AT+CIPOPEN does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOpen {
    /// It opens a connection.
    Connects,
    /// It answers ERROR.
    Error,
    /// It answers OK, and nothing comes of it.
    Silence,
}

/// What AT+CIPSEND does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSend {
    /// It asks for the data and sends all of it.
    Takes,
    /// It sends the first so many bytes of the data, and says so.
    TakesAtMost(u16),
    /// The first time, it waits for the data without having asked for it.
    NoPrompt,
}

/// How a modem tells that data has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnData {
    /// Once, when there was none before.
    Tells,
    /// It does not tell.
    Silence,
    /// Twice in a row.
    TellsTwice,
}

/// When a modem tells that the peer has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnClose {
    /// A little later, whatever else is going on.
    Tells,
    /// If data is waiting: between the next AT+CIPRXGET=2 and its answer.
    BeforeAnAnswer,
}

/// A modem that falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// After the device has read so many bytes.
    pub after_bytes: u32,
    /// For so long.
    pub lasts: Duration,
}

/// Bytes of data that are lost on the serial line to the device, as by a UART that overruns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostBytes {
    /// The first one, counted from 0 over all that the device has read.
    pub at_byte: u32,
    /// How many.
    pub count: u32,
}
