//! From one run to its verdict: the evidence is filed, and held against what was reviewed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use blame::Error;
use board::Board;
use judge::Judged;
use outcome::Ending;
use rack::silicon::Allowances;
use snapshot::not_applicable::Record;
use snapshot::{self, Agreement, Packets, Place, digits};

use super::Pair;
use crate::builds::Builds;
use crate::denial::{Denial, Deny};
use crate::flashing::Flashed;
use crate::mosquitto;
use crate::stack::Applicability;
use crate::trial::{self, Trial, Tried};
use crate::verdict::{OnRack, Verdict};
use crate::{controls, on_boards, packets};

/// Where everything of one invocation lies, and what is on record.
pub(crate) struct Bench {
    pub(super) captures: PathBuf,
    pub(super) artefacts: PathBuf,
    pub(super) flashed: Flashed,
    pub(super) seed: u64,
    pub(super) accept: bool,
    pub(super) denial: Denial,
    /// What may differ from the reviewed snapshots, which are the emulator's: on silicon alone.
    pub(super) silicon: Option<Allowances>,
    /// Why scenarios are not applicable under somebody's own authority, by their names.
    pub(super) foreign: BTreeMap<String, String>,
    /// How much is held against what was reviewed: under another authority names, keys and dates are others.
    pub(super) compared: Compared,
    /// What each stack says that it cannot do, by the stack's name.
    pub(super) records: Mutex<BTreeMap<String, Record>>,
    /// The stack whose packets are kept, by the scenario's name.
    pub(super) kept: BTreeMap<String, String>,
}

/// How much of what happened is held against what was reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The transcript.
    Whole,
    /// How it ended: names, addresses and times are those of the board's own network.
    Ending,
}

impl Bench {
    /// The seed of all randomness.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Runs one scenario on an emulated chip of its own, judges it and files the evidence.
    pub(crate) fn one(&self, pair: &Pair<'_>) -> Verdict {
        let result = match self.applicability(pair) {
            Applicability::Applies => self.try_one(pair),
            Applicability::NotApplicable(why) => self.never_asked(pair).and_then(|()| self.excused(pair, why)),
            Applicability::NotAsked => self.excused(pair, "this stack is not asked".into()),
        };
        let mut verdict = result.unwrap_or_else(|error| Verdict::bench_failed(pair.scenario, &pair.stack.name, error));
        self.denial.judge(&mut verdict);
        verdict
    }

    /// Whether a scenario is run on a stack, under the authority of this run.
    pub(crate) fn applicability(&self, pair: &Pair<'_>) -> Applicability {
        match (pair.stack.applicability(pair.scenario), self.foreign.get(&pair.scenario.name)) {
            (Applicability::Applies, Some(why)) => Applicability::NotApplicable(why.clone()),
            (applicability, _) => applicability,
        }
    }

    /// What fails the run although its ending does not.
    pub(crate) fn denial(&self) -> &Denial {
        &self.denial
    }

    /// What nobody asks the device any more, it has no reason on record for.
    fn never_asked(&self, pair: &Pair<'_>) -> blame::Result<()> {
        if self.accept {
            let mut records =
                self.records.lock().map_err(|_| Error::bench("another run has panicked over the records"))?;
            if let Some(record) = records.get_mut(&pair.stack.name) {
                record.set(&pair.scenario.name, None);
            }
        }
        Ok(())
    }

    /// The scenario says nothing about the stack, and so leaves nothing behind.
    fn excused(&self, Pair { scenario, stack }: &Pair<'_>, why: String) -> blame::Result<Verdict> {
        if self.accept {
            Place::new(&self.captures, &scenario.name, &stack.name).clear().map_err(unfiled)?;
        }
        Ok(Verdict::not_applicable(scenario, &stack.name, why))
    }

    fn try_one(&self, pair: &Pair<'_>) -> blame::Result<Verdict> {
        match self.run(pair, &mut self.flashed.board(pair.stack, self.seed)?)? {
            Tried::Run(trial) => self.file(pair, trial, self.compared),
            Tried::NotApplicable(missing) => Ok(Verdict::not_applicable(pair.scenario, &pair.stack.name, missing)),
        }
    }

    /// Runs one scenario on `board`.
    pub(crate) fn run(&self, pair: &Pair<'_>, board: &mut dyn Board) -> blame::Result<Tried> {
        if pair.scenario.broker.real.is_some() {
            let artefact = Place::new(&self.artefacts, &pair.scenario.name, &pair.stack.name);
            return self.meet_mosquitto(pair, board, &artefact);
        }
        trial::on(board, pair.scenario, pair.stack, self.seed).map(Tried::Run)
    }

    /// Files the evidence of one run, and compares it with what was reviewed.
    pub(crate) fn file(&self, pair: &Pair<'_>, trial: Trial, compared: Compared) -> blame::Result<Verdict> {
        let Pair { scenario, stack } = pair;
        let Trial { judged, pcapng } = trial;
        self.leave_artefacts(pair, &judged.transcript, &pcapng)?;
        let (ending, difference) = match self.hear_excuse(pair, judged.not_applicable())? {
            Excuse::Accepted(why) => return self.excused(pair, why),
            Excuse::Doubtful(why) => (Ending::Otherwise(why), String::new()),
            Excuse::None => match &self.silicon {
                Some(allowances) => self.compare_silicon(pair, &judged, allowances, compared)?,
                None => self.compare(pair, &judged, &pcapng, compared)?,
            },
        };
        let mut on_rack = OnRack::default();
        if self.silicon.is_some() && !difference.is_empty() {
            on_rack.findings.push(on_boards::differs_from_emulator(&difference));
        }
        Ok(Verdict {
            scenario: scenario.name.clone(),
            stack: stack.name.clone(),
            title: scenario.title.clone(),
            ending,
            denied: None,
            known: None,
            account: Some(judged.account),
            transcript: judged.transcript,
            difference,
            incidents: judged.incidents,
            rack: on_rack,
        })
    }

    /// Leaves packets and transcript of a run among its artefacts; gives the transcript's path.
    pub(super) fn leave_artefacts(&self, pair: &Pair<'_>, transcript: &str, pcapng: &[u8]) -> blame::Result<PathBuf> {
        let artefact = Place::new(&self.artefacts, &pair.scenario.name, &pair.stack.name);
        fs::create_dir_all(artefact.folder()).map_err(unfiled)?;
        fs::write(artefact.capture(), pcapng).map_err(unfiled)?;
        let text = artefact.capture().with_extension("txt");
        fs::write(&text, transcript).map_err(unfiled)?;
        Ok(text)
    }

    /// Whether two runs of one scenario on real boards came to the same.
    pub(crate) fn is_the_same(&self, first: &Verdict, second: &Verdict, compared: Compared) -> bool {
        if compared == Compared::Ending {
            return snapshot::ending(&first.transcript) == snapshot::ending(&second.transcript);
        }
        let same = |allowances: &Allowances| allowances.difference(&first.transcript, &second.transcript).is_none();
        self.silicon.as_ref().map_or(first.transcript == second.transcript, same)
    }

    /// Compares what happened on silicon with what was reviewed of the emulator. Nothing is left for review: what
    /// silicon does otherwise is a finding, and no new snapshot of the emulator.
    fn compare_silicon(
        &self,
        pair: &Pair<'_>,
        judged: &Judged,
        allowances: &Allowances,
        compared: Compared,
    ) -> blame::Result<(Ending, String)> {
        let place = Place::new(&self.captures, &pair.scenario.name, &pair.stack.name);
        let Some(reviewed) = place.reviewed().map_err(unfiled)? else {
            if judged.silent {
                return Ok((Ending::Silent, String::new()));
            }
            return Ok((Ending::New, String::new()));
        };
        let real = pair.scenario.broker.real.map(|_| mosquitto::essence(&pair.stack.name, &judged.account));
        let text = digits::reviewable(real.as_ref().unwrap_or(&judged.transcript));
        let (reviewed, text) = (reviewed.as_str(), text.as_str());
        let difference = match compared {
            Compared::Whole => allowances.difference(reviewed, text),
            Compared::Ending => allowances.difference(snapshot::ending(reviewed), snapshot::ending(text)),
        };
        Ok(match (difference, judged.account.leaked_bytes) {
            (difference, Some(bytes @ 1..)) => {
                (Ending::Otherwise(format!("{bytes} bytes of heap leak")), difference.unwrap_or_default())
            }
            (Some(difference), _) if judged.silent => (Ending::Silent, difference),
            (difference, _) if judged.account.says_nothing().is_some() => {
                let why = judged.account.says_nothing().unwrap_or_default();
                (Ending::Otherwise(why), difference.unwrap_or_default())
            }
            (Some(difference), _) => (Ending::Otherwise("the board differs from the emulator".into()), difference),
            (None, _) => (Ending::AsExpected, String::new()),
        })
    }

    /// Runs the scenario with a real mosquitto.
    fn meet_mosquitto(&self, pair: &Pair<'_>, board: &mut dyn Board, artefact: &Place) -> blame::Result<Tried> {
        let Pair { scenario, stack } = pair;
        let folder = artefact.capture().with_extension("mosquitto");
        let met = mosquitto::meet(scenario, stack, board, self.seed, controls::today(), &folder)?;
        met.judged(scenario, stack, board, self.seed)
    }

    /// Compares what happened with what was reviewed, and leaves it for review if it is something else.
    fn compare(
        &self,
        pair: &Pair<'_>,
        judged: &Judged,
        pcapng: &[u8],
        compared: Compared,
    ) -> blame::Result<(Ending, String)> {
        let place = Place::new(&self.captures, &pair.scenario.name, &pair.stack.name);
        // A run with a real broker is never the same twice: only the class of its outcome is compared.
        let real = pair.scenario.broker.real.map(|_| mosquitto::essence(&pair.stack.name, &judged.account));
        let text = real.as_ref().unwrap_or(&judged.transcript);
        let says_nothing = judged.account.says_nothing();
        // What says nothing about the device is nothing to be accepted.
        if self.accept && says_nothing.is_none() {
            // What was given by hand, hardly anybody can run again.
            let is_kept = self.kept.get(&pair.scenario.name) == Some(&pair.stack.name) || pair.stack.is_given();
            let go_with =
                |kept: &[u8], reviewed: &str| matches!(packets::otherwise(kept, pair.scenario, reviewed), Ok(None));
            place.accept(text, is_kept.then_some(Packets { pcapng, go_with: &go_with })).map_err(unfiled)?;
        }
        let agreement = match compared {
            Compared::Whole => place.compare(text).map_err(unfiled)?,
            Compared::Ending => place.compare_ending(text).map_err(unfiled)?,
        };
        let ending = match &agreement {
            _ if judged.silent => Ending::Silent,
            // The specification alone judges that, and so does it of what says nothing.
            Agreement::None => Ending::New,
            _ if says_nothing.is_some() => Ending::Otherwise(says_nothing.unwrap_or_default()),
            Agreement::Same => Ending::AsExpected,
            Agreement::Differs(_) => Ending::Otherwise("what happened is not what the reviewed snapshot says".into()),
        };
        match ending {
            // What happened under another authority is nobody's to review here.
            _ if compared == Compared::Ending => {}
            Ending::AsExpected => place.settle().map_err(unfiled)?,
            _ => place.propose(text).map_err(unfiled)?,
        }
        let difference = match agreement {
            Agreement::Differs(difference) => difference,
            _ => String::new(),
        };
        // However stable: nobody can review a leak away.
        Ok(match judged.account.leaked_bytes {
            Some(bytes @ 1..) => (Ending::Otherwise(format!("{bytes} bytes of heap leak")), difference),
            _ => (ending, difference),
        })
    }

    /// A device that says that it cannot do something is believed if that is on record, and one that has said so does
    /// not do it all the same.
    fn hear_excuse(&self, pair: &Pair<'_>, excuse: Option<&str>) -> blame::Result<Excuse> {
        let mut records = self.records.lock().map_err(|_| Error::bench("another run has panicked over the records"))?;
        let (scenario, stack) = (&pair.scenario.name, &pair.stack.name);
        let was_answered = Place::new(&self.captures, scenario, stack).reviewed().map_err(unfiled)?.is_some();
        let record = records.get_mut(stack).ok_or_else(|| Error::bench(format!("{stack} has no record")))?;
        if self.accept {
            record.set(scenario, excuse);
        }
        Ok(match (excuse, record.reason(scenario)) {
            (None, None) => Excuse::None,
            (Some(now), Some(on_record)) if now == on_record => Excuse::Accepted(now.to_owned()),
            (Some(now), Some(on_record)) => {
                Excuse::Doubtful(format!("it is not applicable: {now}; on record is another reason: {on_record}"))
            }
            // Nobody has heard an answer of it that it could dodge.
            (Some(now), None) if !was_answered && !self.denial.denies(Deny::New) => Excuse::Accepted(now.to_owned()),
            (Some(now), None) => Excuse::Doubtful(format!(
                "it is not applicable: {now}; that is not on record, and `--accept` puts it there"
            )),
            (None, Some(on_record)) => Excuse::Doubtful(format!(
                "on record is that it is not applicable: {on_record}; it is, and `--accept` takes that note"
            )),
        })
    }

    /// Writes what was accepted beside the snapshots.
    pub(super) fn file_records(&self, builds: &Builds) -> blame::Result<()> {
        if self.accept {
            if !builds.images.is_empty() {
                builds.accept(&self.captures)?;
            }
            let records = self.records.lock().map_err(|_| Error::bench("a run has panicked over the records"))?;
            for record in records.values() {
                record.write().map_err(unfiled)?;
            }
        }
        Ok(())
    }
}

/// Whether a device says that it cannot do something.
enum Excuse {
    /// It does not.
    None,
    /// It does, and that is known.
    Accepted(String),
    /// What it says or does is not what is on record.
    Doubtful(String),
}

fn unfiled(error: io::Error) -> Error {
    Error::bench(format!("the evidence cannot be filed: {error}"))
}
