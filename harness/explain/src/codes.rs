//! `explain CODE`: what an error code, a line of a log or a whole log says, whichever library or platform printed it.
//!
//! Numbers, names and files are tables (`codes/tables/`), what they mean is told once for all libraries
//! (`codes/topics.toml`), and what lines of logs look like stands in `codes/phrases.toml`. In which scenarios a code comes up
//! here is asked of the reviewed snapshots.

mod log;
mod notation;
mod occurrences;
mod phrase;
mod reading;
mod table;
mod tell;
mod topics;

use std::path::Path;

use blame::Error;

use occurrences::Occurrences;

/// Whether a word is known here as the name of a code: `bad_certificate`, `MBEDTLS_ERR_SSL_CONN_EOF`.
pub fn is_name(word: &str) -> bool {
    reading::of_name(word).is_some()
}

/// Explains a code, a line or a log.
///
/// # Errors
///
/// If nothing in it is known here, what to give instead.
pub fn explain(text: &str, captures: &Path) -> blame::Result<String> {
    table::all().map(|_| ())?;
    topics::all().map(|_| ())?;
    phrase::check()?;
    let is_log = text.trim().contains('\n');
    let found = log::read(text);
    if found.is_empty() {
        return Err(Error::usage(nothing(text, is_log)));
    }
    Ok(tell::tell(&found, is_log, &Occurrences::read(captures)))
}

fn nothing(text: &str, is_log: bool) -> String {
    let what = if is_log { "this log".into() } else { format!("`{}`", shown(text)) };
    format!(
        "{what}: nothing in it is a code or a line that is known here. Codes are given as they are printed: `298`, \
         `-0x3000`, `0x801a`, `rc=-2`, `E:M 544`, `+CMQTTCONNECT: 0,32`, `MBEDTLS_ERR_SSL_CONN_EOF`, `alert 40`; a hello or a \
         dump goes to --hex"
    )
}

/// What somebody typed, as far as a terminal may see it.
fn shown(text: &str) -> String {
    text.trim().chars().take(60).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests;
