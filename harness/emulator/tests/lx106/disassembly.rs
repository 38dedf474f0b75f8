//! The tracer's text, beside that of GNU objdump 2.40 (`xtensa-lx106-elf-objdump -d`).

use emulator::lx106::disassemble;

/// Encodings at address 0x1000, and what objdump says.
const TEXTS: [(u32, &str); 45] = [
    (0x00_0080, "ret"),
    (0xf00d, "ret.n"),
    (0xf30d, "ret.n"),
    (0x00_02a0, "jx a2"),
    (0x00_02c0, "callx0 a2"),
    (0x00_00c5, "call0 0x1010"),
    (0x00_03c6, "j 0x1013"),
    (0x82_2340, "mull a2, a3, a4"),
    (0xc1_2340, "mul16u a2, a3, a4"),
    (0x40_e320, "nsa a2, a3"),
    (0x40_f320, "nsau a2, a3"),
    (0x00_3310, "rfi 3"),
    (0x00_3000, "rfe"),
    (0x00_7300, "waiti 3"),
    (0x00_4110, "break 1, 1"),
    (0xf12d, "break.n 1"),
    (0x00_6320, "rsil a2, 3"),
    (0xb0_2340, "addx8 a2, a3, a4"),
    (0x40_4300, "ssai 3"),
    (0x40_2200, "ssa8l a2"),
    (0x81_2340, "src a2, a3, a4"),
    (0x91_2030, "srl a2, a3"),
    (0xa1_2300, "sll a2, a3"),
    (0x11_23b0, "slli a2, a3, 5"),
    (0x21_2530, "srai a2, a3, 5"),
    (0x41_2530, "srli a2, a3, 5"),
    (0x34_2330, "extui a2, a3, 3, 4"),
    (0x00_20c0, "memw"),
    (0x61_e620, "xsr.ps a2"),
    (0x03_b120, "rsr.epc1 a2"),
    (0x13_e320, "wsr.intclear a2"),
    (0x00_6237, "bbci a2, 3, 0x1004"),
    (0x00_e237, "bbsi a2, 3, 0x1004"),
    (0x10_8237, "bany a2, a3, 0x1014"),
    (0xfc_2326, "beqi a3, 2, 0x1000"),
    (0x04_03f6, "bgeui a3, 32768, 0x1008"),
    (0x00_8356, "bnez a3, 0x100c"),
    (0x10_2322, "l32i a2, a3, 64"),
    (0x10_5322, "s16i a2, a3, 32"),
    (0xff_af22, "movi a2, -1"),
    (0xff_d322, "addmi a2, a3, -256"),
    (0x4328, "l32i.n a2, a3, 16"),
    (0x230b, "addi.n a2, a3, -1"),
    (0xf27c, "movi.n a2, -1"),
    (0x032d, "mov.n a2, a3"),
];

#[test]
fn it_reads_as_objdump_does() {
    for (bits, text) in TEXTS {
        assert_eq!(disassemble(0x1000, bits), text, "{bits:#x}");
    }
    assert_eq!(disassemble(0x1000, 0xff_ff21), "l32r a2, 0xffc");
    assert_eq!(disassemble(0x1000, 0x20_2330), "mov a2, a3");
    assert_eq!(disassemble(0x1000, 0x00_000f), ".byte 0x0f, 0x00, 0x00");
}
