//! A scenario file of somebody who means harm, or who cannot type: it is read, or refused in words that can be shown.
#![no_main]

use scenario::Scenario;

libfuzzer_sys::fuzz_target!(|input: (&str, &str)| {
    let (name, text) = input;
    match Scenario::parse(name, "x.toml", text) {
        // What can be read can be minted, or refused in words too. Large keys are slow to use, not to find.
        Ok(scenario) => drop(pki::mint(&scenario.pki, 0, scenario.date())),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});
