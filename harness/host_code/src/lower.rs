//! From the intermediate form to Cranelift's.
//!
//! A guest's register is a variable, of which Cranelift makes values and keeps as many in the host's registers as it
//! can. What a block writes is put into the register file before the next place at which host code might leave, and at
//! most once between two such places: so leaving is a jump, and costs nothing where it does not happen.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, AliasRegionData, InstBuilder, MemFlagsData, Value};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, Variable};

use translate::form::{
    Block, Condition, Edge, End, Exit, Function, Operand, Operation, REGISTERS_MAX, Region, Register, Width,
};
use translate::memory::{PAGE_SHIFT, Page, READS, WRITES};

/// Fills a function of the type of [`translate::Entry`] with what a region does.
pub(crate) fn lower(region: &Region, mut builder: FunctionBuilder<'_>, config: TargetFrontendConfig) {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let &[registers, pages, backing, time] = builder.block_params(entry) else {
        unreachable!("the function has four parameters")
    };
    let [file, table, data] = [(0, "registers"), (1, "page table"), (2, "memory")].map(|(user_id, description)| {
        let region =
            builder.func.dfg.alias_regions.insert(AliasRegionData { user_id, description: description.into() });
        MemFlagsData::new().with_notrap().with_alias_region(Some(region))
    });
    let leave = builder.create_block();
    builder.append_block_param(leave, I64);
    builder.append_block_param(leave, I32);
    let blocks = region.blocks.iter().map(|_| builder.create_block()).collect();
    let budget = builder.declare_var(I32);
    builder.def_var(budget, time);
    let places = Places { registers, pages, backing, file, table, data, leave };
    let mut lowering =
        Lowering { builder, places, blocks, budget, variables: [None; REGISTERS_MAX], dirty: 0, aligned: Vec::new() };
    lowering.declare_registers(region);
    lowering.jump(0);
    for (n, block) in region.blocks.iter().enumerate() {
        lowering.block(n, block);
    }
    lowering.finish(config);
}

/// What every block can reach.
#[derive(Clone, Copy)]
struct Places {
    registers: Value,
    pages: Value,
    backing: Value,
    /// What loads and stores of the three may assume.
    file: MemFlagsData,
    table: MemFlagsData,
    data: MemFlagsData,
    /// The one block that returns; it takes exit and time.
    leave: ir::Block,
}

struct Lowering<'a> {
    builder: FunctionBuilder<'a>,
    places: Places,
    blocks: Vec<ir::Block>,
    budget: Variable,
    variables: [Option<Variable>; REGISTERS_MAX],
    /// Registers whose place in the register file is not up to date, one bit each.
    dirty: u64,
    /// Values that have been found to be this, modulo 4 (or 2), in this block.
    aligned: Vec<(Value, u32, u32)>,
}

impl Lowering<'_> {
    /// Makes a variable of each register that the region names, with what the register file holds.
    fn declare_registers(&mut self, region: &Region) {
        for operation in region.blocks.iter().flat_map(|block| &block.operations) {
            let read = operation.reads().into_iter().flatten().filter_map(|operand| match operand {
                Operand::Register(register) => Some(register),
                Operand::Constant(_) => None,
            });
            for register in read.chain(operation.writes()) {
                let place = &mut self.variables[usize::from(register)];
                if place.is_none() {
                    let variable = self.builder.declare_var(I32);
                    *place = Some(variable);
                    let Places { registers, file, .. } = self.places;
                    let value = self.builder.ins().load(I32, file, registers, 4 * i32::from(register));
                    self.builder.def_var(variable, value);
                }
            }
        }
    }

    fn jump(&mut self, block: usize) {
        self.builder.ins().jump(self.blocks[block], &[]);
    }

    fn block(&mut self, n: usize, block: &Block) {
        self.builder.switch_to_block(self.blocks[n]);
        self.aligned.clear();
        for operation in &block.operations {
            self.operation(operation);
        }
        self.write_back();
        match block.end {
            End::Leave(exit) => self.leave(exit),
            End::Go(edge) => self.follow(edge),
        }
    }

    fn finish(mut self, config: TargetFrontendConfig) {
        self.builder.switch_to_block(self.places.leave);
        let &[exit, budget] = self.builder.block_params(self.places.leave) else {
            unreachable!("the block has two parameters")
        };
        let budget = self.builder.ins().uextend(I64, budget);
        let exit = self.builder.ins().ishl_imm_u(exit, 32);
        let both = self.builder.ins().bor(exit, budget);
        self.builder.ins().return_(&[both]);
        self.builder.seal_all_blocks();
        self.builder.finalize(config);
    }

    fn operation(&mut self, operation: &Operation) {
        match *operation {
            Operation::Move { to, from } => {
                let value = self.value(from);
                self.set(to, value);
            }
            Operation::Compute { function, to, a, b } => {
                let (a, b) = (self.value(a), self.value(b));
                let value = self.compute(function, a, b);
                self.set(to, value);
            }
            Operation::Load { width, sign_extended, to, base, offset, exit } => {
                let at = self.locate(READS, width, base, offset, exit);
                let value = self.load(width, sign_extended, at);
                if let Some(to) = to {
                    self.set(to, value);
                }
            }
            Operation::Store { width, from, base, offset, exit } => {
                let at = self.locate(WRITES, width, base, offset, exit);
                let (value, flags) = (self.value(from), self.places.data);
                match width {
                    Width::Byte => self.builder.ins().istore8(flags, value, at, -1),
                    Width::Half => self.builder.ins().istore16(flags, value, at, -1),
                    Width::Word => self.builder.ins().store(flags, value, at, -1),
                };
            }
            Operation::LeaveIf { condition, a, b, exit } => {
                let holds = self.compare(condition, a, b);
                self.leave_if(holds, exit);
            }
            Operation::GoIf { condition, a, b, edge } => {
                let holds = self.compare(condition, a, b);
                self.write_back();
                let (taken, on) = (self.builder.create_block(), self.builder.create_block());
                self.builder.ins().brif(holds, taken, &[], on, &[]);
                self.builder.switch_to_block(taken);
                self.follow(edge);
                self.builder.switch_to_block(on);
            }
        }
    }

    fn value(&mut self, operand: Operand) -> Value {
        match operand {
            Operand::Register(register) => self.builder.use_var(self.variable(register)),
            Operand::Constant(value) => self.constant(value),
        }
    }

    fn constant(&mut self, value: u32) -> Value {
        self.builder.ins().iconst(I32, i64::from(value))
    }

    fn variable(&self, register: Register) -> Variable {
        self.variables[usize::from(register)].expect("every register that is named was declared")
    }

    fn set(&mut self, register: Register, value: Value) {
        let variable = self.variable(register);
        self.builder.def_var(variable, value);
        self.dirty |= 1 << register;
    }

    /// Brings the register file up to date.
    fn write_back(&mut self) {
        let Places { registers, file, .. } = self.places;
        while self.dirty != 0 {
            let register = self.dirty.trailing_zeros() as Register;
            self.dirty &= self.dirty - 1;
            let value = self.builder.use_var(self.variable(register));
            self.builder.ins().store(file, value, registers, 4 * i32::from(register));
        }
    }

    fn leave(&mut self, exit: Exit) {
        let exit = self.builder.ins().iconst(I64, i64::from(exit));
        let budget = self.builder.use_var(self.budget);
        self.builder.ins().jump(self.places.leave, &[exit.into(), budget.into()]);
    }

    fn leave_if(&mut self, holds: Value, exit: Exit) {
        self.write_back();
        let (away, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(away);
        self.builder.ins().brif(holds, away, &[], on, &[]);
        self.builder.switch_to_block(away);
        self.leave(exit);
        self.builder.switch_to_block(on);
    }

    /// Takes the time of an edge, or leaves with what there was.
    fn follow(&mut self, edge: Edge) {
        let budget = self.builder.use_var(self.budget);
        let less = self.builder.ins().iadd_imm_s(budget, -i64::from(edge.instructions));
        let late = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, less, 0);
        let (away, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(away);
        self.builder.ins().brif(late, away, &[], on, &[]);
        self.builder.switch_to_block(away);
        self.leave(edge.exit);
        self.builder.switch_to_block(on);
        self.builder.def_var(self.budget, less);
        self.jump(edge.block as usize);
    }

    /// One more than where the host keeps the guest's address; leaves if that is not for host code to reach.
    fn locate(&mut self, wish: usize, width: Width, base: Operand, offset: u32, exit: Exit) -> Value {
        let start = self.value(base);
        let address = match offset {
            0 => start,
            _ => self.builder.ins().iadd_imm_s(start, i64::from(offset as i32)),
        };
        if !self.is_aligned(start, offset, width.bytes()) {
            let misaligned = self.builder.ins().band_imm_u(address, i64::from(width.bytes() - 1));
            self.leave_if(misaligned, exit);
            self.aligned.push((start, offset, width.bytes()));
        }
        let Places { pages, backing, table, .. } = self.places;
        let page = self.builder.ins().ushr_imm_u(address, i64::from(PAGE_SHIFT));
        let page = self.builder.ins().uextend(I64, page);
        let scaled = self.builder.ins().ishl_imm_u(page, i64::from(size_of::<Page>().ilog2()));
        let entry_at = self.builder.ins().iadd(pages, scaled);
        let entry = self.builder.ins().load(I32, table, entry_at, (4 * wish) as i32);
        let absent = self.builder.ins().icmp_imm_s(IntCC::Equal, entry, 0);
        self.leave_if(absent, exit);
        let place = self.builder.ins().iadd(entry, address);
        let place = self.builder.ins().uextend(I64, place);
        self.builder.ins().iadd(backing, place)
    }

    /// Whether an access before this one has shown that this one is aligned.
    fn is_aligned(&self, start: Value, offset: u32, bytes: u32) -> bool {
        let shows = |&(value, other, modulus): &(Value, u32, u32)| {
            value == start && modulus >= bytes && other.wrapping_sub(offset).is_multiple_of(bytes)
        };
        bytes == 1 || self.aligned.iter().any(shows)
    }

    fn load(&mut self, width: Width, sign_extended: bool, at: Value) -> Value {
        let (flags, ins) = (self.places.data, self.builder.ins());
        match (width, sign_extended) {
            (Width::Byte, true) => ins.sload8(I32, flags, at, -1),
            (Width::Byte, false) => ins.uload8(I32, flags, at, -1),
            (Width::Half, true) => ins.sload16(I32, flags, at, -1),
            (Width::Half, false) => ins.uload16(I32, flags, at, -1),
            (Width::Word, _) => ins.load(I32, flags, at, -1),
        }
    }

    fn compare(&mut self, condition: Condition, a: Operand, b: Operand) -> Value {
        let (a, b) = (self.value(a), self.value(b));
        let condition = match condition {
            Condition::Equal => IntCC::Equal,
            Condition::NotEqual => IntCC::NotEqual,
            Condition::Less => IntCC::SignedLessThan,
            Condition::GreaterOrEqual => IntCC::SignedGreaterThanOrEqual,
            Condition::LessUnsigned => IntCC::UnsignedLessThan,
            Condition::GreaterOrEqualUnsigned => IntCC::UnsignedGreaterThanOrEqual,
        };
        self.builder.ins().icmp(condition, a, b)
    }

    fn compute(&mut self, function: Function, a: Value, b: Value) -> Value {
        let ins = self.builder.ins();
        match function {
            Function::Add => ins.iadd(a, b),
            Function::Subtract => ins.isub(a, b),
            Function::And => ins.band(a, b),
            Function::Or => ins.bor(a, b),
            Function::Xor => ins.bxor(a, b),
            // The amount counts modulo the width here too.
            Function::ShiftLeft => ins.ishl(a, b),
            Function::ShiftRight => ins.ushr(a, b),
            Function::ShiftRightArithmetic => ins.sshr(a, b),
            Function::SetLess => self.set_if(IntCC::SignedLessThan, a, b),
            Function::SetLessUnsigned => self.set_if(IntCC::UnsignedLessThan, a, b),
            Function::Multiply => ins.imul(a, b),
            Function::MultiplyHigh => self.multiply_high((true, a), (true, b)),
            Function::MultiplyHighSignedUnsigned => self.multiply_high((true, a), (false, b)),
            Function::MultiplyHighUnsigned => self.multiply_high((false, a), (false, b)),
            Function::Divide => self.divide(true, a, b, |ins, a, b| ins.sdiv(a, b), None),
            Function::DivideUnsigned => self.divide(false, a, b, |ins, a, b| ins.udiv(a, b), None),
            Function::Remainder => self.divide(true, a, b, |ins, a, b| ins.srem(a, b), Some(a)),
            Function::RemainderUnsigned => self.divide(false, a, b, |ins, a, b| ins.urem(a, b), Some(a)),
            Function::CountLeadingZeros => ins.clz(a),
        }
    }

    fn set_if(&mut self, condition: IntCC, a: Value, b: Value) -> Value {
        let holds = self.builder.ins().icmp(condition, a, b);
        self.builder.ins().uextend(I32, holds)
    }

    fn extend(&mut self, signed: bool, value: Value) -> Value {
        match signed {
            true => self.builder.ins().sextend(I64, value),
            false => self.builder.ins().uextend(I64, value),
        }
    }

    fn multiply_high(&mut self, a: (bool, Value), b: (bool, Value)) -> Value {
        let (a, b) = (self.extend(a.0, a.1), self.extend(b.0, b.1));
        let product = self.builder.ins().imul(a, b);
        let high = self.builder.ins().ushr_imm_u(product, 32);
        self.builder.ins().ireduce(I32, high)
    }

    /// Divides in 64 bits, in which nothing overflows, and by one instead of by zero; `by_zero` (or all ones) takes the
    /// place of what that gives.
    fn divide(
        &mut self,
        signed: bool,
        a: Value,
        b: Value,
        divide: impl FnOnce(cranelift_frontend::FuncInstBuilder<'_, '_>, Value, Value) -> Value,
        by_zero: Option<Value>,
    ) -> Value {
        let (one, by_zero) = (self.constant(1), by_zero.unwrap_or_else(|| self.constant(u32::MAX)));
        let is_zero = self.builder.ins().icmp_imm_s(IntCC::Equal, b, 0);
        let divisor = self.builder.ins().select(is_zero, one, b);
        let (a, divisor) = (self.extend(signed, a), self.extend(signed, divisor));
        let result = divide(self.builder.ins(), a, divisor);
        let result = self.builder.ins().ireduce(I32, result);
        self.builder.ins().select(is_zero, by_zero, result)
    }
}
