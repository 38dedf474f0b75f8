//! Exceptions and interrupts: the ROM's vector, and the handlers that the table in RAM leads to.
//!
//! Firmware and ROM agree on a frame of 256 bytes on the stack. Whoever's the vector is, it has put `a0` into EXCSAVE1, taken
//! the frame, and stored `a2` to `a4`; firmware's handlers look into the frame and change it.

use super::variables::{C_HANDLERS, EXCEPTION_TABLE, INTERRUPT_HANDLERS};
use super::{BadAddress, Function, LINK, Machine, Outcome, STACK, address_of, continuations, returned};
use crate::cores::lx106::{Cause, special_register as sr};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("_UserExceptionVector", user_vector),
    ("_xtos_l1int_handler", interrupt),
    ("_xtos_c_wrapper_handler", c_wrapper),
    ("_xtos_cause3_handler", c_wrapper),
    ("_xtos_unhandled_exception", unhandled),
    ("_xtos_syscall_handler", unhandled),
    ("_xtos_return_from_exc", exception_returned),
    ("_xtos_set_exception_handler", set_exception_handler),
    ("ets_isr_attach", isr_attach),
    ("ets_isr_mask", isr_mask),
    ("ets_isr_unmask", isr_unmask),
    ("ets_intr_lock", lock),
    ("ets_intr_unlock", unlock),
    ("_xtos_set_intlevel", set_intlevel),
    ("_xtos_restore_intlevel", restore_intlevel),
];

/// The frame, and where what is in it.
const FRAME_BYTES: u32 = 256;
const FRAME_PC: u32 = 0;
const FRAME_PS: u32 = 4;
const FRAME_SAR: u32 = 8;
const FRAME_A0: u32 = 16;
const FRAME_A2: u32 = 20;
const FRAME_CAUSE: u32 = 76;

/// PS: user mode, level 1; in a handler that is called.
const PS_USER: u32 = 0x20;
const PS_EXCM: u32 = 0x10;
const PS_INTLEVEL: u32 = 0xf;
/// The level up to which firmware locks interrupts.
const LOCK_LEVEL: u32 = 3;
const INTERRUPTS: u32 = 15;

/// Where the table in RAM leads for a cause, as long as firmware has not changed it.
pub(super) fn default_handler(cause: u32) -> u32 {
    address_of(if cause == Cause::Level1Interrupt as u32 { "_xtos_l1int_handler" } else { "_xtos_unhandled_exception" })
}

/// The vector of firmware that brings none: begins the frame, and goes where the table leads.
fn user_vector(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let link = machine.core.register(LINK);
    machine.core.set_special(sr::EXCSAVE1, link);
    let frame = machine.core.register(STACK).wrapping_sub(FRAME_BYTES);
    for n in 2..5 {
        machine.write_word(frame + FRAME_A2 + 4 * (n - 2), machine.core.register(n as u8))?;
    }
    machine.core.set_register(STACK, frame);
    let cause = machine.core.special(sr::EXCCAUSE).unwrap_or(0) & 63;
    let address = machine.read_word(EXCEPTION_TABLE + 4 * cause)?;
    Ok(Outcome::Continue { address, cycles: 10 })
}

/// Completes the frame that a vector has begun; where it is.
fn save(machine: &mut Machine<'_>) -> Result<u32, BadAddress> {
    let frame = machine.core.register(STACK);
    let special = |machine: &Machine<'_>, number| machine.core.special(number).unwrap_or(0);
    for (offset, number) in [
        (FRAME_PC, sr::EPC1),
        (FRAME_PS, sr::PS),
        (FRAME_SAR, sr::SAR),
        (FRAME_A0, sr::EXCSAVE1),
        (FRAME_CAUSE, sr::EXCCAUSE),
    ] {
        machine.write_word(frame + offset, special(machine, number))?;
    }
    for n in 5..16 {
        machine.write_word(frame + FRAME_A2 + 4 * (n - 2), machine.core.register(n as u8))?;
    }
    Ok(frame)
}

/// Goes back to where the frame says.
fn restore(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let frame = machine.core.register(STACK);
    let ps = machine.read_word(frame + FRAME_PS)?;
    let sar = machine.read_word(frame + FRAME_SAR)?;
    let pc = machine.read_word(frame + FRAME_PC)?;
    let link = machine.read_word(frame + FRAME_A0)?;
    for n in 2..16 {
        let value = machine.read_word(frame + FRAME_A2 + 4 * (n - 2))?;
        machine.core.set_register(n as u8, value);
    }
    machine.core.set_register(LINK, link);
    machine.core.set_register(STACK, frame.wrapping_add(FRAME_BYTES));
    machine.core.set_special(sr::SAR, sar);
    machine.core.set_special(sr::PS, ps & !PS_EXCM);
    Ok(Outcome::Continue { address: pc, cycles: 30 })
}

/// Calls handlers while interrupts are pending.
fn interrupt(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    save(machine)?;
    machine.core.set_special(sr::PS, PS_USER | 1);
    next_interrupt(machine, 40)
}

fn next_interrupt(machine: &mut Machine<'_>, cycles: u64) -> Result<Outcome, BadAddress> {
    let pending = machine.core.pending_interrupts();
    if pending == 0 {
        return restore(machine);
    }
    let number = pending.trailing_zeros();
    machine.core.set_special(sr::INTCLEAR, 1 << number);
    let entry = INTERRUPT_HANDLERS + 8 * number;
    let (handler, argument) = (machine.read_word(entry)?, machine.read_word(entry + 4)?);
    if handler == 0 {
        // Nobody's: it is not asked for again.
        let enabled = machine.core.special(sr::INTENABLE).unwrap_or(0);
        machine.core.set_special(sr::INTENABLE, enabled & !(1 << number));
        return next_interrupt(machine, cycles + 10);
    }
    let frame = machine.core.register(STACK);
    machine.core.set_register(2, argument);
    machine.core.set_register(3, frame);
    Ok(machine.call(handler, continuations::INTERRUPT_RETURNED, cycles))
}

/// A handler has returned.
pub(super) fn interrupt_returned(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    next_interrupt(machine, 10)
}

/// Calls the function that firmware has set for the cause.
fn c_wrapper(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let cause = machine.core.special(sr::EXCCAUSE).unwrap_or(0) & 63;
    let handler = machine.read_word(C_HANDLERS + 4 * cause)?;
    if handler == 0 {
        return unhandled(machine);
    }
    let frame = save(machine)?;
    let level = (machine.core.special(sr::PS).unwrap_or(0) & PS_INTLEVEL).max(1);
    machine.core.set_special(sr::PS, PS_USER | level);
    machine.core.set_register(2, frame);
    machine.core.set_register(3, cause);
    Ok(machine.call(handler, continuations::EXCEPTION_RETURNED, 40))
}

/// A function that handled an exception has returned.
pub(super) fn exception_returned(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    restore(machine)
}

fn unhandled(_: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    Ok(Outcome::Halt)
}

fn set_exception_handler(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let (cause, handler) = (machine.argument(0), machine.argument(1));
    if cause >= 64 {
        machine.set_result(0);
        return returned(10);
    }
    let old = machine.read_word(C_HANDLERS + 4 * cause)?;
    machine.write_word(C_HANDLERS + 4 * cause, handler)?;
    let entry = if handler == 0 { default_handler(cause) } else { address_of("_xtos_c_wrapper_handler") };
    machine.write_word(EXCEPTION_TABLE + 4 * cause, entry)?;
    machine.set_result(old);
    returned(20)
}

fn isr_attach(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let number = machine.argument(0);
    if number < INTERRUPTS {
        machine.write_word(INTERRUPT_HANDLERS + 8 * number, machine.argument(1))?;
        machine.write_word(INTERRUPT_HANDLERS + 8 * number + 4, machine.argument(2))?;
    }
    returned(20)
}

fn change_enabled(machine: &mut Machine<'_>, change: impl FnOnce(u32, u32) -> u32) -> Result<Outcome, BadAddress> {
    let old = machine.core.special(sr::INTENABLE).unwrap_or(0);
    machine.core.set_special(sr::INTENABLE, change(old, machine.argument(0)));
    machine.set_result(old);
    returned(10)
}

fn isr_mask(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    change_enabled(machine, |old, mask| old & !mask)
}

fn isr_unmask(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    change_enabled(machine, |old, mask| old | mask)
}

/// Sets the interrupt level; the old PS.
fn set_level(machine: &mut Machine<'_>, level: u32) -> u32 {
    let ps = machine.core.special(sr::PS).unwrap_or(0);
    machine.core.set_special(sr::PS, ps & !PS_INTLEVEL | level & PS_INTLEVEL);
    ps
}

fn lock(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ps = set_level(machine, LOCK_LEVEL);
    machine.set_result(ps);
    returned(3)
}

fn unlock(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ps = set_level(machine, 0);
    machine.set_result(ps);
    returned(3)
}

fn set_intlevel(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ps = set_level(machine, machine.argument(0));
    machine.set_result(ps);
    returned(5)
}

fn restore_intlevel(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ps = set_level(machine, machine.argument(0));
    machine.set_result(ps);
    returned(5)
}
