//! Which files go into an image, and whether they have changed since.
//!
//! Cargo knows the first (its dep-info files), so no glob or list by hand can forget one. A file that is new since can
//! only be reached through one that has changed. What counts of a file is its code ([`code`]): whoever mends a comment
//! has not changed an image.

mod code;

use blame::Error;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::{read, sha256};

/// Tables of a Cargo.toml that reach the image.
const TABLES: &[&str] =
    &["package", "dependencies", "build-dependencies", "target", "features", "profile", "workspace"];
/// Keys of `[package]` that do not.
const WORDS: &[&str] = &["description", "readme", "keywords", "categories", "license", "publish", "repository"];

/// Every source file of the build that `dep_info` describes, with its hash.
///
/// # Errors
/// If a file cannot be read, or the dep-info file is not as cargo writes it.
pub(super) fn collect(root: &Path, image_folder: &Path, dep_info: &str) -> blame::Result<BTreeMap<String, String>> {
    let mut files = BTreeSet::new();
    for file in inputs(dep_info)? {
        let relative = normalise(&file).strip_prefix(root).map(Path::to_path_buf);
        // What the build itself made, or the registry holds, is pinned by Cargo.lock and the build scripts.
        if let Ok(relative) = relative
            && !relative.components().any(|part| part == Component::Normal("target".as_ref()))
        {
            files.insert(relative);
        }
    }
    if files.is_empty() {
        return Err(Error::bench(format!("cargo's list of source files names none below {}", root.display())));
    }
    // Each file's package; and where packages inherit from.
    let folders: BTreeSet<PathBuf> =
        files.iter().flat_map(|file| file.ancestors().skip(1).map(Path::to_path_buf)).collect();
    files.extend(folders.into_iter().map(|folder| folder.join("Cargo.toml")).filter(|file| root.join(file).is_file()));
    let image_folder = image_folder.strip_prefix(root).map_err(Error::bench)?;
    files.insert(image_folder.join("Cargo.lock"));
    files.insert(image_folder.join(".cargo/config.toml"));
    files.into_iter().map(|file| Ok((with_slashes(&file), hash(root, &file)?))).collect()
}

/// One sentence for each file that is not as `wanted` says.
///
/// # Errors
/// If a file is there but cannot be read.
pub(super) fn compare(root: &Path, wanted: &BTreeMap<String, String>) -> blame::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for (file, wanted) in wanted {
        if !root.join(file).is_file() {
            complaints.push(format!("{file}: gone"));
        } else if &hash(root, Path::new(file))? != wanted {
            complaints.push(format!("{file}: its code is another"));
        }
    }
    Ok(complaints)
}

/// One hash for all.
pub(super) fn digest(sources: &BTreeMap<String, String>) -> String {
    let lines: String = sources.iter().map(|(file, hash)| format!("{hash}  {file}\n")).collect();
    sha256(lines.as_bytes())
}

fn hash(root: &Path, file: &Path) -> blame::Result<String> {
    let bytes = read(&root.join(file))?;
    if file.file_name().is_some_and(|name| name == "Cargo.toml") {
        let text = String::from_utf8(bytes).map_err(|error| Error::file(file, error))?;
        let text = essence(&text, file == Path::new("Cargo.toml"));
        return Ok(sha256(text.map_err(|error| Error::file(file, error))?.as_bytes()));
    }
    // Git may check text files out with other line ends.
    let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte != b'\r').collect();
    Ok(match (file.extension().and_then(|ending| ending.to_str()), str::from_utf8(&bytes)) {
        (Some("rs"), Ok(text)) => code::of_rust(text).map_or_else(|| sha256(&bytes), |code| sha256(code.as_bytes())),
        (Some("c" | "h"), Ok(text)) => sha256(code::of_c(text).as_bytes()),
        (Some("toml"), Ok(text)) => {
            sha256(table(text).map_err(|error| Error::file(file, error))?.to_string().as_bytes())
        }
        _ => sha256(&bytes),
    })
}

fn table(text: &str) -> Result<toml::Table, toml::de::Error> {
    toml::from_str(text)
}

/// Of a Cargo.toml, what reaches the image; of the bench's own workspace, only what packages inherit.
fn essence(text: &str, is_of_the_bench: bool) -> Result<String, toml::de::Error> {
    let mut table = table(text)?;
    table.retain(|key, _| TABLES.contains(&key) && !(is_of_the_bench && key == "profile"));
    if let Some(toml::Value::Table(package)) = table.get_mut("package") {
        package.retain(|key, _| !WORDS.contains(&key));
    }
    if let Some(toml::Value::Table(workspace)) = table.get_mut("workspace") {
        workspace.remove("lints");
        if is_of_the_bench {
            workspace.retain(|key, _| key == "package");
        }
    }
    Ok(table.to_string())
}

/// The inputs of a dep-info file: `output: input input …`, spaces escaped by a backslash (make's rules).
fn inputs(dep_info: &str) -> blame::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for line in dep_info.lines().filter(|line| !line.is_empty()) {
        let (_, inputs) = line.split_once(": ").ok_or_else(|| Error::bench(format!("no dep-info line: {line}")))?;
        let mut file = String::new();
        let mut characters = inputs.chars().chain([' ']).peekable();
        while let Some(character) = characters.next() {
            match (character, characters.peek()) {
                ('\\', Some(' ')) => file.extend(characters.next()),
                (' ', _) if !file.is_empty() => files.push(PathBuf::from(std::mem::take(&mut file))),
                (' ', _) => {}
                (other, _) => file.push(other),
            }
        }
    }
    Ok(files)
}

/// Takes `..` away, without asking the file system.
fn normalise(file: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in file.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

fn with_slashes(file: &Path) -> String {
    file.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_is_read_with_its_escapes() {
        let dep_info = "/t/app: /r/a\\ b/main.rs /r/c.rs\n";
        assert_eq!(inputs(dep_info), Ok(vec!["/r/a b/main.rs".into(), "/r/c.rs".into()]));
        assert!(inputs("nonsense").is_err());
    }

    #[test]
    fn only_what_reaches_the_image_counts_in_a_cargo_toml() {
        let base = "[package]\nname = \"a\"\ndescription = \"x\"\n[dependencies]\nb = \"1\"\n";
        let essence = |text: &str| essence(text, false).expect("TOML");
        assert_eq!(essence(base), essence(&base.replace("\"x\"", "\"y\"")));
        assert_eq!(essence(base), essence(&format!("{base}[dev-dependencies]\nc = \"1\"\n")));
        assert_ne!(essence(base), essence(&base.replace("b = \"1\"", "b = \"2\"")));
        assert_ne!(essence(base), essence(&format!("{base}[features]\nd = []\n")));
    }

    #[test]
    fn a_comment_changes_no_image() {
        let root = tempfile::tempdir().expect("a folder");
        let hashed = |name: &str, text: &str| {
            std::fs::write(root.path().join(name), text).expect("it can be written");
            hash(root.path(), Path::new(name)).expect("it can be read")
        };
        for (name, text, comment, other) in [
            ("a.rs", "fn f() {}\n", "//! Why.\nfn f() { /* nothing */ }", "fn f() { g() }"),
            ("a.h", "int f(void);\n", "/* Why. */\nint f(void);", "int f(int);"),
            ("config.toml", "[build]\ntarget = \"x\"\n", "# Why.\n[build]\ntarget = \"x\"", "[build]\ntarget = \"y\""),
        ] {
            assert_eq!(hashed(name, text), hashed(name, comment), "{name}");
            assert_ne!(hashed(name, text), hashed(name, other), "{name}");
        }
        // What is not understood counts to the byte, line ends apart.
        assert_eq!(hashed("a.rs", "fn ( {\n"), hashed("a.rs", "fn ( {\r\n"));
        assert_ne!(hashed("a.rs", "fn ( {"), hashed("a.rs", "fn ( { // why"));
        assert_ne!(hashed("a.x", "A"), hashed("a.x", "A # why"));
        // And who compares is told which file it was.
        let complaints = compare(root.path(), &BTreeMap::from([("a.x".to_owned(), "0".to_owned())]));
        assert_eq!(complaints, Ok(vec!["a.x: its code is another".to_owned()]));
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normalise(Path::new("/r/x/../client/./src")), Path::new("/r/client/src"));
        assert_eq!(with_slashes(Path::new("a/b")), "a/b");
    }
}
