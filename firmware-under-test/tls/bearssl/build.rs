//! Finds the sources of BearSSL 0.6, checks them, compiles them, and makes the tables of error and cipher suite names
//! from their headers.
//!
//! No package registry has BearSSL 0.6, and nothing of it is kept here. It comes from
//!
//! 1. `BEARSSL_SOURCE`: Debian's source archive, or a folder with what is in it; else
//! 2. the archive that an earlier build has left in this crate's target folder; else
//! 3. Debian, through apt-get, which needs no root for that.
//!
//! Wherever it comes from, every file that is compiled counts into [`SOURCES_SHA256`]. A build for the device fails
//! without the sources; one for the host leaves the crate empty, so that its tests can say that they stand aside.
//!
//! Needs besides: clang (for the device; any C compiler for tests on the host), and tar with xz for the archive.

use std::collections::BTreeMap;
use std::env;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c_struct::Struct;
use sha2::{Digest, Sha256};

const VARIABLE: &str = "BEARSSL_SOURCE";
/// Debian's source archive of BearSSL 0.6: upstream's without one compiled program.
const ARCHIVE: &str = "bearssl_0.6+dfsg.1.orig.tar.xz";
const ARCHIVE_SHA256: &str = "102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004";
/// Over the paths and contents of the folders `inc` and `src`: see [`digest`].
const SOURCES_SHA256: &str = "2f61d33399d7843d9a317adc2ec17d94192f35af36ad22f8d9ee15466cea3de9";
const ARCHIVE_URL: &str = "http://deb.debian.org/debian/pool/main/b/bearssl/bearssl_0.6+dfsg.1.orig.tar.xz";
/// What apt-get is told, beside and not instead of what the machine's own lists say.
const APT_SOURCES: &str = "\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";

/// What `src/ffi.rs` has of the header.
const STRUCTS: &[Struct] = &[
    Struct { c: "shakedown_settings", rust: "Settings", derives: "" },
    Struct { c: "shakedown_kept", rust: "Kept", derives: "Clone, Copy" },
];

fn main() {
    for input in ["build.rs", "c/session.c", "c/session.h", "c/freestanding/string.h", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rustc-check-cfg=cfg(bearssl)");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let is_device = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    match source(&out) {
        Ok(bearssl) => {
            compile(&bearssl, is_device);
            c_struct::build("c/session.h", STRUCTS);
            fs::write(out.join("names.rs"), tables(&bearssl)).expect("OUT_DIR can be written to");
            println!("cargo::rustc-cfg=bearssl");
        }
        Err(reason) if is_device => panic!(
            "the sources of BearSSL 0.6 are not at hand: {reason}\n\
             On Debian, apt-get fetches them by itself, if it can reach deb.debian.org. Elsewhere, download\n  \
             {ARCHIVE_URL}\nand name it in {VARIABLE}."
        ),
        Err(reason) => {
            let reason = reason.to_string();
            let reason = reason.lines().next().unwrap_or_default();
            println!("cargo::warning=without the sources of BearSSL ({reason}), this crate is empty");
            println!("cargo::rustc-env=WITHOUT_BEARSSL={reason}");
        }
    }
}

/// Why there are no sources.
#[derive(Debug)]
enum Missing {
    File(PathBuf, std::io::Error),
    Program(&'static str, std::io::Error),
    NotFetched(String),
    NotUnpacked(String),
    OtherArchive { archive: PathBuf, sha256: String },
    OtherSources { folder: PathBuf, digest: String },
}

impl Missing {
    fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File(path.into(), error)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Program(name, error) => write!(f, "{name} does not start: {error}"),
            Self::NotFetched(why) => f.write_str(why),
            Self::NotUnpacked(said) => write!(f, "tar: {said} (is xz installed?)"),
            Self::OtherArchive { archive, sha256 } => {
                write!(f, "{} is not {ARCHIVE} (its SHA-256 is {sha256})", archive.display())
            }
            Self::OtherSources { folder, digest } => {
                write!(f, "{} does not hold the sources of BearSSL 0.6 (their digest is {digest})", folder.display())
            }
        }
    }
}

/// The folder with BearSSL's sources, checked.
fn source(out: &Path) -> Result<PathBuf, Missing> {
    let folder = match env::var_os(VARIABLE).map(PathBuf::from) {
        Some(given) if given.is_dir() => given,
        Some(given) => unpack(&given, out)?,
        None => {
            let kept = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("target/bearssl");
            let archive = kept.join(ARCHIVE);
            if !archive.is_file() {
                download(&kept)?;
            }
            unpack(&archive, out)?
        }
    };
    let found = digest(&folder)?;
    if found == SOURCES_SHA256 {
        Ok(folder)
    } else {
        Err(Missing::OtherSources { folder, digest: found })
    }
}

/// Asks Debian for the archive, with lists of our own in `into`: the machine's are neither read nor changed.
fn download(into: &Path) -> Result<(), Missing> {
    let write = |path: PathBuf| fs::create_dir_all(&path).map_err(|error| Missing::file(&path, error));
    write(into.join("lists/partial"))?;
    write(into.join("cache/archives/partial"))?;
    let into = into.canonicalize().map_err(|error| Missing::file(into, error))?;
    let list = into.join("debian.sources");
    fs::write(&list, APT_SOURCES).map_err(|error| Missing::file(&list, error))?;
    let apt = |arguments: &[&str]| {
        let option = |name: &str, value: &Path| format!("{name}={}", value.display());
        let output = Command::new("apt-get")
            .args(["-q", "-o", &option("Dir::Etc::SourceList", &list), "-o", "Dir::Etc::SourceParts=-"])
            .args(["-o", &option("Dir::State::Lists", &into.join("lists"))])
            .args(["-o", &option("Dir::Cache", &into.join("cache"))])
            .args(["-o", "APT::Sandbox::User=root"])
            .args(arguments)
            .current_dir(&into)
            .output()
            .map_err(|error| Missing::Program("apt-get", error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let said = said.lines().find(|line| line.starts_with("E:")).unwrap_or("E: it does not say why");
        Err(Missing::NotFetched(format!("apt-get {}: {said}", arguments.join(" "))))
    };
    apt(&["update"])?;
    apt(&["source", "--download-only", "bearssl"])?;
    if into.join(ARCHIVE).is_file() { Ok(()) } else { Err(Missing::NotFetched(format!("Debian has no {ARCHIVE} any more"))) }
}

/// Checks an archive and unpacks it.
fn unpack(archive: &Path, out: &Path) -> Result<PathBuf, Missing> {
    let bytes = fs::read(archive).map_err(|error| Missing::file(archive, error))?;
    let found = hexadecimal(&Sha256::digest(bytes));
    if found != ARCHIVE_SHA256 {
        return Err(Missing::OtherArchive { archive: archive.into(), sha256: found });
    }
    let folder = out.join("bearssl");
    // What an interrupted build has left would count into the digest.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Missing::file(&folder, error))?;
    }
    fs::create_dir_all(&folder).map_err(|error| Missing::file(&folder, error))?;
    let output = Command::new("tar")
        .args(["-xJf"])
        .arg(archive)
        .args(["--strip-components=1", "-C"])
        .arg(&folder)
        .output()
        .map_err(|error| Missing::Program("tar", error))?;
    if output.status.success() {
        Ok(folder)
    } else {
        Err(Missing::NotUnpacked(String::from_utf8_lossy(&output.stderr).trim().into()))
    }
}

/// SHA-256 over `HASH  PATH` lines of every C file and header, as `sha256sum` prints them, sorted by path.
fn digest(folder: &Path) -> Result<String, Missing> {
    let mut lines = BTreeMap::new();
    for part in ["inc", "src"] {
        for file in files(&folder.join(part))? {
            let path = file.strip_prefix(folder).unwrap_or(&file);
            let path = path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            if path.ends_with(".c") || path.ends_with(".h") {
                let bytes = fs::read(&file).map_err(|error| Missing::file(&file, error))?;
                lines.insert(path, hexadecimal(&Sha256::digest(bytes)));
            }
        }
    }
    let text: String = lines.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();
    Ok(hexadecimal(&Sha256::digest(text)))
}

/// All files below a folder, by path.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Missing> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| Missing::file(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| Missing::file(folder, error))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compile(bearssl: &Path, is_device: bool) {
    let mut build = cc::Build::new();
    build
        .include("c")
        .include(bearssl.join("inc"))
        .include(bearssl.join("src"))
        // Chance and time come from the image and from nowhere else.
        .define("BR_USE_URANDOM", "0")
        .define("BR_USE_UNIX_TIME", "0")
        .define("BR_USE_WIN32_RAND", "0")
        .define("BR_USE_WIN32_TIME", "0")
        .define("BR_RDRAND", "0")
        // Tests on the host are short, and compiling for them is not.
        .opt_level(if is_device { 3 } else { 0 })
        .debug(false)
        .warnings(false)
        .flag("-fno-omit-frame-pointer")
        .flag("-ffunction-sections")
        .flag("-fdata-sections")
        // No path of this machine in the image.
        .flag(format!("-ffile-prefix-map={}=bearssl", bearssl.display()))
        .flag("-ffile-prefix-map=c/=shakedown/");
    if is_device {
        let target = env::var("TARGET").expect("cargo sets it");
        if env::var_os(format!("CC_{}", target.replace('-', "_"))).is_none() {
            build.compiler("clang");
        }
        build.flag("-nostdlibinc").include("c/freestanding");
    }
    let sources = files(&bearssl.join("src")).expect("the folder was read a moment ago");
    let sources = sources.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    build.files(sources).file("c/session.c");
    if let Err(error) = build.try_compile("shakedown_bearssl") {
        panic!("BearSSL does not compile (is clang installed?): {error}");
    }
}

/// `ERRORS`, `CIPHER_SUITES` (each sorted by number) and `FULL_LIST`, from BearSSL's own text.
fn tables(bearssl: &Path) -> String {
    let read = |path: &str| fs::read_to_string(bearssl.join(path)).expect("a source is text");
    let mut errors = BTreeMap::new();
    let mut suites = BTreeMap::new();
    for line in (read("inc/bearssl_ssl.h") + &read("inc/bearssl_x509.h")).lines() {
        let mut words = line.split_whitespace();
        let (Some("#define"), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else { continue };
        if let (true, Ok(code)) = (name.starts_with("BR_ERR_"), value.parse::<i32>()) {
            errors.insert(code, name.to_owned());
        } else if let (true, Some(Ok(number))) =
            (name.starts_with("BR_TLS_"), value.strip_prefix("0x").map(|digits| u16::from_str_radix(digits, 16)))
        {
            suites.insert(number, name.to_owned());
        }
    }
    let full = read("src/ssl/ssl_client_full.c");
    let full: Vec<u16> = full
        .split(['\n', ',', '\t', ' '])
        .filter(|word| word.starts_with("BR_TLS_"))
        .map(|word| *suites.iter().find(|(_, name)| *name == word).expect("the header defines it").0)
        .collect();
    assert!(errors.len() > 55 && suites.len() > 45 && full.len() == 45, "the headers have changed their style");
    let mut text = String::from("/// Codes and their names, by code.\npub static ERRORS: &[(i32, &str)] = &[\n");
    for (code, name) in errors {
        writeln!(text, "    ({code}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n\n/// Cipher suites and their names, by number.\n");
    text.push_str("pub static CIPHER_SUITES: &[(u16, &str)] = &[\n");
    for (number, name) in suites {
        writeln!(text, "    (0x{number:04x}, {name:?}),").expect("a string takes everything");
    }
    text.push_str("];\n\n/// The suites of br_ssl_client_init_full, best first.\n");
    writeln!(text, "pub static FULL_LIST: &[u16] = &{full:?};").expect("a string takes everything");
    text
}
