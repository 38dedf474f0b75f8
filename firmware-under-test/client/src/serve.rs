//! The firmware's whole life: it says hello until it is told who to be, is that, and says how it went.

use alloc::string::{String, ToString};

use control::{Order, Plan, Report};

use crate::attempt::{Progress, attempt};
use crate::device::Device;
use crate::platform::{HeapLimits, Platform};
use crate::stream;
use crate::tls::Stack;

const HELLO_EVERY_US: u64 = 1_000_000;

/// Which image this is.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The image's name, as its folder.
    pub image: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Awaits one order that makes sense, carries it out, and returns. A chip lives for one order: its next one comes after a reset.
pub fn serve<P: Platform, T: Stack>(platform: &mut P, stack: &mut T, identity: Identity) {
    let mut device = Device::new(platform);
    let plan = await_plan(&mut device, &stack.name(), identity);
    let at_ms = device.now_ms();
    device.report(&Report::Configured { at_ms });
    device.platform.heap_watch(HeapLimits {
        cap_bytes: plan.heap_cap_bytes,
        block_max_bytes: plan.heap_block_max_bytes,
        failing_allocation: plan.failing_allocation,
    });
    let mut held_after_first_bytes = None;
    let is_complete = (0..=plan.repeats).all(|_| run(&mut device, stack, &plan, &mut held_after_first_bytes));
    let heap = device.platform.heap_record();
    #[cfg(feature = "radio")]
    let heap = device.heap_with_network(heap);
    let at_ms = device.now_ms();
    device.report(&Report::Done {
        complete: is_complete,
        heap_peak_bytes: heap.peak_bytes,
        heap_failures: heap.failures,
        heap_held_bytes: heap.held_bytes.saturating_sub(held_after_first_bytes.unwrap_or_default()),
        at_ms,
    });
}

fn await_plan<P: Platform>(device: &mut Device<'_, P>, stack: &str, identity: Identity) -> Plan {
    loop {
        device.report(&Report::Hello {
            protocol: control::PROTOCOL,
            image: String::from(identity.image),
            version: String::from(identity.version),
            stack: String::from(stack),
        });
        let until_us = device.now_us() + HELLO_EVERY_US;
        while device.wait(until_us) {
            let order = device.take_order();
            #[cfg(feature = "radio")]
            if order.as_deref().is_some_and(|order| crate::air::obey_early(device, order)) {
                break;
            }
            match order.map(|order| Order::from_json(&order)) {
                Some(Ok(Order::Run(plan))) => match device.join(&plan.network) {
                    Ok(()) => return plan,
                    Err(reason) => device.report(&Report::Refused { reason: String::from(reason) }),
                },
                Some(Err(error)) => device.report(&Report::Refused { reason: error.to_string() }),
                None => {}
            }
        }
    }
}

/// Does everything once, with as many attempts as the plan allows. What the heap holds after the very first attempt goes into `held_after_first_bytes`: tables that are made once and kept.
fn run<P: Platform, T: Stack>(
    device: &mut Device<'_, P>,
    stack: &mut T,
    plan: &Plan,
    held_after_first_bytes: &mut Option<u32>,
) -> bool {
    let mut progress = Progress::new();
    let mut pause_us = u64::from(plan.reconnect_pause_ms) * 1000;
    for attempts_left in (0..=plan.reconnects).rev() {
        device.start_over();
        let result = attempt(device, stack, plan, &mut progress);
        let is_complete = result.is_ok();
        if let Err(trouble) = result {
            // Without a network every connection looks as if somebody had reset it.
            #[cfg(feature = "radio")]
            let trouble = device.network_fault().map_or(trouble, Into::into);
            let failed_allocation_bytes = device.platform.heap_first_failure_bytes();
            let (stage, at_ms) = (device.stage(), device.now_ms());
            device.report(&Report::Failed(trouble.into_report(stage, failed_allocation_bytes, at_ms)));
        }
        stream::hang_up(device);
        let held_bytes = device.platform.heap_record().held_bytes;
        held_after_first_bytes.get_or_insert(held_bytes);
        if is_complete {
            return true;
        }
        if attempts_left > 0 {
            let until_us = device.now_us() + pause_us;
            while device.wait(until_us) {}
            pause_us = pause_us.saturating_mul(2);
        }
    }
    false
}
