//! First of all a broker with which nothing is wrong: what a firmware does with the others says something only if it connects to
//! that one.
//!
//! Asked of firmware that nobody tells what to do. Its network, its passphrase and whom it trusts are what its owner and its
//! description say; were one of them wrong, it would refuse every broker, and each refusal would look as it should. Who trusts
//! nobody here is asked for its network alone.

use blame::Error;
use judge::Account;
use outcome::Stage;
use report::model::How;
use report::reasons;
use scenario::Scenario;

use super::filing::Bench;
use super::select::{Pair, Selection, Work};
use super::site::Site;
use super::{Refusal, say};
use crate::authority::Foreign;
use crate::exit;
use crate::stack::{Applicability, Stack};
use crate::trial;
use crate::unattended::Trust;

/// A name in a folder whose scenarios are asked without TLS too.
const NAME: &str = "mqtt/nothing_is_wrong";
const TEXT: &str = "
title = 'A broker with which nothing is wrong'
[specification]
demands = 'connect'
rule = 'MQTT 3.1.1 §3.1'
quote = 'After a Network Connection is established by a Client to a Server, the first Packet sent from the Client to the Server MUST be a CONNECT Packet.'
";

/// What keeps all scenarios from saying anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// It did not get into its network.
    Network,
    /// It does not trust who it is said to trust.
    Trust,
}

/// Tries it with each firmware that nobody tells what to do, and says how it went.
///
/// # Errors
///
/// If no scenario can be asked of one, if it cannot get into its network, or if it does not trust who it is said to.
pub(super) fn check(bench: &Bench, selection: &Selection, site: &Site, work: &Work<'_>) -> Result<(), Refusal> {
    // A board's network is its own, and nobody's to be met there.
    if site.boards.is_some() {
        return Ok(());
    }
    for stack in &selection.stacks {
        let Some(unattended) = stack.unattended() else { continue };
        if let Some(why) = asks_nothing(bench, work, stack, unattended.trust()) {
            return Err(Refusal::new(exit::NOTHING_SELECTED, why));
        }
        let scenario = Scenario::parse(NAME, "nothing_is_wrong.toml", TEXT).map_err(Error::bench)?;
        let moved = Foreign::new(vec![scenario], site.authority.as_ref(), bench.seed());
        let Some(scenario) = moved.scenarios.into_iter().find(|one| stack.meets(one).is_ok()) else { continue };
        let trial = trial::on(&mut bench.flashed.board(stack, bench.seed())?, &scenario, stack, bench.seed())?;
        let pair = Pair { scenario: &scenario, stack };
        let transcript = bench.leave_artefacts(&pair, &trial.judged.transcript, &trial.pcapng)?;
        let account = &trial.judged.account;
        if let Some(trouble) = trouble(account.how, account.stage, unattended.trust()) {
            let words = told(trouble, stack, unattended.trust(), account);
            return Err(Refusal::new(exit::USAGE, format!("{words}\n  the transcript: {}", transcript.display())));
        }
        if !matches!(unattended.trust(), Trust::Nobody) {
            say(&format!("first, a broker with which nothing is wrong: {} {}\n", stack.name, account.phrase()));
        }
    }
    Ok(())
}

/// That none of the scenarios can be asked of it, with the reasons, if it is so.
fn asks_nothing(bench: &Bench, work: &Work<'_>, stack: &Stack, trust: &Trust) -> Option<String> {
    let mut excuses = Vec::new();
    for pair in work.pairs.iter().filter(|pair| pair.stack.name == stack.name) {
        match bench.applicability(pair) {
            Applicability::NotApplicable(why) => excuses.push(why),
            Applicability::Applies | Applicability::NotAsked => return None,
        }
    }
    let remedy = match trust {
        Trust::Nobody => {
            "\n  `--trust swap` or `--authority` make it trust the bench: then those about certificates are asked too"
        }
        _ => "",
    };
    let (all, counted) = (excuses.len(), reasons::counted(excuses.iter().map(String::as_str)));
    let reasons: String = counted.iter().map(|(why, count)| format!("\n  {count} × {why}")).collect();
    (all > 0)
        .then(|| format!("NOTHING IS RUN: none of {all} scenarios can be asked of {}{reasons}{remedy}", stack.name))
}

fn trouble(how: How, stage: Stage, trust: &Trust) -> Option<Trouble> {
    let is_its_own = matches!(how, How::DeviceRefused | How::DeviceFailed | How::GaveUp);
    let is_at_the_chain = (Stage::Certificate..=Stage::Finished).contains(&stage);
    if how == How::Connected {
        None
    } else if stage <= Stage::Lease || how == How::NetworkRefused {
        Some(Trouble::Network)
    } else if is_its_own && is_at_the_chain && matches!(trust, Trust::Given | Trust::Swapped(_)) {
        Some(Trouble::Trust)
    } else {
        None
    }
}

fn told(trouble: Trouble, stack: &Stack, trust: &Trust, account: &Account) -> String {
    let (name, phrase) = (&stack.name, account.phrase());
    match (trouble, trust) {
        (Trouble::Network, _) => format!(
            "{name} did not get into its network ({phrase}), so nothing can be asked of it: give the network as the firmware \
             knows it, `--wifi 'ssid=…,psk=…'`; or leave `--wifi` out, if its passphrase lies in the image and its \
             description says where"
        ),
        (Trouble::Trust, Trust::Given) => format!(
            "{name} does not trust the authority that was given with `--authority` ({phrase}, at a broker with which nothing \
             is wrong): whatever it refused would look right for that reason alone. `cargo xtask product init IMAGE` lists \
             the authorities that lie in the image, and `--trust swap` puts the bench's own in their place"
        ),
        (Trouble::Trust, _) => format!(
            "{name} does not trust the bench after the swap ({phrase}, at a broker with which nothing is wrong): it trusts \
             another authority or a pin, or has to know the time first. `cargo xtask product init IMAGE` lists what lies in \
             the image, and `--swap-at ADDRESS` names another certificate; `asks_time = true` in its description gives it \
             the time"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_can_be_read_and_has_no_fault() {
        let scenario = Scenario::parse(NAME, "x.toml", TEXT).unwrap_or_else(|problem| panic!("{problem}"));
        assert!(scenario.fault.is_none());
    }

    #[test]
    fn a_network_that_it_does_not_get_into_and_a_chain_that_it_refuses_say_something_of_the_owner() {
        for (how, stage, trust, expected) in [
            (How::Connected, Stage::Goodbye, Trust::Given, None),
            (How::NetworkRefused, Stage::Join, Trust::Nobody, Some(Trouble::Network)),
            (How::NoEnd, Stage::Boot, Trust::Given, Some(Trouble::Network)),
            (How::DeviceRefused, Stage::Certificate, Trust::Given, Some(Trouble::Trust)),
            (How::DeviceRefused, Stage::Certificate, Trust::Nobody, None),
            (How::DeviceRefused, Stage::Hello, Trust::Given, None),
            (How::BrokerRefused, Stage::Certificate, Trust::Given, None),
            (How::DeviceFailed, Stage::Login, Trust::Given, None),
        ] {
            assert_eq!(trouble(how, stage, &trust), expected, "{how:?} {stage:?} {trust:?}");
        }
    }
}
