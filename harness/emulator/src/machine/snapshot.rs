//! A chip at one instant, kept: as a value in memory, and as bytes.
//!
//! A snapshot holds what the chip itself is: memory, core, devices, what it has said that nobody has taken yet. It does
//! not hold what its owner has asked of it: breakpoints, hooks, names of functions; those are the ones of the chip that
//! it is restored into. A chip that goes on from a snapshot executes the same instructions, says the same, and reports
//! the same events at the same instants as one that was never stopped.
//!
//! Pages of memory are immutable and counted: snapshots that are made to share them ([`Snapshot::share_with`]) cost what
//! differs.
//!
//! # The bytes
//!
//! Magic, version (both below), then `postcard`: the chip's name, its state, memory by pages, each either one byte that
//! fills it or all of its bytes. The last 32 bytes are the SHA-256 of all before them. There is no conversion between
//! versions: a snapshot is made anew in less time than anybody would take over that.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::memory::{Layout, Memory};

const MAGIC: &[u8; 8] = b"chipsnap";
const DIGEST_BYTES: usize = 32;
const PAGE_BYTES: usize = 4096;

/// A chip at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    chip: String,
    state: Arc<[u8]>,
    pages: Vec<Page>,
}

/// A page of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Page {
    /// All bytes are this one.
    Filled { byte: u8, length: u16 },
    /// The bytes.
    Bytes(Bytes),
}

/// Bytes that several snapshots may share.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bytes(Arc<[u8]>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(|bytes| Self(bytes.into()))
    }
}

/// Why a snapshot cannot be read, or not be restored into this chip.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes are no snapshot.
    NotASnapshot,
    /// They are one of another version of this program.
    OtherVersion {
        /// The version.
        found: u32,
    },
    /// They are cut or changed.
    Damaged(String),
    /// It is of another chip.
    OtherChip {
        /// Which.
        of: String,
        /// The one that it was to be restored into.
        into: String,
    },
    /// It is of this chip, with another mask ROM.
    OtherRom,
    /// This chip has no snapshots.
    Unsupported {
        /// Which.
        chip: String,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("no snapshot of a chip"),
            Self::OtherVersion { found } => {
                write!(f, "a snapshot of version {found}, and this program has {}: make it anew", Snapshot::VERSION)
            }
            Self::Damaged(why) => write!(f, "a damaged snapshot: {why}"),
            Self::OtherChip { of, into } => write!(f, "a snapshot of the chip {of}, and this is a chip {into}"),
            Self::OtherRom => f.write_str("a snapshot of a chip with another mask ROM"),
            Self::Unsupported { chip } => write!(f, "the chip {chip} has no snapshots"),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl Snapshot {
    /// Of the bytes and of every chip's state: raised whenever either changes.
    pub const VERSION: u32 = 4;

    /// A snapshot of the chip called `chip`, of its state as bytes and of its memory.
    pub(crate) fn new(chip: &str, state: Vec<u8>, memory: &[u8]) -> Self {
        let page = |bytes: &[u8]| match bytes {
            // Each is the one before it: one comparison of memory, where a loop would take as long as all the rest.
            [first, rest @ ..] if *rest == bytes[..rest.len()] => {
                Page::Filled { byte: *first, length: bytes.len() as u16 }
            }
            bytes => Page::Bytes(Bytes(bytes.into())),
        };
        Self { chip: chip.to_owned(), state: state.into(), pages: memory.chunks(PAGE_BYTES).map(page).collect() }
    }

    /// The chip's name.
    pub fn chip(&self) -> &str {
        &self.chip
    }

    /// The state of a chip called `chip`.
    ///
    /// # Errors
    ///
    /// If it is of another chip, or none.
    pub(crate) fn state_of<'a, S: Deserialize<'a>>(&'a self, chip: &str) -> Result<S, SnapshotError> {
        if self.chip != chip {
            return Err(SnapshotError::OtherChip { of: self.chip.clone(), into: chip.to_owned() });
        }
        postcard::from_bytes(&self.state).map_err(|error| SnapshotError::Damaged(error.to_string()))
    }

    /// Puts the memory, which is laid out so, in the place of what `memory` has.
    ///
    /// # Errors
    ///
    /// If it is not as long, or the layout is none. `memory` is then as it was.
    pub(crate) fn restore_memory(&self, layout: Layout, memory: &mut Memory) -> Result<(), SnapshotError> {
        let length: usize = self.pages.iter().map(Page::length).sum();
        if length != layout.bytes as usize {
            return Err(SnapshotError::Damaged("its memory is not as long as its windows say".to_owned()));
        }
        let replaced = memory.replace(layout, |bytes| self.fill(bytes));
        replaced.map_err(|error| SnapshotError::Damaged(error.to_string()))
    }

    /// Writes the memory; `into` is as long.
    fn fill(&self, into: &mut [u8]) {
        let mut rest = into;
        for page in &self.pages {
            let (here, behind) = rest.split_at_mut(page.length().min(rest.len()));
            match page {
                Page::Filled { byte, .. } => here.fill(*byte),
                Page::Bytes(Bytes(bytes)) => here.copy_from_slice(&bytes[..here.len()]),
            }
            rest = behind;
        }
    }

    /// Lets go of pages that `other` has as well, and uses that one's.
    pub fn share_with(&mut self, other: &Self) {
        for (ours, theirs) in self.pages.iter_mut().zip(&other.pages) {
            if ours == theirs {
                ours.clone_from(theirs);
            }
        }
    }

    /// Of the pages that are no single byte throughout, how many are `other`'s, and how many there are.
    pub fn shared_pages(&self, other: &Self) -> (usize, usize) {
        let bytes = |page: &Page| matches!(page, Page::Bytes(_));
        let is_shared = |(ours, theirs): &(&Page, &Page)| match (ours, theirs) {
            (Page::Bytes(Bytes(ours)), Page::Bytes(Bytes(theirs))) => Arc::ptr_eq(ours, theirs),
            _ => false,
        };
        let shared = self.pages.iter().zip(&other.pages).filter(is_shared).count();
        (shared, self.pages.iter().filter(|page| bytes(page)).count())
    }

    /// Bytes of the host's memory that it takes; pages that it shares are counted in each snapshot.
    pub fn size_bytes(&self) -> usize {
        let held = |page: &Page| match page {
            Page::Filled { .. } => 0,
            Page::Bytes(Bytes(bytes)) => bytes.len(),
        };
        self.state.len() + self.pages.iter().map(|page| held(page) + size_of::<Page>()).sum::<usize>()
    }

    /// The snapshot as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Self::VERSION.to_le_bytes());
        let body = (&self.chip, Bytes(Arc::clone(&self.state)), &self.pages);
        // Nothing in it can fail to be written.
        bytes.extend(postcard::to_allocvec(&body).unwrap_or_default());
        bytes.extend(Sha256::digest(&bytes).as_slice());
        bytes
    }

    /// Reads a snapshot from bytes.
    ///
    /// # Errors
    ///
    /// If they are none, are of another version, or are not as they were written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        let damaged = |why: &str| SnapshotError::Damaged(why.to_owned());
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends within its version"))?;
        let found = u32::from_le_bytes(*version);
        if found != Self::VERSION {
            return Err(SnapshotError::OtherVersion { found });
        }
        let (body, digest) =
            rest.split_last_chunk::<DIGEST_BYTES>().ok_or_else(|| damaged("it ends within its digest"))?;
        if Sha256::digest(&bytes[..bytes.len() - DIGEST_BYTES]).as_slice() != digest {
            return Err(damaged("its SHA-256 is another"));
        }
        let (chip, Bytes(state), pages): (String, Bytes, Vec<Page>) =
            postcard::from_bytes(body).map_err(|error| SnapshotError::Damaged(error.to_string()))?;
        Ok(Self { chip, state, pages })
    }
}

impl Page {
    fn length(&self) -> usize {
        match self {
            Self::Filled { length, .. } => usize::from(*length),
            Self::Bytes(Bytes(bytes)) => bytes.len(),
        }
    }
}
