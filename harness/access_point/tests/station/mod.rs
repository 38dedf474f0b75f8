//! A station that was written from the standard and not from the access point: byte offsets, and HMAC and AES from their
//! crates. It joins, says and hears data, dozes, and acknowledges or not.
#![allow(dead_code, reason = "each test uses its part")]

use access_point::{Air, OnAir, Rate};
use aes::Aes128;
use ccm::aead::AeadInOut;
use ccm::consts::{U8, U13};
use ccm::{Ccm, KeyInit};
use clock::{Duration, Instant};
use hmac::{Hmac, Mac};
use sha1::Sha1;

pub const STATION: [u8; 6] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
const RSN_CCMP_PSK: [u8; 22] = [48, 20, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 2, 0, 0];
const NONCE: [u8; 32] = [0x5a; 32];

fn hmac_sha1(key: &[u8], data: &[u8]) -> [u8; 20] {
    let mut mac = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(key).expect("any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// PBKDF2 as RFC 8018 §5.2 writes it.
fn master_key(passphrase: &str, ssid: &str) -> Vec<u8> {
    let mut key = Vec::new();
    for block in 1u32..=2 {
        let mut salt = ssid.as_bytes().to_vec();
        salt.extend(block.to_be_bytes());
        let mut round = hmac_sha1(passphrase.as_bytes(), &salt);
        let mut sum = round;
        for _ in 1..4096 {
            round = hmac_sha1(passphrase.as_bytes(), &round);
            sum.iter_mut().zip(round).for_each(|(sum, octet)| *sum ^= octet);
        }
        key.extend(sum);
    }
    key.truncate(32);
    key
}

/// AES key unwrap as RFC 3394 §2.2.2 writes it.
fn unwrap(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    use aes::cipher::BlockCipherDecrypt;
    let cipher = <Aes128 as aes::cipher::KeyInit>::new_from_slice(key).ok()?;
    let n = wrapped.len() / 8 - 1;
    let mut a: [u8; 8] = wrapped[..8].try_into().ok()?;
    let mut r: Vec<[u8; 8]> = wrapped[8..].chunks(8).map(|chunk| chunk.try_into().expect("eight")).collect();
    for j in (0..6).rev() {
        for i in (0..n).rev() {
            let t = (n * j + i + 1) as u64;
            let mut block = [0; 16];
            block[..8].copy_from_slice(&(u64::from_be_bytes(a) ^ t).to_be_bytes());
            block[8..].copy_from_slice(&r[i]);
            let mut block = block.into();
            cipher.decrypt_block(&mut block);
            a.copy_from_slice(&block[..8]);
            r[i].copy_from_slice(&block[8..]);
        }
    }
    (a == [0xa6; 8]).then(|| r.concat())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Looks,
    Authenticates,
    Associates,
    Associated,
    Joined,
    Gone { reason: u16 },
    Refused { status: u16 },
}

pub struct Station {
    pub state: State,
    pub ssid: String,
    passphrase: Option<String>,
    rsn: Option<Vec<u8>>,
    pub channel: u8,
    pub bssid: [u8; 6],
    sequence: u16,
    master: Vec<u8>,
    keys: Option<[u8; 48]>,
    installed: bool,
    sent: u64,
    groups: [Option<[u8; 16]>; 4],
    /// Decrypted bodies of data frames, LLC and SNAP included, with whether a group was meant.
    pub heard: Vec<(bool, Vec<u8>)>,
    /// Frame control fields of everything that was heard, with the instant at which it was over.
    pub frames: Vec<(Instant, Vec<u8>)>,
    /// Whether frames for it are acknowledged.
    pub acknowledges: bool,
    /// Whether it answers messages of the handshake.
    pub answers_keys: bool,
    /// Acknowledgements that it has had.
    pub acknowledged: u32,
    pub bad_mics: u32,
    out: Vec<(Instant, Rate, Vec<u8>)>,
    incoming: Vec<OnAir>,
    said_until: Instant,
}

impl Station {
    pub fn new(ssid: &str, passphrase: Option<&str>) -> Self {
        Self {
            state: State::Looks,
            ssid: ssid.to_owned(),
            passphrase: passphrase.map(str::to_owned),
            rsn: passphrase.map(|_| RSN_CCMP_PSK.to_vec()),
            channel: 6,
            bssid: [0; 6],
            sequence: 0,
            master: passphrase.map(|passphrase| master_key(passphrase, ssid)).unwrap_or_default(),
            keys: None,
            installed: false,
            sent: 0,
            groups: [None; 4],
            heard: Vec::new(),
            frames: Vec::new(),
            acknowledges: true,
            answers_keys: true,
            acknowledged: 0,
            bad_mics: 0,
            out: Vec::new(),
            incoming: Vec::new(),
            said_until: Instant::ZERO,
        }
    }

    /// Lets both live until `until`.
    pub fn live(&mut self, air: &mut Air, from: Instant, until: Instant) {
        let mut now = from;
        self.act(now);
        loop {
            let due = [
                self.out.iter().map(|(at, ..)| *at).min(),
                self.incoming.iter().map(OnAir::ends_at).min(),
                air.poll_at(now),
            ];
            let Some(next) = due.into_iter().flatten().min().filter(|next| *next <= until) else { break };
            now = now.max(next);
            air.poll(now);
            while let Some(frame) = air.transmit() {
                self.incoming.push(frame);
            }
            while let Some(at) = self.incoming.iter().position(|frame| frame.ends_at() <= now) {
                let frame = self.incoming.remove(at);
                self.hear(now, &frame);
                self.act(now);
            }
            while let Some(at) = self.out.iter().position(|(at, ..)| *at <= now) {
                let (at, rate, frame) = self.out.remove(at);
                let on_air = OnAir { at, channel: self.channel, rate, signal_dbm: -40, frame };
                self.said_until = on_air.ends_at();
                air.receive(now, on_air);
                while let Some(frame) = air.transmit() {
                    self.incoming.push(frame);
                }
            }
        }
        air.poll(until);
        while let Some(frame) = air.transmit() {
            self.incoming.push(frame);
        }
    }

    /// A frame that is to be said a little later than the last one.
    pub fn say(&mut self, now: Instant, frame: Vec<u8>) {
        let last = self.out.iter().map(|(at, ..)| *at).max().unwrap_or(now);
        let at = now.max(last).max(self.said_until) + Duration::from_micros(1_000);
        self.out.push((at, Rate::SLOWEST, frame));
    }

    pub fn header(&mut self, control: u16, third: [u8; 6]) -> Vec<u8> {
        let mut frame = control.to_le_bytes().to_vec();
        frame.extend([0, 0]);
        frame.extend(self.bssid);
        frame.extend(STATION);
        frame.extend(third);
        self.sequence += 1;
        frame.extend((self.sequence << 4).to_le_bytes());
        frame
    }

    /// A data frame with LLC, SNAP and `payload`, encrypted if there is a key; `doze` sets the power management bit.
    pub fn data(&mut self, to: [u8; 6], ether_type: u16, payload: &[u8], doze: bool) -> Vec<u8> {
        let control = 0x0108 | if self.installed { 0x4000 } else { 0 } | if doze { 0x1000 } else { 0 };
        let mut frame = self.header(control, to);
        let mut body = vec![0xaa, 0xaa, 3, 0, 0, 0];
        body.extend(ether_type.to_be_bytes());
        body.extend(payload);
        if self.installed {
            self.sent += 1;
            let n = self.sent.to_le_bytes();
            let key: [u8; 16] = self.keys.expect("keys")[32..].try_into().expect("16");
            let (nonce, additional) = ccm_inputs(&frame, STATION, self.sent);
            frame.extend([n[0], n[1], 0, 0x20, n[2], n[3], n[4], n[5]]);
            let cipher = Ccm::<Aes128, U8, U13>::new(&key.into());
            cipher.encrypt_in_place(&nonce.into(), &additional, &mut body).expect("short");
        }
        frame.extend(body);
        frame
    }

    pub fn null(&mut self, doze: bool) -> Vec<u8> {
        let bssid = self.bssid;
        self.header(0x0148 | if doze { 0x1000 } else { 0 }, bssid)
    }

    pub fn ps_poll(&self) -> Vec<u8> {
        let mut frame = vec![0xa4, 0, 1, 0xc0];
        frame.extend(self.bssid);
        frame.extend(STATION);
        frame
    }

    /// What it does of itself.
    fn act(&mut self, now: Instant) {
        if self.state == State::Looks && self.bssid == [0; 6] && self.out.is_empty() {
            let mut frame = vec![0x40, 0, 0, 0];
            frame.extend([0xff; 6]);
            frame.extend(STATION);
            frame.extend([0xff; 6]);
            self.sequence += 1;
            frame.extend((self.sequence << 4).to_le_bytes());
            frame.extend([0, self.ssid.len() as u8]);
            frame.extend(self.ssid.as_bytes());
            frame.extend([1, 4, 0x82, 0x84, 0x8b, 0x96]);
            self.say(now, frame);
            self.state = State::Authenticates;
        }
    }

    fn hear(&mut self, now: Instant, on_air: &OnAir) {
        let frame = &on_air.frame;
        if on_air.channel != self.channel || frame.len() < 10 {
            return;
        }
        let is_group = frame[4] & 1 == 1;
        if !is_group && frame[4..10] != STATION {
            return;
        }
        self.frames.push((now, frame.clone()));
        if frame[0] == 0xd4 {
            self.acknowledged += 1;
            return;
        }
        if !is_group && self.acknowledges {
            let mut acknowledgement = vec![0xd4, 0, 0, 0];
            acknowledgement.extend(&frame[10..16]);
            // At the rate of the frame, which is 1 or 24 Mbit/s here: both are mandatory.
            self.out.push((now + Duration::from_micros(10), on_air.rate, acknowledgement));
        } else if !is_group {
            return;
        }
        let body = &frame[24..];
        match frame[0] {
            0x50 if self.state == State::Authenticates && self.bssid == [0; 6] => {
                self.bssid = frame[10..16].try_into().expect("six");
                let bssid = self.bssid;
                let mut request = self.header(0x00b0, bssid);
                request.extend([0, 0, 1, 0, 0, 0]);
                self.say(now, request);
            }
            0xb0 => match u16::from_le_bytes([body[4], body[5]]) {
                0 => {
                    self.state = State::Associates;
                    let bssid = self.bssid;
                    let mut request = self.header(0x0000, bssid);
                    request.extend([0x31, 0x04, 3, 0, 0, self.ssid.len() as u8]);
                    request.extend(self.ssid.as_bytes());
                    request.extend([1, 4, 0x82, 0x84, 0x8b, 0x96]);
                    request.extend(self.rsn.clone().unwrap_or_default());
                    self.say(now, request);
                }
                status => self.state = State::Refused { status },
            },
            0x10 => match u16::from_le_bytes([body[2], body[3]]) {
                0 if self.rsn.is_some() => self.state = State::Associated,
                0 => self.state = State::Joined,
                status => self.state = State::Refused { status },
            },
            0xc0 | 0xa0 => self.state = State::Gone { reason: u16::from_le_bytes([body[0], body[1]]) },
            0x08 => self.hear_data(now, frame, is_group),
            _ => {}
        }
    }

    fn hear_data(&mut self, now: Instant, frame: &[u8], is_group: bool) {
        let mut body = frame[24..].to_vec();
        if frame[1] & 0x40 != 0 {
            let key = if is_group { self.groups[usize::from(body[3] >> 6)] } else { self.temporal() };
            let Some(key) = key else { return };
            let n = u64::from_le_bytes([body[0], body[1], body[4], body[5], body[6], body[7], 0, 0]);
            let (nonce, additional) = ccm_inputs(frame, self.bssid, n);
            body.drain(..8);
            let cipher = Ccm::<Aes128, U8, U13>::new(&key.into());
            if cipher.decrypt_in_place(&nonce.into(), &additional, &mut body).is_err() {
                self.bad_mics += 1;
                return;
            }
        }
        if body[6..8] == [0x88, 0x8e] {
            if self.answers_keys {
                self.hear_key(now, &body[8..]);
            }
        } else {
            self.heard.push((is_group, body));
        }
    }

    fn temporal(&self) -> Option<[u8; 16]> {
        self.keys.filter(|_| self.installed).map(|keys| keys[32..].try_into().expect("16"))
    }

    fn hear_key(&mut self, now: Instant, key: &[u8]) {
        let information = u16::from_be_bytes([key[5], key[6]]);
        let is_pairwise = information & 8 != 0;
        if information & 0x0100 == 0 {
            // Message 1.
            let nonce = &key[17..49];
            let mut data = b"Pairwise key expansion\0".to_vec();
            data.extend(self.bssid.min(STATION));
            data.extend(self.bssid.max(STATION));
            data.extend(nonce.min(&NONCE));
            data.extend(nonce.max(&NONCE));
            let blocks: Vec<u8> = (0u8..3)
                .flat_map(|index| {
                    let mut block = data.clone();
                    block.push(index);
                    hmac_sha1(&self.master, &block)
                })
                .collect();
            self.keys = Some(blocks[..48].try_into().expect("48"));
            self.installed = false;
            let rsn = self.rsn.clone().unwrap_or_default();
            self.answer(now, 0x010a, &key[9..17], &NONCE, &rsn);
            return;
        }
        let Some(keys) = self.keys else { return };
        let length = 4 + usize::from(u16::from_be_bytes([key[2], key[3]]));
        let mut zeroed = key[..length].to_vec();
        zeroed[81..97].fill(0);
        if hmac_sha1(&keys[..16], &zeroed)[..16] != key[81..97] {
            self.bad_mics += 1;
            return;
        }
        let length = usize::from(u16::from_be_bytes([key[97], key[98]]));
        let data = unwrap(&keys[16..32], &key[99..99 + length]).expect("a key that is wrapped");
        let at = data.windows(6).position(|window| window == [0xdd, 22, 0, 0x0f, 0xac, 1]).expect("a group key");
        let id = usize::from(data[at + 6] & 3);
        self.groups[id] = Some(data[at + 8..at + 24].try_into().expect("16"));
        let counter = key[9..17].to_vec();
        if is_pairwise {
            self.answer(now, 0x030a, &counter, &[0; 32], &[]);
            self.installed = true;
            self.state = State::Joined;
        } else {
            self.answer(now, 0x0302, &counter, &[0; 32], &[]);
        }
    }

    fn answer(&mut self, now: Instant, information: u16, counter: &[u8], nonce: &[u8; 32], data: &[u8]) {
        let mut key = vec![1, 3];
        key.extend((95 + data.len() as u16).to_be_bytes());
        key.push(2);
        key.extend(information.to_be_bytes());
        key.extend([0, 0]);
        key.extend(counter);
        key.extend(nonce);
        key.extend([0; 48]);
        key.extend((data.len() as u16).to_be_bytes());
        key.extend(data);
        let mic = hmac_sha1(&self.keys.expect("keys")[..16], &key);
        key[81..97].copy_from_slice(&mic[..16]);
        let bssid = self.bssid;
        let frame = self.data(bssid, 0x888e, &key, false);
        self.say(now, frame);
    }
}

/// Nonce and additional data of §12.5.3.3 for a data frame with three addresses and without QoS.
fn ccm_inputs(frame: &[u8], transmitter: [u8; 6], number: u64) -> ([u8; 13], Vec<u8>) {
    let mut nonce = [0; 13];
    nonce[1..7].copy_from_slice(&transmitter);
    nonce[7..].copy_from_slice(&number.to_be_bytes()[2..]);
    let mut additional = vec![frame[0] & 0x8f, frame[1] & 0xc7 | 0x40];
    additional.extend(&frame[4..22]);
    additional.extend([frame[22] & 0x0f, 0]);
    (nonce, additional)
}

/// An access point of `description`, and a station that has lived with it for `ms` milliseconds.
pub fn together(description: access_point::Description, mut station: Station, ms: u64) -> (Air, Station) {
    let mut air = Air::new(vec![description], 0x5eed).expect("a description that can be");
    station.live(&mut air, Instant::ZERO, Instant::from_millis(ms));
    (air, station)
}
