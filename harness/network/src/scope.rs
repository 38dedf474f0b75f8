//! Which traffic a fault applies to.

use std::fmt;
use std::ops::RangeInclusive;

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, VariantAccess, Visitor};
use serde::{Deserialize, de};

use crate::Fault;
use crate::rng::{place_among_alike, stream_of};

/// Which traffic a fault applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only TCP connections to this port of ours; `None`: all traffic, for faults of packets DNS and SNTP included.
    pub port: Option<u16>,
    /// Only these of the connections in the scope, counted from 1 as the device opens them; `None`: all.
    pub connections: Option<RangeInclusive<u32>>,
}

impl Scope {
    /// All traffic.
    pub const EVERYTHING: Self = Self { port: None, connections: None };

    /// The connections to one port.
    pub const fn port(port: u16) -> Self {
        Self { port: Some(port), connections: None }
    }

    /// The first `count` connections of this scope only.
    #[must_use]
    pub const fn first(mut self, count: u32) -> Self {
        self.connections = Some(1..=count);
        self
    }
}

/// As the names of streams of random numbers have it: `all`, `port 8883`, `connections 1 to 2`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, &self.connections) {
            (None, None) => f.write_str("all"),
            (Some(port), None) => write!(f, "port {port}"),
            (port, Some(only)) => {
                port.map_or(Ok(()), |port| write!(f, "port {port}, "))?;
                write!(f, "connections {} to {}", only.start(), only.end())
            }
        }
    }
}

/// A fault and what it applies to. In a file, the fault's name is a key, beside which may stand `port` and
/// `connections` (one number, or the first and the last): `{ cut = { … }, connections = [2, 3] }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedFault {
    /// What it applies to.
    pub scope: Scope,
    /// What goes wrong.
    pub fault: Fault,
}

impl ScopedFault {
    /// The faults of a LAN, each with the number of its stream of random numbers. That hangs on what a fault is, which
    /// way it works and on which traffic; faults that agree in all of this are told apart by their measures, and only equal
    /// ones by their order.
    pub(crate) fn with_streams(faults: &[Self]) -> impl Iterator<Item = (&Self, u64)> {
        let key = |one: &Self| (one.fault.kind(), one.scope.clone());
        faults.iter().enumerate().map(move |(index, one)| {
            let alike = place_among_alike(faults, index, key);
            let (kind, direction) = one.fault.kind();
            let way = direction.map_or_else(|| "both ways".to_owned(), |direction| direction.to_string());
            (one, stream_of(&format!("{kind}/{way}/{}/{alike}", one.scope)))
        })
    }
}

impl From<Fault> for ScopedFault {
    fn from(fault: Fault) -> Self {
        Self { scope: Scope::EVERYTHING, fault }
    }
}

impl Fault {
    /// This fault, for the traffic in `scope` only.
    pub const fn within(self, scope: Scope) -> ScopedFault {
        ScopedFault { scope, fault: self }
    }
}

impl<'de> Deserialize<'de> for ScopedFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ScopedFaultVisitor)
    }
}

struct ScopedFaultVisitor;

impl<'de> Visitor<'de> for ScopedFaultVisitor {
    type Value = ScopedFault;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with the name of one fault, such as `{ lose = { from = \"device\", per_mille = 10 } }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ScopedFault, A::Error> {
        let (mut scope, mut fault) = (Scope::EVERYTHING, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "port" => scope.port = Some(map.next_value()?),
                "connections" => scope.connections = Some(map.next_value::<Connections>()?.into()),
                _ if fault.is_some() => return Err(A::Error::custom("one fault at a time: a table for each")),
                _ => fault = Some(map.next_value_seed(Named(key))?),
            }
        }
        let fault = fault.ok_or_else(|| A::Error::custom("no fault is named here"))?;
        Ok(ScopedFault { scope, fault })
    }
}

/// Connections as a file counts them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "the number of a connection, from 1, or the first and the last: `[2, 3]`")]
enum Connections {
    One(u32),
    FirstAndLast(u32, u32),
}

impl From<Connections> for RangeInclusive<u32> {
    fn from(written: Connections) -> Self {
        match written {
            Connections::One(number) => number..=number,
            Connections::FirstAndLast(first, last) => first..=last,
        }
    }
}

/// The fault of this name: an enum's variant whose name has been read already.
struct Named(String);

impl<'de> DeserializeSeed<'de> for Named {
    type Value = Fault;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fault, D::Error> {
        Fault::deserialize(Variant { name: self.0, content: deserializer })
    }
}

struct Variant<D> {
    name: String,
    content: D,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Variant<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, D: Deserializer<'de>> EnumAccess<'de> for Variant<D> {
    type Error = D::Error;
    type Variant = Content<D>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<D>), D::Error> {
        let name: StringDeserializer<D::Error> = de::IntoDeserializer::into_deserializer(self.name);
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

/// What stands behind the name.
struct Content<D>(D);

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for Content<D> {
    type Error = D::Error;

    fn unit_variant(self) -> Result<(), D::Error> {
        Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, D::Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, fields: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(fields, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct("Fault", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromDevice, ToDevice};

    #[test]
    fn a_stream_of_random_numbers_hangs_on_the_fault_and_not_on_its_place() {
        let lose = |direction, per_mille| Fault::Lose { direction, per_mille };
        let mut faults: Vec<ScopedFault> = vec![
            lose(FromDevice, 10).into(),
            lose(ToDevice, 10).into(),
            lose(FromDevice, 20).into(),
            lose(FromDevice, 10).within(Scope::port(8883)),
            lose(FromDevice, 10).into(),
            Fault::Duplicate { direction: FromDevice, per_mille: 10 }.into(),
        ];
        let streams = |faults: &[ScopedFault]| {
            let mut streams: Vec<(String, u64)> =
                ScopedFault::with_streams(faults).map(|(one, stream)| (format!("{one:?}"), stream)).collect();
            streams.sort();
            streams
        };
        let before = streams(&faults);
        let mut different: Vec<u64> = before.iter().map(|(_, stream)| *stream).collect();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), faults.len(), "each has its own");
        for _ in 0..faults.len() {
            faults.rotate_left(1);
            assert_eq!(streams(&faults), before);
            let mut reversed = faults.clone();
            reversed.reverse();
            assert_eq!(streams(&reversed), before);
        }
        // One more of another kind moves nobody's.
        faults.insert(0, Fault::FlipBit { direction: FromDevice, per_mille: 1 }.into());
        assert!(before.iter().all(|one| streams(&faults).contains(one)));
    }
}
