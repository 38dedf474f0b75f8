//! What begins at an address, in several versions: each image has its own. The newest are remembered, and no more than so many
//! bytes of all.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What takes memory of the host.
pub trait OnHost {
    /// How much, in bytes.
    fn size_bytes(&self) -> usize;
}

/// Immutable things by the address at which they begin.
pub struct Versions<T, S = RandomState> {
    by_address: HashMap<u32, Vec<Arc<T>>, S>,
    bytes: usize,
    versions_max: usize,
    bytes_max: usize,
}

impl<T: OnHost, S: BuildHasher + Default> Versions<T, S> {
    /// Nothing yet. Of those that begin at the same address, the newest `versions_max` will be remembered. If all together would
    /// take more than `bytes_max`, all are forgotten; who uses some keeps those.
    pub fn new(versions_max: usize, bytes_max: usize) -> Self {
        Self { by_address: HashMap::default(), bytes: 0, versions_max, bytes_max }
    }

    /// Those that begin at `address`, the oldest first.
    pub fn at(&self, address: u32) -> &[Arc<T>] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Remembers one that begins at `address`.
    pub fn put(&mut self, address: u32, one: Arc<T>) {
        let size_bytes = one.size_bytes();
        if self.bytes + size_bytes > self.bytes_max {
            self.by_address.clear();
            self.bytes = 0;
        }
        self.bytes += size_bytes;
        let there = self.by_address.entry(address).or_default();
        if there.len() == self.versions_max {
            self.bytes -= there.remove(0).size_bytes();
        }
        there.push(one);
    }

    /// What all together take, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Of(usize);

    impl OnHost for Of {
        fn size_bytes(&self) -> usize {
            self.0
        }
    }

    fn sizes(versions: &Versions<Of>, address: u32) -> Vec<usize> {
        versions.at(address).iter().map(|one| one.0).collect()
    }

    #[test]
    fn the_newest_versions_are_remembered() {
        let mut versions = Versions::<Of>::new(3, 1000);
        (1..=5).for_each(|size| versions.put(8, Arc::new(Of(size))));
        versions.put(9, Arc::new(Of(50)));
        assert_eq!(sizes(&versions, 8), [3, 4, 5]);
        assert_eq!(sizes(&versions, 9), [50]);
        assert!(versions.at(10).is_empty());
        assert_eq!(versions.size_bytes(), 62);
    }

    #[test]
    fn memory_is_bounded_and_users_keep_what_they_have() {
        let mut versions = Versions::<Of>::new(3, 100);
        let first = Arc::new(Of(40));
        versions.put(1, Arc::clone(&first));
        versions.put(2, Arc::new(Of(60)));
        assert_eq!((versions.size_bytes(), Arc::strong_count(&first)), (100, 2));
        versions.put(3, Arc::new(Of(1)));
        assert_eq!((versions.size_bytes(), Arc::strong_count(&first)), (1, 1));
        assert!(versions.at(1).is_empty() && versions.at(2).is_empty());
        assert_eq!(sizes(&versions, 3), [1]);
    }
}
