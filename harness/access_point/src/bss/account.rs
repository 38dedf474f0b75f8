//! What an access point can say of its stations at the end: who heard of it and did not come, and what chance has lost.

use std::collections::{BTreeMap, BTreeSet};

use clock::Instant;

use super::Bss;
use crate::frame::{Header, Kind};
use crate::{Event, Happening, MacAddress, Rate};

/// So many stations are remembered.
const STATIONS_MAX: usize = 64;

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Stations that have acknowledged an answer to their probe request, and when first; `None` once they have come.
    told: BTreeMap<MacAddress, Option<Instant>>,
    lost_from_station: u32,
    lost_to_station: u32,
    sent_again: u32,
    again_at: BTreeSet<Rate>,
}

impl Account {
    /// A station has acknowledged a frame.
    pub(super) fn acknowledged(&mut self, now: Instant, frame: &[u8]) {
        let Some(header) = Header::parse(frame) else { return };
        if header.control.kind() == Kind::ProbeResponse && self.told.len() < STATIONS_MAX {
            self.told.entry(header.receiver).or_insert(Some(now));
        }
    }

    /// A station asks to be let in.
    pub(super) fn came(&mut self, station: MacAddress) {
        if self.told.len() < STATIONS_MAX || self.told.contains_key(&station) {
            self.told.insert(station, None);
        }
    }
}

impl Bss {
    /// A frame to this access point has reached it, or would have.
    pub(crate) fn count_arrival(&mut self, header: &Header<'_>, rate: Rate, is_lost: bool) {
        let account = &mut self.account;
        account.lost_from_station += u32::from(is_lost);
        if header.control.is_retry() {
            account.sent_again += 1;
            account.again_at.insert(rate);
        }
    }

    /// A frame of this access point has left it, and is lost on its way.
    pub(crate) fn count_lost(&mut self, frame: &[u8]) {
        let is_for_one = MacAddress::from_slice(frame.get(4..).unwrap_or_default()).is_some_and(|to| !to.is_group());
        self.account.lost_to_station += u32::from(is_for_one);
    }

    /// What is told at the end, which is `now`.
    pub(crate) fn summary(&self, now: Instant) -> impl Iterator<Item = Event> {
        let Account { told, lost_from_station, lost_to_station, sent_again, again_at } = &self.account;
        let event = |at, station, what| Event { at, access_point: Some(self.number), station, what };
        let security = self.description.security();
        let declined = told
            .iter()
            .filter_map(move |(station, at)| Some(event((*at)?, *station, Happening::Declined { security })));
        let is_lossy = lost_from_station + lost_to_station > 0;
        let lost = is_lossy.then(|| {
            let again_at = again_at.iter().copied().collect();
            let (from_station, to_station, sent_again) = (*lost_from_station, *lost_to_station, *sent_again);
            event(now, MacAddress::default(), Happening::Lost { from_station, to_station, sent_again, again_at })
        });
        declined.chain(lost)
    }
}
