//! Boards, released images and stacks: what the bench can drive, and what the images say of themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use chip::{CHIPS, Chip};
use serde::Deserialize;

use super::{Unrenderable, crates, entries, markdown, read};
use crate::stack::Stack;

/// Where released images lie, below the workspace's folder.
const IMAGES: &str = "firmware-under-test/images";
/// As long as the lines of the pages that people write, in columns.
const PROSE_COLUMNS_MAX: usize = 120;

/// What of an image's manifest a reader wants to know.
#[derive(Deserialize)]
struct Manifest {
    version: String,
    #[serde(default = "chip::by_name::first", with = "chip::by_name")]
    chip: &'static Chip,
    sha256: String,
    #[serde(default)]
    stack: BTreeMap<String, String>,
}

/// The kinds of boards, with the released images for each.
pub(super) fn boards(root: &Path) -> Result<String, Unrenderable> {
    let images = released(root)?;
    let mut rows = Vec::new();
    for chip in CHIPS {
        let of_this_kind = images.iter().filter(|(_, manifest)| manifest.chip == *chip);
        rows.push(vec![
            format!("`--board {chip}`"),
            format!("{} {}", chip.maker, chip.title),
            match of_this_kind.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ").as_str() {
                "" => "none: `emulate` alone".to_owned(),
                names => names.to_owned(),
            },
        ]);
    }
    Ok(markdown(&["option", "board", "released images"], &rows))
}

/// The released images, with what they are made of.
pub(super) fn images(root: &Path) -> Result<String, Unrenderable> {
    let members = crates::survey(root)?;
    let mut rows = Vec::new();
    for (name, manifest) in released(root)? {
        let member = members.iter().find(|member| member.name == name);
        let parts: Vec<String> = manifest.stack.iter().map(|(part, version)| format!("{part} {version}")).collect();
        rows.push(vec![
            format!("`{name}` {}", manifest.version),
            member.and_then(|member| member.description.clone()).unwrap_or_default(),
            parts.join(", "),
            format!("`{}…`", manifest.sha256.get(..8).unwrap_or_default()),
        ]);
    }
    Ok(markdown(&["image", "what it is", "made of", "sha256"], &rows))
}

/// The stacks: the released images and what they can stand for.
pub(super) fn stacks(root: &Path) -> Result<String, Unrenderable> {
    let rows: Vec<Vec<String>> = released_stacks(root)?
        .into_iter()
        .map(|stack| vec![format!("`{}`", stack.name), stack.title, format!("`{}`", stack.firmware.name)])
        .collect();
    Ok(markdown(&["`--stack`", "what it is", "image"], &rows))
}

/// What each stack models, a paragraph for each: too much for the cell of a table.
pub(super) fn models(root: &Path) -> Result<String, Unrenderable> {
    let mut text = String::new();
    for stack in released_stacks(root)? {
        let models = stack.models().unwrap_or("The library as its authors configure it.");
        let words: Vec<&str> = models.split_whitespace().collect();
        // In lines, so that a change of a sentence is a difference of a line.
        let models = textwrap::fill(&words.join(" "), prose());
        let _ = writeln!(text, "### `{}`: {}\n\n{models}\n", stack.name, stack.title);
    }
    Ok(text)
}

/// As the lines of the pages that people write, broken at spaces alone: paths and names of functions stay whole.
fn prose() -> textwrap::Options<'static> {
    textwrap::Options::new(PROSE_COLUMNS_MAX).break_words(false).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

fn released_stacks(root: &Path) -> Result<Vec<Stack>, Unrenderable> {
    crate::stack::released(root).map_err(|why| Unrenderable::new("the stacks", why))
}

/// The manifest of each image, by the image's name.
fn released(root: &Path) -> Result<BTreeMap<String, Manifest>, Unrenderable> {
    let mut manifests = BTreeMap::new();
    for path in entries(&root.join(IMAGES))? {
        let (Some(name), true) = (path.file_stem(), path.extension().is_some_and(|ending| ending == "toml")) else {
            continue;
        };
        let text = read(&path)?.unwrap_or_default();
        let manifest = toml::from_str(&text).map_err(|error| Unrenderable::new(path.display(), error))?;
        manifests.insert(name.to_string_lossy().into_owned(), manifest);
    }
    Ok(manifests)
}
