//! Topic names and topic filters (§4.7).

use super::Violation;

pub(super) fn check_name(name: &str) -> Result<(), Violation> {
    match name {
        "" => Err(Violation::EmptyTopic),
        _ if name.contains(['+', '#']) => Err(Violation::WildcardInTopicName),
        _ => Ok(()),
    }
}

pub(super) fn check_filter(filter: &str) -> Result<(), Violation> {
    if filter.is_empty() {
        return Err(Violation::EmptyTopic);
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Err(Violation::MultiLevelWildcard);
        }
        if level.contains('+') && level != "+" {
            return Err(Violation::SingleLevelWildcard);
        }
    }
    Ok(())
}

/// Whether a subscription to `filter` gets messages of topic `name` (§4.7.1, §4.7.2).
pub fn filter_matches(filter: &str, name: &str) -> bool {
    // [MQTT-4.7.2-1]: a leading wildcard does not reach the server's own topics.
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = name.split('/');
    for level in filter.split('/') {
        match (level, names.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (literal, Some(name)) if literal == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}
