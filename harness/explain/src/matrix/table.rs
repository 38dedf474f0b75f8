//! The table itself, before anybody sets it.

use outcome::{Conformity, Demand, Ending};
use report::model::Run;
use report::weight::nonconforming;
use scenario::Scenario;

use crate::explanations::{self, Explanation};
use crate::reviewed::Reviewed;
use crate::snapshots::{Filed, Snapshots};

/// Scenarios by stacks.
#[derive(Debug)]
pub struct Table {
    /// The columns.
    pub stacks: Vec<String>,
    /// The rows, in the order of their names.
    pub rows: Vec<Row>,
}

/// One scenario.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub scenario: String,
    /// Its one sentence.
    pub title: String,
    /// What the device must do, as a word.
    pub demand: &'static str,
    /// The rule.
    pub rule: String,
    /// The rule's words.
    pub quote: String,
    /// Or what it says, in other words.
    pub paraphrase: String,
    /// One for each stack.
    pub cells: Vec<Cell>,
}

/// What became of a scenario on a stack.
#[derive(Debug)]
pub enum Cell {
    /// It was not run.
    Empty,
    /// It cannot be run, for this reason.
    NotApplicable(String),
    /// It was run.
    Ran(Box<Ran>),
}

/// What became of a run.
#[derive(Debug)]
pub struct Ran {
    /// What it says.
    pub reviewed: Reviewed,
    /// The snapshot's file, and the lines in it that prove it; empty if it comes from a report.
    pub evidence: Vec<(String, String)>,
    /// Why, and what helps.
    pub explanations: Vec<Explanation>,
}

/// How much a cell matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing happened.
    Empty,
    /// As demanded or allowed.
    Good,
    /// The device failed where it must succeed, or hung.
    Wrong,
    /// The device accepts what it must refuse.
    Insecure,
}

impl Table {
    /// The scenarios that are given, on every stack that has something to say of one of them.
    pub fn new(scenarios: &[Scenario], snapshots: &Snapshots) -> Self {
        let has_something = |stack: &String| {
            scenarios.iter().any(|scenario| {
                let key = (scenario.name.clone(), stack.clone());
                snapshots.filed.contains_key(&key) || snapshots.excuses.contains_key(&key)
            })
        };
        let stacks: Vec<String> = snapshots.stacks().into_iter().filter(has_something).collect();
        let rows = scenarios.iter().map(|scenario| Row::new(scenario, &stacks, snapshots)).collect();
        Self { stacks, rows }
    }

    /// How many cells of one column weigh as much.
    pub fn count(&self, column: usize, weight: Weight) -> usize {
        self.rows.iter().filter_map(|row| row.cells.get(column)).filter(|cell| cell.weight() == weight).count()
    }
}

impl Row {
    fn new(scenario: &Scenario, stacks: &[String], snapshots: &Snapshots) -> Self {
        let excuse = |stack: &String| snapshots.excuses.get(&(scenario.name.clone(), stack.clone())).cloned();
        let cell = |stack: &String| match snapshots.filed.get(&(scenario.name.clone(), stack.clone())) {
            Some(filed) => Cell::Ran(Box::new(Ran::new(filed))),
            None => excuse(stack).map_or(Cell::Empty, Cell::NotApplicable),
        };
        Self {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            demand: match scenario.specification.demands {
                Demand::Connect => "connect",
                Demand::Refuse => "refuse",
                Demand::Fail => "fail cleanly",
                Demand::Either => "connect or refuse",
            },
            rule: scenario.specification.rule.clone(),
            quote: scenario.specification.quote.clone().unwrap_or_default(),
            paraphrase: scenario.specification.paraphrase.clone().unwrap_or_default(),
            cells: stacks.iter().map(cell).collect(),
        }
    }

    /// The weight of its heaviest cell.
    pub fn weight(&self) -> Weight {
        self.cells.iter().map(Cell::weight).max().unwrap_or(Weight::Empty)
    }
}

impl Ran {
    fn new(filed: &Filed) -> Self {
        let place = |line: usize| match filed.file.as_str() {
            "" => String::new(),
            file => format!("captures/{file}:{}", line + filed.header_lines),
        };
        let explained = explanations::explain(&filed.reviewed);
        Self {
            evidence: filed.reviewed.evidence.iter().map(|(line, words)| (place(*line), words.clone())).collect(),
            explanations: explained.into_iter().filter_map(|(_, explanation)| explanation).collect(),
            reviewed: filed.reviewed.clone(),
        }
    }
}

impl Cell {
    /// How much it matters.
    pub fn weight(&self) -> Weight {
        match self {
            Self::Empty | Self::NotApplicable(_) => Weight::Empty,
            Self::Ran(ran) => match ran.reviewed.conformity {
                Conformity::AcceptsWhatItMustRefuse => Weight::Insecure,
                conformity if conformity.is_good() => Weight::Good,
                _ => Weight::Wrong,
            },
        }
    }

    /// It in a word. What is wrong is in capitals, for those who see no colour.
    pub fn word(&self) -> &'static str {
        let ran = match self {
            Self::Empty => return "",
            Self::NotApplicable(_) => return "n/a",
            Self::Ran(ran) => &ran.reviewed,
        };
        if let Some(word) = nonconforming(ran.conformity) {
            return word;
        }
        let words: [(&str, &str); 9] = [
            ("connected", "connects"),
            ("accepted", "connects"),
            ("device refused", "refuses"),
            ("control refused", "refuses"),
            ("device failed", "refuses"),
            ("broker refused", "refused"),
            ("connection lost", "lost"),
            ("device gave up", "gives up"),
            ("refused", "refused"),
        ];
        let word = words.iter().find(|(start, _)| ran.phrase.starts_with(start)).map(|(_, word)| *word);
        word.unwrap_or(if ran.phrase.ends_with("runs connect") { "sweep" } else { "ran" })
    }
}

/// What is on record, from the report of a run.
pub fn of_report(run: Run) -> Snapshots {
    let mut snapshots = Snapshots::default();
    for row in run.rows {
        let key = (row.scenario, row.stack);
        if let Some(Ending::NotApplicable(why)) = row.ending {
            snapshots.excuses.insert(key, why);
        } else if let Some(mut reviewed) = Reviewed::parse(&row.transcript) {
            reviewed.scenario.clone_from(&key.0);
            let filed = Filed { stack: key.1.clone(), reviewed, file: String::new(), header_lines: 0 };
            snapshots.filed.insert(key, filed);
        }
    }
    snapshots.name_images();
    snapshots
}
