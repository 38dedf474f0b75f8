//! How much alike two hellos are: the TLS stack behind a hello shows in what it offers and in which order.

use std::fmt;

use wire::tls::{CipherSuite, ClientHello, Extension, ExtensionType, NamedGroup, SignatureScheme, is_grease};

/// What depends on the peer, on the application or on earlier connections rather than on the stack.
const OF_THE_MOMENT: [ExtensionType; 7] = [
    ExtensionType::SERVER_NAME,
    ExtensionType::ALPN,
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType::EARLY_DATA,
    ExtensionType::COOKIE,
    ExtensionType::SESSION_TICKET,
    // Padding (RFC 7685).
    ExtensionType(21),
];

/// One difference between two hellos, seen from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The highest version, or the list of versions.
    Versions,
    /// These kinds of things are in the first alone and in the second alone, as so many steps.
    Members {
        /// What kind: `suite`, `extension`, `group`, `signature scheme`.
        of: &'static str,
        /// How many only the first has.
        more: usize,
        /// How many only the second has.
        fewer: usize,
    },
    /// The same things in another order.
    Order {
        /// What kind.
        of: &'static str,
    },
    /// Another limit on the length of fragments.
    FragmentLength,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let things = |of: &str, number: usize| crate::text::count(number, of);
        match self {
            Self::Versions => f.write_str("other versions"),
            Self::Members { of, more, fewer: 0 } => write!(f, "{} more", things(of, *more)),
            Self::Members { of, more: 0, fewer } => write!(f, "{} fewer", things(of, *fewer)),
            Self::Members { of, more, fewer } => write!(f, "{} more and {fewer} fewer", things(of, *more)),
            Self::Order { of } => write!(f, "{of}s in another order"),
            Self::FragmentLength => f.write_str("another limit on fragments"),
        }
    }
}

/// What differs between two hellos.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Similarity {
    /// In how many single things they differ; 0 if they offer the same.
    pub distance: usize,
    /// How many things there are in the two together: the distance between hellos without anything in common.
    pub distance_max: usize,
    /// The differences, as a person would tell them.
    pub differences: Vec<Difference>,
}

impl Similarity {
    /// Compares what `hello` offers with what `known` does. Names, protocols, tickets and GREASE do not count.
    pub fn between(hello: &ClientHello, known: &ClientHello) -> Self {
        let mut similarity = Self::default();
        similarity.versions(hello, known);
        similarity.list("suite", &suites(hello), &suites(known));
        similarity.list("extension", &extensions(hello), &extensions(known));
        similarity.list("group", &groups(hello), &groups(known));
        similarity.list("signature scheme", &schemes(hello), &schemes(known));
        similarity.distance_max += 1;
        if fragment_limit(hello) != fragment_limit(known) {
            similarity.add(1, Difference::FragmentLength);
        }
        similarity
    }

    /// Whether the two can be of the same stack, told to do different things.
    pub const fn is_near(&self) -> bool {
        self.distance * 4 <= self.distance_max
    }

    fn add(&mut self, steps: usize, difference: Difference) {
        self.distance += steps;
        self.differences.push(difference);
    }

    /// Versions tell stacks apart better than anything else: they count as much as five suites.
    fn versions(&mut self, hello: &ClientHello, known: &ClientHello) {
        const STEPS: usize = 5;
        self.distance_max += STEPS;
        if hello.versions() != known.versions() {
            self.add(STEPS, Difference::Versions);
        }
    }

    fn list(&mut self, of: &'static str, ours: &[u16], theirs: &[u16]) {
        let more = ours.iter().filter(|number| !theirs.contains(number)).count();
        let fewer = theirs.iter().filter(|number| !ours.contains(number)).count();
        self.distance_max += ours.len() + fewer;
        if more + fewer > 0 {
            self.add(more + fewer, Difference::Members { of, more, fewer });
        }
        let common = |list: &[u16], other: &[u16]| -> Vec<u16> {
            list.iter().filter(|number| other.contains(number)).copied().collect()
        };
        if common(ours, theirs) != common(theirs, ours) {
            self.add(1, Difference::Order { of });
        }
    }
}

fn suites(hello: &ClientHello) -> Vec<u16> {
    let is_offered = |suite: &&CipherSuite| !is_grease(suite.0) && !suite.is_signal();
    hello.cipher_suites.iter().filter(is_offered).map(|suite| suite.0).collect()
}

fn extensions(hello: &ClientHello) -> Vec<u16> {
    let types = hello.extension_types.iter().flatten();
    let mut types: Vec<u16> =
        types.filter(|kind| !is_grease(kind.0) && !OF_THE_MOMENT.contains(kind)).map(|kind| kind.0).collect();
    // Two ways to say the same (RFC 5746 §3.4).
    let signalled = hello.cipher_suites.contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV);
    if signalled && !types.contains(&ExtensionType::RENEGOTIATION_INFO.0) {
        types.push(ExtensionType::RENEGOTIATION_INFO.0);
    }
    types
}

fn groups(hello: &ClientHello) -> Vec<u16> {
    hello.groups().iter().filter(|group: &&NamedGroup| !is_grease(group.0)).map(|group| group.0).collect()
}

fn schemes(hello: &ClientHello) -> Vec<u16> {
    let schemes = hello.signature_schemes().iter();
    schemes.filter(|scheme: &&SignatureScheme| !is_grease(scheme.0)).map(|scheme| scheme.0).collect()
}

fn fragment_limit(hello: &ClientHello) -> Option<u16> {
    hello.find(|extension| match extension {
        Extension::MaxFragmentLength(bytes) => Some(*bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(suites: &[u16]) -> ClientHello {
        ClientHello {
            version: wire::tls::ProtocolVersion::TLS_1_2,
            session_id_bytes: 0,
            cipher_suites: suites.iter().copied().map(CipherSuite).collect(),
            extension_types: None,
            extensions: vec![],
            malformed: vec![],
            is_cut: false,
        }
    }

    #[test]
    fn what_differs_is_counted_and_told() {
        let same = Similarity::between(&hello(&[1, 2, 3]), &hello(&[0x0a0a, 1, 2, 3]));
        assert_eq!((same.distance, same.differences.len()), (0, 0), "GREASE says nothing about the stack");
        let other = Similarity::between(&hello(&[4, 2, 1]), &hello(&[1, 2, 3]));
        let told: Vec<String> = other.differences.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["1 suite more and 1 fewer", "suites in another order"]);
        assert_eq!(other.distance, 3);
        assert!(!Similarity::between(&hello(&[1, 2, 3]), &hello(&[4, 5, 6])).is_near());
    }

    #[test]
    fn the_signal_and_the_extension_of_renegotiation_are_the_same() {
        let signalled = hello(&[1, 0xff]);
        let extended = ClientHello { extension_types: Some(vec![ExtensionType::RENEGOTIATION_INFO]), ..hello(&[1]) };
        assert_eq!(Similarity::between(&signalled, &extended).distance, 0);
    }
}
