//! Whether a release makes a device less secure, or more.

use outcome::Conformity;

use crate::model::{Row, Wire};

/// Parts of the names of cipher suites that nobody should begin to offer: RFC 9325 §4.1 (NULL, RC4, export and less
/// than 112 bits), §4.2 and RFC 8996 for what is in the same spirit.
const WEAK: [&str; 8] = ["_NULL_", "_RC4_", "_EXPORT_", "_DES_", "_3DES_", "_anon_", "_MD5", "_RC2_"];
/// Versions that RFC 8996 takes out of use.
const DEPRECATED: [&str; 3] = ["ssl3.0", "1.0", "1.1"];

/// In what security got worse, and in what better.
pub fn judge(was: &Row, is: &Row) -> (Vec<String>, Vec<String>) {
    let (mut worse, mut better) = (Vec::new(), Vec::new());
    let accepts = |row: &Row| {
        row.happening.as_ref().is_some_and(|happening| happening.conformity == Conformity::AcceptsWhatItMustRefuse)
    };
    match (accepts(was), accepts(is)) {
        (false, true) => worse.push(format!("accepts what it must refuse ({}): {}", is.rule, is.title)),
        (true, false) => better.push(format!("no longer accepts what it must refuse ({})", is.rule)),
        _ => {}
    }
    let leaks = |row: &Row| row.happening.as_ref().and_then(|happening| happening.leaked_bytes).unwrap_or(0) > 0;
    if !leaks(was) && leaks(is) {
        worse.push("loses memory with every connection: whoever can make it reconnect can stop it".to_owned());
    }
    let none = Wire::default();
    let (was, is) = (was.wire.as_ref().unwrap_or(&none), is.wire.as_ref().unwrap_or(&none));
    let offers = |wire: &Wire, is_weak: fn(&str) -> bool| -> Vec<String> {
        let hello = wire.hello.iter();
        let all = hello.flat_map(|hello| hello.versions.iter().chain(&hello.cipher_suites));
        all.filter(|word| is_weak(word)).cloned().collect()
    };
    // Without a hello of both there is nothing to compare.
    if was.hello.is_some() && is.hello.is_some() {
        let (before, now) = (offers(was, is_weak), offers(is, is_weak));
        worse.extend(news(&before, &now).map(|words| format!("begins to offer {words}")));
        better.extend(news(&now, &before).map(|words| format!("no longer offers {words}")));
    }
    (worse, better)
}

fn is_weak(word: &str) -> bool {
    DEPRECATED.contains(&word) || word.starts_with("TLS_") && WEAK.iter().any(|weak| word.contains(weak))
}

/// What is in `now` and not in `before`, in one sentence.
fn news(before: &[String], now: &[String]) -> Option<String> {
    let news: Vec<&str> = now.iter().filter(|word| !before.contains(word)).map(String::as_str).collect();
    (!news.is_empty()).then(|| news.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_weak_is_known_by_its_registered_name() {
        for word in [
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
            "TLS_RSA_WITH_NULL_SHA256",
            "TLS_DH_anon_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_RC4_128_MD5",
            "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
            "TLS_RSA_WITH_DES_CBC_SHA",
            "1.1",
        ] {
            assert!(is_weak(word), "{word}");
        }
        for word in ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "1.2", "1.3"] {
            assert!(!is_weak(word), "{word}");
        }
    }
}
