//! A panic is a fault of the bench: told in its words, never the end of what it has nothing to do with.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Something of the bench's panicked: the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Panicked {}

/// Does something; the error is the message of its panic.
///
/// What it changes through references is in whatever state the panic left it.
///
/// # Errors
///
/// The panic.
pub fn caught<T>(doing: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(doing)).map_err(|panic| Panicked(message(panic.as_ref()).to_owned()))
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_its_own_words() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught::<()>(|| panic!("on {}", "purpose")), Err(Panicked("on purpose".to_owned())));
        assert_eq!(caught::<()>(|| std::panic::panic_any(7)), Err(Panicked("without a message".to_owned())));
    }
}
