//! What host code does is what the form says: functions and conditions on corner cases, accesses, time, exits. On a host
//! without a back end there is nothing to test.

use host_code::Compiler;
use translate::form::{Block, Condition, Edge, End, Function, Operand, Operation, Region, Width};
use translate::memory::{PAGE_COUNT, PAGE_SHIFT, Page, READS, WRITES};
use translate::{BackEnd as _, Cache, Code, Left, Source};

const REGISTERS: usize = 8;
const VALUES: [u32; 14] =
    [0, 1, 2, 3, 31, 32, 33, 0x7fff, 0x8000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff0, u32::MAX];

/// A guest with two pages of memory: one at `READ_ONLY`, one behind it that may be written.
struct Guest {
    registers: [u32; REGISTERS],
    pages: Vec<Page>,
    bytes: Vec<u8>,
}

const READ_ONLY: u32 = 0x4000_0000;
const WRITABLE: u32 = READ_ONLY + (1 << PAGE_SHIFT);

impl Guest {
    fn new() -> Self {
        let mut pages = vec![[0; 2]; PAGE_COUNT];
        for (address, offset) in [(READ_ONLY, 0), (WRITABLE, 1 << PAGE_SHIFT)] {
            let entry = u32::wrapping_sub(offset, address) | 1;
            pages[(address >> PAGE_SHIFT) as usize][READS] = entry;
            if address == WRITABLE {
                pages[(address >> PAGE_SHIFT) as usize][WRITES] = entry;
            }
        }
        Self { registers: [0; REGISTERS], pages, bytes: (0..2u32 << PAGE_SHIFT).map(|n| (n * 7) as u8).collect() }
    }

    fn run(&mut self, code: &Code, budget: u32) -> Left {
        // SAFETY: the regions of these tests name registers below `REGISTERS`; the table has every page, and its entries
        // lead into `bytes`.
        unsafe { code.run(self.registers.as_mut_ptr(), self.pages.as_ptr(), self.bytes.as_mut_ptr(), budget) }
    }
}

fn region(operations: Vec<Operation>, end: End) -> Region {
    Region { blocks: vec![Block { operations, end }] }
}

fn compiled(region: &Region) -> Option<Code> {
    Compiler::verifying().map(|compiler| compiler.compile(region).expect("a whole region is compiled"))
}

const A: Operand = Operand::Register(1);
const B: Operand = Operand::Register(2);

/// The functions with what they are, said in another way than by the form's documentation: in 64 and 128 bits.
fn expected(function: Function, a: u32, b: u32) -> u32 {
    let (wide_a, wide_b) = (i128::from(a), i128::from(b));
    let (signed_a, signed_b) = (i128::from(a as i32), i128::from(b as i32));
    let value = match function {
        Function::Add => wide_a + wide_b,
        Function::Subtract => wide_a - wide_b,
        Function::And => wide_a & wide_b,
        Function::Or => wide_a | wide_b,
        Function::Xor => wide_a ^ wide_b,
        Function::ShiftLeft => wide_a << (b & 31),
        Function::ShiftRight => wide_a >> (b & 31),
        Function::ShiftRightArithmetic => signed_a >> (b & 31),
        Function::SetLess => i128::from(signed_a < signed_b),
        Function::SetLessUnsigned => i128::from(wide_a < wide_b),
        Function::Multiply => signed_a * signed_b,
        Function::MultiplyHigh => (signed_a * signed_b) >> 32,
        Function::MultiplyHighSignedUnsigned => (signed_a * wide_b) >> 32,
        Function::MultiplyHighUnsigned => (wide_a * wide_b) >> 32,
        Function::Divide if b == 0 => -1,
        Function::Divide => signed_a / signed_b,
        Function::DivideUnsigned if b == 0 => -1,
        Function::DivideUnsigned => wide_a / wide_b,
        Function::Remainder if b == 0 => signed_a,
        Function::Remainder => signed_a % signed_b,
        Function::RemainderUnsigned if b == 0 => wide_a,
        Function::RemainderUnsigned => wide_a % wide_b,
        Function::CountLeadingZeros => (0..32).take_while(|bit| wide_a >> (31 - bit) == 0).count() as i128,
    };
    value as u32
}

const FUNCTIONS: [Function; 19] = [
    Function::Add,
    Function::Subtract,
    Function::And,
    Function::Or,
    Function::Xor,
    Function::ShiftLeft,
    Function::ShiftRight,
    Function::ShiftRightArithmetic,
    Function::SetLess,
    Function::SetLessUnsigned,
    Function::Multiply,
    Function::MultiplyHigh,
    Function::MultiplyHighSignedUnsigned,
    Function::MultiplyHighUnsigned,
    Function::Divide,
    Function::DivideUnsigned,
    Function::Remainder,
    Function::RemainderUnsigned,
    Function::CountLeadingZeros,
];

#[test]
fn functions_of_registers_and_of_constants() {
    for function in FUNCTIONS {
        let of_registers = region(vec![Operation::Compute { function, to: 3, a: A, b: B }], End::Leave(5));
        let Some(of_registers) = compiled(&of_registers) else { return };
        for b in VALUES {
            let operation = Operation::Compute { function, to: 2, a: A, b: Operand::Constant(b) };
            let Some(of_constant) = compiled(&region(vec![operation], End::Leave(6))) else { return };
            for a in VALUES {
                let mut guest = Guest::new();
                (guest.registers[1], guest.registers[2]) = (a, b);
                assert_eq!(guest.run(&of_registers, 9), Left { exit: 5, budget: 9 });
                assert_eq!(
                    guest.registers,
                    [0, a, b, expected(function, a, b), 0, 0, 0, 0],
                    "{function:?} {a:#x} {b:#x}"
                );
                assert_eq!(guest.run(&of_constant, 9), Left { exit: 6, budget: 9 });
                assert_eq!(guest.registers[2], expected(function, a, b), "{function:?} {a:#x}, constant {b:#x}");
            }
        }
    }
}

/// Of two numbers, first as unsigned ones, then as signed ones.
type Holds = fn(i64, i64, i64, i64) -> bool;

#[test]
fn conditions() {
    let conditions: [(Condition, Holds); 6] = [
        (Condition::Equal, |a, b, _, _| a == b),
        (Condition::NotEqual, |a, b, _, _| a != b),
        (Condition::Less, |_, _, a, b| a < b),
        (Condition::GreaterOrEqual, |_, _, a, b| a >= b),
        (Condition::LessUnsigned, |a, b, _, _| a < b),
        (Condition::GreaterOrEqualUnsigned, |a, b, _, _| a >= b),
    ];
    for (condition, holds) in conditions {
        let operation = Operation::LeaveIf { condition, a: A, b: B, exit: 1 };
        let Some(code) = compiled(&region(vec![operation], End::Leave(0))) else { return };
        for (a, b) in VALUES.iter().flat_map(|a| VALUES.map(|b| (*a, b))) {
            let mut guest = Guest::new();
            (guest.registers[1], guest.registers[2]) = (a, b);
            let wanted = holds(i64::from(a), i64::from(b), i64::from(a as i32), i64::from(b as i32));
            assert_eq!(guest.run(&code, 0).exit, u32::from(wanted), "{condition:?} {a:#x} {b:#x}");
        }
    }
}

#[test]
fn accesses_that_are_certain_are_made_and_others_are_left() {
    let widths =
        [(Width::Byte, false), (Width::Byte, true), (Width::Half, false), (Width::Half, true), (Width::Word, false)];
    for (width, sign_extended) in widths {
        let load = Operation::Load { width, sign_extended, to: Some(3), base: A, offset: 4, exit: 1 };
        let store = Operation::Store { width, from: B, base: A, offset: u32::MAX, exit: 2 };
        // Registers that were written before an access that is left hold what was written.
        let before = |value| Operation::Move { to: 4, from: Operand::Constant(value) };
        let Some(load) = compiled(&region(vec![before(7), load], End::Leave(0))) else { return };
        let Some(store) = compiled(&region(vec![before(8), store], End::Leave(0))) else { return };
        for address in
            (READ_ONLY - 16..READ_ONLY + 16).chain(WRITABLE - 16..WRITABLE + 16).chain(WRITABLE + 1000..WRITABLE + 1040)
        {
            let mut guest = Guest::new();
            let bytes = width.bytes();
            guest.registers[1] = address.wrapping_sub(4);
            let is_readable =
                (READ_ONLY..WRITABLE + (1 << PAGE_SHIFT)).contains(&address) && address.is_multiple_of(bytes);
            assert_eq!(
                guest.run(&load, 3),
                Left { exit: u32::from(!is_readable), budget: 3 },
                "{width:?} {address:#x}"
            );
            let mut value = 0;
            for n in (0..bytes).filter(|_| is_readable) {
                value |= u32::from(guest.bytes[(address - READ_ONLY + n) as usize]) << (8 * n);
            }
            if sign_extended {
                let unused = 32 - 8 * bytes;
                value = ((value << unused) as i32 >> unused) as u32;
            }
            assert_eq!((guest.registers[3], guest.registers[4]), (value, 7), "{width:?} {address:#x}");

            guest.registers[1] = address.wrapping_add(1);
            guest.registers[2] = 0x8899_aabb;
            let mut wanted = guest.bytes.clone();
            let is_writable = address >= WRITABLE && is_readable;
            assert_eq!(guest.run(&store, 3).exit, if is_writable { 0 } else { 2 }, "{width:?} {address:#x}");
            if is_writable {
                let at = (address - READ_ONLY) as usize;
                wanted[at..at + bytes as usize].copy_from_slice(&0x8899_aabbu32.to_le_bytes()[..bytes as usize]);
            }
            assert!(guest.bytes == wanted, "{width:?} {address:#x}");
            assert_eq!(guest.registers[4], 8);
        }
    }
}

/// Counts register 1 up to register 2 and register 3 by threes, in two blocks.
fn counting() -> Region {
    let add =
        |to, by| Operation::Compute { function: Function::Add, to, a: Operand::Register(to), b: Operand::Constant(by) };
    let edge = Edge { block: 1, instructions: 2, exit: 10 };
    let first = Block {
        operations: vec![add(1, 1), Operation::GoIf { condition: Condition::NotEqual, a: A, b: B, edge }],
        end: End::Leave(11),
    };
    let second = Block { operations: vec![add(3, 3)], end: End::Go(Edge { block: 0, instructions: 1, exit: 12 }) };
    Region { blocks: vec![first, second] }
}

#[test]
fn an_edge_takes_its_time_or_is_not_gone() {
    let Some(code) = compiled(&counting()) else { return };
    for budget in 0..40u32 {
        let mut guest = Guest::new();
        guest.registers[2] = 10;
        let left = guest.run(&code, budget);
        // Nine rounds of three instructions, and then the branch is not taken.
        let rounds = (budget / 3).min(9);
        let (exit, first, second) = match budget - 3 * rounds {
            _ if rounds == 9 => (11, 10, 9),
            2 => (12, rounds + 1, rounds + 1),
            _ => (10, rounds + 1, rounds),
        };
        let spent = 3 * rounds + if exit == 12 { 2 } else { 0 };
        assert_eq!(left, Left { exit, budget: budget - spent }, "{budget}");
        assert_eq!((guest.registers[1], guest.registers[3]), (first, 3 * second), "{budget}");
    }
}

#[test]
fn a_region_that_is_not_whole_is_refused() {
    let Some(compiler) = Compiler::verifying() else { return };
    let mut leads_nowhere = counting();
    leads_nowhere.blocks.pop();
    let no_register = region(vec![Operation::Move { to: 64, from: A }], End::Leave(0));
    for region in [leads_nowhere, no_register, Region::default()] {
        assert!(compiler.compile(&region).is_none(), "{region:?}");
    }
}

#[test]
fn what_is_compiled_is_shared_by_content() {
    let cache = Cache::default();
    let compile = |addresses: &[u32], region| {
        let blocks = addresses.len();
        let addresses = addresses.to_vec();
        let (expected, made_of) = (vec![None; blocks], vec![0; blocks]);
        cache.compile(Source { addresses, expected, made_of, exits: Vec::new() }, region)
    };
    assert!(compile(&[0x100], counting()).is_none(), "there is no back end yet");
    let Some(compiler) = Compiler::verifying() else { return };
    cache.use_back_end(Box::new(compiler));
    let one = compile(&[0x100, 0x200], counting()).expect("a whole region is compiled");
    let again = std::thread::scope(|scope| scope.spawn(|| compile(&[0x100, 0x200], counting())).join());
    assert!(std::ptr::eq(&*one, &*again.unwrap().unwrap()), "another thread gets the same");
    assert_eq!(cache.at(0x100).len(), 1);
    assert!(cache.at(0x200).is_empty());
    // Other code at the same address is another translation; the oldest of many goes.
    for exit in 0..20 {
        assert!(compile(&[0x100], region(Vec::new(), End::Leave(exit))).is_some());
    }
    assert_eq!(cache.at(0x100).len(), 8);
    assert!(cache.size_bytes() <= 8 * 4096);
    // Whoever uses the first one still can.
    let mut guest = Guest::new();
    guest.registers[2] = 5;
    assert_eq!(guest.run(&one.code, 100).exit, 11);
}
