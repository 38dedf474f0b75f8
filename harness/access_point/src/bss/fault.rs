//! Which faults an access point still has to enact, and when.

use clock::{Duration, Instant};

use super::station::Station;
use crate::misbehaviour::{Message, Milestone, Misbehaviour};

/// What becomes of a message of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Sent,
    Lost,
    Late { by_ms: u32 },
    BadMic,
}

/// A fault, and what is left of it.
#[derive(Clone, Debug)]
struct Armed {
    fault: Misbehaviour,
    /// How often it will still go wrong; `None` for each time.
    left: Option<u32>,
}

/// The faults of one access point.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    pub(super) fn new(faults: &[Misbehaviour]) -> Self {
        let armed = faults.iter().map(|fault| {
            let left = if fault.when().is_some() { Some(1) } else { fault.times() };
            Armed { fault: fault.clone(), left }
        });
        Self { armed: armed.collect() }
    }

    /// The first fault that `picks` something of, which is enacted by that.
    pub(super) fn enact<T>(&mut self, picks: impl Fn(&Misbehaviour) -> Option<T>) -> Option<(Misbehaviour, T)> {
        let armed = self.armed.iter_mut().filter(|armed| armed.left != Some(0));
        let (armed, picked) = armed.filter_map(|armed| picks(&armed.fault).map(|picked| (armed, picked))).next()?;
        armed.left = armed.left.map(|left| left - 1);
        Some((armed.fault.clone(), picked))
    }

    /// Whether a fault that has no number is there.
    pub(super) fn has(&self, fault: &Misbehaviour) -> bool {
        self.armed.iter().any(|armed| armed.fault == *fault)
    }

    /// What becomes of a message.
    pub(super) fn fate(&mut self, of: Message) -> (Fate, Option<Misbehaviour>) {
        let enacted = self.enact(|fault| match fault {
            Misbehaviour::MessageLost { message, .. } if *message == of => Some(Fate::Lost),
            Misbehaviour::MessageLate { message, by_ms, .. } if *message == of => Some(Fate::Late { by_ms: *by_ms }),
            Misbehaviour::MessageBadMic { message, .. } if *message == of => Some(Fate::BadMic),
            _ => None,
        });
        enacted.map_or((Fate::Sent, None), |(fault, fate)| (fate, Some(fault)))
    }

    /// Odds in a thousand that a frame is lost: from a station, and to one.
    pub(super) fn loss_per_mille(&self) -> (u16, u16) {
        self.armed.iter().fold((0, 0), |(from, to), armed| match armed.fault {
            Misbehaviour::Loss { from_station_per_mille, to_station_per_mille } => {
                (from.max(from_station_per_mille), to.max(to_station_per_mille))
            }
            _ => (from, to),
        })
    }

    /// When the next fault is enacted that has a moment, as far as its milestone is passed.
    pub(super) fn next_due<'a>(&self, stations: impl Iterator<Item = &'a Station> + Clone) -> Option<Instant> {
        let armed = self.armed.iter().filter(|armed| armed.left != Some(0));
        armed.filter_map(|armed| due(&armed.fault, stations.clone())).min()
    }

    /// The faults with a moment that are due by `now`.
    pub(super) fn take_due<'a>(
        &mut self,
        now: Instant,
        stations: impl Iterator<Item = &'a Station> + Clone,
    ) -> Vec<Misbehaviour> {
        let armed = self.armed.iter_mut().filter(|armed| armed.left != Some(0));
        let due = armed.filter(|armed| due(&armed.fault, stations.clone()).is_some_and(|at| at <= now));
        due.map(|armed| {
            armed.left = Some(0);
            armed.fault.clone()
        })
        .collect()
    }
}

fn due<'a>(fault: &Misbehaviour, stations: impl Iterator<Item = &'a Station>) -> Option<Instant> {
    let moment = fault.when()?;
    let passed = match moment.after {
        Milestone::PowerOn => Some(Instant::ZERO),
        Milestone::Association => stations.filter_map(|station| station.associated_at).min(),
        Milestone::MessageTwo => stations.filter_map(|station| station.message_2_at).min(),
        Milestone::Joined => stations.filter_map(|station| station.joined_at).min(),
    };
    passed.map(|at| at + Duration::from_millis(u64::from(moment.ms)))
}
