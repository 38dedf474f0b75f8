//! Nothing in a report is obeyed by whoever shows it: every text of the model goes through [`terminal::clean`], here and
//! nowhere else, so that no format can forget it.

use std::collections::BTreeMap;

use outcome::Ending;
use terminal::clean;

use super::{
    Alert, Attempt, Board, Capture, Evidence, Explanation, Finding, Happening, Hello, Host, Image, Ladder, LogLine,
    NotRun, Part, Quarantine, Row, Run, Section, Stack, Step, Wire,
};

/// Cleans every text of a run. Packets are Base64, in which there is nothing to clean: what is cleaned there was none.
pub(super) fn run(run: &mut Run) {
    run.parts.clean();
    run.rows.clean();
}

trait Clean {
    fn clean(&mut self);
}

impl Clean for String {
    fn clean(&mut self) {
        if let std::borrow::Cow::Owned(cleaned) = clean::text(self) {
            *self = cleaned;
        }
    }
}

impl<T: Clean> Clean for Option<T> {
    fn clean(&mut self) {
        self.iter_mut().for_each(T::clean);
    }
}

impl<T: Clean> Clean for Vec<T> {
    fn clean(&mut self) {
        self.iter_mut().for_each(T::clean);
    }
}

impl Clean for BTreeMap<String, String> {
    fn clean(&mut self) {
        let cleaned = std::mem::take(self).into_iter().map(|(mut name, mut text)| {
            name.clean();
            text.clean();
            (name, text)
        });
        *self = cleaned.collect();
    }
}

impl Clean for Ending {
    fn clean(&mut self) {
        match self {
            Self::Otherwise(why) | Self::NotApplicable(why) | Self::BenchFailed(why) => why.clean(),
            Self::AsExpected | Self::New | Self::Silent => {}
        }
    }
}

/// The fields that are texts or have some. What is left out has none: the test below looks for that.
macro_rules! clean {
    ($($of:ident { $($field:ident),+ $(,)? })+) => {
        $(impl Clean for $of {
            fn clean(&mut self) {
                $(self.$field.clean();)+
            }
        })+
    };
}

clean! {
    Part { bench_version, command, headline, seed, started, host, tools, boards, stacks, images }
    Host { name, os, architecture }
    Board { name, kind, target, identity, out_of_order, log }
    Stack { name, title, image, trust }
    Image { name, version, sha256, sections, made_of }
    Section { name }
    Row {
        scenario, stack, board, title, rule, quote, paraphrase, ending, not_run, happening, wire, explanations, evidence,
        transcript, difference, ladder, device_log, incidents, capture, attempts, quarantine, denied, known, findings,
    }
    NotRun { why }
    Happening { phrase, device_words, platform_words, cause, fault }
    Wire { hello, version, cipher_suite, group, alerts, first_to_close }
    Hello { server_name, ja3, ja4, versions, cipher_suites, extensions, groups, signature_schemes, alpn }
    Alert { by, description }
    Explanation { key, cause, source, remedy }
    Evidence { words }
    Ladder { steps }
    Step { from, to, said, details, mark }
    LogLine { words }
    Capture { file, base64 }
    Attempt { board, outcome, transcript }
    Quarantine { reason, link, until }
    Finding { words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const OBEYED: &str = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}";

    /// A run in which every text that there can be is one.
    fn full() -> Run {
        let mut run = crate::fixture::run();
        let texts = || vec!["text".to_owned()];
        let table = || [("name".to_owned(), "text".to_owned())].into();
        let part = &mut run.parts[0];
        part.host = Host { name: Some("host".into()), os: "linux".into(), architecture: "riscv64".into() };
        part.tools = table();
        let board = Board { name: "door".into(), identity: "probe".into(), log: texts(), ..Board::default() };
        part.boards = vec![Board { out_of_order: Some("wedged".into()), ..board }];
        part.images[0].made_of = table();
        part.images[0].sections = vec![Section { name: ".text".into(), bytes: 1, is_loaded: true }];
        let row = run.rows.iter_mut().find(|row| row.happening.is_some()).expect("one was run");
        let known = Quarantine { reason: "known".into(), link: "a link".into(), until: "2026-12-31".into() };
        (row.denied, row.known, row.incidents) = (Some("denied".into()), Some(known), texts());
        if let Some(happening) = &mut row.happening {
            (happening.cause, happening.fault) = (Some("memory".into()), Some("the date".into()));
        }
        let hello = Hello {
            server_name: Some("broker.test".into()),
            ja3: "ja3".into(),
            ja4: "ja4".into(),
            versions: texts(),
            cipher_suites: texts(),
            extensions: texts(),
            groups: texts(),
            signature_schemes: texts(),
            alpn: texts(),
        };
        let text = || Some("text".to_owned());
        let wire = Wire { hello: Some(hello), version: text(), cipher_suite: text(), group: text(), ..Wire::default() };
        row.wire = Some(Wire { first_to_close: text(), ..wire });
        row.difference = "- a\n+ b".into();
        run
    }

    /// Calls `one` with each text of `value`, one after the other.
    fn each_text(value: &mut Value, one: &mut dyn FnMut(&mut String)) {
        match value {
            Value::String(text) => one(text),
            Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, one)),
            Value::Object(values) => values.iter_mut().for_each(|(_, value)| each_text(value, one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    #[test]
    fn no_text_of_a_report_is_obeyed_wherever_it_stands() {
        let value = serde_json::to_value(full()).expect("a report");
        let (mut texts, mut free) = (0, 0);
        each_text(&mut value.clone(), &mut |_| texts += 1);
        for wanted in 0..texts {
            let (mut hostile, mut index) = (value.clone(), 0);
            each_text(&mut hostile, &mut |text| {
                if index == wanted {
                    text.push_str(OBEYED);
                }
                index += 1;
            });
            // Words of which there is a list, an ending's say, cannot be anything else.
            let Ok(read) = crate::json::read(&hostile.to_string()) else { continue };
            free += 1;
            let Run { parts, rows, .. } = serde_json::from_value(hostile).expect("it was read");
            for run in [read, Run::new(parts, rows)] {
                let (mut bytes, mut written) = (0, serde_json::to_value(&run).expect("a report"));
                each_text(&mut written, &mut |text| {
                    bytes += text.len();
                    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{text:?}");
                });
                assert!(bytes > 0);
            }
        }
        assert!(free > 60, "only {free} of {texts} texts were tried");
    }
}
