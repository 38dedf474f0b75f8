//! One field of a struct.

use crate::Struct;

/// C's names of numbers (C11 §6.7.2, §7.20.1.1) and Rust's.
const NUMBERS: &[(&str, &str)] = &[
    ("char", "core::ffi::c_char"),
    ("unsigned char", "u8"),
    ("int", "core::ffi::c_int"),
    ("unsigned", "core::ffi::c_uint"),
    ("unsigned int", "core::ffi::c_uint"),
    ("size_t", "usize"),
    ("int8_t", "i8"),
    ("uint8_t", "u8"),
    ("int16_t", "i16"),
    ("uint16_t", "u16"),
    ("int32_t", "i32"),
    ("uint32_t", "u32"),
    ("int64_t", "i64"),
    ("uint64_t", "u64"),
];

/// `NAME: TYPE` of a declaration without its `;`; `None` if it is not understood.
pub(crate) fn translate(declaration: &str, structs: &[Struct]) -> Option<String> {
    let (declarator, length) = match declaration.strip_suffix(']') {
        Some(array) => {
            let (before, length) = array.split_once('[')?;
            (before.trim(), Some(length.trim().parse::<usize>().ok()?))
        }
        None => (declaration, None),
    };
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let (before, name) = declarator.split_at(declarator.trim_end_matches(is_of_name).len());
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut parts = before.split('*');
    let pointed = parts.next().unwrap_or_default().trim();
    let (mut is_const, base) = match pointed.strip_prefix("const ") {
        Some(rest) => (true, rest),
        None => (false, pointed),
    };
    let mut rust = base_type(base, structs)?;
    for qualifier in parts {
        rust = format!("*{} {rust}", if is_const { "const" } else { "mut" });
        is_const = match qualifier.trim() {
            "" => false,
            "const" => true,
            _ => return None,
        };
    }
    if let Some(length) = length {
        rust = format!("[{rust}; {length}]");
    }
    Some(format!("{name}: {rust}"))
}

fn base_type(name: &str, structs: &[Struct]) -> Option<String> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = words.join(" ");
    let number = NUMBERS.iter().find(|(c, _)| *c == name).map(|(_, rust)| *rust);
    let other = || structs.iter().find(|one| one.c == name).map(|one| one.rust);
    number.or_else(other).map(str::to_owned)
}
