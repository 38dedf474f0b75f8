//! The smallest set of changes after which all chosen stacks connect: tried on the broker's twin, set by set, small ones
//! first and among equals those that cost least, so that no proper subset does as well. What is found is then done to a
//! real mosquitto, and to nginx and HAProxy in front of one, where they are installed.

use std::collections::BTreeMap;
use std::path::Path;

use blame::Error;
use board::{Boots, Emulated};
use outcome::Conformity;
use scenario::Scenario;
use serde::Serialize;

use super::change::Change;
use super::lines::{self, Lines};
use super::setup::Setup;
use super::twin::Twin;
use crate::controls;
use crate::controls::tools::Missing;
use crate::mosquitto::{self, Met};
use crate::proxy::{Proxy, Tls};
use crate::stack::{Applicability, Stack};
use crate::trial::{self, Tried};
use report::model::How;

/// The seed of the twin: nothing secret is said to it.
const SEED: u64 = 0x5eed;
/// Larger sets are not looked for.
const CHANGES_MAX: usize = 4;
/// Larger ones are not taken apart: there are 256 parts of it.
const PARTS_OF_MAX: usize = 8;
/// So many sets are tried at most.
const SETS_MAX: usize = 400;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Advice {
    /// The smallest set of changes, in words.
    pub changes: Vec<String>,
    /// The stacks that connect after it, and did not before.
    pub gained: Vec<String>,
    /// The stacks that no change helps.
    pub hopeless: Vec<String>,
    /// The stacks that fare otherwise with the twin than with the broker: nothing is said of them.
    pub unlike: Vec<String>,
    /// How many sets of changes were tried.
    pub tried: usize,
    /// What to write into the configuration of each program.
    pub lines: Vec<Lines>,
    /// What came of trying it with programs of this machine: mosquitto, and a proxy in front of one.
    pub runs: Vec<Run>,
    /// Why there is no advice, if there is none.
    pub why_none: Option<String>,
}

/// One program with the changes.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The program.
    pub program: &'static str,
    /// Who connects to it, or why it was not run.
    pub words: String,
}

/// No advice, for this reason.
pub fn none(why: String) -> Advice {
    Advice { why_none: Some(why), ..Advice::default() }
}

/// Looks for the smallest set among `candidates` after which all of `stacks` connect that connect after any.
///
/// `fares` says of each stack whether it connects to the broker itself.
pub fn advise(
    setup: &Setup,
    twin: &Twin,
    candidates: &[Change],
    stacks: &[(Stack, bool)],
    folder: &Path,
) -> blame::Result<Advice> {
    let mut tries = Tries { setup, twin, known: BTreeMap::new(), boots: Boots::new() };
    let mut advice = Advice::default();
    let (mut wanted, mut asked): (Vec<&Stack>, Vec<&Stack>) = (Vec::new(), Vec::new());
    for (stack, connects) in stacks {
        if tries.connects(&[], stack)? == *connects {
            asked.push(stack);
            if !connects {
                wanted.push(stack);
            }
        } else {
            advice.unlike.push(stack.name.clone());
        }
    }
    if wanted.is_empty() {
        advice.why_none = Some(if advice.unlike.is_empty() {
            "all connect as it is".into()
        } else {
            "all that can be said of connect as it is".into()
        });
        return Ok(advice);
    }
    let sets = sets(candidates);
    // Whom no set helps is left out first, so that the others are helped.
    let (mut helped, mut each): (Vec<&Stack>, Vec<Change>) = (Vec::new(), Vec::new());
    for stack in &wanted {
        match tries.first(&sets, &[*stack])? {
            Some(set) => {
                helped.push(stack);
                each.extend(set.into_iter().filter(|change| !each.contains(change)).collect::<Vec<Change>>());
            }
            None => advice.hopeless.push(stack.name.clone()),
        }
    }
    asked.retain(|stack| !advice.hopeless.contains(&stack.name));
    // Those that fail now come first: they decide soonest.
    asked.sort_by_key(|stack| !helped.iter().any(|other| other.name == stack.name));
    let mut found = if helped.is_empty() { None } else { tries.first(&sets, &asked)? };
    if found.is_none() && each.len() > CHANGES_MAX {
        // What helps them one by one, together; the smallest part of it that does, so that no part of that does as well.
        found = tries.first(&parts(&each), &asked)?;
    }
    advice.tried = tries.known.keys().map(|(set, _)| set.clone()).collect::<std::collections::BTreeSet<_>>().len();
    let Some(found) = found else {
        advice.why_none = Some(format!(
            "no set of at most {CHANGES_MAX} of these changes helps them all, nor does all that helps one of them; choose fewer \
             by --stack, for a listener of their own: {}",
            named(candidates, setup)
        ));
        return Ok(advice);
    };
    advice.gained = helped.iter().map(|stack| stack.name.clone()).collect();
    advice.changes = found.iter().map(|change| change.words(setup.checked_name())).collect();
    let after = twin.after(&found, setup.checked_name());
    advice.runs = Real { setup, twin: &after, changes: &found, stacks: &asked, folder }.all()?;
    advice.lines = lines::of(&found, &after);
    for lines in &mut advice.lines {
        lines.run = advice.runs.iter().find(|run| run.program == lines.program).map(|run| run.words.clone());
    }
    Ok(advice)
}

fn named(changes: &[Change], setup: &Setup) -> String {
    changes.iter().map(|change| change.words(setup.checked_name())).collect::<Vec<String>>().join("; ")
}

/// All sets that may be tried: small ones first, then cheap ones.
fn sets(candidates: &[Change]) -> Vec<Vec<Change>> {
    let mut sets: Vec<Vec<Change>> = vec![Vec::new()];
    let mut all = Vec::new();
    for _ in 0..CHANGES_MAX {
        let mut larger = Vec::new();
        for set in &sets {
            let begin =
                set.last().and_then(|last| candidates.iter().position(|change| change == last)).map_or(0, |at| at + 1);
            for change in candidates.get(begin..).unwrap_or_default() {
                if !set.iter().any(|other| other.excludes(*change)) {
                    larger.push(set.iter().copied().chain([*change]).collect::<Vec<Change>>());
                }
            }
        }
        larger.sort_by_key(|set| set.iter().map(|change| change.cost()).sum::<u32>());
        all.extend(larger.iter().cloned());
        sets = larger;
    }
    all.truncate(SETS_MAX);
    all
}

/// The parts of `whole` that are too large for [`sets`], and `whole` itself: small ones first, then cheap ones.
fn parts(whole: &[Change]) -> Vec<Vec<Change>> {
    let whole = whole.get(..whole.len().min(PARTS_OF_MAX)).unwrap_or_default();
    let of = |bits: u32| whole.iter().enumerate().filter(move |(at, _)| bits >> at & 1 == 1).map(|(_, change)| *change);
    let mut parts: Vec<Vec<Change>> = (0..1_u32 << whole.len()).map(|bits| of(bits).collect()).collect();
    parts.retain(|set: &Vec<Change>| {
        set.len() > CHANGES_MAX && !set.iter().any(|one| set.iter().any(|other| one.excludes(*other)))
    });
    parts.sort_by_key(|set| (set.len(), set.iter().map(|change| change.cost()).sum::<u32>()));
    parts
}

struct Tries<'a> {
    setup: &'a Setup,
    twin: &'a Twin,
    /// What is known of a set and a stack.
    known: BTreeMap<(Vec<Change>, String), bool>,
    boots: std::sync::Arc<Boots>,
}

impl Tries<'_> {
    /// The first set after which all of these stacks connect.
    fn first(&mut self, sets: &[Vec<Change>], stacks: &[&Stack]) -> blame::Result<Option<Vec<Change>>> {
        for set in sets {
            let mut all = true;
            for stack in stacks {
                all = all && self.connects(set, stack)?;
            }
            if all {
                return Ok(Some(set.clone()));
            }
        }
        Ok(None)
    }

    fn connects(&mut self, set: &[Change], stack: &Stack) -> blame::Result<bool> {
        let key = (set.to_vec(), stack.name.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let twin = self.twin.after(set, self.setup.checked_name());
        let scenario = twin.scenario(self.setup, controls::today())?;
        let connects = is_connected(&scenario, stack, &self.boots)?;
        self.known.insert(key, connects);
        Ok(connects)
    }
}

fn is_connected(scenario: &Scenario, stack: &Stack, boots: &std::sync::Arc<Boots>) -> blame::Result<bool> {
    // A profile that stands for one document is asked all the same.
    if matches!(stack.applicability(scenario), Applicability::NotApplicable(_)) {
        return Ok(false);
    }
    Ok(trial::on_emulator(scenario, stack, SEED, boots)?.judged.account.how == How::Connected)
}

/// The changes, tried with programs of this machine.
struct Real<'a> {
    setup: &'a Setup,
    twin: &'a Twin,
    changes: &'a [Change],
    stacks: &'a [&'a Stack],
    folder: &'a Path,
}

impl Real<'_> {
    fn all(&self) -> blame::Result<Vec<Run>> {
        let (changes, twin) = (self.changes, self.twin);
        let mosquitto = self.run(lines::MOSQUITTO, &|scenario, stack, board| {
            mosquitto::meet(scenario, stack, board, SEED, controls::today(), &self.folder.join("mosquitto"))
        })?;
        let nginx = self.behind(lines::NGINX, "nginx", Proxy::nginx(), &lines::nginx(changes, twin))?;
        let haproxy = self.behind(lines::HAPROXY, "haproxy", Proxy::haproxy(), &lines::haproxy(changes, twin))?;
        Ok(vec![mosquitto, nginx, haproxy])
    }

    fn behind(
        &self,
        program: &'static str,
        folder: &str,
        proxy: Result<Proxy, Missing>,
        tls: &Tls,
    ) -> blame::Result<Run> {
        match proxy {
            Ok(proxy) => self.run(program, &|scenario, stack, board| {
                proxy.meet(tls, scenario, stack, board, (SEED, controls::today()), &self.folder.join(folder))
            }),
            Err(missing) if missing.required => Err(Error::bench(missing.reason)),
            Err(missing) => Ok(Run { program, words: format!("not run: {}", missing.reason) }),
        }
    }

    fn run(&self, program: &'static str, meet: &Meet<'_>) -> blame::Result<Run> {
        let mut scenario = self.twin.scenario(self.setup, controls::today())?;
        scenario.broker.real = Some(scenario::broker::Real::Mosquitto);
        scenario.broker.mqtt.allow_anonymous = true;
        let options = lines::mosquitto_options(self.changes, self.twin);
        scenario.mosquitto = Some(scenario::mosquitto::Mosquitto { conf: None, options });
        let (mut connect, mut others) = (0, Vec::new());
        for stack in self.stacks {
            let mut board = Emulated::of(stack.chip(), SEED).map_err(Error::bench)?;
            let judged = match meet(&scenario, stack, &mut board)?.judged(&scenario, stack, &board, SEED)? {
                Tried::Run(trial) => trial.judged,
                Tried::NotApplicable(why) => return Ok(Run { program, words: format!("not run: {why}") }),
            };
            if judged.account.how == How::Connected {
                connect += 1;
            } else {
                others.push(format!("{} ({})", stack.name, judged.account.phrase()));
            }
            debug_assert!(
                judged.account.conformity != Conformity::AcceptsWhatItMustRefuse,
                "nothing has to be refused here"
            );
        }
        let words = if others.is_empty() {
            format!("run: all {connect} stacks connect to a real one with these changes")
        } else {
            format!("run: {connect} connect to a real one with these changes, and not {}", others.join(", "))
        };
        Ok(Run { program, words })
    }
}

/// How a stack meets a broker that really runs.
type Meet<'a> = dyn Fn(&Scenario, &Stack, &mut dyn board::Board) -> blame::Result<Met> + 'a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_one_by_one_is_taken_apart_beyond_the_sets_that_were_tried() {
        let each = [
            Change::AddressAsDns,
            Change::LeafRsa2048,
            Change::Tls12,
            Change::Tls11,
            Change::RsaKeyExchange,
            Change::CbcSuites,
        ];
        let parts = parts(&each);
        // Six of five, and all six.
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 5, 5, 6]);
        assert!(!parts[0].contains(&Change::Tls11), "the dearest is left out first: {parts:?}");
        assert_eq!(super::parts(&[each.as_slice(), &[Change::LeafP256]].concat()).iter().map(Vec::len).max(), Some(6));
    }

    #[test]
    fn small_sets_come_first_and_among_equals_the_cheap_ones() {
        let candidates = [Change::Tls11, Change::LeafP256, Change::LeafRsa2048, Change::AddressAsIp];
        let sets = sets(&candidates);
        assert!(sets.windows(2).all(|pair| pair[0].len() <= pair[1].len()));
        assert_eq!(sets.iter().filter(|set| set.len() == 1).count(), 4);
        let cost = |set: &[Change]| set.iter().map(|change| change.cost()).sum::<u32>();
        let pairs: Vec<&Vec<Change>> = sets.iter().filter(|set| set.len() == 2).collect();
        assert!(pairs.windows(2).all(|pair| cost(pair[0]) <= cost(pair[1])));
        assert!(!sets.iter().any(|set| set.contains(&Change::LeafP256) && set.contains(&Change::LeafRsa2048)));
        // Every proper subset of a set stands before it.
        for (at, set) in sets.iter().enumerate().filter(|(_, set)| set.len() > 1) {
            for left_out in 0..set.len() {
                let mut subset = set.clone();
                subset.remove(left_out);
                assert!(sets.iter().position(|other| *other == subset).is_some_and(|place| place < at));
            }
        }
    }
}
