//! The way in which the SIM7600 example of esp-protocols reads its modem: piece by piece as the UART delivers, and each
//! piece has to be what was waited for (components/esp_modem/examples/modem_tcp_client/main/sock_commands_sim7600.cpp,
//! `Responder::recv`, `Responder::send`, `Responder::check_async_replies`).
//!
//! Of what the modem says unasked, it knows `+CIPRXGET: 1` alone. A `+IPCLOSE` that comes while an answer is awaited is
//! taken for the answer, and the data that the modem still holds is lost.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ANSWER_WITHIN_US, send_line};
use crate::device::Device;
use crate::platform::Platform;
use crate::tls::WireEnd;

/// `Responder::buffer_size`, in bytes.
const BUFFER_BYTES: usize = 512;
/// Sent after the data, although its length was given.
const CTRL_Z: &[u8] = b"\x1a";

/// `Responder::recv`.
pub(super) fn read<P: Platform>(device: &mut Device<'_, P>, into: &mut [u8]) -> Result<usize, WireEnd> {
    let link = device.modem.link.ok_or(WireEnd::Reset)?;
    let piece = device.modem.inbox.all();
    check_async_replies(device, &piece);
    if !device.modem.has_data {
        return Ok(0);
    }
    device.modem.has_data = false;
    let bytes_max = into.len().min(BUFFER_BYTES);
    send_line(device, &format!("AT+CIPRXGET=2,{link},{bytes_max}"));
    let piece = next_piece(device)?;
    let head = format!("+CIPRXGET: 2,{link},");
    let Some(at) = find(&piece, head.as_bytes()) else {
        return Err(fail(device, "no `+CIPRXGET: 2` in", &piece));
    };
    check_async_replies(device, piece.get(..at).unwrap_or_default());
    let after = piece.get(at + head.len()..).unwrap_or_default();
    let numbers = after.iter().position(|byte| *byte == b'\n').map(|end| after.split_at(end + 1));
    let counts = numbers.and_then(|(line, rest)| {
        let (count, left) = core::str::from_utf8(line).ok()?.trim().split_once(',')?;
        Some((count.parse::<usize>().ok()?, left.parse::<usize>().ok()?, rest))
    });
    let Some((count, left, rest)) = counts.filter(|(count, ..)| *count <= into.len()) else {
        return Err(fail(device, "no lengths in", &piece));
    };
    let mut data = Vec::from(rest);
    while data.len() < count {
        data.extend(next_piece(device)?);
    }
    let place = into.get_mut(..count).ok_or(WireEnd::Reset)?;
    place.copy_from_slice(data.get(..count).ok_or(WireEnd::Reset)?);
    check_async_replies(device, data.get(count..).unwrap_or_default());
    device.modem.has_data |= left > 0;
    Ok(count)
}

/// `Responder::send`, the one and then the other. That fewer bytes were taken than given is not looked at.
pub(super) fn write<P: Platform>(device: &mut Device<'_, P>, link: u8, bytes: &[u8]) -> Result<usize, WireEnd> {
    let bytes = bytes.get(..BUFFER_BYTES).unwrap_or(bytes);
    let piece = device.modem.inbox.all();
    check_async_replies(device, &piece);
    send_line(device, &format!("AT+CIPSEND={link},{}", bytes.len()));
    let piece = next_piece(device)?;
    if !piece.contains(&b'>') {
        return Err(fail(device, "missed `>` in", &piece));
    }
    device.platform.modem_write(bytes);
    device.platform.modem_write(CTRL_Z);
    loop {
        let piece = next_piece(device)?;
        check_async_replies(device, &piece);
        if find(&piece, b"+CIPSEND:").is_some() {
            return Ok(bytes.len());
        }
        if find(&piece, b"ERROR").is_some() {
            return Err(fail(device, "failed to send:", &piece));
        }
    }
}

fn check_async_replies<P: Platform>(device: &mut Device<'_, P>, piece: &[u8]) {
    device.modem.has_data |= find(piece, b"+CIPRXGET: 1").is_some();
}

/// What the UART delivers next.
fn next_piece<P: Platform>(device: &mut Device<'_, P>) -> Result<Vec<u8>, WireEnd> {
    let until_us = device.now_us() + ANSWER_WITHIN_US;
    while device.modem.inbox.is_empty() {
        if !device.wait(until_us) {
            return Err(fail(device, "timed out after", b""));
        }
    }
    Ok(device.modem.inbox.all())
}

fn fail<P: Platform>(device: &mut Device<'_, P>, what: &str, piece: &[u8]) -> WireEnd {
    const SHOWN_BYTES_MAX: usize = 80;
    let shown = piece.get(..SHOWN_BYTES_MAX).unwrap_or(piece);
    let shown: String = shown.iter().flat_map(|byte| core::ascii::escape_default(*byte)).map(char::from).collect();
    device.remark(&format!("modem: {what} \"{shown}\""));
    WireEnd::Reset
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
