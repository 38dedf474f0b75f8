//! What the page says, what it forbids, and what it takes for words.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::*;
use crate::fixture;

/// What is compressed in a page, by row.
fn unpacked(page: &str) -> BTreeMap<String, String> {
    let mut fragments = BTreeMap::new();
    for block in page.split("<script type=\"text/plain\" data-of=\"").skip(1) {
        let (_, rest) = block.split_once('>').expect("a tag");
        let (base64, _) = rest.split_once("</script>").expect("an end");
        let gzip = STANDARD.decode(base64).expect("Base64");
        let mut json = String::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut json).expect("gzip");
        fragments.extend(serde_json::from_str::<BTreeMap<String, String>>(&json).expect("JSON"));
    }
    fragments
}

#[test]
fn every_row_says_cause_evidence_and_remedy() {
    let run = fixture::run();
    let page = write(&run, &[]);
    let details = unpacked(&page);
    assert_eq!(details.len(), run.rows.len());
    for row in run.rows.iter().filter(|row| row.happening.is_some()) {
        let place = anchor_of(row);
        let told = page.split(&format!("id=\"{place}\"")).nth(1).and_then(|rest| rest.split("</section>").next());
        let whole = format!("{}{}", told.unwrap_or_default(), details[&place]);
        for words in ["The certificate is past its end.", "x509_crt_verify_chain", "Renew the broker", "← the fault"]
        {
            assert!(whole.contains(words), "{} has no word of {words}", row.scenario);
        }
        assert!(details[&place].contains("<svg"), "{} has no ladder", row.scenario);
        assert!(details[&place].contains("stage clock"), "{} has no log", row.scenario);
    }
}

#[test]
fn the_page_needs_nothing_else_and_forbids_the_rest() {
    let page = write(&fixture::run(), &[]);
    let policy = page.split_once("Content-Security-Policy\" content=\"").expect("a policy").1;
    assert!(
        policy.starts_with("default-src &#39;none&#39;") || policy.starts_with("default-src 'none'"),
        "{policy:.80}"
    );
    for (what, words) in
        [("a style sheet", "<link"), ("a picture", "<img"), ("an import", "@import"), ("a font", "url(")]
    {
        assert!(!page.contains(words), "{what} of another file");
    }
    assert_eq!(page.matches("src=").count(), 0, "nothing is loaded");
}

#[test]
fn packets_can_be_taken_along() {
    let details = unpacked(&write(&fixture::run(), &[])).into_values().collect::<String>();
    let link = "download=\"identity_no_name.mine.pcapng\" href=\"data:application/octet-stream;base64,AAEC\"";
    assert!(details.contains(link), "{details}");
}

#[test]
fn earlier_runs_are_told_beside_each_row() {
    let mut before = fixture::run();
    before.parts[0].started = "2026-11-20T18:00:00Z".into();
    before.rows[2].ending = Some(outcome::Ending::AsExpected);
    let page = write(&fixture::run(), &[before]);
    assert!(page.contains("Changed since the run before"), "what changed is a list");
    assert!(page.contains("<i class=\"good\" title=\"2026-11-20T18:00:00Z: as expected"), "and each row has its past");
}

/// Words that would be markup, an attribute's end, a script's end or an address, in every field there is.
#[test]
fn hostile_words_stay_words() {
    const HOSTILE: &str =
        "</script><script>alert(1)</script><img src=x onerror=alert(1)>\" onfocus=\"alert(1)' --> javascript:alert(1)";
    let text = crate::json::write(&fixture::run()).expect("JSON");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    poison(&mut value, HOSTILE);
    let run = crate::json::read(&value.to_string()).expect("still a report");
    let page = write(&run, std::slice::from_ref(&run));
    let all = format!("{page}{}", unpacked(&page).into_values().collect::<String>());
    assert!(all.matches("alert(1)").count() > 100, "the words are there");
    for markup in
        ["<script>alert", "<img", "onerror=alert(1)>", "\" onfocus=\"", "href=\"javascript", "</script><script>alert"]
    {
        assert!(!all.contains(markup), "{markup} is markup");
    }
}

/// Puts `words` into every text of a report but the words that its schema lists.
fn poison(value: &mut serde_json::Value, words: &str) {
    const LISTED: [&str; 8] = ["ending", "demand", "how", "stage", "conformity", "kind", "interruption", "seed"];
    match value {
        serde_json::Value::String(text) => *text = words.to_owned(),
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| poison(value, words)),
        serde_json::Value::Object(members) => {
            let listed = |key: &str| LISTED.contains(&key);
            members.iter_mut().filter(|(key, _)| !listed(key)).for_each(|(_, value)| poison(value, words));
        }
        _ => {}
    }
}
