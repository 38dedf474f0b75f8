//! Tasks: a queue of events for each of 32 priorities, and the loop that hands events to tasks, the highest first. A task runs
//! until it returns.

use super::variables::{CURRENT_PRIORITY, IDLE_ARGUMENT, IDLE_CALLBACK, READY, TASKS};
use super::{BadAddress, Function, Machine, Outcome, STACK, address_of, boot, continuations, returned};
use crate::cores::lx106::special_register as sr;

pub(super) const FUNCTIONS: &[(&str, Function)] =
    &[("ets_task", task), ("ets_post", post), ("ets_run", run), ("ets_set_idle_cb", set_idle_callback)];

/// A task's record: function, queue, then a byte each for the queue's length, where to read, where to write, and how many
/// events there are.
const RECORD_BYTES: u32 = 16;
const QUEUE: u32 = 4;
const LENGTH: u32 = 8;
const PRIORITIES: u32 = 32;
/// Signal and parameter.
const EVENT_BYTES: u32 = 8;
/// What an event takes on the stack of the task that it is handed to.
const EVENT_FRAME: u32 = 16;
const PS_INTLEVEL: u32 = 0xf;

/// The record of a priority; they begin with 1.
fn record(priority: u32) -> Option<u32> {
    priority.checked_sub(1).filter(|index| *index < PRIORITIES).map(|index| TASKS + RECORD_BYTES * index)
}

/// `ets_task(function, priority, queue, length)`
fn task(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [function, priority, queue, length] = [0, 1, 2, 3].map(|n| machine.argument(n));
    if let Some(record) = record(priority & 0xff) {
        machine.write_word(record, function)?;
        machine.write_word(record + QUEUE, queue)?;
        machine.write_word(record + LENGTH, length & 0xff)?;
    }
    returned(20)
}

/// `ets_post(priority, signal, parameter)`: zero, or one if the queue is full.
fn post(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let [priority, signal, parameter] = [0, 1, 2].map(|n| machine.argument(n));
    let priority = priority & 0xff;
    machine.set_result(1);
    let Some(record) = record(priority) else { return returned(20) };
    let [length, read, write, count] = machine.read_word(record + LENGTH)?.to_le_bytes();
    if count >= length {
        return returned(20);
    }
    let at = machine.read_word(record + QUEUE)?.wrapping_add(EVENT_BYTES * u32::from(write));
    machine.write_word(at, signal)?;
    machine.write_word(at.wrapping_add(4), parameter)?;
    let write = if write + 1 >= length { 0 } else { write + 1 };
    machine.write_word(record + LENGTH, u32::from_le_bytes([length, read, write, count + 1]))?;
    let ready = machine.read_word(READY)?;
    machine.write_word(READY, ready | 1 << (priority - 1))?;
    machine.set_result(0);
    returned(40)
}

/// Hands the next event to its task; sleeps if there is none.
fn run(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let ps = machine.core.special(sr::PS).unwrap_or(0);
    machine.core.set_special(sr::PS, ps & !PS_INTLEVEL);
    let ready = machine.read_word(READY)?;
    if ready == 0 {
        let callback = machine.read_word(IDLE_CALLBACK)?;
        if callback == 0 {
            return Ok(sleep());
        }
        machine.core.set_register(2, machine.read_word(IDLE_ARGUMENT)?);
        return Ok(machine.call(callback, continuations::IDLE_RETURNED, 10));
    }
    let priority = 32 - ready.leading_zeros();
    let Some(record) = record(priority) else { return Ok(sleep()) };
    let [length, read, write, count] = machine.read_word(record + LENGTH)?.to_le_bytes();
    let at = machine.read_word(record + QUEUE)?.wrapping_add(EVENT_BYTES * u32::from(read));
    let (signal, parameter) = (machine.read_word(at)?, machine.read_word(at.wrapping_add(4))?);
    let read = if read + 1 >= length { 0 } else { read + 1 };
    let count = count.saturating_sub(1);
    machine.write_word(record + LENGTH, u32::from_le_bytes([length, read, write, count]))?;
    if count == 0 {
        machine.write_word(READY, ready & !(1 << (priority - 1)))?;
    }
    machine.write_word(CURRENT_PRIORITY, priority)?;
    let frame = machine.core.register(STACK).wrapping_sub(EVENT_FRAME);
    machine.write_word(frame, signal)?;
    machine.write_word(frame + 4, parameter)?;
    machine.core.set_register(STACK, frame);
    machine.core.set_register(2, frame);
    let function = machine.read_word(record)?;
    Ok(machine.call(function, continuations::TASK_RETURNED, 60))
}

/// Until an interrupt; the loop goes on then.
fn sleep() -> Outcome {
    Outcome::Sleep { then: address_of("ets_run") }
}

/// The task is done with its event.
pub(super) fn task_returned(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    let frame = machine.core.register(STACK);
    machine.core.set_register(STACK, frame.wrapping_add(EVENT_FRAME));
    machine.write_word(CURRENT_PRIORITY, 0)?;
    boot::start_returned(machine)
}

/// The callback may have given a task something to do; if not, the core sleeps until an interrupt does.
pub(super) fn idle_returned(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    if machine.read_word(READY)? == 0 { Ok(sleep()) } else { boot::start_returned(machine) }
}

fn set_idle_callback(machine: &mut Machine<'_>) -> Result<Outcome, BadAddress> {
    machine.write_word(IDLE_CALLBACK, machine.argument(0))?;
    machine.write_word(IDLE_ARGUMENT, machine.argument(1))?;
    returned(10)
}
