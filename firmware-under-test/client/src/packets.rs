//! What carries packets, as smoltcp sees it: a serial line with whole IP packets, or a radio with Ethernet frames.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use smoltcp::phy::{self, Medium};
use smoltcp::time::Instant;
use wire::slipmux;

/// Packets that wait to be looked at. More are dropped, as by any device that is busy.
const PACKETS_WAITING_MAX: usize = 16;
/// What a frame has before its packet, in bytes (IEEE Std 802.3-2022 §3.1.1).
#[cfg(feature = "radio")]
const ETHERNET_HEADER_BYTES: usize = 14;

/// Packets under way in both directions.
pub(crate) struct Packets {
    received: VecDeque<Vec<u8>>,
    outgoing: Outgoing,
    /// The largest packet, with its frame.
    bytes_max: usize,
}

/// What is still to be sent.
enum Outgoing {
    /// Bytes for the serial line, framed.
    Line(Vec<u8>),
    /// Frames for the radio.
    #[cfg(feature = "radio")]
    Frames(Vec<Vec<u8>>),
}

impl Packets {
    /// A serial line that takes IP packets of that many bytes.
    pub(crate) const fn line(mtu_bytes: u16) -> Self {
        Self { received: VecDeque::new(), outgoing: Outgoing::Line(Vec::new()), bytes_max: mtu_bytes as usize }
    }

    /// A radio with an interface that takes IP packets of that many bytes.
    #[cfg(feature = "radio")]
    pub(crate) const fn radio(mtu_bytes: u16) -> Self {
        let bytes_max = mtu_bytes as usize + ETHERNET_HEADER_BYTES;
        Self { received: VecDeque::new(), outgoing: Outgoing::Frames(Vec::new()), bytes_max }
    }

    /// A packet has arrived on the serial line.
    pub(crate) fn receive_line(&mut self, packet: Vec<u8>) {
        if matches!(self.outgoing, Outgoing::Line(_)) {
            self.keep(packet);
        }
    }

    /// A frame has arrived; `false` if there is no room for more.
    #[cfg(feature = "radio")]
    pub(crate) fn receive_frame(&mut self, frame: Vec<u8>) -> bool {
        self.keep(frame);
        self.received.len() < PACKETS_WAITING_MAX
    }

    fn keep(&mut self, packet: Vec<u8>) {
        if self.received.len() < PACKETS_WAITING_MAX {
            self.received.push_back(packet);
        }
    }

    /// Takes what the serial line is to carry.
    pub(crate) fn take_line(&mut self) -> Option<Vec<u8>> {
        match &mut self.outgoing {
            Outgoing::Line(line) if !line.is_empty() => Some(core::mem::take(line)),
            _ => None,
        }
    }

    /// Takes what the radio is to send.
    #[cfg(feature = "radio")]
    pub(crate) fn take_frames(&mut self) -> Vec<Vec<u8>> {
        match &mut self.outgoing {
            Outgoing::Frames(frames) => core::mem::take(frames),
            Outgoing::Line(_) => Vec::new(),
        }
    }
}

impl phy::Device for Packets {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn capabilities(&self) -> phy::DeviceCapabilities {
        let mut capabilities = phy::DeviceCapabilities::default();
        capabilities.medium = match self.outgoing {
            Outgoing::Line(_) => Medium::Ip,
            #[cfg(feature = "radio")]
            Outgoing::Frames(_) => Medium::Ethernet,
        };
        capabilities.max_transmission_unit = self.bytes_max;
        capabilities
    }

    fn receive(&mut self, _: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let packet = self.received.pop_front()?;
        Some((Received(packet), Sending(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        Some(Sending(&mut self.outgoing))
    }
}

pub(crate) struct Received(Vec<u8>);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct Sending<'a>(&'a mut Outgoing);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        match self.0 {
            Outgoing::Line(line) => slipmux::encode_ip(&packet, line),
            #[cfg(feature = "radio")]
            Outgoing::Frames(frames) => frames.push(packet),
        }
        result
    }
}
