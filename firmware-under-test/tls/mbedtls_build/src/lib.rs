//! Compiles Mbed TLS, 2.28 or 3.6, from the sources that a crate carries, with our configuration and a few changes, and
//! makes the tables of error and flag names from its headers. For the build scripts of the crates `mbedtls_…`, each of which
//! says in a [`Library`] what is its own; the C files that they share are those of the crate `mbedtls`.
//!
//! Needs: clang (for the device; any C compiler for tests on the host). Nothing else: no cmake, ninja or libclang.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the versions share, seen from a version's folder: C files of ours, and their headers in a folder below.
const SHARED: &str = "../mbedtls/c";
const SHARED_FILES: [&str; 2] = ["calendar.c", "session.c"];
const SHARED_HEADERS: &str = "interface";

/// Where a version comes from, and what of it is ours.
pub struct Library {
    /// The package that carries it.
    pub package: &'static str,
    /// The library's folder in the package.
    pub folder: &'static str,
    /// The folder that stands in for the C library's headers on the device.
    pub headers: Headers,
    /// Our configuration, in `c/`: read after the library's own, under a name that the library has not.
    pub config: &'static str,
    /// What is changed in the library's own files.
    pub changes: &'static [Change],
}

/// Where headers like string.h come from.
pub enum Headers {
    /// From this folder of the package.
    OfPackage(&'static str),
    /// From this folder of the crate.
    Own(&'static str),
}

/// A change in one of the library's files, made in a copy.
pub struct Change {
    /// The file in `library/`.
    pub file: &'static str,
    /// Text that stands there.
    pub old: &'static str,
    /// How often it stands there.
    pub count: usize,
    /// Text that takes its place.
    pub new: &'static str,
}

/// Does it all, in a build script: the static library is linked into its crate, and `OUT_DIR/names.rs` defines `ERRORS` and
/// `VERIFY_FLAGS`.
///
/// # Panics
/// If something is missing, with the way to get it, or if a changed file is not the one that the change was made for.
pub fn build(library: &Library) {
    for input in inputs() {
        println!("cargo::rerun-if-changed={}", input.display());
    }
    let package = source_package(library.package);
    let mbedtls = package.join(library.folder);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    compile(library, &package, &mbedtls, &out);
    fs::write(out.join("names.rs"), name_tables(&mbedtls.join("include"))).expect("OUT_DIR can be written to");
}

/// Our own files, one by one: cargo's list of them, from which the image's manifest is made, has to name files.
fn inputs() -> Vec<PathBuf> {
    let mut inputs: Vec<PathBuf> = ["build.rs", "Cargo.toml", "Cargo.lock"].map(PathBuf::from).into();
    let mut folders: Vec<PathBuf> = ["c", SHARED].map(PathBuf::from).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of ours") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() { folders.push(path) } else { inputs.push(path) }
        }
    }
    inputs.sort();
    inputs
}

/// The folder of the package whose C sources we compile. Cargo has fetched and checked it; only it knows where to.
fn source_package(name: &str) -> PathBuf {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("Cargo.toml");
    let output = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(&manifest)
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let found = packages.iter().find(|package| package["name"] == name);
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).expect("Cargo.toml depends on it");
    Path::new(manifest).parent().expect("a manifest lies in a folder").to_path_buf()
}

fn compile(library: &Library, package: &Path, mbedtls: &Path, out: &Path) {
    let mut build = cc::Build::new();
    build
        .include("c")
        .include(Path::new(SHARED).join(SHARED_HEADERS))
        .include(mbedtls.join("include"))
        .include(mbedtls.join("library"))
        .define("MBEDTLS_USER_CONFIG_FILE", Some(format!("{:?}", library.config).as_str()))
        .debug(false)
        .warnings(false)
        .flag_if_supported("-Wno-ignored-qualifiers")
        .flag("-fno-omit-frame-pointer")
        // No path of this machine in the image.
        .flag(format!("-ffile-prefix-map={}={}", package.display(), library.package))
        .flag(format!("-ffile-prefix-map={}=changed", out.display()))
        .flag(format!("-ffile-prefix-map={SHARED}/=mbedtls/"))
        .flag("-ffile-prefix-map=c/=mbedtls/");
    let is_device = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    // Tests on the host are short, and compiling for them is not.
    build.opt_level(if is_device { 3 } else { 0 });
    if is_device {
        let target = env::var("TARGET").expect("cargo sets it");
        if env::var_os(format!("CC_{}", target.replace('-', "_"))).is_none() {
            build.compiler("clang");
        }
        build.flag("-nostdlibinc").include(match library.headers {
            Headers::OfPackage(folder) => package.join(folder),
            Headers::Own(folder) => PathBuf::from(folder),
        });
    }
    let mut sources: Vec<PathBuf> = fs::read_dir(mbedtls.join("library"))
        .expect("the package carries the library")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    for source in &mut sources {
        if let Some(changed) = changed(library.changes, source, out) {
            *source = changed;
        }
    }
    build.files(sources).file("c/differences.c").files(SHARED_FILES.map(|file| Path::new(SHARED).join(file)));
    if let Err(error) = build.try_compile("shakedown_mbedtls") {
        panic!("Mbed TLS does not compile (is clang installed?): {error}");
    }
}

/// A copy of `source` with our changes, if there are any for it.
fn changed(changes: &[Change], source: &Path, out: &Path) -> Option<PathBuf> {
    let name = source.file_name()?;
    let changes: Vec<&Change> = changes.iter().filter(|change| *change.file == *name).collect();
    if changes.is_empty() {
        return None;
    }
    let mut text = fs::read_to_string(source).expect("a C file is text");
    for change in changes {
        let count = text.matches(change.old).count();
        assert!(
            count == change.count,
            "{}: what build.rs means to change stands there {count} times, not {}: another release? Look at\n{}",
            source.display(),
            change.count,
            change.old
        );
        text = text.replace(change.old, change.new);
    }
    let copy = out.join(name);
    fs::write(&copy, text).expect("OUT_DIR can be written to");
    Some(copy)
}

/// `pub const ERRORS` and `pub const VERIFY_FLAGS`, each sorted by number.
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
            let is_flag = name.starts_with("MBEDTLS_X509_BADCERT_") || name.starts_with("MBEDTLS_X509_BADCRL_");
            if let (true, Some(digits)) = (name.starts_with("MBEDTLS_ERR_"), value.strip_prefix("-0x"))
                && let Ok(code) = i32::from_str_radix(digits, 16)
            {
                errors.entry(code).or_insert(name.to_owned());
            }
            if let (true, Some(digits)) = (is_flag, value.strip_prefix("0x"))
                && let Ok(flag) = u32::from_str_radix(digits, 16)
            {
                flags.entry(flag).or_insert(name.to_owned());
            }
        }
    }
    assert!(errors.len() > 100 && flags.len() > 15, "the headers have changed their style");
    let mut text = String::from("/// Codes without their sign, and their names, by code.\n");
    writeln!(text, "pub const ERRORS: &[(i32, &str)] = &[").expect("a string takes everything");
    for (code, name) in errors {
        writeln!(text, "    (0x{code:04x}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n\n/// Flags of the check of a chain, and their names, lowest bit first.\n");
    text.push_str("pub const VERIFY_FLAGS: &[(u32, &str)] = &[\n");
    for (flag, name) in flags {
        writeln!(text, "    (0x{flag:06x}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n");
    text
}
