//! Bytes between an interrupt handler and its reader.

/// A queue of at most `N` bytes.
pub(crate) struct Ring<const N: usize> {
    bytes: [u8; N],
    start: usize,
    count: usize,
}

impl<const N: usize> Ring<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], start: 0, count: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) const fn has_room(&self) -> bool {
        self.count < N
    }

    /// Keeps a byte, if there is room.
    pub(crate) fn put(&mut self, byte: u8) {
        let at = (self.start + self.count) % N;
        if let (true, Some(place)) = (self.has_room(), self.bytes.get_mut(at)) {
            *place = byte;
            self.count += 1;
        }
    }

    pub(crate) fn take(&mut self) -> Option<u8> {
        let byte = (self.count > 0).then(|| self.bytes.get(self.start).copied()).flatten()?;
        self.start = (self.start + 1) % N;
        self.count -= 1;
        Some(byte)
    }
}
