//! One frame: the number of its message, its timestamp, its arguments.

use defmt_parser::{Fragment, Level, Parameter, ParserMode, Type};

use crate::print;
use crate::table::Table;

/// So deep may formats refer to formats.
const DEPTH_MAX: u32 = 16;
/// So many values may a frame have: a list of empty ones takes no bytes.
const VALUES_MAX: u32 = 4_096;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// They end too early.
    Short,
    /// They make no sense.
    Malformed,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i128),
    Uint(u128),
    Float(f64),
    /// Of 32 bits, whose shortest text is another one.
    Float32(f32),
    Char(char),
    Text(String),
    /// What the firmware has made into text.
    Ready(String),
    Bytes(Vec<u8>),
    Nested(String, Vec<Value>),
    List(Vec<(String, Vec<Value>)>),
    Sequence(Vec<(String, Vec<Value>)>),
}

/// The line that the frame at the beginning of `bytes` stands for, and how long the frame is.
pub(crate) fn frame(table: &Table, bytes: &[u8]) -> Result<(String, usize), Error> {
    let mut decoder = Decoder { table, rest: bytes, values: 0 };
    let entry = decoder
        .u16()
        .and_then(|number| table.entry(number).filter(|entry| entry.is_message).ok_or(Error::Malformed))?;
    let timestamp = match table.timestamp() {
        Some(format) => {
            let values = decoder.values(format, 0)?;
            Some(print::text(format, &values).ok_or(Error::Malformed)?)
        }
        None => None,
    };
    let values = decoder.values(&entry.format, 0)?;
    let message = print::text(&entry.format, &values).ok_or(Error::Malformed)?;
    let level = entry.level.map(|level| match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    });
    let line: Vec<&str> = [timestamp.as_deref(), level, Some(&message)].into_iter().flatten().collect();
    Ok((line.join(" "), bytes.len() - decoder.rest.len()))
}

struct Decoder<'a> {
    table: &'a Table,
    rest: &'a [u8],
    values: u32,
}

impl Decoder<'_> {
    /// The arguments of `format`, by their numbers.
    fn values(&mut self, format: &str, depth: u32) -> Result<Vec<Value>, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::Malformed);
        }
        let parameters = parameters(format).ok_or(Error::Malformed)?;
        parameters.iter().map(|ty| self.value(ty, depth)).collect()
    }

    fn value(&mut self, ty: &Type, depth: u32) -> Result<Value, Error> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(Error::Malformed);
        }
        Ok(match ty {
            Type::I8 => Value::Int(i8::from_le_bytes(self.take()?).into()),
            Type::I16 => Value::Int(i16::from_le_bytes(self.take()?).into()),
            Type::I32 | Type::Isize => Value::Int(i32::from_le_bytes(self.take()?).into()),
            Type::I64 => Value::Int(i64::from_le_bytes(self.take()?).into()),
            Type::I128 => Value::Int(i128::from_le_bytes(self.take()?)),
            Type::U8 => Value::Uint(self.u8()?.into()),
            Type::U16 => Value::Uint(self.u16()?.into()),
            Type::U32 | Type::Usize => Value::Uint(self.u32()?.into()),
            Type::U64 => Value::Uint(u64::from_le_bytes(self.take()?).into()),
            Type::U128 => Value::Uint(u128::from_le_bytes(self.take()?)),
            Type::F32 => Value::Float32(f32::from_le_bytes(self.take()?)),
            Type::F64 => Value::Float(f64::from_le_bytes(self.take()?)),
            Type::Bool => match self.u8()? {
                byte @ (0 | 1) => Value::Bool(byte == 1),
                _ => return Err(Error::Malformed),
            },
            Type::Char => Value::Char(char::from_u32(self.u32()?).ok_or(Error::Malformed)?),
            Type::BitField(range) => self.bit_field(range.start, range.end)?,
            Type::Str => {
                let length = self.length()?;
                Value::Text(String::from_utf8(self.bytes(length)?.to_vec()).map_err(|_| Error::Malformed)?)
            }
            Type::IStr => Value::Text(self.string()?),
            Type::U8Slice => {
                let length = self.length()?;
                Value::Bytes(self.bytes(length)?.to_vec())
            }
            Type::U8Array(length) => Value::Bytes(self.bytes(*length)?.to_vec()),
            Type::Debug | Type::Display => self.ready()?,
            Type::Format => {
                let format = self.string()?;
                let (format, values) = self.one_of(&format, depth)?;
                Value::Nested(format, values)
            }
            Type::FormatSlice => {
                let length = self.length()?;
                self.list(length, depth)?
            }
            Type::FormatArray(length) => self.list(*length, depth)?,
            Type::FormatSequence => self.sequence(depth)?,
        })
    }

    /// Several values of one format.
    fn list(&mut self, length: usize, depth: u32) -> Result<Value, Error> {
        let format = self.string()?;
        let mut values = Vec::new();
        for _ in 0..length {
            self.values += 1;
            if self.values > VALUES_MAX {
                return Err(Error::Malformed);
            }
            values.push(self.one_of(&format, depth)?);
        }
        Ok(Value::List(values))
    }

    /// Formats with their values, up to number 0.
    fn sequence(&mut self, depth: u32) -> Result<Value, Error> {
        let mut values = Vec::new();
        loop {
            let number = self.u16()?;
            self.values += 1;
            if number == 0 || self.values > VALUES_MAX {
                return if number == 0 { Ok(Value::Sequence(values)) } else { Err(Error::Malformed) };
            }
            let format = self.table.entry(number).ok_or(Error::Malformed)?.format.clone();
            let inner = self.values(&format, depth + 1)?;
            values.push((format, inner));
        }
    }

    /// Of the variants of an enum, the one whose number comes; else the format itself.
    fn one_of(&mut self, format: &str, depth: u32) -> Result<(String, Vec<Value>), Error> {
        let variants = format.matches('|').count();
        let format = match variants {
            0 => format,
            _ => {
                let number = match variants {
                    0..=0xff => self.u8()?.into(),
                    0x100..=0xffff => self.u16()?.into(),
                    _ => self.length()?,
                };
                format.split('|').nth(number).ok_or(Error::Malformed)?
            }
        };
        Ok((format.to_owned(), self.values(format, depth + 1)?))
    }

    /// The bytes that hold a range of bits, at their place.
    fn bit_field(&mut self, start: u8, end: u8) -> Result<Value, Error> {
        let lowest = usize::from(start / 8);
        let length = usize::from((end.max(1) - 1) / 8).saturating_sub(lowest) + 1;
        let length = length.next_power_of_two();
        let mut word = [0; 16];
        let bytes = self.bytes(length)?;
        word.get_mut(..length).ok_or(Error::Malformed)?.copy_from_slice(bytes);
        Ok(Value::Uint(u128::from_le_bytes(word) << (lowest * 8)))
    }

    /// Text up to a byte that UTF-8 does not have.
    fn ready(&mut self) -> Result<Value, Error> {
        let end = self.rest.iter().position(|byte| *byte == 0xff).ok_or(Error::Short)?;
        let text = std::str::from_utf8(self.bytes(end)?).map_err(|_| Error::Malformed)?.to_owned();
        self.bytes(1)?;
        Ok(Value::Ready(text))
    }

    fn string(&mut self) -> Result<String, Error> {
        let number = self.u16()?;
        self.table.entry(number).map(|entry| entry.format.clone()).ok_or(Error::Malformed)
    }

    fn length(&mut self) -> Result<usize, Error> {
        usize::try_from(self.u32()?).map_err(|_| Error::Malformed)
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.take().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, Error> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.bytes(N).and_then(|bytes| bytes.try_into().map_err(|_| Error::Short))
    }

    fn bytes(&mut self, length: usize) -> Result<&[u8], Error> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Error::Short)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// The types of a format's arguments, by their numbers: each is sent once, and a bit field from its lowest bit that is shown
/// to its highest.
fn parameters(format: &str) -> Option<Vec<Type>> {
    let fragments = defmt_parser::parse(format, ParserMode::ForwardsCompatible).ok()?;
    let mut types: Vec<Option<Type>> = Vec::new();
    for fragment in fragments {
        let Fragment::Parameter(Parameter { index, ty, .. }) = fragment else { continue };
        if types.len() <= index {
            types.resize(index.checked_add(1).filter(|length| *length <= VALUES_MAX as usize)?, None);
        }
        let place = types.get_mut(index)?;
        *place = match (place.take(), ty) {
            (Some(Type::BitField(first)), Type::BitField(next)) => {
                Some(Type::BitField(first.start.min(next.start)..first.end.max(next.end)))
            }
            (Some(first), _) => Some(first),
            (None, ty) => Some(ty),
        };
    }
    types.into_iter().collect()
}
