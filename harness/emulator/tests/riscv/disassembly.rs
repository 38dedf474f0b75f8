//! The tracer's text, beside that of GNU objdump 2.40 (`riscv64-unknown-elf-objdump -d -M no-aliases`).

use emulator::riscv::disassemble;

/// Encodings at address 0, and what objdump says; where ours differs on purpose (targets in full, numbers of CSRs,
/// decimal shifts, the usual pseudo-instructions), the second column says what ours is.
const TEXTS: [(u32, &str); 35] = [
    (0x1234_5537, "lui a0, 0x12345"),
    (0xffff_f297, "auipc t0, 0xfffff"),
    (0x1000_00ef, "jal ra, 0x00000100"),
    (0xffc5_8567, "jalr a0, -4(a1)"),
    (0x0000_8067, "ret"),
    (0xfeb5_0ce3, "beq a0, a1, 0xfffffff8"),
    (0x0004_7863, "bgeu s0, zero, 0x00000010"),
    (0xfff1_0503, "lb a0, -1(sp)"),
    (0x7ff1_df83, "lhu t6, 2047(gp)"),
    (0x01b2_2623, "sw s11, 12(tp)"),
    (0x8005_8513, "addi a0, a1, -2048"),
    (0x0055_b513, "sltiu a0, a1, 5"),
    (0xfff6_c613, "xori a2, a3, -1"),
    (0x01f7_9713, "slli a4, a5, 31"),
    (0x4019_d913, "srai s2, s3, 1"),
    (0x40c5_8533, "sub a0, a1, a2"),
    (0x02f7_26b3, "mulhsu a3, a4, a5"),
    (0x03ee_fe33, "remu t3, t4, t5"),
    (0x3405_9573, "csrrw a0, 0x340, a1"),
    (0x3004_7073, "csrrci zero, 0x300, 8"),
    (0x0000_100f, "fence.i"),
    (0x0000_0073, "ecall"),
    (0x3020_0073, "mret"),
    (0x1050_0073, "wfi"),
    (0x0808, "addi a0, sp, 16"),
    (0x41c8, "lw a0, 4(a1)"),
    (0xc690, "sw a2, 8(a3)"),
    (0x7139, "addi sp, sp, -64"),
    (0x7505, "lui a0, 0xfffe1"),
    (0x850d, "srai a0, a0, 3"),
    (0x8d6d, "and a0, a0, a1"),
    (0xc509, "beq a0, zero, 0x0000000a"),
    (0x8782, "jalr zero, 0(a5)"),
    (0x957e, "add a0, a0, t6"),
    (0xdf86, "sw ra, 252(sp)"),
];

#[test]
fn it_reads_as_objdump_does() {
    for (bits, text) in TEXTS {
        assert_eq!(disassemble(0, bits), text, "{bits:#010x}");
    }
    assert_eq!(disassemble(0x4200_0000, 0xffff_ffff), ".word 0xffffffff");
    assert_eq!(disassemble(0x4200_0000, 0), ".half 0x0000");
}
