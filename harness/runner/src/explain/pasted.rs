//! `explain --hex`: a hello that somebody pasted.

use std::io::Read as _;

use capture::{NoHello, Offer, hexadecimal};

use super::alerts;
use super::client;
use super::stacks::Stacks;

/// Longer input is nobody's hello.
const INPUT_BYTES_MAX: u64 = 1 << 20;

/// The text of the argument, or of standard input if it is `-`.
///
/// # Errors
///
/// If standard input cannot be read as text.
pub fn text(argument: &str) -> Result<String, String> {
    if argument != "-" {
        return Ok(argument.into());
    }
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| format!("standard input: {error}: pipe in text, for instance of `xxd hello.bin`"))?;
    Ok(text)
}

/// Says of pasted bytes who the client is and what would accept it; of a pasted alert, what it means.
///
/// # Errors
///
/// A sentence that says where the text is no hexadecimal, or what its bytes are instead of a hello.
pub fn explain(text: &str, known: &Stacks) -> Result<String, String> {
    let bytes = hexadecimal::read(text).map_err(|error| error.to_string())?;
    let mut out = String::new();
    match Offer::find(&bytes) {
        Ok(offer) => client::describe(&mut out, &offer, known),
        Err(NoHello::Alert(alert)) => {
            out = format!(
                "An alert: {alert}.\nIf the client said it: {}.\nIf the server said it: {}.\n",
                alerts::meaning(alert, true),
                alerts::meaning(alert, false)
            );
        }
        Err(other) => return Err(format!("{} bytes, but {other}", bytes.len())),
    }
    Ok(out)
}
