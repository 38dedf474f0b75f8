//! What fails a run beside an ending that is not as expected: `--deny new`, `--deny insecure`, and whatever is new and
//! against the specification. A file of known findings excuses some of it for a while.

use std::path::{Path, PathBuf};

use blame::Error;
use clap::{Args, ValueEnum};
use outcome::Ending;
use rack::dated::{self, Entry};

use crate::verdict::Verdict;

/// The file of known findings, below the workspace's root.
pub const FILE: &str = "ci/known_findings.toml";

/// What is denied, and what is excused.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What fails a run")]
pub struct Denying {
    /// Fail on what is new (no snapshot yet), or on whatever accepts what it must refuse, reviewed or not
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub deny: Vec<Deny>,
    /// Findings that are known, each with scenario, reason, link and last day: they are told, and fail nothing
    /// [default: ci/known_findings.toml, if there is one]
    #[arg(long, value_name = "FILE.toml")]
    pub known_findings: Option<PathBuf>,
}

/// A kind of row that fails a run if somebody wants it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Nothing was reviewed of it yet
    New,
    /// The device accepts what it must refuse
    Insecure,
}

/// Decides which rows fail a run although their endings do not.
#[derive(Clone, Debug, Default)]
pub struct Denial {
    denied: Vec<Deny>,
    known: Vec<Entry>,
    /// Entries that are past their day.
    over: Vec<Entry>,
}

impl Denial {
    /// Reads what the command line says, for the workspace at `root`.
    ///
    /// # Errors
    ///
    /// If the file of known findings cannot be read or is wrong; with line and remedy.
    pub fn read(root: &Path, options: &Denying) -> blame::Result<Self> {
        let file = options.known_findings.clone().unwrap_or_else(|| root.join(FILE));
        let text = match dated::text(&file)? {
            Some(text) => text,
            None if options.known_findings.is_some() => {
                return Err(Error::author(format!("{}: there is no such file", file.display())));
            }
            None => String::new(),
        };
        let entries = dated::parse(&file.display().to_string(), &text, "known").map_err(Error::author)?;
        let today = dated::today();
        let (known, over) = entries.into_iter().partition(|entry| entry.until() >= today);
        Ok(Self { denied: options.deny.clone(), known, over })
    }

    /// Whether somebody wants a run to fail on rows of this kind.
    pub fn denies(&self, kind: Deny) -> bool {
        self.denied.contains(&kind)
    }

    /// Puts down whether a verdict fails the run, and what excuses it.
    pub fn judge(&self, verdict: &mut Verdict) {
        let Some(account) = &verdict.account else { return };
        let (scenario, stack, board) = (&verdict.scenario, &verdict.stack, &verdict.rack.board);
        let find = |entries: &[Entry]| entries.iter().find(|entry| entry.is_about(scenario, stack, board)).cloned();
        let is_new = verdict.ending == Ending::New;
        let is_insecure = verdict.is_security_finding();
        let against = match &verdict.ending {
            Ending::New if !account.conformity.is_good() => {
                let why = account.says_nothing().unwrap_or_else(|| account.conformity.to_string());
                Some(format!("new, and {why}"))
            }
            Ending::AsExpected if is_insecure && self.denied.contains(&Deny::Insecure) => {
                Some(format!("{} (--deny insecure)", account.conformity))
            }
            _ => None,
        };
        let new = (is_new && self.denied.contains(&Deny::New)).then(|| "new (--deny new)".to_owned());
        if is_insecure {
            verdict.known = find(&self.known).map(|entry| entry.told());
        }
        verdict.denied = match (against, &verdict.known) {
            (Some(why), None) => Some(match find(&self.over) {
                Some(over) => format!("{why}; that it is known counted until {}: {}", over.until(), over.reason),
                None => why,
            }),
            _ => new,
        };
    }

    /// Entries that excuse nothing: what they are about was run, and is no finding any more; or they are past their day.
    pub fn idle<'a>(&'a self, verdicts: &'a [Verdict]) -> impl Iterator<Item = String> + 'a {
        let was_run = |entry: &Entry, is_finding: bool| {
            verdicts.iter().any(|verdict| {
                verdict.account.is_some()
                    && entry.is_about(&verdict.scenario, &verdict.stack, &verdict.rack.board)
                    && verdict.is_security_finding() == is_finding
            })
        };
        let gone = self.known.iter().filter(move |entry| was_run(entry, false) && !was_run(entry, true));
        let gone = gone.map(|entry| {
            format!(
                "known finding {}: the device refuses that now; take the entry out (line {})",
                entry.scenario, entry.line
            )
        });
        let over = self.over.iter().map(|entry| {
            format!("known finding {}: its last day was {}: {}", entry.scenario, entry.until(), entry.reason)
        });
        gone.chain(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::specimen;
    use outcome::Conformity;

    fn denial(deny: &[Deny], until: &str) -> Denial {
        let text = format!(
            "[[known]]\nscenario = \"x/known\"\nreason = \"so it is\"\nlink = \"https://example.org\"\nuntil = {until}\n"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("known.toml");
        std::fs::write(&file, text).expect("a file");
        let options = Denying { deny: deny.to_vec(), known_findings: Some(file) };
        Denial::read(folder.path(), &options).expect("a list")
    }

    #[test]
    fn who_is_denied_and_why() {
        use Conformity::{
            AcceptsWhatItMustRefuse as Insecure, Allowed, Breaks, Conforms, NeverMet, RefusesWhatItMustAccept,
        };
        let (new, expected) = (Ending::New, Ending::AsExpected);
        let both = [Deny::New, Deny::Insecure];
        type Row<'a> = (&'a [Deny], &'a str, &'a Ending, Conformity, Option<&'a str>);
        let rows: &[Row<'_>] = &[
            (&[], "x/y", &new, Conforms, None),
            (&[], "x/y", &new, Allowed, None),
            (&[], "x/y", &new, RefusesWhatItMustAccept, Some("new, and refuses what it must accept")),
            (&[], "x/y", &new, Breaks, Some("new, and neither succeeds nor gives up")),
            (&[], "x/y", &new, NeverMet, Some("new, and never met the fault: device refused at certificate")),
            (&[], "x/y", &new, Insecure, Some("new, and ACCEPTS WHAT IT MUST REFUSE")),
            (&[], "x/known", &new, Insecure, None),
            (&[], "x/y", &expected, Insecure, None),
            (&both, "x/y", &new, Conforms, Some("new (--deny new)")),
            (&both, "x/known", &new, Insecure, Some("new (--deny new)")),
            (&both, "x/y", &expected, Conforms, None),
            (&both, "x/y", &expected, RefusesWhatItMustAccept, None),
            (&both, "x/y", &expected, Insecure, Some("ACCEPTS WHAT IT MUST REFUSE (--deny insecure)")),
            (&both, "x/known", &expected, Insecure, None),
        ];
        for (deny, scenario, ending, conformity, expected) in rows {
            let mut verdict = specimen(scenario, (*ending).clone(), *conformity);
            denial(deny, "2999-01-01").judge(&mut verdict);
            assert_eq!(verdict.denied.as_deref(), *expected, "{deny:?} {scenario} {ending} {conformity}");
            assert_eq!(verdict.known.is_some(), *scenario == "x/known", "{scenario}");
        }
    }

    #[test]
    fn a_known_finding_past_its_day_excuses_nothing_and_says_so() {
        let denial = denial(&[Deny::Insecure], "2020-01-01");
        let mut verdict = specimen("x/known", Ending::AsExpected, Conformity::AcceptsWhatItMustRefuse);
        denial.judge(&mut verdict);
        assert!(verdict.denied.as_deref().is_some_and(|why| why.contains("counted until 2020-01-01")), "{verdict:?}");
        assert_eq!(denial.idle(&[]).count(), 1);
    }

    #[test]
    fn a_finding_that_is_gone_is_told() {
        let denial = denial(&[], "2999-01-01");
        let refused = specimen("x/known", Ending::AsExpected, Conformity::Conforms);
        let accepted = specimen("x/known", Ending::AsExpected, Conformity::AcceptsWhatItMustRefuse);
        assert!(denial.idle(std::slice::from_ref(&refused)).any(|line| line.contains("refuses that now")));
        assert_eq!(denial.idle(&[refused, accepted]).count(), 0);
        assert_eq!(denial.idle(&[]).count(), 0);
    }
}
