//! Compiles Mbed TLS from the sources that the crate `mbedtls-rs-sys` carries, with our configuration, and makes the
//! tables of error and flag names from its headers.
//!
//! Needs: clang (for the device; any C compiler for tests on the host). Nothing else: no cmake, ninja or libclang.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE_PACKAGE: &str = "mbedtls-rs-sys";

fn main() {
    for input in ["build.rs", "c/config.h", "c/session.c", "c/session.h", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let package = source_package();
    let mbedtls = package.join("mbedtls");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    compile(&package, &mbedtls);
    fs::write(out.join("names.rs"), name_tables(&mbedtls.join("include"))).expect("OUT_DIR can be written to");
}

/// The folder of the package whose C sources we compile. Cargo has fetched and checked it; only it knows where to.
fn source_package() -> PathBuf {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("Cargo.toml");
    let output = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(&manifest)
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let found = packages.iter().find(|package| package["name"] == SOURCE_PACKAGE);
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).expect("Cargo.toml depends on it");
    Path::new(manifest).parent().expect("a manifest lies in a folder").to_path_buf()
}

fn compile(package: &Path, mbedtls: &Path) {
    let mut build = cc::Build::new();
    build
        .include("c")
        .include(mbedtls.join("include"))
        .include(mbedtls.join("library"))
        .define("MBEDTLS_USER_CONFIG_FILE", Some("\"config.h\""))
        .opt_level(3)
        .debug(false)
        .warnings(false)
        .flag_if_supported("-Wno-ignored-qualifiers")
        .flag("-fno-omit-frame-pointer")
        // No path of this machine in the image.
        .flag(format!("-ffile-prefix-map={}=mbedtls-rs-sys", package.display()))
        .flag("-ffile-prefix-map=c/=mbedtls/");
    let is_device = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    if is_device {
        let target = env::var("TARGET").expect("cargo sets it");
        if env::var_os(format!("CC_{}", target.replace('-', "_"))).is_none() {
            build.compiler("clang");
        }
        build.flag("-nostdlibinc").include(package.join("gen").join("sysroot").join("include"));
    }
    let mut sources: Vec<PathBuf> = fs::read_dir(mbedtls.join("library"))
        .expect("the package carries the library")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    build.files(sources).file("c/session.c");
    if let Err(error) = build.try_compile("shakedown_mbedtls") {
        panic!("Mbed TLS does not compile (is clang installed?): {error}");
    }
}

/// `pub static ERRORS` and `pub static VERIFY_FLAGS`, each sorted by number.
fn name_tables(include: &Path) -> String {
    let mut errors = BTreeMap::new();
    let mut flags = BTreeMap::new();
    let mut headers: Vec<PathBuf> = fs::read_dir(include.join("mbedtls"))
        .expect("the package carries the headers")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    headers.sort();
    for header in headers {
        for line in fs::read_to_string(&header).expect("a header is text").lines() {
            let mut words = line.split_whitespace();
            let (Some("#define"), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            if name.starts_with("MBEDTLS_ERR_") {
                if let Some(code) = value.strip_prefix("-0x").and_then(|digits| i32::from_str_radix(digits, 16).ok()) {
                    errors.entry(code).or_insert(name.to_owned());
                }
            } else if name.starts_with("MBEDTLS_X509_BADCERT_") || name.starts_with("MBEDTLS_X509_BADCRL_") {
                if let Some(flag) = value.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                    flags.entry(flag).or_insert(name.to_owned());
                }
            }
        }
    }
    assert!(errors.len() > 100 && flags.len() > 15, "the headers have changed their style");
    let mut text = String::from("/// Codes without their sign, and their names, by code.\n");
    writeln!(text, "pub static ERRORS: &[(i32, &str)] = &[").expect("a string takes everything");
    for (code, name) in errors {
        writeln!(text, "    (0x{code:04x}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n\n/// Flags of the check of a chain, and their names, lowest bit first.\n");
    text.push_str("pub static VERIFY_FLAGS: &[(u32, &str)] = &[\n");
    for (flag, name) in flags {
        writeln!(text, "    (0x{flag:06x}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n");
    text
}
