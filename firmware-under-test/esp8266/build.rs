//! Assembles the beginning of an image, and tells cargo of the files that the linker reads.

fn main() {
    for input in [
        "build.rs",
        "link.ld",
        "src/start.S",
        "toolchain/cc",
        "toolchain/link-gcc",
        "toolchain/literals.awk",
        "toolchain/xtensa-lx106-none-elf.json",
    ] {
        println!("cargo::rerun-if-changed={input}");
    }
    cc::Build::new().file("src/start.S").link_lib_modifier("+whole-archive").compile("start");
}
