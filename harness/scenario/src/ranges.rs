//! Numbers that are taken from less than their types hold: what the pages show, and what a test tries at both ends.

use std::fmt;

/// A key of a scenario whose numbers have a range of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The table that it stands in, as a path of keys; empty: at the top of the file.
    pub table: &'static str,
    /// The key.
    pub key: &'static str,
    /// The numbers that it takes.
    pub numbers: Numbers,
}

/// The numbers that a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// From the first to the second, both included.
    From(i64, i64),
    /// These.
    OneOf(&'static [i64]),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.numbers {
            Numbers::From(least, most) => write!(f, "{least} to {most}"),
            Numbers::OneOf(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                write!(f, "one of {}", numbers.join(", "))
            }
        }
    }
}

/// The lengths of fragments that RFC 6066 §4 knows, in bytes.
const FRAGMENTS: Numbers = Numbers::OneOf(&[512, 1_024, 2_048, 4_096]);
/// Plaintext of a record: no library works with less, and RFC 9846 §5.1 knows no more.
const RECORD: Numbers = Numbers::From(512, 16_384);
const PERCENT: Numbers = Numbers::From(0, 100);
const PER_MILLE: Numbers = Numbers::From(0, 1_000);
/// Of the 2.4 GHz band, as far as every country allows it but Japan, which has one more.
const CHANNEL: Numbers = Numbers::From(1, 13);

const fn range(table: &'static str, key: &'static str, numbers: Numbers) -> Range {
    Range { table, key, numbers }
}

/// All of them.
pub const RANGES: &[Range] = &[
    range("", "limit_s", Numbers::From(1, 86_400)),
    range("device", "repeats", Numbers::From(0, 1_000)),
    range("device", "max_fragment_length_bytes", FRAGMENTS),
    range("device", "receive_buffer_bytes", RECORD),
    range("device", "send_buffer_bytes", RECORD),
    range("device.mqtt.acts", "qos", Numbers::From(0, 1)),
    range("device.mqtt.will", "qos", Numbers::From(0, 1)),
    range("pki.leaf", "version", Numbers::From(1, 3)),
    range("pki.leaf", "filler_names", Numbers::From(0, 10_000)),
    range("network", "mtu_bytes", Numbers::From(576, 1_500)),
    range("network", "loss_percent", PERCENT),
    range("network", "duplicate_percent", PERCENT),
    range("network", "reorder_percent", PERCENT),
    range("network", "segment_bytes", Numbers::From(1, 65_535)),
    range("network", "drip_bytes_per_s", Numbers::From(1, 4_294_967_295)),
    range("modem", "send_bytes_max", Numbers::From(1, 1_500)),
    range("modem", "read_bytes_max", Numbers::From(1, 1_500)),
    range("modem", "links_taken_after_reset", Numbers::From(0, 9)),
    range("wifi", "lease_s", Numbers::From(1, 4_294_967_295)),
    range("wifi.access_points", "channel", CHANNEL),
    range("wifi.access_points", "beacon_interval_tu", Numbers::From(10, 10_000)),
    range("wifi.access_points", "dtim_period", Numbers::From(1, 100)),
    range("wifi.access_points", "group_rekey_s", Numbers::From(1, 4_294_967_295)),
    range("wifi.faults", "channel", CHANNEL),
    range("wifi.faults", "from_station_per_mille", PER_MILLE),
    range("wifi.faults", "to_station_per_mille", PER_MILLE),
    range("broker", "record_bytes_max", Numbers::From(32, 16_384)),
    range("broker", "security_level", Numbers::From(0, 5)),
    range("broker", "dh_bits", Numbers::OneOf(&[1_024, 1_536, 2_048, 3_072, 4_096])),
    range("broker.on_server_hello", "max_fragment_length_bytes", FRAGMENTS),
    range("broker.client_certificates", "announce_fillers", Numbers::From(0, 900)),
    range("broker.mqtt.publish", "qos", Numbers::From(0, 1)),
    range("broker.mqtt.publish", "payload_bytes", Numbers::From(0, 1_048_576)),
];
