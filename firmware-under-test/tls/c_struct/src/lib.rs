//! Structs of a C header as Rust, for build scripts: what a TLS stack hands to its C side is stated once, in the header.
//!
//! Reads as much of C as those headers need: structs without a tag, whose fields are numbers, bytes, arrays of them, and
//! pointers. Whatever else stands in such a struct stops the build with its line. No libclang, no C compiler.

mod error;
mod field;
#[cfg(test)]
mod tests;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

pub use error::HeaderError;

/// A struct of the header, and what it is called in Rust.
#[derive(Clone, Copy, Debug)]
pub struct Struct {
    /// The name after its closing brace: `typedef struct { … } NAME;`.
    pub c: &'static str,
    /// The name of the type in Rust.
    pub rust: &'static str,
    /// Traits that are derived, between commas.
    pub derives: &'static str,
}

/// Writes the `structs` of the file `header` to `OUT_DIR/structs.rs`, for an `include!`. Fields may point to one of them.
///
/// # Panics
/// If the header cannot be read, or has something in one of the structs that is not understood.
pub fn build(header: &str, structs: &[Struct]) {
    println!("cargo::rerun-if-changed={header}");
    let text = fs::read_to_string(header).unwrap_or_else(|error| panic!("{header}: {error}"));
    let rust = translate(&text, structs).unwrap_or_else(|error| panic!("{header}:{error}"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("structs.rs"), rust).expect("OUT_DIR can be written to");
}

/// The `structs` of a header's text, in Rust.
///
/// # Errors
/// What is not understood, and on which line.
pub fn translate(header: &str, structs: &[Struct]) -> Result<String, HeaderError> {
    let text = without_comments(header);
    let mut rust = String::new();
    for one in structs {
        let (first_line, body) = body(&text, one.c)?;
        let _ = writeln!(rust, "/// `{}`.", one.c);
        if !one.derives.is_empty() {
            let _ = writeln!(rust, "#[derive({})]", one.derives);
        }
        let _ = writeln!(rust, "#[repr(C)]\npub(crate) struct {} {{", one.rust);
        let mut line = first_line;
        for declaration in body.split_inclusive(';') {
            let blank = declaration.len() - declaration.trim_start().len();
            let at = line + declaration[..blank].matches('\n').count();
            line += declaration.matches('\n').count();
            match declaration.trim().strip_suffix(';') {
                Some(declaration) => {
                    let field = field::translate(declaration.trim(), structs)
                        .ok_or_else(|| HeaderError::not_understood(at, declaration))?;
                    let _ = writeln!(rust, "    pub(crate) {field},");
                }
                None if declaration.trim().is_empty() => {}
                None => return Err(HeaderError::NoSemicolon { line: at, behind: declaration.trim().into() }),
            }
        }
        rust.push_str("}\n");
    }
    Ok(rust)
}

/// What stands between the braces of the struct called `name`, and the number of the line on which it begins.
fn body<'t>(text: &'t str, name: &str) -> Result<(usize, &'t str), HeaderError> {
    const BEGIN: &str = "typedef struct {";
    for (at, _) in text.match_indices(BEGIN) {
        let from = at + BEGIN.len();
        let rest = &text[from..];
        let Some(end) = rest.find('}') else { continue };
        let called = rest[end + 1..].split(';').next().unwrap_or_default().trim();
        if called == name {
            let line = 1 + text[..from].matches('\n').count();
            return Ok((line, &rest[..end]));
        }
    }
    Err(HeaderError::NoSuchStruct(name.into()))
}

/// Comments (`/* … */`) as the line ends that they have.
fn without_comments(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        let (comment, after) = comment.split_once("*/").unwrap_or((comment, ""));
        clean.push_str(before);
        clean.push(' ');
        clean.extend(comment.chars().filter(|character| *character == '\n'));
        rest = after;
    }
    clean.push_str(rest);
    clean
}
