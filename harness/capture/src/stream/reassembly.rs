//! One direction of a TCP connection, put in order.

use std::collections::BTreeMap;

use super::segment::Segment;

/// How far ahead of what is in order a segment may lie, and how much may wait there.
const WINDOW_BYTES_MAX: usize = 1 << 20;

/// What a segment added to what is certain.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Syn,
    Data(Vec<u8>),
    Fin,
}

/// One direction. Sequence numbers wrap round after 4 GiB; inside, offsets from the first byte do not.
#[derive(Clone, Debug, Default)]
pub struct Half {
    /// Sequence number of the byte at offset 0, once known.
    start: Option<u32>,
    syn_seen: bool,
    /// Offset of the next byte in order.
    next: u64,
    /// Data that came early, by offset.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
    /// Offset at which the stream ends, once a FIN came.
    end: Option<u64>,
    ended: bool,
}

impl Half {
    /// Takes a segment and tells what it makes certain. Where segments overlap, what came first counts.
    pub fn receive(&mut self, segment: &Segment<'_>) -> Vec<Received> {
        let mut received = Vec::new();
        let data_sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        let start = *self.start.get_or_insert(data_sequence);
        if segment.syn && !self.syn_seen {
            self.syn_seen = true;
            received.push(Received::Syn);
        }
        // How far from the next byte in order, as a signed distance on the circle.
        let ahead = i64::from(data_sequence.wrapping_sub(start.wrapping_add(self.next as u32)) as i32);
        let offset = self.next as i64 + ahead;
        if !segment.rst {
            self.data(offset, segment.payload, &mut received);
            if segment.fin && self.end.is_none() {
                self.end = u64::try_from(offset + segment.payload.len() as i64).ok();
            }
        }
        if self.end == Some(self.next) && !self.ended {
            self.ended = true;
            received.push(Received::Fin);
        }
        received
    }

    /// Whether data waits for a gap to be filled.
    pub fn has_gap(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many bytes wait for a gap to be filled.
    pub const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    fn data(&mut self, offset: i64, payload: &[u8], received: &mut Vec<Received>) {
        let next = self.next as i64;
        if offset <= next {
            let known = usize::try_from(next - offset).unwrap_or(usize::MAX);
            let Some(fresh) = payload.get(known..).filter(|fresh| !fresh.is_empty()) else { return };
            self.next += fresh.len() as u64;
            let mut data = fresh.to_vec();
            self.append_waiting(&mut data);
            received.push(Received::Data(data));
            return;
        }
        let ahead = (offset - next) as usize;
        if payload.is_empty() || ahead.max(self.waiting_bytes) + payload.len() > WINDOW_BYTES_MAX {
            return;
        }
        // At the same offset, a longer segment adds its end to a shorter one.
        let waiting = self.waiting.entry(offset as u64).or_default();
        let fresh = payload.get(waiting.len()..).unwrap_or_default();
        self.waiting_bytes += fresh.len();
        waiting.extend_from_slice(fresh);
    }

    fn append_waiting(&mut self, data: &mut Vec<u8>) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.next {
                break;
            }
            let (offset, waited) = entry.remove_entry();
            self.waiting_bytes -= waited.len();
            let known = (self.next - offset) as usize;
            if let Some(fresh) = waited.get(known..) {
                self.next += fresh.len() as u64;
                data.extend_from_slice(fresh);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Instant;
    use proptest::prelude::*;

    fn segment(sequence: u32, payload: &[u8]) -> Segment<'_> {
        let nobody = ([0, 0, 0, 0], 0).into();
        let (from, to) = (nobody, nobody);
        Segment { at: Instant::ZERO, from, to, sequence, syn: false, ack: true, fin: false, rst: false, payload }
    }

    #[test]
    fn data_waits_for_what_comes_before_it() {
        let mut half = Half::default();
        assert_eq!(half.receive(&Segment { syn: true, ..segment(u32::MAX, b"") }), [Received::Syn]);
        assert_eq!(half.receive(&segment(3, b"def")), []);
        assert_eq!(half.receive(&Segment { fin: true, ..segment(6, b"") }), []);
        assert!(half.has_gap());
        assert_eq!(half.receive(&segment(0, b"abc")), [Received::Data(b"abcdef".to_vec()), Received::Fin]);
        assert_eq!(half.receive(&segment(0, b"abc")), []);
        assert_eq!(half.receive(&Segment { fin: true, ..segment(6, b"") }), []);
    }

    #[test]
    fn a_segment_far_ahead_is_not_kept() {
        let mut half = Half::default();
        half.receive(&segment(0, b"a"));
        half.receive(&segment(1_500_000, b"b"));
        assert_eq!(half.waiting_bytes(), 0);
    }

    /// What waits ends within the largest window from the next byte on.
    #[test]
    fn a_segment_that_ends_with_the_window_is_kept() {
        let kept = |sequence: u32, payload: &[u8]| {
            let mut half = Half::default();
            half.receive(&segment(0, b"abc"));
            half.receive(&segment(sequence, payload));
            half.waiting_bytes()
        };
        let end = 3 + (1 << 20);
        assert_eq!(kept(end - 1, b"d"), 1);
        assert_eq!(kept(end, b"d"), 0);
        assert_eq!(kept(end - 2, b"de"), 2);
        assert_eq!(kept(end - 1, b"de"), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
            ..ProptestConfig::default()
        })]

        /// Cut anyhow, overlapping, in any order, some pieces twice, across the wrap of the sequence numbers: the
        /// stream comes out whole, once.
        #[test]
        fn any_order_gives_the_same_stream(
            length in 1..400usize,
            initial in prop_oneof![any::<u32>(), Just(u32::MAX - 100)],
            pieces in proptest::collection::vec((0..400usize, 1..60usize), 0..60),
        ) {
            let stream: Vec<u8> = (0..length).map(|index| (index * 7) as u8).collect();
            let mut half = Half::default();
            half.receive(&Segment { syn: true, ..segment(initial, b"") });
            let mut order: Vec<(usize, usize)> = pieces;
            order.extend((0..length).step_by(50).rev().map(|at| (at, 50)));
            let mut got = vec![];
            for (at, bytes) in order {
                let at = at.min(length);
                let payload = &stream[at..(at + bytes).min(length)];
                for received in half.receive(&segment(initial.wrapping_add(1 + at as u32), payload)) {
                    if let Received::Data(data) = received {
                        got.extend(data);
                    }
                }
            }
            prop_assert_eq!(got, stream);
            prop_assert!(!half.has_gap());
            prop_assert_eq!(half.waiting_bytes(), 0);
        }
    }
}
