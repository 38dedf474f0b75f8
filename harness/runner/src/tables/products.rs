//! Products: what is asked of them, and where they end otherwise than the profiles that stand for them.
//!
//! A difference without a reason in the product's description is no table but an error, and so is a reason of which nothing
//! is true any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use scenario::{Scenario, library};
use snapshot::Place;

use super::{Unrenderable, markdown};
use crate::dialect;
use crate::stack::{self, Applicability, Stack};

/// The products that are described, with what the driver can say.
pub(super) fn products(root: &Path) -> Result<String, Unrenderable> {
    let scenarios = scenarios(root)?;
    let mut rows = Vec::new();
    for stack in described(root)? {
        let (mut applies, mut excused, mut reasons) = (0, 0, BTreeMap::<String, usize>::new());
        for scenario in &scenarios {
            match stack.applicability(scenario) {
                Applicability::Applies => applies += 1,
                Applicability::NotApplicable(why) => {
                    excused += 1;
                    *reasons.entry(kind_of(&stack, &why)).or_default() += 1;
                }
                Applicability::NotAsked => {}
            }
        }
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(why, number)| (std::cmp::Reverse(*number), why.clone()));
        let reasons: Vec<String> = reasons.into_iter().map(|(why, number)| format!("{number}: {why}")).collect();
        rows.push(vec![
            format!("`{}`", stack.name),
            stack.title.clone(),
            stack.driver().map_or("", driver::Kind::name).to_owned(),
            applies.to_string(),
            format!("{excused}, of which {}", reasons.join("; ")),
        ]);
    }
    Ok(markdown(&["`--stack`", "what it is", "driver", "scenarios run", "not applicable"], &rows))
}

/// A reason without what is particular to one scenario.
fn kind_of(stack: &Stack, why: &str) -> String {
    let why = why.strip_prefix(&stack.title).unwrap_or(why).trim();
    why.replace(", which the scenario asks for", "").replace("cannot do what the scenario asks for in ", "")
}

/// Scenario by scenario, how a product ends and how the profile does that stands for the same.
pub(super) fn differences(root: &Path) -> Result<String, Unrenderable> {
    let (scenarios, captures) = (scenarios(root)?, root.join("captures"));
    let mut text = String::new();
    for stack in described(root)? {
        for (profile, reasons) in stack.differs() {
            let wrong = |what: String| Unrenderable::new(format_args!("`differs.{profile}` of {}", stack.name), what);
            let (mut same, mut rows, mut seen) = (0, Vec::new(), BTreeSet::new());
            for scenario in &scenarios {
                let ending = |stack: &str| ending(&captures, &scenario.name, stack);
                let (Some(is), Some(other)) = (ending(&stack.name)?, ending(profile)?) else { continue };
                if is == other {
                    same += 1;
                    continue;
                }
                let (entry, reason) = reason(reasons, &scenario.name).ok_or_else(|| {
                    wrong(format!("{}: {is}, and the profile: {other}; it is not said why", scenario.name))
                })?;
                seen.insert(entry);
                rows.push(vec![format!("`{}`", scenario.name), is, other, reason.to_owned()]);
            }
            if let Some(idle) = reasons.keys().find(|name| !seen.contains(name.as_str())) {
                return Err(wrong(format!("{idle}: there is no difference any more")));
            }
            let _ = writeln!(text, "### `{}` and the profile `{profile}`\n", stack.name);
            let _ = writeln!(text, "{same} scenarios end the same, {} otherwise.\n", rows.len());
            if !rows.is_empty() {
                let product = format!("`{}`", stack.name);
                let profile = format!("`{profile}`");
                let _ = writeln!(text, "{}", markdown(&["scenario", &product, &profile, "why"], &rows));
            }
        }
    }
    Ok(text)
}

/// The most particular entry for a scenario: its name, or its folder with `/` at the end.
fn reason<'t>(reasons: &'t BTreeMap<String, String>, scenario: &str) -> Option<(&'t str, &'t str)> {
    let fitting = reasons.iter().filter(|(entry, _)| dialect::covers(entry, scenario));
    fitting.max_by_key(|(entry, _)| entry.len()).map(|(entry, reason)| (entry.as_str(), reason.as_str()))
}

/// How it ended, as reviewed, without what the specification says of it.
fn ending(captures: &Path, scenario: &str, stack: &str) -> Result<Option<String>, Unrenderable> {
    let place = Place::new(captures, scenario, stack);
    let reviewed = place.reviewed().map_err(|error| Unrenderable::new(place.snapshot().display(), error))?;
    let ending = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("ending "))?;
        Some(line.split(" — ").next().unwrap_or_default().trim().to_owned())
    };
    Ok(reviewed.as_deref().and_then(ending))
}

fn described(root: &Path) -> Result<Vec<Stack>, Unrenderable> {
    let stacks = stack::known(root).map_err(|why| Unrenderable::new("the products", why))?;
    Ok(stacks.into_iter().filter(Stack::is_product).collect())
}

fn scenarios(root: &Path) -> Result<Vec<Scenario>, Unrenderable> {
    library::read(&root.join("scenarios")).map_err(|why| Unrenderable::new("the scenarios", why))
}
