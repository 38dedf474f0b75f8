//! A connection to the broker: TCP, the device's own or its modem's, and TLS on top of it if the plan says so.

use core::net::IpAddr;

use outcome::Stage;
use smoltcp::socket::tcp;

use crate::device::Device;
use crate::fault::{Fault, Trouble};
use crate::modem;
use crate::platform::Platform;
use crate::tls::{Agreed, Probe, Session, Wire, WireEnd};

/// How long a connection may take to close in good order before it is forgotten, in microseconds.
const LINGER_US: u64 = 1_000_000;

/// An open connection.
pub(crate) struct Stream<S> {
    tls: Option<S>,
}

/// Opens the TCP connection.
pub(crate) fn dial<P: Platform>(
    device: &mut Device<'_, P>,
    address: IpAddr,
    port: u16,
    timeout_us: u64,
) -> Result<(), Fault> {
    let until_us = device.now_us() + timeout_us;
    device.tcp_dial(address, port)?;
    loop {
        match device.tcp()?.state() {
            tcp::State::SynSent | tcp::State::SynReceived => {}
            tcp::State::Closed => return Err(Fault::ConnectRefused),
            _ => return Ok(()),
        }
        if !device.wait(until_us) {
            return Err(Fault::ConnectTimedOut);
        }
    }
}

/// Puts a question to the broker on the open TCP connection.
pub(crate) fn put<P: Platform>(
    device: &mut Device<'_, P>,
    probe: &mut dyn Probe,
    timeout_us: u64,
) -> Result<bool, Fault> {
    let until_us = device.now_us() + timeout_us;
    loop {
        if let Some(answer) = probe.ask(&mut TcpWire { device, received_bytes: &mut 0 }) {
            return Ok(answer);
        }
        if !device.wait(until_us) {
            return Err(Fault::HandshakeTimedOut);
        }
    }
}

/// Closes the TCP connection, if there is one, having sent what is still to be sent, and waits a little for the other
/// side to do so too.
pub(crate) fn hang_up<P: Platform>(device: &mut Device<'_, P>) {
    if device.modem.is_fitted() {
        return modem::hang_up(device);
    }
    let until_us = device.now_us() + LINGER_US;
    if let Ok(socket) = device.tcp() {
        socket.close();
    }
    while device.tcp().is_ok_and(|socket| socket.is_active()) && device.wait(until_us) {}
}

impl<S: Session> Stream<S> {
    /// The bare TCP connection.
    pub(crate) const fn plain() -> Self {
        Self { tls: None }
    }

    /// Shakes hands on the open TCP connection.
    pub(crate) fn secure<P: Platform>(
        device: &mut Device<'_, P>,
        mut session: S,
        timeout_us: u64,
    ) -> Result<(Self, Agreed), Trouble> {
        let mut received_bytes = 0;
        let start_us = device.now_us();
        let end_us = session.handshake_ms_max().map_or(u64::MAX, |ms| start_us + u64::from(ms) * 1000);
        let mut until_us = end_us.min(start_us + timeout_us);
        loop {
            let received_before = received_bytes;
            let mut wire = TcpWire { device, received_bytes: &mut received_bytes };
            if session.handshake(&mut wire)? {
                let agreed = session.agreed();
                return Ok((Self { tls: Some(session) }, agreed));
            }
            if received_bytes > received_before {
                until_us = end_us.min(device.now_us() + timeout_us);
            }
            if !device.wait(until_us) {
                return Err(Fault::HandshakeTimedOut.into());
            }
        }
    }

    /// Takes bytes that have arrived; 0 if none have.
    pub(crate) fn read<P: Platform>(&mut self, device: &mut Device<'_, P>, into: &mut [u8]) -> Result<usize, Trouble> {
        let mut wire = TcpWire { device, received_bytes: &mut 0 };
        match &mut self.tls {
            Some(session) => Ok(session.read(&mut wire, into)?),
            None => Ok(wire.read(into)?),
        }
    }

    /// Sends all of `bytes`.
    pub(crate) fn write<P: Platform>(
        &mut self,
        device: &mut Device<'_, P>,
        mut bytes: &[u8],
        timeout_us: u64,
    ) -> Result<(), Trouble> {
        let until_us = device.now_us() + timeout_us;
        while !bytes.is_empty() {
            let mut wire = TcpWire { device, received_bytes: &mut 0 };
            let taken = match &mut self.tls {
                Some(session) => session.write(&mut wire, bytes)?,
                None => wire.write(bytes)?,
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            if taken == 0 && !device.wait(until_us) {
                return Err(Fault::SendTimedOut.into());
            }
        }
        Ok(())
    }

    /// Says goodbye to the TLS peer; [`hang_up`] is still to come.
    pub(crate) fn close<P: Platform>(mut self, device: &mut Device<'_, P>) {
        if let Some(session) = &mut self.tls {
            session.close(&mut TcpWire { device, received_bytes: &mut 0 });
        }
    }
}

/// The device's TCP socket, or its modem's, as a TLS library wants it.
struct TcpWire<'a, 'p, P: Platform> {
    device: &'a mut Device<'p, P>,
    received_bytes: &'a mut u64,
}

impl<P: Platform> Wire for TcpWire<'_, '_, P> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, WireEnd> {
        if self.device.modem.is_fitted() {
            let count = modem::read(self.device, into)?;
            *self.received_bytes += count as u64;
            return Ok(count);
        }
        let socket = self.device.tcp().map_err(|_| WireEnd::Reset)?;
        if !socket.can_recv() {
            self.device.poll();
        }
        let socket = self.device.tcp().map_err(|_| WireEnd::Reset)?;
        let count = socket.recv_slice(into).map_err(|error| match error {
            tcp::RecvError::Finished => WireEnd::Closed,
            tcp::RecvError::InvalidState => WireEnd::Reset,
        })?;
        *self.received_bytes += count as u64;
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, WireEnd> {
        if self.device.modem.is_fitted() {
            return modem::write(self.device, bytes);
        }
        let socket = self.device.tcp().map_err(|_| WireEnd::Reset)?;
        let taken = socket.send_slice(bytes).map_err(|tcp::SendError::InvalidState| WireEnd::Reset)?;
        // What comes next may be a second of arithmetic: on the line with it.
        self.device.poll();
        Ok(taken)
    }

    fn enter(&mut self, stage: Stage) {
        if self.device.stage() < stage {
            self.device.enter(stage);
        }
    }
}
