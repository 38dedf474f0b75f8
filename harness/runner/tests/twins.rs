//! Every scenario that demands a refusal has twins in which there is nothing to refuse: its fault taken out, its peer
//! never reached, its line cut before the fault. None of them may look like a refusal.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use board::Boots;
use judge::Account;
use network::{Cut, Direction, Port, Teardown, Trigger};
use outcome::{Conformity, Demand};
use report::model::How;
use rstest::rstest;
use runner::stack::{self, Applicability, Stack};
use runner::trial;
use scenario::network::Resolver;
use scenario::{FaultMark, Scenario};

const SEED: u64 = 0x5eed;

/// So much of the broker's first record still passes: not even its header is whole.
const CUT_AFTER_BYTES: u64 = 3;

/// The images as they are, the one with every version first. A scenario is tried on the first that it is about.
const STACKS: [&str; 3] = ["esp32c3_mbedtls", "esp32c3_mbedtls2", "esp32c3_bearssl"];

static ROOT: LazyLock<PathBuf> = LazyLock::new(support::root);

static BOOTS: LazyLock<Arc<Boots>> = LazyLock::new(Boots::new);

static RELEASED: LazyLock<Vec<Stack>> =
    LazyLock::new(|| stack::released(&ROOT).unwrap_or_else(|why| panic!("the released stacks: {why}")));

#[rstest]
fn nothing_to_refuse_is_no_refusal(#[files("../../scenarios/**/*.toml")] file: PathBuf) {
    let name = file.strip_prefix(ROOT.join("scenarios")).expect("rstest found it there").with_extension("");
    let name = name.to_str().expect("names are ASCII");
    let text = fs::read_to_string(&file).expect("rstest found it");
    let scenario = Scenario::parse(name, name, &text).unwrap_or_else(|error| panic!("{error}"));
    if scenario.specification.demands != Demand::Refuse || scenario.broker.real.is_some() {
        return;
    }
    let scenario = Scenario { sweep: None, ..scenario };
    let applies = |stack: &&Stack| stack.applicability(&scenario) == Applicability::Applies;
    let candidates = STACKS.iter().filter_map(|name| RELEASED.iter().find(|stack| stack.name == *name));
    // Some are about no stack at all, and some about what a stack has no means for.
    for stack in candidates.filter(applies) {
        let Some(original) = run(&scenario, stack) else { continue };
        assert!(original.conformity.is_verdict(), "{name} on {} itself: {original} {:?}", stack.name, original.fault);
        faultless_connects(&scenario, stack);
        for (what, twin) in unreached(&scenario) {
            let account = run(&twin, stack).unwrap_or_else(|| panic!("{name}, {what}: it could do the original"));
            assert!(!account.conformity.is_good(), "{name} on {}, {what}: {account}", stack.name);
            let same = (account.how, account.stage, &account.device_words);
            assert_ne!(same, (original.how, original.stage, &original.device_words), "{name}, {what}");
        }
        return;
    }
}

/// What becomes of it; `None` if it is not applicable.
fn run(scenario: &Scenario, stack: &Stack) -> Option<Account> {
    let trial =
        trial::on_emulator(scenario, stack, SEED, &BOOTS).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    trial.judged.not_applicable().is_none().then_some(trial.judged.account)
}

/// Without its fault, the device gets through; and that is not what the scenario demands.
fn faultless_connects(scenario: &Scenario, stack: &Stack) {
    let mut tried = String::new();
    for (what, twin) in without_fault(scenario) {
        let account = match trial::on_emulator(&twin, stack, SEED, &BOOTS) {
            Ok(trial) => trial.judged.account,
            // A table that others hang on cannot be left out alone.
            Err(why) => {
                tried += &format!("  {what}: {why}\n");
                continue;
            }
        };
        if account.how == How::Connected {
            assert!(!account.conformity.is_good(), "{} on {}, {what}: {account}", scenario.name, stack.name);
            return;
        }
        tried += &format!("  {what}: {account}\n");
    }
    panic!(
        "{} on {}: the device gets through in no twin, so nothing shows that it refuses the fault:\n{tried}\
         say in `[twin]` what the file would be without its fault",
        scenario.name, stack.name
    );
}

/// A table, and how a scenario loses it.
type TakenOut = (&'static str, fn(&mut Scenario));

/// As the scenario says it; else without one of its tables, of which one is to be its fault.
fn without_fault(scenario: &Scenario) -> Vec<(&'static str, Scenario)> {
    if let Some(twin) = &scenario.without_fault {
        return vec![("its fault taken out as it says", Scenario { sweep: None, ..Scenario::clone(twin) })];
    }
    let tables: [TakenOut; 5] = [
        ("without `[broker]`", |twin| twin.broker = scenario::broker::Broker::default()),
        ("without `[pki]`", |twin| twin.pki = pki::spec::Certificates::default()),
        ("without `[device]`", |twin| twin.device = scenario::device::Device::default()),
        ("without `[network]`", |twin| twin.network = scenario::network::Network::default()),
        ("without `date`", |twin| twin.date = scenario::Date::default()),
    ];
    let without = |(what, take_out): TakenOut| {
        let mut twin = scenario.clone();
        take_out(&mut twin);
        let is_another = format!("{twin:?}") != format!("{scenario:?}");
        // There is nothing left that a device would have to offer.
        twin.fault = twin.fault.map(|fault| FaultMark { needs: None, ..fault });
        is_another.then_some((what, twin))
    };
    tables.into_iter().filter_map(without).collect()
}

/// Twins that never come to the fault.
fn unreached(scenario: &Scenario) -> Vec<(&'static str, Scenario)> {
    let mut twins = Vec::new();
    // What lies in the device's own hands is refused before anybody is dialled, and rightly.
    if scenario.fault.as_ref().is_some_and(FaultMark::is_in_the_device) {
        return twins;
    }
    let with = |change: &dyn Fn(&mut scenario::network::Network)| {
        let mut twin = scenario.clone();
        change(&mut twin.network);
        twin
    };
    twins.push(("its name unknown", with(&|network| network.resolver = Resolver::Nxdomain)));
    twins.push(("its port closed", with(&|network| network.port = Port::Closed)));
    for (what, how) in
        [("its line reset before the fault", Teardown::Reset), ("its line dead before", Teardown::BlackHole)]
    {
        let when = Trigger::Passed { direction: Direction::ToDevice, bytes: CUT_AFTER_BYTES };
        let cut = Some(Cut { how, when });
        twins.push((what, with(&|network| network.cut = cut)));
    }
    // An address needs no resolver, and a modem has another.
    if scenario.device.dials_address() {
        twins.remove(0);
    }
    twins
}

#[test]
fn a_twin_that_connects_is_insecure_and_one_that_never_gets_there_says_nothing() {
    let text = "title = 'x'\n[specification]\ndemands = 'refuse'\nrule = 'RFC 5280 §6'\nquote = 'x'\n[fault]\n\
                who = 'broker'\nsaid = 'Certificate'\n[pki.leaf]\nnames = ['dns:other.test']\n";
    let scenario = Scenario::parse("x/y", "y.toml", text).unwrap_or_else(|problem| panic!("{problem}"));
    let stack = RELEASED.iter().find(|stack| stack.name == STACKS[0]).expect("it is released");
    let conformity = |scenario: &Scenario| run(scenario, stack).expect("it can").conformity;
    assert_eq!(conformity(&scenario), Conformity::Conforms);
    let faultless: Vec<Conformity> = without_fault(&scenario).iter().map(|(_, twin)| conformity(twin)).collect();
    assert_eq!(faultless, [Conformity::AcceptsWhatItMustRefuse], "only the table `[pki]` can be left out");
    let unreached: Vec<Conformity> = unreached(&scenario).iter().map(|(_, twin)| conformity(twin)).collect();
    assert_eq!(unreached, [Conformity::NeverMet; 4]);
}
