//! An image's whole program: chip, heap and a TLS stack, and the client on top of them.

use client::port::{self, Port};
use client::tls::Stack;

use crate::{chip, heap};

static PORT: Port = Port {
    allocate: heap::allocate_zeroed,
    release: heap::release,
    unix_time_s: chip::unix_time_s,
    milliseconds: chip::milliseconds,
    random: chip::random,
};

/// Carries out one order with the stack that `start` makes. One order in a life: the bench resets the chip for the next.
pub fn run<T: Stack>(identity: client::Identity, start: impl FnOnce() -> T) -> ! {
    heap::start();
    let mut chip = chip::Chip::start();
    port::install(&PORT);
    client::serve(&mut chip, &mut start(), identity);
    loop {
        chip.rest();
    }
}

/// The entry point of an image: what is left to say is which stack it has.
#[macro_export]
macro_rules! image {
    ($start:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn esp8266_main() -> ! {
            let identity = ::client::Identity { image: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
            $crate::image::run(identity, $start)
        }
    };
}

/// GCC's name for the product of two numbers of 32 bits in full, which the core has no instruction for.
#[unsafe(no_mangle)]
extern "C" fn __umulsidi3(left: u32, right: u32) -> u64 {
    let [left_low, left_high] = [left & 0xffff, left >> 16];
    let [right_low, right_high] = [right & 0xffff, right >> 16];
    let (low, high) = (left_low * right_low, left_high * right_high);
    let (one, other) = (left_low * right_high, left_high * right_low);
    let middle = (low >> 16) + (one & 0xffff) + (other & 0xffff);
    let upper = high + (one >> 16) + (other >> 16) + (middle >> 16);
    u64::from(upper) << 32 | u64::from(middle << 16 | low & 0xffff)
}
