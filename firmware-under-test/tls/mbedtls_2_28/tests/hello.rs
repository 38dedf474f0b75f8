//! What leaves the device before the broker has said a word, with the C code on the host.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::sync::{Mutex, MutexGuard, Once};

use client::port::{self, Port};
use client::tls::{Session, Stack, Wire, WireEnd};
use control::Tls;
use mbedtls_2_28::MbedTls;
use outcome::Stage;

/// What NodeMCU 1.4 sent to IBM's broker, byte for byte (source document s0).
const NODEMCU: &str = "16030200330100002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d77\
                       6537f5071045d17e1aea000008002f0035000500040100";

/// In front of each block: its size.
const HEADER_BYTES: usize = 16;

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes + HEADER_BYTES, HEADER_BYTES).expect("a small block")
}

fn allocate(bytes: usize) -> *mut u8 {
    // SAFETY: the layout is not empty, and the header fits.
    unsafe {
        let block = alloc_zeroed(layout(bytes));
        block.cast::<usize>().write(bytes);
        block.add(HEADER_BYTES)
    }
}

unsafe fn release(memory: *mut u8) {
    // SAFETY: the block came from `allocate`.
    unsafe {
        let block = memory.sub(HEADER_BYTES);
        dealloc(block, layout(block.cast::<usize>().read()));
    }
}

static PORT: Port =
    Port { allocate, release, unix_time_s: || 1_767_225_600, milliseconds: || 0, random: |bytes| bytes.fill(0x5a) };

/// Mbed TLS, for one test at a time: its random number generator and buffer sizes are the process's.
fn stack() -> (MutexGuard<'static, ()>, MbedTls) {
    static TURN: Mutex<()> = Mutex::new(());
    static INSTALLED: Once = Once::new();
    let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    INSTALLED.call_once(|| port::install(&PORT));
    (turn, MbedTls::start().expect("it starts"))
}

/// A broker that listens and says nothing.
#[derive(Default)]
struct Silence {
    heard: Vec<u8>,
}

impl Wire for Silence {
    fn read(&mut self, _: &mut [u8]) -> Result<usize, WireEnd> {
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, WireEnd> {
        self.heard.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn enter(&mut self, stage: Stage) {
        assert_eq!(stage, Stage::Hello);
    }
}

fn hello(plan: &Tls) -> Vec<u8> {
    let (_turn, mut stack) = stack();
    let mut session = stack.open(plan).expect("the plan can be done");
    let mut wire = Silence::default();
    assert_eq!(session.handshake(&mut wire), Ok(false));
    wire.heard
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|here| here == part)
}

#[test]
fn a_hello_that_is_given_is_sent_byte_for_byte() {
    let plan = Tls { client_hello: Some(NODEMCU.into()), server_name: Some("broker.test".into()), ..Tls::default() };
    assert_eq!(hexadecimal(&hello(&plan)), NODEMCU);
}

#[test]
fn the_name_is_sent_if_the_plan_says_so() {
    let named = Tls { server_name: Some("broker.test".into()), ..Tls::default() };
    assert!(has(&hello(&named), b"broker.test"));
    assert!(has(&hello(&Tls { checks_name: false, ..named.clone() }), b"broker.test"));
    assert!(!has(&hello(&Tls { sends_server_name: false, ..named }), b"broker.test"));
}

#[test]
fn versions_are_those_of_the_plan() {
    // The lowest in the record's header, the highest in the hello (RFC 5246 §E.1).
    let versions = |plan: &Tls| {
        let hello = hello(plan);
        ([hello[1], hello[2]], [hello[9], hello[10]])
    };
    assert_eq!(versions(&Tls::default()), ([3, 1], [3, 3]));
    let plan = Tls { version_min: Some(0x0302), version_max: Some(0x0302), ..Tls::default() };
    assert_eq!(versions(&plan), ([3, 2], [3, 2]));
}

#[test]
fn rc4_and_3des_are_offered_if_the_plan_lists_them() {
    // TLS_RSA_WITH_RC4_128_SHA and TLS_RSA_WITH_3DES_EDE_CBC_SHA, then the signal of RFC 5746 §3.3.
    let listed = [0x00, 0x06, 0x00, 0x05, 0x00, 0x0a, 0x00, 0xff];
    assert!(has(&hello(&Tls { cipher_suites: vec![0x0005, 0x000a], ..Tls::default() }), &listed));
    let preset = hello(&Tls::default());
    let suites_at = 5 + 4 + 2 + 32 + 1;
    let length = usize::from(u16::from_be_bytes([preset[suites_at], preset[suites_at + 1]]));
    let suites: Vec<&[u8]> = preset[suites_at + 2..suites_at + 2 + length].chunks(2).collect();
    assert!(suites.contains(&&[0x00, 0x2f][..]), "RSA with AES-128 in CBC");
    assert!(!suites.contains(&&[0x00, 0x05][..]) && !suites.contains(&&[0x00, 0x0a][..]));
}
