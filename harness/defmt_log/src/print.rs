//! Arguments as text, in the way that their format asks for (defmt book, chapter "Display hints").

use std::fmt::Write as _;

use defmt_parser::{DisplayHint, Fragment, ParserMode, TimePrecision, Type};

use crate::decode::Value;

/// `format` with its values; `None` if they do not fit.
pub(crate) fn text(format: &str, values: &[Value]) -> Option<String> {
    let mut out = String::new();
    write(&mut out, format, values, None)?;
    Some(out)
}

fn write(out: &mut String, format: &str, values: &[Value], outer: Option<&DisplayHint>) -> Option<()> {
    for fragment in defmt_parser::parse(format, ParserMode::ForwardsCompatible).ok()? {
        match fragment {
            Fragment::Literal(text) => out.push_str(&text),
            Fragment::Parameter(parameter) => {
                let hint = parameter.hint.as_ref().or(outer);
                value(out, values.get(parameter.index)?, &parameter.ty, hint)?;
            }
        }
    }
    Some(())
}

fn value(out: &mut String, value: &Value, ty: &Type, hint: Option<&DisplayHint>) -> Option<()> {
    match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{value:?}"),
        Value::Float32(value) => write!(out, "{value:?}"),
        Value::Char(value) => write!(out, "{value}"),
        Value::Uint(value) => {
            unsigned(out, shown_bits(*value, ty), hint);
            Ok(())
        }
        Value::Int(value) => {
            signed(out, *value, ty, hint);
            Ok(())
        }
        Value::Text(text) if hint == Some(&DisplayHint::Debug) => write!(out, "{text:?}"),
        Value::Text(text) | Value::Ready(text) => {
            out.push_str(text);
            Ok(())
        }
        Value::Bytes(bytes) => {
            byte_string(out, bytes, hint);
            Ok(())
        }
        Value::Nested(format, values) => return write(out, format, values, hint),
        Value::List(items) => {
            out.push('[');
            for (n, (format, values)) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                write(out, format, values, hint)?;
            }
            out.push(']');
            Ok(())
        }
        Value::Sequence(items) => {
            return items.iter().try_for_each(|(format, values)| write(out, format, values, hint));
        }
    }
    .ok()
}

/// Of a bit field, the bits that this place shows.
fn shown_bits(word: u128, ty: &Type) -> u128 {
    match ty {
        Type::BitField(range) => {
            let above = 128u32.saturating_sub(range.end.into());
            word.checked_shl(above).unwrap_or(0).checked_shr(above + u32::from(range.start)).unwrap_or(0)
        }
        _ => word,
    }
}

fn unsigned(out: &mut String, value: u128, hint: Option<&DisplayHint>) {
    let _ = match hint {
        Some(DisplayHint::NoHint { zero_pad }) => write!(out, "{value:0width$}", width = width(*zero_pad)),
        Some(DisplayHint::Hexadecimal { alternate, uppercase, zero_pad }) => {
            let width = width(*zero_pad);
            match (alternate, uppercase) {
                (false, false) => write!(out, "{value:0width$x}"),
                (false, true) => write!(out, "{value:0width$X}"),
                (true, false) => write!(out, "{value:#0width$x}"),
                (true, true) => write!(out, "{value:#0width$X}"),
            }
        }
        Some(DisplayHint::Octal { alternate: false, zero_pad }) => {
            write!(out, "{value:0width$o}", width = width(*zero_pad))
        }
        Some(DisplayHint::Octal { alternate: true, zero_pad }) => {
            write!(out, "{value:#0width$o}", width = width(*zero_pad))
        }
        Some(DisplayHint::Binary { alternate: false, zero_pad }) => {
            write!(out, "{value:0width$b}", width = width(*zero_pad))
        }
        Some(DisplayHint::Binary { alternate: true, zero_pad }) => {
            write!(out, "{value:#0width$b}", width = width(*zero_pad))
        }
        Some(DisplayHint::Seconds(precision) | DisplayHint::ISO8601(precision)) => seconds(out, value, precision),
        Some(DisplayHint::Time(precision)) => time(out, value, precision),
        Some(DisplayHint::Bitflags { name, .. }) => write!(out, "{name}({value:#x})"),
        _ => write!(out, "{value}"),
    };
}

fn signed(out: &mut String, value: i128, ty: &Type, hint: Option<&DisplayHint>) {
    let bits = match ty {
        Type::I8 => 8,
        Type::I16 => 16,
        Type::I64 => 64,
        Type::I128 => 128,
        _ => 32,
    };
    match hint {
        // In two's complement, as wide as its type.
        Some(DisplayHint::Hexadecimal { .. } | DisplayHint::Octal { .. } | DisplayHint::Binary { .. }) => {
            unsigned(out, (value as u128) << (128 - bits) >> (128 - bits), hint);
        }
        Some(DisplayHint::NoHint { zero_pad }) => {
            let _ = write!(out, "{value:0width$}", width = width(*zero_pad));
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// A format asks for what it likes; nobody reads so many zeros.
fn width(asked: usize) -> usize {
    asked.min(130)
}

fn byte_string(out: &mut String, bytes: &[u8], hint: Option<&DisplayHint>) {
    if hint == Some(&DisplayHint::Ascii) {
        let _ = write!(out, "b\"{}\"", bytes.escape_ascii());
        return;
    }
    out.push('[');
    for (n, byte) in bytes.iter().enumerate() {
        out.push_str(if n == 0 { "" } else { ", " });
        unsigned(out, (*byte).into(), hint);
    }
    out.push(']');
}

fn seconds(out: &mut String, value: u128, precision: &TimePrecision) -> std::fmt::Result {
    match precision {
        TimePrecision::Micros => write!(out, "{}.{:06}", value / 1_000_000, value % 1_000_000),
        TimePrecision::Millis => write!(out, "{}.{:03}", value / 1_000, value % 1_000),
        TimePrecision::Seconds => write!(out, "{value}"),
    }
}

/// `1:02:03:04.005`, days and hours only if there are any.
fn time(out: &mut String, value: u128, precision: &TimePrecision) -> std::fmt::Result {
    let (whole, fraction) = match precision {
        TimePrecision::Micros => (value / 1_000_000, format!(".{:06}", value % 1_000_000)),
        TimePrecision::Millis => (value / 1_000, format!(".{:03}", value % 1_000)),
        TimePrecision::Seconds => (value, String::new()),
    };
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    if days > 0 {
        write!(out, "{days}:")?;
    }
    write!(out, "{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}
