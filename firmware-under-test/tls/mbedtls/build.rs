//! Makes the settings of a session from the header that states them for C.

use c_struct::Struct;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    c_struct::build("c/interface/session.h", &[Struct { c: "shakedown_settings", rust: "Settings", derives: "" }]);
}
