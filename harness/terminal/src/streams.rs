//! The standard streams, to which nobody else writes.

use std::io::Write as _;

use crate::clean;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Writes `text`, whole, and forgets that it could not. Whatever a terminal would obey is shown instead, but for line
/// ends, tabs and colours, which are left out where there is no terminal.
pub fn write(stream: Stream, text: &str) {
    let text = clean::styled(text);
    let _ = match stream {
        Stream::Out => anstream::stdout().write_all(text.as_bytes()),
        Stream::Err => anstream::stderr().write_all(text.as_bytes()),
    };
}
