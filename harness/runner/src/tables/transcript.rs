//! Transcripts that somebody reviewed, as they lie in `captures/`: one of them, and what all of them found.

use std::path::Path;

use outcome::Conformity;

use super::{Unrenderable, markdown};
use scenario::library;
use snapshot::Place;

/// The reviewed snapshot `validity/expired.esp32c3_mbedtls` as a block of text.
pub(super) fn reviewed(root: &Path, snapshot: &str) -> Result<String, Unrenderable> {
    let (scenario, image) = snapshot
        .rsplit_once('.')
        .ok_or_else(|| Unrenderable::new(format_args!("`{snapshot}`"), "names no image after the last dot"))?;
    let text = text(root, scenario, image)?
        .ok_or_else(|| Unrenderable::new(format_args!("captures/{snapshot}.snap"), "no such snapshot"))?;
    Ok(format!("```text\n{text}\n```"))
}

/// The scenarios in which a stack accepts what it must refuse, and which stacks do.
pub(super) fn findings(root: &Path) -> Result<String, Unrenderable> {
    let scenarios = library::read(&root.join("scenarios")).map_err(|error| Unrenderable::new("scenarios", error))?;
    let stacks = crate::stack::released(root).map_err(|why| Unrenderable::new("the stacks", why))?;
    let mut rows = Vec::new();
    for scenario in scenarios {
        let mut accepting = Vec::new();
        for stack in &stacks {
            let Some(text) = text(root, &scenario.name, &stack.name)? else { continue };
            let ending = text.lines().find(|line| line.starts_with("ending ")).unwrap_or_default();
            if ending.contains(&Conformity::AcceptsWhatItMustRefuse.to_string()) {
                accepting.push(format!("`{}`", stack.name));
            }
        }
        if !accepting.is_empty() {
            let by = accepting.join(", ");
            rows.push(vec![format!("`{}`", scenario.name), scenario.title, scenario.specification.rule, by]);
        }
    }
    Ok(markdown(&["scenario", "what the device accepts", "against", "stacks that do"], &rows))
}

fn text(root: &Path, scenario: &str, image: &str) -> Result<Option<String>, Unrenderable> {
    let place = Place::new(&root.join("captures"), scenario, image);
    place.reviewed().map_err(|error| Unrenderable::new(place.snapshot().display(), error))
}
