//! What reports, snapshots and people call things: one word for each.
//!
//! Not beside the types, as firmware is built from those files: a test must not make a released image outdated.

use outcome::{AlertDescription, Conformity, Ending, FailureClass, Stage};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

/// The value that stands in a report under that name.
fn in_a_report<T: for<'t> Deserialize<'t>>(name: &str) -> Result<T, Error> {
    let from: StrDeserializer<'_, Error> = name.into_deserializer();
    T::deserialize(from)
}

#[test]
fn a_class_of_failure_is_called_as_in_reports() {
    for class in FailureClass::ALL {
        assert_eq!(in_a_report(class.name()), Ok(class));
        assert_eq!(class.to_string(), class.name());
    }
}

#[test]
fn a_stage_is_called_as_in_reports() {
    for name in ["boot", "join", "lease", "clock", "resolve", "connect", "hello", "certificate", "key_exchange"]
        .into_iter()
        .chain(["finished", "login", "subscribe", "exchange", "keep_alive", "goodbye"])
    {
        let stage: Stage = in_a_report(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stage.name().replace([' ', '-'], "_"), name);
        assert_eq!(stage.to_string(), stage.name());
    }
}

#[test]
fn an_alert_is_shown_with_its_name_and_number() {
    assert_eq!(AlertDescription(40).to_string(), "handshake_failure (40)");
    assert_eq!(AlertDescription(200).to_string(), "unregistered (200)");
}

#[test]
fn endings_are_called_as_in_the_readme() {
    let why = || "why".to_owned();
    for (ending, words) in [
        (Ending::AsExpected, "as expected"),
        (Ending::New, "new"),
        (Ending::Otherwise(why()), "otherwise than expected"),
        (Ending::Silent, "silent"),
        (Ending::NotApplicable(why()), "not applicable"),
        (Ending::BenchFailed(why()), "the bench failed"),
    ] {
        assert_eq!(ending.to_string(), words);
    }
    assert_eq!(Conformity::AcceptsWhatItMustRefuse.to_string(), "ACCEPTS WHAT IT MUST REFUSE");
    assert_eq!(Conformity::NeverMet.to_string(), "never met the fault");
}
