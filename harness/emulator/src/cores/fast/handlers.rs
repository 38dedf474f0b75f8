//! Threaded code: one function for each kind of operation, each ending in a jump to the next.
//!
//! All functions here share one contract. `core` and `op` are valid, `op` is inside a trace, `pages` is the page
//! table, whose entries lead into `backing` ([`super::tables`]), and register fields name registers.

use super::compute::{arithmetic, funnel, holds, is_denied, misalignment, moves};
use super::op::{Core, Exit, Handler, Jump, Op, kind::*};
use super::tables::{Page, READS, WRITES, page_of};

/// The handler of a kind on its own.
pub(super) fn handler(kind: u8) -> Handler {
    macro_rules! table {
        ($($one:ident)*; $($branch:ident)*) => {
            match kind {
                $($one => one::<$one>,)*
                $($branch => branch::<$branch>,)*
                LINK => link,
                JUMP_REGISTER => jump_register::<false, { !1 }>,
                JUMP_REGISTER_LINKING => jump_register::<true, { !1 }>,
                JUMP_ANYWHERE => jump_register::<false, { !0 }>,
                JUMP_ANYWHERE_LINKING => jump_register::<true, { !0 }>,
                STUB => stub,
                HOST_CODE => host_code,
                _ => interpret,
            }
        };
    }
    table!(
        LOAD_CONSTANT MOVE ADD_IMMEDIATE SHIFT_LEFT_IMMEDIATE SET_LESS_IMMEDIATE SET_LESS_UNSIGNED_IMMEDIATE
        XOR_IMMEDIATE SHIFT_RIGHT_IMMEDIATE SHIFT_RIGHT_ARITHMETIC_IMMEDIATE OR_IMMEDIATE AND_IMMEDIATE
        ADD SUBTRACT SHIFT_LEFT SET_LESS SET_LESS_UNSIGNED XOR SHIFT_RIGHT SHIFT_RIGHT_ARITHMETIC OR AND
        MULTIPLY MULTIPLY_HIGH MULTIPLY_HIGH_SIGNED_UNSIGNED MULTIPLY_HIGH_UNSIGNED
        DIVIDE DIVIDE_UNSIGNED REMAINDER REMAINDER_UNSIGNED
        LOAD_BYTE LOAD_HALF LOAD_WORD LOAD_BYTE_UNSIGNED LOAD_HALF_UNSIGNED STORE_BYTE STORE_HALF STORE_WORD
        SUBTRACT_FROM_IMMEDIATE COUNT_LEADING_ZEROS MULTIPLY_HALVES MULTIPLY_HALVES_SIGNED
        WIDE_SHIFT_LEFT WIDE_SHIFT_RIGHT WIDE_SHIFT_RIGHT_ARITHMETIC FUNNEL_SHIFT FUNNEL_SHIFT_IMMEDIATE
        MOVE_IF_ZERO MOVE_IF_NOT_ZERO MOVE_IF_NEGATIVE MOVE_IF_NOT_NEGATIVE
        LOAD_BYTE_OF_DATA LOAD_HALF_OF_DATA LOAD_HALF_SIGNED_OF_DATA STORE_BYTE_OF_DATA STORE_HALF_OF_DATA;
        BRANCH_EQUAL BRANCH_NOT_EQUAL BRANCH_LESS BRANCH_GREATER_OR_EQUAL BRANCH_LESS_UNSIGNED
        BRANCH_GREATER_OR_EQUAL_UNSIGNED
    )
}

/// Defines handlers without repeating the six arguments.
macro_rules! handlers {
    ($($(#[$attribute:meta])* fn $name:ident [$($generics:tt)*] ($core:ident, $op:ident, $pages:ident, $backing:ident, $budget:ident) { $($body:tt)* })*) => {
        $(
            $(#[$attribute])*
            pub(super) unsafe extern "C" fn $name<$($generics)*>(
                $core: *mut Core,
                $op: *const Op,
                $pages: *const Page,
                $backing: *mut u8,
                $budget: i64,
            ) {
                // SAFETY: the module's contract, which the caller keeps.
                unsafe { $($body)* }
            }
        )*
    };
}

/// Goes on to another operation: in tail position, so that it becomes a jump.
macro_rules! go {
    ($next:expr, $core:ident, $pages:ident, $backing:ident, $budget:expr) => {{
        let next: *const Op = $next;
        ((*next).handler)($core, next, $pages, $backing, $budget)
    }};
}

/// The same, if there is time; `$op` is what used the last of it.
macro_rules! go_in_time {
    ($op:ident, $target:expr, $core:ident, $pages:ident, $backing:ident, $budget:expr) => {{
        let (target, budget) = ($target, $budget);
        if budget < 0 {
            (*$core).last = $op;
            return deadline($core, target, $pages, $backing, budget);
        }
        go!(target, $core, $pages, $backing, budget)
    }};
}

handlers! {
    fn one[const K: u8](core, op, pages, backing, budget) {
        if perform::<K, NONE>(core, op, pages, backing, 0).is_none() {
            return missed::<K>(core, op, pages, backing, budget);
        }
        go!(op.add(1), core, pages, backing, budget)
    }

    /// Two operations in one handler: one dispatch less. `F` says which operands of the second are the result of the
    /// first: those need not wait for it to come back from the register array.
    fn two[const K: u8, const L: u8, const F: u8](core, op, pages, backing, budget) {
        let Some(result) = perform::<K, NONE>(core, op, pages, backing, 0) else {
            return missed::<K>(core, op, pages, backing, budget);
        };
        let op = op.add(1);
        if perform::<L, F>(core, op, pages, backing, result).is_none() {
            return missed::<L>(core, op, pages, backing, budget);
        }
        go!(op.add(1), core, pages, backing, budget)
    }

    /// An operation and the branch after it.
    fn then_branch[const K: u8, const L: u8, const F: u8](core, op, pages, backing, budget) {
        let Some(result) = perform::<K, NONE>(core, op, pages, backing, 0) else {
            return missed::<K>(core, op, pages, backing, budget);
        };
        let op = op.add(1);
        let (a, b) = operands::<F>(core, op, result);
        if holds::<L>(a, b) {
            let budget = budget - i64::from((*op).before) - 1;
            return go_in_time!(op, leads_to(op), core, pages, backing, budget);
        }
        go!(op.add(1), core, pages, backing, budget)
    }

    fn branch[const K: u8](core, op, pages, backing, budget) {
        if holds::<K>(register(core, (*op).rs1), register(core, (*op).rs2)) {
            let budget = budget - i64::from((*op).before) - 1;
            return go_in_time!(op, leads_to(op), core, pages, backing, budget);
        }
        go!(op.add(1), core, pages, backing, budget)
    }

    fn link[](core, op, pages, backing, budget) {
        let budget = budget - i64::from((*op).before);
        go_in_time!(op, leads_to(op), core, pages, backing, budget)
    }

    fn jump_register[const LINKS: bool, const MASK: u32](core, op, pages, backing, budget) {
        let pc = register(core, (*op).rs1).wrapping_add((*op).immediate) & MASK;
        if LINKS {
            // Kept in the operation after this one, which is never reached.
            set_register(core, (*op).rd, (*op.add(1)).immediate);
        }
        let budget = budget - i64::from((*op).before) - 1;
        *(*core).targets.add(op.offset_from((*core).ops) as usize) = pc;
        let jump = (*core).jumps.add(Jump::slot(pc));
        if (*jump).pc != pc {
            return computed(core, pc, pages, backing, budget);
        }
        let target = (*core).ops.add((*jump).op as usize);
        go_in_time!(op, target, core, pages, backing, budget)
    }

    /// Runs host code, and goes on where that left.
    fn host_code[](core, op, pages, backing, budget) {
        let unit = &*(*core).units.add((*op).immediate as usize);
        // No more than a chunk, and not less than zero.
        let left = unit.translation.code.run((&raw mut (*core).x).cast(), pages, backing, budget as u32);
        let next = (*core).ops.add(unit.exits[left.exit as usize] as usize);
        (*core).left_host_code_at = next;
        go!(next, core, pages, backing, i64::from(left.budget))
    }

    #[cold]
    fn interpret[](core, op, _pages, _backing, budget) {
        leave(core, op, budget, Exit::Interpret)
    }

    #[cold]
    fn stub[](core, op, _pages, _backing, budget) {
        leave(core, op, budget, Exit::Unlinked)
    }

    #[cold]
    fn deadline[](core, op, _pages, _backing, budget) {
        leave(core, op, budget, Exit::Deadline)
    }

    /// An access did not get through the page tables: if it is only misaligned, it happens after all.
    #[cold]
    #[inline(never)]
    fn missed[const K: u8](core, op, pages, backing, budget) {
        if !perform_misaligned::<K>(core, op, pages, backing) {
            return interpret(core, op, pages, backing, budget);
        }
        go!(op.add(1), core, pages, backing, budget)
    }
}

#[cold]
#[inline(never)]
unsafe extern "C" fn computed(core: *mut Core, target: u32, _pages: *const Page, _backing: *mut u8, budget: i64) {
    // SAFETY: the module's contract.
    unsafe {
        (*core).target = target;
        (*core).budget = budget;
        (*core).left_at = 0;
        (*core).exit = Exit::Computed;
    }
}

#[inline(always)]
unsafe fn leave(core: *mut Core, op: *const Op, budget: i64, exit: Exit) {
    // SAFETY: the module's contract; `op` points into `ops`.
    unsafe {
        (*core).left_at = op.offset_from((*core).ops) as u32;
        (*core).budget = budget;
        (*core).exit = exit;
    }
}

#[inline(always)]
unsafe fn register(core: *const Core, number: u8) -> u32 {
    // SAFETY: the module's contract: there is such a register.
    unsafe { *(&raw const (*core).x).cast::<u32>().add(usize::from(number)) }
}

#[inline(always)]
unsafe fn set_register(core: *mut Core, number: u8, value: u32) {
    // SAFETY: as for `register`.
    unsafe { *(&raw mut (*core).x).cast::<u32>().add(usize::from(number)) = value }
}

/// Which operand comes from the operation before: the values of `F`.
pub(super) const NONE: u8 = 0;
pub(super) const FIRST: u8 = 1;
pub(super) const SECOND: u8 = 2;

/// The values of both source registers.
#[inline(always)]
unsafe fn operands<const F: u8>(core: *const Core, op: *const Op, forwarded: u32) -> (u32, u32) {
    // SAFETY: the module's contract.
    unsafe {
        let a = if F & FIRST != 0 { forwarded } else { register(core, (*op).rs1) };
        let b = if F & SECOND != 0 { forwarded } else { register(core, (*op).rs2) };
        (a, b)
    }
}

/// Executes one operation that goes straight on; its result, if it has one. `None` if it must be left to somebody
/// else; then nothing happened.
#[inline(always)]
unsafe fn perform<const K: u8, const F: u8>(
    core: *mut Core,
    op: *const Op,
    pages: *const Page,
    backing: *mut u8,
    forwarded: u32,
) -> Option<u32> {
    // SAFETY: the module's contract.
    unsafe {
        let (a, b) = operands::<F>(core, op, forwarded);
        let value = match K {
            LOAD_BYTE..=LOAD_HALF_UNSIGNED | LOAD_BYTE_OF_DATA..=LOAD_HALF_SIGNED_OF_DATA => {
                let address = a.wrapping_add((*op).immediate);
                if address & misalignment::<K>() != 0 || is_denied::<K>(address) {
                    return None;
                }
                load::<K>(locate::<READS>(pages, backing, address)?)
            }
            STORE_BYTE..=STORE_WORD | STORE_BYTE_OF_DATA..=STORE_HALF_OF_DATA => {
                let address = a.wrapping_add((*op).immediate);
                if address & misalignment::<K>() != 0 || is_denied::<K>(address) {
                    return None;
                }
                store::<K>(locate::<WRITES>(pages, backing, address)?, b);
                return Some(0);
            }
            LOAD_CONSTANT => (*op).immediate,
            MOVE => a,
            ADD_IMMEDIATE..=AND_IMMEDIATE | SUBTRACT_FROM_IMMEDIATE => arithmetic::<K>(a, (*op).immediate),
            FUNNEL_SHIFT => funnel(a, b, register(core, (*op).immediate as u8)),
            FUNNEL_SHIFT_IMMEDIATE => funnel(a, b, (*op).immediate),
            MOVE_IF_ZERO..=MOVE_IF_NOT_NEGATIVE if moves::<K>(b) => a,
            MOVE_IF_ZERO..=MOVE_IF_NOT_NEGATIVE => register(core, (*op).rd),
            _ => arithmetic::<K>(a, b),
        };
        set_register(core, (*op).rd, value);
        Some(value)
    }
}

/// A misaligned access inside one page is as good as any, for a core that has such accesses; across pages it is left to the
/// plain interpreter.
#[inline(always)]
unsafe fn perform_misaligned<const K: u8>(
    core: *mut Core,
    op: *const Op,
    pages: *const Page,
    backing: *mut u8,
) -> bool {
    // SAFETY: the module's contract; an access whose first and last byte share a page stays inside it.
    unsafe {
        let address = register(core, (*op).rs1).wrapping_add((*op).immediate);
        let is_in_a_page = page_of(address) == page_of(address.wrapping_add(misalignment::<K>()));
        if !is_in_a_page || !(*core).accesses_misaligned {
            return false;
        }
        match K {
            LOAD_BYTE..=LOAD_HALF_UNSIGNED => {
                let Some(at) = locate::<READS>(pages, backing, address) else { return false };
                set_register(core, (*op).rd, load::<K>(at));
                true
            }
            STORE_BYTE..=STORE_WORD => {
                let Some(at) = locate::<WRITES>(pages, backing, address) else { return false };
                store::<K>(at, register(core, (*op).rs2));
                true
            }
            _ => false,
        }
    }
}

/// Where a branch or link leads: to a trace, or to its stub.
#[inline(always)]
unsafe fn leads_to(op: *const Op) -> *const Op {
    // SAFETY: the distance stays inside the operations, as links and stubs are made.
    unsafe { op.offset((*op).immediate as i32 as isize) }
}

/// Where the host keeps a guest address, if the page table has it.
#[inline(always)]
unsafe fn locate<const WISH: usize>(pages: *const Page, backing: *mut u8, address: u32) -> Option<*mut u8> {
    // SAFETY: the table has an entry for every page; an entry that is not zero is one more than what must be added to
    // a guest address in its page to give an offset into `backing`.
    unsafe {
        let entry = (*pages.add(page_of(address) as usize))[WISH];
        if entry == 0 {
            return None;
        }
        Some(backing.add(entry.wrapping_add(address) as usize).sub(1))
    }
}

#[inline(always)]
unsafe fn load<const K: u8>(at: *const u8) -> u32 {
    // SAFETY: `locate` found it, and the access does not leave the page.
    unsafe {
        match K {
            LOAD_BYTE => *at as i8 as u32,
            LOAD_BYTE_UNSIGNED | LOAD_BYTE_OF_DATA => u32::from(*at),
            LOAD_HALF | LOAD_HALF_SIGNED_OF_DATA => u16::from_le(at.cast::<u16>().read_unaligned()) as i16 as u32,
            LOAD_HALF_UNSIGNED | LOAD_HALF_OF_DATA => u32::from(u16::from_le(at.cast::<u16>().read_unaligned())),
            _ => u32::from_le(at.cast::<u32>().read_unaligned()),
        }
    }
}

#[inline(always)]
unsafe fn store<const K: u8>(at: *mut u8, value: u32) {
    // SAFETY: as for `load`.
    unsafe {
        match K {
            STORE_BYTE | STORE_BYTE_OF_DATA => *at = value as u8,
            STORE_HALF | STORE_HALF_OF_DATA => at.cast::<u16>().write_unaligned((value as u16).to_le()),
            _ => at.cast::<u32>().write_unaligned(value.to_le()),
        }
    }
}
