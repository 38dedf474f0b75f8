//! Mbed TLS's numbers by the names that the headers of a version give them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Version;

/// The names of a code. Mbed TLS adds a low-level code to a high-level one (error.h), so there may be two.
pub(crate) fn of_code<V: Version>(code: i32) -> String {
    let is_whole = exact::<V>(magnitude(code)).is_some();
    match parts::<V>(code) {
        (Some(high), Some(low)) => alloc::format!("{high} + {low}"),
        (Some(name), None) if is_whole => name.to_string(),
        (Some(name), None) | (None, Some(name)) => alloc::format!("{name} + unknown"),
        (None, None) => "unknown".to_string(),
    }
}

/// The names of a code's high-level and low-level part. A code that has a name of its own is whole, and comes first.
pub(crate) fn parts<V: Version>(code: i32) -> (Option<&'static str>, Option<&'static str>) {
    let magnitude = magnitude(code);
    match exact::<V>(magnitude) {
        Some(name) => (Some(name), None),
        None => (exact::<V>(magnitude & 0xff80), exact::<V>(magnitude & 0x7f)),
    }
}

fn magnitude(code: i32) -> i32 {
    code.unsigned_abs() as i32
}

fn exact<V: Version>(magnitude: i32) -> Option<&'static str> {
    let at = V::ERRORS.binary_search_by_key(&magnitude, |(code, _)| *code).ok()?;
    V::ERRORS.get(at).map(|(_, name)| *name)
}

/// The names of the flags that are set.
pub(crate) fn of_flags<V: Version>(flags: u32) -> Vec<String> {
    V::VERIFY_FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| name.to_string()).collect()
}
