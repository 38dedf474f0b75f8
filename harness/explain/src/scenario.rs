//! `explain SCENARIO`: cause, evidence, remedy, stack by stack.

use std::fmt::Write as _;
use std::path::Path;

use blame::{Error, Result};
use outcome::Demand;
use scenario::{Scenario, library};

use super::evidence;
use super::explanations::{self, Explanation};
use super::paragraph::{heading, labelled};
use super::snapshots::{Excluded, Filed, Snapshots};

/// Explains a scenario, on all stacks or on some.
///
/// # Errors
///
/// If no scenario, several, or no snapshot of it are found; what to write instead.
pub fn explain(
    scenarios: &Path,
    captures: &Path,
    pattern: &str,
    stacks: &[String],
    excluded: &Excluded<'_>,
) -> Result<String> {
    explanations::check()?;
    let scenario =
        library::read(scenarios).and_then(|scenarios| library::one(scenarios, pattern)).map_err(Error::usage)?;
    let mut snapshots = Snapshots::read_for(captures, &scenario.name)?;
    snapshots.add(excluded(std::slice::from_ref(&scenario))?);
    let known = snapshots.stacks();
    for stack in stacks {
        if !known.contains(stack) {
            return Err(Error::usage(format!("`{stack}` has no snapshots: there are {}", known.join(", "))));
        }
    }
    let mut out = String::new();
    introduce(&mut out, &scenario);
    let mut told = 0;
    for stack in known.iter().filter(|stack| stacks.is_empty() || stacks.contains(stack)) {
        let key = (scenario.name.clone(), stack.clone());
        if let Some(filed) = snapshots.filed.get(&key) {
            let mut filed = filed.clone();
            filed.reviewed.seen.extend(evidence::of_scenario(&scenario));
            tell(&mut out, captures, &filed);
            told += 1;
        } else if let Some(reason) = snapshots.excuses.get(&key) {
            heading(&mut out, &format!("{stack}: not applicable"));
            labelled(&mut out, "because", reason);
            told += 1;
        }
    }
    if told == 0 {
        return Err(Error::usage(format!(
            "{} has no reviewed snapshot: `cargo xtask hil --board esp32c3 --accept {0}` makes one",
            scenario.name
        )));
    }
    Ok(out)
}

fn introduce(out: &mut String, scenario: &Scenario) {
    let specification = &scenario.specification;
    let demand = match specification.demands {
        Demand::Connect => "The device must connect",
        Demand::Refuse => "The device must refuse",
        Demand::Fail => "The device must fail, and cleanly",
        Demand::Either => "The device may connect or refuse",
    };
    let _ = writeln!(out, "{}", scenario.name);
    labelled(out, "tested", &format!("{}.", scenario.title));
    labelled(out, "demanded", &format!("{demand} ({}): {}", specification.rule, specification.says()));
}

fn tell(out: &mut String, captures: &Path, filed: &Filed) {
    let reviewed = &filed.reviewed;
    let shown = captures.file_name().map_or(captures, Path::new);
    heading(out, &format!("{}: {} — {}", filed.stack, reviewed.phrase, reviewed.conformity));
    if reviewed.is_well() {
        labelled(out, "cause", "none: all went well, nothing is to be mended");
        return;
    }
    let explained = explanations::explain(reviewed);
    for (line, words) in &reviewed.evidence {
        labelled(
            out,
            "evidence",
            &format!("{}/{}:{}: {words}", shown.display(), filed.file, line + filed.header_lines),
        );
    }
    if let Some(words) = &reviewed.platform {
        labelled(out, "platform", &format!("says {words}"));
    }
    if let Some(cause) = &reviewed.cause {
        labelled(out, "bench", cause);
    }
    let several = explained.len() > 1;
    for (key, explanation) in explained {
        match explanation {
            Some(Explanation { cause, source, remedy, .. }) => {
                let about = if several { format!("{key}: ") } else { String::new() };
                labelled(out, "cause", &format!("{about}{cause}"));
                labelled(out, "in source", &source);
                labelled(out, "remedy", &remedy);
            }
            None => labelled(
                out,
                "cause",
                &format!("nobody has written down what `{key}` means here: scenarios/explanations/"),
            ),
        }
    }
}
