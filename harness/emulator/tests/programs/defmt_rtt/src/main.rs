//! Logs with defmt over RTT, and sleeps for ever. The built file lies beside it (`defmt_rtt.elf`):
//!
//! ```text
//! DEFMT_LOG=trace RUSTFLAGS="-C link-arg=-Tlink.x" cargo build --release --target riscv32imc-unknown-none-elf
//! ```
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use defmt_rtt as _;

core::arch::global_asm!(".section .text.start", ".global _start", "_start:", "la sp, _stack", "j main");

/// What happened.
#[derive(defmt::Format)]
enum Cause {
    Timeout,
    Alert { level: u8, description: u8 },
    Peer(&'static str),
}

static FRAMES: AtomicU32 = AtomicU32::new(0);

defmt::timestamp!("{=u32:ms}", {
    let frames = FRAMES.load(Ordering::Relaxed);
    FRAMES.store(frames + 1, Ordering::Relaxed);
    frames
});

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    // The RTC's watchdog: WDTWPROTECT, WDTCONFIG0.
    // SAFETY: registers of the chip that this is for.
    unsafe {
        (0x6000_80a8 as *mut u32).write_volatile(0x50d8_3aa1);
        (0x6000_8090 as *mut u32).write_volatile(0);
    }
    defmt::info!("connecting to {=str}:{=u16}", "broker.test", 8883);
    defmt::debug!("heap {=u32} bytes, nonce {=[u8]:02x}", 40_960, [0x01, 0xfe]);
    defmt::warn!("{} after {=f32} s", Cause::Timeout, 2.5);
    defmt::error!("handshake: {}", Cause::Alert { level: 2, description: 42 });
    defmt::error!("handshake: {}", Cause::Peer("bad certificate"));
    // More than the ring holds, in pieces that the host has to fetch in between.
    for n in 0..400u32 {
        defmt::trace!("sample {=u32} of {=usize}", n, 400);
        for _ in 0..4_000 {
            core::hint::spin_loop();
        }
    }
    defmt::println!("done");
    loop {
        // SAFETY: waits for an interrupt that nobody has enabled.
        unsafe { core::arch::asm!("wfi") };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// One core, and no interrupts.
struct Alone;

critical_section::set_impl!(Alone);

// SAFETY: nobody interrupts.
unsafe impl critical_section::Impl for Alone {
    unsafe fn acquire() -> critical_section::RawRestoreState {}

    unsafe fn release(_: critical_section::RawRestoreState) {}
}
