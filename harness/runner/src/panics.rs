//! A panic anywhere is the bench's failure.

use blame::panics::caught;

use crate::exit::{self, Exit};

/// A command, whole: wherever it panics, it ends as the bench's failure, and not as Rust's exit code 101.
///
/// # Errors
///
/// Those of `command`, or the panic message.
pub fn guarded(command: impl FnOnce() -> Result<u8, (Exit, String)>) -> Result<u8, (Exit, String)> {
    caught(command)
        .unwrap_or_else(|message| Err((exit::BENCH_FAILED, format!("the bench failed: it panicked: {message}"))))
}

/// Panics are told as everything else is ([`terminal`]): a device's words may be in them. With `RUST_BACKTRACE=1`, where
/// it was too.
pub fn are_told() {
    std::panic::set_hook(Box::new(|panic| {
        terminal::errln!("{panic}");
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            terminal::errln!("{trace}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_benchs_failure_in_its_own_words() {
        let broken: Result<u8, (Exit, String)> = guarded(|| panic!("on {}", "purpose"));
        let (exit, words) = broken.expect_err("it panicked");
        assert_eq!((exit, words.as_str()), (exit::BENCH_FAILED, "the bench failed: it panicked: on purpose"));
        assert_eq!(guarded(|| Ok(4)), Ok(4));
    }
}
