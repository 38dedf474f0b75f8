//! What reaches a person's eyes.
//!
//! - [`clean`]: what a device, a broker, a certificate, a capture or a file says, made fit to be shown in any format.
//! - [`out!`], [`outln!`], [`err!`], [`errln!`]: the one way to write to the standard streams. A reader that went away
//!   (`| head`) or a disk that is full (`2>/dev/full`) is no fault of a run, and ends none: the macros of `std` panic.
//!
//! It does not know who speaks, or what about.

pub mod clean;
mod console;
mod streams;

pub use console::Console;
pub use streams::{Stream, write};

/// Writes to standard output, coloured only on a terminal.
#[macro_export]
macro_rules! out {
    ($($words:tt)*) => { $crate::write($crate::Stream::Out, &::std::format!($($words)*)) };
}

/// Writes a line to standard output, coloured only on a terminal.
#[macro_export]
macro_rules! outln {
    () => { $crate::write($crate::Stream::Out, "\n") };
    ($($words:tt)*) => { $crate::write($crate::Stream::Out, &(::std::format!($($words)*) + "\n")) };
}

/// Writes to standard error, coloured only on a terminal.
#[macro_export]
macro_rules! err {
    ($($words:tt)*) => { $crate::write($crate::Stream::Err, &::std::format!($($words)*)) };
}

/// Writes a line to standard error, coloured only on a terminal.
#[macro_export]
macro_rules! errln {
    () => { $crate::write($crate::Stream::Err, "\n") };
    ($($words:tt)*) => { $crate::write($crate::Stream::Err, &(::std::format!($($words)*) + "\n")) };
}
