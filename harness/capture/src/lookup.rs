//! What a device asks before it connects: names (RFC 1035) and the time (RFC 4330).

mod dns;
mod sntp;

use crate::stream::Datagram;
use crate::transcript::{Line, Said, Who};

/// A line for a datagram from or to a name or time server.
pub(crate) fn line(datagram: &Datagram) -> Option<Line> {
    let (said, server_port) = match (datagram.from.port(), datagram.to.port()) {
        (_, port @ (53 | 123)) => (Said::Query, port),
        (port @ (53 | 123), _) => (Said::Answer, port),
        _ => return None,
    };
    let (server, details) = match server_port {
        53 => (Who::Dns, dns::details(&datagram.payload)),
        _ => (Who::Sntp, sntp::details(&datagram.payload, said == Said::Answer)),
    };
    let who = if said == Said::Query { Who::Client } else { server };
    let details = details.unwrap_or_else(|| "malformed".into());
    Some(Line { at: datagram.at, who, said, details })
}
