//! The page in a real browser: it unfolds, filters, moves by keys, fits a phone, loads nothing, and runs nothing that
//! somebody else wrote.
//!
//! Where there is no Chromium the test stands aside, and says so.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]
#![cfg(unix)]

#[path = "browser/devtools.rs"]
mod devtools;

use std::path::Path;

use outcome::{Conformity, Demand, Ending, Stage};
use report::model::{Evidence, Explanation, Happening, How, Ladder, LogLine, Part, Row, Run, Stack, Step};
use serde_json::json;

use devtools::Browser;

const HOSTILE: &str =
    "</script><script>window.taken=1</script><img src=x onerror=window.taken=1>\" onfocus=\"window.taken=1";

/// Forty scenarios on six stacks; every word of a device is hostile.
fn run() -> Run {
    let stacks: Vec<Stack> =
        (0..6).map(|index| Stack { name: format!("stack_with_a_name_{index}"), ..Stack::default() }).collect();
    let mut rows = Vec::new();
    for scenario in 0..40 {
        for stack in &stacks {
            let insecure = scenario == 7 && stack.name.ends_with('2');
            let mut row = Row::new(format!("identity/case_{scenario:02}"), stack.name.as_str(), Demand::Refuse);
            row.title = format!("Case {scenario} {HOSTILE}");
            row.ending = Some(Ending::AsExpected);
            row.happening = Some(Happening {
                how: if insecure { How::Connected } else { How::DeviceRefused },
                phrase: format!("device refused at certificate {HOSTILE}"),
                stage: Stage::Certificate,
                conformity: if insecure { Conformity::AcceptsWhatItMustRefuse } else { Conformity::Conforms },
                device_words: HOSTILE.into(),
                platform_words: Some(HOSTILE.into()),
                cause: None,
                fault: None,
                heap_peak_bytes: None,
                leaked_bytes: None,
                took_ms: 1,
            });
            row.explanations =
                vec![Explanation { cause: HOSTILE.into(), remedy: HOSTILE.into(), ..Explanation::default() }];
            row.evidence = vec![Evidence { line: 1, words: HOSTILE.into() }];
            row.transcript = format!("{HOSTILE} {}", "a long line ".repeat(30));
            row.device_log = vec![LogLine { at_ms: Some(1), words: HOSTILE.into() }];
            let step = |at_us| Step {
                at_us,
                from: "device".into(),
                to: "broker".into(),
                said: "ClientHello".into(),
                details: HOSTILE.into(),
                ..Step::default()
            };
            row.ladder = Some(Ladder { steps: vec![step(1_000), step(60_000_000)], left_out: 0 });
            rows.push(row);
        }
    }
    Run::new(vec![Part { stacks, headline: HOSTILE.into(), ..Part::default() }], rows)
}

/// The place of a row on the page.
fn place(page: &str, start: &str) -> String {
    let rest = page.split_once(&format!("id=\"{start}")).expect("the row is on the page").1;
    format!("{start}{}", rest.split_once('"').expect("an attribute ends").0)
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("no chromium here: the page is not tried in a browser");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("report.html");
    let page = report::html::write(&run(), &[run()]);
    std::fs::write(&file, &page).expect("the page can be written");
    let row = place(&page, "identity-case-12-stack-with-a-name-3-");

    it_unfolds(&mut browser, &file, &row);
    it_filters(&mut browser);
    it_moves_by_keys(&mut browser);
    it_fits_a_phone_and_the_dark(&mut browser, &file, &row);
    it_loads_and_runs_nothing_else(&mut browser);
}

/// A link to a row opens it, with all that was compressed.
fn it_unfolds(browser: &mut Browser, file: &Path, row: &str) {
    browser.open(file, row);
    let body = format!("document.getElementById({}).querySelector('.body')", json!(row));
    browser.wait_until(&format!("{body} && {body}.querySelector('svg')"));
    let text = browser.value(&format!("{body}.textContent"));
    let text = text.as_str().expect("text");
    assert!(text.contains("a long line") && text.contains(HOSTILE), "{text}");
    assert_eq!(browser.value(&format!("{body}.querySelectorAll('svg .rung').length")), 2);
    assert_eq!(browser.value("document.querySelectorAll('.body').length"), 1, "only what was asked for is unfolded");
}

fn it_filters(browser: &mut Browser) {
    let shown = "[...document.querySelectorAll('section.scenario')].filter((one) => !one.hidden).length";
    assert_eq!(browser.value(shown), 40);
    browser.press("/");
    assert_eq!(browser.value("document.activeElement.id"), "search");
    browser.ask("Input.insertText", json!({ "text": "case_1 Certificate" }));
    assert_eq!(browser.value(shown), 10);
    let lines = "[...document.querySelectorAll('#grid tr[data-scenario]')].filter((one) => !one.hidden).length";
    assert_eq!(browser.value(lines), 10, "the table follows");
    assert_eq!(browser.value("document.getElementById('shown').textContent"), "10 of 40 scenarios");
    browser.press("Escape");
    assert_eq!(browser.value(shown), 40);
    browser.value("document.getElementById('only').click()");
    assert_eq!(browser.value(shown), 1, "one scenario has a finding");
    browser.value("document.getElementById('only').click()");
}

fn it_moves_by_keys(browser: &mut Browser) {
    assert_eq!(
        browser.value("document.querySelectorAll('#grid a[tabindex=\"0\"]').length"),
        1,
        "one stop for the table"
    );
    browser.value("document.querySelector('#grid a').focus()");
    for key in ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp"] {
        browser.press(key);
    }
    let cell = browser.value("document.activeElement.closest('td').dataset.stack");
    assert_eq!(cell, "stack_with_a_name_1");
    let line = browser.value("document.activeElement.closest('tr').querySelector('th').textContent");
    assert_eq!(line, "case_01");
    // Once, and not by Enter first: what a link leads to takes the focus, and a second click would fold it up again.
    browser.value("document.activeElement.click()");
    // A promise that the browser still waits for when the click's navigation begins is never answered.
    browser.wait_for("Page.navigatedWithinDocument");
    browser.wait_until("location.hash.startsWith('#identity-case-01-stack-with-a-name-1-')");
    browser.wait_until("document.querySelectorAll('.body').length === 2");
}

fn it_fits_a_phone_and_the_dark(browser: &mut Browser, file: &Path, row: &str) {
    let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true });
    browser.ask("Emulation.setDeviceMetricsOverride", phone);
    for scheme in ["light", "dark"] {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.ask("Emulation.setEmulatedMedia", media);
        browser.open(file, row);
        browser.wait_until("document.querySelector('.body svg')");
        let width = browser.value("document.documentElement.scrollWidth").as_f64().expect("a number");
        assert!(width <= 360.0, "{scheme}: the page is {width} wide on a phone of 360");
        // Sum of the channels of background and ink.
        let sum = "((colour) => colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))";
        let page = browser.value(&format!("{sum}(getComputedStyle(document.body).backgroundColor)"));
        let ink = browser.value(&format!("{sum}(getComputedStyle(document.querySelector('svg .said')).fill)"));
        let is_dark = page.as_f64() < ink.as_f64();
        assert_eq!(is_dark, scheme == "dark", "page {page}, ink {ink}");
        browser.picture(&format!("phone_{scheme}.png"));
    }
}

fn it_loads_and_runs_nothing_else(browser: &mut Browser) {
    assert_eq!(browser.value("window.taken ?? null"), json!(null), "somebody's script ran");
    assert_eq!(browser.value("document.querySelectorAll('img, iframe, link, object').length"), 0);
    for event in &browser.events {
        let method = event["method"].as_str().unwrap_or_default();
        assert!(!matches!(method, "Runtime.exceptionThrown" | "Log.entryAdded"), "{event:#}");
        if method == "Network.requestWillBeSent" {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            assert!(url.starts_with("file:///") && url.contains("report.html"), "the page loads {url}");
        }
    }
}
