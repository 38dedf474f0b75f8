//! What codes mean, whatever the library: `topics.toml` and `alert_topics.toml`.

use std::sync::LazyLock;

use blame::Error;
use serde::Deserialize;

/// The files.
const FILES: [(&str, &str); 2] =
    [("topics.toml", include_str!("topics.toml")), ("alert_topics.toml", include_str!("alert_topics.toml"))];

/// What happened, when, and why.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What tables call it.
    pub name: String,
    /// What happened.
    pub means: String,
    /// Where in a connection it comes up.
    pub when: String,
    /// The likeliest first.
    pub causes: Vec<Cause>,
}

/// Why it may have happened.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Why.
    pub cause: String,
    /// What is seen if it is this and not another.
    pub seen: String,
    /// What to do.
    pub remedy: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topics: Vec<Topic>,
}

static TOPICS: LazyLock<blame::Result<Vec<Topic>>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| match toml::from_str::<File>(text) {
        Ok(file) => Ok(file.topics),
        Err(error) => Err(Error::bench(format!("{name}: {error}"))),
    };
    FILES.iter().map(read).collect::<Result<Vec<_>, _>>().map(|files| files.into_iter().flatten().collect())
});

/// All topics.
///
/// # Errors
///
/// The file that cannot be read, and its line.
pub fn all() -> blame::Result<&'static [Topic]> {
    TOPICS.as_deref().map_err(Clone::clone)
}

/// The topic of this name.
pub fn named(name: &str) -> Option<&'static Topic> {
    all().unwrap_or_default().iter().find(|topic| topic.name == name)
}
